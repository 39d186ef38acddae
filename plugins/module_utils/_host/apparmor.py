# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of AppArmor in enforce mode that the unit of a node runs under, or would run under: whether they let it read our files.

Private to this collection. Sources: the kernel's list of profiles (securityfs), /proc/PID/attr/current, apparmor.d(5).
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping

from . import proc
from .records import DIRECTORY

KERNEL = "/sys/kernel/security/apparmor"
POLICY = "/etc/apparmor.d"
_MODES = ("enforce", "kill")
_LABEL = re.compile(r"(.+) \((\w+)\)")
_INCLUDED = re.compile(r"^[ \t]*#?include[ \t]+(?:if exists[ \t]+)?[<\"](?:/etc/apparmor\.d/)?(local/[^>\"]+)[>\"]", re.MULTILINE)
_OURS = re.compile(rf"^[ \t]*(?:allow[ \t]+|owner[ \t]+)*\"?/etc/(?:{DIRECTORY.split('/')[2]}/|\*\*|\{{)", re.MULTILINE)


def describe(units: Mapping[str, Mapping[str, object]], names: Iterable[str]) -> list[dict[str, object]]:
    """[{unit, profile, path, local, allows}] for the given units. path: the file of the profile, local: the file that it includes for additions, both
    empty where there is none. allows: whether one of them has a rule for our files."""
    loaded = dict(_loaded(KERNEL))
    found = []
    for unit in dict.fromkeys(names):
        for profile in sorted(_of_unit(units.get(unit, {}), loaded)):
            path, local, allows = _file(profile)
            found.append({"unit": unit, "profile": profile, "path": path, "local": local, "allows": allows})
    return found


def _of_unit(unit: Mapping[str, object], loaded: Mapping[str, str]) -> Iterator[str]:
    """The profiles of a unit: of its running process, and those that its program gets when it starts."""
    label = _LABEL.fullmatch((proc.text_of(f"/proc/{unit.get('main_pid') or 0}/attr/current") or "").strip())
    running = label.group(1).partition("//")[0] if label and label.group(2) in _MODES else ""
    program = str(unit.get("program") or "")
    yield from {running, *(name for name, attached in loaded.items() if program and _is_attached(attached, program))} - {""}


def _loaded(kernel: str) -> Iterator[tuple[str, str]]:
    """Name and attachment of each profile in force. A profile within another one (a//b) is attached to no program."""
    enforced = set()
    for line in (proc.text_of(f"{kernel}/profiles") or "").splitlines():
        label = _LABEL.fullmatch(line.strip())
        if label and label.group(2) in _MODES and "//" not in label.group(1):
            enforced.add(label.group(1))
    attachments = {}
    for folder in glob.glob(f"{kernel}/policy/profiles/*"):
        name = (proc.text_of(f"{folder}/name") or "").strip()
        attachments[name] = (proc.text_of(f"{folder}/attach") or "").strip()
    for name in sorted(enforced):
        attached = attachments.get(name, "")
        yield name, attached if attached.startswith("/") else name


def _is_attached(attached: str, program: str) -> bool:
    try:
        return re.fullmatch(_pattern(attached), program) is not None
    except re.error:
        return attached == program


def _pattern(attached: str) -> str:
    """A path of apparmor.d(5) as a regular expression."""
    found, depth = "", 0
    for part in re.findall(r"\*\*|\\.|\[[^\]]*\]|.", attached):
        if part in "{}":
            depth += 1 if part == "{" else -1
            found += "(?:" if part == "{" else ")"
        elif part == "," and depth:
            found += "|"
        else:
            found += {"**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, part if part[0] in "[\\" else re.escape(part))
    return found if depth == 0 else re.escape(attached)


def _file(profile: str) -> tuple[str, str, bool]:
    """The file with a profile, the one for additions to it, and whether one of them has a rule for our files."""
    head = re.compile(rf"^[ \t]*(?:profile[ \t]+)?\"?{re.escape(profile)}\"?(?=[ \t{{])[^\n]*\{{[ \t]*$", re.MULTILINE)
    for path in sorted(glob.glob(f"{POLICY}/*")):
        text = (proc.text_of(path) or "") if os.path.isfile(path) else ""
        if head.search(text):
            included = [f"{POLICY}/{name}" for name in _INCLUDED.findall(text)]
            texts = [text, *(proc.text_of(name) or "" for name in included)]
            return path, included[0] if included else "", any(_OURS.search(one) for one in texts)
    return "", "", False
