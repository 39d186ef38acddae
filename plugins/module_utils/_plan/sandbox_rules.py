# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sandbox of the role service would take from a service that works today, and what it leaves to it.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from .._model.host_facts import Setting
from .._model.installed import DROP_IN
from .._model.observation import Observation
from .._model.problems import Problems, join_names
from .._model.unit_directives import OVERRIDDEN, SWITCHED_OFF, UNUSABLE
from .cluster import Inventory, Node
from .settings_rules import is_of_shell

_OF_PACKAGES = ("/usr/lib/systemd/", "/lib/systemd/")
KEPT = {"CAP_NET_BIND_SERVICE"}
"""Capabilities that a unit keeps if it has them: to listen on a port below 1024 gives no access to anything else."""
_FILES = ("_FILE", "LOGS", "_LOG", "_PATH", "accesslog", ".file", "sql_database")
"""Ends of the names of settings that are files: their directory is meant."""
_SHARED = ("/tmp", "/var/tmp", "/dev", "/proc", "/run/systemd")
_UMASK = re.compile(r"0?[0-7]{3}")
HOMES = ("/home/", "/root/", "/run/user/")
"""What ProtectHome=yes hides."""
_SWITCHED_ON = ("yes", "true", "on", "1")


def is_hardened(node: Node, seen: Observation) -> bool:
    """Whether a run has given the unit its drop-in."""
    shown = (seen.units or {}).get(node.runtime.unit)
    return any(path.endswith(f"/{DROP_IN}") for path in (shown.drop_ins if shown else None) or ())


def writable_places(inventory: Inventory, node: Node, seen: Observation) -> list[str]:
    """What a hardened node may write to: what its unit, its product's data and beam_service_directives say, /tmp and the like."""
    directives = inventory.sandbox.get(node.host, ())
    paths = " ".join(text.partition("=")[2] for text in directives if text.startswith(("ReadWritePaths=", "BindPaths=")))
    allowed = {word.lstrip("+-") for word in paths.split()}
    shown = (seen.units or {}).get(node.runtime.unit)
    named = (*(shown.writable if shown else ()), *(path.lstrip("-") for path in node.runtime.data.writable), *allowed, *_SHARED)
    # systemd follows a link in ReadWritePaths=, and /proc shows where a file lies in truth.
    return [*named, *(real for path, real in (seen.links or {}).items() if path in named)]


def is_writable(path: str, places: Collection[str]) -> bool:
    return any(path == place or path.startswith(f"{place.rstrip('/')}/") for place in places)


