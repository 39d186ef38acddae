# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster for the operator: certificates, CAs, cookie, OTP and pending restarts of each node, and what to do about them.

Private to this collection, pure. It evaluates no control. Where nobody could look the value is None, and the table shows a question mark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .._model.credentials import Credentials, HeldCertificate
from .._model.observation import Observation
from .._model.revocation_rules import DAYS_MIN
from .._model.times import epoch_of
from .checks.revocation import of_node
from .target import NodeTarget, Target

SCHEMA = 1
SHORT = 8
"""Digits of a fingerprint in the table."""

SITE, RENEW, VERIFY, RESTART = "beam.cluster.site", "beam.cluster.renew", "beam.cluster.verify", "beam.cluster.restart"
_DAY = 86400


@dataclass(frozen=True)
class CrlStatus:
    """Of a node's CRLs the one that ends first. revoked: whether one of them has the node's own certificate."""

    this_update: str
    next_update: str
    age_days: float
    days_left: float
    revoked: bool


@dataclass(frozen=True)
class NodeStatus:
    """One member. in_run: whether its host was in the run; if not, nothing else is known.

    shows: fingerprint of the certificate that the node shows. problems: of the files.
    trusted, used: fingerprints of CA certificates. cookie: the letter of the cookie in its file, the same for equal cookies; cookie_accepted: whether
    the node accepts it. otp: of the running VM, installed: the one that a start would use. restart: why it has to be restarted;
    postponed: why it has to be, and only `beam.cluster.restart` does it, or a run in beam_restart_window. crl: None where it has none, or needs none.
    """

    node: str
    host: str
    in_run: bool
    running: bool | None = None
    certificate: HeldCertificate | None = None
    shows: str | None = None
    code: str | None = None
    problems: tuple[str, ...] = ()
    trusted: tuple[str, ...] | None = None
    used: tuple[str, ...] = ()
    cookie: str | None = None
    cookie_accepted: bool | None = None
    otp: str | None = None
    installed: str | None = None
    restart: tuple[str, ...] | None = None
    postponed: tuple[str, ...] = ()
    crl: CrlStatus | None = None

    @property
    def shows_its_file(self) -> bool | None:
        """Whether the node shows the certificate of its file; None if either is not known."""
        return self.shows == self.certificate.sha256 if self.certificate and self.shows else None


@dataclass(frozen=True)
class Generation:
    """One CA certificate that a node trusts. trusted, used: how many nodes trust it, and how many have a certificate that it verifies."""

    sha256: str
    subject: str
    not_after: str
    days_left: float
    trusted: int
    used: int


@dataclass(frozen=True)
class Status:
    """The cluster. attention: what is wrong or due, each with the fix; empty if there is nothing to do."""

    group: str
    tls: bool
    crls: bool
    nodes: tuple[NodeStatus, ...]
    generations: tuple[Generation, ...]
    cookies: Mapping[str, int]
    attention: tuple[str, ...]


def status(target: Target, evidence: Mapping[str, Mapping[str, Any]]) -> Status:
    """From what each host said, by inventory name: `observed` (module observe), `credentials` (module credentials_info, one entry for each node) and
    `states` (filter node_states).
    """
    letters: dict[str, str] = {}
    nodes = []
    details: dict[str, HeldCertificate] = {}
    for node in target.members:
        own = evidence.get(node.host) or {}
        raw = next((entry for entry in own.get("credentials") or () if entry.get("node") == node.node), None)
        if not node.in_run or raw is None:
            nodes.append(NodeStatus(node.node, node.host, node.in_run))
            continue
        credentials = Credentials.parse(raw)
        details.update((one.sha256, one) for one in credentials.trusted or ())
        digest = credentials.cookie_digest
        letter = None if digest is None else letters.setdefault(digest, _letter(len(letters)))
        state = next((one for one in own.get("states") or () if one["node"]["node"] == node.node), None)
        found = _node(node, Observation.parse(node.host, own.get("observed") or {}), credentials, letter)
        if state is not None:
            found = replace(found, restart=tuple(state["reasons"]), postponed=tuple(state.get("postponed") or ()))
        nodes.append(found)
    known = [one for one in nodes if one.trusted is not None]
    trusted = Counter(name for one in known for name in one.trusted or ())
    used = Counter(name for one in known for name in one.used)
    generations = tuple(
        Generation(name, one.subject, one.not_after, one.days_left, trusted[name], used[name]) for name, one in details.items()
    )
    cookies = Counter(one.cookie for one in nodes if one.cookie)
    return Status(
        target.group,
        bool(target.tls),
        target.crl,
        tuple(nodes),
        generations,
        dict(cookies),
        (*_attention(nodes, generations, cookies, len(known)), *(line for one in nodes if target.crl for line in _of_crl(one))),
    )


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"#{number + 1}"


