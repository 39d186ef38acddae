# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way in: an inventory is validated as a whole, and becomes a cluster where no rule is broken.

Private to this collection. No rule stops at its first mistake, and nothing is touched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._model.addresses import Address
from .._model.advisories import Advisory
from .._model.problems import Problems
from .._model.waivers import Waiver, read_waivers
from . import (
    advisories,
    consistency,
    existing_name_rules,
    existing_service_rules,
    host_rules,
    name_lengths,
    network_rules,
    platform_rules,
    sandbox_rules,
    settings_rules,
    usage_rules,
)
from .cluster import Cluster, Inventory, Node, Transition
from .cluster_variables import Shape, host_flag, read_cluster_value, read_outsiders, read_shape, read_vulnerabilities_file
from .compromised import check_ca, check_compromised, find_compromised, required_secrets
from .group import Hosts, read_group
from .members import Membership, read_listed, read_members
from .restart_window import VARIABLE as RESTART_WINDOW
from .restart_window import read_window
from .revocation_variables import read_revocation
from .secret_variables import check_certificate, check_certificates, check_secrets, read_ca_dir
from .variable_names import MISSING


def plan(inventory: Inventory, problems: Problems) -> Cluster | None:
    """Judges the whole inventory. None where `problems` holds any, and then it holds all that can be known at once."""
    group, group_hosts = read_group(inventory, problems)
    listed = read_listed(inventory, problems)
    if listed is not None:
        homes = {node.host for node in listed}
        group_hosts = tuple(host for host in inventory.run if host in homes)
    stolen = find_compromised(inventory, problems) if inventory.compromised else None
    concerned = Hosts.read(inventory, group_hosts, problems, leaving=stolen.hosts if stolen else ())
    # Of a host that leaves nothing is asked: neither address nor ports nor secrets.
    present = concerned.present
    shape = read_shape(inventory, group, present, problems)
    membership = read_members(inventory, shape, concerned, listed, problems)
    membership = replace(membership, members=tuple(_as_it_runs(inventory, node) for node in membership.members))
    members, by_host = membership.members, membership.by_host()
    waivers = _read_waivers(inventory, membership, present, problems)
    outsiders = read_outsiders(inventory, present, problems)
    vulnerabilities_file = read_vulnerabilities_file(inventory, present, problems)
    window = read_window(read_cluster_value(inventory, RESTART_WINDOW, present, problems), problems)

    _check_members(inventory, shape, members, problems)
    name_type = consistency.common_name_type(members, problems)
    address_family = consistency.common_address_family(membership, problems)
    proto_dist = _proto_dist(shape, address_family)

    bring_your_own = check_certificates(inventory, present, problems)
    # A run on hosts that leave signs nothing and shows no cookie to anybody.
    required = inventory.requires if not concerned.absent or inventory.run_set.intersection(present) else ()
    if inventory.compromised:
        required = required_secrets(stolen, shape.tls) if stolen else ()
    signs = "ca_passphrase" in required and not bring_your_own

    addresses = tuple(dict.fromkeys(node.address for node in members))
    issues_names = not bring_your_own and shape.tls
    known = {*(str(node.node) for node in members), *(str(node.node) for node in membership.departing)}
    hosts = _check_hosts(inventory, shape, present, by_host, addresses, proto_dist, known, issues_names=issues_names, problems=problems)
    check_compromised(inventory, shape, stolen, present, bring_your_own, problems)
    check_secrets(inventory, shape, present, bring_your_own, required, problems)
    ca_dir = read_ca_dir(inventory, shape, group, present, signs, problems)
    if inventory.compromised and signs and shape.tls:
        check_ca(inventory, ca_dir, problems)
    revocation = read_revocation(inventory, shape, present, bring_your_own, problems)
    if problems:
        return None

    changes = {
        **advisories.member_changes(by_host, members, inventory.run_set, inventory.observed),
        **advisories.departing_changes([node for node in membership.departing if node.host not in by_host], inventory.observed),
    }
    return Cluster(
        group=group,
        name_type=name_type,
        address_family=address_family,
        mode=shape.mode,
        discovery=shape.discovery,
        proto_dist=proto_dist,
        settings=shape.settings,
        tls=shape.tls,
        tls_versions=shape.tls_versions,
        ca_dir=ca_dir,
        revocation=revocation,
        requires=tuple(required if inventory.compromised else inventory.requires),
        waivers=waivers,
        members=members,
        run=inventory.run_set,
        interfaces=hosts.interfaces,
        firewalls=hosts.firewalls,
        without_ipv6=frozenset(host for host in present if inventory.seen(host).ipv6 is False),
        outsiders=outsiders,
        advisories=(
            *hosts.advisories,
            *advisories.one_network(members, inventory.observed),
            *advisories.stale_hosts(by_host, inventory.run_set, changes),
            *advisories.shared_epmd(by_host, members, inventory.observed),
            *advisories.forgotten_nodes(by_host, membership.departing, inventory.observed),
            *advisories.cookies_of_other_users(members, shape.tls, inventory.observed),
            *advisories.refused_tools(members, inventory.observed),
            *advisories.refused_sudo(members, inventory.observed),
            *advisories.narrowed_umasks(members, inventory.observed, inventory.sandbox),
            *advisories.outside_tls(members, shape.tls),
        ),
        vulnerabilities_file=vulnerabilities_file,
        compromised=stolen,
        transition=Transition(
            incompatible_nodes=tuple(sorted(hosts.incompatible)),
            full_stop=shape.full_stop,
            restart=shape.restart,
            departing=membership.departing,
            changes=changes,
            window_opens=window.opens(inventory.now) if window else None,
        ),
    )


