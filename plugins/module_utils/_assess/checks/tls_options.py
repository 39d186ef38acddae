# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the TLS options that a node was started with, as its option file and flags say, and of its parameters for lost connections.

Private to this collection, pure. See on_hosts.py. Of a planned node the running VM itself is asked, see running_node.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Callable

from ..._model.confinement_facts import FileOptions, Hardening
from ..._model.observation import Observation
from ..._model.processes import Process
from ..._model.times import epoch_of
from ..controls.thresholds import UNREVOKED_DAYS_MAX
from ..controls.tls_options import FORGIVING
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import CLEAR_TEXT, HostTarget, NodeTarget
from .parts import Check, has_ended, of_nodes, vms

_DAY = 86400
_SHA1_GONE = 26
"""The first release of OTP that does not accept SHA-1 in TLS 1.2 by itself."""
_WEAK_SIGNATURE = re.compile(r"(?:sha|md5)_\w+|\w+_sha1")
_TERM = "a term"
_NOT_IN_FORCE = (
    "its content is not in force before the next start. If it is correct, restart the node. A restored file has a new time, too, and needs a restart"
)
_GONE = "the next start fails or uses other settings. Restore the file, or remove the setting that names it, and restart the node"
_SECONDS = 1.0
_TICKTIME = (8, 240)

_OfTls = Callable[[NodeTarget, Process, Hardening, Observation], Result]


def speaks_tls(process: Process) -> bool:
    return process.flags.proto_dist.endswith("_tls") or process.flags.ssl_options_file is not None


def _sides(facts: Hardening) -> tuple[tuple[str, FileOptions], tuple[str, FileOptions]]:
    return ("server", facts.server or FileOptions()), ("client", facts.client or FileOptions())


def _of_tls(said: _OfTls) -> Check:
    """The check of each node that speaks TLS and whose options could be read."""

    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        for node in host.nodes:
            running = vms(host, seen, node)
            if not running:
                yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes") if seen.processes is None else node.no_process,))
                continue
            process = running[0]
            if process.flags.arguments_read and not speaks_tls(process):
                yield Result(node.node, NOT_APPLICABLE, (CLEAR_TEXT,))
            elif process.hardening is None or not process.hardening.options_read:
                yield Result(node.node, NOT_TESTED, ("its TLS options could not be read, or its option file holds more than literal terms",))
            else:
                yield said(node, process, process.hardening, seen)

    return check


def _verify(node: NodeTarget, process: Process, facts: Hardening, _seen: Observation) -> Result:
    flags = process.flags
    beside = flags.ssl_options if flags.ssl_options_file is not None else ()
    problems = [f"-ssl_dist_opt {name} stands beside its option file: which of them counts depends on the release of OTP" for name in beside]
    for side, options in _sides(facts):
        verify = options.values.get("verify")
        if verify != "verify_peer":
            problems.append(f"as {side} verify is {verify or 'not set'}, not verify_peer")
        # A name to compare with is no weakness, and only a client sends one.
        sends = side == "client" and options.values.get("server_name_indication") == "disable"
        names = [name for name in FORGIVING if name in options.names and (sends or name != "server_name_indication")]
        problems += [f"as {side} {name} is set: {FORGIVING[name]}" for name in names]
        if not options.names & {"cacertfile", "cacerts"}:
            problems.append(f"as {side} cacertfile is not set")
    if (facts.server or FileOptions()).values.get("fail_if_no_peer_cert") != "true":
        problems.append("as server fail_if_no_peer_cert is not true: a peer without a certificate may connect")
    if not flags.arguments_read and not problems:
        return Result(node.node, NOT_TESTED, (f"pid {process.pid}: its arguments, which may stand beside its option file, could not be read",))
    return result(node.node, problems, "verifies its peers as server and as client")


def _strong(suite: str) -> bool:
    """A suite with authentication, forward secrecy and authenticated encryption. By the name of IANA or of OpenSSL."""
    if suite.startswith(("TLS_AES_", "TLS_CHACHA20_")):
        return True
    exchange = "DHE" in suite and not re.search("anon|NULL|PSK|EXPORT", suite)
    return exchange and any(mode in suite for mode in ("GCM", "CCM", "CHACHA20"))


