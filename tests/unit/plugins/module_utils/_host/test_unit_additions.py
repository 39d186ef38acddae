# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What drop-ins of others add to a unit with our drop-in: systemd-analyze rates most of it as nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import unit_additions, units

FRAGMENT = "[Service]\nExecStart=/usr/bin/erl\nExecStartPre=/usr/bin/own\n"
OURS = """\
[Service]
ReadWritePaths=/var/lib/beam/beam@n1
ReadWritePaths=-/opt/couchdb/etc
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
ExecStartPre=/etc/beam/guard start beam.service /etc/beam/beam@n1
"""
GOOD = {
    "ReadWritePaths": ["/var/lib/beam/beam@n1 -/opt/couchdb/etc"],
    "BindPaths": [""],
    "RestrictAddressFamilies": ["AF_INET AF_INET6 AF_NETLINK AF_UNIX"],
    "SystemCallFilter": ["accept bind read write"],
    "ExecStartPre": ["{ path=/etc/beam/guard ; argv[]=/etc/beam/guard start beam.service /etc/beam/beam@n1 ; ignore_errors=no ; }"],
}


def of(tmp_path: Path, theirs: str, *, ours: Any = OURS, hardened: Any = True, **values: Any) -> dict[str, list[str]]:
    """Of a unit with the file and the drop-ins, as systemctl shows it. Paths of the test's directory are left out."""
    paths = {"beam.service": FRAGMENT, "aa.conf": theirs, **({"zzz-beam.conf": ours} if hardened else {})}
    for name, text in paths.items():
        (tmp_path / name).write_text(text)
    fragment, *drop_ins = (str(tmp_path / name) for name in paths)
    found = unit_additions.of_unit({**GOOD, **{name: [value] for name, value in values.items()}}, fragment, drop_ins)
    return {part: [one.replace(f"{tmp_path}/", "") for one in said] for part, said in found.items()}


def command(path: str) -> str:
    return f"{GOOD['ExecStartPre'][0]} ; {{ path={path} ; argv[]={path} -c true ; ignore_errors=no ; }}"


def test_another_command_in_a_drop_in(tmp_path: Path) -> None:
    """The command of systemctl show does not tell from which file it is, and a wrapper may run the same program."""
    theirs = "[Service]\nExecStart=\nExecStart=-/opt/wrapper /usr/bin/erl\n"
    assert of(tmp_path, theirs) == {"openings": [], "commands": ["ExecStart=/opt/wrapper in aa.conf"]}
    assert of(tmp_path, theirs, hardened=False) == {"openings": [], "commands": []}
    assert of(tmp_path, "[Service]\nExecStart=\n#ExecStart=/opt/x\n") == {"openings": [], "commands": []}


def test_a_drop_in_of_epmd_beside_ours(tmp_path: Path) -> None:
    fragment, directory = tmp_path / "epmd.service", tmp_path / "epmd.service.d"
    directory.mkdir()
    texts = {fragment: "ExecStart=/usr/bin/epmd -systemd\n", directory / "zzz-beam.conf": "ProtectSystem=strict\n"}
    texts[directory / "override.conf"] = "ExecStart=/opt/x\n"
    for path, text in texts.items():
        path.write_text(f"[Service]\n{text}", encoding="utf-8")
    drop_ins = [str(directory / name) for name in ("override.conf", "zzz-beam.conf")]
    found = unit_additions.of_unit({"ReadWritePaths": ["/"]}, str(fragment), drop_ins)
    assert found == {"openings": ["ReadWritePaths=/"], "commands": [f"ExecStart=/opt/x in {directory}/override.conf"]}