def _node(node: NodeTarget, seen: Observation, credentials: Credentials, letter: str | None) -> NodeStatus:
    running, installed = _otp(seen, node)
    return NodeStatus(
        node=node.node,
        host=node.host,
        in_run=True,
        running=credentials.running,
        certificate=credentials.certificate,
        shows=credentials.shows,
        code=credentials.code,
        problems=credentials.problems,
        trusted=None if credentials.trusted is None else tuple(one.sha256 for one in credentials.trusted),
        used=credentials.used,
        cookie=letter,
        cookie_accepted=credentials.cookie_accepted,
        otp=running,
        installed=installed,
        crl=_crl(seen, node),
    )


def _crl(seen: Observation, node: NodeTarget) -> CrlStatus | None:
    files = [one for one in of_node(seen, node) if one.found and epoch_of(one.next_update) is not None]
    if not files or seen.epoch is None:
        return None
    first = min(files, key=lambda one: epoch_of(one.next_update) or 0.0)
    age, left = seen.epoch - (epoch_of(first.this_update) or seen.epoch), (epoch_of(first.next_update) or 0.0) - seen.epoch
    return CrlStatus(first.this_update, first.next_update, round(age / _DAY, 2), round(left / _DAY, 2), any(one.own for one in files))


def _of_crl(one: NodeStatus) -> Iterator[str]:
    """What is wrong with the CRLs of a node that has to check them."""
    if one.running is None:
        return
    if one.crl is None:
        yield f"{one.node}: it has no CRL, so it refuses everybody if it checks. Run {SITE}."
    elif one.crl.days_left < DAYS_MIN:
        yield f"{one.node}: its CRL ends at {one.crl.next_update}, and from then on it refuses everybody. Run {RENEW}."
    if one.crl and one.crl.revoked:
        yield f"{one.node}: its certificate is revoked, and members refuse it. Remove its host, or accept it again with beam.cluster.revoke."


def _otp(seen: Observation, node: NodeTarget) -> tuple[str | None, str | None]:
    """The OTP that the node runs, and the one that a start would use."""
    process = next((one for one in seen.processes or () if node.is_run_by(one)), None)
    if process is None or process.vm is None:
        return None, None
    installed = next((one.version for one in seen.otp or () if one.root == process.vm.otp_root), None)
    return process.vm.version, installed


def _attention(nodes: Sequence[NodeStatus], generations: Iterable[Generation], cookies: Mapping[str, int], known: int) -> Iterator[str]:
    for one in nodes:
        if not one.in_run:
            yield f"{one.node}: its host is not in this run, so its state is unknown. Run without --limit."
        elif one.running is None:
            yield f"{one.node}: its host was not read."
        elif not one.running:
            yield f"{one.node}: the node does not run. Run {SITE}, which starts it, or read its journal."
        yield from _of_node(one)
    for ca in generations:
        if ca.days_left < 0:
            yield f"CA {ca.sha256[:SHORT]} ({ca.subject}): it expired at {ca.not_after}."
        elif ca.trusted < known:
            yield f"CA {ca.sha256[:SHORT]} ({ca.subject}): {ca.trusted} of {known} nodes trust it. Run {RENEW} on all members."
    if len(cookies) > 1:
        groups = ", ".join(f"{letter} on {count}" for letter, count in sorted(cookies.items()))
        yield f"The nodes have {len(cookies)} different cookies ({groups}). Run beam.cluster.rotate_cookie on all members."


