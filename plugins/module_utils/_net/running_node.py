# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running node has in force, as it says itself: TLS options, allow list, cookies of its peers, links, code path.

Private to this collection. CALLS, otp_modules.calls(), SSH_CALL, RABBIT_CALLS, two of RABBIT_USERS, COOKIES, a look into PEM_CACHE and get_cookie/1
for each peer are all that a node is asked here; none of them changes anything. What leaves this file are names and known options: a cookie is
compared with the one of the conversation and dropped, the hash of a password with those of known words, of an unknown TLS option only its name is
kept (a password is one). Sources: ssl_dist_sup.erl (table ssl_dist_opts), net_kernel.erl (allowed/0, nodes_info/0), auth.erl, code.erl of OTP 25 to
29, rabbit_auth_backend_internal.erl of RabbitMQ 3.8 to 4.3.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .. import _term as term
from .._model.known_passwords import DEFAULT_HASHING, is_hash_of_known
from . import otp_modules
from .node import Call, Link, Outcome, Returned

_Atom = term.Atom

CALLS: Mapping[str, Call] = {
    "tls_server": ("ets", "lookup", [_Atom("ssl_dist_opts"), _Atom("server")]),
    "tls_client": ("ets", "lookup", [_Atom("ssl_dist_opts"), _Atom("client")]),
    "allowed": ("net_kernel", "allowed", []),
    "links": ("net_kernel", "nodes_info", []),
    "code_path": ("code", "get_path", []),
    "applications": ("application", "which_applications", []),
    "atom_count": ("erlang", "system_info", [_Atom("atom_count")]),
    "atom_limit": ("erlang", "system_info", [_Atom("atom_limit")]),
    "names": ("inet_db", "get_rc", []),
    "boot_server": ("erlang", "whereis", [_Atom("boot_server")]),
}
"""The read-only questions to a node, by the key of the answer."""

SSH_CALL: Call = ("supervisor", "count_children", [_Atom("sshd_sup")])
"""Asked only of a node that runs the application ssh."""

RABBIT = "rabbit"
RABBIT_CALLS: tuple[Call, ...] = (
    ("application", "get_env", [_Atom(RABBIT), _Atom("loopback_users")]), ("application", "get_env", [_Atom(RABBIT), _Atom("anonymous_login_user")])
)
RABBIT_USERS = "rabbit_auth_backend_internal"
"""Asked only of a node that runs RabbitMQ: these, and the functions list_users/0 and lookup_user/1 of that module."""
_USERS_MOST = 500

PEM_CACHE = _Atom("ssl_pem_cache_dist")
"""Table of the files that the distribution has read (ssl_pem_cache.erl). It is asked for the CA file alone: keys are in it, too."""

COOKIES: Call = ("sys", "get_state", [_Atom("auth")])
"""The record of auth.erl, {state, OurCookie, OtherCookies}: the table of OtherCookies has a row for each node with a cookie of its own."""

NAMES_OF_ROWS: list[Any] = [((_Atom("$1"), _Atom("_")), [], [_Atom("$1")])]
"""Match specification for the names in that table, without the cookies."""

_VALUES = frozenset({"verify", "fail_if_no_peer_cert", "crl_check", "reuse_sessions", "depth", "secure_renegotiate", "client_renegotiation"})
_FILES = frozenset({"cacertfile", "certfile", "keyfile"})
_PATH_MOST = 2000


