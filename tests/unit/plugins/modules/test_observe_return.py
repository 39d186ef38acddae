# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module observe documents is what it returns, no more and no less."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.module_utils._host import (
    certificates,
    environment,
    files,
    firewall,
    observation,
    proc,
    running_otp,
    secrets_at_rest,
    units,
)
from ansible_collections.beam.cluster.plugins.module_utils._model.processes import VmFlags
from ansible_collections.beam.cluster.plugins.modules import observe

DOCUMENTED: dict[str, Any] = yaml.safe_load(observe.RETURN)
# Added by the action plugin, and by the module itself.
ADDED = {"own", "skew_seconds", "epmd_names"}
RULE = {"family": "inet", "table": "beam_cluster"}
TABLE: list[dict[str, Any]] = [{"table": {"family": "inet", "name": "beam_cluster"}}, {"chain": {**RULE, "name": "c"}}]
SHOWN = "Id=a.service\nNames=a.service\n"


def contains(*path: str) -> set[str]:
    value = DOCUMENTED[path[0]]
    for part in path[1:]:
        value = value["contains"][part]
    return set(value["contains"])


def test_the_whole() -> None:
    assert set(observation.observe()) | ADDED == set(DOCUMENTED)


@pytest.mark.parametrize(
    ("path", "returned"),
    [
        (("processes",), {"vm", "writes", "hardening", *proc.as_dict(proc.Process(1, "beam.smp", "u", None))}),
        (("processes", "vm"), set(running_otp.describe(os.getpid()) or {})),
        (("processes", "flags"), {one.name for one in fields(VmFlags)}),
        (("units",), {"at_boot", *units.parse(SHOWN)["a.service"]}),
        (("files",), set(files.describe("/", files.Above()))),
        (("firewall",), set(firewall.summary(None))),
        (("firewall", "beam"), {"as_in_file", *(firewall.our_table(TABLE) or {})}),
        (("firewall", "beam", "admits"), set((firewall.our_table(TABLE) or {})["admits"][0])),  # type: ignore[index]
        (("otp",), set(observation.observe()["otp"])),
        (("addresses",), {"interface", "address", "family", "prefix", "default_route"}),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_each_part(path: tuple[str, ...], returned: set[str]) -> None:
    assert contains(*path) == returned


def test_lists_of_the_host_that_runs_the_tests() -> None:
    seen = observation.observe()
    for part in ("listeners", "addresses", "files", "otp_roots"):
        for entry in seen[part] or ():
            assert set(entry) == contains(part)
    assert contains("certificates") == set(certificates.KEPT)
    assert contains("secrets") == set(secrets_at_rest.look([], [], [], [], [], None)[0])
    assert certificates.describe_all([]) == ([], "")
    assert set(environment.facts({})) <= contains("units")
