#!/usr/bin/env python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long do the rules of the plan take for provisioned hosts, without Ansible? Processor time. Usage: rules.py [HOSTS ...]; best of three each."""

from __future__ import annotations

import json
import sys
import time

from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._plan.ca_dir import Places
from ansible_collections.beam.cluster.plugins.module_utils._plan.cluster import Inventory
from ansible_collections.beam.cluster.plugins.module_utils._plan.planning import plan
from ansible_collections.beam.cluster.plugins.plugin_utils import _inputs
from run import COOKIE, address_of, observation

PASSPHRASE = "correct horse battery staple"


def inventory(hosts: int) -> Inventory:
    names = [f"n{number:04d}" for number in range(hosts)]
    table = [address_of(number) for number in range(hosts)]
    return Inventory(
        groups={"beam": names},
        run=names,
        values={"beam_address": dict(zip(names, table))},
        secrets={"beam_cookie": dict.fromkeys(names, COOKIE), "beam_pki_ca_passphrase": dict.fromkeys(names, PASSPHRASE)},
        observed={name: Observation.parse(name, observation(address, f"beam@{name}", table)) for name, address in zip(names, table)},
        products=_inputs.products(),
        defaults=_inputs.specs()[1],
        ca_places=Places(("/inventory",)),
    )


def main() -> None:
    for hosts in [int(argument) for argument in sys.argv[1:]] or [100, 250, 500, 1000]:
        given = inventory(hosts)
        best, size = float("inf"), 0
        for _round in range(3):
            began = time.process_time()
            problems = Problems()
            cluster = plan(given, problems)
            if cluster is None:
                raise SystemExit(f"no plan: {problems.grouped()}")
            shape = cluster.as_dict()
            best = min(best, time.process_time() - began)
            size = len(json.dumps(shape))
        print(f"{hosts:5} hosts  {best:7.3f} s  {size / 1e6:5.1f} MB of plan", flush=True)


if __name__ == "__main__":
    main()
