# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes with expectations: what `dist_probe` does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from .._wire import codes
from .connection_options import OptionError, make_peers
from .epmd_names import Registered, names_each
from .node import Peer
from .other_user import acting_as
from .runner import converse_each
from .source_address import source_address


def probe(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Probe all targets of the module's parameters and compare each code with the ones expected. Raises `OptionError`."""
    targets = params["targets"]
    expectations: list[list[str]] = []
    for target in targets:
        expect = target.get("expect") or params["expect"]
        try:
            codes.expand(expect)
        except ValueError as error:
            raise OptionError(f"expect: {error}") from None
        expectations.append(list(expect))
    peers = make_peers(params, targets)
    with acting_as(params["user"]):
        results = asyncio.run(_ask(params, targets, peers))
    answers: list[dict[str, Any]] = []
    for target, peer, expect, result in zip(targets, peers, expectations, results):
        answer: dict[str, Any] = {"node": peer.node, "host": peer.host, "label": target.get("label"), "name": peer.name, "expect": expect}
        answer.update(result, ok=codes.meets(result["code"], expect))
        answer["source_address"] = source_address(result["address"] or peer.host, target.get("source") or params["source"])
        answers.append(answer)
    return answers


async def _ask(params: Mapping[str, Any], targets: Sequence[Mapping[str, Any]], peers: Sequence[Peer]) -> list[dict[str, Any]]:
    """Speak to nodes and to EPMDs at the same time: a port behind a firewall that drops takes the whole timeout, and nobody waits for two."""
    limits: dict[str, Any] = {"timeout": params["timeout"], "concurrency": params["concurrency"]}
    epmd = [bool(target.get("epmd_only")) for target in targets]
    nodes = converse_each([peer for peer, only in zip(peers, epmd) if not only], **limits)
    hosts = [(peer.host, peer.port or peer.epmd_port) for peer, only in zip(peers, epmd) if only]
    spoken, named = await asyncio.gather(nodes, names_each(hosts, source=params["source"], **limits))
    of_nodes, of_epmd = iter(spoken), iter(named)
    return [_of_epmd(next(of_epmd)) if only else next(of_nodes).as_dict() for only in epmd]


def _of_epmd(answer: Registered) -> dict[str, Any]:
    """EPMD's answer with the keys of a node's."""
    entry = answer.as_dict()
    kept = {key: entry[key] for key in ("code", "category", "stage", "message", "milliseconds", "port", "address")}
    return {**kept, "tls": None, "flags": None, "creation": None}
