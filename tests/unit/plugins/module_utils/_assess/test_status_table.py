# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster: what is as it should be needs no attention, and everything else is named with its fix. Unknown is never good."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess import status_table
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import Target
from whole_cluster import HOSTS, NOW, plan
from whole_crls import crl

LEAF, CA, NEW_CA = "a" * 64, "c" * 64, "d" * 64
Evidence = dict[str, dict[str, Any]]


def ca(sha256: str, days: float = 3000.0) -> dict[str, Any]:
    return {"sha256": sha256, "subject": "CN=root", "not_after": "2036-01-01T00:00:00Z", "days_left": days}


def whole() -> Evidence:
    return {
        host: {
            "observed": {
                "epoch": NOW,
                "crls": [crl(host)],
                "processes": [{"pid": 7, "process": "beam.smp", "user": "beam", "unit": "beam.service", "flags": {}, "vm": {
                    "otp_root": "/usr/lib/erlang", "version": "27.3.4", "replaced": []}}],
                "otp_roots": [{"root": "/usr/lib/erlang", "release": "27", "version": "27.3.4"}],
            },
            "states": [{"node": {"node": f"beam@{host}"}, "reasons": []}],
            "credentials": [{
                "node": f"beam@{host}", "running": True, "served": LEAF, "code": "connected", "problems": [], "trusted": [ca(CA)], "used": [CA],
                "certificate": {"sha256": LEAF, "days_left": 80.0, "due": False, "not_after": "2027-01-01T00:00:00Z", "pem": "PEM"},
                "cookie": {"digest": "d1", "accepted": True},
            }],
        }
        for host in HOSTS
    }


def found(change: Callable[[Evidence], Any] | None = None, base: dict[str, Any] | None = None) -> status_table.Status:
    evidence = whole()
    if change:
        change(evidence)
    return status_table.status(Target.from_plan(base or plan()), evidence)


def of(evidence: Evidence, host: str = "n2") -> dict[str, Any]:
    return evidence[host]["credentials"][0]


def test_a_whole_cluster_needs_no_attention() -> None:
    state = found()
    assert state.attention == () and state.cookies == {"A": 3}
    assert [(one.trusted, one.used) for one in state.generations] == [(3, 3)]
    lines = status_table.text(state)
    line = "  beam@n1  runs   80 days, shown  cccccccc  cccccccc    73 days, 17 old  A [3/3]  27.3.4  no"
    assert line in lines and "Nothing is due or wrong." in lines
    assert "PEM" not in json.dumps(status_table.data(state, "now"))


@pytest.mark.parametrize(
    ("crls", "said", "cell"),
    [
        ([], "it has no CRL", "none"),
        ([crl("n2", found=False)], "it has no CRL", "none"),
        ([crl("n2", next_update="2026-11-20T00:00:00Z")], "from then on it refuses everybody", "2 days, 17 old"),
        ([crl("n2"), crl("n2", next_update="2026-11-10T00:00:00Z")], "from then on it refuses everybody", "-8 days, 17 old"),
        ([crl("n2", own=True)], "its certificate is revoked", "73 days, 17 old, revoked"),
    ],
)
def test_crls(crls: list[dict[str, Any]], said: str, cell: str) -> None:
    state = found(lambda evidence: evidence["n2"]["observed"].update(crls=crls))
    assert [line for line in state.attention if said in line and line.startswith("beam@n2")], state.attention
    assert cell in status_table.rows(state)[2]
    off = {**plan(), "crl": False}
    assert "CRL" not in status_table.rows(found(lambda evidence: evidence["n2"]["observed"].update(crls=crls), off))[0]


@pytest.mark.parametrize(
    ("change", "said", "shown"),
    [
        (lambda e: of(e)["certificate"].update(due=True, days_left=20.0), "beam@n2: its certificate is due for renewal, 20 days", "20 days (due)"),
        (lambda e: of(e)["certificate"].update(due=True, days_left=-1.0), "beam@n2: its certificate expired at", "-1 days (due)"),
        (lambda e: of(e).update(served="b" * 64), "beam@n2: the node shows another certificate (bbbbbbbb)", "another is shown"),
        (lambda e: of(e).update(served=None, code="refused"), "beam@n2: the node showed no certificate (refused)", "shown: ?"),
        (lambda e: of(e).update(problems=["key: it does not belong to the certificate"]), "beam@n2: key: it does not belong", "unusable"),
        (lambda e: of(e)["cookie"].update(digest="d2"), "The nodes have 2 different cookies (A on 2, B on 1)", "B [1/3]"),
        (lambda e: of(e)["cookie"].update(accepted=False), "beam@n2: the node does not accept the cookie in its file", "refused"),
        (lambda e: of(e).update(trusted=[ca(CA), ca(NEW_CA)]), "CA dddddddd (CN=root): 1 of 3 nodes trust it", "cccccccc dddddddd"),
        (lambda e: [of(e, host).update(trusted=[ca(CA, -2)]) for host in HOSTS], "CA cccccccc (CN=root): it expired", ""),
        (lambda e: of(e).update(running=False, served=None), "beam@n2: the node does not run", "stopped"),
        (lambda e: e["n2"]["states"][0].update(reasons=["pid 7 runs X"]), "beam@n2: has to be restarted: pid 7 runs X", "pending"),
        (
            lambda e: e["n2"]["states"][0].update(postponed=["it lets beam@n4 connect by name, which is no member"]),
            "beam@n2: it lets beam@n4 connect by name, which is no member, until it restarts. Run beam.cluster.restart",
            "postponed",
        ),
        (lambda e: e.pop("n2"), "beam@n2: its host was not read", "?"),
    ],
)
def test_what_is_wrong_is_named(change: Callable[[Evidence], Any], said: str, shown: str) -> None:
    state = found(change)
    assert [line for line in state.attention if line.startswith(said)], state.attention
    assert shown in next(line for line in status_table.text(state) if line.startswith("  beam@n2"))


def test_a_host_outside_the_run_is_unknown() -> None:
    base = copy.deepcopy(plan())
    base["hosts"]["n3"]["in_run"] = False
    state = found(lambda evidence: evidence.pop("n3"), base)
    assert any(line.startswith("beam@n3: its host is not in this run") for line in state.attention)
    assert state.nodes[2].running is None and state.nodes[2].restart is None


def test_another_otp_on_disk_is_shown() -> None:
    state = found(lambda evidence: evidence["n1"]["observed"]["otp_roots"][0].update(version="27.3.5"))
    assert any("27.3.4, installed 27.3.5" in line for line in status_table.text(state))
