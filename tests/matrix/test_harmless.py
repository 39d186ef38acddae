# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node is left as it was: what a thousand probes, honest and refused, cost it; and what its cluster notices of them: nothing."""

from __future__ import annotations

import os

import nodes
import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net import mesh, runner
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer
from ansible_collections.beam.cluster.plugins.module_utils._net.tls import Tls
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom

PROBES = int(os.environ.get("BEAM_PROBES", "1000"))
COUNTS = {name: ("erlang", "system_info", [Atom(name)]) for name in ("atom_count", "process_count", "port_count")}
# Processes and ports come and go by themselves; atoms never go, and one more per probe would show as a thousand.
TOLERANCE = {"atom_count": 10, "process_count": 10, "port_count": 5}


@pytest.mark.parametrize("carrier", ["tcp", "tls"])
@pytest.mark.parametrize("release", nodes.releases())
def test_a_thousand_probes(release, carrier, tmp_path, cell):
    lab = nodes.Lab(tmp_path / "lab").start()
    try:
        pki = nodes.Pki(lab.folder / "pki").make_ca().issue("node")
        tls = Tls(ca=pki.ca, **pki.pair("node")) if carrier == "tls" else None
        optfile = nodes.option_file(pki) if tls else None
        members = [f"h{number}@127.0.0.1" for number in range(3)]
        running = [lab.node(release, name, tls=optfile) for name in members]
        peers = [Peer(name, "127.0.0.1", "beam_probe@127.0.0.1", None, lab.epmd_port, nodes.COOKIE.encode(), tls) for name in members]
        assert mesh.mesh(peers, timeout=20, concurrency=3, relink=True)["whole"]

        async def measure(link):
            outcomes = await link.call_all([*COUNTS.values(), ("erlang", "nodes", [Atom("known")]), ("erlang", "garbage_collect", [])])
            return {**{name: outcome.value for name, outcome in zip(COUNTS, outcomes)}, "known": sorted(map(str, outcomes[3].value))}

        def counts():
            return runner.converse_all(peers[:1], timeout=10, concurrency=1, then=measure)[0].answer

        refused = Peer(members[0], "127.0.0.1", "beam_probe@127.0.0.1", None, lab.epmd_port, None, tls)
        # The first ones load code and make the atom of our name.
        runner.converse_all([*peers[:1], refused] * 5, timeout=10, concurrency=1)
        before = counts()
        results = runner.converse_all([peers[0], refused] * (PROBES // 2), timeout=10, concurrency=8)
        assert {result.code for result in results} == {"connected", "cookie_refused_theirs"}
        after = counts()
        cell(release=release, carrier=carrier, probes=PROBES, more={name: after[name] - before[name] for name in COUNTS})
        assert after["known"] == before["known"]
        for name, tolerance in TOLERANCE.items():
            assert abs(after[name] - before[name]) <= tolerance, (name, before, after)
        assert mesh.mesh(peers, timeout=20, concurrency=3)["whole"]
        for node in running:
            said = node.log.read_text(errors="replace")
            assert "global" not in said and "overlapping" not in said, said
    finally:
        lab.stop()
