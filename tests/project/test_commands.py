# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role runs a program only where no well-kept module does the same. Each place is listed here with its reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from test_roles import ROOT, tasks_of

TOOL = "the product's own tool; no module speaks to it"
SHOW = "reads properties of a unit that neither systemd_service nor service_facts returns in check mode"
PROGRAMS = {
    "dpkg-query": "asks for one package; package_facts lists all of them, and the apt module updates the package lists first",
    "ejabberdctl": TOOL,
    "escript": "checks the files of a node with the OTP that will load them",
    "find": "deletes only what is still empty; the file module deletes directories with their content. Lists a directory without a warning",
    "firewall-cmd": "ansible.posix.firewalld does not return the zone of an interface",
    "grep": "answers yes or no about a file that may be large or secret",
    "nft": "community.general and ansible.posix have no module for nftables",
    "python": "tests an import in the interpreter of the host; renames a directory in one step",
    "rabbitmq-diagnostics": TOOL,
    "rabbitmq-queues": TOOL,
    "rabbitmq-streams": TOOL,
    "rabbitmqctl": TOOL,
    "release": TOOL,
    "ss": "community.general.listen_ports_facts lists listeners, not connections",
    "systemctl show": SHOW,
    "systemctl start": "waits for a start that another task has queued; systemd_service would not wait",
    "systemctl stop": "stops a unit without those that depend on it (--job-mode); systemd_service has no such option",
    "xargs": "stat for all files in one call, with nanoseconds; the module stat needs a call for each",
    "unshare": "loads the rules in a network namespace of its own",
}
SHELLS = {
    "join_node | List the tables of the database of the node": "the command has another name in releases before 24.02",
    "placeholder_cookie | Create the placeholder cookie": "the word is made on the host and never leaves it",
    "report_failure | Read the last lines of the journal": "removes the cookie before the text leaves the host",
    "full_stop | Stop the process": "waits for the end of the very process that got the signal",
    "digest | List the files of the unit": "by the guard, which a bare host does not have yet",
}


def programs() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted((ROOT / "roles").rglob("*.yml")):
        if "tasks" in path.parts or ("products" in path.parts and path.name != "vars.yml"):
            for task in tasks_of(path):
                # No other module runs a program: test_roles.py.
                if "beam.cluster.run_command" in task:
                    found.append((str(path.relative_to(ROOT)), task["name"], program(task["beam.cluster.run_command"])))
    return found


def program(arguments: dict[str, Any]) -> str:
    """The program that a task runs, with the verb of systemctl; empty for a script."""
    if "script" in arguments:
        return ""
    text = str(arguments["argv"])
    if "python" in text:
        return "python"
    if "__beam_product_streams" in text:
        return "rabbitmq-streams"
    words = [word for word in re.findall(r"[\w./=-]+", re.sub(r"'\{\{.*?\}\}/", "'/", text)) if not word.startswith("-")]
    name = Path(words[0]).name
    return f"systemctl {words[1]}" if name == "systemctl" else name


@pytest.mark.parametrize(("path", "task", "name"), programs())
def test_every_program_has_a_reason(path: str, task: str, name: str) -> None:
    assert name in PROGRAMS if name else task in SHELLS, f"{path}: use a module, or add the reason here"


def test_no_reason_is_left_over() -> None:
    found = programs()
    assert {name for _path, _task, name in found if name} == set(PROGRAMS)
    assert {task for _path, task, name in found if not name} == set(SHELLS)
