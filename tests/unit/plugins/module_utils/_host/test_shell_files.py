# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a shell does not read to their end. What the tests say is checked with the shells themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import operator_settings, setting_syntaxes, shell_files
from ansible_collections.beam.cluster.plugins.module_utils._host.operator_settings import Question

SKIPPED = [
    # Text, lines and words that are found.
    ("A=1\nexit 0\n", [(2, "exit")]),
    ("return\n", [(1, "return")]),
    ("[ -f /none ] || return 0\n", [(1, "return")]),
    ("if true; then\n  exit\nfi\n", [(2, "exit")]),
    ("if false; then :; else exec /bin/true; fi\n", [(1, "exec")]),
    ("case x in\nx) exit 0 ;;\nesac\n", [(2, "exit")]),
    ("{ exit 0; }\n", [(1, "exit")]),
    ('A="\n\n"\nexec 2>/dev/null /bin/true\n', [(4, "exec")]),
    ("cat <<END\nx\nEND\nexit 0\n", [(4, "exit")]),
    ("f() { return 0; }\nf\nexit 0\n", [(3, "exit")]),
    ("(exit 0)\nexit 0\n", [(2, "exit")]),
]
READ = [
    "",
    "A=1",
    "# exit\nA=exit # exit 0\n",
    "A='exit\nreturn\n'\n",
    "f() {\n  [ -z 1 ] || return 0\n}\nf\n",
    "f()\n{\n  return 0\n}\nf\n",
    "(exit 0)\n",
    "A=$(exit 3) || :\n",
    "exec 2>/dev/null\n",
    "exec 2> /dev/null 2>&1\n",
    "cat >/dev/null <<END\nexit 0\nEND\n",
    "cat >/dev/null <<-'X Y'\nexit\n\tX Y\n",
    "echo exit >/dev/null\n",
    "A=${B:-\nexit\n}\n",
    "trap 'exit 0' 0; trap - 0\n",
    "if false; then :; fi\n",
    "f() {\n if :; then { return 0; }; fi\n}\nf\n",
]
OPEN = [
    ("A=1\nB='x\n", 2),
    ("if true; then\nA=1\n", 3),
    ("cat <<END\nA=1\n", 2),
    ("A=1\\\n", 1),
    ("A=1\nfi\n", 2),
    ("A=$(\n", 2),
    ("case x in\n", 1),
    ("B=`x", 1),
]


def reaches_the_end(text: str, path: Path) -> set[bool]:
    path.write_text(f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}# BEGIN (x)\nREACHED=1\n# END\n", encoding="utf-8")
    shells = [shell for shell in ("sh", "bash") if shutil.which(shell)]
    script = f". {path}; [ -z \"$REACHED\" ] || touch {path}.reached"
    found = set()
    for shell in shells:
        Path(f"{path}.reached").unlink(missing_ok=True)
        subprocess.run([shell, "-c", script], capture_output=True, check=False, timeout=20)
        found.add(Path(f"{path}.reached").exists())
    return found


@pytest.mark.parametrize(("text", "found"), SKIPPED)
def test_a_command_that_ends_the_reading(tmp_path: Path, text: str, found: list[tuple[int, str]]) -> None:
    assert list(shell_files.ends(text)) == found
    assert shell_files.broken(text) is None
    assert reaches_the_end(text, tmp_path / "file") == {False}


@pytest.mark.parametrize("text", READ)
def test_a_file_that_is_read_to_its_end(tmp_path: Path, text: str) -> None:
    assert list(shell_files.ends(setting_syntaxes.uncommented(text, "\"'"))) == []
    assert shell_files.broken(text) is None
    assert reaches_the_end(text, tmp_path / "file") == {True}


@pytest.mark.parametrize(("text", "line"), OPEN)
def test_a_file_that_is_not_complete(tmp_path: Path, text: str, line: int) -> None:
    found = shell_files.broken(text)
    assert found is not None and abs(found - line) <= 1, found
    assert reaches_the_end(text, tmp_path / "file") == {False}


def test_what_only_one_shell_understands_is_no_mistake() -> None:
    assert shell_files.broken("A=(1 2)\n") is None or shutil.which("bash") is None


def test_without_a_shell_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_files.commands, "find", lambda _program: None)
    assert shell_files.broken("if") is None


def test_what_comes_after_our_block_is_of_no_interest(tmp_path: Path) -> None:
    block = "# BEGIN beam.cluster (x)\n. /etc/beam/x\n# END beam.cluster (x)\n"
    question = Question("a.service", ((str(tmp_path / "env"), "shell"),))
    for text, found in ((f"{block}exit 0\n", []), (f"A=1\nexit 0\n{block}", [2]), (f"A=1\n{block}B='\n", []), (f"A='\n{block}", [1])):
        (tmp_path / "env").write_text(text, encoding="utf-8")
        assert [one["line"] for one in operator_settings.settings([question], None) if one["kind"] == "shell"] == found, text
