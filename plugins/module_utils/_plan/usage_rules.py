# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service uses today, as its host shows it, and the sandbox takes away: programs, devices, sockets, files in homes and in /tmp.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .._model.host_facts import Companion, Setting
from .._model.observation import Observation, Unit
from .._model.problems import Problems, join_names
from .._model.unit_directives import SWITCHED_OFF
from .cluster import Inventory, Node
from .sandbox_rules import HOMES, is_hardened, is_writable, writable_places

_REFUSED = {
    "writable_code": (
        "has memory that it may write and run, which the sandbox refuses",
        "MemoryDenyWriteExecute",
        "run it in a unit of its own, or add 'MemoryDenyWriteExecute=no' to beam_service_directives.",
    ),
    "namespace": (
        "runs in namespaces of its own, which the sandbox refuses",
        "RestrictNamespaces",
        "run it in a unit of its own or without its own sandbox (--no-sandbox), or add 'RestrictNamespaces=no' and the system calls that it needs "
        "(SystemCallFilter=chroot) to beam_service_directives.",
    ),
}
"""What a program beside the VM does, the directive that refuses it, and what to do."""

_HIDES = (("ProtectHome", HOMES, "the home directories", "read-only"), ("PrivateTmp", ("/tmp/", "/var/tmp/"), "/tmp", "no"))
"""A directive, what it hides, what that is called, and the value that shows it again."""

_ELSEWHERE = (
    "run it in a unit of its own, which a rule of polkit lets the service start, or with + before it in its unit; for one that the service can do "
    "without, add 'NoNewPrivileges=yes' to beam_service_directives."
)
_VM = ("beam", "beam.smp")
_CONNECTING = frozenset(("attach", "ping", "pid", "reboot", "remote", "remote_console", "restart", "rpc", "rpcterms", "stop", "upgrade"))
"""Commands of a release's script that connect to its node."""
_CONNECTING_OF_RELX = _CONNECTING | {"downgrade", "eval", "install", "uninstall", "unpack", "versions"}
"""With mix release, eval starts a VM of its own."""
_RELEASES = ("release", "couchdb")
"""Kinds of nodes that start with another home, and whose script takes its flags from the unit's environment."""

Answer = tuple[str, str, str]
"""Rule, message and fix."""


@dataclass(frozen=True)
class _Unit:
    """A unit, as far as these rules ask. allowed: names of directives in beam_service_directives. private: directives of _HIDES that are in force
    already. places: what it may write to."""

    name: str
    allowed: Collection[str]
    private: Collection[str]
    places: Collection[str]

    def hides(self, path: str) -> tuple[str, str] | None:
        """The directive that hides a path, and what to do; None where it is visible, or is hidden today as well."""
        for name, hidden, called, value in _HIDES:
            if path.startswith(hidden) and name not in self.allowed and name not in self.private:
                return f"{name}=yes", f"move it out of {called}, or add '{name}={value}' to beam_service_directives."
        return None


def _unit(inventory: Inventory, node: Node, seen: Observation) -> _Unit:
    name = node.runtime.unit
    last = {one.name: (one.value or "").lower() for one in seen.settings or () if (one.unit, one.kind) == (name, "directive")}
    private = {directive for directive, *_more in _HIDES if last.get(directive, "") not in ("", "read-only", *SWITCHED_OFF)}
    allowed = {text.partition("=")[0].strip() for text in inventory.sandbox.get(node.host, ())}
    return _Unit(name, allowed, private, writable_places(inventory, node, seen))


def _is_fresh(unit: str, seen: Observation) -> bool:
    """Whether a node runs that no run has hardened. Of a hardened node what it uses works."""
    return any(process.is_vm and process.unit == unit and process.digest is None for process in seen.processes or ())