async def ask(link: Link, members: Sequence[str], cookie: bytes | None, ours: str) -> dict[str, Any]:
    """What the node of a link has in force; a key is None where it did not say.

    members: nodes whose cookie it is asked for. cookie: the one of this conversation; None: cookies are not asked for. ours: the name of this
    conversation, which is no link of the node's own.
    """
    outcomes = dict(zip(CALLS, await link.call_all(list(CALLS.values()))))
    own = await _names_with_cookies(link) if cookie is not None else None
    peers = sorted({*members, *(own or ())} - {link.node}) if cookie is not None else []
    cookies = await link.call_all([("erlang", "get_cookie", [_Atom(name)]) for name in peers]) if peers else []
    running = applications(_value(outcomes["applications"]))
    daemons = await link.call_all([SSH_CALL]) if running is not None and "ssh" in running else []
    broker = await _rabbitmq(link) if running is not None and RABBIT in running else None
    tls = {side: options(_value(outcomes[f"tls_{side}"]), side) for side in ("server", "client")}
    files = sorted({side["cacertfile"] for side in tls.values() if side and isinstance(side.get("cacertfile"), str)})
    trusted = await link.call_all([("ets", "lookup", [PEM_CACHE, file.encode()]) for file in files]) if files else []
    modules = await link.call_all(list(otp_modules.calls(running)))
    path = code_path(_value(outcomes["code_path"]))
    return {
        "tls": tls,
        "trusted": trusted_certificates(trusted),
        "allowed": allowed(_value(outcomes["allowed"])),
        "other_cookies": other_cookies(peers, cookies, cookie) if own is not None else None,
        "links": links(_value(outcomes["links"]), ours),
        "code_path": path,
        "foreign_code": otp_modules.foreign(modules),
        "code_from_nowhere": otp_modules.from_nowhere(modules, path),
        "ssh_daemons": ssh_daemons(running, daemons),
        "rabbitmq": broker,
        "atoms": atoms(_value(outcomes["atom_count"]), _value(outcomes["atom_limit"])),
        "boot_server": boot_server(outcomes["boot_server"]),
        "names": names(_value(outcomes["names"])),
    }


async def _names_with_cookies(link: Link) -> list[str] | None:
    """The nodes, members or not, for which the node has a cookie set by erlang:set_cookie/2 or a flag."""
    state = _value(await link.call(*COOKIES))
    if not isinstance(state, tuple) or len(state) != 3 or state[0] != _Atom("state"):
        return None
    rows = _value(await link.call("ets", "select", [state[2], NAMES_OF_ROWS]))
    return [str(name) for name in rows if isinstance(name, _Atom)] if isinstance(rows, list) else None


def trusted_certificates(outcomes: Sequence[Outcome]) -> list[str] | None:
    """SHA-256 of each certificate of the CA files that the node has in memory; none of a file that it is going to read at the next handshake. None
    where the node did not say."""
    if any(not isinstance(outcome, Returned) for outcome in outcomes):
        return None
    rows = [row for outcome in outcomes for row in _listed(_value(outcome)) if isinstance(row, tuple) and len(row) == 2]
    entries = [entry for row in rows for entry in _listed(row[1])]
    ders = [one[1] for one in entries if isinstance(one, tuple) and len(one) == 3 and one[0] == _Atom("Certificate") and isinstance(one[1], bytes)]
    return sorted({hashlib.sha256(der).hexdigest() for der in ders})


def _listed(found: term.Term) -> list[term.Term]:
    return found if isinstance(found, list) else []


def _value(outcome: Outcome) -> term.Term:
    return outcome.value if isinstance(outcome, Returned) else None


def options(found: term.Term, side: str) -> dict[str, Any] | None:
    """One list of TLS options out of the table; {} where the node has none for that side, None where it has no such table."""
    if not isinstance(found, list):
        return None
    if not found:
        return {}
    entry = found[0]
    if not (isinstance(entry, tuple) and len(entry) == 2 and entry[0] == _Atom(side) and isinstance(entry[1], list)):
        return None
    known: dict[str, Any] = {}
    names = []
    for option in entry[1]:
        name, value = (str(option[0]), option[1]) if isinstance(option, tuple) and len(option) == 2 else (str(option), True)
        if not isinstance(name, str) or not name.replace("_", "").isalnum():
            continue
        names.append(name)
        # Of two the last one counts, see _host/tls_options.py: it also takes the place of one that is not understood.
        known.pop("crl_directory" if name == "crl_cache" else name, None)
        if name in _VALUES:
            known[name] = value if isinstance(value, (bool, int)) else _plain(value)
        elif name in _FILES:
            known[name] = term.to_plain(value)
        elif name == "versions" and isinstance(value, list):
            known[name] = [str(one) for one in value]
        elif name == "ciphers":
            known[name] = suites(value)
        elif name == "crl_cache":
            known["crl_directory"] = _directory_of_crls(value)
    return {**known, "names": sorted(set(names))}


