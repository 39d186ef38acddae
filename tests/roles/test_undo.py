# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role brings is taken away, and what was there before comes back: the tasks of the role `undo`, played on this machine, in one folder."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest

OURS = "# Managed by beam.cluster\n"
MARKER = "# {mark} beam.cluster (role test)"
BLOCK = "# BEGIN beam.cluster (role test)\nX=1\n# END beam.cluster (role test)\n"


# As much of systemd as the tasks ask for: a unit is a file below units, its lines are "enabled" and "active"; what is done is written down.
SYSTEMCTL = r"""#!/bin/sh
units=$(dirname "$0")/../units
value() { for arg; do case $arg in -*) ;; *) unit=$units/$arg ;; esac; done; }
value "$@"
case "$*" in
*is-enabled*) grep -qs enabled "$unit" && echo enabled || { echo disabled; exit 1; } ;;
*is-active*) grep -qs active "$unit" ;;
*--value*) [ -e "$unit" ] && echo loaded || echo not-found ;;
show*) [ -e "$unit" ] && echo LoadState=loaded || echo LoadState=not-found
  grep -qs active "$unit" && echo ActiveState=active || echo ActiveState=inactive ;;
enable*) echo enabled >> "$unit"; echo "$@" >> "$units/../done" ;;
disable*) sed -i /enabled/d "$unit"; echo "$@" >> "$units/../done" ;;
start*) echo active >> "$unit"; echo "$@" >> "$units/../done" ;;
*) echo "$@" >> "$units/../done" ;;
esac
"""


class Host:
    """A folder with what a role would touch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        (folder / "units").mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "systemctl").write_text(SYSTEMCTL, encoding="utf-8")
        (folder / "bin" / "systemctl").chmod(0o755)
        self.record = folder / "beam" / "before" / "test"
        self.managed = {
            "name": "test",
            "files": [f"{self.root}/ours.conf", f"{self.root}/d/ours.conf"],
            "blocks": [{"path": f"{self.root}/edited", "marker": MARKER}],
            "directories": [f"{self.root}/d"],
            "replaced": f"{self.root}/cookie",
        }

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def harden(self) -> None:
        """As a role would, after it has asked for what is there to be kept."""
        assert self.play("snapshot") <= 1
        self.write("ours.conf", OURS)
        self.write("d/ours.conf", OURS)
        edited = self.root / "edited"
        self.write("edited", (edited.read_text(encoding="utf-8") if edited.exists() else "") + BLOCK, 0o600)
        self.write("cookie", "OURSECRET", 0o400)

    def play(self, tasks: str, *arguments: str) -> int:
        """How much has changed."""
        play = [
            {
                "hosts": "localhost",
                "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
                "gather_facts": False,
                "tasks": [
                    {
                        "ansible.builtin.include_role": {"name": "beam.cluster.undo", "tasks_from": tasks},
                        "vars": {"__beam_managed": self.managed, "__beam_undo_record": str(self.record)},
                    }
                ],
            }
        ]
        (self.folder / "play.yml").write_text(json.dumps(play), encoding="utf-8")
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", "-c", "local", "play.yml", *arguments],
            cwd=self.folder,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "SECRET" not in done.stdout, "a cookie is shown"
        changed = re.search(r"changed=(\d+)", done.stdout)
        assert changed
        return int(changed[1])

    def seen(self) -> dict[str, tuple[int, str]]:
        return {
            str(path.relative_to(self.root)): (path.stat().st_mode & 0o7777, path.read_text(encoding="utf-8") if path.is_file() else "")
            for path in sorted(self.root.rglob("*"))
        }


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_where_nothing_was_nothing_is_left(host: Host) -> None:
    host.harden()
    assert set(host.seen()) == {"ours.conf", "d", "d/ours.conf", "edited", "cookie"}
    assert host.play("restore") > 3
    assert host.seen() == {}
    assert not host.record.exists() and not host.record.with_name("test.file").exists()
    assert host.play("restore") == 0


def test_what_was_there_comes_back_as_it_was(host: Host) -> None:
    host.write("edited", "MINE=1\n", 0o640)
    host.write("cookie", "THEIRSECRET", 0o400)
    (host.root / "d").mkdir(mode=0o750)
    (host.root / "d").chmod(0o750)
    before = host.seen()
    host.harden()
    assert host.record.parent.stat().st_mode & 0o777 == 0o700
    (host.root / "d").chmod(0o755)
    host.play("restore")
    assert host.seen() == before
    assert host.play("restore") == 0
    assert host.seen() == before


def test_an_empty_file_that_was_there_stays(host: Host) -> None:
    host.write("edited", "")
    host.harden()
    host.play("restore")
    assert host.seen() == {"edited": (0o644, "")}


def test_what_the_operator_has_written_since_stays(host: Host) -> None:
    host.harden()
    host.write("edited", BLOCK + "SINCE=1\n", 0o644)
    host.write("d/mine.conf", "[Service]\n")
    host.write("ours.conf", "# somebody else has put his own here\n")
    host.play("restore")
    assert {name: text for name, (_mode, text) in host.seen().items()} == {
        "d": "",
        "d/mine.conf": "[Service]\n",
        "edited": "SINCE=1\n",
        "ours.conf": "# somebody else has put his own here\n",
    }


def test_the_first_record_counts(host: Host) -> None:
    host.write("cookie", "THEIRSECRET", 0o400)
    host.harden()
    assert host.play("snapshot") == 0
    host.play("restore")
    assert host.seen()["cookie"] == (0o400, "THEIRSECRET")


def test_what_is_ours_already_is_not_taken_for_what_was_before(host: Host) -> None:
    """A host whose record is lost: nothing of ours may come back as the operator's."""
    host.harden()
    host.record.unlink()
    host.play("snapshot")
    host.play("restore")
    assert host.seen() == {}


