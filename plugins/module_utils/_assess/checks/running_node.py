# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One check per control about what a running node has in force, as it says itself.

Private to this collection, pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Callable

from ..._model.addresses import is_address, is_loopback
from ..._model.observation import Observation
from ..._model.running_node import InForce, Link, NodeLink, TlsOptions
from ..._wire.constants import PROBE_NAME
from ..controls.thresholds import ATOMS_PART_MAX, SHOWN_SECONDS
from ..controls.tls_options import FORGIVING
from ..finding import NOT_APPLICABLE, NOT_TESTED, Evidence, Finding, Result, result
from ..target import CLEAR_TEXT, NEEDS_CREDENTIALS, NEEDS_OWN_CREDENTIALS, OFF, NodeTarget, Target
from .mesh import is_tool

Details = tuple[str, tuple[str, ...]]
_Check = Callable[[Evidence, NodeTarget, InForce], Details]

_KNOWN = frozenset(
    "verify fail_if_no_peer_cert versions cacertfile certfile keyfile ciphers depth crl_check crl_cache reuse_sessions secure_renegotiate "
    "client_renegotiation honor_cipher_order hibernate_after log_level ktls".split()
)
"""Options that are compared with the plan, or change nothing of what is verified. OTP has others (sni_fun, certs_keys) and gets more."""


WITHOUT_PLAN = frozenset({"code-path", "ssh-daemons", "boot-server-running", "rabbitmq-logins-running", "atom-table"})
"""Controls that hold for any node, whoever its peers are to be."""


OF_ONE_PRODUCT = {"rabbitmq-logins-running": "rabbitmq"}
"""Controls that are about nodes of one product."""


def running_node_findings(evidence: Evidence) -> Iterator[Finding]:
    for node in evidence.target.running:
        for control, check in CHECKS.items():
            if evidence.target.planned and OF_ONE_PRODUCT.get(control, node.kind) != node.kind:
                continue
            yield _finding(evidence, control, node, check)


def _finding(evidence: Evidence, control: str, node: NodeTarget, check: _Check) -> Finding:
    target = evidence.target
    hosts = target.hosts_of(node.node)
    view = evidence.views.get(node.node)
    if target.off:
        return Finding(control, NOT_APPLICABLE, hosts, node.node, (OFF,))
    if not target.planned and (view is None or control not in WITHOUT_PLAN):
        why = NEEDS_OWN_CREDENTIALS if control in WITHOUT_PLAN else NEEDS_CREDENTIALS
        return Finding(control, NOT_APPLICABLE, hosts, node.node, (why,))
    if control == "tls-options" and not node.tls_versions:
        return Finding(control, NOT_APPLICABLE, hosts, node.node, (CLEAR_TEXT,))
    if view is None:
        return Finding(control, NOT_TESTED, hosts, node.node, ("was not asked what it has in force",))
    if view.code != "connected":
        return Finding(control, NOT_TESTED, hosts, node.node, (f"could not be asked what it has in force: {view.code}",))
    if view.in_force is None:
        return Finding(control, NOT_TESTED, hosts, node.node, ("did not say what it has in force",))
    status, details = check(evidence, node, view.in_force)
    return Finding(control, status, hosts, node.node, details)


def _of(found: Result) -> Details:
    return found.status, found.details


# --- TLS options ---


