# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every product's folder holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted((ROOT / "roles" / "product" / "products").iterdir())


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def written(tasks: Path) -> set[str]:
    """Paths of the files that the tasks write, in the words of `managed`."""
    found = set()
    for task in load(tasks):
        included = task.get("ansible.builtin.include_tasks", "")
        if included:
            found |= written(FOLDERS[0].parent / included.partition("/products/")[2])
        for module, key in (("template", "dest"), ("copy", "dest"), ("shell", "creates")):
            path = task.get(f"ansible.builtin.{module}", {}).get(key, "")
            found |= {path.replace("{{ __beam_node.", "{").replace(" }}", "}")} - {""}
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_it_writes_is_taken_away_again(folder: Path) -> None:
    names = written(folder / "install.yml")
    assert names, "this test would see none"
    assert names <= set(load(folder / "vars.yml")["__beam_product"]["managed"]["files"])


NOT_COMPARED = ("placeholder.env", "release.args", "release.args.src")
"""A random word, and what the unit of a release writes at each start."""


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_it_writes_is_compared_by_verify(folder: Path) -> None:
    data = load(folder / "vars.yml")["__beam_product"]
    assert set(data["contents"]) == {path for path in data["managed"]["files"] if not path.endswith(NOT_COMPARED)}
    assert all((FOLDERS[0].parent / template).is_file() for template in data["contents"].values())


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


def test_no_placeholder_of_a_cookie_is_published() -> None:
    """It is drawn on the host. Whatever this collection says of it in public could be the cookie of a node that has lost its flags."""
    setting = re.compile(r"(?:_COOKIE\s*=|distributed_cookie\s*=|(?:^|exec .*)-setcookie[ \t]+)[ \t]*(?!\{\{|%s|\\n)[\w.-]+")
    for path in sorted(ROOT.glob("roles/**/*")):
        if path.is_file() and path.suffix in (".j2", ".escript", ".yml") and path.name != "argument_specs.yml":
            said = [line for line in path.read_text(encoding="utf-8").splitlines() if setting.search(line)]
            assert said == [], path


STOCK = [("ejabberd", "EJABBERD_PID_PATH", "/run/ejabberd")]
"""Directories that the files of Debian's packages name in a setting. They are not there when the first run makes its plan: what the second run would
add to the unit would restart every node."""


@pytest.mark.parametrize(("product", "setting", "directory"), STOCK)
def test_a_directory_that_a_package_names_is_writable_from_the_first_run_on(product: str, setting: str, directory: str) -> None:
    data = load(FOLDERS[0].parent / product / "vars.yml")["__beam_product"]
    assert setting in data["directory_settings"]
    assert directory in {path.lstrip("-") for path in data["writable"]}
