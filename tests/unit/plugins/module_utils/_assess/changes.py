# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to break what observe returns of a host (whole_cluster.py), and what a verdict then says of n2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import Finding, Verdict

IN_TEST_HOST_CHECKS = frozenset(
    "epmd-listeners distribution-listeners private-key cookie-file options-file unit-drop-in unit-sandbox core-dumps running-process running-vm "
    "argument-list firewall-rules firewall-boot forwarded-ports planned-files start-environment unplanned-nodes epmd-names "
    "changeable-files".split()
)
"""Controls of a host that test_host_checks.py tests; test_hardening_checks.py tests the others."""

Change = Callable[[dict[str, Any]], object]


def vm(**values: Any) -> Change:
    """The node's VM is confined otherwise."""
    return lambda n2: n2["processes"][0]["hardening"].update(values)


def flags(**values: Any) -> Change:
    return lambda n2: n2["processes"][0]["flags"].update(values)


def process(**values: Any) -> Change:
    return lambda n2: n2["processes"][0].update(values)


def epmd(**values: Any) -> Change:
    return lambda n2: n2["processes"][1]["hardening"].update(values)


def system(**values: Any) -> Change:
    return lambda n2: n2["system"].update(values)


def side(name: str, *, without: str = "", **values: Any) -> Change:
    """TLS options of one side: values of options, or lists of versions, ciphers and algorithms."""

    def change(n2: dict[str, Any]) -> None:
        facts = n2["processes"][0]["hardening"]
        own = dict(facts[name])
        own["names"] = [one for one in own["names"] if one != without] + [one for one in values if one not in ("ciphers", "algorithms")]
        own["values"] = {key: value for key, value in own["values"].items() if key != without}
        for key, value in values.items():
            if key in ("versions", "ciphers", "algorithms"):
                own[key] = value
            else:
                own["values"][key] = value
        facts[name] = own

    return change


def both(*changes: Change) -> Change:
    def change(n2: dict[str, Any]) -> None:
        for one in changes:
            one(n2)

    return change


def file(suffix: str, **values: Any) -> Change:
    def change(n2: dict[str, Any]) -> None:
        (entry,) = (entry for entry in n2["files"] if entry["path"].endswith(suffix))
        entry.update(values)

    return change


def certificate(**values: Any) -> Change:
    return lambda n2: n2["certificates"][0].update(values)


def gone(name: str) -> Change:
    return lambda n2: n2.pop(name)


def listener(port: int, address: str = "0.0.0.0", process: str = "beam.smp", pid: int = 42) -> Change:
    entry = {"address": address, "port": port, "family": 6 if ":" in address else 4, "pid": pid, "process": process, "unit": None, "user": "beam"}
    return lambda n2: n2["listeners"].append(entry)


def product(name: str, **settings: str) -> Change:
    """The node is one of a product with these settings."""

    def change(n2: dict[str, Any]) -> None:
        n2["processes"][0]["traces"] = [name]
        n2["system"]["settings"] = {name: settings}

    return change


def release(*, applications: dict[str, str] | None = None, **values: Any) -> Change:
    def change(n2: dict[str, Any]) -> None:
        n2["processes"][0]["traces"] = ["release"]
        n2["processes"][0]["hardening"].update(values)
        n2["processes"][0]["vm"]["applications"] = applications

    return change


def contained(**values: Any) -> Change:
    """A VM in a container on the host."""
    own = made.hardening(**values)
    told = {"name": None, "listens": False, "arguments_read": True, "kernel": {"inet_dist_listen_min": "9200", "inet_dist_listen_max": "9200"}}
    machine = {"pid": 99, "process": "beam.smp", "user": "1000", "unit": None, "container": True, "flags": told, "hardening": own}
    return lambda n2: n2.update(contained=[machine])


def findings(verdict: Verdict, control: str) -> list[Finding]:
    return [one for one in verdict.findings if one.control == control]


def verified(change: Change) -> Verdict:
    seen = made.hosts()
    change(seen["n2"])
    return evaluate(made.evidence(seen=seen))


def of_n2(verdict: Verdict, control: str) -> tuple[set[str], str]:
    """The statuses and the details of one control on n2."""
    found = [one for one in findings(verdict, control) if one.hosts == ("n2",)]
    return {one.status for one in found}, " ".join(detail for one in found for detail in one.details)
