# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: package_upgrades
short_description: Report which packages of OTP and of the products apt would upgrade
version_added: 0.2.0
description:
  - Queries dpkg for the packages of OTP and of the nodes' units, and apt for what it would install. Installs nothing, and does not update the
    lists of packages.
options:
  packages:
    description: The packages. By default all installed ones that belong to OTP (C(erlang-*), C(esl-erlang), C(elixir)) and to O(units).
    type: list
    elements: str
    default: []
  version:
    description: The Debian version for the package of C(erl) and all others of the same source. By default the newest that apt has.
    type: str
    default: ""
  units:
    description: The units of the nodes.
    type: list
    elements: str
    default: []
  erl:
    description: Path of C(erl).
    type: path
    default: /usr/bin/erl
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Read which packages can be upgraded
  beam.cluster.package_upgrades:
    units: [rabbitmq-server.service]
  register: packages
"""

RETURN = r"""
changes:
  description: The packages that would be upgraded or, without C(installed), newly installed.
  returned: always
  type: list
  elements: dict
  sample: [{name: erlang-base, installed: 1:27.3.4.1+dfsg-1, candidate: 1:27.3.4.2+dfsg-1}]
removed:
  description: The packages that would be removed.
  returned: always
  type: list
  elements: str
held:
  description: The packages of OTP and of the products that are on hold. They are not upgraded.
  returned: always
  type: list
  elements: str
versions:
  description: The installed version of each package.
  returned: always
  type: dict
vm:
  description: The package of C(erl); empty if it belongs to none.
  returned: always
  type: str
owners:
  description: The package of each unit that belongs to one.
  returned: always
  type: dict
  sample: {rabbitmq-server.service: rabbitmq-server}
error:
  description: Why apt cannot upgrade; empty if it can.
  returned: always
  type: str
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host.running_otp import owner
from ansible_collections.beam.cluster.plugins.module_utils._model import upgrades

APT = ["apt-get", "--simulate", "--quiet", "--no-install-recommends", "--only-upgrade", "-o", "Debug::NoLocking=1", "install", "--"]
FORMAT = "${Package}\\t${db:Status-Abbrev}\\t${Version}\\t${source:Package}\\n"


def main() -> None:
    texts = {name: {"type": "list", "elements": "str", "default": []} for name in ("packages", "units")}
    module = AnsibleModule(
        argument_spec={"version": {"type": "str", "default": ""}, "erl": {"type": "path", "default": "/usr/bin/erl"}, **texts},
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C.UTF-8", "LANGUAGE": ""}
    for program in ("dpkg-query", "apt-get"):
        if module.get_bin_path(program) is None:
            module.fail_json(msg=f"This host has no {program}: its packages cannot be upgraded. Upgrade OTP by hand, then run beam.cluster.site.")
    rows = [line.split("\t") for line in module.run_command(["dpkg-query", "--show", f"--showformat={FORMAT}"], check_rc=True)[1].splitlines()]
    owners = {unit: package for unit in module.params["units"] for package in [owner(fragment(module, unit))] if package}
    vm = owner(module.params["erl"]) or ""
    wanted, held = upgrades.of_otp((f"{row[0]}\t{row[1]}" for row in rows), owners.values())
    wanted = module.params["packages"] or wanted
    versions = {row[0]: row[2] for row in rows if row[1][1:2] == "i"}
    sources = {row[0]: row[3] for row in rows}
    version = module.params["version"]
    same = {name for name, source in sources.items() if vm and source == sources.get(vm)}
    names = [f"{name}={version}" if version and name in same else name for name in wanted]
    changes: list[upgrades.Change] = []
    removed: list[str] = []
    error = ""
    if names:
        code, out, err = module.run_command([*APT, *names])
        if code == 0:
            changes, removed = upgrades.simulated(out)
        else:
            error = " ".join((err or out).split()).strip(" .")[:500]
    of_interest = {*wanted, *held, *owners.values(), vm}
    module.exit_json(
        changed=False,
        changes=[asdict(one) for one in changes],
        removed=removed,
        held=held,
        versions={name: number for name, number in versions.items() if name in of_interest},
        vm=vm,
        owners=owners,
        error=error,
    )


def fragment(module: AnsibleModule, unit: str) -> str:
    return module.run_command(["systemctl", "show", "--property=FragmentPath", "--value", "--", unit])[1].strip() or "/nonexistent"


if __name__ == "__main__":
    main()
