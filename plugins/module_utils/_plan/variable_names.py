# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's variables: which there are, whose they are, what is a misspelling, and what a host's peers see of its own.

Private to this collection. Their documentation and their defaults stand in the argument spec of the role `plan`; a unit test keeps the
names equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from .._model.problems import Problems, shown

PREFIX = "beam_"

CLUSTER = (
    "beam_group",
    "beam_members",
    "beam_mode",
    "beam_discovery",
    "beam_tls",
    "beam_plaintext_accepted",
    "beam_full_stop",
    "beam_restart",
    "beam_restart_window",
    "beam_tls_versions",
    "beam_net_ticktime",
    "beam_net_tickintensity",
    "beam_prevent_overlapping_partitions",
    "beam_connect_all",
    "beam_dist_auto_connect",
    "beam_outsiders",
    "beam_waivers",
    "beam_advisories_file",
    "beam_pki_ca_dir",
    "beam_pki_crl",
    "beam_revoke",
    "beam_unrevoke",
    "beam_compromised",
)
"""The same on every member."""

HOST = (
    "beam_state",
    "beam_address",
    "beam_address_late",
    "beam_interface",
    "beam_node_name",
    "beam_ports",
    "beam_product",
    "beam_nodes",
    "beam_hidden",
    "beam_firewall",
    "beam_platform_untested",
)
"""A host's own, and its peers must see it."""

SECRET = ("beam_cookie", "beam_pki_ca_passphrase", "beam_pki_ca_passphrase_old")
"""The same on every member, and never in a result, a fact or a message."""

OTHERS = (
    "beam_pki_certificate", "beam_pki_key", "beam_pki_ca", "beam_pki_backdate", "beam_otp_root", "beam_otp_install", "beam_firewall_local_users",
    "beam_firewall_nftables_conf",
)  # fmt: skip
"""Not the plan's, but it cannot validate without them."""

READABLE = CLUSTER + HOST + OTHERS
"""What a host may say of itself in a result."""

CONNECTION = "ansible_host"
"""Where Ansible itself goes. It has no own view: a task always sees one, made up from the inventory name where nobody set it."""

MADE_BY_US = ("beam_plan",)
"""Facts, not inputs: known, and nobody sets them."""


@dataclass(frozen=True)
class Unreadable:
    """In the place of a value whose template failed."""

    reason: str


_DEFINE = "define what it refers to in the inventory. Our playbooks gather no facts: write the value, or gather them in a play before."
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"[+-]?(?:[0-9]{1,9}[smhdw])+")


def seconds(value: object) -> int:
    """A duration as community.crypto writes it: '1h', '1d12h', '+1w'. `ValueError` where it is none."""
    text = value.strip() if isinstance(value, str) else ""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{shown(value)} is no duration.")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([smhdw])", text))


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""In the place of a value that nobody set."""


def distance(left: str, right: str, limit: int) -> int:
    """Edits that turn one into the other: insert, delete, replace, swap two neighbours. Above `limit` the answer is `limit` + 1."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, one in enumerate(left, start=1):
        current = [row]
        for column, other in enumerate(right, start=1):
            cost = min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (one != other))
            if row > 1 and column > 1 and one == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, previous = previous, current
    return min(previous[-1], limit + 1)


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """The known name that was meant, where one is close enough: one edit in a short name, two in a long one, or other punctuation."""
    folded = name.lower().replace("-", "").replace("_", "")
    candidates: list[tuple[int, bool, str]] = []
    for candidate in known:
        if candidate.replace("_", "") == folded:
            return candidate
        limit = 1 if len(candidate) - len(PREFIX) <= 5 else 2
        edits = distance(name, candidate, limit)
        if edits <= limit:
            candidates.append((edits, not candidate.startswith(name), candidate))
    return min(candidates)[2] if candidates else None


def looks_like_ours(name: str) -> bool:
    """Names to compare with the known ones: beam_*, and beam with other punctuation or none."""
    return name.lower().startswith("beam")


def validate_names(names: Mapping[str, Iterable[str]], known: frozenset[str], problems: Problems) -> list[str]:
    """Compares every `beam*` variable in sight with the known ones: a near miss is an error, an unknown beam_* a warning.

    `names` is host -> variable names. Returns the warnings.
    """
    where: dict[str, list[str]] = {}
    for host, seen in names.items():
        for name in seen:
            if name not in known and looks_like_ours(name):
                where.setdefault(name, []).append(host)
    warnings = []
    for name, hosts in sorted(where.items()):
        meant = near_miss(name, known)
        if meant:
            for host in hosts:
                problems.add(host, name, "near_miss", f"there is no variable {name}.", f"rename it to {meant}, or to a name without beam_ in front.")
        elif name.startswith(PREFIX):
            warnings.append(f"beam.cluster knows no variable {name}: it has no effect.")
    return warnings


def effective_values(
    variable: str,
    seen: Mapping[str, object],
    own: Mapping[str, object],
    problems: Problems,
) -> dict[str, object]:
    """What counts as each host's value of one variable.

    `seen` is what peers see of each host (hostvars), `own` what a host of this run sees itself (play and role variables included).
    A value that only the hosts themselves see counts for all of them where it is one and the same: then it is a constant of the play.
    Where it differs by host its peers would plan with another one, and that is an error.
    """
    hidden = [host for host in own if own[host] != seen.get(host, MISSING)]
    if hidden:
        first = own[hidden[0]]
        if all(value == first for value in own.values()):
            settled = dict.fromkeys([*seen, *own], first)
        else:
            settled = dict(seen)
            for host in hidden:
                problems.add(
                    host,
                    variable,
                    "invisible_to_peers",
                    "the host's own value is not the one that its peers see: it is set in a play, a role or a task, and differs by host.",
                    "move it to the inventory (host_vars or group_vars).",
                )
                settled[host] = own[host]
    else:
        settled = dict(seen)
    for host, value in settled.items():
        if isinstance(value, Unreadable):
            problems.add(host, variable, "undefined", f"its template fails: {value.reason}.", _DEFINE)
            settled[host] = MISSING
    return settled


def cluster_value(variable: str, values: Mapping[str, object], problems: Problems) -> object:
    """The one value of a cluster-wide variable, MISSING where nobody has it. More than one is an error that shows no value."""
    holders: dict[Hashable, list[str]] = {}
    for host, value in values.items():
        holders.setdefault(fingerprint(value), []).append(host)
    if not holders:
        return MISSING
    common = max(holders.values(), key=len)
    for hosts in holders.values():
        for host in hosts if hosts is not common else ():
            problems.add(
                host,
                variable,
                "differs",
                "the value has to be the same on all members, and this host has another one than most of them.",
                "set it once, in the group_vars of the cluster's group.",
            )
    return values[common[0]]


def fingerprint(value: object, depth: int = 20) -> Hashable:
    """Equal for equal values, whatever JSON they are: NaN is itself, true is not 1, and no variable of ours nests deeper than `depth`."""
    if isinstance(value, Mapping):
        return ("dict", frozenset((key, fingerprint(one, depth - 1)) for key, one in value.items()) if depth else None)
    if isinstance(value, (list, tuple)):
        return ("list", tuple(fingerprint(one, depth - 1) for one in value) if depth else None)
    if isinstance(value, float) and math.isnan(value):
        return ("nan",)
    return (isinstance(value, bool), value)