@dataclass
class _OfHosts:
    """What the rules about single hosts found for the cluster."""

    interfaces: dict[tuple[str, str], str] = field(default_factory=dict)
    firewalls: dict[str, str] = field(default_factory=dict)
    incompatible: list[str] = field(default_factory=list)
    advisories: list[Advisory] = field(default_factory=list)


def _check_members(inventory: Inventory, shape: Shape, members: tuple[Node, ...], problems: Problems) -> None:
    """The rules about the members together."""
    consistency.check_names(members, shape, problems)
    consistency.check_listeners(members, shape, problems)
    consistency.check_fixed_ports(members, shape, problems)
    consistency.check_settings(inventory, members, shape, problems)
    consistency.check_products(members, shape, problems)
    consistency.check_product_ports(members, problems)
    consistency.check_loopback_names(members, shape, problems)
    consistency.check_hidden_hosts(inventory, members, problems)


def _check_hosts(
    inventory: Inventory, shape: Shape, present: Sequence[str], by_host: Mapping[str, Sequence[Node]], addresses: Sequence[Address], proto_dist: str,
    known: Collection[str], *, issues_names: bool, problems: Problems,
) -> _OfHosts:
    """The rules about each host and its nodes. addresses: of all members. known: members and nodes that leave. issues_names: our CA writes the names
    of the nodes into certificates."""
    found = _OfHosts()
    for host in present:
        nodes, observed = by_host.get(host, []), inventory.seen(host)
        found.interfaces.update(host_rules.check_addresses(inventory, shape, host, nodes, observed, problems))
        host_rules.check_ports_in_use(host, nodes, observed, problems)
        host_rules.check_ephemeral_ports(host, nodes, observed, problems)
        found.firewalls[host] = host_rules.read_firewall(inventory, host, observed, problems)
        if inventory.preflight and found.firewalls[host] != "external":
            host_rules.check_cut_off(inventory, host, nodes, observed, problems)
            host_rules.check_ephemeral_ports(host, nodes, observed, problems, further=True)
        host_rules.check_otp(host, observed, problems)
        platform_rules.validate_platform(host, observed.distribution, host_flag(inventory, "beam_platform_untested", host, problems), problems)
        if inventory.preflight:
            _preflight_host(inventory, shape, host, problems)
            existing_service_rules.check_starts(host, nodes, observed, problems)
        for node in nodes:
            name_lengths.check_name_lengths(node, issues_names, problems)
            if inventory.preflight:
                _preflight_node(inventory, shape, node, problems)
                settings_rules.check_peers(node, known, observed, problems)
                if shape.mode != "off":
                    network_rules.check_network(inventory, node, addresses, observed, problems)
        found.advisories += host_rules.check_clock(host, observed, inventory.backdate_seconds, problems)
        found.incompatible += host_rules.incompatible_nodes(nodes, observed, proto_dist, shape)
    return found