def check_sandbox(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """What the sandbox would take from a service that works today, and nobody has allowed in beam_service_directives."""
    unit, directives = node.runtime.unit, inventory.sandbox.get(node.host, ())
    shown = (seen.units or {}).get(node.runtime.unit)
    writable = writable_places(inventory, node, seen)
    mine = [process for process in seen.processes or () if process.is_vm and process.unit == unit and process.digest is None]
    for path in sorted({path for process in mine for path in process.writes or ()}):
        if not is_writable(path, writable):
            problems.add(
                node.host,
                "beam_service_directives",
                "directory_read_only",
                f"{unit} writes to {path}, which the sandbox makes read-only.",
                f"add 'ReadWritePaths={path}' to beam_service_directives.",
            )
    if shown is not None and not any(text.startswith("ProtectHome=") for text in directives):
        used = [path.lstrip("!-") for path in (shown.program, shown.working_directory, *shown.leads_to) if path]
        hidden = [path for path in used if path.startswith(HOMES)]
        if hidden and shown.load == "loaded":
            problems.add(
                node.host,
                "beam_service_directives",
                "directory_hidden",
                f"{unit} uses {join_names(sorted(set(hidden)))}, which the sandbox hides (ProtectHome=yes).",
                "move it out of the home directories, or add 'ProtectHome=read-only' to beam_service_directives.",
            )
    if not any(text.startswith("AmbientCapabilities=") for text in directives):
        for setting in seen.settings or ():
            lost = _capabilities(setting.value) - KEPT if (setting.unit, setting.name) == (unit, "AmbientCapabilities") else set()
            if lost:
                problems.add(
                    node.host,
                    "beam_service_directives",
                    "capability_removed",
                    f"{setting.place} gives {unit} {join_names(sorted(lost))}, which the sandbox removes.",
                    "remove it there, or add AmbientCapabilities= and CapabilityBoundingSet= with it to beam_service_directives.",
                )
                return
        # Of root nothing is said: it has them all, and uses few.
        held = {name for one in mine if one.user != "root" and one.hardening for name in one.hardening.capabilities or ()} - KEPT
        if held:
            names = join_names(sorted(held))
            problems.add(
                node.host,
                "beam_service_directives",
                "capability_removed",
                f"the VM of {unit} has {names}, from the file of its program (setcap) or from what starts it, which the sandbox removes.",
                f"if it does not need that, remove it (setcap -r); otherwise add 'AmbientCapabilities={' '.join(sorted(held))}' and "
                f"'CapabilityBoundingSet={' '.join(sorted(held))}' to beam_service_directives.",
            )


def check_profiles(node: Node, seen: Observation, problems: Problems) -> None:
    """A profile of AppArmor that would refuse the node its flags, certificate and start script: it would not come up again."""
    for one in seen.profiles or ():
        if one.unit == node.runtime.unit and not one.allows:
            file = one.path or f"the profile {one.profile}"
            problems.add(
                node.host,
                "",
                "profile_refuses",
                f"{one.unit} is confined by the AppArmor profile {one.profile} in enforce mode, and {file} has no rule for /etc/beam: the node could "
                "not read its flags.",
                f"add the line '/etc/beam/** r,' to {one.local or file}{f', and run apparmor_parser -r {one.path}' if one.path else ' and load it'}.",
            )


def check_directives(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """What an operator's own unit or drop-in allows the service in so many words. The last assignment counts."""
    unit = node.runtime.unit
    allowed = {text.partition("=")[0].strip() for text in inventory.sandbox.get(node.host, ())}
    kept = node.runtime.data.raw.get("directives") or ()
    # What is made at each boot, as for LXC, is no wish of an operator's; if it has the last word, see check_drop_ins.
    others = (*_OF_PACKAGES, "/run/")
    last = {one.name: one for one in seen.settings or () if (one.unit, one.kind) == (unit, "directive") and not one.path.startswith(others)}
    for name, directive in OVERRIDDEN.items():
        values, ours = directive.needs, directive.ours
        setting = last.get(name)
        value = (setting.value or "").lower() if setting else ""
        if setting is None or not value or name in allowed or f"{name}={setting.value}" in (*kept, ours):
            continue
        if value not in values if values else value in _SWITCHED_ON:
            continue
        problems.add(
            node.host,
            "beam_service_directives",
            "directive_overridden",
            f"{setting.place} sets {name}={setting.value} for {unit}, and the sandbox overrides it ({ours}).",
            f"remove it there, or add '{name}={setting.value}'{directive.added} to beam_service_directives.",
        )


_ETC = ("/", "/etc", "/etc/beam")


def check_unusable(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """The last assignment counts; of a list of paths every one, up to an empty one."""
    given: dict[str, list[Setting]] = {}
    executable = any(text.startswith("ExecPaths=") for text in inventory.sandbox.get(node.host, ()))
    for one in seen.settings or ():
        if (one.unit, one.kind) == (node.runtime.unit, "directive") and one.name in UNUSABLE:
            # Without a value it resets what was said before.
            given[one.name] = [*given.get(one.name, ()), one] if one.value else []
    for name, settings in given.items():
        for setting in settings if name.endswith(("Paths", "System")) else settings[-1:]:
            value = setting.value or ""
            paths = {word.lstrip("-+").partition(":")[0].rstrip("/") or "/" for word in value.split()}
            concerned = paths.intersection(_ETC) if name.endswith(("Paths", "System")) else value != "/" and value.lower() not in SWITCHED_OFF
            if concerned and not (name == "NoExecPaths" and executable):
                problems.add(
                    node.host,
                    "",
                    "directive_unusable",
                    f"{setting.place} sets {name}={value} for {node.runtime.unit}: {UNUSABLE[name].unusable}.",
                    f"{UNUSABLE[name].mended}.",
                )


def check_privileged(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """Commands for which User= of the unit does not count. Of ExecStart= the node leaves its account; behind ! the sandbox stays in force, so that
    root has no capability left; + is free of both."""
    unit = node.runtime.unit
    given: dict[str, list[Setting]] = {}
    allowed = {text.partition("=")[0].strip() for text in inventory.sandbox.get(node.host, ())}
    free = ""
    for one in seen.settings or ():
        if (one.unit, one.kind) == (unit, "command"):
            given[one.name] = [*given.get(one.name, ()), one] if one.value else []
        elif (one.unit, one.kind, one.name) == (unit, "directive", "PermissionsStartOnly"):
            free = (one.value or "").lower()
    for setting in (one for several in given.values() for one in several):
        sign, program = (setting.value or "")[:1], (setting.value or "")[1:]
        if setting.name == "ExecStart":
            problems.add(
                node.host,
                "",
                "directive_unusable",
                f"{setting.place} has {unit} start {program} with {sign} before it (ExecStart=): it would not run as {node.runtime.user}"
                f"{', and not in the sandbox' if sign == '+' else ''}.",
                f"remove the {sign} there.",
            )
        elif sign == "!" and free not in _SWITCHED_ON and "CapabilityBoundingSet" not in allowed and not _is_removed(node, setting.name):
            problems.add(
                node.host,
                "beam_service_directives",
                "capability_removed",
                f"{setting.place} has {unit} run {program} as root, with ! before it ({setting.name}=), and the sandbox leaves it neither "
                "capabilities nor directories to write to.",
                "write + instead of ! there: such a command runs outside of the sandbox.",
            )


def _is_removed(node: Node, name: str) -> bool:
    """Whether the product's own directives take away the commands of the unit."""
    return f"{name}=" in node.runtime.data.raw.get("directives", ())


def check_stop(node: Node, seen: Observation, problems: Problems) -> None:
    """A command of the operator's own that the drop-in takes away with the product's ExecStop=."""
    shown = (seen.units or {}).get(node.runtime.unit)
    if not _is_removed(node, "ExecStop"):
        return
    programs = {shown.program if shown else None, *(f"{path}/kill" for path in ("/bin", "/usr/bin")), *node.runtime.data.programs}
    for setting in seen.settings or ():
        if (setting.unit, setting.kind, setting.name) != (node.runtime.unit, "directive", "ExecStop") or setting.path.startswith(_OF_PACKAGES):
            continue
        program = setting.value or ""
        if program and program not in programs and not (shown and shown.release and program.startswith(f"{shown.release}/")):
            problems.add(
                node.host,
                "beam_service_directives",
                "directive_overridden",
                f"{setting.place} has {setting.unit} run {program} before it stops (ExecStop=), and the drop-in removes it.",
                "move it to ExecStopPost=, or remove it there and add its line ExecStop=... to beam_service_directives.",
            )


def kept_umask(node: Node, seen: Observation) -> str | None:
    """The UMask= of an operator's own unit or drop-in, unless everybody could write what the service creates: others may have to read it. Where none
    says anything, the group reads what it could read: a log shipper, a backup."""
    given = _given_umask(node, seen)
    if given is not None:
        return given[1] if int(given[1], 8) & 0o002 else None
    umask = inherited_umask(node, seen)
    return None if umask is None or umask & 0o040 else f"{umask | 0o027:04o}"


def _given_umask(node: Node, seen: Observation) -> tuple[Setting, str] | None:
    found = None
    for one in seen.settings or ():
        if (one.unit, one.kind, one.name) == (node.runtime.unit, "directive", "UMask") and not one.path.startswith(_OF_PACKAGES):
            match = _UMASK.fullmatch(one.value or "")
            found = (one, f"{int(match.group(), 8):04o}") if match else None
    return found


def inherited_umask(node: Node, seen: Observation) -> int | None:
    """That of a unit whose operator says nothing about it: systemd's, the package's, or the one that an earlier run has kept."""
    shown = (seen.units or {}).get(node.runtime.unit)
    match = _UMASK.fullmatch((shown.umask if shown else None) or "")
    inherits = shown is not None and shown.load == "loaded" and not shown.ours and _given_umask(node, seen) is None
    return int(match.group(), 8) if match and inherits else None


def check_umask(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    given = _given_umask(node, seen)
    if given and not int(given[1], 8) & 0o002 and not any(text.startswith("UMask=") for text in inventory.sandbox.get(node.host, ())):
        problems.add(
            node.host,
            "beam_service_directives",
            "directive_overridden",
            f"{given[0].place} sets UMask={given[1]} for {node.runtime.unit}, so that every user may write what it creates, and the sandbox "
            f"overrides it (UMask={node.runtime.data.raw.get('umask') or '0077'}).",
            f"set UMask=0002 or a stricter one there, or add 'UMask={given[1]}' to beam_service_directives.",
        )


def kept_directives(node: Node, seen: Observation) -> list[str]:
    """The product's own directives, and what a part of the service needs of the host: os_mon reads /proc/loadavg and /proc/stat. With Group= of the
    operator's, systemd leaves out the group that the account itself has, which reads the placeholder cookie."""
    shown = (seen.units or {}).get(node.runtime.unit)
    account = (seen.accounts or {}).get(node.runtime.user)
    given: list[str] = list(node.runtime.data.raw.get("directives") or ())
    if shown and shown.os_mon and "ProcSubset=all" not in given:
        given.append("ProcSubset=all")
    if shown and account and node.runtime.data.raw.get("cookie_placeholder") and shown.group not in ("", account.group):
        given.append(f"SupplementaryGroups={account.group}")
    return given


def kept_restart(node: Node, seen: Observation) -> str | None:
    """`always` where the operator's unit comes back after every end. Our own on-failure would leave it down after one in good order."""
    given = [one.value for one in seen.settings or () if (one.unit, one.kind, one.name) == (node.runtime.unit, "directive", "Restart")]
    return given[-1] if given[-1:] == ["always"] else None


def _capabilities(text: str | None) -> set[str]:
    return set() if not text or text.startswith("~") else {word.upper() for word in text.split()}


def kept_capabilities(node: Node, seen: Observation) -> list[str]:
    """The capabilities that the node's unit keeps: those of the operator's files, and what its running VM needs to listen where it does.

    What a package's own unit gives says nothing about this host, and is not there yet when the first run makes its plan.
    """
    unit = node.runtime.unit
    given: set[str] = set()
    for setting in seen.settings or ():
        if (setting.unit, setting.kind, setting.name) == (unit, "directive", "AmbientCapabilities") and not setting.path.startswith(_OF_PACKAGES):
            given = given | _capabilities(setting.value) if setting.value else set()
    low = seen.unprivileged_port if seen.unprivileged_port is not None else 1024
    listening = any(entry.unit == unit and entry.process == "beam.smp" and entry.port < low for entry in seen.listeners or ())
    return sorted(KEPT) if given & KEPT or listening else []


def check_directories(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """Directories of the product's own configuration that no file names: the unit could not write there."""
    if any(text.startswith(("ReadWritePaths=", "BindPaths=")) for text in inventory.sandbox.get(node.host, ())):
        return
    for setting in seen.settings or ():
        if setting.unit == node.runtime.unit and setting.name in node.runtime.data.directory_settings and is_of_shell(setting.value):
            problems.add(
                node.host,
                "beam_service_directives",
                "directory_read_only",
                f"{setting.place} sets {setting.name} to {setting.value}, which only a shell can tell, and the sandbox makes all directories "
                f"read-only that {setting.unit} is not known to write to.",
                "write the directory there, or add 'ReadWritePaths=DIRECTORY' to beam_service_directives.",
            )


def writable_directories(node: Node, seen: Observation) -> list[str]:
    """Directories that the product's own configuration names, or a variable of the unit, beside those that its unit may write to anyway."""
    data = node.runtime.data
    names = data.directory_settings
    known = [path.lstrip("-") for path in data.writable]
    found: list[str] = []
    for setting in seen.settings or ():
        path = setting.value or ""
        asked = setting.kind == "writes" or setting.name in names
        if setting.unit != node.runtime.unit or not asked or not path.startswith("/") or is_of_shell(path):
            continue
        path = path.rstrip("/") if setting.kind == "writes" or not setting.name.endswith(_FILES) else path.rpartition("/")[0]
        if path.count("/") < 2 or path.startswith(("/etc/", "/usr/", "/proc/", "/sys/", "/boot/")):
            continue
        # What the sandbox hides is another matter, see check_hidden_paths().
        if setting.kind == "writes" and (path.startswith(HOMES) or is_writable(path, _SHARED)):
            continue
        if not any(path == place or path.startswith(f"{place}/") for place in (*known, *found)):
            found.append(path)
    return found
