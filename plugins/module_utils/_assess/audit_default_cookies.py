# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default cookies of products that an audit tries if it is asked for that by name, and the probes that try them.

Private to this collection, pure. Whether a node's cookie file holds one of them or another published cookie is read on its host (cookie-published).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .probes import KNOWN, Probe
from .target import NodeTarget


class Default(NamedTuple):
    """A cookie that a product has, or had, by default, and where that was published."""

    product: str
    cookie: str
    source: str


DEFAULTS = (
    Default("CouchDB", "monster", "https://nvd.nist.gov/vuln/detail/CVE-2022-24706"),
    Default("EMQX", "emqxsecretcookie", "https://docs.emqx.com/en/emqx/latest/guides/cluster/security.html"),
    Default("Riak", "riak", "https://docs.riak.com/riak/kv/latest/configuring/reference/"),
    Default("VerneMQ", "vmq", "https://github.com/gteissier/erl-matter"),
    Default("FreeSWITCH", "ClueCon", "https://github.com/gteissier/erl-matter"),
)
"""What is tried, in this order."""

BY_PRODUCT = {one.product: one.cookie for one in DEFAULTS}


def cookie_of(probe: Probe) -> str:
    """The word that a probe proves. Raises KeyError where it is none of these probes."""
    return BY_PRODUCT[probe.claim]


def probes(vantage: str, node: NodeTarget, address: str) -> Iterator[Probe]:
    """One probe for each default, from the node's own host. The product is in `claim`, where no name is claimed."""
    for one in DEFAULTS:
        yield Probe(KNOWN, vantage, "", node.node, node.host, address, node.port, "own", one.product)
