# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control of keys, certificates and trust anchors is seen failing, by exactly the fault that it is about, and names it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import certificates as certificate_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_TESTED, PASSED, Finding, Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Answer, Probe
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Certificate

Change = Callable[[made.Hosts], object]
N2 = "/etc/beam/beam@n2/tls"
OTHER_CA = {"sha256": "0e" * 32, "subject": "CN=evil CA", "issuer": "CN=evil CA", "spki_sha256": "0f" * 32, "key_id": "0e0e"}


def leaf(**values: Any) -> Change:
    """n2's certificate file holds another certificate, and the node shows it, too."""

    def change(seen: made.Hosts) -> None:
        seen["n2"]["certificates"][0].update(values)

    return change


def ca(host: str = "n2", **values: Any) -> Change:
    return lambda seen: seen[host]["certificates"][1].update(values)


def every_ca(**values: Any) -> Change:
    def change(seen: made.Hosts) -> None:
        for own in seen.values():
            own["certificates"][1].update(values)

    return change


def add_certificate(path: str, host: str = "n2", **values: Any) -> Change:
    return lambda seen: seen[host]["certificates"].append(made.ca_certificate(path, **values))


def add_key(path: str, spki: str | None, *, readers: list[str] | None = None, encrypted: bool = False) -> Change:
    entry = {"path": path, "spki_sha256": spki, "readers": readers or [], "encrypted": encrypted, "beside": [made.CA_SPKI] if encrypted else []}
    return lambda seen: seen["n2"]["secrets"]["keys"].append(entry)


def key(**values: Any) -> Change:
    return lambda seen: seen["n2"]["secrets"]["keys"][0].update(values)


def both(*changes: Change) -> Change:
    def change(seen: made.Hosts) -> None:
        for one in changes:
            one(seen)

    return change


def verdict_of(change: Change, answer: Callable[[Probe], Answer | None] | None = None, **other: Any) -> Verdict:
    seen = made.hosts()
    change(seen)
    changed = {name: own["certificates"][0] for name, own in seen.items()}

    def shows(probe: Probe) -> Answer:
        good = made.hardened(probe)
        if probe.attack:
            return good
        shown = {name: changed[probe.host][name] for name in made.peer(probe.host)}
        return replace(good, tls=made.session(peer=shown))

    # Another CA has no CRL: that is another control's matter.
    return evaluate(made.evidence(of={**made.plan(), "crl": False}, seen=seen, answer=answer or shows, **other))


