# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a script of a shell sets each time it is read, against a real shell that reads it."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import shell_files

SCRIPTS = [
    ('A=1\nexport B="x y" C=2\n', "A B C"),
    ("if true; then A=1; fi\nB=1\n", "B"),
    ("if false\nthen\n  A=1\nelse C=1\nfi\nB=1\n", "B"),
    ('[ -n "$NONE" ] && export A=1\nB=2\n', "B"),
    ("case $COMMAND in\n  start*|daemon*)\n    A=1 ;;\n  *) C=1;;\nesac\nB=1\n", "B"),
    ("case $COMMAND in (start) A=1 ;; esac; B=1\n", "B"),
    ("f() {\n A=1\n}\nB=1\n", "B"),
    ("A=1 true\nB=2\n", "B"),
    ("export A=$(uname -n)\nB=`id`\n", "A B"),
    ("(A=1)\nB=1\n", "B"),
    ("for i in a b; do A=1; done; B=1", "B"),
    ("export A\nA=${A:-x}; export A\n", "A"),
    ("true || A=1; B=2", "B"),
    ("A=1 && B=2", "A"),
    ("{ A=1; }\nB=1", "B"),
    ("A=1 | true\nA=2 & wait\nB=1\n", "B"),
    ("while read x; do\nA=1\ndone </dev/null\nB=1\n", "B"),
    ("cat >/dev/null <<END\nA=1\nEND\nB=1\n", "B"),
]


@pytest.mark.parametrize(("text", "names"), SCRIPTS)
def test_what_is_set_in_any_case(text: str, names: str) -> None:
    found = [name for _line, name in shell_files.unconditional(text)]
    assert sorted(set(found)) == names.split()
    # A shell says so, too: what is not named may be set or not.
    shown = subprocess.run(["sh", "-c", f"unset A B C; {text}\nset"], capture_output=True, text=True, timeout=10, check=True).stdout
    assert set(names.split()) <= {line.partition("=")[0] for line in shown.splitlines()}


def test_the_lines() -> None:
    assert list(shell_files.unconditional('A="x\ny"\n\nexport B=1\n')) == [(1, "A"), (4, "B")]
