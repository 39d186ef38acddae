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
from conftest import Lab, recap

# As docs/shapes.md says it to operators.
FORGET = """
systemctl disable --now second
rm -r /etc/systemd/system/second.service* /etc/beam/second@n1* /var/lib/beam/second@n1*
systemctl daemon-reload
"""


class Several:
    """The lab with nodes on n1 that a test says."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.own = lab.variable("n1", "beam_address")
        self.other = self.own.rpartition(".")[0] + ".61"

    def play(self, nodes: list[dict[str, str]], *arguments: str) -> tuple[int, str]:
        inventory = self.folder / "hosts.yml"
        inventory.write_text(json.dumps({"beam": {"hosts": {"n1": {"beam_nodes": nodes}}}}), encoding="utf-8")
        done = self.lab.play("-i", str(inventory), *arguments)
        return done.returncode, done.stdout


@pytest.fixture
def several(lab: Lab, tmp_path: Path) -> Iterator[Several]:
    several = Several(lab, tmp_path)
    lab.on("n1", f"ip addr add {several.other}/24 dev eth0")
    yield several
    lab.on("n1", FORGET)
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

    several.lab.on("n1", FORGET)
    apart = [{"name": "beam", "address": several.own}, {"name": "second@n1b", "unit": "second.service", "address": several.other}]
    status, told = several.play(apart, "--extra-vars", "beam_discovery=fixed_port")
    assert status == 0, told[-6000:]
    listens = several.lab.on("n1", "ss -Hltn | awk '{print $4}'").split()
    assert {f"{several.own}:9100", f"{several.other}:9100"} <= set(listens), listens
    assert not [place for place in listens if place.endswith((":9101", ":4369"))], listens
