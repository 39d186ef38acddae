# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Native code of a VM: its programs, its libraries, what the loader adds, and who can replace each."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import code_path, process_hardening, programs, start_files

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
MAPS = """\
55d0c0000000-55d0c0001000 r--p 00000000 08:01 100 /usr/lib/erlang/erts-15.2.7/bin/beam.smp
55d0c0001000-55d0c0401000 r-xp 00001000 08:01 100                        /usr/lib/erlang/erts-15.2.7/bin/beam.smp
7f0000000000-7f0000001000 r-xp 00000000 00:05 9                          /memfd:vmem (deleted)
7f0000001000-7f0000002000 r-xp 00000000 08:01 7                          /opt/x y.so
7f0000002000-7f0000003000 r-xp 00000000 08:01 8                          /usr/lib/libold.so (deleted)
7f0000003000-7f0000004000 rw-p 00000000 00:00 0                          [heap]
7f0000004000-7f0000005000 r-xp 00000000 00:00 0                          [vdso]
7f0000005000-7f0000006000 r--p 00000000 08:01 11                         /usr/lib/locale/locale-archive
"""


@pytest.fixture
def tmp_path(place_of_root: Path) -> Path:
    return place_of_root


def make(path: Path, owner: str = "root", mode: int = 0o755) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(mode)
    os.chown(path, pwd.getpwnam(owner).pw_uid, 0)
    return str(path)


@pytest.mark.parametrize(
    ("made", "path", "found"),
    [
        ({}, "otp/erts-15.2.7/bin:otp/bin:local:bin", []),
        ({"local/erl": ""}, "otp/erts-15.2.7/bin:otp/bin:local:bin", ["local/erl"]),
        ({"local/epmd": "", "local/escript": ""}, "local:bin", ["local/epmd", "local/escript"]),
        ({"local/erl": "otp/bin/erl"}, "local:bin", []),
        ({"local/erl": ""}, "bin:local", []),
        ({"local/erl": ""}, "bin", []),
        ({"local/erlang": ""}, "local:bin", []),
    ],
)
def test_a_program_that_is_found_before_that_of_otp(tmp_path: Path, made: dict[str, str], path: str, found: list[str]) -> None:
    for name in programs._OF_OTP:
        make(tmp_path / "otp" / "bin" / name)
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(f"../otp/bin/{name}")
    for name, to in made.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if to:
            (tmp_path / name).symlink_to(tmp_path / to)
        else:
            make(tmp_path / name)
    places = ":".join(f"{tmp_path}/{place}" for place in path.split(":"))
    assert programs.shadowing(places, "", f"{tmp_path}/otp") == [f"{tmp_path}/{name}" for name in found]


def test_the_program_of_a_package_is_no_other_one(tmp_path: Path) -> None:
    """beam_otp_root names an OTP beside that of the distribution."""
    make(tmp_path / "otp" / "bin" / "erl")
    with mock.patch.object(programs, "_SYSTEM_PROGRAMS", (f"{tmp_path}/usr/bin/",)):
        make(tmp_path / "usr" / "bin" / "erl")
        assert programs.shadowing(f"{tmp_path}/usr/bin", "", f"{tmp_path}/otp") == []


def test_files_with_code_in_a_map_of_memory() -> None:
    assert programs.mapped(MAPS) == ["/usr/lib/erlang/erts-15.2.7/bin/beam.smp", "/opt/x y.so"]


@root
@pytest.mark.parametrize(
    "name", ["erts-15.2.7/bin/erlexec", "erts-15.2.7/bin/erl_child_setup", "bin/erl", "bin/start.boot", "releases/27/start_clean.boot"]
)
def test_a_program_of_an_otp_that_another_user_owns(name: str, tmp_path: Path) -> None:
    otp = tmp_path / "otp"
    for one in ("bin/erl", "bin/start.boot", "releases/27/start_clean.boot", "erts-15.2.7/bin/erlexec", "erts-15.2.7/bin/erl_child_setup"):
        make(otp / one)
    assert not any(str(otp) in one for one in programs.replaceable_by("/proc/self", "", str(otp)) or ())
    make(otp / name, "games")
    assert f"games ({otp}/{name})" in (programs.replaceable_by("/proc/self", "", str(otp)) or ())


@root
def test_a_link_in_the_otp_of_a_container_is_nobodys(tmp_path: Path) -> None:
    otp = tmp_path / "otp"
    make(otp / "erts-1" / "bin" / "epmd")
    (otp / "bin").mkdir()
    (otp / "bin" / "epmd").symlink_to("../erts-1/bin/epmd")
    assert not any("/otp/bin/epmd" in one for one in programs.replaceable_by("/proc/self", str(tmp_path), "/otp") or ())


