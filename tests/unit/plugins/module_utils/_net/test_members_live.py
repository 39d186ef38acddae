# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new member on real nodes: refused before, let in after, and no link of those that were there is lost.

With `BEAM_RELEASES=25,27,29` on these releases (root, for their trees).
"""

from __future__ import annotations

import os
import pathlib
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.oldest_supported import OLDEST_OTP
from ansible_collections.beam.cluster.plugins.module_utils._net import calls
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer
from ansible_collections.beam.cluster.plugins.module_utils._net.node_members import Wanted, admit
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "matrix"))
import nodes  # noqa: E402

RELEASES = (os.environ.get("BEAM_RELEASES") or nodes.host_release() or "25").split(",")
OLD = ("beam_probe@localhost", "a@localhost", "b@localhost")
ALLOW = "net_kernel:allow([{}])".format(", ".join(f"'{name}'" for name in OLD))
COUNT = (
    "spawn(fun() -> lost = ets:new(lost, [named_table, bag]), net_kernel:monitor_nodes(true), "
    "(fun Loop() -> receive {nodedown, Node} -> ets:insert(lost, {Node}); _ -> ok end, Loop() end)() end)"
)


@pytest.fixture(params=RELEASES)
def lab(request: Any, tmp_path: Path) -> Any:
    if int(request.param) < OLDEST_OTP:
        pytest.skip(f"the plan refuses OTP before {OLDEST_OTP}")
    made = nodes.Lab(tmp_path).start()
    try:
        for name in ("a", "b"):
            made.node(request.param, name + "@localhost", arguments=("-eval", f"inet_db:set_lookup([file, native]), {ALLOW}, {COUNT}."))
        made.node(request.param, "c@localhost")
        yield made
    finally:
        made.stop()


def peer(lab: Any, name: Any) -> Any:
    return Peer(name + "@localhost", "127.0.0.1", "beam_probe@localhost", lab.names()[name], cookie=nodes.COOKIE.encode())


def call(lab: Any, name: Any, *words: Any) -> Any:
    (answer,) = calls.call_everywhere([peer(lab, name)], words, via=None, timeout=20, concurrency=1)
    assert answer["code"] == "connected", answer
    return answer["result"]


def connects(lab: Any, one: Any, other: Any) -> Any:
    return call(lab, one, "net_kernel", "connect_node", [Atom(other + "@localhost")])


def lost(lab: Any, name: Any) -> Any:
    return call(lab, name, "ets", "tab2list", [Atom("lost")])


def test_a_new_member_is_let_in_and_nobody_loses_a_link(lab: Any) -> None:
    assert connects(lab, "a", "b")
    assert not connects(lab, "c", "a"), "the list holds"
    before = [lost(lab, name) for name in ("a", "b")]
    wanted = Wanted((*OLD, "c@localhost"), {(127, 0, 0, 1): ("localhost",), (192, 0, 2, 7): ("n7",)})
    for changed in (True, False):
        answers = admit([peer(lab, "a"), peer(lab, "b")], wanted, apply=True, timeout=20, concurrency=2)
        assert [(answer["code"], answer["problem"], answer["changed"]) for answer in answers] == [("connected", "", changed)] * 2
    assert call(lab, "a", "inet", "getaddr", [[110, 55], Atom("inet")]) == ["ok", [192, 0, 2, 7]]
    assert connects(lab, "c", "a") and connects(lab, "c", "b")
    assert [lost(lab, name) for name in ("a", "b")] == before == [[], []]


def test_a_former_member_is_cut_off_and_its_address_forgotten(lab: Any) -> None:
    assert connects(lab, "a", "b")
    wanted = Wanted(("beam_probe@localhost", "a@localhost"), {}, ("b@localhost",))
    (answer,) = admit([peer(lab, "a")], wanted, apply=True, timeout=20, concurrency=1)
    assert (answer["cut"], answer["allowed_left"], answer["problem"]) == (["b@localhost"], ["b@localhost"], "")
    assert lost(lab, "a") == [["b@localhost"]], "the counter counts"