def _of_node(one: NodeStatus) -> Iterator[str]:
    certificate = one.certificate
    if certificate and certificate.days_left < 0:
        yield f"{one.node}: its certificate expired at {certificate.not_after}. Run {RENEW}."
    elif certificate and certificate.due:
        yield f"{one.node}: its certificate is due for renewal, {certificate.days_left:.0f} days left. Run {RENEW}."
    yield from (f"{one.node}: {problem}. Run {RENEW}." for problem in one.problems if "expired at" not in problem)
    if one.shows_its_file is False:
        yield f"{one.node}: the node shows another certificate ({(one.shows or '')[:SHORT]}) than the one in its file. Run {RENEW}."
    elif one.running and one.shows is None and certificate:
        yield f"{one.node}: the node showed no certificate ({one.code}). Run {VERIFY} to find out why."
    if one.cookie_accepted is False:
        yield f"{one.node}: the node does not accept the cookie in its file. Run beam.cluster.rotate_cookie."
    for reason in one.restart or ():
        yield f"{one.node}: has to be restarted: {reason}. Run {SITE}."
    for reason in one.postponed:
        when = "in the window" if "beam_restart_window" in reason else "when the cluster can lose a node for a moment"
        yield f"{one.node}: {reason}, until it restarts. Run {RESTART} {when}."


def rows(found: Status) -> list[list[str]]:
    """The table, its head first."""
    members = len(found.nodes)
    tls = ["certificate", "CA used", "CA trusted"] if found.tls else []
    head = ["node", "state", *tls, *(["CRL"] if found.crls else []), "cookie", "OTP", "restart"]
    table = [head]
    for one in found.nodes:
        if not one.in_run or one.running is None:
            table.append([one.node, "not in this run" if not one.in_run else "?", *["?"] * (len(head) - 2)])
            continue
        state = "runs" if one.running else "stopped"
        tls = [_certificate(one), _prints(one.used), _prints(one.trusted)] if found.tls else []
        crls = [_crl_cell(one)] if found.crls else []
        table.append([one.node, state, *tls, *crls, _cookie(one, found.cookies, members), _versions(one), _restart(one)])
    return table


def _crl_cell(one: NodeStatus) -> str:
    if one.crl is None:
        return "none"
    return f"{one.crl.days_left:.0f} days, {one.crl.age_days:.0f} old{', revoked' if one.crl.revoked else ''}"


def _certificate(one: NodeStatus) -> str:
    if one.certificate is None:
        return "none" if not one.problems else "unusable"
    days = f"{one.certificate.days_left:.0f} days"
    due = " (due)" if one.certificate.due else ""
    shown = {True: ", shown", False: ", another is shown", None: ", shown: ?" if one.running else ""}[one.shows_its_file]
    return f"{days}{due}{shown}{', unusable' if one.problems else ''}"


def _prints(values: Sequence[str] | None) -> str:
    return "?" if values is None else " ".join(value[:SHORT] for value in values) or "none"


def _cookie(one: NodeStatus, cookies: Mapping[str, int], members: int) -> str:
    if one.cookie is None:
        return "?"
    return f"{one.cookie} [{cookies[one.cookie]}/{members}]{' refused' if one.cookie_accepted is False else ''}"


def _versions(one: NodeStatus) -> str:
    if one.otp is None:
        return "?" if one.running else ""
    return one.otp if one.installed in (None, one.otp) else f"{one.otp}, installed {one.installed}"


def _restart(one: NodeStatus) -> str:
    return "?" if one.restart is None else "pending" if one.restart else "postponed" if one.postponed else "no"


def text(found: Status) -> list[str]:
    """Lines for a terminal, without colour."""
    table = rows(found)
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    lines = [f"Cluster {found.group}: {len(found.nodes)} nodes", ""]
    lines += [("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths))).rstrip() for row in table]
    for one in found.generations:
        lines += ["", f"CA {one.sha256[:SHORT]}: {one.subject}, {one.days_left:.0f} days left; trusted by {one.trusted}, used by {one.used} nodes"]
    lines += ["", "Attention", *(f"  {line}" for line in found.attention)] if found.attention else ["", "Nothing is due or wrong."]
    return lines


def data(found: Status, when: str) -> dict[str, Any]:
    """The JSON file: every key always there. The cookie is a letter only."""
    return {
        "schema": SCHEMA,
        "when": when,
        "group": found.group,
        "nodes": [{**asdict(one), "shows_its_file": one.shows_its_file} for one in found.nodes],
        "cas": [asdict(one) for one in found.generations],
        "cookies": dict(found.cookies),
        "attention": list(found.attention),
    }
