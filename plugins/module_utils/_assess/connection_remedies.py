# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why connections fail, in words, with what mends it: by the code, by which end is at fault, and by the certificate that was shown.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._model.times import epoch_of
from .._wire import codes
from .finding import Evidence
from .probes import Answer
from .target import NodeTarget, Target

SITE = "Run beam.cluster.site"
_COOKIE = frozenset({"cookie_refused_theirs", "cookie_mismatch_ours", "digest_reflected"})
_SHOWN = frozenset({"unknown_ca", "bad_certificate", "certificate_expired", "unsupported_certificate", "certificate_unknown", "handshake_failure"})


@dataclass(frozen=True)
class Broken:
    """A connection that failed. source: the node that asked, target: the one that was asked."""

    source: str
    target: str
    answer: Answer


_OF_TARGET = {
    "closed": ("nothing listens at {where}", f"Start the node, or read its log. {SITE}."),
    "filtered": ("a firewall drops the packets to {where}", f"{SITE}: it opens the port for all members. Check firewalls between the hosts."),
    "unreachable": ("there is no route to {where}", "Check the route and the firewalls between the hosts."),
    "epmd_closed": ("no EPMD listens on its host at its cluster address", f"Start epmd.socket there. {SITE}."),
    "epmd_filtered": ("a firewall drops the packets to its EPMD", f"{SITE}: it opens port 4369 for all members."),
    "epmd_unreachable": ("there is no route to its EPMD", "Check the route and the firewalls between the hosts."),
    "not_registered": ("EPMD on its host does not know its name", "Restart the node: it registers when it starts."),
    "wrong_node": ("another node answers at {where}", "Stop the process that holds the port, and restart the node."),
    "tls_on_plaintext": ("it speaks clear text at {where}", f"{SITE}: it writes the TLS options and restarts the node."),
    "plaintext_on_tls": ("it speaks TLS, and clear text is planned", f"{SITE}: it writes the flags again and restarts the node."),
    "not_allowed": ("its allow list lacks its peers", f"{SITE}: it writes allow.conf again."),
    "dropped_status": ("its allow list lacks its peers", f"{SITE}: it writes allow.conf again."),
    "dropped_tls": ("what listens at {where} ends every TLS handshake", "Look up which process holds that port, and read the log of the node."),
}
_OF_SOURCE = {
    "not_allowed": ("its peers do not allow its name", f"{SITE} on all members: it writes allow.conf again."),
    "dropped_status": ("its peers do not allow its name or its certificate's name", f"{SITE} on all members: it writes allow.conf again."),
    "filtered": ("its packets to its peers are dropped", "Check the firewalls of its host and between the hosts."),
    "closed": ("its peers refuse its packets", "Check the firewalls of its host and between the hosts."),
    "epmd_filtered": ("its packets to the EPMD of its peers are dropped", "Check the firewalls of its host and between the hosts."),
}
_ONE_COOKIE = ("the two nodes have different cookies", f"{SITE}: it sets the cookie of the inventory in the files and in the running nodes.")
_OF_CODE = {
    **dict.fromkeys(_COOKIE, _ONE_COOKIE),
    "tls_verification": ("the certificate of the node that was asked is refused", f"{SITE}: it renews certificates that do not verify."),
    "tls_alert_certificate_expired": ("the certificate of the node that asked has expired", f"{SITE}: it renews the certificate."),
    "tls_alert_certificate_revoked": (
        "the certificate of the node that asked is revoked",
        "Remove its host, or accept the certificate again: beam.cluster.revoke with beam_unrevoke.",
    ),
    "tls_alert_unknown_ca": ("the two nodes trust different CAs", f"{SITE}: it installs the CA of the cluster on both."),
}


def remedy(target: Target, broken: Broken) -> str:
    """What a code of one connection means, and what mends it; empty where only the table of codes has more to say."""
    text = _OF_CODE.get(broken.answer.code) or _OF_TARGET.get(broken.answer.code)
    return f"{text[0].format(where=_where(target.node(broken.target), [broken]))}. {text[1]}" if text else ""


