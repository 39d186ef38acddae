# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role brings is taken away, and what was there before comes back: the tasks of the role `undo`, played on this machine.

Every situation is a host of its own, which is a folder, and all of them play together: a start of Ansible costs seconds.
"""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
from collections.abc import Callable, Generator, Mapping
from functools import partial
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
        folder.mkdir()
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        (folder / "units").mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "systemctl").write_text(SYSTEMCTL, encoding="utf-8")
        (folder / "bin" / "systemctl").chmod(0o755)
        self.record = folder / "beam" / "before" / "test"
        self.variables: dict[str, str] = {}
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
        """As a role would, after the snapshot."""
        self.write("ours.conf", OURS)
        self.write("d/ours.conf", OURS)
        edited = self.root / "edited"
        self.write("edited", (edited.read_text(encoding="utf-8") if edited.exists() else "") + BLOCK, 0o600)
        self.write("cookie", "OURSECRET", 0o400)

    def seen(self) -> dict[str, tuple[int, str]]:
        return {
            str(path.relative_to(self.root)): (path.stat().st_mode & 0o7777, path.read_text(encoding="utf-8") if path.is_file() else "")
            for path in sorted(self.root.rglob("*"))
        }


Situation = Generator[str, int, None]
"""What happens to a host. It yields which tasks to play, with "--check" where nothing may change, and gets how much has changed."""
SITUATIONS: dict[str, Callable[[Host], Situation]] = {}


def situation(story: Callable[[Host], Situation]) -> Callable[[Host], Situation]:
    SITUATIONS[story.__name__] = story
    return story


def play(folder: Path, hosts: Mapping[str, Host], asked: Mapping[str, str], *options: str) -> Mapping[str, int | str]:
    """Play what each host has asked for, in one start. By host: how much has changed, or the output where it failed."""
    plays = [
        {
            "hosts": [name for name, own in asked.items() if own == tasks],
            "gather_facts": False,
            "environment": {"PATH": f"{{{{ folder }}}}/bin:{os.environ['PATH']}"},
            "tasks": [
                {
                    "ansible.builtin.include_role": {"name": "beam.cluster.undo", "tasks_from": tasks.split()[0]},
                    "vars": {"__beam_managed": "{{ managed }}", "__beam_undo_record": "{{ record }}"},
                }
            ],
        }
        for tasks in sorted(set(asked.values()))
    ]
    (folder / "play.yml").write_text(json.dumps(plays), encoding="utf-8")
    variables = {
        name: {"folder": str(host.folder), "managed": host.managed, "record": str(host.record), **host.variables} for name, host in hosts.items()
    }
    common = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": variables, "vars": common}}), encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", "hosts.json", "play.yml", *options],
        cwd=folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert "SECRET" not in done.stdout, "a cookie is shown"
    recap = re.findall(r"^(\w+) +: .*changed=(\d+) +unreachable=0 +failed=(\d+)", done.stdout, re.MULTILINE)
    assert {name for name, _changed, _failed in recap} == set(asked), done.stdout + done.stderr
    return {name: int(changed) if failed == "0" else done.stdout + done.stderr for name, changed, failed in recap}


@situation
def where_nothing_was_nothing_is_left(host: Host) -> Situation:
    assert (yield "snapshot") <= 1
    host.harden()
    assert set(host.seen()) == {"ours.conf", "d", "d/ours.conf", "edited", "cookie"}
    assert (yield "restore") > 3
    assert host.seen() == {}
    assert not host.record.exists() and not host.record.with_name("test.file").exists()
    assert (yield "restore") == 0


@situation
def what_was_there_comes_back_as_it_was(host: Host) -> Situation:
    host.write("edited", "MINE=1\n", 0o640)
    host.write("cookie", "THEIRSECRET", 0o400)
    (host.root / "d").mkdir(mode=0o750)
    (host.root / "d").chmod(0o750)
    before = host.seen()
    assert (yield "snapshot") <= 1
    host.harden()
    assert host.record.parent.stat().st_mode & 0o777 == 0o700
    (host.root / "d").chmod(0o755)
    yield "restore"
    assert host.seen() == before
    assert (yield "restore") == 0
    assert host.seen() == before


@situation
def an_empty_file_that_was_there_stays(host: Host) -> Situation:
    host.write("edited", "")
    assert (yield "snapshot") <= 1
    host.harden()
    yield "restore"
    assert host.seen() == {"edited": (0o644, "")}


@situation
def what_the_operator_has_written_since_stays(host: Host) -> Situation:
    assert (yield "snapshot") <= 1
    host.harden()
    host.write("edited", BLOCK + "SINCE=1\n", 0o644)
    host.write("d/mine.conf", "[Service]\n")
    host.write("ours.conf", "# somebody else has put his own here\n")
    yield "restore"
    assert {name: text for name, (_mode, text) in host.seen().items()} == {
        "d": "",
        "d/mine.conf": "[Service]\n",
        "edited": "SINCE=1\n",
        "ours.conf": "# somebody else has put his own here\n",
    }


@situation
def the_first_record_counts(host: Host) -> Situation:
    host.write("cookie", "THEIRSECRET", 0o400)
    assert (yield "snapshot") <= 1
    host.harden()
    assert (yield "snapshot") == 0
    yield "restore"
    assert host.seen()["cookie"] == (0o400, "THEIRSECRET")


@situation
def what_is_ours_already_is_not_taken_for_what_was_before(host: Host) -> Situation:
    """A host whose record is lost: nothing of ours may come back as the operator's."""
    assert (yield "snapshot") <= 1
    host.harden()
    host.record.unlink()
    yield "snapshot"
    yield "restore"
    assert host.seen() == {}


