# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes with expectations: what `dist_probe` does."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from .._wire import codes
from .identity import acting_as
from .options import OptionError, make_peers
from .talk import converse_all


def probe(params: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Probe all targets of the module's parameters and compare each code with the ones expected. Raises `OptionError`."""
    targets = params["targets"]
    expectations: List[List[str]] = []
    for target in targets:
        expect = target.get("expect") or params["expect"]
        try:
            codes.expand(expect)
        except ValueError as error:
            raise OptionError("expect: %s" % error) from None
        expectations.append(list(expect))
    peers = make_peers(params, targets)
    with acting_as(params["user"]):
        results = converse_all(peers, timeout=params["timeout"], concurrency=params["concurrency"])
    answers: List[Dict[str, Any]] = []
    for target, peer, expect, result in zip(targets, peers, expectations, results):
        answer: Dict[str, Any] = {"node": peer.node, "host": peer.host, "label": target.get("label"), "name": peer.name, "expect": expect}
        answer.update(result.as_dict(), ok=codes.meets(result.code, expect))
        answers.append(answer)
    return answers
