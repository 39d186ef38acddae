#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host and changes nothing. The action plugin of the same name adds what only the controller knows."""

from __future__ import annotations

DOCUMENTATION = r"""
module: observe
short_description: Look at a host, whole and once, before a BEAM cluster is planned on it or evaluated
version_added: "0.1.0"
description:
  - Reads what matters for a BEAM cluster from a host - addresses, clock, Erlang/OTP, firewalls, systemd units, listeners, BEAM processes, the
    certificates and the files of this collection. It changes nothing. The only program that it speaks to is EPMD on the host itself, which it asks
    for the names it knows.
  - It needs no tool on the host beside Python, works where nothing is installed yet, and needs no privilege. Without privilege it does not see
    who owns the sockets of other users, the environment of their processes, and the firewall's rules.
  - What it cannot see is null, never an empty list, and C(unknown) says why.
  - It returns what is on a list of things to return, and nothing else. No argument list, no value of an environment variable and no content of
    a file leaves the host.
  - Text that local users of the host can choose is safe to print, characters that are not printable are returned as V(\\xNN).
options:
  units:
    description:
      - More systemd units to look at, beside the firewalls', epmd's, those that BEAM processes run in, and those that have a drop-in of this
        collection. The sandbox of all services but the firewalls' and epmd's is rated.
    type: list
    elements: str
    default: []
  files:
    description:
      - More files to look at, beside this collection's own. The content of files is never returned, of certificates (C(*.pem), C(*.crt), C(*.cer))
        some fields are.
    type: list
    elements: path
    default: []
  epmd_port:
    description: Port of EPMD on this host.
    type: int
    default: 4369
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
  - beam.cluster.attributes.action
attributes:
  platform:
    platforms: linux
seealso:
  - module: beam.cluster.plan
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Look at the hosts
  beam.cluster.observe:
  register: seen

- name: Show who listens on epmd's port
  ansible.builtin.debug:
    var: seen.epmd
"""

