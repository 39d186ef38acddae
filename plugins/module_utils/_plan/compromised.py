# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known to somebody who must not know it: `beam_compromised` as the hosts, keys and secrets that it means.

Private to this collection. Read twice: before the first connection, because no run may connect to a host that somebody else controls, and in the
plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .._model.problems import Problems, join_names, shown
from .cluster import Compromised, Inventory
from .cluster_variables import Shape, read_cluster_value, read_shape
from .group import Hosts, lists_members, read_group
from .members import read_members
from .variable_names import MISSING

VARIABLE = "beam_compromised"
COOKIE, CA, KEY = "cookie", "ca", "key:"
_EXAMPLES = "a host or its node (n3, beam@n3), the key of a node whose host stays (key:beam@n3), cookie, or ca"


@dataclass(frozen=True)
class Population:
    """The nodes of each host, by inventory name: of members, and of hosts that leave."""

    present: Mapping[str, Sequence[str]]
    absent: Mapping[str, Sequence[str]]

    @classmethod
    def read(cls, inventory: Inventory) -> Population:
        """All that can be known without a connection. What is wrong with other variables is the plan's to report."""
        dropped = Problems()
        group, group_hosts = read_group(inventory, dropped)
        concerned = Hosts.read(inventory, group_hosts, dropped)
        shape = read_shape(inventory, group, concerned.present, dropped)
        everybody = Hosts((), (*concerned.present, *concerned.absent))
        nodes: dict[str, list[str]] = {host: [] for host in group_hosts}
        for node in read_members(inventory, shape, everybody, None, dropped).departing:
            nodes[node.host].append(str(node.node))
        return cls({host: nodes[host] for host in concerned.present}, {host: nodes[host] for host in concerned.absent})


def find_compromised(inventory: Inventory, problems: Problems) -> Compromised | None:
    """None where the variable is not set, or names nothing that makes sense."""
    value = read_cluster_value(inventory, VARIABLE, (), problems)
    if value in (MISSING, ""):
        return None
    names = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else []
    if not names:
        problems.add("", VARIABLE, "type", "the value names nothing.", f"name what is compromised, with commas between: {_EXAMPLES}.")
        return None
    if lists_members(inventory):
        problems.add(
            "", VARIABLE, "compromised_listed", "beam_members lists the members, so no group says which host is whose.",
            "describe the cluster by a group of the inventory for this run.",
        )
        return None
    return resolve(names, Population.read(inventory), problems)


def resolve(names: Sequence[str], population: Population, problems: Problems) -> Compromised | None:
    """All mistakes in the names, or what they mean."""
    wrong = Problems()
    hosts, keys, words = [], [], []
    host_of = {node: host for nodes in (population.absent, population.present) for host in nodes for node in nodes[host]}
    everybody = population.present.keys() | population.absent.keys()
    members = {node for nodes in population.present.values() for node in nodes}
    for name in dict.fromkeys(names):
        if name in (COOKIE, CA):
            words.append(name)
            if name in everybody:
                _add(wrong, "ambiguous", f"{name} is a host of this cluster, too.", "rename the host, or follow docs/compromised.md by hand.")
        elif name.startswith(KEY):
            node = name.removeprefix(KEY)
            keys.append(node)
            if node not in members:
                _add(wrong, "unknown", f"{shown(node)} is no member, so it has no key.", f"name one of {_known(sorted(members))}.")
        elif name in everybody or name in host_of:
            hosts.append(name if name in everybody else host_of[name])
        else:
            fix = f"name {_EXAMPLES}. The hosts are {_known(sorted(everybody))}."
            _add(wrong, "unknown", f"{shown(name)} is neither a host nor a node of this cluster.", fix)
    hosts = list(dict.fromkeys(hosts))
    for node in keys:
        if host_of.get(node) in hosts:
            _add(
                wrong, "key_of_compromised_host", f"the host of {node} is compromised, too, so the node gets no new key.",
                f"name either {host_of[node]} or {KEY}{node}.",
            )
    if hosts and population.present.keys() <= set(hosts):
        _add(
            wrong, "nobody_left", f"without {join_names(hosts)} no member would be left.",
            "build a new cluster on other hosts, with a new CA and a new cookie.",
        )
    for found in wrong:
        problems.add(found.host, found.variable, found.rule, found.message, found.fix)
    if wrong:
        return None
    nodes = [node for host in hosts for node in (population.present.get(host) or population.absent[host])]
    normal = (*hosts, *(f"{KEY}{node}" for node in dict.fromkeys(keys)), *dict.fromkeys(words))
    return Compromised(normal, tuple(hosts), tuple(nodes), tuple(dict.fromkeys(keys)), COOKIE in words or bool(hosts), CA in words)