def suites(value: term.Term) -> list[str] | None:
    """Cipher suites by name, those of ssl:cipher_suites/2 by key exchange and cipher; "a term" for one that is not understood. OTP takes a text with
    colons, too."""
    plain = term.to_plain(value)
    if not isinstance(plain, (str, list)):
        return None
    found = []
    for one in plain.split(":") if isinstance(plain, str) else plain:
        parts = [one.get("key_exchange"), one.get("cipher")] if isinstance(one, dict) else one[:2] if isinstance(one, list) else [one]
        name = "_".join(map(str, parts))
        found.append(name if re.fullmatch(r"[\w-]+", name, re.ASCII) and not isinstance(one, int) and None not in parts else "a term")
    return found


def _directory_of_crls(value: term.Term) -> str | None:
    """Of {ssl_crl_hash_dir, {internal, [{dir, Directory}]}}; None for another cache."""
    inner = value[1] if isinstance(value, tuple) and len(value) == 2 and value[0] == _Atom("ssl_crl_hash_dir") else None
    pairs = inner[1] if isinstance(inner, tuple) and len(inner) == 2 else None
    found = [term.to_plain(one[1]) for one in _listed(pairs) if isinstance(one, tuple) and len(one) == 2 and one[0] == _Atom("dir")]
    return next((one for one in found if isinstance(one, str)), None)


def _plain(value: term.Term) -> Any:
    """An atom, as true, false or its name."""
    return {"true": True, "false": False}.get(str(value), str(value)) if isinstance(value, _Atom) else None


def allowed(found: term.Term) -> list[str] | None:
    """The allow list; empty means that every name may connect."""
    if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[1], list):
        return None
    return sorted({str(name) for name in found[1]})


def other_cookies(peers: Sequence[str], outcomes: Sequence[Outcome], cookie: bytes | None) -> list[str] | None:
    """The nodes for which the node uses another cookie than that of this conversation."""
    if cookie is None or any(not isinstance(outcome, Returned) for outcome in outcomes):
        return None
    wanted = cookie.decode("latin-1")
    return sorted(name for name, outcome in zip(peers, outcomes) if isinstance(outcome, Returned) and str(outcome.value) != wanted)


def links(found: term.Term, ours: str) -> list[dict[str, Any]] | None:
    """Every connection that is up, visible and hidden: node, address, port, protocol (tls, tcp) and whether it is hidden."""
    if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[1], list):
        return None
    result = []
    for entry in found[1]:
        if not (isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[1], list)):
            return None
        node, about = str(entry[0]), {str(pair[0]): pair[1] for pair in entry[1] if isinstance(pair, tuple) and len(pair) == 2}
        if node == ours or str(about.get("state")) not in ("up", "up_pending"):
            continue
        address, port, protocol = _net_address(about.get("address"))
        result.append({"node": node, "address": address, "port": port, "protocol": protocol, "hidden": str(about.get("type")) == "hidden"})
    return sorted(result, key=lambda link: str(link["node"]))


def _net_address(found: term.Term) -> tuple[str | None, int | None, str | None]:
    """Address, port and protocol of a record #net_address{address, host, protocol, family}."""
    if not isinstance(found, tuple) or len(found) != 5:
        return None, None, None
    protocol = str(found[3]) if isinstance(found[3], _Atom) else None
    try:
        (parts, port) = found[1]
        return _address(parts), int(port), protocol
    except (TypeError, ValueError, OverflowError):
        return None, None, protocol


def _address(parts: Any) -> str:
    """Of an address of inet(3). Raises TypeError, ValueError or OverflowError where it is none."""
    raw = bytes(parts) if len(parts) == 4 else b"".join(int(part).to_bytes(2, "big") for part in parts)
    return str(ipaddress.ip_address(raw))


def code_path(found: term.Term) -> list[str] | None:
    """The directories and archives from which the node loads code, in its order."""
    if not isinstance(found, list):
        return None
    plain = [term.to_plain(entry) for entry in found[:_PATH_MOST]]
    return [entry for entry in plain if isinstance(entry, str)]


def applications(found: term.Term) -> frozenset[str] | None:
    """The names of the applications that run."""
    if not isinstance(found, list):
        return None
    return frozenset(str(entry[0]) for entry in found if isinstance(entry, tuple) and len(entry) == 3)


