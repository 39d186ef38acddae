# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer to something compromised: what has to be replaced, and how to know later that it was.

Private to this collection. Pure. A record stays beside the CA: what was in force before the replacement. What is in force and not in the
record is new. So a run that was killed goes on with the next one, and a repeated run changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_ROUNDS = 200_000


class RecordError(ValueError):
    """The record cannot be read. The message says why."""


@dataclass(frozen=True)
class Entry:
    """One compromise. begun: UTC, ISO 8601. cookie: salted hash of the cookie that replaces the stolen one, empty where none has to be replaced.
    cas, certificates: SHA-256 of the CA certificates, and of those of the nodes, that were known when it began."""

    begun: str
    cookie: str = ""
    cas: frozenset[str] = frozenset()
    certificates: frozenset[str] = frozenset()


@dataclass(frozen=True)
class State:
    """What is in force. cookie: that of the inventory. cookie_everywhere: whether all nodes have it.

    cas: SHA-256 of the certificates of the CA and of one that is about to replace it. issued: of each node the SHA-256 of all certificates that
    it was ever given; held: of the one that it has now.
    revocable: the nodes for which a CA in force has issued certificates."""

    cookie: str
    cookie_everywhere: bool
    cas: frozenset[str]
    issued: Mapping[str, frozenset[str]]
    held: Mapping[str, str]
    revocable: frozenset[str]


@dataclass(frozen=True)
class Wanted:
    """beam_compromised as the plan understands it.

    nodes and addresses: of each compromised host; members: all that stay; external: hosts among theirs whose firewall is not ours; ca_dir: on the
    controller. keys: nodes whose host stays. certificates: whether the CA of the
    cluster issues them, own_certificates: whether the operator does. crl: whether nodes check for revoked ones."""

    names: tuple[str, ...]
    nodes: Mapping[str, tuple[str, ...]]
    keys: tuple[str, ...]
    cookie: bool
    ca: bool
    certificates: bool
    crl: bool
    own_certificates: bool = False
    members: tuple[str, ...] = ()
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    external: tuple[str, ...] = ()
    ca_dir: str = ""

    @property
    def gone(self) -> tuple[str, ...]:
        """The nodes that are no members any more."""
        return tuple(node for nodes in self.nodes.values() for node in nodes)


@dataclass(frozen=True)
class Answer:
    """What to do. revoke: names for the list of revoked certificates. renew: nodes that get a new key. new_ca: "no"; "yes"; "finish", it was made by
    an earlier run, which may have been killed. old: what is stolen and was replaced by an earlier run, name -> when that began. errors: message
    and fix of what makes the answer impossible."""

    entries: Mapping[str, Entry]
    revoke: tuple[str, ...]
    renew: tuple[str, ...]
    new_ca: str
    old: Mapping[str, str]
    errors: tuple[tuple[str, str], ...]


