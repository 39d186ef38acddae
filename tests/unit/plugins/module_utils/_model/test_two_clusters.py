# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two tiers on real nodes: what keeps them apart, each layer ALONE, with all the others open.

The firewall is looked at in tests/lab/test_two_clusters.py.

With `BEAM_RELEASES=25,27,29` on these releases (root, for their trees).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net import calls, runner
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer
from ansible_collections.beam.cluster.plugins.module_utils._net.tls import Tls
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "matrix"))
import nodes  # noqa: E402

RELEASES = (os.environ.get("BEAM_RELEASES") or nodes.host_release() or "25").split(",")
OTHER_COOKIE = nodes.COOKIE[::-1]


class Tiers:
    """The tier data, and nodes of the tier web that lack one of its proofs each, or none."""

    def __init__(self, folder: Path, release: str) -> None:
        self.lab = nodes.Lab(folder).start()
        self.data = nodes.Pki(folder / "data").make_ca().issue("node", sans="DNS:localhost")
        self.web = nodes.Pki(folder / "web").make_ca().issue("node", sans="DNS:localhost")
        ours, theirs = nodes.option_file(self.data), nodes.option_file(self.web)
        cookie = ("-setcookie", OTHER_COOKIE)
        # Shows what the tier data trusts, and trusts what it does not: so that it is data that refuses, not web.
        trusting = nodes.option_file(self.web, client=nodes.stanza(self.web, ca=self.data))
        self.lab.node(release, "data@localhost", tls=ours)
        self.lab.node(release, "peer@localhost", tls=ours)
        self.lab.node(release, "web_cookie@localhost", tls=ours, arguments=cookie)
        self.lab.node(release, "web_tls@localhost", tls=theirs)
        self.lab.node(release, "web_trusting@localhost", tls=trusting)

    def peer(self, node: str, pki: nodes.Pki, cookie: str, ca: nodes.Pki | None = None) -> Peer:
        port = self.lab.names()[node]
        pair = pki.pair("node")
        return Peer(
            f"{node}@localhost",
            "127.0.0.1",
            "beam_probe@localhost",
            port,
            cookie=cookie.encode(),
            tls=Tls(ca=(ca or pki).ca, certificate=pair["certificate"], key=pair["key"]),
        )

    def probe(self, node: str, pki: nodes.Pki, cookie: str, ca: nodes.Pki | None = None) -> str:
        return runner.converse_all([self.peer(node, pki, cookie, ca)], timeout=10, concurrency=1)[0].code

    def joins(self, node: str, pki: nodes.Pki, cookie: str, other: str = "data") -> bool:
        """Whether one real node can connect to another, asked of the one that dials."""
        words = ("net_kernel", "connect_node", [Atom(f"{other}@localhost")])
        (answer,) = calls.call_everywhere([self.peer(node, pki, cookie)], words, via=None, timeout=20, concurrency=1)
        assert answer["code"] == "connected", answer
        return bool(answer["result"])


@pytest.fixture(scope="module", params=RELEASES)
def tiers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    made = Tiers(tmp_path_factory.mktemp("tiers"), request.param)
    try:
        yield made
    finally:
        made.lab.stop()


def test_with_every_proof_of_the_tier_one_is_in(tiers: Tiers) -> None:
    assert tiers.probe("data", tiers.data, nodes.COOKIE) == "connected"
    assert tiers.joins("peer", tiers.data, nodes.COOKIE)


def test_tls_alone_keeps_the_other_tier_out(tiers: Tiers) -> None:
    """The cookie is the same, nothing filters: the authority is what is left, and it refuses on either end."""
    assert tiers.probe("data", tiers.web, nodes.COOKIE, ca=tiers.data) == "tls_alert_unknown_ca"
    assert tiers.probe("data", tiers.web, nodes.COOKIE).startswith("tls_"), "and we would not take theirs"
    assert not tiers.joins("web_tls", tiers.web, nodes.COOKIE)
    # Its node, bent so that it takes the certificate of data: it is data that refuses.
    assert not tiers.joins("web_trusting", tiers.web, nodes.COOKIE)
    assert tiers.joins("web_tls", tiers.web, nodes.COOKIE, "web_trusting"), "within the tier it is nothing but a peer"


def test_the_cookie_alone_keeps_the_other_tier_out(tiers: Tiers) -> None:
    """The authority is the same, nothing filters."""
    assert tiers.probe("data", tiers.data, OTHER_COOKIE) == "cookie_refused_theirs"
    assert tiers.probe("web_cookie", tiers.data, OTHER_COOKIE) == "connected", "the cookie is one"
    assert not tiers.joins("web_cookie", tiers.data, OTHER_COOKIE)
    assert not tiers.joins("peer", tiers.data, nodes.COOKIE, "web_cookie")
