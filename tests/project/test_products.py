# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every product's folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.module_utils._model.secret_rules import PLACEHOLDER

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted((ROOT / "roles" / "product" / "products").iterdir())


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def written(tasks: Path) -> set[str]:
    """Paths of the files that the tasks write, in the words of C(brought)."""
    found = set()
    for task in load(tasks):
        included = task.get("ansible.builtin.include_tasks", "")
        if included:
            found |= written(FOLDERS[0].parent / included.partition("/products/")[2])
        for module in ("template", "copy"):
            path = task.get(f"ansible.builtin.{module}", {}).get("dest", "")
            found |= {path.replace("{{ __beam_node.", "{").replace(" }}", "}")} - {""}
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_it_writes_is_taken_away_again(folder: Path) -> None:
    names = written(folder / "install.yml")
    assert names, "this test would see none"
    assert names <= set(load(folder / "vars.yml")["__beam_product"]["brought"]["files"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_further_ports_are_none_that_the_kernel_gives_to_outgoing_connections(folder: Path) -> None:
    """The firewall would drop the answers. 32768 is where Linux begins."""
    for ports in load(folder / "vars.yml")["__beam_product"].get("peer_ports", ()):
        assert all(int(port) < 32768 for port in ports.split("-"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_has_a_guide(folder: Path) -> None:
    guides = ROOT / "docs" / "products"
    assert folder.name == "erlang" or (guides / f"{folder.name}.md").is_file()
    assert f"`{folder.name}`" in (guides / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path",
    [
        "distribution/files/prove.escript",
        "distribution/templates/cookie.args.j2",
        "product/products/release/templates/release.env.j2",
        "product/products/vernemq/templates/vernemq.conf.j2",
        "product/products/emqx/templates/emqx.env.j2",
    ],
)
def test_the_word_in_place_of_a_cookie_is_the_same_everywhere(path: str) -> None:
    assert f"{PLACEHOLDER}\n" in (ROOT / "roles" / path).read_text(encoding="utf-8").replace('"', "\n")
