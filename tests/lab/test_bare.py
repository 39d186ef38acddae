# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bare hosts: what check mode says beside what the run then does, and one that comes to a cluster which does not know it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import NODES, Lab, recap

# What nobody can foresee on a host where nothing is installed: there is no unit yet that could be asked, and no request to sign.
UNFORESEEN = {
    "firewall : table | Load the rules, now and at every boot",
    "pki : sign_certificate | Sign the request",
    "pki : sign_certificate | Store a copy of the certificate",
    "epmd : start | Enable and start the socket, or disable it",
    "service : enable | Enable the unit",
}
# The CA is built aside on the controller and put in place as a whole.
AUTHORITY = "pki : create_ca | "
# Announced, and then another task has done it already.
NEEDLESS = {"distribution : prepare | Create the directory of each node", "firewall : table | Create the directory"}


def changed(output: str) -> dict[str, set[str]]:
    """The tasks that changed something, by host."""
    found: dict[str, set[str]] = {host: set() for host in NODES}
    task = ""
    for line in output.splitlines():
        header = re.match(r"TASK \[(?:beam\.cluster\.)?(.*?)\] \*", line)
        result = re.match(r"changed: \[(\w+)", line)
        if header:
            task = header[1]
        elif result and result[1] in found:
            found[result[1]].add(task)
    return found


@pytest.fixture(scope="module")
def bare() -> Iterator[Lab]:
    """A lab beside the other one, that nobody has touched."""
    bare = Lab(f"{os.environ.get('LAB_PREFIX', 'beam-')}bare-")
    made = bare.play(playbook="molecule/default/create.yml")
    assert made.returncode == 0, made.stdout[-4000:]
    yield bare
    bare.play(playbook="molecule/default/destroy.yml")


def test_a_dry_run_foresees_the_run(bare: Lab) -> None:
    dry = bare.play("--check", "--diff")
    assert dry.returncode == 0, dry.stdout[-4000:] + dry.stderr[-2000:]
    real = bare.play()
    assert real.returncode == 0, real.stdout[-4000:] + real.stderr[-2000:]
    announced, done = changed(dry.stdout), changed(real.stdout)
    for host in NODES:
        assert len(done[host]) > 30, done[host]
        unforeseen = {task for task in done[host] - announced[host] if not task.startswith(AUTHORITY)}
        assert unforeseen == UNFORESEEN, host
        assert announced[host] - done[host] == NEEDLESS, host


def test_a_run_for_a_new_member_alone_reports_the_members_that_do_not_know_it(bare: Lab, tmp_path: Path) -> None:
    """n2 leaves, and comes back as a new host. A run for it alone sets it up; the others still refuse it, and the report says so."""
    pair = tmp_path / "pair.json"
    pair.write_text(json.dumps({"pair": {"hosts": {"n1": None, "n3": None}}}))
    without = bare.play("-i", str(pair), "--extra-vars", "beam_group=pair")
    assert without.returncode == 0, without.stdout[-4000:]
    bare.podman("rm", "-f", f"{bare.prefix}n2")
    assert bare.play(playbook="molecule/default/create.yml").returncode == 0

    alone = bare.play("--limit", "n2")
    report = alone.stdout
    assert set(recap(report)) == {"n2"}
    assert "Host outside this run is out of date (n1, n3)" in report, report[-4000:]
    assert "Run for n1 too, without --limit." in (Path(bare.variable("n1", "lab_directory")) / "report" / "beam.json").read_text()
    assert alone.returncode != 0 and "mesh-connected" in report, "n1 and n3 do not let it in"
    assert bare.on("n2", "systemctl is-active beam").strip() == "active"

    together = bare.play()
    assert together.returncode == 0, together.stdout[-4000:]
