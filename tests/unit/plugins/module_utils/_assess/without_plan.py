# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a hardened cluster (whole_cluster.py), seen by an audit that knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import ATTACK_BY_ID
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_probes import AuditQuestions
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_reached_hosts import AUDITED, Reach
from ansible_collections.beam.cluster.plugins.module_utils._assess.discover import discover
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import Evidence, Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import REACHES, Answer, Probe, Session
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation

TLS = Session("tlsv1.3", {"not_after": "2027-11-18T00:00:00Z", "not_before": "2026-01-01T00:00:00Z"})


def hardened(probe: Probe) -> Answer | None:
    """What a hardened host answers. Other hosts do not get through to a node, and an unused port is closed."""
    if probe.control == REACHES:
        return Answer(probe, "epmd_closed", "epmd")
    attack = ATTACK_BY_ID[probe.control]
    if attack.stage == "connect" or probe.vantage != probe.host:
        return Answer(probe, "epmd_filtered" if attack.protocol == "epmd" else "filtered", "epmd" if attack.protocol == "epmd" else "connect")
    codes = {
        "plaintext": "plaintext_on_tls",
        "wrong-cookie": "plaintext_on_tls",
        "old-tls": "tls_alert_protocol_version",
        "no-certificate": "tls_alert_certificate_required",
        "foreign-certificate": "tls_alert_unknown_ca",
    }
    return Answer(probe, codes[probe.control], "tls", tls=TLS)


def hosts() -> dict[str, dict[str, Any]]:
    """What observe returns of each host, with what it adds where nobody planned anything."""
    found = {}
    for name in made.HOSTS:
        raw = {**made.host(name), "hostname": name}
        files = made.tls(name)
        tls = {"keys": [files["key"]], "certificates": [files["certificate"]], "authorities": [files["ca"]]}
        machines = [{**one, "home": f"/var/lib/beam/beam@{name}", "tls_files": tls} for one in raw["processes"] if one["process"] != "epmd"]
        found[name] = {**raw, "processes": [*machines, *(one for one in raw["processes"] if one["process"] == "epmd")], "contained": []}
    return found


def audited(change: Callable[[dict[str, Any]], object] | None = None, host: str = "n2") -> Verdict:
    """The verdict of an audit. change: breaks what observe returns of one host."""
    raws = hosts()
    if change:
        change(raws[host])
    seen = {name: Observation.parse(name, raw) for name, raw in raws.items()}
    target = discover(seen)
    asked = AuditQuestions.of(target, seen)
    probes = [*(probe for name in seen for probe in asked.of_vantage(name, False)), *asked.of_vantage("out", True)]
    answers = [told for told in map(hardened, probes) if told]
    reach = {name: Reach(name, AUDITED) for name in seen}
    return evaluate(Evidence(target, seen, answers, {}, ("out",), made.NOW, reach=reach, asked=asked))
