# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin `plan`, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Compute a BEAM cluster from the inventory and check it as a whole
version_added: "0.1.0"
description:
  - Reads the variables C(beam_*) of every member, in the run or not, and the observations of M(beam.cluster.observe) for hosts in the run, and
    computes one cluster.
  - Reports all errors at once, each with host, variable, rule and fix. It changes no host.
  - The argument spec of the role P(beam.cluster.plan#role) documents the variables and their defaults. Use that role instead of this module.
  - It checks secrets. No result and no message contains one.
options:
  requires:
    description:
      - The secrets that must be set. A secret that is set is always checked.
      - The CA's passphrase is not required if every member has its own certificate.
    type: list
    elements: str
    choices: [cookie, ca_passphrase]
    default: [cookie, ca_passphrase]
  preflight:
    description: Whether existing settings of a host that prevent the hardening are errors. Runs that change nothing set it to V(false).
    type: bool
    default: true
    version_added: 0.2.0
  compromised:
    description: Whether this run excludes the hosts in C(beam_compromised). They are then non-members, and nothing connects to them.
    type: bool
    default: false
    version_added: 0.2.0
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
  - beam.cluster.attributes.action
  - beam.cluster.attributes.controller
notes:
  - Run it with C(run_once), with the strategy C(linear) or another one that honours it.
  - The results of M(beam.cluster.observe) must be registered as C(__beam_observed).
seealso:
  - module: beam.cluster.observe
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Read the hosts
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
  description: The cluster. The role C(plan) sets it as the fact C(beam_plan).
  returned: success
  type: dict
  contains:
    group:
      description: Inventory group of the members.
      type: str
    name_type:
      description: Name type, V(short), V(long) or V(ip).
      type: str
    address_family:
      description: Address family, 4 or 6.
      type: int
    mode:
      description: C(beam_mode).
      type: str
    discovery:
      description: C(beam_discovery).
      type: str
    proto_dist:
      description: The C(-proto_dist) of the nodes - V(inet_tls), V(inet6_tls), V(inet_tcp), V(inet6_tcp) or V(none).
      type: str
    incompatible_nodes:
      description: >-
        Incompatible nodes, which cannot restart one at a time. They run with another C(-proto_dist), at another fixed port, or without our files,
        and their product treats a cut link as a split cluster.
      type: list
      elements: str
    full_stop:
      description: Whether a run may stop all nodes together if there are incompatible nodes.
      type: bool
    restart:
      description: What to do if the product refuses a restart, V(auto) or V(force).
      type: str
    restart_from:
      description: When nodes may restart (C(beam_restart_window)), empty for now.
      type: str
    reserved_flags:
      description: Flags of a VM that only the role distribution may set.
      type: list
      elements: str
    settings:
      description: The kernel parameters for network partitions, as set for the cluster. Those of one node are in its C(kernel).
      type: dict
    tls:
      description: Whether the nodes use TLS. The certificate files and versions of one node are in its C(tls), null without TLS.
      type: bool
    tls_versions:
      description: TLS versions, newest first.
      type: list
      elements: str
    epmd_port:
      description: Port of EPMD.
      type: int
    probe_name:
      description: The part of the probes' node name before the @.
      type: str
    ca_dir:
      description: Directory of the CA on the controller, null if none is needed or none is known.
      type: str
    crl:
      description: Whether nodes check for revoked certificates, see C(beam_pki_crl).
      type: bool
    revoke:
      description: What this run revokes, as C(beam_revoke) names it.
      type: list
      elements: str
    unrevoke:
      description: What this run accepts again, as C(beam_unrevoke) names it.
      type: list
      elements: str
    requires:
      description: The required secrets.
      type: list
      elements: str
    waivers:
      description: C(beam_waivers).
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
          description: Inventory name of its host, null if unknown.
          type: str
        address:
          description: Cluster address.
          type: str
        inet_tuple:
          description: The cluster address as an Erlang tuple.
          type: str
        ports:
          description: Its port range, C(first) and C(last).
          type: dict
        port:
          description: Its fixed port, null with EPMD.
          type: int
        hidden:
          description: Whether it is a hidden node.
          type: bool
    addresses:
      description: Addresses of all members.
      type: list
      elements: str
    hosts:
      description: The data of each host, by inventory name.
      type: dict
    departing:
      description: >-
        The departing hosts (C(beam_state) is V(absent)), by inventory name, with the data to remove their C(nodes). None of them is a member.
      type: dict
    departing_nodes:
      description: >-
        All nodes that leave, with the data to remove them. Those of departing hosts, and those with C(state) V(absent) in C(beam_nodes); a host has
        these in C(absent), too.
      type: list
      elements: dict
    outsiders:
      description: Hosts from which attacks run; empty means the controller.
      type: list
      elements: str
    changes:
      description: Pending changes of the hosts in the run, by inventory name.
      type: dict
    advisories:
      description: Advisories, which do not stop the run.
      type: list
      elements: dict
      contains:
        control:
          description: Name of the advisory - V(stale_host), V(one_network), V(shared_epmd), V(forgotten_node), V(cookies_of_other_users),
            V(sudo_refused), V(tool_refused), V(umask_narrowed), V(outside_tls) or V(clock_ahead).
          type: str
        severity:
          description: V(low), V(medium) or V(high).
          type: str
        host:
          description: Inventory name.
          type: str
        title:
          description: Short text.
          type: str
        detail:
          description: What was found.
          type: str
        fix:
          description: What to do.
          type: str
    vulnerabilities_file:
      description: C(beam_advisories_file) as an absolute path, null if it is not set.
      type: str
    compromised:
      description: >-
        What C(beam_compromised) means - C(names) as given, C(hosts) and their C(nodes), C(keys) of nodes whose host stays, C(cookie) and C(ca). Null
        in all runs but those of C(beam.cluster.compromised).
      type: dict
errors:
  description: All errors. The same error on many hosts is one entry.
  returned: failure
  type: list
  elements: dict
  contains:
    host:
      description: Inventory names as text; empty if the error belongs to the whole cluster.
      type: str
    hosts:
      description: All inventory names.
      type: list
      elements: str
    variable:
      description: The wrong variable; empty if the host itself is wrong.
      type: str
    rule:
      description: Name of the rule, for use in playbooks.
      type: str
    message:
      description: What is wrong.
      type: str
    fix:
      description: What to do.
      type: str
"""