OPENINGS = [
    ("ReadWritePaths=/", {"ReadWritePaths": "/var/lib/beam/beam@n1 /"}, ["ReadWritePaths=/ in aa.conf"]),
    ("ReadWritePaths=-/etc/beam /srv", {"ReadWritePaths": "-/etc/beam /srv"}, ["ReadWritePaths=/etc/beam in aa.conf"]),
    ("BindPaths=/srv/x:/usr/lib/erlang", {"BindPaths": "/srv/x:/usr/lib/erlang:rbind"}, ["BindPaths=/usr/lib/erlang in aa.conf"]),
    (
        "RestrictAddressFamilies=AF_PACKET",
        {"RestrictAddressFamilies": "AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_UNIX"},
        ["RestrictAddressFamilies=AF_PACKET in aa.conf"],
    ),
    ("RestrictAddressFamilies=~AF_X25", {"RestrictAddressFamilies": "~AF_X25"}, ["RestrictAddressFamilies= in aa.conf"]),
    ("SystemCallFilter=@mount", {"SystemCallFilter": "accept mount read"}, ["SystemCallFilter=mount in aa.conf"]),
    ("SystemCallFilter=~@obsolete", {"SystemCallFilter": "~acct setuid"}, ["SystemCallFilter= in aa.conf"]),
    # Data of the node's own, and what an operator has in the inventory.
    ("ReadWritePaths=/srv/data", {"ReadWritePaths": "/srv/data"}, []),
    ("LimitNOFILE=9", {}, []),
]


@pytest.mark.parametrize(("theirs", "values", "found"), OPENINGS)
def test_what_opens_a_sandbox(theirs: str, values: dict[str, str], found: list[str], tmp_path: Path) -> None:
    said = of(tmp_path, f"[Service]\n{theirs}\n", **values)
    assert said["openings"] == found and said["commands"] == []
    assert of(tmp_path, f"[Service]\n{theirs}\n", hardened=False, **values) == {"openings": [], "commands": []}


def test_no_call_that_our_own_filter_allows_opens_the_sandbox() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    allowed = calls("@system-service") - calls("@privileged") - calls("@resources")
    assert allowed and not allowed & unit_additions._CALLS


def calls(group: str) -> set[str]:
    """The system calls of a group of systemd, and of the groups in it."""
    said = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True)
    words = {word for line in said.stdout.splitlines() if line.startswith("    ") and "#" not in line for word in line.split()}
    return {word for word in words if not word.startswith("@")}.union(*(calls(word) for word in words if word.startswith("@")))


def test_what_our_own_drop_in_says_is_planned(tmp_path: Path) -> None:
    ours = f"{OURS}ReadWritePaths=/etc/shop\nRestrictAddressFamilies=AF_PACKET\nSystemCallFilter=@debug\nExecStartPre=-/usr/bin/mine\n"
    values = {
        "ReadWritePaths": "/etc/shop", "RestrictAddressFamilies": "AF_INET AF_PACKET", "SystemCallFilter": "ptrace read",
        "ExecStartPre": command("/usr/bin/mine"),
    }
    assert of(tmp_path, "", ours=ours, **values) == {"openings": [], "commands": []}


def test_commands_of_others(tmp_path: Path) -> None:
    said = of(tmp_path, "[Service]\nExecStartPre=+/bin/sh -c true\n", ExecStartPre=command("/bin/sh"))
    assert said["commands"] == ["ExecStartPre=/bin/sh in aa.conf"]
    said = of(tmp_path, "[Service]\nExecStopPost=/bin/x -c true\n", ExecStopPost=command("/bin/x"))
    assert said["commands"][-1] == "ExecStopPost=/bin/x in aa.conf"
    assert of(tmp_path, "", ExecStartPre=command("/usr/bin/own"))["commands"] == []


def test_a_unit_says_what_others_add(tmp_path: Path) -> None:
    (tmp_path / "zzz-beam.conf").write_text(OURS)
    (tmp_path / "aa.conf").write_text("[Service]\nReadWritePaths=/\n")
    text = f"Id=beam.service\nDropInPaths={tmp_path}/aa.conf {tmp_path}/zzz-beam.conf\nReadWritePaths=/ /var/lib/beam/beam@n1\n"
    text += "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX\nSystemCallFilter=read write\n"
    assert units.parse(text)["beam.service"]["openings"] == [f"ReadWritePaths=/ in {tmp_path}/aa.conf"]


@pytest.mark.parametrize(
    ("path", "of_system"),
    [
        ("/", True), ("/var", True), ("/var/lib", True), ("/usr/local/x", True), ("/opt/app", False),
        ("/var/lib/rabbitmq", False), ("/srv", False), ("/etcetera", False), ("/run", True),
    ],
)
def test_directories_of_the_system(path: str, of_system: bool) -> None:
    assert unit_additions.of_system(path) is of_system
