# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advisories of the plan: pending changes, hosts outside the run, shared networks, channels without TLS.

Private to this collection. Input: members, and observations by host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .._model import addresses
from .._model.advisories import Advisory
from .._model.observation import Observation
from .._model.problems import join_names
from .cluster import Change, Departing, Node
from .sandbox_rules import inherited_umask, is_hardened
from .units_and_users import CONFIGURATION
from .usage_rules import connecting


def member_changes(
    by_host: Mapping[str, Sequence[Node]], members: Sequence[Node], run: Iterable[str], observed: Mapping[str, Observation]
) -> dict[str, list[Change]]:
    """For each observed host of the run, what its own firewall table and its nodes' directories do not know of yet."""
    at: dict[str, list[str]] = {}
    for member in members:
        if not member.address.is_loopback:
            at.setdefault(str(member.address), []).append(str(member.node))
    found: dict[str, list[Change]] = {}
    for host in sorted(set(by_host).intersection(run, observed)):
        own = {str(node.node): str(node.address) for node in by_host[host]}
        present = _directories(observed[host].files or ())
        new = [node for node in sorted(own) if node not in present]
        news = [Change(f"{node} ({own[node]}) is new") for node in new]
        news += [Change(f"{node} is no member any more", removes=True) for node in sorted(present - set(own))]
        firewall = observed[host].firewall
        if firewall is not None and firewall.beam is not None:
            news += _firewall_changes(at, set(new), set(own.values()), set(firewall.beam.members))
        if news:
            found[host] = news
    return found


def _firewall_changes(at: Mapping[str, Sequence[str]], new: set[str], own: set[str], known: set[str]) -> list[Change]:
    """Addresses that a host's table gains and loses. `at`: address -> nodes. Nodes that are `new` on the host itself are reported already; the
    host's own addresses stay when its nodes are renamed."""
    changes = []
    for address in sorted(at.keys() - known, key=addresses.sort_key):
        nodes = [node for node in at[address] if node not in new]
        if nodes:
            changes.append(Change(f"{', '.join(nodes)} ({address}) is added"))
    return changes + [Change(f"{address} is removed", removes=True) for address in sorted(known - at.keys() - own)]


def departing_changes(departing: Sequence[Departing], observed: Mapping[str, Observation]) -> dict[str, list[Change]]:
    """For each observed host that leaves, the nodes of which it still has files."""
    found: dict[str, list[Change]] = {}
    for node in departing:
        if node.host in observed and str(node.node) in _directories(observed[node.host].files or ()):
            found.setdefault(node.host, []).append(Change(f"{node.node} leaves", removes=True))
    return found


def _directories(paths: Iterable[str]) -> set[str]:
    """Names of the nodes that have a directory of ours."""
    parts = [path.split("/") for path in paths if path.startswith(f"{CONFIGURATION}/")]
    return {part[3] for part in parts if "@" in part[3]}


def stale_hosts(by_host: Mapping[str, Sequence[Node]], run: Iterable[str], changed: Mapping[str, Sequence[Change]]) -> list[Advisory]:
    """Members outside the run whose files and rules do not know of what changes on the hosts in it."""
    news = list(dict.fromkeys(change for changes_of_host in changed.values() for change in changes_of_host))
    if not news:
        return []
    return [
        Advisory(
            "stale_host",
            "high" if any(change.removes for change in news) else "medium",
            host,
            "Host outside this run is out of date",
            f"{host} is a member and not in this run; its firewall, pinned names and allow list may not know: "
            f"{join_names((change.text for change in news), most=10)}.",
            f"Run for {host} too, without --limit.",
        )
        for host in sorted(set(by_host).difference(run))
    ]


def one_network(members: Sequence[Node], observed: Mapping[str, Observation]) -> list[Advisory]:
    """Cluster addresses on the interface of the default route."""
    found = []
    for member in members:
        seen = observed.get(member.host)
        for entry in (seen.addresses if seen else None) or ():
            if entry.address == str(member.address) and entry.default_route:
                found.append(
                    Advisory(
                        "one_network",
                        "low",
                        member.host,
                        "Cluster and public traffic share one network",
                        f"The cluster address {entry.address} of {member.node} is on {entry.interface}, the interface of the default route.",
                        "Give the cluster a network of its own where you can; only the firewall separates the two.",
                    )
                )
    return found


def shared_epmd(by_host: Mapping[str, Sequence[Node]], members: Sequence[Node], observed: Mapping[str, Observation]) -> list[Advisory]:
    """Nodes of another cluster on a member's host: they share its EPMD and its firewall table."""
    names = {part for member in members for part in (str(member.node), member.node.name)}
    directories = {host: _directories(seen.files or ()) for host, seen in observed.items()}
    found = []
    for host in sorted(set(by_host).intersection(observed)):
        processes = observed[host].processes or ()
        others = sorted({process.flags.name for process in processes if process.flags.name} - names - directories[host])
        if others:
            found.append(
                Advisory(
                    "shared_epmd",
                    "medium",
                    host,
                    "Nodes of another cluster on a member's host",
                    f"{join_names(others)} on {host} is not a member of this cluster and shares its host: one EPMD serves both clusters, and code in "
                    "that node runs behind this host's firewall.",
                    "Give each cluster hosts of its own.",
                )
            )
    return found