def check_companions(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """The VM, and programs that it starts: a browser, Node.js, Python, a program for a serial line."""
    unit = _unit(inventory, node, seen)
    fresh = _is_fresh(unit.name, seen)
    for one in seen.companions or ():
        if one.unit != unit.name:
            continue
        message, directive, fix = _REFUSED.get(one.reason, ("", "", ""))
        if message and directive not in unit.allowed:
            said = f"{one.program} in {one.unit} {message} ({directive}=yes)."
            problems.add(node.host, "beam_service_directives", "program_refused", said, fix)
        answer = _taken_away(one, unit) if fresh else None
        if answer:
            problems.add(node.host, "beam_service_directives", *answer)


def _taken_away(one: Companion, unit: _Unit) -> Answer | None:
    who = unit.name if one.program in _VM else f"{one.program} in {unit.name}"
    if one.reason == "generated_code" and "MemoryDenyWriteExecute" not in unit.allowed:
        return (
            "program_refused",
            f"{who} runs code that a library of it has made (a NIF with a compiler, or +JMsingle), which the sandbox refuses "
            "(MemoryDenyWriteExecute=yes).",
            "add 'MemoryDenyWriteExecute=no' to beam_service_directives, or remove the library.",
        )
    if one.reason == "other_user" and "NoNewPrivileges" not in unit.allowed:
        return (
            "program_refused",
            f"{who} runs as another user than the VM, and the sandbox lets no program become another user (NoNewPrivileges=yes).",
            _ELSEWHERE,
        )
    if one.reason == "device" and not ("PrivateDevices" in unit.allowed and {"DeviceAllow", "DevicePolicy"} & set(unit.allowed)):
        return (
            "program_refused",
            f"{who} has {one.path} open, and the sandbox hides devices (PrivateDevices=yes, DevicePolicy=closed).",
            f"add 'PrivateDevices=no' and 'DeviceAllow={one.path} rw' to beam_service_directives.",
        )
    return _of_path(one, unit, who) if one.reason in ("socket", "writes") else None


def _of_path(one: Companion, unit: _Unit, who: str) -> Answer | None:
    socket = one.reason == "socket"
    hidden = unit.hides(one.path) if socket else None
    if hidden:
        return "directory_hidden", f"{who} listens on {one.path}, which other programs would not find ({hidden[0]}).", hidden[1]
    directory = one.path.rpartition("/")[0] if socket else one.path
    if is_writable(directory, unit.places):
        return None
    return (
        "directory_read_only",
        f"{who} {'listens on' if socket else 'writes to'} {one.path}, which the sandbox makes read-only.",
        f"add 'ReadWritePaths={directory}' to beam_service_directives.",
    )


def check_privileged_commands(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """sudo and the like in the unit, in the operator's files that a shell reads, and in those of a release. A hardened node has lived without."""
    unit = _unit(inventory, node, seen)
    for setting in seen.settings or () if "NoNewPrivileges" not in unit.allowed and not is_hardened(node, seen) else ():
        if (setting.unit, setting.kind) == (unit.name, "privileged"):
            problems.add(
                node.host,
                "beam_service_directives",
                "program_refused",
                f"{setting.place} has {unit.name} run {setting.name}, and the sandbox lets no program become another user (NoNewPrivileges=yes).",
                _ELSEWHERE,
            )


def check_hidden_paths(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """Files that the operator's settings name, and that the service could not see: certificates in a home, for example."""
    unit = _unit(inventory, node, seen)
    for setting in seen.settings or ():
        if (setting.unit, setting.kind) == (unit.name, "path"):
            hidden = unit.hides(f"{setting.value}/")
            if hidden:
                said = f"{setting.place} names {setting.value}, which the sandbox hides from {unit.name} ({hidden[0]})."
                problems.add(node.host, "beam_service_directives", "directory_hidden", said, hidden[1])


def connecting(unit: Unit | None) -> frozenset[str]:
    """The commands of the script of a unit's release that connect to the node."""
    return _CONNECTING_OF_RELX if unit is not None and unit.made_by == "relx" else _CONNECTING


def check_tools(node: Node, seen: Observation, problems: Problems) -> None:
    """Commands of a unit that connect to its release. They would start with the flags of the node, its port among them, and end with an error."""
    unit, release = node.runtime.unit, node.runtime.data.raw.get("release") or ""
    given: dict[str, list[Setting]] = {}
    for one in seen.settings or () if release and node.runtime.data.kind in _RELEASES else ():
        if (one.unit, one.kind) == (unit, "directive") and one.name in ("ExecReload", "ExecStartPost"):
            given[one.name] = [*given.get(one.name, ()), one] if one.value else []
    for setting in (one for several in given.values() for one in several):
        program, _space, command = (setting.value or "").partition(" ")
        if program.startswith(f"{release}/") and command in connecting((seen.units or {}).get(unit)):
            problems.add(
                node.host,
                "beam_service_directives",
                "directive_unusable",
                f"{setting.place} has {unit} run '{program} {command}' ({setting.name}=), which would get the flags of the node and end with an "
                "error.",
                f"remove it there, and add '{setting.name}=/etc/beam/{{node}}/release {command} ...' to beam_service_directives: the same, over TLS.",
            )


def check_home_files(node: Node, seen: Observation, problems: Problems) -> None:
    """A release gets a home of its own, in which its cookie file is. What its clients read in the old one has to be there, too."""
    unit = node.runtime.unit
    paths = [one.path for one in seen.home_files or () if one.unit == unit]
    if paths and node.runtime.data.kind in _RELEASES and _is_fresh(unit, seen):
        problems.add(
            node.host,
            "beam_nodes",
            "home_moved",
            f"{unit} will start with HOME={node.runtime.home}, and would not find {join_names(paths)}.",
            f"create {node.runtime.home} and copy them there (cp -a), readable for {node.runtime.user}.",
        )