@situation
def a_record_of_version_0_1_0_is_undone(host: Host) -> Situation:
    """Lines of words, as its shell wrote them, and the copy beside it."""
    host.managed.update(units=["epmd.socket"], running=["epmd.socket"])
    (host.folder / "units" / "epmd.socket").write_text("enabled\nactive\n", encoding="utf-8")
    host.write("edited", "MINE=1\n", 0o640)
    host.write("cookie", "THEIRSECRET", 0o400)
    before = host.seen()
    assert (yield "snapshot") <= 1
    host.harden()
    kept = f"path {host.root}/edited {os.getuid()} {os.getgid()} 640\nenabled epmd.socket\nactive epmd.socket\n"
    host.record.write_text(kept, encoding="utf-8")
    (host.folder / "units" / "epmd.socket").write_text("enabled\n", encoding="utf-8")
    yield "restore"
    assert host.seen() == before
    assert "active" in (host.folder / "units" / "epmd.socket").read_text(encoding="utf-8")
    assert not host.record.exists() and not host.record.with_name("test.file").exists()


@situation
def a_run_that_was_broken_off_goes_on(host: Host) -> Situation:
    host.write("cookie", "THEIRSECRET", 0o400)
    assert (yield "snapshot") <= 1
    host.harden()
    for name in ("ours.conf", "d/ours.conf"):
        (host.root / name).unlink()
    yield "restore"
    assert host.seen() == {"cookie": (0o400, "THEIRSECRET")}


@situation
def without_a_record_and_without_files_of_ours_nothing_is_touched(host: Host) -> Situation:
    """After an undoing, or on a host that was never hardened."""
    host.write("cookie", "THEIRSECRET", 0o400)
    (host.root / "d").mkdir()
    before = host.seen()
    assert (yield "restore") == 0
    assert host.seen() == before


@situation
def a_dry_run_touches_nothing(host: Host) -> Situation:
    assert (yield "snapshot --check") == 1
    assert not host.record.exists()
    assert (yield "snapshot") <= 1
    host.harden()
    before = host.seen()
    assert (yield "restore --check") > 3
    assert host.seen() == before


@situation
def a_file_of_somebody_else_in_a_place_of_ours_is_not_taken_for_ours(host: Host) -> Situation:
    host.write("ours.conf", "# somebody else has put his own here\n")
    host.write("cookie", "THEIRSECRET", 0o400)
    yield "snapshot"
    host.write("cookie", "OURSECRET", 0o400)
    yield "restore"
    assert host.seen() == {"cookie": (0o400, "THEIRSECRET"), "ours.conf": (0o644, "# somebody else has put his own here\n")}


