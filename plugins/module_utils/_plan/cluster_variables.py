# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of the whole cluster: mode, discovery, TLS, kernel parameters. One `Shape` for all members.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._model.problems import Problems, shown
from . import variable_names
from .cluster import Inventory
from .variable_names import MISSING

STATES = ("present", "absent")
MODES = ("cluster", "standalone", "off")
ALONE = ("standalone", "off")
"""The modes in which a node has no peers on other hosts."""
RESTARTS = ("auto", "force")
DISCOVERIES = ("epmd", "fixed_port")
FIREWALLS = ("auto", "nftables", "firewalld", "ufw", "external")
TLS_VERSIONS = ("tlsv1.3", "tlsv1.2")
"""Newest first, the order in which Erlang wants them."""

SETTINGS: Mapping[str, Sequence[object]] = {
    "net_ticktime": range(4, 3601),
    "net_tickintensity": range(4, 1001),
    "prevent_overlapping_partitions": (True, False),
    "connect_all": (True, False),
    "dist_auto_connect": ("always", "once", "never"),
}
"""Kernel parameters that decide what a partition does, each from `beam_` and its name, with the values that it may have."""

PLAINTEXT = "{group} speaks clear text"
"""What an operator writes to `beam_plaintext_accepted` beside `beam_tls=false`. It names the cluster, so that it cannot spread to another."""

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


@dataclass(frozen=True)
class Shape:
    """What holds for the whole cluster. `mode` and `discovery` are empty where the operator's value is none of the choices.

    `settings` are kernel parameters; `tls_versions` are the versions of the distribution, newest first; `tls` is false in the mode `off`, too.
    """

    mode: str
    discovery: str
    tls: bool
    tls_versions: tuple[str, ...]
    settings: Mapping[str, object]
    full_stop: bool
    restart: str

    @property
    def alone(self) -> bool:
        return self.mode in ALONE

    @property
    def fixed_port(self) -> bool:
        return self.discovery == "fixed_port"

    @property
    def uses_epmd(self) -> bool:
        return self.discovery == "epmd"


def read_shape(inventory: Inventory, group: str, hosts: Sequence[str], problems: Problems) -> Shape:
    """`hosts` are those of the members; where there are none, the hosts of the run say what the cluster is like."""
    mode = read_choice("beam_mode", read_cluster_value(inventory, "beam_mode", hosts, problems), MODES, "", problems)
    wanted = read_flag("beam_tls", read_cluster_value(inventory, "beam_tls", hosts, problems), "", problems)
    accepted = read_cluster_value(inventory, "beam_plaintext_accepted", hosts, problems)
    if wanted is not None:
        _validate_plaintext(wanted, accepted, group, problems)
    return Shape(
        mode=mode,
        discovery=read_choice("beam_discovery", read_cluster_value(inventory, "beam_discovery", hosts, problems), DISCOVERIES, "", problems),
        tls=bool(wanted) and mode != "off",
        tls_versions=_read_versions(read_cluster_value(inventory, "beam_tls_versions", hosts, problems), problems),
        settings=_read_settings(inventory, hosts, problems),
        full_stop=bool(read_flag("beam_full_stop", read_cluster_value(inventory, "beam_full_stop", hosts, problems), "", problems)),
        restart=read_choice("beam_restart", read_cluster_value(inventory, "beam_restart", hosts, problems), RESTARTS, "", problems),
    )


def read_cluster_value(inventory: Inventory, variable: str, hosts: Sequence[str], problems: Problems) -> object:
    """The one value of a variable of the whole cluster, its default where nobody has one."""
    given = {host: inventory.values.get(variable, {}).get(host, MISSING) for host in hosts or inventory.run}
    value = variable_names.cluster_value(variable, given, problems)
    return inventory.defaults.get(variable, MISSING) if value is MISSING or value is None else value


def read_choice(variable: str, value: object, choices: Sequence[str], host: str, problems: Problems) -> str:
    """One of the choices; empty, and a problem, where it is none. YAML reads an unquoted `off` as false: that is said, and `off` is meant."""
    if isinstance(value, str) and value in choices:
        return str(value)
    meant = {True: "on", False: "off"}.get(value, "") if isinstance(value, bool) else ""
    if meant in choices:
        problems.add(host, variable, "choice", f"the value is the boolean {shown(value)}, which YAML makes of {meant}.", f'quote it: "{meant}".')
        return meant
    problems.add(host, variable, "choice", f"{shown(value)} is not supported.", f"choose one of: {', '.join(choices)}.")
    return ""