RETURN = r"""
epoch:
  description: The host's clock, in seconds since 1970-01-01T00:00:00Z.
  returned: success
  type: float
skew_seconds:
  description: Host minus controller, as far as it is proven. 0 where the host's time lies within the round trip.
  returned: success
  type: float
python:
  description: Version of the Python that ran on the host.
  returned: success
  type: str
privileged:
  description: Whether it ran as root.
  returned: success
  type: bool
hostname:
  description: The host's own name.
  returned: success
  type: str
init:
  description: V(systemd), or the name of the first process where it is something else.
  returned: success
  type: str
distribution:
  description: C(id), C(version_id) and C(codename) from C(os-release).
  returned: success
  type: dict
addresses:
  description: Every address of the host, null where the kernel does not list them all.
  returned: success
  type: list
  elements: dict
  contains:
    interface: {type: str, description: "Name of the interface."}
    address: {type: str, description: "The address."}
    family: {type: int, description: "4 or 6."}
    prefix: {type: int, description: "Length of the network's prefix."}
    default_route: {type: bool, description: "Whether the interface carries a default route of this family."}
otp:
  description: Erlang/OTP as installed, and as apt offers it.
  returned: success
  type: dict
  contains:
    installed: {type: bool, description: "Whether there is one."}
    release:
      description: Major release.
      type: str
      sample: "27"
    version:
      description: Full version.
      type: str
      sample: "27.3.4.1"
    root: {type: str, description: "Directory of the installation."}
    erl: {type: str, description: "Path of C(erl)."}
    ssl: {type: bool, description: "Whether the application C(ssl) is there."}
    candidate: {type: str, description: "The version of C(erlang-base) that apt would install."}
    candidate_release: {type: str, description: "Its major release."}
otp_roots:
  description: Each installation of Erlang/OTP - the host's own, and those that the BEAM processes were started from.
  returned: success
  type: list
  elements: dict
  contains:
    root: {type: str, description: "Its directory, as the process sees it."}
    release:
      description: Major release, null where it cannot be read.
      type: str
      sample: "27"
    version:
      description: Full version, null where there is no file C(OTP_VERSION), as in releases that bring their own runtime.
      type: str
      sample: "27.3.4.1"
    pids: {type: list, elements: int, description: "The processes that run from it."}
firewall:
  description: The firewall in charge, and what this collection's own table lets in.
  returned: success
  type: dict
  contains:
    nft: {type: bool, description: "Whether nftables' program is there."}
    readable: {type: bool, description: "Whether the ruleset could be read. Where not, nothing is known of it."}
    drops_by_default:
      description: Whether a table other than ours drops what comes in and matches no rule. Null where the ruleset cannot be read.
      type: bool
    in_charge: {type: str, description: "V(firewalld), V(ufw), V(nftables) or V(none)."}
    at_boot: {type: bool, description: "Whether the unit that loads our table is enabled. Null without systemd."}
    beam:
      description: Our table, null where it is not loaded, or cannot be read (see C(readable)).
      type: dict
      contains:
        members: {type: list, elements: str, description: "Elements of its sets of addresses."}
        own: {type: list, elements: str, description: "Elements of its sets of the host's own addresses."}
        ports: {type: list, elements: list, description: "Pairs of first and last port that it guards."}
        dormant: {type: bool, description: "Whether the kernel is told not to use the table."}
        hooks:
          description: The hooks of its base chains.
          type: list
          elements: str
          sample: [input, output]
        admits:
          description:
            - All TCP packets that the table lets in, worked out from its rules. What is in no entry, it drops. Null where the rules are more than
              can be worked out.
          type: list
          elements: dict
          contains:
            family: {type: int, description: "4 or 6."}
            sources:
              description: Addresses, networks and ranges (V(10.0.0.1-10.0.0.9)) that may come in, null for all.
              type: list
              elements: str
            destinations: {type: list, elements: str, description: "The same of the addresses that they may come to."}
            ports: {type: list, elements: list, description: "Pairs of first and last port."}
            loopback: {type: bool, description: "Whether this is about packets over the interface C(lo) only."}
            certain: {type: bool, description: "Whether the rule has no condition that was not understood. Otherwise it may let in less."}
            rule: {type: str, description: "The rule."}
ephemeral_ports:
  description: The ports that the kernel gives to outgoing connections, null where they cannot be read.
  returned: success
  type: dict
  contains:
    range:
      description: First and last.
      type: list
      elements: int
      sample: [32768, 60999]
    reserved: {type: list, elements: list, description: "Pairs of first and last that are left out."}
listeners:
  description: Every listening TCP socket, with its owner as far as that is known. Null where the kernel's table cannot be read.
  returned: success
  type: list
  elements: dict
  contains:
    address: {type: str, description: "Address it is bound to."}
    port: {type: int, description: "Its port."}
    family: {type: int, description: "4 or 6."}
    pid: {type: int, description: "Process that holds it."}
    process: {type: str, description: "Name of that process."}
    unit: {type: str, description: "systemd unit that it belongs to."}
    user: {type: str, description: "User it runs as."}
processes:
  description: BEAM virtual machines and epmds of this host.
  returned: success
  type: list
  elements: dict
  contains:
    pid: {type: int, description: "Number of the process."}
    process: {type: str, description: "V(beam.smp), V(beam) or V(epmd)."}
    user: {type: str, description: "User it runs as."}
    unit: {type: str, description: "systemd unit that it belongs to."}
    node: {type: str, description: "Name that it was started with."}
    flags:
      description: What its command line says of the distribution. The command line itself is not returned.
      type: dict
      contains:
        name: {type: str, description: "Value of C(-name) or C(-sname)."}
        long_names: {type: bool, description: "Whether it was C(-name)."}
        hidden: {type: bool, description: "Whether C(-hidden) is given."}
        proto_dist: {type: str, description: "Last value of C(-proto_dist), V(inet_tcp) without one."}
        proto_dist_given: {type: int, description: "How often C(-proto_dist) is given. Before OTP 27.1 the VM ignores it when it is given twice."}
        ssl_options_file: {type: str, description: "Value of C(-ssl_dist_optfile)."}
        args_files: {type: list, elements: str, description: "Argument files, named on the command line or in the C(ERL_*FLAGS) of its environment."}
        config_files: {type: list, elements: str, description: "Values of C(-config)."}
        kernel: {type: dict, description: "Parameters of the application kernel that concern the distribution."}
        fixed_port: {type: str, description: "Value of C(-erl_epmd_port)."}
        listens: {type: bool, description: "Whether it listens for peers, V(false) with C(-dist_listen false)."}
        cookie:
          description:
            - What of a cookie the command line holds - V(none), V(ignored) (words that do not count and are not the cookie, so that the VM takes the
              cookie file), V(unknown) (such words, and the cookie file could not be read), or V(value) (a word is the cookie of the node).
          type: str
        arguments_read: {type: bool, description: "Whether the command line could be read."}
    digest: {type: str, description: "Digest of the configuration that it was started with, from its environment."}
    started: {type: float, description: "When it began, in seconds since 1970."}
    core_limit: {type: int, description: "Its soft limit of core dumps in bytes, V(-1) for none."}
    home: {type: str, description: "Its home directory."}
    root: {type: str, description: "Root directory of its Erlang/OTP."}
    container: {type: bool, description: "Whether it runs in a container on this host."}
    vm:
      description: The OTP that it runs, which is not always the one on disk. Null for epmd, and where this user may not look.
      type: dict
      contains:
        executable: {type: str, description: "Path of the program.", sample: /usr/lib/erlang/erts-15.2.7/bin/beam.smp}
        otp_root: {type: str, description: "The installation that it belongs to, null where the path does not say so.", sample: /usr/lib/erlang}
        erts: {type: str, description: "Version of its ERTS.", sample: 15.2.7}
        installed_erts: {type: str, description: "ERTS version that a start would use now, null where unknown.", sample: 15.2.7}
        version: {type: str, description: "Version of the OTP that runs. Null where its files were replaced and it is not known.", sample: 27.3.4.1}
        package:
          description: >-
            C(name) of its Debian package, the C(installed) version, and the version with which it was C(started), from dpkg's log. Null where it came
            another way.
          type: dict
        replaced: {type: list, elements: str, description: "Its program and libraries that were deleted or replaced since it was started."}
contained:
  description: BEAM processes in containers on this host, as RV(processes).
  returned: success
  type: list
  elements: dict
units:
  description: systemd's view of each unit, by name. Null where systemd does not answer.
  returned: success
  type: dict
  contains:
    load: {type: str, description: "V(loaded), V(not-found), V(masked)."}
    active: {type: str, description: "State of the unit."}
    sub: {type: str, description: "State in detail."}
    enabled: {type: str, description: "Whether it starts at boot."}
    fragment: {type: str, description: "The unit's file."}
    drop_ins: {type: list, elements: str, description: "The drop-ins, in the order in which systemd reads them."}
    need_daemon_reload: {type: bool, description: "Whether files changed since systemd read them."}
    main_pid: {type: int, description: "Main process, 0 for none."}
    user: {type: str, description: "User as the unit has it, empty for root, null for a unit that has none (a target)."}
    core_limit: {type: str, description: "C(LimitCORE)."}
    after: {type: list, elements: str, description: "Units that it starts after."}
    requires: {type: list, elements: str, description: "Units that it requires."}
    exposure: {type: float, description: "Overall exposure level of C(systemd-analyze security), 0 to 10. Null where it was not rated."}
    environment_names:
      description: Names of the variables that it sets, those of its environment files included. Null where one of the files cannot be read.
      type: list
      elements: str
    environment_files:
      description: Its environment files in their order, with C(-) in front where the file may be missing.
      type: list
      elements: str
    digest: {type: str, description: "Digest of the configuration that a process started now would get."}
files:
  description: This collection's files and those asked for.
  returned: success
  type: list
  elements: dict
  contains:
    path: {type: str, description: "The path."}
    kind: {type: str, description: "V(file), V(directory), V(link) or V(other)."}
    mode:
      description: Permission bits.
      type: str
      sample: "0644"
    owner: {type: str, description: "Its user."}
    group: {type: str, description: "Its group."}
    size: {type: int, description: "Size in bytes."}
    sha256: {type: str, description: "SHA-256 of a file that everybody may read."}
    replaceable_by:
      description:
        - Users other than root who may write a directory above it, so that they can put another file in its place. V(everybody), C(group NAME),
          or a user's name. Null where a directory cannot be looked at.
      type: list
      elements: str
    replaceable_through: {type: list, elements: str, description: "Those directories."}
missing:
  description: The O(files) that do not exist. One that is neither here nor in RV(files) is behind a directory that cannot be read.
  returned: success
  type: list
  elements: str
certificates:
  description: The certificates in RV(files), several of one file in their order.
  returned: success
  type: list
  elements: dict
  contains:
    path: {type: str, description: "The file."}
    sha256: {type: str, description: "Fingerprint."}
    issuer: {type: str, description: "Its issuer."}
    subject: {type: str, description: "Its subject."}
    sans: {type: list, elements: str, description: "Its alternative names."}
    not_before:
      description: Begin of its life.
      type: str
      sample: "2026-01-31T00:00:00Z"
    not_after: {type: str, description: "End of its life."}
epmd:
  description: Addresses at which something listens on epmd's port (C(listening)), and its owner (C(owner_unit), C(owner_user), C(owner_process)).
  returned: success
  type: dict
epmd_names:
  description: Ports by the names of the nodes (the part before the @) that EPMD tells on this host. Null where it does not answer.
  returned: success
  type: dict
  sample: {"beam": 9100}
unknown:
  description: Why a part of this result is null or not whole, by the part's name.
  returned: success
  type: dict
  sample: {"firewall": "only root may list the ruleset"}
own:
  description: >-
    The host's own view of this collection's variables - C(inputs) (values without secrets), C(names), C(errors) (templates that fail) and
    C(wrong) (mistakes in variables of single roles, without their values).
  returned: success
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host.observation import epmd_address, observe
from ansible_collections.beam.cluster.plugins.module_utils._net.runner import names_all
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import EPMD_PORT

_SECONDS = 3.0


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
            "epmd_port": {"type": "int", "default": EPMD_PORT},
        },
        supports_check_mode=True,
    )
    port = module.params["epmd_port"]
    seen = observe(module.params["units"], module.params["files"], port)
    seen["epmd_names"], why = _names(epmd_address(seen), port)
    if why:
        seen["unknown"] = {**seen["unknown"], "epmd_names": why}
    module.exit_json(changed=False, **seen)


def _names(address: str | None, port: int) -> tuple[dict[str, int] | None, str]:
    """Ports by name, as the host's own EPMD tells them, and why that is not known."""
    if address is None:
        return None, f"nothing listens on port {port}"
    answer: dict[str, Any]
    (answer,) = names_all([(address, port)], source=None, timeout=_SECONDS, concurrency=1)
    if answer["code"] != "connected":
        return None, f"EPMD at {address} did not answer: {answer['code']}"
    return {node["name"]: node["port"] for node in answer["nodes"]}, ""


if __name__ == "__main__":
    main()