@root
@pytest.mark.parametrize(
    ("path", "otp_root", "elsewhere"),
    [
        ("/usr/local/lib/libz.so.1", "/usr/lib/erlang", True),
        ("/usr/local/lib/libz.so.1", "/usr/local/lib/erlang", False),
        # An OTP of the operator's own may be built with libraries of theirs.
        ("/usr/local/lib/libz.so.1", "/opt/otp", False),
        ("/usr/lib/x86_64-linux-gnu/libnone.so.1", "/usr/lib/erlang", False),
        ("/opt/otp/lib/x.so", "/usr/lib/erlang", True),
        ("/opt/otp/lib/x.so", "/opt/otp", False),
    ],
)
def test_where_a_library_is_from(tmp_path: Path, path: str, otp_root: str, elsewhere: bool) -> None:
    (tmp_path / "maps").write_text(f"7f0000001000-7f0000002000 r-xp 00000000 08:01 7                          {path}\n")
    assert programs.libraries(str(tmp_path), "", otp_root) == ([{"path": path, "by": [], "elsewhere": True}] if elsewhere else [])


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"opt/evil/libz.so.1": ""}, ["/opt/evil/libz.so.1"]),
        ({"usr/local/lib/libz.so.1": ""}, ["/usr/local/lib/libz.so.1"]),
        ({"opt/evil/libz.so.1.3.1": ""}, ["/opt/evil/libz.so.1.3.1"]),
        ({"opt/evil/libz.so": ""}, []),
        ({"opt/evil/libother.so": "", "usr/lib/second/libz.so.1": "", "opt/none/libz.so.1": ""}, []),
    ],
)
def test_a_library_that_the_next_process_loads(files: dict[str, str], found: list[str], place_of_root: Path) -> None:
    loader = {
        "etc/ld.so.conf": "include ld.so.conf.d/*.conf\n",
        "etc/ld.so.conf.d/a.conf": "# /opt/none\n/opt/evil\n",
        "etc/ld.so.conf.d/b.conf": "/usr/local/lib\ninclude /etc/more.conf\n", "etc/more.conf": "/usr/lib/second /usr/lib/x86_64-linux-gnu\n",
    }
    for name, text in {**loader, **files, "usr/lib/x86_64-linux-gnu/libz.so.1.3.1": ""}.items():
        (place_of_root / name).parent.mkdir(parents=True, exist_ok=True)
        (place_of_root / name).write_text(text)
    # The kernel names the file, and programs ask for the link libz.so.1 that leads to it.
    (place_of_root / "maps").write_text("7f0000001000-7f0000002000 r-xp 00000000 08:01 7          /usr/lib/x86_64-linux-gnu/libz.so.1.3.1\n")
    said = programs.libraries(str(place_of_root), str(place_of_root), "/usr/lib/erlang")
    assert said == [{"path": path, "by": [], "elsewhere": True, "later": True} for path in found]


def test_a_library_that_a_process_has_loaded_from_elsewhere(tmp_path: Path) -> None:
    library = next((path for path in programs.mapped(Path("/proc/self/maps").read_text()) if "/libc.so" in path or "/libc-" in path), None)
    if library is None:
        pytest.skip("there is no libc.so here")
    shutil.copy(library, tmp_path / "x.so")
    ctypes.CDLL(str(tmp_path / "x.so"))
    os.chown(tmp_path / "x.so", pwd.getpwnam("games").pw_uid, 0)
    found = {one["path"]: one for one in programs.libraries("/proc/self", "", "/usr/lib/erlang") or ()}
    mine = found[str(tmp_path / "x.so")]
    assert mine["elsewhere"] is True and "games" in str(mine["by"])
    assert library not in found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/opt/x.so\n/opt/y.so:/opt/z.so # more\n", ["/opt/x.so", "/opt/y.so", "/opt/z.so"]),
        ("# nothing\n", []),
        ("/usr/lib/arm-linux-gnueabihf/libarmmem-${PLATFORM}.so\n", []),
        (None, []),
    ],
)
def test_libraries_that_the_loader_puts_into_every_program(text: str | None, found: list[str], tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "preload").write_text(text)
    assert programs.preloaded(str(tmp_path / "preload")) == found


@root
@pytest.mark.parametrize("name", ["priv/lib/crypto.so", "priv/bin/memsup"])
def test_native_code_beside_the_modules_of_an_application(name: str, tmp_path: Path) -> None:
    ebin = tmp_path / "crypto-5.5" / "ebin"
    make(ebin / "crypto.beam")
    for one in ("priv/lib/crypto.so", "priv/bin/memsup", "priv/data.txt"):
        make(ebin.parent / one, mode=0o644 if one.endswith("txt") else 0o755)

    def mine() -> list[str]:
        return [str(one["path"]) for one in code_path.replaceable([str(ebin)]) or () if str(one["path"]).startswith(str(ebin.parent))]

    make(ebin.parent / "priv/data.txt", "games", 0o644)
    assert mine() == []
    make(ebin.parent / name, "games")
    assert mine() == [f"{ebin.parent}/{name}"]
    (ebin.parent / "priv" / "lib").chmod(0o777)
    assert f"{ebin.parent}/priv/lib" in mine()


@root
def test_a_working_directory_where_others_put_modules(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make(home / "x")
    uid = pwd.getpwnam("games").pw_uid
    os.chown(home, uid, 0)
    arguments, variables = ["beam.smp", "--", "-root", "/usr/lib/erlang"], {"HOME": str(home)}

    def by() -> list[str]:
        found = start_files.describe(arguments, variables, directory=str(home), user=uid) or []
        return [user for one in found if one["path"] == str(home) for user in one["by"]]  # type: ignore[attr-defined]

    assert not {"games", "everybody"} & set(by())
    home.chmod(0o777)
    assert "everybody" in by() and "games" not in by()


def test_a_process_that_sees_the_system_as_writable(tmp_path: Path) -> None:
    state = mock.Mock(f_flag=os.ST_RDONLY)
    with mock.patch.object(os, "statvfs", return_value=state):
        assert process_hardening.system_writable("/proc/1/root") is False
    with mock.patch.object(os, "statvfs", return_value=mock.Mock(f_flag=0)):
        assert process_hardening.system_writable("/proc/1/root") is True
    with mock.patch.object(os, "statvfs", side_effect=PermissionError):
        assert process_hardening.system_writable("/proc/1/root") is None
    assert process_hardening.system_writable("") is None
