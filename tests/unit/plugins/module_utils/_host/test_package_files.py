# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of OTP that are not those of their packages, and files that no package has put there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import package_files

KERNEL = "lib/kernel-10.2.7"
FILES = (
    f"{KERNEL}/ebin/net_adm.beam", f"{KERNEL}/priv/x.so", "lib/asn1/ebin/asn1.beam", "erts-15.2.7/bin/beam.smp", "erts-15.2.7/bin/epmd", "bin/erl",
)
LINK = "bin/epmd"
SECOND_NAME = "lib/cache_tab-1.0"
"""As Debian's packages of ProcessOne's libraries have it: a link to the directory of the application."""


class Host:
    """An OTP of one package, with a link, and a product of another one."""

    def __init__(self, path: Path) -> None:
        self.root, self.lists, self.diversions = path / "erlang", path / "info", path / "diversions"
        self.product = path / "rabbit" / "rabbit.beam"
        self.lists.mkdir()
        for name in FILES:
            self.write(name, name)
        (self.root / LINK).symlink_to("../erts-15.2.7/bin/epmd")
        (self.root / SECOND_NAME).symlink_to("kernel-10.2.7")
        self.product.parent.mkdir()
        self.product.write_text("rabbit", encoding="utf-8")
        above = {str(parent) for name in FILES for parent in (self.root / name).parents}
        self.package("erlang-base:amd64", [str(self.root / name) for name in FILES], [*above, str(self.root / LINK), str(self.root / SECOND_NAME)])
        self.package("rabbitmq-server", [str(self.product)], [])
        self.package("nginx", ["/etc/hostname"], [])

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def package(self, name: str, files: list[str], others: list[str]) -> None:
        (self.lists / f"{name}.list").write_text("".join(f"{path}\n" for path in (*files, *others)), encoding="utf-8")
        sums = (f"{hashlib.md5(Path(path).read_bytes()).hexdigest()}  {path[1:]}\n" for path in files)
        (self.lists / f"{name}.md5sums").write_text("".join(sums), encoding="utf-8")

    def link(self, name: str, to: str) -> None:
        (self.root / name).unlink(missing_ok=True)
        (self.root / name).symlink_to(to)

    def altered(self) -> list[tuple[str, str, str]]:
        found = package_files.describe([str(self.root), "/"], str(self.lists), str(self.diversions))
        assert found is not None and found["compared"] == len(FILES) + 1
        listed = found["altered"]
        assert isinstance(listed, list)
        return [(os.path.relpath(one["path"], self.root), one["package"], one["how"]) for one in listed]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda one: None, []),
        (lambda one: one.write(FILES[0], "evil"), [(FILES[0], "other")]),
        (lambda one: one.write("erts-15.2.7/bin/beam.smp", "evil"), [("erts-15.2.7/bin/beam.smp", "other")]),
        # One that is not there starts no node, or is used by none.
        (lambda one: (one.root / FILES[0]).unlink(), []),
        (lambda one: ((one.root / LINK).unlink(), one.write(LINK, "#!/bin/sh")), [(LINK, "no_link")]),
        (lambda one: one.link(LINK, "/bin/sh"), [(LINK, "elsewhere")]),
        (lambda one: one.link(LINK, "/nowhere"), []),
        (lambda one: one.link(SECOND_NAME, "/bin"), [(SECOND_NAME, "elsewhere")]),
        (lambda one: ((one.root / SECOND_NAME).unlink(), one.write(f"{SECOND_NAME}/ebin/a.beam", "")), [(f"{SECOND_NAME}/ebin/a.beam", "beside")]),
        (lambda one: one.write(f"{KERNEL}/ebin/evil.beam", ""), [(f"{KERNEL}/ebin/evil.beam", "beside")]),
        (lambda one: one.link(f"{KERNEL}/ebin/evil.beam", "/bin/sh"), [(f"{KERNEL}/ebin/evil.beam", "beside")]),
        (lambda one: one.write(f"{KERNEL}/priv/lib/evil.so", ""), [(f"{KERNEL}/priv/lib/evil.so", "beside")]),
        (lambda one: one.write(f"{KERNEL}/ebin/notes.txt", ""), []),
        (lambda one: one.write("lib/kernel-99.0/ebin/net_adm.beam", ""), [("lib/kernel-99.0", "shadows")]),
        (lambda one: one.write("lib/kernel-99.0.ez", ""), [("lib/kernel-99.0.ez", "shadows")]),
        (lambda one: one.link("lib/kernel-99.0", "/opt"), [("lib/kernel-99.0", "shadows")]),
        # A library that somebody has installed here.
        (lambda one: one.write("lib/jiffy-1.1/ebin/jiffy.beam", ""), []),
        (lambda one: one.diversions.write_text(f"{one.root}/bin/erl\n/x.distrib\nother\n"), []),
    ],
)
def test_what_differs(host: Host, change: Callable[[Host], object], found: list[tuple[str, str]]) -> None:
    change(host)
    assert host.altered() == [(path, "erlang-base", how) for path, how in found]


@pytest.mark.parametrize(("package", "found"), [("other", []), (":", [("bin/erl", "erlang-base", "other")])])
def test_a_file_that_was_diverted(host: Host, package: str, found: list[tuple[str, str, str]]) -> None:
    """Another package may take a file over. An operator's own diversion hides what is there."""
    host.write("bin/erl", "a wrapper")
    host.diversions.write_text(f"{host.root}/bin/erl\n{host.root}/bin/erl.distrib\n{package}\n", encoding="utf-8")
    assert host.altered() == found


def test_a_module_of_a_product(host: Host) -> None:
    host.product.write_text("evil", encoding="utf-8")
    assert host.altered() == [("../rabbit/rabbit.beam", "rabbitmq-server", "other")]


def test_a_package_that_writes_its_start_scripts_itself(host: Host) -> None:
    host.package("esl-erlang", [str(host.root / name) for name in FILES], [])
    for kind in (".list", ".md5sums"):
        (host.lists / f"erlang-base:amd64{kind}").unlink()
    host.write("bin/erl", "as Install writes it")
    assert host.altered() == []
    host.write(FILES[0], "evil")
    assert host.altered() == [(FILES[0], "esl-erlang", "other")]


def test_an_otp_of_no_package(tmp_path: Path) -> None:
    (tmp_path / "erlang" / "lib").mkdir(parents=True)
    found = package_files.describe([str(tmp_path / "erlang")], str(tmp_path), str(tmp_path / "diversions"))
    assert found == {"compared": 0, "altered": []}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_cannot_be_read(host: Host) -> None:
    (host.root / FILES[0]).chmod(0)
    assert package_files.describe([str(host.root)], str(host.lists), str(host.diversions)) is None


@pytest.mark.parametrize("text", [None, ""])
def test_sums_that_are_gone(host: Host, text: str | None) -> None:
    """Nobody can say then whether a file is that of its package."""
    host.write(FILES[0], "evil")
    (host.lists / "erlang-base:amd64.md5sums").unlink()
    if text is not None:
        (host.lists / "erlang-base:amd64.md5sums").write_text(text, encoding="utf-8")
    assert package_files.describe([str(host.root)], str(host.lists), str(host.diversions)) is None


def test_lists_that_cannot_be_read(host: Host) -> None:
    (host.lists / "x.list").mkdir()
    assert package_files.describe([str(host.root)], str(host.lists), str(host.diversions)) is None
