# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody knows passes no control: each fact of a whole host is made wrong, then unknown. A control that a wrong value fails depends on it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Callable, Union

import pytest
import whole_cluster as made
import without_plan
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_reached_hosts import AUDITED, Reach
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.between_hosts import inventory_findings
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.certificates import pki_findings
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.cookies import cookie_findings
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.on_hosts import host_findings
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.running_node import running_node_findings
from ansible_collections.beam.cluster.plugins.module_utils._assess.discover import discover
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_TESTED, Evidence, NodeView
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation

Path = tuple[Union[str, int], ...]
NODE = "beam@n2"

KNOWN_AS_NONE = {
    ("*", "ciphers"): "None: not set. The suites of OTP are in force then, and their release decides",
    ("*", "algorithms"): "None: not set",
    ("*", "versions"): "None: not set",
    ("certificates", "*", "purposes"): "None: the certificate does not restrict them",
    ("certificates", "*", "usages"): "None: the certificate does not restrict them",
    ("*", "installed_erts"): "None: the installation does not say. A program that was replaced is seen by its file",
    ("*", "package", "started"): "None: dpkg's log does not say. A program that was replaced is seen by its file",
    ("processes", "*", "flags", "name"): "None: the VM has no name",
    ("*", "digest"): "None: a process or unit that role service did not start has none",
}
"""Facts of which None says something, and what. "*": one step of the path, or any number of them in front."""

EVIL = (
    "evil", "0666", "root", "", "infinity", "everybody", "value", "2020-01-01T00:00:00Z", "inactive", "disabled", "default", "tcp", "verify_none",
    "/tmp/evil", "192.0.2.66",
)


def is_known_as_none(path: Path) -> bool:
    def matches(pattern: tuple[str, ...]) -> bool:
        tail = path[-len(pattern) + 1 :] if pattern[0] == "*" else path
        wanted = pattern[1:] if pattern[0] == "*" else pattern
        return len(tail) == len(wanted) and all(one == "*" or one == step for one, step in zip(wanted, tail))

    return any(matches(pattern) for pattern in KNOWN_AS_NONE)


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every fact of a host, with its path. Of a list of strings the list is the fact."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, one in value.items():
            yield from places(one, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        kinds = {tuple(sorted((key, type(each).__name__) for key, each in one.items())): number for number, one in enumerate(value)}
        # One of each shape: the other files, listeners and addresses have the same facts.
        for number, one in ((number, value[number]) for number in sorted(kinds.values())):
            yield from places(one, (*path, number))


def changed(raw: Any, path: Path, value: Any) -> Any:
    """A copy with another value in one place. What is beside the path is not copied."""
    if not path:
        return value
    copied = copy.copy(raw)
    copied[path[0]] = changed(raw[path[0]], path[1:], value)
    return copied


def wrong(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (0, 1, -1, value + 1000, value * 100 + 9e6)
    elif isinstance(value, str):
        yield from EVIL
    elif value is None:
        yield "evil"
    elif isinstance(value, dict):
        yield {}
    elif isinstance(value, list):
        yield from ([], ["everybody"], ["/tmp/evil"], [*value, "ERL_ZFLAGS", "keep_secrets", "HEART_COMMAND", "sys_admin", "RELEASE_COOKIE", "evil"])
        if value and isinstance(value[0], dict):
            yield [*value, {**copy.deepcopy(value[0]), "address": "0.0.0.0", "pid": 99, "unit": None, "user": "root", "name": "evil"}]


def statuses(evidence: Evidence) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    of_all = (
        *host_findings(replace(evidence.target, hosts={"n2": evidence.target.hosts["n2"]}), evidence.seen),
        *pki_findings(evidence), *cookie_findings(evidence), *inventory_findings(evidence), *running_node_findings(evidence),
    )
    for one in of_all:
        if "n2" in one.hosts:
            found.setdefault(one.control, set()).add(one.status)
    return found


def planned() -> Callable[[dict[str, Any]], dict[str, set[str]]]:
    whole = made.evidence(answer=lambda probe: None)

    def of(raw: dict[str, Any]) -> dict[str, set[str]]:
        return statuses(replace(whole, seen={**whole.seen, "n2": Observation.parse("n2", raw)}))

    return of


def discovered() -> Callable[[dict[str, Any]], dict[str, set[str]]]:
    whole = {name: Observation.parse(name, raw) for name, raw in without_plan.hosts().items()}

    def of(raw: dict[str, Any]) -> dict[str, set[str]]:
        seen = {**whole, "n2": Observation.parse("n2", raw)}
        return statuses(Evidence(discover(seen), seen, [], {}, ("out",), made.NOW, reach={name: Reach(name, AUDITED) for name in seen}))

    return of


def asked() -> Callable[[dict[str, Any]], dict[str, set[str]]]:
    """Of what a node says itself."""
    whole = made.evidence(answer=lambda probe: None)

    def of(raw: dict[str, Any]) -> dict[str, set[str]]:
        given = replace(whole, views={**whole.views, NODE: NodeView.parse(raw)})
        found: dict[str, set[str]] = {}
        for one in running_node_findings(given):
            if one.subject == NODE:
                found.setdefault(one.control, set()).add(one.status)
        return found

    return of


KINDS: dict[str, tuple[Callable[[], Callable[[dict[str, Any]], dict[str, set[str]]]], Callable[[], dict[str, Any]]]] = {
    "planned": (planned, lambda: made.host("n2")),
    "discovered": (discovered, lambda: without_plan.hosts()["n2"]),
    "asked": (asked, lambda: made.view([f"beam@{name}" for name in made.HOSTS], NODE)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_fact_passes_no_control_that_depends_on_it(kind: str) -> None:
    make, fresh = KINDS[kind]
    of, raw = make(), fresh()
    good = of(raw)
    assert not any(FAILED in found for found in good.values())
    passed = []
    tried = 0
    for path, value in places(raw):
        if is_known_as_none(path):
            continue
        failing: set[str] = set()
        for other in wrong(value):
            tried += 1
            failing |= {control for control, found in of(changed(raw, path, other)).items() if FAILED in found} if other != value else set()
        unknown = of(changed(raw, path, None)) if failing else {}
        passed += [(".".join(map(str, path)), control) for control in sorted(failing) if not unknown.get(control, set()) & {FAILED, NOT_TESTED}]
    assert tried > 100
    assert not passed, passed