def boolean(value: object) -> bool | None:
    """A boolean as YAML or an operator writes one, None where it is neither true nor false."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else {0: "0", 1: "1"}.get(value, "") if isinstance(value, int) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def read_flag(variable: str, value: object, host: str, problems: Problems) -> bool | None:
    """True or false; None, and a problem, where it is neither."""
    flag = boolean(value)
    if flag is None:
        problems.add(host, variable, "type", "the value is neither true nor false.", "write true or false.")
    return flag


def host_flag(inventory: Inventory, variable: str, host: str, problems: Problems) -> bool:
    """A flag of one host, false where nobody set it."""
    value = inventory.value(variable, host)
    return value is not MISSING and bool(read_flag(variable, value, host, problems))


def check_keys(
    host: str, variable: str, what: str, entry: object, known: Sequence[str], required: Sequence[str], problems: Problems
) -> Mapping[str, object] | None:
    """The entry where it is a dictionary with known keys and all the required ones, else None and a problem for each mistake."""
    if not isinstance(entry, Mapping):
        problems.add(host, variable, "type", f"{what} is not a dictionary.", f"give it the keys {', '.join(known)}.")
        return None
    unknown = [key for key in entry if key not in known]
    missing = [key for key in required if entry.get(key) is None]
    for key in unknown:
        problems.add(host, variable, "unknown_key", f"{what} has the unknown key {shown(key)}.", f"remove it; the keys are {', '.join(known)}.")
    for key in missing:
        problems.add(host, variable, "missing_key", f"{what} has no {key}.", f"add it; the keys are {', '.join(known)}.")
    return None if unknown or missing else entry


def read_outsiders(inventory: Inventory, hosts: Sequence[str], problems: Problems) -> tuple[str, ...]:
    """Hosts to attack from. The group `outsiders` is used where it exists and the operator names no other."""
    value = read_cluster_value(inventory, "beam_outsiders", hosts, problems)
    if value is MISSING:
        found = inventory.groups.get("outsiders", ())
    elif not isinstance(value, str) or value not in inventory.groups:
        problems.add(
            "",
            "beam_outsiders",
            "group_missing",
            f"the inventory has no group {shown(value)}.",
            "name a group of hosts that are no members, or remove beam_outsiders.",
        )
        return ()
    else:
        found = inventory.groups[value]
    members = frozenset(hosts)
    for host in found:
        if host in members:
            problems.add(
                host,
                "beam_outsiders",
                "outsider_is_member",
                f"the host is in {shown(value)} and in the cluster's group; an outsider is not a member.",
                "remove it from one of the two groups.",
            )
    return tuple(found)


def read_vulnerabilities_file(inventory: Inventory, hosts: Sequence[str], problems: Problems) -> str | None:
    """The operator's table of vulnerabilities, by its path on the controller. The action plugin reads it."""
    value = read_cluster_value(inventory, "beam_advisories_file", hosts, problems)
    if value is MISSING or value in ("", None):
        return None
    if isinstance(value, str) and value.isprintable():
        return value
    problems.add("", "beam_advisories_file", "type", "the value is not a path.", "write the path of a file on the controller, or remove it.")
    return None


def _validate_plaintext(wanted: bool, accepted: object, group: str, problems: Problems) -> None:
    """Clear text needs both variables: one of them alone is a mistake."""
    said = accepted not in (MISSING, None, "")
    sentence = PLAINTEXT.replace("{group}", group)
    if wanted and said:
        problems.add(
            "",
            "beam_plaintext_accepted",
            "plaintext_said_once",
            "beam_plaintext_accepted is set, but beam_tls is true.",
            "remove beam_plaintext_accepted. To run in clear text, which everybody on the path can read and change, also set beam_tls: false.",
        )
    elif not wanted and accepted != sentence:
        problems.add(
            "",
            "beam_plaintext_accepted",
            "plaintext_said_once",
            f"beam_tls is false, and beam_plaintext_accepted is {'another sentence' if said else 'not set'}: "
            "without TLS everybody on the network path can read and change everything.",
            f"remove beam_tls. To run in clear text, write beam_plaintext_accepted: {sentence}.",
        )


def _read_settings(inventory: Inventory, hosts: Sequence[str], problems: Problems) -> dict[str, object]:
    """The kernel parameters. Numbers and booleans may be written as text."""
    settings: dict[str, object] = {}
    for name, choices in SETTINGS.items():
        variable = f"beam_{name}"
        value = read_cluster_value(inventory, variable, hosts, problems)
        meant = _setting(value, choices)
        if meant is not None:
            settings[name] = meant
            continue
        few = f"a whole number from {choices.start} to {choices.stop - 1}" if isinstance(choices, range) else ", ".join(map(shown_choice, choices))
        problems.add("", variable, "choice", f"{shown(value)} is not supported.", f"choose one of: {few}.")
    return settings


def _setting(value: object, choices: Sequence[object]) -> object | None:
    if isinstance(choices, range):
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6 else value
        return number if isinstance(number, int) and not isinstance(number, bool) and number in choices else None
    if isinstance(choices[0], bool):
        return boolean(value)
    return value if isinstance(value, str) and value in choices else None


def shown_choice(choice: object) -> str:
    return str(choice).lower() if isinstance(choice, bool) else str(choice)


def _read_versions(value: object, problems: Problems) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and value and all(isinstance(version, str) and version in TLS_VERSIONS for version in value):
        return tuple(version for version in TLS_VERSIONS if version in value)
    problems.add(
        "",
        "beam_tls_versions",
        "choice",
        "the value is not a list of supported TLS versions.",
        f"list one or both of: {', '.join(TLS_VERSIONS)}.",
    )
    return ()
