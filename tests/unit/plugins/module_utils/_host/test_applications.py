# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of applications and products that a VM can load: with made trees, and with a real erl."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import applications, running_otp

ROOT = "/usr/lib/erlang"
RABBIT = "/usr/lib/rabbitmq/lib/rabbitmq_server-4.0.5/plugins"
# Application and version of two that every VM has, a line each.
QUESTION = """
[[io:format("~s ~s~n", [Name, Version]) || {Name, _, Version} <- application:loaded_applications(), lists:member(Name, [kernel, stdlib])]], halt().
"""


@pytest.mark.parametrize(
    ("arguments", "erl_libs", "found"),
    [
        ("beam.smp -- -root /usr/lib/erlang -sname a", "", [f"{ROOT}/lib"]),
        # Mix and relx: a release without a runtime of its own.
        ("beam.smp -- -boot /opt/shop/releases/1.0.0/start -boot_var RELEASE_LIB /opt/shop/lib", "", ["/opt/shop/lib", f"{ROOT}/lib"]),
        # elixir of Debian 13, and of Debian 12.
        ("x -elixir_root /usr/lib/elixir/bin/../lib -pa /usr/lib/elixir/bin/../lib/elixir/ebin", "", ["/usr/lib/elixir/lib", f"{ROOT}/lib"]),
        ("x -pa /usr/lib/elixir/bin/../lib/eex/ebin /usr/lib/elixir/bin/../lib/elixir/ebin", "", ["/usr/lib/elixir/lib", f"{ROOT}/lib"]),
        # RabbitMQ and ejabberd.
        ("x -pa  -noshell", RABBIT, [RABBIT, f"{ROOT}/lib"]),
        ("x", "/usr/lib/x86_64-linux-gnu::relative", ["/usr/lib/x86_64-linux-gnu", f"{ROOT}/lib"]),
        # What follows -extra is the program's own.
        ("x -extra -pa /tmp/evil/ebin -boot_var A /tmp/evil", "", [f"{ROOT}/lib"]),
        ("x -boot_var", "", [f"{ROOT}/lib"]),
        ("x -boot_var A relative", "", [f"{ROOT}/lib"]),
    ],
)
def test_where_a_vm_looks(arguments: str, erl_libs: str, found: list[str]) -> None:
    assert applications.libraries(arguments.split(" "), erl_libs, ROOT) == found


def tree(place: Path, *names: str, app: str = "") -> Path:
    for name in names:
        (place / name / "ebin").mkdir(parents=True)
    if app:
        name, version = app.split()
        (place / name / "ebin").mkdir(parents=True, exist_ok=True)
        (place / name / "ebin" / f"{name}.app").write_text(f'{{application,{name},\n  [{{description,"x"}},\n   {{vsn, "{version}"}}]}}.\n')
    return place


def test_a_library_is_read_by_an_allow_list(tmp_path: Path) -> None:
    """Only names that are watched leave the host, in their newest version."""
    names = ("ssl-11.2", "ssl-11.10.1", "ssl-11.9", "kernel-10.2.7.1", "shop-1.0.0", "secret_project-2.0", "crypto", "x")
    library = tree(tmp_path, *names, "ejabberd-23.01", "ejabberd-23.01-1", "rabbit-4.0.0-rc.1", "inets-9.3;id", app="elixir 1.18.3")
    found = {name: version for name, (version, _directory) in applications.of_library(str(library)).items()}
    assert found == {"ssl": "11.10.1", "kernel": "10.2.7.1", "ejabberd": "23.01", "rabbit": "4.0.0-rc.1", "elixir": "1.18.3"}
    assert applications.of_library(str(tmp_path / "nowhere")) == {}


def described(tmp_path: Path, since: float | None, *, package: Any = None, arguments: str = "") -> dict[str, Any]:
    """A process 7 in a made /proc whose root directory is tmp_path / root."""
    base = tmp_path / "proc" / "7"
    base.mkdir(parents=True, exist_ok=True)
    (base / "cmdline").write_bytes(b"\0".join(one.encode() for one in ["beam.smp", *arguments.split()]) + b"\0")
    (base / "environ").write_bytes(b"PATH=/bin\0ERL_LIBS=/opt/rabbit/plugins\0SECRET=x\0")
    if not (base / "root").exists():
        os.symlink(tmp_path / "root", base / "root")
    return applications.describe(7, "/opt/erl", "15.2.7", since, lambda path: package, str(tmp_path / "proc"))


