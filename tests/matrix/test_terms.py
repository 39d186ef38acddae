# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random terms of real nodes through our decoder, encoder and printer, and back to the node: nothing may differ."""

from __future__ import annotations

import os
import pathlib
import shutil

import nodes
import pytest
from ansible_collections.beam.cluster.plugins.module_utils import _term as t
from ansible_collections.beam.cluster.plugins.module_utils._wire import etf

COUNT = int(os.environ.get("BEAM_TERMS", "5000"))
SCRIPT = pathlib.Path(__file__).with_name("random_terms.escript")


def read(file):
    data = file.read_bytes()
    pos = 0
    while pos < len(data):
        size = int.from_bytes(data[pos:pos + 4], "big")
        yield data[pos + 4:pos + 4 + size]
        pos += 4 + size


def literal(term):
    """Whether a term has a text that Erlang reads: no pid, port, reference or fun is in it."""
    stack = [term]
    while stack:
        item = stack.pop()
        if isinstance(item, (t.Pid, t.Port, t.Reference, t.Fun)):
            return False
        if isinstance(item, (list, tuple)):
            stack += item
        elif isinstance(item, t.Improper):
            stack += [*item.head, item.tail]
        elif isinstance(item, t.Map):
            stack += [part for pair in item.pairs for part in pair]
    return True


@pytest.mark.parametrize("release", nodes.releases())
def test_terms_of_a_real_node(release, tmp_path):
    lab = nodes.Lab(tmp_path / "lab")
    lab.folder.mkdir()
    shutil.copy(SCRIPT, lab.folder / "terms")

    def script(*words):
        process = lab.erl(release, [str(lab.folder / "terms"), *words], program="escript", log=lab.folder / "log")
        assert process.wait(timeout=600) == 0, (lab.folder / "log").read_text()
        return (lab.folder / "log").read_text()

    made, ours, text = lab.folder / "made", lab.folder / "ours", lab.folder / "text"
    script("make", str(COUNT), "7", str(made))
    skipped = 0
    with open(ours, "wb") as out, open(text, "w", encoding="utf-8") as lines:
        lines.write("%% coding: utf-8\n")
        for data in read(made):
            term = etf.decode(data)
            again = etf.encode(term)
            assert etf.decode(again) == term
            out.write(len(again).to_bytes(4, "big") + again)
            if literal(term):
                written = t.to_text(term)
                assert t.parse(written) == term
                lines.write(written + ".\n")
            else:
                skipped += 1
                lines.write("'skip of ours'.\n")
    assert script("same", str(made), str(ours)).split() == [str(COUNT)]
    assert script("texts", str(made), str(text)).split() == [str(COUNT - skipped)]
