# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the CA lies, for each kind of inventory."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._plan.ca_dir import Places, choose, warning


def chosen(dirs: tuple[str, ...], sources: tuple[str, ...] = (), held: tuple[str, ...] = (), required: bool = True) -> tuple[str | None, list[str]]:
    problems = Problems()
    path = choose(Places(dirs, sources, held.__contains__), "beam", required, problems)
    return path, [problem.rule for problem in problems]


@pytest.mark.parametrize(
    ("dirs", "sources", "held", "path"),
    [
        # A file or a script.
        (("/p/inventory",), (), (), "/p/inventory/pki/beam"),
        # A directory, and one in it.
        (("/p/inventory",), ("/p/inventory",), (), "/p/pki/inventory/beam"),
        (("/p/inventory/eu",), ("/p/inventory",), (), "/p/pki/inventory/beam"),
        # Two side by side do not share a CA.
        (("/p/prod",), ("/p/prod",), (), "/p/pki/prod/beam"),
        (("/p/staging",), ("/p/staging",), (), "/p/pki/staging/beam"),
        # A file beside a directory, a directory in a directory.
        (("/p",), ("/p/more",), (), "/p/pki/beam"),
        (("/p/a/b",), ("/p/a", "/p/a/b"), (), "/p/pki/a/beam"),
        (("/p/a/b",), ("/p/a/b", "/p"), (), "/pki/p/beam"),
        # What is there is used, and the same for `-i inventory` and `-i inventory/hosts.yml`.
        (("/p/inventory",), ("/p/inventory",), ("/p/inventory/pki/beam",), "/p/inventory/pki/beam"),
        (("/p/inventory",), (), ("/p/pki/inventory/beam",), "/p/pki/inventory/beam"),
        # Of several inventories, too.
        (("/p/a", "/p/b"), ("/p/a", "/p/b"), ("/p/b/pki/beam",), "/p/b/pki/beam"),
        # The CA of another group is none of ours.
        (("/p/inventory",), ("/p/inventory",), ("/p/inventory/pki/other",), "/p/pki/inventory/beam"),
        # A volume that holds a CA.
        (("/runner/inventory",), ("/runner/inventory",), ("/runner/pki/inventory/beam",), "/runner/pki/inventory/beam"),
    ],
)
def test_the_place(dirs: tuple[str, ...], sources: tuple[str, ...], held: tuple[str, ...], path: str) -> None:
    assert chosen(dirs, sources, held) == (path, [])


@pytest.mark.parametrize(
    ("dirs", "sources", "held", "rule"),
    [
        ((), (), (), "ca_dir_missing"),
        (("/p/a", "/p/b"), (), (), "ca_dir_ambiguous"),
        (("/p/a",), ("/p/a",), ("/p/a/pki/beam", "/p/pki/a/beam"), "ca_dir_ambiguous"),
        (("/runner/inventory",), ("/runner/inventory",), (), "ca_dir_ephemeral"),
    ],
)
def test_no_place(dirs: tuple[str, ...], sources: tuple[str, ...], held: tuple[str, ...], rule: str) -> None:
    assert chosen(dirs, sources, held) == (None, [rule])
    assert chosen(dirs, sources, held, required=False) == (None, [])


def test_a_new_ca_is_never_inside_an_inventory_directory() -> None:
    tops = ["/a", "/a/b", "/a/b/c", "/a/pki", "/a/b/pki", "/d"]
    for first in tops:
        for second in tops:
            for directory in tops:
                path, rules = chosen((directory,), (first, second))
                assert not rules and path
                assert not any(path.startswith(f"{source}/") for source in (first, second)), (first, second, directory, path)


def test_how_to_move_it() -> None:
    places = Places(("/p/my inventory",), ("/p/my inventory",))
    text = warning("/p/my inventory/pki/beam", places, "beam")
    assert text and text.endswith("Move it: mkdir -p '/p/pki/my inventory' && mv '/p/my inventory/pki/beam' '/p/pki/my inventory/beam'")
    # Afterwards it is found there.
    assert chosen(("/p/my inventory",), ("/p/my inventory",), ("/p/pki/my inventory/beam",))[0] == "/p/pki/my inventory/beam"
    assert warning("/p/pki/my inventory/beam", places, "beam") is None
    assert warning(None, places, "beam") is None
