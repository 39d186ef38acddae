# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node names in the databases of products."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import database_names
from ansible_collections.beam.cluster.plugins.module_utils._host.operator_settings import Question


def test_a_database_in_a_directory_of_the_operators(tmp_path: Path) -> None:
    """That of the package's own start lies where the package has it, and is not the node's any more."""
    for name, node in (("old", b"w\x12ejabberd@localhost"), ("new", b"w\x0bejabberd@n1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "schema.DAT").write_bytes(node)
    (tmp_path / "cfg").write_text(f"SPOOL_DIR={tmp_path}/new/\n", encoding="utf-8")
    files, moved = ((f"{tmp_path}/cfg", "shell"),), {"SPOOL_DIR": "database"}
    question = Question("a.service", files, frozenset({"SPOOL_DIR"}), f"{tmp_path}/old/schema.DAT", moved=moved)
    assert database_names.describe([question], None) == [{"path": f"{tmp_path}/new/schema.DAT", "names": ["ejabberd@n1"]}]
    (tmp_path / "cfg").write_text("", encoding="utf-8")
    assert database_names.describe([question], None) == [{"path": f"{tmp_path}/old/schema.DAT", "names": ["ejabberd@localhost"]}]


def test_the_names_in_a_database(tmp_path: Path) -> None:
    data = b"".join(
        # What comes next is a letter: a tuple, a list's end, another atom, a number.
        tag + len(name).to_bytes(width, "big") + name + rest
        for tag, width, name, rest in [
            (b"w", 1, b"ejabberd@localhost", b"h"), (b"d", 2, b"ejabberd@n1", b"j"), (b"w", 1, b"ejabberd@n1", b"w"), (b"v", 2, b"ejabberd@n2", b"a"),
            (b"s", 1, b"n@a.example", b"l"), (b"m", 1, b"carol@text", b"h"),
        ]
    )
    (tmp_path / "schema.DAT").write_bytes(b"\x83" + data)
    questions = [Question("a.service", database=str(tmp_path / "schema.DAT")), Question("b.service", database=str(tmp_path / "none"))]
    names = ["ejabberd@localhost", "ejabberd@n1", "ejabberd@n2", "n@a.example"]
    assert database_names.describe(questions, None) == [{"path": str(tmp_path / "schema.DAT"), "names": names}]


@pytest.mark.skipif(shutil.which("erl") is None, reason="the real writer of the file is the other opinion")
def test_the_names_in_a_file_of_dets(tmp_path: Path) -> None:
    """Mnesia keeps its schema in such a file."""
    path = tmp_path / "schema.DAT"
    code = (
        f"{{ok, T}} = dets:open_file(schema, [{{file, {json.dumps(str(path))}}}, {{keypos, 2}}]), "
        "ok = dets:insert(T, [{schema, Name, [{cookie, {{1, 2, 3}, 'ejabberd@n1'}}, {disc_copies, ['ejabberd@n1', 'ejabberd@n2']}, "
        "{master, 'ejabberd@n3', [], x}]} || Name <- [schema, passwd, muc_room]]), ok = dets:close(T), halt()."
    )
    subprocess.run(["erl", "-noinput", "-eval", code], check=True, timeout=60)
    (found,) = database_names.describe([Question("a.service", database=str(path))], None)
    assert found["names"] == ["ejabberd@n1", "ejabberd@n2", "ejabberd@n3"]


def test_the_names_of_the_directories_of_mnesia(tmp_path: Path) -> None:
    """Without a directory of its own, Mnesia has one for each node name, and starts empty under another name."""
    for name in ("a/Mnesia.shop@web1", "a/Mnesia.shop@web2", "b/Mnesia.other@x"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "schema.DAT").write_bytes(b"")
    (tmp_path / "a/Mnesia.empty@web3").mkdir()
    shown = {"release": f"{tmp_path}/a", "working_directory": f"!{tmp_path}/a/"}
    assert database_names.describe([Question("a.service"), Question("b.service")], {"a.service": shown}) == [
        {"path": f"{tmp_path}/a/Mnesia.*", "names": ["shop@web1", "shop@web2"], "unit": "a.service"}
    ]