def _tls_options(evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    seen = evidence.seen.get(node.host)
    overriding = [(one.pid, name) for one in (seen.processes if seen else None) or () if node.is_run_by(one) for name in one.flags.ssl_options]
    unread = [one.pid for one in (seen.processes if seen else None) or () if node.is_run_by(one) and not one.flags.arguments_read]
    if said.server is None or said.client is None:
        return NOT_TESTED, (f"did not say its TLS options as {'server' if said.server is None else 'client'}",)
    sides = (("server", said.server), ("client", said.client))
    problems = [problem for side, options in sides for problem in _side_problems(node, side, options)]
    # inet_tls_dist:get_ssl_options/1 puts them in front of the table that the node was asked for, so that one counts which the table does not set.
    # OTP 25 takes them where there is no table.
    problems += [f"pid {pid} was started with -ssl_dist_opt {name}, beside the option file" for pid, name in overriding]
    if said.server.fail_if_no_peer_cert is not True:
        value = "not set" if said.server.fail_if_no_peer_cert is None else "false"
        problems.append(f"as server fail_if_no_peer_cert is {value}, not true: a peer without a certificate may connect")
    outdated, unknown = _outdated_trust(node, seen, said)
    problems += outdated
    unknown = unknown or next((f"as {side} its suites were not understood" for side, one in sides if _unread_suites(one)), "")
    if unknown and not problems:
        return NOT_TESTED, (unknown,)
    if unread and not problems:
        return NOT_TESTED, (f"pid {unread[0]}: its arguments, which may override its TLS options, could not be read",)
    return _of(result(node.node, problems, f"verifies as server and as client with {node.ca_file}, {', '.join(node.tls_versions or ())}"))


def _outdated_trust(node: NodeTarget, seen: Observation | None, said: InForce) -> tuple[list[str], str]:
    """CAs that the node trusts and its file does not hold any more: it does not read a file again whose time is older than its last look. And why
    that is not known."""
    if said.trusted is None:
        return [], "did not say which CAs it has in memory"
    file = (seen.files or {}).get(node.ca_file or "") if seen else None
    soon = file and file.modified is not None and seen and seen.epoch is not None and seen.epoch - file.modified < SHOWN_SECONDS
    if not said.trusted or soon:
        return [], ""
    if seen is None or seen.certificates is None or "certificates" in seen.unknown:
        return [], f"{node.ca_file} was not read, to compare it with what the node has in memory"
    listed = {one.sha256 for one in seen.certificates if one.path == node.ca_file}
    more = f"that is not in {node.ca_file} any more"
    return [f"trusts a CA {more} (SHA-256 {one}), and does not read the file again: run touch on it" for one in sorted(said.trusted - listed)], ""


def _unread_suites(options: TlsOptions) -> bool:
    return "ciphers" in options.names and (options.ciphers is None or "a term" in options.ciphers)


_UNPROVEN = re.compile(r"anon|null|psk|srp|\bA(?:EC)?DH-", re.IGNORECASE)
"""Of the names of suites without certificates or without encryption, as IANA, OpenSSL and OTP write them."""


def _side_problems(node: NodeTarget, side: str, options: TlsOptions) -> Iterator[str]:
    as_side = f"as {side}"
    if options.verify != "verify_peer":
        whom = "every peer's certificate passes" if side == "server" else "it connects to every peer"
        yield f"{as_side} verify is {options.verify or 'not set'}, not verify_peer: {whom}"
    for name, wanted, value in (
        ("cacertfile", node.ca_file, options.ca_file),
        ("certfile", node.certificate_file, options.certificate_file),
        ("keyfile", node.key_file, options.key_file),
    ):
        if wanted is not None and value != wanted:
            yield f"{as_side} {name} is {value or 'not set'}, not {wanted}"
    versions = frozenset(options.versions or ())
    planned = node.tls_versions or ()
    beyond = versions - frozenset(planned)
    if not versions:
        yield f"{as_side} versions are not set, not {', '.join(planned)}"
    # A server of some products lists 1.2 without a suite of it (late_tls_options_before); the attack old-tls shows what it accepts.
    elif beyond and not (side == "server" and node.kind != "erlang" and "ciphers" in options.names and beyond == {"tlsv1.2"}):
        yield f"{as_side} versions has {', '.join(sorted(beyond))}, beside {', '.join(planned)}"
    for name, why in FORGIVING.items():
        if name in options.names:
            yield f"{as_side} {name} is set: {why}"
    for name in sorted(options.names - _KNOWN - FORGIVING.keys()):
        yield f"{as_side} {name} is set, which is not planned: it may change whom the node trusts"
    for name in options.ciphers or ():
        if _UNPROVEN.search(name):
            yield f"{as_side} ciphers has {name}: a peer without a certificate may connect, or nothing is encrypted"
    if options.secure_renegotiate is False:
        yield f"{as_side} secure_renegotiate is false: an attacker on the way can put requests of its own in front of a peer's"
    if side == "server" and "tlsv1.2" in versions and options.client_renegotiation is True:
        yield f"{as_side} client_renegotiation is true: a peer can make the node compute without an end"
    if side == "server" and "tlsv1.2" in versions and options.reuse_sessions is not False:
        yield f"{as_side} reuse_sessions is not false: a session in TLS 1.2 is resumed after the peer's certificate has expired"
    if options.crl_check == "best_effort":
        yield f"{as_side} crl_check is best_effort: a certificate passes when no CRL is found"
    elif options.crl_check in ("true", "peer") and node.directory and options.crl_directory != f"{node.directory}/crl":
        yield f"{as_side} crl_cache looks for CRLs in {options.crl_directory or 'another place'}, not in {node.directory}/crl"
    elif "crl_cache" in options.names and options.crl_check in (None, "false"):
        yield f"{as_side} crl_cache is set and crl_check is {options.crl_check or 'not set'}: a revoked certificate passes"


# --- names ---


def _is_allowed(target: Target, node: NodeTarget, name: str) -> bool:
    head, at, part = name.partition("@")
    if not at:
        # In clear text the allow list knows names only, so that tools on the node's own host need it whole.
        return not node.tls_versions and name == node.host_part
    if head == PROBE_NAME:
        return part in target.host_parts
    tool = re.fullmatch(rf"{re.escape(node.tool_prefix)}\d+-(.+)", name) if node.tool_prefix else None
    if tool:
        return tool.group(1) in target.by_name
    if name not in target.by_name:
        return False
    return target.mode == "cluster" or any(other.node == name for other in target.reachable(node.node))


def _was_allowed(target: Target, node: NodeTarget, name: str) -> bool:
    """Whether a name is that of a departing node, or of its tools and checks, which came to the list and stay on it with the node."""
    head, dummy, part = name.partition("@")
    tool = re.fullmatch(rf"{re.escape(node.tool_prefix)}\d+-(.+)", name) if node.tool_prefix else None
    owner = tool.group(1) if tool else name
    return owner in target.departing or head == PROBE_NAME and any(one.partition("@")[2] == part for one in target.departing)


def _allow_list(evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    if said.allowed is None:
        return NOT_TESTED, ("did not say its allow list",)
    target = evidence.target
    if not said.allowed:
        return _of(result(node.node, ["its allow list is empty: every name may connect"], ""))
    foreign = sorted(name for name in said.allowed if not _is_allowed(target, node, name))
    left = [name for name in foreign if _was_allowed(target, node, name)]
    problems = [f"lets {name} connect, which is no member" for name in foreign if name not in left]
    missing = [other.node for other in target.reachable(node.node) if other.node not in said.allowed and other.node != node.node]
    problems += [f"does not let the member {name} connect" for name in missing]
    note = f"; until its next restart also {', '.join(left)}, which departs" if left else ""
    return _of(result(node.node, problems, f"lets {len(said.allowed) - len(left)} names connect, members and their tools{note}"))


def _peer_cookies(evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    if said.other_cookies is None:
        return NOT_TESTED, ("did not say which cookie it uses for which peer",)
    problems = [f"uses a cookie of its own for {name}, not the one of its cookie file" for name in said.other_cookies]
    return _of(result(node.node, problems, "uses the cookie of its cookie file for every node"))


# --- addresses and links ---


def _member_addresses(evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    """What its own list of names (inetrc, and inet_db:add_host/2 since) says of the members that have a name."""
    if said.pinned is None or said.lookup is None:
        return NOT_TESTED, ("did not say where the names of members lead",)
    planned: dict[str, set[str]] = {}
    for member in evidence.target.reachable(node.node):
        if member.address and not is_address(member.host_part):
            planned.setdefault(member.host_part, set()).add(member.address)
    if not planned:
        return NOT_APPLICABLE, ("the names of the members are addresses",)
    problems = [] if said.lookup == "file" else [f"looks for names with {said.lookup or 'nothing'} before its own list: {_NOT_PINNED}"]
    for name, wanted in sorted(planned.items()):
        found = set(said.pinned.get(name.lower(), ()))
        other = ", ".join(sorted(found - wanted))
        if not found:
            problems.append(f"its own list has no address for the name {name}: {_NOT_PINNED}")
        elif other:
            problems.append(f"its own list leads the name {name} to {other}, not {'only ' if found & wanted else ''}to {', '.join(sorted(wanted))}")
    return _of(result(node.node, problems, f"connects to {len(planned)} names at their planned addresses"))


_NOT_PINNED = "a member is where /etc/hosts or DNS say"


def _links(evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    target = evidence.target
    kernel = evidence.links.get(node.host)
    if said.links is None or kernel is None:
        return NOT_TESTED, ("did not say its links" if said.links is None else "the established connections of its host were not read",)
    problems = [problem for link in said.links for problem in _said_problems(target, node, link)]
    named = {(link.address, link.port) for link in said.links}
    problems += [problem for link in kernel if _of_node(link, node) for problem in _seen_problems(target, node, link, named)]
    unseen = [f"did not say the address of its link to {link.node}" for link in said.links if link.address is None]
    if unseen and not problems:
        return NOT_TESTED, tuple(unseen)
    over = "TLS" if node.tls_versions else "clear text, as planned"
    return _of(result(node.node, list(dict.fromkeys(problems)), f"{len(said.links)} links, all to members, over {over}"))


def _said_problems(target: Target, node: NodeTarget, link: NodeLink) -> Iterator[str]:
    where = f"{link.node}{f' at {link.address}:{link.port}' if link.address else ''}"
    if node.tls_versions and link.protocol != "tls":
        yield f"its link to {where} is in clear text ({link.protocol or 'unknown protocol'})"
    if link.address is not None and link.address not in target.peer_addresses and not is_loopback(link.address):
        yield f"is linked to {where}, which is no member's address"
    elif link.node not in target.by_name and not is_tool(target, link.node):
        yield f"is linked to {where}, which is no member's name"
    elif link.address is not None and not _is_at_home(target, node, link.node.partition("@")[2], link.address):
        yield f"is linked to {where}, and the nodes of that name's host have other addresses"


def _is_at_home(target: Target, node: NodeTarget, host_part: str, address: str) -> bool:
    """Whether nodes and tools with a host part are at an address, as far as that is known."""
    if is_loopback(address):
        return host_part not in target.host_parts or any(host_part == other.host_part for other in target.members if other.host == node.host)
    return address in target.addresses_by_host_part.get(host_part, (address,))


def _of_node(link: Link, node: NodeTarget) -> bool:
    return link.node is None or link.node in (node.node, node.name)


def _seen_problems(target: Target, node: NodeTarget, link: Link, named: set[tuple[str | None, int | None]]) -> Iterator[str]:
    """What the kernel shows. An outgoing connection may be a client's, of another program's port: what is in it, or the node itself, has to tell."""
    ours = link.incoming and node.ports is not None and node.ports.first <= link.local_port <= node.ports.last
    certain = ours or link.wire == "clear" or (link.address, link.remote_port) in named
    if not certain:
        return
    direction = "from" if link.incoming else "to"
    where = f"{direction} {link.address}:{link.remote_port} (pid {link.pid})"
    if node.tls_versions and link.wire == "clear":
        yield f"its connection {where} carries the distribution protocol in clear text"
    if link.address not in target.peer_addresses and not is_loopback(link.address):
        yield f"its connection {where} leads to no member's address"


def _code_path(_evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    if said.replaceable_code is None:
        return NOT_TESTED, ("its code path was not read",)
    problems = [f"{', '.join(by)} can put code into {path}, from which the node loads" for path, by in said.replaceable_code]
    return _of(result(node.node, problems, "only root can write the code that it loads"))


_ADDED = "which is neither in its OTP nor in its arguments, see code:add_patha/1"


def _running_code(_evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    if said.foreign_code is None:
        return NOT_TESTED, ("did not say from where it has loaded the modules that decide who connects",)
    problems = [
        f"runs another {module} than the one in {path}" if changed else f"has loaded {module} from {path}, no directory of its application"
        for module, path, changed in said.foreign_code
    ]
    if node.kind == "erlang":
        if said.added_code is None and not problems:
            return NOT_TESTED, ("whether its code path is the one that it was started with could not be compared",)
        problems += [f"its code path has {path}, {_ADDED}" for path in said.added_code or ()]
        # Some products make modules while they run.
        problems += [f"has loaded {module} from {path or 'no file'}, no directory of its code path" for module, path in said.code_from_nowhere or ()]
    return _of(result(node.node, problems, "the modules that decide who connects are those of OTP"))


def _ssh_daemons(_evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    if said.ssh_daemons is None:
        return NOT_TESTED, ("did not say whether an SSH server runs in it",)
    problems = [f"SSH servers that run in it: {said.ssh_daemons}, see ssh:daemon/2"] if said.ssh_daemons else []
    return _of(result(node.node, problems, "no SSH server runs in it"))


def _boot_server(_evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    if said.boot_server is None:
        return NOT_TESTED, ("did not say whether a boot server runs in it",)
    problems = ["a boot server runs in it (process boot_server): it sends every file that the node can read to other hosts"]
    return _of(result(node.node, problems if said.boot_server else [], "no boot server runs in it"))


def _rabbitmq_logins(_evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    if "rabbitmq" not in (node.kind, node.product):
        return NOT_APPLICABLE, ("it is no node of rabbitmq",)
    if None in (said.guest_everywhere, said.anonymous, said.known_passwords):
        return NOT_TESTED, ("did not say from where its user guest connects, and which users it has",)
    problems = ["its user guest may connect from every host: its parameter loopback_users lacks guest"] if said.guest_everywhere else []
    if said.anonymous not in ("none", "guest") or said.anonymous == "guest" and said.guest_everywhere:
        problems.append(f"a client without credentials gets the rights of {said.anonymous}: its parameter anonymous_login_user says so")
    known = [name for name in said.known_passwords or () if name != "guest" or said.guest_everywhere]
    problems += [f"its user {name} has a password that everybody knows: run rabbitmqctl change_password {name}" for name in known]
    return _of(result(node.node, problems, "guest connects from its own host only, and no password of a user is a known one"))


def _atom_table(_evidence: Evidence, node: NodeTarget, said: InForce) -> Details:
    if said.atoms is None:
        return NOT_TESTED, ("did not say how many atoms it has",)
    count, limit = said.atoms
    text = f"has {count} of {limit} atoms"
    return _of(result(node.node, [text] if count > ATOMS_PART_MAX * limit else [], text))


CHECKS: dict[str, _Check] = {
    "tls-options": _tls_options,
    "allow-list": _allow_list,
    "peer-cookies": _peer_cookies,
    "member-addresses": _member_addresses,
    "links": _links,
    "code-path": _code_path,
    "running-code": _running_code,
    "ssh-daemons": _ssh_daemons,
    "boot-server-running": _boot_server,
    "rabbitmq-logins-running": _rabbitmq_logins,
    "atom-table": _atom_table,
}
