#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host and changes nothing. The action plugin of the same name adds what only the controller knows."""

from __future__ import annotations

DOCUMENTATION = r"""
module: observe
short_description: Read the facts of a host that matter for a BEAM cluster
version_added: "0.1.0"
description:
  - Reads addresses, clock, Erlang/OTP, firewalls, systemd units, listeners, BEAM processes and this collection's own files. It changes nothing
    and opens no connection.
  - It needs only Python, works on bare hosts, and needs no privilege. Without root it does not see the owners of other users' sockets, the
    environment of their processes, and the firewall's rules.
  - Cookies on command lines are replaced by C(REDACTED) before anything leaves the host.
options:
  units:
    description:
      - Further systemd units to read, besides those of the firewalls, EPMD and BEAM processes.
    type: list
    elements: str
    default: []
  files:
    description:
      - Further files to read, besides this collection's own. The content of files is never returned.
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
- name: Read the hosts
  beam.cluster.observe:
  register: observed

- name: Show the listeners on EPMD's port
  ansible.builtin.debug:
    var: observed.epmd
"""

RETURN = r"""
epoch:
  description: The host's clock, in seconds since 1970-01-01T00:00:00Z.
  returned: success
  type: float
skew_seconds:
  description: The host's clock minus the controller's, in seconds, as far as it is proven. 0 if the host's time is within the round trip.
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
  description: V(systemd), or the name of the first process if it is another.
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
      description: Whether an OTP is installed.
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
      description: Whether the application C(ssl) is installed.
      type: bool
    candidate:
      description: The version of C(erlang-base) that apt would install.
      type: str
    candidate_release:
      description: Its major release.
      type: str
firewall:
  description: The active firewall, and the content of this collection's own table.
  returned: success
  type: dict
  contains:
    nft:
      description: Whether C(nft) is installed.
      type: bool
    readable:
      description: Whether the ruleset could be read. If not, nothing is known about it.
      type: bool
    drops_by_default:
      description: Whether a table of another owner drops incoming packets that match no rule.
      type: bool
    in_charge:
      description: V(firewalld), V(ufw), V(nftables) or V(none).
      type: str
    beam:
      description: C(members) (addresses) and C(ports) (pairs of first and last) in our table; null if there is none.
      type: dict
ephemeral_ports:
  description: The ports that the kernel uses for outgoing connections, null if they cannot be read.
  returned: success
  type: dict
  contains:
    range:
      description: First and last.
      type: list
      elements: int
      sample: [32768, 60999]
    reserved:
      description: Pairs of first and last that are excluded.
      type: list
      elements: list
listeners:
  description: Every listening TCP socket, with its owner if known.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: Bound address.
      type: str
    port:
      description: Port.
      type: int
    family:
      description: 4 or 6.
      type: int
    pid:
      description: Process ID of the owner.
      type: int
    process:
      description: Name of the process.
      type: str
    unit:
      description: systemd unit of the process.
      type: str
    user:
      description: User of the process.
      type: str
processes:
  description: BEAM VMs and EPMDs.
  returned: success
  type: list
  elements: dict
  contains:
    pid:
      description: Process ID.
      type: int
    process:
      description: V(beam.smp), V(beam) or V(epmd).
      type: str
    user:
      description: User of the process.
      type: str
    unit:
      description: systemd unit of the process.
      type: str
    node:
      description: Node name from the command line.
      type: str
    argv:
      description: Its arguments, without cookies.
      type: list
      elements: str
    digest:
      description: Digest of the configuration that it was started with, from its environment.
      type: str
units:
  description: systemd's properties of each unit, by name.
  returned: success
  type: dict
files:
  description: >-
    This collection's files and those in O(files) - path, kind, mode, owner, group, size, and a SHA-256 of files that are readable by everybody.
  returned: success
  type: list
  elements: dict
epmd:
  description: Listeners on EPMD's port, with addresses and owners.
  returned: success
  type: dict
own:
  description: The host's view of this collection's variables - values without secrets, names, and templates that fail.
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