def _ciphers(node: NodeTarget, _process: Process, facts: Hardening, _seen: Observation) -> Result:
    problems = []
    for side, options in _sides(facts):
        if options.ciphers is None and options.speaks_old_tls:
            problems.append(f"as {side} it takes OTP's own suites for TLS 1.2, and some have CBC: ciphers is not set")
        if _TERM in (options.ciphers or ()):
            return Result(node.node, NOT_TESTED, (f"as {side} ciphers holds terms that are not understood",))
        problems += [f"as {side} ciphers has {name}" for name in options.ciphers or () if not _strong(name)]
    return result(node.node, problems, "offers strong suites only")


def _signatures(node: NodeTarget, process: Process, facts: Hardening, _seen: Observation) -> Result:
    problems = []
    version = process.vm.version if process.vm else None
    for side, options in _sides(facts):
        if not options.speaks_old_tls:
            continue
        if options.algorithms is None:
            if version is None:
                return Result(node.node, NOT_TESTED, ("its version of OTP is not known, and signature_algs is not set",))
            if int(version.partition(".")[0]) < _SHA1_GONE:
                problems.append(f"as {side} it accepts SHA-1: signature_algs is not set, and it runs OTP {version}")
        problems += [f"as {side} signature_algs has {name}" for name in options.algorithms or () if _WEAK_SIGNATURE.fullmatch(name)]
    return result(node.node, problems, "accepts no signature with SHA-1 or MD5")


def _renegotiation(node: NodeTarget, _process: Process, facts: Hardening, _seen: Observation) -> Result:
    server = facts.server or FileOptions()
    problems = []
    if server.speaks_old_tls and server.values.get("client_renegotiation") != "false":
        problems.append("as server it speaks TLS 1.2, and client_renegotiation is not false")
    problems += [f"as {side} secure_renegotiate is false" for side, options in _sides(facts) if options.values.get("secure_renegotiate") == "false"]
    return result(node.node, problems, "a peer cannot renegotiate")


def _revocation(node: NodeTarget, _process: Process, facts: Hardening, seen: Observation) -> Result:
    checked = [side for side, options in _sides(facts) if options.values.get("crl_check") in ("true", "peer")]
    if len(checked) == 2:
        return result(node.node, [], "revoked certificates are refused")
    leaf = next((one for one in seen.certificates or () if one.path == node.certificate_file), None)
    start, end = (epoch_of(leaf.not_before), epoch_of(leaf.not_after)) if leaf else (None, None)
    if start is None or end is None:
        return Result(node.node, NOT_TESTED, ("its certificate was not read, and crl_check is not set",))
    days = (end - start) / _DAY
    problems = []
    if days > UNREVOKED_DAYS_MAX:
        problems.append(f"its certificate is valid for {days:.0f} days, and no CRL is checked: a copy of its key works for that time")
    return result(node.node, problems, f"its certificate is valid for {days:.0f} days")


def _resumption(node: NodeTarget, _process: Process, facts: Hardening, _seen: Observation) -> Result:
    server = facts.server or FileOptions()
    problems = []
    if server.speaks_old_tls and server.values.get("reuse_sessions") != "false":
        problems.append("as server it resumes sessions of TLS 1.2: reuse_sessions is not false")
    if server.values.get("session_tickets", "disabled") != "disabled":
        problems.append(f"as server session_tickets is {server.values['session_tickets']}")
    return result(node.node, problems, "every connection is verified")


def _early_data(node: NodeTarget, _process: Process, facts: Hardening, _seen: Observation) -> Result:
    on = [side for side, options in _sides(facts) if options.values.get("early_data", "disabled") not in ("disabled", "false")]
    return result(node.node, [f"as {side} early_data is set" for side in on], "no early data")