def _as_it_runs(inventory: Inventory, node: Node) -> Node:
    """A node with what its service may do beside the product's data: the directories that the operator's configuration names, the capabilities that
    its unit has."""
    seen = inventory.seen(node.host)
    if not node.host or not seen:
        return node
    shown = (seen.units or {}).get(node.runtime.unit)
    directories = [f"-{path}" for path in sandbox_rules.writable_directories(node, seen)]
    data = node.runtime.data.extended(
        capabilities=sandbox_rules.kept_capabilities(node, seen),
        umask=sandbox_rules.kept_umask(node, seen),
        restart=sandbox_rules.kept_restart(node, seen),
        directives=sandbox_rules.kept_directives(node, seen),
        release=shown.release if shown else None,
        writable=[*node.runtime.data.writable, *directories] if directories else None,
    )
    # The account of a release is the operator's, and need not have a group of its own name.
    account = (seen.accounts or {}).get(node.runtime.user) if data.kind in ("release", "couchdb") else None
    return replace(node, runtime=replace(node.runtime, data=data, group=account.group if account and account.group else node.runtime.group))


def _preflight_host(inventory: Inventory, shape: Shape, host: str, problems: Problems) -> None:
    observed = inventory.seen(host)
    host_rules.check_privilege(host, observed, bool(inventory.requires), problems)
    host_rules.check_systemd(host, observed, problems)
    host_rules.check_obstacles(host, observed, problems)
    host_rules.check_nftables_service(inventory, host, observed, problems)
    existing_service_rules.check_epmd(host, observed, problems)
    if shape.uses_epmd and shape.mode != "off":
        existing_service_rules.check_epmd_masked(host, observed, problems)
        existing_service_rules.check_epmd_unit(host, observed, problems)
        existing_service_rules.check_epmd_drop_ins(host, observed, problems)
    host_rules.check_given_otp(inventory, host, observed, problems)
    host_rules.check_interpreter(host, observed, shape.tls, problems)


def _preflight_node(inventory: Inventory, shape: Shape, node: Node, problems: Problems) -> None:
    seen = inventory.seen(node.host)
    settings_rules.check_settings(node, seen, problems)
    settings_rules.check_script(node, shape.mode, seen, problems)
    settings_rules.check_ignored(node, shape.settings, seen, problems)
    existing_service_rules.check_drop_ins(node, seen, problems)
    existing_service_rules.check_unit_names(node, seen, problems)
    existing_service_rules.check_unit(node, seen, problems)
    existing_service_rules.check_elsewhere(node, shape.uses_epmd, seen, problems)
    existing_service_rules.check_home(node, seen, problems)
    existing_service_rules.check_block_files(node, seen, problems)
    existing_service_rules.check_client_ports(node, seen, problems)
    existing_service_rules.check_accounts(node, seen, problems)
    check_certificate(inventory, node, seen, problems)
    existing_name_rules.check_name(node, seen, problems)
    sandbox_rules.check_sandbox(inventory, node, seen, problems)
    sandbox_rules.check_directories(inventory, node, seen, problems)
    sandbox_rules.check_unusable(inventory, node, seen, problems)
    sandbox_rules.check_privileged(inventory, node, seen, problems)
    sandbox_rules.check_stop(node, seen, problems)
    usage_rules.check_companions(inventory, node, seen, problems)
    usage_rules.check_privileged_commands(inventory, node, seen, problems)
    usage_rules.check_hidden_paths(inventory, node, seen, problems)
    usage_rules.check_tools(node, seen, problems)
    usage_rules.check_home_files(node, seen, problems)
    sandbox_rules.check_profiles(node, seen, problems)
    sandbox_rules.check_directives(inventory, node, seen, problems)
    sandbox_rules.check_umask(inventory, node, seen, problems)


def _read_waivers(inventory: Inventory, membership: Membership, present: tuple[str, ...], problems: Problems) -> tuple[Waiver, ...]:
    value = read_cluster_value(inventory, "beam_waivers", present, problems)
    if value is MISSING:
        return ()
    subjects = {host for group in inventory.groups.values() for host in group}
    subjects.update(str(node.node) for node in membership.members)
    subjects.update(str(node.node) for node in membership.departing)
    # Where other mistakes hide members, a waiver may be about one of them.
    return read_waivers(value, inventory.controls, None if problems else subjects, inventory.today, problems)


def _proto_dist(shape: Shape, address_family: int) -> str:
    """The transport of the distribution, as -proto_dist calls it."""
    if shape.mode == "off":
        return "none"
    return f"inet{'6' if address_family == 6 else ''}_{'tls' if shape.tls else 'tcp'}"
