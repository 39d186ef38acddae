# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is added in the run in which every member has to be restarted: it starts after them, as none could join it before; docs/members.md."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import LINKS_KEPT, ROOT, Lab, recap

INVENTORY = ("-i", str(ROOT / "molecule/ejabberd/inventory.yml"))
CHANGE = ("--extra-vars", "beam_service_restart_seconds=7")


@pytest.fixture
def chat() -> Iterator[Lab]:
    """A lab of ejabberd: a new node of it waits to be joined by its peers' command."""
    lab = Lab(f"{os.environ.get('LAB_PREFIX', 'beam-')}o-")
    made = lab.play(*INVENTORY, playbook="molecule/default/create.yml")
    assert made.returncode == 0, made.stdout[-4000:]
    yield lab
    lab.play(*INVENTORY, playbook="molecule/default/destroy.yml")


def test_a_new_host_and_members_that_all_restart(chat: Lab, tmp_path: Path) -> None:
    two = tmp_path / "two.yml"
    two.write_text(json.dumps({"beam": {"hosts": {"n3": {"beam_state": "absent"}}}}), encoding="utf-8")
    made = chat.play(*INVENTORY, "-i", str(two), *LINKS_KEPT)
    assert made.returncode == 0, made.stdout[-4000:]
    grown = chat.play(*INVENTORY, *LINKS_KEPT, *CHANGE)
    assert grown.returncode == 0 and "PASSED" in grown.stdout, grown.stdout[-6000:]
    members = chat.on("n1", "ejabberdctl list_cluster").replace("'", "").split()
    assert sorted(members) == ["ejabberd@n1", "ejabberd@n2", "ejabberd@n3"]
    again = chat.play(*INVENTORY, *LINKS_KEPT, *CHANGE)
    assert again.returncode == 0 and all(counts["changed"] == 0 for counts in recap(again.stdout).values()), again.stdout[-4000:]