def _running(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        running = [one for one in vms(host, seen, node) if one.started is not None and not has_ended(one)]
        if not running:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes") if seen.processes is None else node.no_process,))
            continue
        # Of files of ours planned-files tells; the members in them change while the node runs.
        evaluated = () if node.directory else node.evaluated_files
        times = {path: entry.modified for path, entry in (seen.files or {}).items() if path in evaluated}
        # Of one that is not there options-file tells.
        unseen = [f"{path} was not looked at" for path in evaluated if times.get(path) is None and seen.exists(path) is not False]
        first = min(one.started or 0.0 for one in running)
        changed = {path: "the node" for path, time in times.items() if time is not None and time > first + _SECONDS}
        unit = (seen.units or {}).get(node.unit)
        read = [(one.hardening.start_files if one.hardening else None, f"pid {one.pid}") for one in running]
        read += [(unit.start_files if unit else None, node.unit)] if node.unit.endswith(".service") else []
        missing: dict[str, str] = {}
        for files, process in read:
            missing.update({one.path: process for one in files or () if one.missing and not _ours(node, one.path) and one.path not in missing})
            changed.update({one.path: process for one in files or () if one.changed and one.path not in changed})
            unseen += [f"the files that {process} reads when it starts could not be looked at"] if files is None else []
        if unseen and not changed and not missing:
            yield Result(node.node, NOT_TESTED, tuple(unseen))
            continue
        problems = [f"{path} does not exist any more, and {process} was started with it: {_GONE}" for path, process in sorted(missing.items())]
        problems += [f"{path} was changed after {process} started: {_NOT_IN_FORCE}" for path, process in sorted(changed.items())]
        yield result(node.node, problems, "what it reads when it starts is older than its process")


def _ours(node: NodeTarget, path: str) -> bool:
    """Of these options-file and planned-files tell, of an option file of others options-file."""
    return path in node.evaluated_files or path == node.drop_in or bool(node.directory) and path.startswith(f"{node.directory}/")


def _partitions(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        running = vms(host, seen, node)
        facts = running[0].hardening if running else None
        if facts is None or facts.kernel is None:
            yield Result(node.node, NOT_TESTED, (f"the parameters of {node.node} could not be read" if running else node.no_process,))
            continue
        parameters: Mapping[str, str] = {**facts.kernel, **running[0].flags.kernel}
        problems = []
        # RabbitMQ detects partitions by itself, and turns it off.
        if parameters.get("prevent_overlapping_partitions") == "false" and node.product != "rabbitmq":
            problems.append("prevent_overlapping_partitions is false")
        ticktime = parameters.get("net_ticktime", "60")
        if not ticktime.isdigit() or not _TICKTIME[0] <= int(ticktime) <= _TICKTIME[1]:
            problems.append(f"net_ticktime is {ticktime}, not {_TICKTIME[0]} to {_TICKTIME[1]} seconds")
        yield result(node.node, problems, f"net_ticktime is {ticktime}")


def _key_log(one: Hardening) -> tuple[str, ...] | None:
    sides = (("server", one.server), ("client", one.client))
    kept = [side for side, options in sides if options and "keep_secrets" in options.names]
    problems = [f"keeps its TLS secrets: keep_secrets is set for the {side}" for side in kept]
    if one.variables is not None and "SSLKEYLOGFILE" in one.variables:
        problems.append("has the variable SSLKEYLOGFILE")
    # An option file that holds code may set anything.
    return None if (one.variables is None or not one.options_read) and not problems else tuple(problems)


CHECKS: Mapping[str, Check] = {
    "options-verify": _of_tls(_verify),
    "options-running": _running,
    "cipher-suites": _of_tls(_ciphers),
    "signature-algorithms": _of_tls(_signatures),
    "renegotiation": _of_tls(_renegotiation),
    "revocation": _of_tls(_revocation),
    "session-resumption": _of_tls(_resumption),
    "early-data": _of_tls(_early_data),
    "partition-settings": _partitions,
    "key-log": of_nodes(_key_log, "it writes no TLS secrets", "its environment"),
}