N1_KEY = made.certificate("n1")["spki_sha256"]
FAULTS: dict[str, tuple[str, Change, str]] = {
    "ended": ("certificate-lifetime", leaf(not_after="2026-11-01T00:00:00Z"), "cert.pem ended 1"),
    "not yet valid": ("certificate-lifetime", leaf(not_before="2026-12-30T00:00:00Z"), "is not valid for another"),
    "of another host": ("certificate-names", leaf(sans=["DNS:other"]), "lacks DNS:n2: it names DNS:other"),
    "of no host": ("certificate-names", leaf(sans=[]), "lacks DNS:n2: it names no host"),
    "of two members": ("certificate-names", leaf(sans=["DNS:n2", "DNS:n3"]), "names DNS:n3, another member's host"),
    "of all hosts": ("certificate-names", leaf(sans=["DNS:n2", "DNS:*.example.org"]), "a wildcard"),
    "not for clients": ("certificate-purposes", leaf(purposes=["serverAuth"]), "without clientAuth"),
    "for mail": ("certificate-purposes", leaf(purposes=["1.3.6.1.5.5.7.3.4"]), "without serverAuth and clientAuth"),
    "for no signature": ("certificate-purposes", leaf(usages=["keyEncipherment"]), "without digitalSignature"),
    "a CA": ("certificate-purposes", leaf(ca=True, usages=["digitalSignature"]), "may sign certificates"),
    "short RSA key": ("certificate-strength", leaf(key_type="RSA 1024"), "its key is RSA 1024"),
    "odd curve": ("certificate-strength", leaf(key_type="EC secp256k1"), "its key is EC secp256k1"),
    "SHA-1": ("certificate-strength", leaf(signature="SHA-1"), "its signature uses SHA-1"),
    "weak CA": ("certificate-strength", ca(key_type="RSA 1024"), "CN=beam root in /etc/beam/beam@n2/tls/ca.pem: its key is RSA 1024"),
    "CA ends soon": ("ca-lifetime", every_ca(not_after="2026-12-01T00:00:00Z"), "ends in"),
    "CA ends first": ("ca-lifetime", every_ca(not_after="2027-01-20T00:00:00Z"), "before the node's certificate"),
    "a second CA": ("trust-anchors", add_certificate(f"{N2}/ca.pem", **OTHER_CA), f"CN=evil CA (SHA-256 {'0e' * 32})"),
    "a leaf as anchor": ("trust-anchors", add_certificate(f"{N2}/ca.pem", **OTHER_CA, ca=False), "no CA certificate"),
    "a twin": (
        "trust-anchors",
        add_certificate(f"{N2}/ca.pem", **{**OTHER_CA, "subject": "CN=beam root", "issuer": "CN=beam root", "key_id": "caca"}),
        "most other members do not trust",
    ),
    "another CA alone": ("trust-anchors", ca(**OTHER_CA), "lacks CN=beam root"),
    "the CA's key": ("ca-key", add_key("/root/ca.key", made.CA_SPKI), "/root/ca.key is the private key of the CA CN=beam root"),
    "the CA's key, encrypted": ("ca-key", add_key("/root/ca/key.pem", None, encrypted=True), "beside the certificate of the CA CN=beam root"),
    "an encrypted key": ("ca-key", add_key("/etc/beam/x.pem", None, encrypted=True), "/etc/beam/x.pem is an encrypted private key"),
    "another node's key": ("key-of-its-own", add_key("/tmp/k.pem", N1_KEY), "/tmp/k.pem is the private key of beam@n1"),
    "another node's certificate": (
        "key-of-its-own",
        lambda seen: seen["n2"]["certificates"].append(made.certificate("n1", path="/etc/beam/old.pem")),
        "/etc/beam/old.pem is a certificate of beam@n1",
    ),
    "a key that does not fit": ("key-belongs", key(spki_sha256="77" * 32), "key.pem is not the key of the certificate in"),
    "no PEM key": ("key-belongs", lambda seen: seen["n2"]["secrets"]["keys"].clear(), "holds no private key in PEM format"),
    "a readable copy": ("key-readers", add_key("/etc/beam/k", "99" * 32, readers=["everybody"]), "/etc/beam/k holds a private key, and can be read"),
    "a readable copy in the home": ("key-readers", add_key("/var/lib/beam/beam@n2/k.pem", None, readers=["alice"]), "can be read by alice"),
    "a readable copy elsewhere": (
        "key-readers",
        add_key("/tmp/k.pem", made.certificate("n2")["spki_sha256"], readers=["everybody"]),
        "/tmp/k.pem holds a private key",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_fails_its_control_alone_and_is_named(name: str) -> None:
    control, change, says = FAULTS[name]
    verdict = verdict_of(change)
    assert {found.control for found in verdict.failures} == {control}
    assert {found.status for found in verdict.failures} == {FAILED}
    assert any(says in detail for found in verdict.failures for detail in found.details), [found.details for found in verdict.failures]


def test_every_control_of_keys_and_certificates_fails_above_or_below() -> None:
    assert {control for control, _change, _says in FAULTS.values()} | {"certificate-served"} == set(certificate_checks.CONTROLS)


def test_one_key_on_two_nodes_fails_both_and_is_not_n2s_fault_alone() -> None:
    """n1's key, and a certificate for it that names n2."""
    verdict = verdict_of(both(leaf(spki_sha256=N1_KEY), key(spki_sha256=N1_KEY)))
    assert {(found.control, found.subject) for found in verdict.failures} == {("key-of-its-own", "beam@n1"), ("key-of-its-own", "beam@n2")}
    details = " ".join(detail for found in verdict.failures for detail in found.details)
    assert "has the same key as beam@n1 (n1)" in details and "has the same key as beam@n2 (n2)" in details


def test_a_ca_that_is_not_the_owners_fails_also_where_all_members_trust_it() -> None:
    """The CA of all members was replaced, and issued all their certificates."""

    def change(seen: made.Hosts) -> None:
        for own in seen.values():
            own["certificates"][1].update(OTHER_CA)
            own["certificates"][0].update(issuer="CN=evil CA", issuer_key_id="0e0e")

    assert verdict_of(change).ok
    authority = Certificate.parse(made.ca_certificate("ca.pem"))
    assert authority
    verdict = verdict_of(change, authorities=[authority])
    assert {(found.control, found.status) for found in verdict.failures} == {("trust-anchors", FAILED)}
    assert {found.subject for found in verdict.failures} == {f"beam@{name}" for name in made.HOSTS}


def test_an_intermediate_ca_in_bundle_and_chain_is_fine() -> None:
    """Root and intermediate in ca.pem, and the intermediate after the leaf in cert.pem."""
    middle = {"sha256": "1b" * 32, "subject": "CN=beam intermediate", "spki_sha256": "1c" * 32, "key_id": "1b1b", "issuer_key_id": "caca"}

    def change(seen: made.Hosts) -> None:
        for name, own in seen.items():
            own["certificates"][0].update(issuer="CN=beam intermediate", issuer_key_id="1b1b")
            for file in ("ca", "certificate"):
                own["certificates"].append(made.ca_certificate(made.tls(name)[file], **middle))

    assert verdict_of(change).ok


def test_names_are_exact_where_the_ca_is_ours() -> None:
    authority = Certificate.parse(made.ca_certificate("ca.pem"))
    assert authority
    extra = leaf(sans=["DNS:n2", "DNS:n2.example.org"])
    assert verdict_of(extra).ok
    verdict = verdict_of(extra, authorities=[authority])
    assert [(found.control, found.subject) for found in verdict.failures] == [("certificate-names", "beam@n2")]


def test_upper_case_names_are_the_same_names() -> None:
    assert verdict_of(leaf(sans=["DNS:N2"])).ok


# -- served against file ------------------------------------------------------------------------------------------------------------------------


def served(changed: float, started: float) -> Verdict:
    """n2's file holds a new certificate, the node shows the old one. Days before now."""

    def change(seen: made.Hosts) -> None:
        seen["n2"]["certificates"][0].update(sha256="11" * 32, not_after="2027-02-20T00:00:00Z")
        (entry,) = (entry for entry in seen["n2"]["files"] if entry["path"] == f"{N2}/cert.pem")
        entry["modified"] = made.NOW - changed * made.DAY
        seen["n2"]["processes"][0]["started"] = made.NOW - started * made.DAY

    return verdict_of(change, answer=made.hardened)


@pytest.mark.parametrize(
    ("changed", "started", "trap"),
    [(1, 2, False), (300, 2, True)],
)
def test_a_node_that_shows_an_old_certificate(changed: float, started: float, trap: bool) -> None:
    verdict = served(changed, started)
    (found,) = verdict.failures
    assert (found.control, found.subject) == ("certificate-served", "beam@n2")
    assert f"{N2}/cert.pem holds {'11' * 32}" in found.details[0]
    assert ("run touch on" in found.details[0]) is trap


def test_a_file_that_has_just_changed_is_served_soon() -> None:
    verdict = served(100 / made.DAY, 2)
    assert verdict.ok
    (found,) = (one for one in verdict.findings if one.control == "certificate-served" and one.subject == "beam@n2")
    assert "changed 100 seconds ago" in found.details[0]


# -- what nobody saw ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda seen: seen["n2"].update(certificates=None, secrets=None),
        lambda seen: seen["n2"].update(certificates=[], secrets=None, unknown={"certificates": "cannot be read"}),
        lambda seen: seen.pop("n2"),
    ],
)
def test_what_was_not_looked_at_is_not_tested(change: Change) -> None:
    seen = made.hosts()
    change(seen)
    verdict = evaluate(made.evidence(seen=seen, answer=lambda probe: replace(made.hardened(probe), tls=None)))
    found = {one.control: one.status for one in verdict.findings if one.control in certificate_checks.CONTROLS and one.hosts == ("n2",)}
    assert found == dict.fromkeys(certificate_checks.CONTROLS, NOT_TESTED)