def units_start_and_run_as_they_did(host: Host, before: str | None) -> Situation:
    """One that was not there at all came with a package of ours, and is left alone in neither way: it does not start and does not run."""
    unit = host.folder / "units" / "epmd.socket"
    host.managed.update(units=["epmd.socket"], running=["epmd.socket"])
    if before is not None:
        unit.write_text(before, encoding="utf-8")
    assert (yield "snapshot") <= 1
    host.harden()
    # As hardened, and then stopped: that is the business of the role.
    unit.write_text("enabled\n", encoding="utf-8")
    yield "restore"
    assert set(unit.read_text(encoding="utf-8").split()) == set((before or "").split())
    assert (yield "restore") == 0


for number, lines in enumerate(("enabled\nactive\n", "enabled\n", "", None)):
    SITUATIONS[f"units_start_and_run_as_they_did_{number}"] = partial(units_start_and_run_as_they_did, before=lines)


def acl(*entries: tuple[int, int, int]) -> bytes:
    """The value of system.posix_acl_access: tag, rights and number of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


# What `setfacl -m u:12345:r,g::-` makes of a file with mode 0640: without it, the mode alone gives its group the right to read.
NOBODY = 0xFFFFFFFF
READER = acl((1, 6, NOBODY), (2, 4, 12345), (4, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY))


def attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)}


@situation
def every_byte_and_every_attribute_comes_back(host: Host) -> Situation:
    """ACLs, other attributes, a last line without its end, another owner and mode of the cookie. Ansible's own files are on another file system."""
    if os.geteuid() != 0:
        pytest.skip("owners are set")
    host.variables["ansible_remote_tmp"] = "/dev/shm/beam-test"
    host.write("edited", "MINE=1\nLAST=2", 0o640)
    host.write("cookie", "THEIRSECRET", 0o600)
    for name in ("edited", "cookie"):
        os.chown(host.root / name, 1, 2)
        os.setxattr(host.root / name, "user.mine", b"x")
        os.setxattr(host.root / name, "system.posix_acl_access", READER)
    before = host.seen(), {name: (attributes(host.root / name), (host.root / name).stat().st_uid) for name in ("edited", "cookie")}
    assert (yield "snapshot") == 1
    with (host.root / "edited").open("a", encoding="utf-8") as stream:
        stream.write(f"\n{BLOCK}")
    (host.root / "cookie").unlink()
    host.write("cookie", "OURSECRET", 0o400)
    yield "restore"
    assert host.seen() == before[0]
    assert {name: (attributes(host.root / name), (host.root / name).stat().st_uid) for name in ("edited", "cookie")} == before[1]
    assert (yield "restore") == 0


@situation
def a_link_that_ours_replaced_is_a_link_again(host: Host) -> Situation:
    """A cookie on a disk of its own."""
    (host.folder / "disk").write_text("THEIRSECRET", encoding="utf-8")
    (host.root / "cookie").symlink_to("../disk")
    assert (yield "snapshot") == 1
    (host.root / "cookie").unlink()
    host.write("cookie", "OURSECRET", 0o400)
    yield "restore"
    assert os.readlink(host.root / "cookie") == "../disk"
    assert (host.folder / "disk").read_text(encoding="utf-8") == "THEIRSECRET"


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, BaseException | None]:
    """How each situation ended."""
    folder = tmp_path_factory.mktemp("undo")
    hosts = {name: Host(folder / name) for name in SITUATIONS}
    going = {name: story(hosts[name]) for name, story in SITUATIONS.items()}
    found: dict[str, BaseException | None] = {}
    changed: dict[str, int | str | None] = dict.fromkeys(going)
    while going:
        asked = {}
        for name, story in going.items():
            try:
                assert not isinstance(changed[name], str), changed[name]
                asked[name] = story.send(changed[name])  # type: ignore[arg-type]
            except StopIteration:
                found[name] = None
            except (Exception, pytest.skip.Exception) as error:
                found[name] = error
        going = {name: going[name] for name in asked}
        for options in ((), ("--check", "--diff")):
            together = {name: tasks for name, tasks in asked.items() if ("--check" in tasks) == bool(options)}
            if together:
                changed.update(play(folder, hosts, together, *options))
    return found


@pytest.mark.parametrize("name", SITUATIONS)
def test_undo(ends: Mapping[str, BaseException | None], name: str) -> None:
    end = ends[name]
    if end is not None:
        raise end
