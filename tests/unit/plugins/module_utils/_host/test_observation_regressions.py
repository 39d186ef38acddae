# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an observation once did not see of a host, so that a control passed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import code_path, environment, proc, secrets_at_rest
from ansible_collections.beam.cluster.plugins.module_utils._model.processes import Process, VmFlags

COOKIE = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a3928"
OTHER = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071"
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")


@pytest.fixture
def tmp_path(place_of_root: Path) -> Path:
    return place_of_root


def give(path: Path, content: str, owner: str, mode: int = 0o400) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    os.chown(path, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
    return str(path)


def searched(cookies: list[str], where: list[tuple[str, str]]) -> dict[str, list[dict[str, object]]]:
    return secrets_at_rest.search(secrets_at_rest.read_cookies(cookies), where)[0]


@root
def test_a_copy_that_only_the_user_of_another_vm_can_read(tmp_path: Path) -> None:
    """A user with a VM and a cookie of his own is no user of the cluster's cookie."""
    cookies = [give(tmp_path / "beam" / ".erlang.cookie", COOKIE, "games"), give(tmp_path / "alice" / ".erlang.cookie", OTHER, "nobody")]
    copy = give(tmp_path / "alice" / "notes", f"cookie: {COOKIE}", "nobody")
    own = give(tmp_path / "alice" / "own", f"cookie: {OTHER}", "nobody")
    (found,) = searched(cookies, [(copy, ""), (own, "")])["copies"]
    assert (found["path"], found["of"], found["readers"]) == (copy, [cookies[0]], ["nobody"])


@root
def test_data_in_the_home_of_a_node_that_the_user_of_another_vm_can_read(tmp_path: Path) -> None:
    cookies = [give(tmp_path / "beam" / ".erlang.cookie", COOKIE, "nobody"), give(tmp_path / "alice" / ".erlang.cookie", OTHER, "games")]
    data = give(tmp_path / "beam" / "passwd.DCD", "data", "root", 0o440)
    os.chown(data, 0, pwd.getpwnam("games").pw_gid)
    (found,) = searched(cookies, [(data, secrets_at_rest.HOME)])["exposed"]
    assert (found["path"], found["readers"]) == (data, ["games"])


@root
def test_a_module_that_the_user_of_the_node_can_write_in_a_directory_of_root(tmp_path: Path) -> None:
    good, bad = tmp_path / "lib" / "good.beam", tmp_path / "lib" / "bad.beam"
    give(good, "", "root", 0o644)
    give(bad, "", "games", 0o644)
    everybody = give(tmp_path / "other" / "x.beam", "", "root", 0o666)
    by = {str(entry["path"]): entry["by"] for entry in code_path.replaceable([str(tmp_path / "lib"), str(tmp_path / "other")]) or ()}
    assert [name for name in by if name.startswith(str(tmp_path))] == [str(bad), everybody]
    assert "games" in str(by[str(bad)]) and "everybody" in str(by[everybody])


@pytest.mark.parametrize("name", ["beam.smp", "beam", "beam.debug.smp", "beam.valgrind.s", "beam.jit"])
def test_every_flavour_of_the_emulator_is_a_vm(name: str) -> None:
    assert Process(1, name, "x", None, VmFlags()).is_vm
    assert proc.is_beam(name)


@pytest.mark.parametrize("name", ["epmd", "beamer", "beam_x", "xbeam.smp", ""])
def test_other_programs_are_no_vm(name: str) -> None:
    assert not Process(1, name, "x", None, VmFlags()).is_vm


def test_a_unit_of_a_users_own_manager_is_no_unit_of_the_system() -> None:
    """Every user may call a unit of his own as the node's is called."""
    of_user = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/beam.service\n"
    assert proc.unit_of(of_user) == "user@1000.service"
    assert proc.unit_of("0::/system.slice/beam.service\n") == "beam.service"
    assert proc.unit_of("0::/machine.slice/libpod-1.scope/system.slice/beam.service\n") == "beam.service"


def test_a_variable_of_the_service_manager_goes_to_every_unit() -> None:
    properties = {"Environment": ["A=1"], "UnsetEnvironment": ["ERL_ZFLAGS"]}
    found = environment.facts(properties, frozenset({"ERL_LIBS", "ERL_ZFLAGS"}))
    assert found["environment_names"] == ["A", "ERL_LIBS"]
    assert environment.names_of("LANG=C\nERL_LIBS=/tmp\nX=$'a\\nB=c'\n") == {"LANG", "ERL_LIBS", "X"}


@pytest.mark.parametrize(
    ("stored", "shadow", "password"),
    [("x", "!", False), ("x", None, None), ("$6$salt$hash", None, True), ("", None, True), ("*", None, False), ("x", "", True)],
)
def test_an_account_without_a_line_in_shadow_is_not_known_to_be_locked(
    stored: str, shadow: str | None, password: bool | None, tmp_path: Path
) -> None:
    file = tmp_path / "shadow"
    file.write_text("root:*:1:\n" + (f"erl:{shadow}:1:\n" if shadow is not None else ""), encoding="utf-8")
    entry = pwd.struct_passwd(("erl", stored, 1, 1, "", str(tmp_path), "/bin/sh"))
    with mock.patch.object(secrets_at_rest, "SHADOW", str(file)), mock.patch.object(pwd, "getpwnam", return_value=entry):
        assert secrets_at_rest.accounts(["erl"])[0]["password"] is password


def test_a_crash_dump_in_the_directory_of_a_release_or_where_a_vm_works(tmp_path: Path) -> None:
    dump = tmp_path / "erl_crash.dump"
    dump.write_text("=erl_crash_dump:0.5\n", encoding="utf-8")
    assert (str(dump), "") in list(secrets_at_rest.places([], [], [str(tmp_path)], []))


@root
def test_a_process_in_a_network_of_its_own() -> None:
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    with subprocess.Popen(["unshare", "--net", "sleep", "60"]) as apart:
        try:
            until = time.monotonic() + 60
            while not proc.has_own_network(apart.pid) and time.monotonic() < until and apart.poll() is None:
                time.sleep(0.05)
            if apart.poll() is not None:
                pytest.skip("this machine lets nobody make a network")
            assert proc.has_own_network(apart.pid)
            assert not proc.has_own_network(os.getpid()) and not proc.has_own_network(2**22 + 1)
        finally:
            apart.kill()