def ssh_daemons(running: frozenset[str] | None, outcomes: Sequence[Outcome]) -> int | None:
    """How many SSH servers run in the node: the children of sshd_sup. None where that is not known."""
    if running is None:
        return None
    if "ssh" not in running:
        return 0
    counts = _value(outcomes[0]) if outcomes else None
    if not isinstance(counts, list):
        return None
    pairs = {str(pair[0]): pair[1] for pair in counts if isinstance(pair, tuple) and len(pair) == 2}
    active = pairs.get("active")
    return active if isinstance(active, int) else None


async def _rabbitmq(link: Link) -> dict[str, Any]:
    """guest_everywhere: whether the user guest connects from other hosts. anonymous: the user of clients without credentials, "none" for none.
    known_passwords: users whose password everybody knows. Each is None where RabbitMQ did not say."""
    outcomes = await link.call_all(list(RABBIT_CALLS))
    loopback, anonymous = (found[1] if isinstance(found, tuple) and len(found) == 2 else None for found in map(_value, outcomes))
    name = anonymous.decode("utf-8", "replace") if isinstance(anonymous, bytes) else str(anonymous) if isinstance(anonymous, _Atom) else None
    # Before 3.13 there is no such parameter, and no such login.
    missing = _value(outcomes[1]) == _Atom("undefined")
    return {
        "guest_everywhere": b"guest" not in loopback if isinstance(loopback, list) else None,
        "anonymous": "none" if missing else name,
        "known_passwords": await _known_passwords(link),
    }


async def _known_passwords(link: Link) -> list[str] | None:
    """A user is {internal_user, Name, Hash, Tags, Hashing, Limits} (internal_user.erl). The hash goes nowhere."""
    listed = _value(await link.call(RABBIT_USERS, "list_users", []))
    if not isinstance(listed, list):
        return None
    pairs = [dict(one) for one in ([pair for pair in user if isinstance(pair, tuple) and len(pair) == 2] for user in map(_listed, listed))]
    users = [one[_Atom("user")] for one in pairs if isinstance(one.get(_Atom("user")), bytes)][:_USERS_MOST]
    outcomes = await link.call_all([(RABBIT_USERS, "lookup_user", [user]) for user in users]) if users else []
    found = []
    for user, said in zip(users, map(_value, outcomes)):
        record = said[1] if isinstance(said, tuple) and len(said) == 2 else None
        if not (isinstance(record, tuple) and len(record) >= 5 and record[0] == _Atom("internal_user")):
            return None
        name = user.decode("utf-8", "replace")
        # A user without a password has no hash.
        if isinstance(record[2], bytes) and is_hash_of_known(name, record[2], DEFAULT_HASHING if record[4] == _Atom("undefined") else str(record[4])):
            found.append(name)
    return sorted(found)


def names(found: term.Term) -> dict[str, Any] | None:
    """Where it looks for the address of a name first, and the addresses by name in its own list, which is `file`. Of the default, `native`,
    inet_db:get_rc/0 says nothing."""
    if not isinstance(found, list):
        return None
    lookups = [one[1] for one in found if isinstance(one, tuple) and len(one) == 2 and one[0] == _Atom("lookup")] or [[_Atom("native")]]
    pinned: dict[str, list[str]] = {}
    try:
        for entry in found:
            if isinstance(entry, tuple) and entry and entry[0] == _Atom("host"):
                _host, parts, several = entry
                for name in several:
                    pinned.setdefault(bytes(name).decode("latin-1").lower(), []).append(_address(parts))
    except (TypeError, ValueError, OverflowError):
        return None
    if not isinstance(lookups[0], list):
        return None
    return {"first": next((str(one) for one in lookups[0]), ""), "pinned": {name: sorted(set(several)) for name, several in pinned.items()}}


def boot_server(outcome: Outcome) -> bool | None:
    """Whether the process of erl_boot_server runs, by its registered name."""
    return outcome.value != _Atom("undefined") if isinstance(outcome, Returned) else None


def atoms(count: term.Term, limit: term.Term) -> list[int] | None:
    """Atoms that there are, and the most that there can be."""
    return [count, limit] if isinstance(count, int) and isinstance(limit, int) and limit > 0 else None
