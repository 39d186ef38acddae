# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One check per control about the nodes' connections with each other.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

from ..connection_remedies import Broken, remedy
from ..finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, Evidence, Finding, NodeView, result
from ..probes import CONNECT, OUTSIDE, Answer
from ..target import NEEDS_CREDENTIALS, NEEDS_MEMBERS, OFF, NodeTarget, Target

MEMBERS, SETTINGS = "mesh-members", "mesh-settings"
CONTROLS = (CONNECT, MEMBERS, SETTINGS)

_SAID = {
    "net_ticktime": "ticktime",
    "net_tickintensity": "tickintensity",
    "prevent_overlapping_partitions": "prevent_overlapping_partitions",
    "connect_all": "connect_all",
    "dist_auto_connect": "auto_connect",
}
"""Parameters of the application kernel, by the keys of mesh_info."""


_GROUPS = "It takes part in global names and locks of this group only. Remove the parameter and restart the node"


# Evaluated when the module is imported, on Python 3.9 too.
_Check = Callable[[Target, NodeTarget, NodeView], tuple[str, tuple[str, ...]]]


def mesh_findings(evidence: Evidence) -> Iterator[Finding]:
    yield from _connected(evidence)
    for node in evidence.target.running:
        yield _about(evidence, MEMBERS, node, _members)
        yield _about(evidence, SETTINGS, node, _settings)


def _outside_range(node: NodeTarget, port: int | None) -> str:
    if port is None or node.ports is None:
        return ""
    return "" if node.ports.first <= port <= node.ports.last else f"port {port}, outside its port range {node.ports}"


def _pair_problem(target: Target, answer: Answer) -> str:
    """What is wrong with a connection that should be whole; empty where nothing is."""
    elsewhere = _outside_range(target.node(answer.probe.target), answer.port)
    if not answer.connected:
        where = f" at stage {answer.stage}" if answer.stage else ""
        told = f"; EPMD names {elsewhere}" if elsewhere and answer.probe.port is None else ""
        return f"{answer.code or 'no probe'}{where}{f': {answer.message}' if answer.message else ''}{told}"
    if target.tls:
        if answer.tls is None:
            return "connected in plain TCP"
        if answer.tls.version not in target.tls_versions:
            return f"connected with {answer.tls.version}, not {' or '.join(target.tls_versions)}"
        if answer.tls.peer is None:
            return "connected without the peer's certificate"
    return f"connected at {elsewhere}" if elsewhere else ""


def _connected(evidence: Evidence) -> Iterator[Finding]:
    target = evidence.target
    for node in target.running:
        good = 0
        wanted = evidence.questions.connected(node.node)
        for other in wanted:
            if other.node == node.node and len(wanted) > 1:
                continue
            answer = evidence.connections.get((node.node, other.node))
            problem = _pair_problem(target, answer) if answer else ""
            if answer and not problem:
                good += 1
                continue
            status, detail = (FAILED, problem) if answer else (NOT_TESTED, "no probe was made")
            fix = remedy(target, Broken(node.node, other.node, answer)) if answer else ""
            yield Finding(CONNECT, status, target.hosts_of(node.node, other.node), f"{node.node} -> {other.node}", (detail, *filter(None, (fix,))))
        if good:
            how = "over TLS" if target.tls else "in clear text"
            yield Finding(CONNECT, PASSED, target.hosts_of(node.node), node.node, (f"connected to {good} {how}",))
        elif target.off or not wanted:
            yield Finding(CONNECT, NOT_APPLICABLE, target.hosts_of(node.node), node.node, (OFF if target.off else NEEDS_CREDENTIALS,))


def _about(evidence: Evidence, control: str, node: NodeTarget, check: _Check) -> Finding:
    """The check of what a node says of itself, or why it said nothing."""
    hosts = evidence.target.hosts_of(node.node)
    view = evidence.views.get(node.node)
    if not evidence.target.planned:
        return Finding(control, NOT_APPLICABLE, hosts, node.node, (NEEDS_MEMBERS,))
    if evidence.target.off:
        return Finding(control, NOT_APPLICABLE, hosts, node.node, (OFF,))
    if view is None:
        return Finding(control, NOT_TESTED, hosts, node.node, ("was not asked for its nodes()",))
    if view.code != "connected":
        return Finding(control, NOT_TESTED, hosts, node.node, (f"could not be asked for its nodes(): {view.code}",))
    status, details = check(evidence.target, node, view)
    return Finding(control, status, hosts, node.node, details)


def _members(target: Target, node: NodeTarget, view: NodeView) -> tuple[str, tuple[str, ...]]:
    if view.visible is None or view.hidden is None:
        return NOT_TESTED, ("did not say its nodes()",)
    others = {other.node: other for other in target.reachable(node.node) if other.node != node.node}
    foreign = [f"{node.node} is connected to {name}, which is no member" for name in sorted(view.visible - set(others) - {node.node})]
    unknown = [name for name in sorted(view.hidden - set(others)) if not is_tool(target, name)]
    foreign += [f"{node.node} has a hidden connection to {name}, which is on no member's host" for name in unknown]
    missing = []
    for name, other in others.items():
        # A link is hidden on both of its ends where either is.
        hidden = node.hidden or other.hidden
        if name not in (view.hidden if hidden else view.visible):
            missing.append(f"{node.node} is not connected to {name}{', which is hidden' if other.hidden else ''}")
        if hidden and name in view.visible:
            foreign.append(f"{node.node} sees {name}, and the link should be hidden")
    if missing and not foreign and not target.connect_all:
        return NOT_APPLICABLE, ("beam_connect_all is false: nodes connect when they need each other", *missing)
    _subject, status, details = result(node.node, [*foreign, *(missing if target.connect_all else ())], f"is connected to {len(others)}")
    return status, details


def is_tool(target: Target, name: str) -> bool:
    """Whether a name that is no member's is that of a tool on a member's host (a remote shell, rabbitmqctl), or of a probe of ours."""
    return name == OUTSIDE or name.partition("@")[2] in target.host_parts


def _settings(target: Target, node: NodeTarget, view: NodeView) -> tuple[str, tuple[str, ...]]:
    wanted = node.kernel or {}
    said = {name: view.settings.get(key) for name, key in _SAID.items() if name in wanted}
    problems = [f"runs with {name} {_word(value)}, not {_word(wanted[name])}" for name, value in said.items() if value not in (None, wanted[name])]
    groups = view.settings.get("global_groups")
    if isinstance(groups, list) and groups:
        problems.append(f"runs in a group of nodes (kernel parameter global_groups): {', '.join(map(str, groups))}. {_GROUPS}")
    unknown = [f"did not say its {name}" for name, value in {**said, "global_groups": groups}.items() if value is None]
    if not problems and (unknown or not said):
        return NOT_TESTED, tuple(unknown) or ("no parameter is planned",)
    _subject, status, details = result(node.node, problems, ", ".join(f"{name} {_word(value)}" for name, value in wanted.items()))
    return status, details


def _word(value: object) -> str:
    return str(value).lower()