def test_a_record_of_version_0_1_0_is_undone(host: Host) -> None:
    """Lines of words, as its shell wrote them, and the copy beside it."""
    host.managed.update(units=["epmd.socket"], running=["epmd.socket"])
    (host.folder / "units" / "epmd.socket").write_text("enabled\nactive\n", encoding="utf-8")
    host.write("edited", "MINE=1\n", 0o640)
    host.write("cookie", "THEIRSECRET", 0o400)
    before = host.seen()
    host.harden()
    kept = f"path {host.root}/edited {os.getuid()} {os.getgid()} 640\nenabled epmd.socket\nactive epmd.socket\n"
    host.record.write_text(kept, encoding="utf-8")
    (host.folder / "units" / "epmd.socket").write_text("enabled\n", encoding="utf-8")
    host.play("restore")
    assert host.seen() == before
    assert "active" in (host.folder / "units" / "epmd.socket").read_text(encoding="utf-8")
    assert not host.record.exists() and not host.record.with_name("test.file").exists()


def test_a_run_that_was_broken_off_goes_on(host: Host) -> None:
    host.write("cookie", "THEIRSECRET", 0o400)
    host.harden()
    for name in ("ours.conf", "d/ours.conf"):
        (host.root / name).unlink()
    host.play("restore")
    assert host.seen() == {"cookie": (0o400, "THEIRSECRET")}


def test_without_a_record_and_without_files_of_ours_nothing_is_touched(host: Host) -> None:
    """After an undoing, or on a host that was never hardened."""
    host.write("cookie", "THEIRSECRET", 0o400)
    (host.root / "d").mkdir()
    before = host.seen()
    assert host.play("restore") == 0
    assert host.seen() == before


def test_a_dry_run_touches_nothing(host: Host) -> None:
    assert host.play("snapshot", "--check") == 1
    assert not host.record.exists()
    host.harden()
    before = host.seen()
    assert host.play("restore", "--check", "--diff") > 3
    assert host.seen() == before


def test_a_file_of_somebody_else_in_a_place_of_ours_is_not_taken_for_ours(host: Host) -> None:
    host.write("ours.conf", "# somebody else has put his own here\n")
    host.write("cookie", "THEIRSECRET", 0o400)
    host.play("snapshot")
    host.write("cookie", "OURSECRET", 0o400)
    host.play("restore")
    assert host.seen() == {"cookie": (0o400, "THEIRSECRET"), "ours.conf": (0o644, "# somebody else has put his own here\n")}


@pytest.mark.parametrize("before", ["enabled\nactive\n", "enabled\n", "", None])
def test_units_start_and_run_as_they_did(host: Host, before: str | None) -> None:
    """One that was not there at all came with a package of ours, and is left alone in neither way: it does not start and does not run."""
    unit = host.folder / "units" / "epmd.socket"
    host.managed.update(units=["epmd.socket"], running=["epmd.socket"])
    if before is not None:
        unit.write_text(before, encoding="utf-8")
    host.harden()
    # As hardened, and then stopped: that is the business of the role.
    unit.write_text("enabled\n", encoding="utf-8")
    host.play("restore")
    assert set(unit.read_text(encoding="utf-8").split()) == set((before or "").split())
    assert host.play("restore") == 0


def acl(*entries: tuple[int, int, int]) -> bytes:
    """The value of system.posix_acl_access: tag, rights and number of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


# What `setfacl -m u:12345:r,g::-` makes of a file with mode 0640: without it, the mode alone gives its group the right to read.
NOBODY = 0xFFFFFFFF
READER = acl((1, 6, NOBODY), (2, 4, 12345), (4, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY))


def attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)}


@pytest.mark.skipif(os.geteuid() != 0, reason="owners are set")
def test_every_byte_and_every_attribute_comes_back(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """ACLs, other attributes, a last line without its end, another owner and mode of the cookie. Ansible's own files are on another file system."""
    monkeypatch.setenv("ANSIBLE_REMOTE_TMP", "/dev/shm/beam-test")
    host.write("edited", "MINE=1\nLAST=2", 0o640)
    host.write("cookie", "THEIRSECRET", 0o600)
    for name in ("edited", "cookie"):
        os.chown(host.root / name, 1, 2)
        os.setxattr(host.root / name, "user.mine", b"x")
        os.setxattr(host.root / name, "system.posix_acl_access", READER)
    before = host.seen(), {name: (attributes(host.root / name), (host.root / name).stat().st_uid) for name in ("edited", "cookie")}
    assert host.play("snapshot") == 1
    with (host.root / "edited").open("a", encoding="utf-8") as stream:
        stream.write(f"\n{BLOCK}")
    (host.root / "cookie").unlink()
    host.write("cookie", "OURSECRET", 0o400)
    host.play("restore")
    assert host.seen() == before[0]
    assert {name: (attributes(host.root / name), (host.root / name).stat().st_uid) for name in ("edited", "cookie")} == before[1]
    assert host.play("restore") == 0


def test_a_link_that_ours_replaced_is_a_link_again(host: Host) -> None:
    """A cookie on a disk of its own."""
    (host.folder / "disk").write_text("THEIRSECRET", encoding="utf-8")
    (host.root / "cookie").symlink_to("../disk")
    assert host.play("snapshot") == 1
    (host.root / "cookie").unlink()
    host.write("cookie", "OURSECRET", 0o400)
    host.play("restore")
    assert os.readlink(host.root / "cookie") == "../disk"
    assert (host.folder / "disk").read_text(encoding="utf-8") == "THEIRSECRET"
