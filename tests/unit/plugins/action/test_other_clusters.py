# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two clusters of one inventory with one cookie: the report of the one says so, whichever of the two is verified, and no result holds the cookie."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import OtherClusters
from ansible_collections.beam.cluster.plugins.module_utils._model.secret_rules import mark
from ansible_collections.beam.cluster.plugins.plugin_utils._other_clusters import other_clusters

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils" / "_assess"))
import whole_cluster as made  # noqa: E402
from test_report import arguments  # noqa: E402

KEY = "k" * 43
OURS = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
THEIRS = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


def report(folder: Path, inventory: dict[str, Any], *options: str) -> list[tuple[str, str, str]]:
    """(status, subject, details) of cookie-shared, in a verification of the group beam."""
    given = arguments()
    for own in given["evidence"].values():
        for cookie in own["observed"]["secrets"]["cookies"]:
            cookie["mark"] = mark(OURS, KEY)
    task = {"beam.cluster.report": {**given, "directory": str(folder / "report"), "formats": ["json"], "run_key": KEY}, "ignore_errors": True}
    hosts = {name: {"beam_cookie": OURS} for name in made.HOSTS}
    play = {"hosts": "beam", "gather_facts": False, "tasks": [{**task, "run_once": True}]}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"beam": {"hosts": hosts}, **inventory}}}))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", "-c", "local", "play.yml", *options]
    env = {**os.environ, "ANSIBLE_INJECT_FACT_VARS": "false", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    (written,) = (folder / "report").glob("*.json")
    text = written.read_text(encoding="utf-8")
    for secret in (OURS, THEIRS, mark(OURS, KEY), KEY):
        assert secret not in text + done.stdout + done.stderr
    found = [one for one in json.loads(text)["findings"] if one["control"] == "cookie-shared"]
    return [(one["status"], one["subject"], " ".join(one["details"])) for one in found]


def data(group: str = "data", **variables: Any) -> dict[str, Any]:
    return {"data": {"hosts": {"d1": {}, "d2": {}}, "vars": {"beam_group": group, **variables}}}


def marks(folder: Path, inventory: dict[str, Any], **run: Any) -> OtherClusters:
    """run: variables of the run (-e)."""
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"beam": {"hosts": dict.fromkeys(made.HOSTS)}, **inventory}}}))
    loader = DataLoader()
    hosts = InventoryManager(loader=loader, sources=[str(folder / "hosts.yml")])
    manager = VariableManager(loader=loader, inventory=hosts)
    manager._extra_vars = run
    hostvars = HostVars(hosts, manager, loader)
    task_vars = {"hostvars": hostvars, "groups": {name: [host.name for host in group.get_hosts()] for name, group in hosts.groups.items()}}
    return other_clusters(Templar(loader=loader), task_vars, "beam", "beam", list(made.HOSTS), KEY)


BOTH = OtherClusters({mark(OURS, KEY): ("d1", "d2")})


@pytest.mark.parametrize(
    ("inventory", "run", "found"),
    [
        (data(beam_cookie=OURS), {}, BOTH),
        # The run's own variables are no other cluster's, and may be in its templates.
        (data(beam_cookie=OURS), {"beam_group": "beam"}, BOTH),
        (data(beam_cookie=OURS), {"beam_cookie": THEIRS}, BOTH),
        (data(beam_cookie="{{ of_both }}"), {"of_both": OURS}, BOTH),
        (data(beam_cookie="{{ not_given }}"), {}, OtherClusters({}, ("d1", "d2"))),
        (data(), {"beam_cookie": OURS}, OtherClusters()),
        # Hosts that are in no other cluster, whatever variables they share with this one.
        (data("web", beam_cookie=OURS), {}, OtherClusters()),
        (data("beam", beam_cookie=OURS), {}, OtherClusters()),
    ],
)
def test_the_cookies_of_other_clusters(inventory: dict[str, Any], run: dict[str, Any], found: OtherClusters, tmp_path: Path) -> None:
    assert marks(tmp_path, inventory, **run) == found


def test_a_verification_compares_with_them(tmp_path: Path) -> None:
    found = report(tmp_path, data(beam_cookie=OURS), "-e", "beam_group=beam")
    assert [(status, subject) for status, subject, _details in found] == [("failed", name) for name in sorted(made.HOSTS)]
    assert {details for _status, _subject, details in found} == {"other clusters of the inventory have the same cookie: d1, d2"}