def test_a_certificate_file_that_does_not_exist_fails() -> None:
    def change(n2: made.Hosts) -> None:
        own = n2["n2"]
        own["certificates"] = own["certificates"][1:]
        own["files"] = [entry for entry in own["files"] if entry["path"] != f"{N2}/cert.pem"]
        own["missing"] = [f"{N2}/cert.pem"]

    seen = made.hosts()
    change(seen)
    verdict = evaluate(made.evidence(seen=seen))
    failed = {found.control for found in verdict.failures if found.subject == "beam@n2" and found.details == (f"{N2}/cert.pem does not exist",)}
    assert failed >= {"certificate-served", "certificate-purposes", "key-belongs", "key-of-its-own"}


# -- what members were shown, where the file says nothing -------------------------------------------------------------------------------------------


def dated(code: str = "connected", stage: str = "done", *, begins: float = -30, ends: float = 60) -> Callable[[Probe], Answer]:
    """n3 shows a certificate with these days, and every connection to it ends with a code."""

    def date(days: float) -> str:
        return datetime.datetime.fromtimestamp(made.NOW + days * made.DAY, datetime.timezone.utc).isoformat()

    def answer(probe: Probe) -> Answer:
        good = made.hardened(probe)
        if probe.target != "beam@n3" or probe.attack:
            return good
        return replace(good, code=code, stage=stage, tls=made.session(peer={"subject": "CN=x", "not_before": date(begins), "not_after": date(ends)}))

    return answer


