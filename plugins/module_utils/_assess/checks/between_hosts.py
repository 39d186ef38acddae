# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that compare the nodes of all hosts of an audit: one cookie for different products, one cookie and different patches of OTP.

Private to this collection, pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Callable

from ..._model.problems import join_names
from ..._model.recognised_products import BY_NAME
from ..finding import NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, Evidence, Finding, Result, result
from ..target import NodeTarget


def _marks(evidence: Evidence) -> dict[str, list[NodeTarget]]:
    """The nodes of all hosts by the mark of their cookie."""
    found: dict[str, list[NodeTarget]] = {}
    for node in evidence.target.running:
        mark = _mark(evidence, node)
        if mark:
            found.setdefault(mark, []).append(node)
    return found


def _mark(evidence: Evidence, node: NodeTarget) -> str | None:
    seen = evidence.seen.get(node.host)
    cookies = seen.secrets.cookies if seen and seen.secrets else None
    cookie = (cookies or {}).get(node.cookie_file or "")
    return cookie.mark if cookie else None


def _version(evidence: Evidence, node: NodeTarget) -> str | None:
    seen = evidence.seen.get(node.host)
    process = next((one for one in (seen.processes if seen else None) or () if node.is_run_by(one)), None)
    return process.vm.version if process and process.vm else None


def _same_products(_evidence: Evidence, node: NodeTarget, group: list[NodeTarget]) -> Result:
    if node.product not in BY_NAME:
        return Result(node.node, NOT_APPLICABLE, ("its product is not known",))
    others = [one for one in group if one.product in BY_NAME and one.product != node.product]
    names = [f"{one.node} ({one.product})" for one in others]
    return result(node.node, [f"has the same cookie as {join_names(names)}"] if others else [], "no node of another product has its cookie")


def _same_otp(evidence: Evidence, node: NodeTarget, group: list[NodeTarget]) -> Result:
    version = _version(evidence, node)
    if version is None:
        return Result(node.node, NOT_TESTED, ("its version of OTP is not known",))
    release = version.partition(".")[0]
    others = {one.node: _version(evidence, one) for one in group}
    newer = {name: other for name, other in others.items() if other and other.partition(".")[0] == release and _parts(other) > _parts(version)}
    said = join_names([f"{name} ({other})" for name, other in sorted(newer.items())])
    return result(node.node, [f"runs OTP {version}, older than {said}"] if newer else [], f"runs OTP {version}")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


CHECKS: Mapping[str, Callable[[Evidence, NodeTarget, "list[NodeTarget]"], Result]] = {
    "cookie-products": _same_products,
    "otp-same": _same_otp,
}


def inventory_findings(evidence: Evidence) -> Iterator[Finding]:
    """The findings of an audit about nodes of all its hosts; none where there is a plan."""
    if evidence.target.planned:
        return
    groups = _marks(evidence)
    for control, check in CHECKS.items():
        for node in evidence.target.running:
            mark = _mark(evidence, node)
            if not evidence.seen.get(node.host):
                found = Result(node.node, NOT_TESTED, (NOT_OBSERVED,))
            elif node.cookie_file == "":
                found = Result(node.node, NOT_APPLICABLE, ("it has no cookie file: its cookie comes from elsewhere, see argument-list",))
            elif mark is None:
                found = Result(node.node, NOT_TESTED, ("its cookie could not be compared, see cookie-file",))
            else:
                found = check(evidence, node, [one for one in groups[mark] if one.node != node.node])
            yield Finding(control, found.status, (node.host,), found.subject, found.details)