def _add(problems: Problems, rule: str, message: str, fix: str) -> None:
    problems.add("", VARIABLE, f"compromised_{rule}", message, fix)


def _known(names: Sequence[str]) -> str:
    return join_names(names, most=20) or "none"


def required_secrets(found: Compromised, tls: bool) -> tuple[str, ...]:
    """The secrets that an answer needs, see `SECRETS_REQUIRED`. Without TLS there are no certificates."""
    return (*(["cookie"] if found.cookie else []), *(["ca_passphrase"] if tls and (found.hosts or found.keys or found.ca) else []))


def check_compromised(
    inventory: Inventory, shape: Shape, found: Compromised | None, present: Collection[str], bring_your_own: bool, problems: Problems
) -> None:
    """Rules of the plan. `present`: the hosts of the members that stay; `bring_your_own`: their certificates are the operator's own."""
    given = read_cluster_value(inventory, VARIABLE, (), Problems()) not in (MISSING, "")
    if given and not inventory.compromised:
        _add(
            problems, "other_playbook", "only beam.cluster.compromised reads it. Any other run would treat the host as a member.",
            "run beam.cluster.compromised. Afterwards remove the variable, and the host from the inventory.",
        )
    if inventory.compromised and not given:
        _add(problems, "missing", "it is not set.", f"name what is compromised: {_EXAMPLES}.")
    if not inventory.compromised or found is None:
        return
    outside = sorted(set(present) - inventory.run_set)
    if outside:
        _add(
            problems, "outside_run", f"{join_names(outside)}: not in this run, and would keep using what is stolen.",
            "run without --limit: the run leaves out compromised hosts by itself. Remove hosts that no longer exist from the inventory.",
        )
    if shape.mode and shape.mode != "cluster":
        _add(problems, "mode", f"beam_mode is {shape.mode}: the nodes do not connect to each other.", "nothing has to be done on the other hosts.")
    what = [*(f"{KEY}{node}" for node in found.keys), *([CA] if found.ca else [])]
    if what and not shape.tls:
        _add(problems, "no_tls", f"{join_names(what)}: the cluster has no TLS, so nodes have no keys and there is no CA.", "name a host, or cookie.")
    elif what and bring_your_own:
        _add(
            problems, "own_certificates", f"{join_names(what)}: the certificates are your own, and so is their CA.",
            "revoke them at your CA, replace the files of beam_pki_certificate, beam_pki_key and beam_pki_ca, and run beam.cluster.renew.",
        )


def check_ca(inventory: Inventory, directory: str | None, problems: Problems) -> None:
    """Nothing can be revoked or reissued without the CA that the nodes trust: a new one would only be made by cutting them off."""
    if directory is not None and not inventory.has_ca(directory):
        problems.add(
            "", "beam_pki_ca_dir", "ca_missing", f"{directory} has no root/key.pem with root/certificate.pem, so nothing can be revoked or reissued.",
            "name the directory of the CA that the nodes trust. If it is lost, move to a new CA as docs/lost_ca.md does.",
        )