def test_a_process_has_what_was_there_when_it_was_started(tmp_path: Path) -> None:
    tree(tmp_path / "root/opt/erl/lib", "kernel-10.2.7", "ssl-11.2.12")
    tree(tmp_path / "root/opt/rabbit/plugins", "rabbit-4.0.5", app="rabbit-4.0.5 4.0.5")
    later, before = time.time() + 60, time.time() - 3600
    seen = described(tmp_path, later)
    assert seen["applications"] == {"kernel": "10.2.7", "ssl": "11.2.12", "erts": "15.2.7"}
    assert seen["products"] == [{"name": "rabbitmq", "version": "4.0.5", "package": None}]
    # A directory that changed after the start says nothing of what was loaded.
    for since in (before, None):
        assert described(tmp_path, since)["applications"] is None


def test_a_change_in_a_directory_without_otp_says_nothing_of_otp(tmp_path: Path) -> None:
    """ERL_LIBS of Debian's ejabberd is the directory of all shared libraries: any upgrade changes it."""
    otp = tree(tmp_path / "root/opt/erl/lib", "kernel-10.2.7", "ssl-11.2.12")
    plugins = tree(tmp_path / "root/opt/rabbit/plugins", app="rabbit-4.0.5 4.0.5")
    since = otp.stat().st_ctime + 1
    time.sleep(2.5)
    (plugins / "libcrypto.so.3").write_text("")
    assert plugins.stat().st_ctime > since + 1
    assert described(tmp_path, since)["applications"] == {"kernel": "10.2.7", "ssl": "11.2.12", "erts": "15.2.7"}


def test_a_product_whose_files_were_replaced_is_known_by_the_log(tmp_path: Path) -> None:
    plugins = tree(tmp_path / "root/opt/rabbit/plugins", "rabbit-4.0.5")
    (plugins / "rabbit-4.0.5/ebin/rabbit.app").write_text("{application,rabbit,[]}.")
    package = {"name": "rabbitmq-server", "installed": "4.0.5-6+deb13u2", "started": "4.0.5-6+deb13u1"}
    before = time.time() - 3600
    assert described(tmp_path, before, package=package)["products"] == [{"name": "rabbitmq", "version": "4.0.5", "package": package}]
    # Neither the log nor the files say it.
    unknown = {**package, "started": None}
    assert described(tmp_path, before, package=unknown)["products"] == [{"name": "rabbitmq", "version": None, "package": unknown}]
    # The files do.
    (same,) = described(tmp_path, time.time() + 60, package=unknown)["products"]
    assert same["package"]["started"] == package["installed"]


def test_a_library_without_otp_says_nothing_of_what_is_missing(tmp_path: Path) -> None:
    tree(tmp_path / "root/opt/erl/lib", "ssl-11.2.12")
    assert described(tmp_path, time.time() + 60)["applications"] is None


def test_an_installation_that_nobody_runs(tmp_path: Path) -> None:
    prefix = str(tmp_path)
    tree(tmp_path / "usr/lib/erlang/lib", "kernel-8.5.3", "ssl-10.8.7")
    (tmp_path / "usr/lib/erlang/erts-13.1.5").mkdir()
    (tmp_path / "usr/lib/erlang/erts-13.1.10").mkdir()
    status = tmp_path / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text("Package: erlang-base-doc\nStatus: install ok installed\nVersion: 9\n\nPackage: erlang-base\nStatus: install ok installed\n"
                      "Priority: optional\nVersion: 1:25.2.3+dfsg-1+deb12u4\n\n")  # fmt: skip
    assert applications.of_root(ROOT, prefix) == {
        "applications": {"kernel": "8.5.3", "ssl": "10.8.7", "erts": "13.1.10"},
        "package": {"name": "erlang-base", "installed": "1:25.2.3+dfsg-1+deb12u4", "started": None},
    }
    assert applications.status_version("elixir", prefix) is None
    assert applications.of_root("/opt/none", prefix) == {"applications": None, "package": None}


@pytest.mark.skipif(not shutil.which("erl"), reason="needs erl")
def test_a_real_vm() -> None:
    """What erl itself calls the versions of its applications."""
    running = subprocess.Popen(["erl", "-noinput", "-boot", "no_dot_erlang"], stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        seen: dict[str, Any] | None = None
        while time.monotonic() < deadline and not (seen and seen["erts"]):
            time.sleep(0.2)
            seen = running_otp.describe(running.pid)
        command = ["erl", "-noinput", "-boot", "no_dot_erlang", "-eval", QUESTION]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    finally:
        running.kill()
        running.wait()
    assert seen is not None and isinstance(seen["applications"], dict)
    assert {name: seen["applications"][name] for name in ("kernel", "stdlib")} == dict(line.split() for line in told.stdout.splitlines())
    assert seen["applications"]["erts"] == seen["erts"]
