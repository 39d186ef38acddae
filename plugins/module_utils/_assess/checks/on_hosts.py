# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks that are read on a host, by control, and their findings.

Private to this collection, pure. A check takes what is expected of a host and what was seen on it, and lies in the file of its subject. What the
observation does not know (None) is not tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..._model.observation import Observation
from ..controls import BY_ID
from ..finding import NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, Finding, Result
from ..target import HostTarget, Target
from . import (
    client_ports,
    confinement,
    cookies,
    epmd,
    file_permissions,
    forwarding,
    listeners,
    processes,
    products,
    programs,
    startup,
    system,
    tls_options,
    units,
)
from .certificates import validity
from .file_contents import planned_files, start_environment
from .firewall import firewall_boot, firewall_rules
from .parts import Check
from .unplanned_nodes import unplanned_nodes

COVERAGE = "audit-coverage"
"""The control that a host or node was looked at, and looked at whole; see audit.py."""

NO_BEAM = "no BEAM runs on this host"
NO_NODE = "no node runs on this host"
IN_CONTAINER = "it runs in a container: audit the container as a host of its own"

CHECKS: Mapping[str, Check] = {
    "firewall-rules": firewall_rules,
    "firewall-boot": firewall_boot,
    "planned-files": planned_files,
    "start-environment": start_environment,
    "unplanned-nodes": unplanned_nodes,
    "certificate-validity": validity,
    **epmd.CHECKS,
    **listeners.CHECKS,
    **forwarding.CHECKS,
    **file_permissions.CHECKS,
    **cookies.CHECKS,
    **units.CHECKS,
    **processes.CHECKS,
    **startup.CHECKS,
    **confinement.CHECKS,
    **tls_options.CHECKS,
    **programs.CHECKS,
    **products.CHECKS,
    **client_ports.CHECKS,
    **system.CHECKS,
}


def host_findings(target: Target, seen: Mapping[str, Observation]) -> Iterator[Finding]:
    for host in target.hosts.values():
        if not host.in_run:
            continue
        observation = seen.get(host.name)
        for control, check in CHECKS.items():
            if target.planned and (BY_ID[control].audit_only or _of_another_product(control, host)):
                continue
            for subject, status, details, cause in _answers(host, observation, check):
                yield Finding(control, status, (host.name,), subject, details, cause=cause)


def _of_another_product(control: str, host: HostTarget) -> bool:
    """Whether a control is of a product that no node of the host runs: a plan says which ones there are."""
    product = products.OF_ONE_PRODUCT.get(control)
    return product is not None and product not in {node.kind for node in host.nodes}


def _answers(host: HostTarget, seen: Observation | None, check: Check) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """(subject, status, details, cause) of one control on one host: every control has an answer for every host and every node on it."""
    if not seen:
        yield host.name, NOT_TESTED, (NOT_OBSERVED,), ""
        return
    if host.bare:
        yield host.name, NOT_APPLICABLE, (NO_BEAM,), ""
        return
    results = list(check(host, seen)) or [Result(host.name, NOT_APPLICABLE, (NO_NODE,))]
    for subject, status, details in results:
        yield subject, status, details, ""
    for node in host.contained if any(one.subject != host.name for one in results) or not host.nodes else ():
        yield node.node, NOT_TESTED, (IN_CONTAINER,), COVERAGE
