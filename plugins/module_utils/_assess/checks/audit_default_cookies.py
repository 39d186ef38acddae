# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Default cookies of products, tried on nodes that speak clear text. Only if an audit is asked for it by name.

Private to this collection, pure. A report names the product whose default it is, not the word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..audit_default_cookies import BY_PRODUCT
from ..finding import FAILED, NOT_APPLICABLE, NOT_TESTED, Evidence, Finding
from ..finding import result as result_of
from ..probes import KNOWN, Answer
from ..target import NodeTarget
from .audit_attacks import Proofs

_REFUSED = frozenset({"cookie_refused_theirs", "cookie_mismatch_ours"})
NOT_ASKED = "no cookie was tried: set beam_audit_try_known_cookies"


def findings(evidence: Evidence) -> Iterator[Finding]:
    if evidence.target.planned:
        return
    asked = bool(getattr(evidence.questions, "known_cookies", False))
    clear = Proofs.of(evidence.answers).clear
    by_node: dict[str, list[Answer]] = {}
    for answer in evidence.answers:
        if answer.probe.control == KNOWN:
            by_node.setdefault(answer.probe.target, []).append(answer)
    for node in evidence.target.running:
        hosts = evidence.target.hosts_of(node.node)
        if not asked:
            yield Finding(KNOWN, NOT_APPLICABLE, hosts, node.node, (NOT_ASKED,))
        elif node.node not in clear:
            yield Finding(KNOWN, NOT_APPLICABLE, hosts, node.node, ("it did not answer in clear text, see plaintext",))
        else:
            yield _of(node, hosts, by_node.get(node.node, ()))


def _of(node: NodeTarget, hosts: tuple[str, ...], answers: Iterable[Answer]) -> Finding:
    given = list(answers)
    taken = [answer.probe.claim for answer in given if answer.connected]
    unclear = [f"the default of {one.probe.claim}: {one.code or one.message}" for one in given if not one.connected and one.code not in _REFUSED]
    missing = sorted(set(BY_PRODUCT) - {answer.probe.claim for answer in given})
    if taken:
        details = tuple(f"it takes the default cookie of {product}" for product in taken)
        return Finding(KNOWN, FAILED, hosts, node.node, details, succeeded=True)
    if unclear or missing:
        return Finding(KNOWN, NOT_TESTED, hosts, node.node, (*unclear, *(f"the default of {product} was not tried" for product in missing)))
    _subject, status, details = result_of(node.node, [], f"refused {len(given)} default cookies")
    return Finding(KNOWN, status, hosts, node.node, details)
