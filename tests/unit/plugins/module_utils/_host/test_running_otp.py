# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which OTP a virtual machine runs: with a made /proc, and with a real process whose program is replaced."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import running_otp

# Two of a real node, and what no package brought: the JIT's code, and a mapping without code in it.
MAPS = """\
55d8a7a00000-55d8a7c00000 r--p 00000000 00:5f 42 /usr/lib/erlang/erts-15.2.7/bin/beam.smp (deleted)
55d8a7c00000-55d8a8000000 r-xp 00200000 00:5f 42 /usr/lib/erlang/erts-15.2.7/bin/beam.smp (deleted)
7f0000000000-7f0000100000 r-xp 00000000 00:5f 43 /usr/lib/x86_64-linux-gnu/libcrypto.so.3 (deleted)
7f0000200000-7f0000300000 r-xp 00000000 00:5f 44 /usr/lib/x86_64-linux-gnu/libc.so.6
7f0000400000-7f0000500000 r-xs 00000000 00:01 45 /memfd:vmem (deleted)
7f0000500000-7f0000600000 r--p 00000000 00:5f 46 /usr/lib/locale/C.utf8/LC_CTYPE (deleted)
7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0 [vdso]
"""


def test_libraries_that_were_deleted() -> None:
    assert list(running_otp.deleted_libraries(MAPS)) == ["/usr/lib/erlang/erts-15.2.7/bin/beam.smp", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"]


LOG = """\
2026-11-01 10:00:00 startup archives unpack
2026-11-01 10:00:01 install erlang-base:amd64 <none> 1:27.3.4.1+dfsg-1+deb13u2
2026-11-10 10:00:00 upgrade erlang-base:amd64 1:27.3.4.1+dfsg-1+deb13u2 1:27.3.4.1+dfsg-1+deb13u3
2026-11-20 10:00:00 upgrade erlang-base:amd64 1:27.3.4.1+dfsg-1+deb13u3 1:27.3.4.1+dfsg-1+deb13u4
2026-11-20 10:00:00 upgrade erlang-base-doc:all 0 1
""".splitlines()
NOW = "1:27.3.4.1+dfsg-1+deb13u4"


@pytest.mark.parametrize(("day", "revision"), [("02", "u2"), ("11", "u3"), ("21", "u4")])
def test_the_version_that_a_process_was_started_with(day: str, revision: str) -> None:
    moment = time.mktime(time.strptime(f"2026-11-{day}", "%Y-%m-%d"))
    found = running_otp.version_at(LOG, "erlang-base", moment, NOW)
    assert found is not None and found.endswith(revision)


def test_a_log_that_begins_later_tells_nothing_of_before() -> None:
    assert running_otp.version_at(LOG[3:4], "other", 0.0, "1") is None
    assert running_otp.version_at([], "erlang-base", 0.0, NOW) is None
    # But what the first upgrade has replaced was there.
    assert running_otp.version_at(LOG[3:], "erlang-base", 0.0, NOW) == "1:27.3.4.1+dfsg-1+deb13u3"


@pytest.mark.parametrize(("package", "version"), [(NOW, "27.3.4.1"), ("25.2.3+dfsg-1", "25.2.3"), ("~", None)])
def test_upstream(package: str, version: str | None) -> None:
    assert running_otp.upstream(package) == version


def process(tmp_path: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """A program at the place of a VM in an installation that no package brought."""
    program = tmp_path / "erlang" / "erts-15.2.7" / "bin" / "beam.smp"
    program.parent.mkdir(parents=True)
    release = tmp_path / "erlang" / "releases" / "27"
    release.mkdir(parents=True)
    (release.parent / "start_erl.data").write_text("15.2.7 27")
    (release / "OTP_VERSION").write_text("27.3.4.1\n")
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    return subprocess.Popen([str(program), "60"]), program


def seen(running: subprocess.Popen[bytes]) -> dict[str, Any]:
    found = running_otp.describe(running.pid)
    assert found is not None
    return found


def test_a_program_that_is_replaced(tmp_path: Path) -> None:
    running, program = process(tmp_path)
    try:
        until = time.monotonic() + 10
        while seen(running)["executable"] != str(program) and time.monotonic() < until:
            time.sleep(0.01)
        before = seen(running)
        assert (before["replaced"], before["version"], before["erts"]) == ([], "27.3.4.1", "15.2.7")
        assert before["otp_root"] == str(tmp_path / "erlang") and before["package"] is None
        # A new one beside it: an upgrade that leaves the old one where it is.
        (tmp_path / "erlang" / "releases" / "start_erl.data").write_text("15.2.8 27")
        assert (seen(running)["installed_erts"], seen(running)["version"], seen(running)["replaced"]) == ("15.2.8", None, [])
        new = program.with_name("new")
        shutil.copy(program, new)
        os.replace(new, program)
        after = seen(running)
        assert (after["executable"], after["replaced"], after["version"]) == (str(program), [str(program)], None)
        program.unlink()
        assert seen(running)["replaced"] == [str(program)]
    finally:
        running.kill()
        running.wait(10)


def test_a_process_whose_maps_are_unreadable(tmp_path: Path) -> None:
    assert running_otp.describe(1, str(tmp_path)) is None
    assert running_otp.started(1, str(tmp_path)) is None


def test_when_a_process_was_started() -> None:
    began = running_otp.started(os.getpid())
    assert began is not None and abs(time.time() - began) < 24 * 3600
