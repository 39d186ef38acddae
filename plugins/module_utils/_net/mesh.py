# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nodes see of each other, and new links between them: what `mesh_info` does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _term as term
from . import running_node
from .node import Call, Link, Outcome, Peer, Returned
from .runner import converse_all

_Atom = term.Atom

_QUESTIONS: dict[str, Call] = {
    "visible": ("erlang", "nodes", [_Atom("visible")]),
    "hidden": ("erlang", "nodes", [_Atom("hidden")]),
    "known": ("erlang", "nodes", [_Atom("known")]),
    "otp_release": ("erlang", "system_info", [_Atom("otp_release")]),
    "erts_version": ("erlang", "system_info", [_Atom("version")]),
    "creation": ("erlang", "system_info", [_Atom("creation")]),
    "uptime_seconds": ("erlang", "statistics", [_Atom("wall_clock")]),
    "ticktime": ("net_kernel", "get_net_ticktime", []),
    "tickintensity": ("application", "get_env", [_Atom("kernel"), _Atom("net_tickintensity")]),
    "prevent_overlapping_partitions": ("application", "get_env", [_Atom("kernel"), _Atom("prevent_overlapping_partitions")]),
    "connect_all": ("application", "get_env", [_Atom("kernel"), _Atom("connect_all")]),
    "auto_connect": ("application", "get_env", [_Atom("kernel"), _Atom("dist_auto_connect")]),
    "proto_dist": ("init", "get_argument", [_Atom("proto_dist")]),
    "global_groups": ("global_group", "global_groups", []),
}

# What has to be the same on all nodes of one cluster.
COMPARED = ("otp_release", "ticktime", "tickintensity", "prevent_overlapping_partitions", "connect_all", "auto_connect", "proto_dist")


def _view(outcomes: Mapping[str, Outcome], own_name: str) -> dict[str, Any]:
    """The answers of one node as plain data; null where a question was not answered."""
    value = {key: outcome.value if isinstance(outcome, Returned) else None for key, outcome in outcomes.items()}
    view: dict[str, Any] = {}
    for key in ("visible", "hidden", "known"):
        nodes = value[key]
        view[key] = sorted(str(node) for node in nodes if str(node) != own_name) if isinstance(nodes, list) else None
    for key in ("otp_release", "erts_version"):
        view[key] = None if value[key] is None else term.to_plain(value[key])
    view["creation"] = value["creation"]
    clock = value["uptime_seconds"]
    view["uptime_seconds"] = clock[0] // 1000 if isinstance(clock, tuple) else None
    ticktime = value["ticktime"]
    # While it changes: {ongoing_change_to, Seconds}.
    view["ticktime"] = ticktime[1] if isinstance(ticktime, tuple) else ticktime if isinstance(ticktime, int) else None
    release = int(view["otp_release"]) if str(view["otp_release"]).isdigit() else 0
    # What a node does where nothing is set: kernel_app.md of OTP 25 to 29.
    view["tickintensity"] = _set(value["tickintensity"], 4)
    view["prevent_overlapping_partitions"] = _set(value["prevent_overlapping_partitions"], release >= 25)
    view["connect_all"] = _set(value["connect_all"], True)
    view["auto_connect"] = _set(value["auto_connect"], "always")
    proto_dist = value["proto_dist"]
    view["proto_dist"] = term.to_plain(proto_dist[1][0][0]) if isinstance(proto_dist, tuple) and proto_dist[1][0] else "inet_tcp"
    view["global_groups"] = _groups(value["global_groups"])
    return view


def _groups(found: term.Term) -> list[str] | None:
    """The names in {Own, Others}; none where the node has no groups (global_group:global_groups/0)."""
    if found == _Atom("undefined"):
        return []
    if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[1], list):
        return None
    return [str(name) for name in (found[0], *found[1])]


def _set(value: term.Term, default: Any) -> Any:
    return term.to_plain(value[1]) if isinstance(value, tuple) and len(value) == 2 else default


