# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin `plan`, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Make a BEAM cluster from the inventory, and judge it as a whole
version_added: "0.1.0"
description:
  - Reads the variables C(beam_*) of every member, in the run or not, and what M(beam.cluster.observe) saw of those in the run,
    and makes one cluster of them.
  - Reports every mistake at once, each with host, variable, rule and fix. It touches no host.
  - The variables, with the defaults of those that belong to the whole cluster, are documented in the argument spec of the role
    P(beam.cluster.plan#role), which is how this is meant to be used.
  - Secrets are judged, and are in no result and no message.
options:
  requires:
    description:
      - The secrets that must be there. One that is there is judged in any case.
      - The CA's passphrase is not required where every member brings a certificate of its own.
    type: list
    elements: str
    choices: [cookie, ca_passphrase]
    default: [cookie, ca_passphrase]
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
  - beam.cluster.attributes.action
  - beam.cluster.attributes.controller
notes:
  - Run it with C(run_once), under the strategy C(linear) or another that honours it.
  - What M(beam.cluster.observe) saw must be registered as C(__beam_observed).
seealso:
  - module: beam.cluster.observe
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Look at the hosts
  beam.cluster.observe:
  register: __beam_observed

- name: Plan the cluster
  beam.cluster.plan:
  run_once: true
  register: planned

- name: Show the members
  ansible.builtin.debug:
    var: planned.plan.members
  run_once: true
"""

RETURN = r"""
plan:
  description: The cluster. The role C(plan) keeps it as the fact C(beam_plan).
  returned: success
  type: dict
  contains:
    group:
      description: Inventory group of the members.
      type: str
    name_type:
      description: Type of the node names - V(short), V(long) or V(ip).
      type: str
    address_family:
      description: Address family, 4 or 6.
      type: int
    mode:
      description: Shape of the cluster.
      type: str
    discovery:
      description: How nodes find each other's ports.
      type: str
    proto_dist:
      description: >-
        Transport of the distribution, as the flag C(-proto_dist) calls it - V(inet_tls), V(inet6_tls), V(inet_tcp), V(inet6_tcp) or V(none).
      type: str
    incompatible_nodes:
      description: >-
        Running nodes that cannot connect to their peers after a restart - started without our files, with another transport, or with a fixed port
        that is not used any more - of products that take a cut link for a split cluster. They cannot restart one at a time.
      type: list
      elements: str
    full_stop:
      description: Whether all nodes may be stopped at once where there are such.
      type: bool
    restart:
      description: What becomes of a restart that the product objects to, V(auto) or V(force).
      type: str
    settings:
      description: The kernel parameters that decide what a partition does, as the cluster wants them. Those of one node are its C(kernel).
      type: dict
    tls:
      description: Whether the nodes speak TLS. What one node shows and demands is its C(tls), null where it does not.
      type: bool
    tls_versions:
      description: TLS versions, newest first.
      type: list
      elements: str
    epmd_port:
      description: Port of epmd.
      type: int
    probe_name:
      description: The name in front of the @ that probes claim at the nodes.
      type: str
    ca_dir:
      description: Directory of the CA on the controller, null where none is needed and none is known.
      type: str
    requires:
      description: Secrets that had to be there.
      type: list
      elements: str
    waivers:
      description: Findings that are accepted for a time.
      type: list
      elements: dict
    members:
      description: Every node of the cluster, sorted by name.
      type: list
      elements: dict
      contains:
        node:
          description: Full name.
          type: str
        name:
          description: The part before the C(@).
          type: str
        host_part:
          description: The part after the C(@).
          type: str
        host:
          description: Inventory name of its host, null where that is unknown.
          type: str
        address:
          description: Cluster address.
          type: str
        inet_tuple:
          description: The same as Erlang writes it.
          type: str
        ports:
          description: Its port range, C(first) and C(last).
          type: dict
        port:
          description: The port where it listens, null where EPMD has to be asked.
          type: int
        hidden:
          description: Whether it joins hidden.
          type: bool
    addresses:
      description: Addresses of all members.
      type: list
      elements: str
    hosts:
      description: >-
        What each host needs to know, by inventory name. Each of its C(nodes) has the data of its product as C(product_data).
      type: dict
    departing:
      description: >-
        The hosts that leave the cluster (C(beam_state) is V(absent)), by inventory name, with what is needed to remove their C(nodes).
        None of them is a member.
      type: dict
    outsiders:
      description: Hosts to attack from; empty means the controller.
      type: list
      elements: str
    changes:
      description: What hosts of the run do not know of yet, by inventory name.
      type: dict
    advisories:
      description: What is worth knowing and no mistake.
      type: list
      elements: dict
      contains:
        control:
          description: Name of the advisory - V(stale_host), V(one_network), V(shared_epmd), V(outside_tls) or V(clock_ahead).
          type: str
        severity:
          description: V(low), V(medium) or V(high).
          type: str
        host:
          description: Inventory name.
          type: str
        title:
          description: What it is.
          type: str
        detail:
          description: What was seen.
          type: str
        fix:
          description: What to do.
          type: str
errors:
  description: Every mistake. The same one on many hosts is one entry.
  returned: failure
  type: list
  elements: dict
  contains:
    host:
      description: Inventory names for a reader; empty where the mistake is the whole cluster's.
      type: str
    hosts:
      description: All inventory names.
      type: list
      elements: str
    variable:
      description: Variable that is wrong; empty where it is the host.
      type: str
    rule:
      description: Name of the rule, to branch on.
      type: str
    message:
      description: What is wrong.
      type: str
    fix:
      description: What to do.
      type: str
"""
