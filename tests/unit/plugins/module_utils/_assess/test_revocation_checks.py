# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRLs are judged for every CA of every node, and whether the running node uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, Finding
from whole_crls import crl

CONTROL = "revocation-lists"
CA = made.tls("n2")["ca"]
Change = Callable[[made.Hosts], object]


def crls(*files: dict[str, Any] | None) -> Change:
    return lambda hosts: hosts["n2"].update(crls=list(files))


def two_cas(hosts: made.Hosts, **values: Any) -> None:
    other = made.ca_certificate(CA, sha256="ab" * 32, subject="CN=beam root 2", issuer="CN=beam root 2", key_id="dada", **values)
    hosts["n2"]["certificates"].append(other)


def intermediate(hosts: made.Hosts) -> None:
    """The root has signed an intermediate, which alone signs nodes and has a CRL."""
    hosts["n2"]["certificates"].append(
        made.ca_certificate(CA, sha256="ab" * 32, subject="CN=beam intermediate", key_id="dada", issuer_key_id="caca")
    )
    hosts["n2"]["crls"] = [crl("n2", issuer="CN=beam intermediate")]


def finding(hosts: made.Hosts, node: str = "beam@n2", **other: Any) -> Finding:
    found = [one for one in evaluate(made.evidence(seen=hosts, **other)).findings if one.control == CONTROL]
    assert len(found) == 3
    return next(one for one in found if node in (one.subject, f"beam@{one.subject}"))


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        (lambda hosts: None, PASSED, "days left"),
        (intermediate, PASSED, "days left"),
        (crls(), FAILED, "no CRL of CN=beam root"),
        (two_cas, FAILED, "no CRL of CN=beam root 2"),
        (crls(crl("n2", issuer="CN=another")), FAILED, "no CRL of CN=beam root"),
        (crls(crl("n2", found=False)), FAILED, "no CRL of CN=beam root"),
        (crls(crl("n1")), FAILED, "no CRL of CN=beam root"),
        (crls(crl("n2", next_update="2026-11-01T00:00:00Z")), FAILED, "ended at 2026-11-01T00:00:00Z"),
        (crls(crl("n2", next_update=None)), FAILED, "ended at no time"),
        (crls(crl("n2", next_update="2026-11-28T00:00:00Z")), FAILED, "then the node refuses everybody"),
        (crls(crl("n2", this_update="2026-12-28T00:00:00Z")), FAILED, "is not valid before"),
        (crls(crl("n2", own=True)), FAILED, "the certificate of the node is revoked"),
        (crls(crl("n2"), {"path": "/etc/beam/beam@n2/crl/x"}), FAILED, "/etc/beam/beam@n2/crl/x is no CRL"),
        (lambda hosts: hosts["n2"].pop("crls"), NOT_TESTED, "its CRLs were not read"),
        (lambda hosts: hosts.pop("n2"), NOT_TESTED, "was not observed"),
    ],
)
def test_files(change: Change, status: str, words: str) -> None:
    hosts = made.hosts()
    change(hosts)
    found = finding(hosts)
    assert found.status == status and any(words in text for text in found.details), found


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"crl_check": None}, FAILED, "as server crl_check is not set"),
        ({"crl_check": "false"}, FAILED, "as server crl_check is false"),
        ({"crl_check": "best_effort"}, FAILED, "as client crl_check is best_effort"),
        ({"crl_check": True}, PASSED, "days left"),
        (None, NOT_TESTED, "was not asked whether it checks CRLs"),
    ],
)
def test_what_runs(said: dict[str, Any] | None, status: str, words: str) -> None:
    view = {"in_force": made.in_force([f"beam@{host}" for host in made.HOSTS], "beam@n2")}
    for side in view["in_force"]["tls"].values():
        side.update(said or {})
    found = finding(made.hosts(), mesh={"beam@n2": None if said is None else view})
    assert found.status == status and any(words in text for text in found.details), found


def test_without_checking_there_is_nothing_to_test() -> None:
    of = made.plan()
    of["crl"] = False
    verdict = evaluate(made.evidence(of=of))
    found = {one.control: one for one in verdict.findings if one.control in (CONTROL, "revoked-certificate")}
    assert {one.status for one in found.values()} == {NOT_APPLICABLE} and len(found) == 2
    assert all("beam_pki_crl" in one.details[0] for one in found.values())