def mesh(
    peers: Sequence[Peer], *, timeout: float, concurrency: int, relink: bool = False, members: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Ask each peer for its view, after all links were cut and made again where `relink` says so.

    `members`: nodes of the cluster, to ask each peer for what it has in force as well (`in_force`, see running_node.py); None: it is not asked.
    Returns `targets`, `missing`, `non_members`, `differs`, `whole` and `relinked`.
    """
    relinked = _relink(peers, timeout, concurrency) if relink else None
    by_node = {peer.node: peer for peer in peers}

    async def ask(link: Link) -> dict[str, Any]:
        peer = by_node[link.node]
        view = _view(dict(zip(_QUESTIONS, await link.call_all(list(_QUESTIONS.values())))), peer.name)
        if members is not None:
            # An answer with a cookie in it must not cross a network in clear text.
            secret = peer.cookie if peer.tls is not None or peer.host == peer.source else None
            view["in_force"] = await running_node.ask(link, members, secret, peer.name)
        return view

    targets: list[dict[str, Any]] = []
    for peer, result in zip(peers, converse_all(peers, timeout=timeout, concurrency=concurrency, then=ask)):
        entry = result.of_peer(peer)
        entry.update(in_force=None)
        entry.update(result.answer if result.connected else dict.fromkeys(_QUESTIONS))
        targets.append(entry)
    return dict(compare_views(targets), targets=targets, relinked=relinked)


def compare_views(targets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Who is missing from whom, who is there that was not asked for, and who differs.

    A node that could not be asked is missing from everybody's view that lacks it, and nothing is said of its own.
    """
    members = [target["node"] for target in targets]
    missing: list[dict[str, str]] = []
    non_members: list[dict[str, str]] = []
    for target in targets:
        if target["visible"] is None:
            continue
        seen = set(target["visible"])
        missing += [{"from": target["node"], "to": member} for member in members if member != target["node"] and member not in seen]
        non_members += [{"from": target["node"], "to": node} for node in sorted(seen.difference(members))]
    differs: list[dict[str, Any]] = []
    for key in COMPARED:
        values: dict[str, list[str]] = {}
        for target in targets:
            if target["visible"] is not None:
                values.setdefault(str(target[key]), []).append(target["node"])
        if len(values) > 1:
            differs.append({"what": key, "values": [{"value": value, "nodes": nodes} for value, nodes in sorted(values.items())]})
    asked = all(target["visible"] is not None for target in targets)
    return {"missing": missing, "non_members": non_members, "differs": differs, "whole": asked and not missing}


def _relink(peers: Sequence[Peer], timeout: float, concurrency: int) -> dict[str, Any]:
    """Cut all visible links of all peers, then have each connect to all others, trying again until the time is up.

    Each of the two is done on all nodes before the other begins: a link that one node made must not be cut by the next.
    """

    async def cut(link: Link) -> list[str]:
        (outcome,) = await link.call_all([_QUESTIONS["visible"]])
        nodes = list(outcome.value) if isinstance(outcome, Returned) else []
        await link.call_all([("erlang", "disconnect_node", [node]) for node in nodes])
        return [str(node) for node in nodes]

    cuts = converse_all(peers, timeout=timeout, concurrency=concurrency, then=cut)
    names = [peer.node for peer in peers]
    failed = {name: [other for other in names if other != name] for name in names}

    async def join(link: Link) -> None:
        wanted = failed[link.node]
        until = asyncio.get_running_loop().time() + timeout * 0.8
        while wanted:
            outcomes = await link.call_all([("net_kernel", "connect_node", [_Atom(name)]) for name in wanted])
            wanted[:] = [name for name, outcome in zip(wanted, outcomes) if outcome != Returned(_Atom("true"))]
            if not wanted or asyncio.get_running_loop().time() + 0.5 > until:
                return
            await asyncio.sleep(0.5)

    converse_all(peers, timeout=timeout, concurrency=concurrency, then=join)
    return {
        "cut": [{"from": name, "to": node} for name, result in zip(names, cuts) for node in (result.answer or [])],
        "failed": [{"from": name, "to": node} for name in names for node in failed[name]],
    }