def forgotten_nodes(
    by_host: Mapping[str, Sequence[Node]], departing: Iterable[Departing], observed: Mapping[str, Observation]
) -> list[Advisory]:
    """Nodes that run with our files and that nobody describes any more: an entry of `beam_nodes` was removed, which does not stop a node."""
    described = {(node.host, str(node.node)) for node in departing}
    found = []
    for host in sorted(set(by_host).intersection(observed)):
        # A node that was renamed runs in the unit of a member until this run restarts it.
        units = {node.runtime.unit for node in by_host[host]}
        names = {str(node.node) for node in by_host[host]}
        directories = _directories(observed[host].files or ())
        for process in observed[host].processes or ():
            name = process.flags.name
            if name in directories - names and process.unit not in units and (host, name) not in described:
                found.append(
                    Advisory(
                        "forgotten_node",
                        "high",
                        host,
                        "A node that left beam_nodes still runs",
                        f"{name} runs on {host} in {process.unit or 'no unit'}, with the cookie and a certificate of the cluster, and is no member.",
                        f"Put it back into beam_nodes with state: absent (name: {name}, unit: {process.unit}), and run beam.cluster.site.",
                    )
                )
    return found


def cookies_of_other_users(members: Sequence[Node], tls: bool, observed: Mapping[str, Observation]) -> list[Advisory]:
    """Other users' cookie files with the cookie of a node that no run has hardened yet: what uses them stops working."""
    found = []
    for member in members:
        seen, unit = observed.get(member.host), member.runtime.unit
        copies = sorted((one.path, one.owner) for one in (seen.cookies_of_other_users if seen else None) or () if one.unit == unit)
        if seen and copies and not is_hardened(member, seen):
            listed = join_names(f"{path} ({owner})" for path, owner in copies)
            found.append(
                Advisory(
                    "cookies_of_other_users",
                    "medium",
                    member.host,
                    "Agents and tools with a copy of the cookie",
                    f"{listed} on {member.host} contain the cookie that {unit} has today. This run gives the node another one"
                    f"{' and lets it speak TLS only' if tls else ''}: what connects with a copy (a monitoring agent, a command line tool) no longer "
                    "reaches it.",
                    f"Let these run the node's own tool as {member.runtime.user}, or query the product by its own port (HTTP, Prometheus), and "
                    "remove the copies.",
                )
            )
    return found


def narrowed_umasks(members: Sequence[Node], observed: Mapping[str, Observation], given: Mapping[str, Sequence[str]]) -> list[Advisory]:
    """Nodes that no run has hardened yet, and whose new files every user may read only because nobody has said anything about it.
    given: directives of beam_service_directives by host."""
    found = []
    for member in (one for one in members if not any(text.startswith("UMask=") for text in given.get(one.host, ()))):
        seen, unit = observed.get(member.host), member.runtime.unit
        umask = inherited_umask(member, seen) if seen else None
        if seen and umask is not None and not umask & 0o004 and not is_hardened(member, seen):
            ours = member.runtime.data.raw.get("umask") or "0077"
            found.append(
                Advisory(
                    "umask_narrowed",
                    "low",
                    member.host,
                    "New files are no longer readable for every user",
                    f"No file sets UMask= for {unit} on {member.host}: what it creates today, every user can read (UMask={umask:04o}). This run sets "
                    f"UMask={ours}. A program that reads its new files as a user outside of its group (a web server, a backup) no longer can.",
                    f"Add the users of such programs to the group {member.runtime.group}, or set UMask={umask:04o} in the unit to keep it.",
                )
            )
    return found


def refused_sudo(members: Sequence[Node], observed: Mapping[str, Observation]) -> list[Advisory]:
    """Accounts of services that sudo knows by name. Whether the service itself calls it, or a job of its user, nobody can see."""
    found = []
    for member in members:
        seen = observed.get(member.host)
        account = ((seen.accounts if seen else None) or {}).get(member.runtime.user)
        if seen and account is not None and account.sudo and not account.login and not is_hardened(member, seen):
            found.append(
                Advisory(
                    "sudo_refused",
                    "medium",
                    member.host,
                    "The sandbox refuses sudo to a service",
                    f"{join_names(account.sudo)} on {member.host} lets {account.name}, the user of {member.runtime.unit}, start programs as another "
                    "user. In the sandbox such a program ends with an error (NoNewPrivileges=yes).",
                    "Where the service calls sudo, start a unit of its own instead, by a rule of polkit. Otherwise remove the rule.",
                )
            )
    return found


def refused_tools(members: Sequence[Node], observed: Mapping[str, Observation]) -> list[Advisory]:
    """Jobs and units of others that run the script of a release as a tool of its node. The script that still reaches it is there after the run."""
    found = []
    for member in members:
        seen, unit = observed.get(member.host), member.runtime.unit
        connects = connecting(((seen.units if seen else None) or {}).get(unit)) if member.runtime.data.raw.get("tool", True) else frozenset()
        tools = [one for one in (seen.settings if seen else None) or () if (one.unit, one.kind) == (unit, "tool") and one.name in connects]
        if tools:
            found.append(
                Advisory(
                    "tool_refused",
                    "medium",
                    member.host,
                    "Jobs that connect to the node by the release's own script",
                    f"{join_names(f'{one.place} ({one.name})' for one in tools)} on {member.host} runs the script of the release of {unit}, which "
                    "connects without TLS and with another cookie: a hardened node refuses it.",
                    f"Run {CONFIGURATION}/{member.node}/release {tools[0].name} ... there instead: the same over TLS, for root and "
                    f"{member.runtime.user}.",
                )
            )
    return found


def outside_tls(members: Sequence[Node], tls: bool) -> list[Advisory]:
    """What members say to each other in clear text although they speak TLS: a product's own channels, known by its data."""
    found = []
    for member in members if tls else ():
        caveat = member.runtime.data.outside_tls.get(member.address.version)
        if caveat:
            found.append(
                Advisory(
                    "outside_tls",
                    "high",
                    member.host,
                    "A channel beside the distribution is in clear text",
                    f"{member.node} ({member.runtime.product}, at an IPv{member.address.version} address): {caveat['what']}",
                    caveat["fix"],
                )
            )
    return found