def explain(evidence: Evidence, node: str, broken: Sequence[Broken]) -> tuple[str, ...]:
    """Why a node is an end of all these connections, and what to do: one line for each different reason."""
    target = evidence.target.node(node)
    as_source = [one for one in broken if one.source == node and one.target != node]
    as_target = [one for one in broken if one.target == node and one.source != node]
    itself = [one for one in broken if one.source == one.target]
    lines = []
    if any(one.answer.code in _COOKIE for one in broken):
        lines.append(_cookie(as_source, as_target, itself, evidence))
    certificate = _certificate(evidence, target)
    if any(_of_certificate(one.answer.code) for one in broken):
        why = certificate or _trust(evidence, node)
        lines.append(f"{why}. Refused: {_counts(broken)}. {SITE}: it renews the certificate, and installs the cluster's CA.")
    for group, table in ((as_target or itself, _OF_TARGET), (as_source, _OF_SOURCE)):
        for code in sorted({one.answer.code for one in group}):
            if code in table and not any(text.startswith(table[code][0][:20]) for text in lines):
                lines.append(f"{table[code][0].format(where=_where(target, group))}. {table[code][1]}")
    if not lines:
        said = sorted({one.answer.code for one in broken})
        meanings = " ".join(f"{code}: {_meaning(code)}" for code in said)
        lines.append(f"every connection with it fails: {_counts(broken)}. {meanings} Read the log of the node.")
    return tuple(lines)


def _meaning(code: str) -> str:
    try:
        return codes.lookup(code).meaning
    except KeyError:
        return ""


def _counts(broken: Iterable[Broken]) -> str:
    return ", ".join(sorted({f"{one.source} -> {one.target} {one.answer.code}" for one in broken}))


def _where(node: NodeTarget, broken: Sequence[Broken]) -> str:
    port = next((one.answer.port for one in broken if one.answer.port), node.port)
    outside = port is not None and node.ports is not None and not node.ports.first <= port <= node.ports.last
    told = f", which EPMD names and which is outside its port range {node.ports}" if outside and node.port is None else ""
    return f"{node.address}:{port}{told}" if port else f"{node.address}, ports {node.ports}"


def _cookie(as_source: Sequence[Broken], as_target: Sequence[Broken], itself: Sequence[Broken], evidence: Evidence) -> str:
    refused = [one for one in as_source if one.answer.code in _COOKIE]
    refuses = [one for one in as_target if one.answer.code in _COOKIE]
    others = sorted({one.target for one in refused} | {one.source for one in refuses})
    if itself and itself[0].answer.code in _COOKIE:
        if refused and not refuses:
            text = "the cookie in its cookie file is not the one with which it and its peers run"
        elif refuses and not refused:
            text = "the cookie with which it runs is not the one in its cookie file, which its peers have"
        else:
            text = "the cookie in its cookie file and the one with which it runs differ from each other"
    else:
        text = f"its cookie differs from that of {', '.join(others)}" + (", which connect to each other" if len(others) > 1 else "")
    return f"{text}. {SITE}: it sets the cookie of the inventory in the file and in the running node."


def _of_certificate(code: str) -> bool:
    return code == "tls_verification" or code.removeprefix("tls_alert_") in _SHOWN


def _shown(evidence: Evidence, node: str) -> dict[str, object] | None:
    """The certificate that a node showed, whoever accepted it."""
    for answer in evidence.connected_to.get(node, ()):
        if answer.tls and answer.tls.peer:
            return dict(answer.tls.peer)
    return None


def _certificate(evidence: Evidence, node: NodeTarget) -> str:
    """What is wrong with the certificate that a node showed; empty where that is nothing, or it is not known."""
    shown = _shown(evidence, node.node)
    if shown is None:
        return ""
    problems = []
    since, until = epoch_of(shown.get("not_before")), epoch_of(shown.get("not_after"))
    if until is not None and until < evidence.epoch:
        problems.append(f"has expired ({shown['not_after']})")
    if since is not None and since > evidence.epoch:
        problems.append(f"is not valid before {shown['not_before']}")
    sans = [str(name) for name in _list(shown.get("sans"))]
    if node.host_part.lower() not in {name.partition(":")[2].lower() for name in sans}:
        problems.append(f"is for {', '.join(sans) or 'no name'}, not for {node.host_part}")
    purposes = shown.get("purposes")
    if purposes is not None:
        problems += [f"lacks the purpose {name}" for name in ("serverAuth", "clientAuth") if name not in _list(purposes)]
    return f"its certificate {', and '.join(problems)}" if problems else ""


def _trust(evidence: Evidence, node: str) -> str:
    issuers = {name: str(shown.get("issuer")) for name in evidence.connected_to if (shown := _shown(evidence, name))}
    own, others = issuers.get(node), {issuer for name, issuer in issuers.items() if name != node}
    if own and others and own not in others:
        return f"its certificate is from {own}, those of its peers from {', '.join(sorted(others))}"
    return "it trusts another CA than its peers (ca.pem), or shows a certificate that they do not verify"


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()
