# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which flags of a VM run code at its start, which of them are ours, and where the others stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import proc, start_files

SECRET = "correct-horse"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node's directory of ours, and a release."""
    monkeypatch.setattr(proc, "DIRECTORY", f"{tmp_path}/beam/")
    files = {
        "beam/n/vm.args": "-eval 'ours:start()'\n",
        "beam/n/join.args": "-eval 'join:all(\"x y\")'\n",
        "beam/n/more.args": f"-s evil start {SECRET}\n",
        "rel/releases/1.0/vm.args": f"# a comment\n+K true\n-s evil start {SECRET}\n-eval 'io:format(\"{SECRET}\")'\n-user evil\n",
        "rel/releases/2.0/vm.args": "-run other\n",
        "nested.args": "-run nested go\n",
        "tmp/outer.args": f"-args_file {tmp_path}/nested.args\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def runs(tree: Path, words: list[str], **variables: str) -> tuple[str, ...]:
    given = {"ERL_AFLAGS": f"-args_file {tree}/beam/n/vm.args", **variables}
    return proc.code_runs(["beam.smp", "--", "-root", f"{tree}/rel", *words], given)


def test_the_flags_of_our_files_are_ours(tree: Path) -> None:
    assert runs(tree, ["-eval", "ours:start()", "-eval", 'join:all("x y")']) == ()
    assert runs(tree, ["-eval", "ours:start(), evil()"]) == ("-eval",), "the whole text counts"


def test_another_file_beside_ours_is_not_ours(tree: Path) -> None:
    assert runs(tree, ["-s", "evil", "start", SECRET]) == (f"-s evil in {tree}/rel/releases/1.0/vm.args",)
    (tree / "rel/releases/1.0/vm.args").unlink()
    assert runs(tree, ["-s", "evil", "start", SECRET]) == ("-s evil",)
    outside = f"-args_file {tree}/beam/../tmp/vm.args"
    (tree / "tmp/vm.args").write_text("-s evil\n", encoding="utf-8")
    assert runs(tree, ["-s", "evil"], ERL_AFLAGS=outside) == (f"-s evil in {tree}/beam/../tmp/vm.args",)


def test_the_file_of_a_foreign_flag_is_named_and_no_value(tree: Path) -> None:
    file = f"{tree}/rel/releases/1.0/vm.args"
    found = runs(tree, ["-s", "evil", "start", SECRET, "-eval", f'io:format("{SECRET}")', "-user", "evil", "-s", "elixir", "start_cli"])
    assert found == (f"-eval in {file}", "-s elixir", f"-s evil in {file}", f"-user evil in {file}")
    assert runs(tree, ["-run", "nested", "go"], ERL_ZFLAGS=f"-args_file {tree}/tmp/outer.args") == (f"-run nested in {tree}/nested.args",)


def test_argument_files_are_found_in_variables_files_and_releases(tree: Path) -> None:
    (tree / "x.args").write_text("", encoding="utf-8")
    variables = {"ERL_ZFLAGS": f"-args_file {tree}/tmp/outer.args", "RELEASE_VM_ARGS": f"{tree}/x.args"}
    found = start_files.argument_files(["beam.smp", "-root", f"{tree}/rel"], variables, "")
    assert found == [f"{tree}/{name}" for name in ("tmp/outer.args", "nested.args", "x.args", "rel/releases/1.0/vm.args", "rel/releases/2.0/vm.args")]


def test_where_a_vm_takes_its_code_from(tree: Path) -> None:
    """A boot file runs what it says, a configuration sets what no flag sets, and a path adds modules."""
    assert runs(tree, ["-boot", "/opt/evil", "-config", "/opt/sys", "-pa", "/opt/ebin"]) == ("-boot /opt/evil", "-config /opt/sys", "-pa /opt/ebin")