def lifetime(answer: Callable[[Probe], Answer]) -> Finding:
    seen = made.hosts()
    seen["n3"]["certificates"] = seen["n3"]["certificates"][1:]
    verdict = evaluate(made.evidence(seen=seen, answer=answer))
    (found,) = (one for one in verdict.findings if one.control == "certificate-lifetime" and one.subject == "beam@n3")
    return found


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (dated(ends=2), "the certificate that it shows ends in 2 days"),
        (dated(ends=13.9), "the certificate that it shows ends in 14 days"),
        # Refused by us: it was shown all the same.
        (dated("cert_expired", "tls", ends=-3), "the certificate that it shows ended 3 days ago"),
        (dated("cert_not_yet_valid", "tls", begins=2), "the certificate that it shows is not valid for another 2 days"),
    ],
)
def test_a_certificate_that_is_not_valid_now_and_for_two_weeks(answer: Callable[[Probe], Answer], says: str) -> None:
    found = lifetime(answer)
    assert (found.status, len(found.details)) == (FAILED, 1)
    assert found.details[0].startswith(says)


@pytest.mark.parametrize(("days", "status"), [(13.9, FAILED), (14.1, PASSED)])
def test_both_lifetimes_fail_two_weeks_before_nobody_can_connect(days: float, status: str) -> None:
    until = datetime.datetime.fromtimestamp(made.NOW + days * made.DAY, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    verdict = verdict_of(both(leaf(not_after=until), every_ca(not_after=until)))
    assert {one.status for one in verdict.findings if one.control in ("certificate-lifetime", "ca-lifetime") and one.subject == "beam@n2"} == {status}


def test_a_good_certificate_of_a_node_that_cannot_be_connected_to_has_passed() -> None:
    assert lifetime(dated("wrong_node", "challenge")).details == ("60 days left",)


def test_a_certificate_without_dates_is_not_tested() -> None:
    found = lifetime(lambda probe: replace(made.hardened(probe), tls=made.session(peer={"subject": "x"})))
    assert found.status == NOT_TESTED
