#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host and changes nothing. The action plugin of the same name adds what only the controller knows."""

from __future__ import annotations

DOCUMENTATION = r"""
module: observe
short_description: Look at a host before a BEAM cluster is planned on it
version_added: "0.1.0"
description:
  - Reads what matters for a BEAM cluster from a host - addresses, clock, Erlang/OTP, firewalls, systemd units, listeners, BEAM processes and this
    collection's own files. It changes nothing and speaks to nobody.
  - It needs no tool on the host beside Python, works where nothing is installed yet, and needs no privilege. Without privilege it does not see
    who owns the sockets of other users, the environment of their processes, and the firewall's rules.
  - Cookies on command lines are replaced by C(REDACTED) before anything leaves the host.
options:
  units:
    description: More systemd units to look at, beside the firewalls', epmd's and those that BEAM processes run in.
    type: list
    elements: str
    default: []
  files:
    description: More files to look at, beside this collection's own. The content of files is never returned.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    description: Can run in check mode and return what it would without it.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: N/A
    details: Nothing is changed.
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
  platform:
    description: Target systems that can be operated against.
    platforms: linux
    support: full
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
  description: Every address of the host.
  returned: success
  type: list
  elements: dict
  contains:
    interface:
      description: Name of the interface.
      type: str
    address:
      description: The address.
      type: str
    family:
      description: 4 or 6.
      type: int
    prefix:
      description: Length of the network's prefix.
      type: int
    default_route:
      description: Whether the interface carries a default route of this family.
      type: bool
otp:
  description: Erlang/OTP as installed, and as apt offers it.
  returned: success
  type: dict
  contains:
    installed:
      description: Whether there is one.
      type: bool
    release:
      description: Major release.
      type: str
      sample: "27"
    version:
      description: Full version.
      type: str
      sample: "27.3.4.1"
    root:
      description: Directory of the installation.
      type: str
    erl:
      description: Path of C(erl).
      type: str
    ssl:
      description: Whether the application C(ssl) is there.
      type: bool
    candidate:
      description: The version of C(erlang-base) that apt would install.
      type: str
    candidate_release:
      description: Its major release.
      type: str
firewall:
  description: Who is in charge, and what is in this collection's own table.
  returned: success
  type: dict
  contains:
    nft:
      description: Whether nftables' program is there.
      type: bool
    readable:
      description: Whether the ruleset could be read. Where not, nothing is known of it.
      type: bool
    drops_by_default:
      description: Whether a table of somebody else drops what comes in and matches no rule.
      type: bool
    in_charge:
      description: V(firewalld), V(ufw), V(nftables) or V(none).
      type: str
    beam:
      description: C(members) (addresses) and C(ports) (pairs of first and last) in our table; null where there is none.
      type: dict
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
    reserved:
      description: Pairs of first and last that are left out.
      type: list
      elements: list
listeners:
  description: Every listening TCP socket, with its owner as far as that is known.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: Address it is bound to.
      type: str
    port:
      description: Its port.
      type: int
    family:
      description: 4 or 6.
      type: int
    pid:
      description: Process that holds it.
      type: int
    process:
      description: Name of that process.
      type: str
    unit:
      description: systemd unit that it belongs to.
      type: str
    user:
      description: User it runs as.
      type: str
processes:
  description: BEAM virtual machines and epmds.
  returned: success
  type: list
  elements: dict
  contains:
    pid:
      description: Number of the process.
      type: int
    process:
      description: V(beam.smp) or V(epmd).
      type: str
    user:
      description: User it runs as.
      type: str
    unit:
      description: systemd unit that it belongs to.
      type: str
    node:
      description: Name that it was started with.
      type: str
    argv:
      description: Its arguments, without cookies.
      type: list
      elements: str
    digest:
      description: Digest of the configuration that it was started with, from its environment.
      type: str
    vm:
      description: The OTP that it runs, which is not always the one on disk. Null for epmd, and where this user may not look.
      type: dict
      contains:
        executable:
          description: Path of the program.
          type: str
          sample: /usr/lib/erlang/erts-15.2.7/bin/beam.smp
        otp_root:
          description: The installation that it belongs to, null where the path does not say so.
          type: str
          sample: /usr/lib/erlang
        erts:
          description: Version of its ERTS.
          type: str
          sample: 15.2.7
        installed_erts:
          description: Version of the ERTS that would be started there now, null where the installation does not say so.
          type: str
          sample: 15.2.7
        version:
          description: Version of the OTP that runs; null where it is not known because its files were replaced.
          type: str
          sample: 27.3.4.1
        package:
          description: >-
            C(name) of its Debian package, the C(installed) version and the version with which it was C(started), from dpkg's log. Null where it came
            another way.
          type: dict
        replaced:
          description: Its program and its libraries that were deleted or replaced since it was started.
          type: list
          elements: str
units:
  description: systemd's view of each unit, by name.
  returned: success
  type: dict
files:
  description: This collection's files and those asked for - path, kind, mode, owner, group, size, and a SHA-256 of those that everybody may read.
  returned: success
  type: list
  elements: dict
epmd:
  description: Addresses at which something listens on epmd's port, and who that is.
  returned: success
  type: dict
own:
  description: The host's own view of this collection's variables - values without secrets, names, and templates that fail.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host.observation import observe


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, **observe(module.params["units"], module.params["files"]))


if __name__ == "__main__":
    main()
