# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a process sees otherwise than the host, and programs that give rights to whoever starts them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import mounts_and_setuid


def test_files_of_its_own(tmp_path: Path) -> None:
    tree, inside = tmp_path / "node", tmp_path / "root"
    own = Path(f"{inside}{tree}")
    for place in (tree, own):
        place.mkdir(parents=True)
    for name in ("same", "ca.pem", "only-there"):
        (tree / name).write_text("", encoding="utf-8")
    os.link(tree / "same", own / "same")
    (own / "ca.pem").write_text("evil", encoding="utf-8")
    (own / "more").write_text("", encoding="utf-8")
    found = mounts_and_setuid.differing_in([str(tree)], "/.erlang.cookie", str(inside))
    assert found == sorted(f"{tree}/{name}" for name in ("ca.pem", "more", "only-there"))


def test_a_process_without_mounts_of_its_own_sees_the_hosts_files() -> None:
    assert mounts_and_setuid.differing(["beam.smp", "-ssl_dist_optfile", "/etc/beam/x/ssl_dist.conf"], {}, str(Path.home()), "/proc/self/root") == []
    assert mounts_and_setuid.differing(["beam.smp"], {}, "/", "") is None


@pytest.mark.parametrize(
    ("mounted", "found"),
    [("", []), ("lib", ["lib"]), ("lib/kernel-9/ebin/auth.beam", ["lib/kernel-9/ebin/auth.beam"]), ("", ["."])],
    ids=["nothing", "a directory", "a file", "the whole OTP"],
)
def test_an_otp_of_its_own(mounted: str, found: list[str], place_of_root: Path) -> None:
    otp, other = place_of_root / "otp", place_of_root / "other"
    for top in (otp, other):
        (top / "lib" / "kernel-9" / "ebin").mkdir(parents=True)
        (top / "lib" / "kernel-9" / "ebin" / "auth.beam").write_text("")
    script = f"{f'mount --bind {other}/{mounted} {otp}/{mounted};' if found else ''} echo; exec sleep 60"
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        ready = process.stdout.readline()
        try:
            said = mounts_and_setuid.differing(["beam.smp", "-root", str(otp)], {}, "/", f"/proc/{process.pid}/root") if ready else None
        finally:
            process.kill()
        if not ready or process.stderr.read():
            pytest.skip("no mounts of its own here")
    assert said == [os.path.normpath(f"{otp}/{one}") for one in found]


def test_programs_that_give_rights(tmp_path: Path) -> None:
    modes = {"beam.smp": 0o4755, "erlexec": 0o2755, "epmd": 0o755, "data": 0o2644}
    for name, mode in modes.items():
        (tmp_path / name).write_text("", encoding="utf-8")
        os.chmod(tmp_path / name, mode)
    (tmp_path / "link").symlink_to(tmp_path / "beam.smp")
    found = mounts_and_setuid.privileged_programs([str(tmp_path), f"{tmp_path}/none"])
    assert found == [f"{tmp_path}/beam.smp (setuid)", f"{tmp_path}/erlexec (setgid)"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give capabilities")
def test_programs_that_give_everybody_what_a_user_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "one.list").write_text(f"/.\n{tmp_path}/of-root\n{tmp_path}/python3.11\n")
    monkeypatch.setattr(mounts_and_setuid, "PACKAGES", f"{tmp_path}/packages/*.list")

    def program(name: str, mode: int, owner: int = 0, capabilities: str = "") -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy("/bin/true", path)
        os.chown(path, owner, 0)
        path.chmod(mode)
        if capabilities:
            subprocess.run(["setcap", capabilities, str(path)], check=True)

    program("of-user", 0o4755, 4711)
    program("of-other", 0o4755, 4712)
    program("of-root", 0o4755)
    # Packages give no interpreter the rights of root; what they give other programs is theirs.
    program("python3.11", 0o4755)
    program("of-nobody", 0o4755)
    program("sudo", 0o4755)
    program("local/of-root", 0o4755)
    program("private", 0o4700, 4711)
    program("reads", 0o755, 0, "cap_dac_read_search+ep")
    program("newuidmap", 0o755, 0, "cap_setuid+ep")
    program("local/bwrap", 0o755, 0, "cap_setuid+ep")
    program("pings", 0o755, 0, "cap_net_raw+ep")
    found = mounts_and_setuid.lenders(4711, [(str(tmp_path), 2)], (f"{tmp_path}/local/",))
    assert found == [f"{tmp_path}/{one}" for one in (
        "local/bwrap (capabilities)", "local/of-root (setuid)", "of-nobody (setuid)", "of-user (setuid)", "python3.11 (setuid)",
        "reads (capabilities)")]
    monkeypatch.setattr(mounts_and_setuid, "PACKAGES", f"{tmp_path}/none/*.list")
    assert f"{tmp_path}/of-nobody (setuid)" not in (mounts_and_setuid.lenders(4711, [(str(tmp_path), 2)], ()) or ())


def test_a_program_of_a_package_from_before_usr_was_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.list").write_text("/.\n/sbin/mount.zfs\n")
    monkeypatch.setattr(mounts_and_setuid, "PACKAGES", f"{tmp_path}/*.list")
    assert mounts_and_setuid._is_packaged("/usr/sbin/mount.zfs") and not mounts_and_setuid._is_packaged("/usr/sbin/mount")
