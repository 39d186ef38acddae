# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two nodes on one host: with one EPMD and windows of their own, and with one fixed port at addresses of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import LINKS_KEPT, Lab, recap


class Several:
    """The lab with nodes on n1 that a test says."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.own = lab.variable("n1", "beam_address")
        self.other = self.own.rpartition(".")[0] + ".61"

    def play(self, nodes: list[dict[str, str]], *arguments: str, playbook: str = "playbooks/site.yml") -> tuple[int, str]:
        inventory = self.folder / "hosts.yml"
        inventory.write_text(json.dumps({"beam": {"hosts": {"n1": {"beam_nodes": nodes}}}}), encoding="utf-8")
        done = self.lab.play("-i", str(inventory), *arguments, playbook=playbook)
        return done.returncode, done.stdout


@pytest.fixture
def several(lab: Lab, tmp_path: Path) -> Iterator[Several]:
    several = Several(lab, tmp_path)
    lab.on("n1", f"ip addr add {several.other}/24 dev eth0")
    yield several
    several.play([{"name": "beam"}, {"name": "second@n1b", "unit": "second.service", "state": "absent"}])
    lab.on("n1", f"ip addr del {several.other}/24 dev eth0")
    done = lab.play()
    assert done.returncode == 0, done.stdout[-4000:]


def test_one_epmd_and_a_port_range_each_then_one_port_and_an_address_each(several: Several) -> None:
    two = [{"name": "beam"}, {"name": "second", "unit": "second.service"}]
    status, told = several.play(two, "--extra-vars", "beam_ports=9100-9101")
    assert status == 0, told[-6000:]
    names = dict(re.findall(r"name (\S+) at port (\d+)", several.lab.on("n1", "epmd -names")))
    assert names == {"beam": "9100", "second": "9101"}
    status, told = several.play(two, "--extra-vars", "beam_ports=9100-9101")
    assert status == 0 and {counts["changed"] for counts in recap(told).values()} == {0}, told[-6000:]

    status, told = several.play(two, "--extra-vars", "beam_discovery=fixed_port")
    assert status != 0
    assert "fixed_port_shared" in told and {counts["changed"] for counts in recap(told).values()} == {0}, told[-3000:]

    # Without its entry it goes on running: the plan says so, and verify fails.
    status, told = several.play([{"name": "beam", "ports": "9100"}], "--limit", "n1", playbook="playbooks/verify.yml")
    assert status != 0 and "forgotten_node" in told and "not planned: second@n1" in told, told[-6000:]
    process = several.lab.on("n1", "systemctl show --property=MainPID --value beam.service")
    status, told = several.play([two[0], {**two[1], "state": "absent"}], "--extra-vars", "beam_ports=9100-9101", *LINKS_KEPT)
    assert status == 0, told[-6000:]
    assert several.lab.on("n1", "systemctl show --property=MainPID --value beam.service") == process, "the node that stays was restarted"
    files = "/etc/beam/second@n1 /etc/systemd/system/*second* /var/lib/beam/second@n1/.erlang.cookie"
    left = several.lab.tries("n1", f"ls -d {files}; pgrep --full second@n[1]")
    assert left.stdout == "", left.stdout
    again = several.play([two[0], {**two[1], "state": "absent"}], "--extra-vars", "beam_ports=9100-9101", *LINKS_KEPT)[1]
    assert {counts["changed"] for counts in recap(again).values()} == {0}, again[-6000:]

    apart = [{"name": "beam", "address": several.own}, {"name": "second@n1b", "unit": "second.service", "address": several.other}]
    status, told = several.play(apart, "--extra-vars", "beam_discovery=fixed_port")
    assert status == 0, told[-6000:]
    listens = several.lab.on("n1", "ss -Hltn | awk '{print $4}'").split()
    assert {f"{several.own}:9100", f"{several.other}:9100"} <= set(listens), listens
    assert not [place for place in listens if place.endswith((":9101", ":4369"))], listens
