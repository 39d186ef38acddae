# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's view of a host's units.

Private to this collection.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Mapping

from .._model.installed import DROP_IN, OLD_DROP_IN
from . import commands, environment, installed_otp, proc, records, release_tools, start_files, unit_additions
from .vm_flags import code_flag_names, code_flags

# Of systemd's name to ours, as text. More is read: lists, the environment (see environment.py).
_TEXTS = {
    "Id": "id",
    "LoadState": "load",
    "ActiveState": "active",
    "SubState": "sub",
    "UnitFileState": "enabled",
    "FragmentPath": "fragment",
    "User": "user",
    "Group": "group",
    "LimitCORE": "core_limit",
    "WorkingDirectory": "working_directory",
    "UMask": "umask",
}
_LISTS = {"After": "after", "Requires": "requires"}
# Directories that systemd makes, and makes writable whatever the sandbox says.
_DIRECTORIES = {"RuntimeDirectory": "/run", "StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "LogsDirectory": "/var/log"}
_COMMANDS = ("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost")
_PROPERTIES = (
    "Names",
    *_TEXTS,
    *_LISTS,
    "DropInPaths",
    "NeedDaemonReload",
    "MainPID",
    *_DIRECTORIES,
    *unit_additions.PROPERTIES,
    "Environment",
    "EnvironmentFiles",
    "PassEnvironment",
    "UnsetEnvironment",
    *_COMMANDS,
)
_ARGUMENTS = re.compile(r"argv\[\]=(.*?) ; ignore_errors=")
_LINKS = "/etc/systemd/system"
_DROP_INS = (f"/etc/systemd/system/*.d/{OLD_DROP_IN}", f"/etc/systemd/system/*.d/{DROP_IN}")
_PROGRAM = re.compile(r"\{ path=(/\S*) ;")
# What a shell starts: /bin/sh -c '/usr/sbin/ejabberdctl foreground'.
_BEHIND_SHELL = re.compile(r"argv\[\]=/\S*/(?:ba|da)?sh -c (?:exec )?(/\S+)")
_VERSION = re.compile(r"systemd ([0-9]+)")
# With 'start', 'foreground', or without an argument (Phoenix's bin/server).
_RELEASE = re.compile(r"\{ path=(/[^ ]+)/bin/[^/ ]+ ; argv..=[^ ]+(?: start| foreground)? ;")
_OS_MON = re.compile(r"\{\s*os_mon\s*,")
_EXPOSURE = re.compile(r"Overall exposure level for (\S+?):\s*([0-9]+(?:\.[0-9]+)?)")


def init() -> str:
    """`systemd` where it is PID 1 and talks (sd_booted(3)), else the name of PID 1's program."""
    if os.path.isdir("/run/systemd/system"):
        return "systemd"
    try:
        with open("/proc/1/comm", encoding="utf-8") as stream:
            return stream.read().strip()
    except OSError:
        return "unknown"


def version() -> int | None:
    """The major version of systemd, None where it is not known."""
    match = _VERSION.match(commands.output("systemctl", "--version") or "")
    return int(match.group(1)) if match else None


def ours() -> set[str]:
    """The units that have a drop-in of ours."""
    return {os.path.basename(os.path.dirname(path))[: -len(".d")] for pattern in _DROP_INS for path in glob.glob(pattern)}


def show(names: Iterable[str]) -> dict[str, dict[str, object]] | None:
    """State of each unit, by name. Units that do not exist are there with load 'not-found'. None where systemd does not answer."""
    wanted = sorted(set(names))
    if init() != "systemd":
        return None
    if not wanted:
        return {}
    text = commands.output("systemctl", "show", "--no-pager", "-p", ",".join(_PROPERTIES), "--", *wanted)
    inherited = environment.names_of(commands.output("systemctl", "show-environment") or "")
    return None if text is None else {name: unit for name, unit in parse(text, inherited).items() if name in wanted}


def at_boot(names: Iterable[str]) -> dict[str, bool | None]:
    """Whether the host's default target leads to each unit, also through other units. None where systemd does not say."""
    lines = (commands.output("systemctl", "list-dependencies", "--no-pager", "--plain", "--all", "default.target") or "").splitlines()
    started = {line.split()[-1] for line in lines if line.strip()}
    return {name: name in started if started else None for name in names}


def parse(text: str, inherited: frozenset[str] = frozenset()) -> dict[str, dict[str, object]]:
    """The output of systemctl show: blocks of Key=value, one for each unit, an empty line between them. No value of a variable is in the result.

    inherited: names of the variables that systemd itself gives to every unit.
    """
    found: dict[str, dict[str, object]] = {}
    for block in text.split("\n\n"):
        values: dict[str, list[str]] = {}
        for line in block.splitlines():
            name, equals, value = line.partition("=")
            if equals:
                values.setdefault(name, []).append(value)
        last = {name: several[-1] for name, several in values.items()}
        if "Id" not in last:
            continue
        unit: dict[str, object] = {ours_: last.get(theirs, "") for theirs, ours_ in _TEXTS.items()}
        # A unit of another kind has no such property: that is not the same as a user who is root.
        unit.update({name: None for name, theirs in (("user", "User"), ("core_limit", "LimitCORE"), ("umask", "UMask")) if theirs not in last})
        unit.update({ours_: last.get(theirs, "").split() for theirs, ours_ in _LISTS.items()})
        # One whose name has a space or such is in quotes. A link to /dev/null switches off what has its name elsewhere.
        listed = [re.sub(r"\\(.)", r"\1", word) for word in environment.words(last.get("DropInPaths", ""))]
        drop_ins = unit["drop_ins"] = [path for path in listed if os.path.realpath(path) != os.devnull]
        unit["need_daemon_reload"] = last.get("NeedDaemonReload") == "yes"
        unit["main_pid"] = int(last.get("MainPID") or 0)
        unit.update(_commands(values.get("ExecStart", [""])[0], str(unit["fragment"])))
        unit["writable"] = _writable(last)
        unit.update(environment.facts(values, inherited))
        commands_ = [match.group(1).split() for match in _ARGUMENTS.finditer(" ".join(values.get("ExecStart", ())))]
        unit["takes_sockets"] = any("-systemd" in words for words in commands_) if commands_ else None
        unit["runs"] = sorted({name for words in commands_ for name in code_flag_names(code_flags(words[1:]))})
        programs = _of_commands(line for name in _COMMANDS for line in values.get(name, ()))
        main = unit["main_pid"]
        began = proc.started(int(str(main))) if main else None
        unit["start_files"] = start_files.of_unit(unit, programs, began) if str(last["Id"]).endswith(".service") else []
        unit.update(unit_additions.of_unit(values, str(unit["fragment"]), drop_ins))
        unit["links"] = links_of(last["Id"])
        unit["leads_to"] = _leads_to(str(unit["program"] or ""), str(unit["working_directory"]).lstrip("!-"))
        version_ = release_tools.version_of(str(unit["release"]))
        unit["os_mon"] = _has_os_mon(str(unit["release"]), version_)
        unit["lacks"] = _lacks(str(unit["release"]))
        unit["made_by"] = release_tools.made_by(str(unit["release"]), version_)
        unit["exposure"] = None
        # An alias is as good a name to ask for.
        found.update((name, unit) for name in {last["Id"], *last.get("Names", "").split()})
    return found


def links_of(name: str, root: str = _LINKS) -> list[str]:
    """What a unit needs by links beside it, and not by its files: requires/NAME and wants/NAME, of links that lead to the file NAME there.

    systemd may know others: it looks when it reads its files.
    """
    paths = {kind: sorted(glob.glob(f"{glob.escape(f'{root}/{name}')}.{kind}/*")) for kind in ("requires", "wants")}
    return [
        f"{kind}/{os.path.basename(path)}" for kind, several in paths.items() for path in several
        if os.path.islink(path) and os.path.realpath(path) == os.path.realpath(root) + f"/{os.path.basename(path)}"
    ]


def _of_commands(lines: Iterable[str]) -> list[str]:
    """The programs of all commands of a unit, and the files among their arguments: a script after the name of its shell, for example."""
    found: set[str] = set()
    for line in lines:
        found.update(_PROGRAM.findall(line))
        words = (word for match in _ARGUMENTS.finditer(line) for word in match.group(1).split()[1:])
        found.update(word for word in words if word.startswith("/") and os.path.isfile(word))
    return sorted(found)


def _commands(start: str, fragment: str) -> dict[str, object]:
    """What the unit starts, without its arguments, and whether its file is ours. `start` is its first command."""
    program, release = _BEHIND_SHELL.search(start) or _PROGRAM.search(start), _RELEASE.search(start)
    return {
        "program": program.group(1) if program else None,
        "release": release.group(1) if release else "",
        "ours": bool(fragment) and bool(records.ours([fragment])),
    }


def _leads_to(*paths: str) -> list[str]:
    """Where those of the paths lie in truth that lead through a link: /srv/shop to a home, for example."""
    return sorted({os.path.realpath(path) for path in paths if path.startswith("/") and os.path.realpath(path) != path})


def _lacks(release: str) -> list[str]:
    """What TLS needs and a release with a runtime of its own has not: it could not start with our flags."""
    return installed_otp.without(release) if release and glob.glob(f"{glob.escape(release)}/erts-*") else []


def _has_os_mon(release: str, version: str) -> bool:
    """Whether a release starts os_mon, by the file that its current version was made from."""
    if not version:
        return False
    try:
        for path in glob.glob(f"{glob.escape(release)}/releases/{glob.escape(version)}/*.rel"):
            with open(path, encoding="utf-8", errors="replace") as stream:
                if _OS_MON.search(stream.read()):
                    return True
    except OSError:
        pass
    return False


def _writable(values: Mapping[str, str]) -> list[str]:
    """What the unit's own files let it write to."""
    made = [f"{base}/{name.partition(':')[0]}" for key, base in _DIRECTORIES.items() for name in values.get(key, "").split()]
    return sorted({*made, *(path.lstrip("-+") for path in values.get("ReadWritePaths", "").split())})


def rate(units: Mapping[str, dict[str, object]], names: Iterable[str]) -> str:
    """Set the exposure of the named services: systemd-analyze security, 0 (none) to 10. Returns why some are unknown, empty where none is."""
    wanted = sorted(name for name in set(names) if name.endswith(".service") and units.get(name, {}).get("load") == "loaded")
    unknown = []
    for name in wanted:
        match = _EXPOSURE.search(commands.output("systemd-analyze", "security", "--no-pager", "--", name) or "")
        if match:
            units[name]["exposure"] = float(match.group(2))
        else:
            unknown.append(name)
    return f"systemd-analyze security did not rate {', '.join(unknown)}" if unknown else ""


def sockets() -> dict[str, str]:
    """Which socket unit listens where, as 'address:port' -> unit."""
    text = commands.output("systemctl", "list-sockets", "--no-pager", "--no-legend", "--plain", "--full") or ""
    return {words[0]: words[1] for words in (line.split() for line in text.splitlines()) if len(words) >= 2 and words[1].endswith(".socket")}
