# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no mistake and still worth knowing before anything is touched: changes, hosts that will be out of date, a network too few.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._model import addresses
from .._model.problems import named
from .cluster import CONFIGURATION, Change, Former, Node


def finding(control: str, severity: str, host: str, title: str, detail: str, fix: str) -> dict[str, str]:
    """The shape in which findings travel to the report."""
    return {"control": control, "severity": severity, "host": host, "title": title, "detail": detail, "fix": fix}


def changes(members: Sequence[Node], run: Iterable[str], observed: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Change]]:
    """For each observed host of the run, what its own firewall table and its nodes' directories do not know of yet."""
    found: dict[str, list[Change]] = {}
    for host in sorted({member.host for member in members if member.host}.intersection(run, observed)):
        own = {str(member.node): str(member.address) for member in members if member.host == host}
        present = _directories(observed[host].get("files") or ())
        new = [node for node in sorted(own) if node not in present]
        news = [Change(f"{node} ({own[node]}) is new") for node in new]
        news += [Change(f"{node} is no member any more", removes=True) for node in sorted(present - set(own))]
        table = (observed[host].get("firewall") or {}).get("beam")
        if table is not None:
            known = [member for member in members if str(member.node) not in new and not member.address.is_loopback]
            news += _in_the_firewall(known, set(own.values()), set(table["members"]))
        if news:
            found[host] = news
    return found


def departures(leaving: Sequence[Former], observed: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Change]]:
    """For each observed host that is to be without, the nodes of which it still holds something."""
    found: dict[str, list[Change]] = {}
    for node in leaving:
        if str(node.node) in _directories((observed.get(node.host) or {}).get("files") or ()):
            found.setdefault(node.host, []).append(Change(f"{node.node} leaves", removes=True))
    return found


def _directories(files: Iterable[Mapping[str, Any]]) -> set[str]:
    """Names of the nodes that have a directory of ours."""
    parts = [str(entry["path"]).split("/") for entry in files if str(entry["path"]).startswith(f"{CONFIGURATION}/")]
    return {part[3] for part in parts if "@" in part[3]}


def _in_the_firewall(members: Sequence[Node], own: set[str], known: set[str]) -> list[Change]:
    """Addresses that come and go. C(members) are those that are not new anyway; the host's own addresses do not go when its nodes are renamed."""
    nodes: dict[str, list[str]] = {}
    for member in members:
        nodes.setdefault(str(member.address), []).append(str(member.node))
    added = sorted(set(nodes) - known, key=addresses.sort_key)
    removed = sorted(known - set(nodes) - own)
    return [Change(f"{', '.join(nodes[address])} ({address}) is added") for address in added] + [
        Change(f"{address} is removed", removes=True) for address in removed
    ]


def stale_hosts(members: Sequence[Node], run: Iterable[str], changed: Mapping[str, Sequence[Change]]) -> list[dict[str, str]]:
    """Members outside the run whose files and rules do not know of what changes on the hosts in it."""
    news = list(dict.fromkeys(change for changes_of_host in changed.values() for change in changes_of_host))
    if not news:
        return []
    return [
        finding(
            "stale_host",
            "high" if any(change.removes for change in news) else "medium",
            host,
            "Host outside this run is out of date",
            f"{host} is a member and not in this run; its firewall, pinned names and allow list may not know: "
            f"{named((change.text for change in news), most=10)}.",
            f"Run for {host} too, without --limit.",
        )
        for host in sorted({member.host for member in members if member.host}.difference(run))
    ]


def one_network(members: Sequence[Node], observed: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Cluster addresses on the interface of the default route."""
    found = []
    for member in members:
        for entry in observed.get(member.host, {}).get("addresses") or ():
            if entry["address"] == str(member.address) and entry["default_route"]:
                found.append(
                    finding(
                        "one_network",
                        "low",
                        member.host,
                        "Cluster and public traffic share one network",
                        f"The cluster address {entry['address']} of {member.node} is on {entry['interface']}, the interface of the default route.",
                        "Give the cluster a network of its own where you can; the firewall is all that stands between here and there.",
                    )
                )
    return found


def shared_epmd(members: Sequence[Node], observed: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Nodes of somebody else on a member's host: they have one epmd with ours, and one firewall table."""
    names = {part for member in members for part in (str(member.node), member.node.name)}
    directories = {host: _directories(seen.get("files") or ()) for host, seen in observed.items()}
    found = []
    for host in sorted({member.host for member in members if member.host}.intersection(observed)):
        processes = observed[host].get("processes") or ()
        others = sorted({str(process["node"]) for process in processes if process.get("node")} - names - directories[host])
        if others:
            found.append(
                finding(
                    "shared_epmd",
                    "medium",
                    host,
                    "Nodes of another cluster on a member's host",
                    f"{named(others)} on {host} is no member of this cluster and shares its host: one epmd tells both clusters' names, and whoever "
                    "runs code there is behind this host's firewall.",
                    "Give each cluster hosts of its own.",
                )
            )
    return found


def outside_tls(members: Sequence[Node], tls: bool) -> list[dict[str, str]]:
    """What members say to each other in clear text although they speak TLS: a product's own channels, known by its data."""
    found = []
    for member in members if tls else ():
        caveat = member.caveats.get(member.address.version)
        if caveat:
            found.append(
                finding(
                    "outside_tls",
                    "high",
                    member.host,
                    "A channel beside the distribution is in clear text",
                    f"{member.node} ({member.product}, at an IPv{member.address.version} address): {caveat['what']}",
                    caveat["fix"],
                )
            )
    return found