def read_record(text: str) -> dict[str, Entry]:
    """The record out of its file. Raises `RecordError`."""
    try:
        return {
            str(name): Entry(str(one["begun"]), str(one["cookie"]), frozenset(map(str, one["cas"])), frozenset(map(str, one["certificates"])))
            for name, one in json.loads(text or "{}").items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RecordError("it is damaged") from None


def write_record(entries: Mapping[str, Entry]) -> str:
    """The content of the file."""
    data = {
        name: {"begun": one.begun, "cookie": one.cookie, "cas": sorted(one.cas), "certificates": sorted(one.certificates)}
        for name, one in sorted(entries.items())
    }
    return json.dumps(data, indent=1) + "\n"


def digest(cookie: str, salt: str) -> str:
    """`salt$hash`: tells whether a cookie is the same, and nothing else about it."""
    return f"{salt}${hashlib.pbkdf2_hmac('sha256', cookie.encode(), salt.encode(), _ROUNDS).hex()}"


def _is_cookie(cookie: str, known: str) -> bool:
    return bool(known) and hmac.compare_digest(digest(cookie, known.partition("$")[0]), known)


def decide(wanted: Wanted, state: State, record: Mapping[str, Entry], *, again: bool, now: str, salt: str) -> Answer:
    """`again`: what the record says was replaced is stolen once more. `now`: UTC; `salt`: random, for the hash of the cookie."""
    entries, old = dict(record), {}
    unchanged = []
    for name in wanted.names:
        nodes = wanted.nodes.get(name, ())
        cookie = bool(nodes) or name == "cookie"
        known = None if again else record.get(name)
        if known and _is_new(known, state, nodes, cookie):
            known = None
        if known:
            old[name] = known.begun
            continue
        if cookie and state.cookie_everywhere:
            unchanged.append(name)
        concerned = nodes or tuple(node for node in wanted.keys if name == f"key:{node}")
        certificates = {one for node in concerned for one in (*state.issued.get(node, ()), state.held.get(node, "")) if one}
        entries[name] = Entry(now, digest(state.cookie, salt) if cookie else "", state.cas, frozenset(certificates))
    mine = [entries[name] for name in wanted.names]
    renew = tuple(node for node in wanted.keys if state.held.get(node) in entries[f"key:{node}"].certificates)
    revoke: tuple[str, ...] = ()
    if wanted.crl:
        revoke = tuple(node for node in (*wanted.gone, *renew) if node in state.revocable)
    new_ca = "no"
    if wanted.certificates and (wanted.ca or ((wanted.nodes or wanted.keys) and not wanted.crl)):
        # Of the cookie alone the record names CAs, too, and no CA has to go for it.
        concerned_entries = [entry for name, entry in zip(wanted.names, mine) if name != "cookie"]
        new_ca = "yes" if any(entry.cas & state.cas for entry in concerned_entries) else "finish"
    return Answer(entries, revoke, renew, new_ca, old, tuple(_errors(unchanged)))


def _is_new(known: Entry, state: State, nodes: Sequence[str], cookie: bool) -> bool:
    """Whether what is stolen now was not yet in force when the record was made: another cookie follows, or the host was a member again."""
    if cookie and not _is_cookie(state.cookie, known.cookie):
        return True
    return any(state.issued.get(node, frozenset()) - known.certificates for node in nodes)


def _errors(unchanged: Sequence[str]) -> list[tuple[str, str]]:
    if not unchanged:
        return []
    return [(
        f"{', '.join(unchanged)}: beam_cookie is the cookie that all nodes have, which is the stolen one.",
        "put a new cookie into beam_cookie in the vault of the cluster (openssl rand -hex 32 makes one), and run this again.",
    )]


def steps(wanted: Wanted, answer: Answer) -> list[tuple[str, str]]:
    """Name and text of each step, in the order in which they come into force."""
    members, hosts, gone = ", ".join(wanted.members), ", ".join(wanted.nodes), ", ".join(wanted.gone)
    found = []
    if wanted.nodes:
        where = "; ".join(f"{host} ({', '.join(addresses) or 'address unknown'})" for host, addresses in wanted.addresses.items())
        found.append(("firewall", f"the members' firewalls drop all packets of {where}"))
        found.append(("links", f"{members}: the links to {gone} are cut"))
    if answer.revoke:
        found.append(("revoked", f"{members}: every certificate of {', '.join(answer.revoke)} is refused"))
    if answer.renew:
        found.append(("keys", f"{', '.join(answer.renew)}: a new key, with a new certificate"))
    if wanted.cookie:
        found.append(("cookie", f"{members}: the cookie in beam_cookie, and the old one is refused"))
    if answer.new_ca != "no":
        why = "the old one and all its certificates are refused"
        found.append(("ca", f"{members}: a new CA; {why}" if answer.new_ca == "yes" else f"{members}: the new CA alone; {why}"))
    return found if hosts or wanted.keys or wanted.cookie or wanted.ca else []


def left_to_do(wanted: Wanted, answer: Answer) -> list[str]:
    """What no command of ours can do, or what restarts nodes and is done when the operator wants it."""
    found = []
    if wanted.nodes:
        hosts = list(wanted.nodes)
        limit = shlex.quote(":".join(["all", *(f"!{host}" for host in hosts)]))
        restart = shlex.quote(json.dumps({"beam_service_restart": list(wanted.members)}))
        found += [
            f"Set beam_state: absent for {', '.join(hosts)} in the inventory and run beam.cluster.site --limit {limit}. Without beam_state the next "
            "run would make a member of it again.",
            f"Then restart the members one at a time, because a running node cannot remove names from its allow list: beam.cluster.restart "
            f"-e {restart} --limit {limit}.",
            "Replace what else was on the host: passwords and certificates of applications.",
        ]
        if wanted.external:
            addresses = ", ".join(address for one in wanted.addresses.values() for address in one)
            where = ", ".join(wanted.external)
            found.append(f"Drop packets of {addresses or ', '.join(hosts)} in the firewall of {where}: beam_firewall is external.")
        if wanted.own_certificates:
            found.append(f"Revoke the certificates of {', '.join(wanted.gone)} at your CA: they are your own.")
    if answer.new_ca != "no":
        found.append(f"Delete {wanted.ca_dir}/retired when nothing outside of the cluster trusts the old CA.")
    for name, begun in answer.old.items():
        found.append(f"{name}: a run of {begun} has begun to replace this. If it was stolen again since then, run this with "
                     "-e beam_compromised_again=true.")
    return found


def report(found: Sequence[Mapping[str, str]], left: Sequence[str], times: Mapping[str, float] | None, changed: Sequence[str]) -> list[str]:
    """The steps with the seconds after which each was in force, and what is left. times: None in check mode. changed: steps that this run had to
    take. A step without a time was not reached."""
    lines = ["What will be done, in this order (check mode, nothing was changed):" if times is None else "In force, in seconds since the run began:"]
    for number, one in enumerate(found, start=1):
        step, text = one["step"], one["text"]
        if times is None:
            lines.append(f"{number:6}.  {step}: {text}")
        elif step in times:
            lines.append(f"{float(times[step]):7.1f}  {step}: {text}{'' if step in changed else ' (as before this run)'}")
    if times is not None and not changed:
        lines.append("Nothing had to be changed.")
    return [*lines, *(["Left to do:"] if left else []), *(f"  - {line}" for line in left)]
