# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random terms, made by real nodes and made here, through our decoder, encoder and printer and through the node's: nothing may differ.

Four releases with 25,000 each of both are a hundred thousand of both.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

import nodes
import pytest
from ansible_collections.beam.cluster.plugins.module_utils import _term as t
from ansible_collections.beam.cluster.plugins.module_utils._wire import etf
from hypothesis import HealthCheck, given, seed, settings

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "unit" / "plugins" / "module_utils"))
import erlang_terms  # noqa: E402

COUNT = int(os.environ.get("BEAM_TERMS", "25000"))
SCRIPT = pathlib.Path(__file__).with_name("random_terms.escript")


def read(file):
    data = file.read_bytes()
    pos = 0
    while pos < len(data):
        size = int.from_bytes(data[pos:pos + 4], "big")
        yield data[pos + 4:pos + 4 + size]
        pos += 4 + size


def write(file, packed):
    with open(file, "wb") as out:
        for data in packed:
            out.write(len(data).to_bytes(4, "big") + data)


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


@pytest.fixture(params=nodes.releases())
def script(request, tmp_path):
    """Runs the script on a release's OTP in a folder that it sees; gives what it printed."""
    lab = nodes.Lab(tmp_path / "lab")
    lab.folder.mkdir()
    shutil.copy(SCRIPT, lab.folder / "terms")

    def run(*words):
        process = lab.erl(request.param, [str(lab.folder / "terms"), *map(str, words)], program="escript", log=lab.folder / "log")
        assert process.wait(timeout=600) == 0, (lab.folder / "log").read_text()
        return (lab.folder / "log").read_text().split()

    run.folder, run.seed = lab.folder, int(request.param)
    return run


def test_terms_of_a_real_node(script, cell):
    made, ours, text = (script.folder / name for name in ("made", "ours", "text"))
    script("make", COUNT, script.seed, made)
    skipped = 0
    packed = []
    with open(text, "w", encoding="utf-8") as lines:
        lines.write("%% coding: utf-8\n")
        for data in read(made):
            term = etf.decode(data)
            packed.append(etf.encode(term))
            assert etf.decode(packed[-1]) == term
            if literal(term):
                written = t.to_text(term)
                assert t.parse(written) == term
                lines.write(written + ".\n")
            else:
                skipped += 1
                lines.write("'skip of ours'.\n")
    write(ours, packed)
    assert script("same", made, ours) == [str(COUNT)]
    assert script("texts", made, text) == [str(COUNT - skipped)]
    cell(release=str(script.seed), made_by="the node", terms=COUNT, distinct=len(set(packed)))


def test_terms_made_here(script, cell):
    terms = []

    @seed(script.seed)
    @settings(max_examples=COUNT, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(erlang_terms.kept_terms(script.seed))
    def make(term):
        terms.append(term)

    make()
    ours, theirs = script.folder / "ours", script.folder / "theirs"
    packed = [etf.encode(term) for term in terms]
    write(ours, packed)
    script("back", ours, theirs)
    count = 0
    for term, data in zip(terms, read(theirs)):
        assert data, f"the node refuses {t.to_text(term)}"
        again = etf.decode(data)
        # The text tells 0.0 from -0.0, too.
        assert again == term and t.to_text(again) == t.to_text(term)
        count += 1
    assert count == len(terms) >= COUNT
    cell(release=str(script.seed), made_by="hypothesis", terms=count, distinct=len(set(packed)))
