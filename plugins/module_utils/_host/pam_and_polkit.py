# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of PAM and polkit with which users become any other user, that of a node among them, without its password.

Private to this collection. Sources: pam.conf(5), pam_permit(8), pam_wheel(8), pam_succeed_if(8), polkit(8), pklocalauthority(8). Only
paths are returned.
"""

from __future__ import annotations

import configparser
import fnmatch
import glob
import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import proc

SERVICES = (
    "su", "su-l", "runuser", "runuser-l", "sudo", "sudo-i", "doas", "polkit-1", "sshd", "login", "common-auth", "system-auth", "password-auth",
)
"""Files below /etc/pam.d. Others are of services that give no shell, or include these."""
DIRECTORY = "/etc/pam.d"
POLKIT = ("/etc/polkit-1/rules.d/*.rules", "/run/polkit-1/rules.d/*.rules", "/usr/local/share/polkit-1/rules.d/*.rules")
AUTHORITY = ("/etc/polkit-1/localauthority/*/*.pkla", "/var/lib/polkit-1/localauthority/*/*.pkla")
"""Of polkitd-pkla, which reads the rules of old versions."""
_LINE = re.compile(
    r"^[ \t]*(?:@include[ \t]+(\S+)|-?auth[ \t]+(?:(?:include|substack)[ \t]+(\S+)|(\w+|\[[^\]\n]*\])[ \t]+(?:/\S*/)?(pam_\w+)\.so\b([^\n#]*)))",
    re.MULTILINE | re.IGNORECASE,
)
_JUMP = re.compile(r"\bsuccess=([1-9][0-9]*)\b")
_OPENS = (
    "pam_permit", "pam_succeed_if", "pam_listfile", "pam_wheel", "pam_access", "pam_debug", "pam_exec", "pam_localuser", "pam_rhosts", "pam_shells",
    "pam_time",
)
"""Modules that let somebody in by a name, a place, a time or a program."""
_MUST = ("required", "requisite")
_INCLUDES_DEEP = 8
_ASK_NOTHING = ("pam_rootok", "pam_env", "pam_faildelay", "pam_nologin", "pam_securetty", "pam_faillock", "pam_group", "pam_mount")
"""Modules that ask for no password, or only whether the caller is root."""
_CODE_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|^[ \t]*#[^\n]*", re.DOTALL | re.MULTILINE)
_RULE = re.compile(r"addRule\s*\((.*?)(?=polkit\s*\.\s*addRule|\Z)", re.DOTALL)
_YES = re.compile(r"\bResult\b[\s.\[\"']*YES\b|[\"']yes[\"']")
_OF_ONE_UNIT = re.compile(r"lookup\s*\(\s*[\"']unit[\"']")
_OF_AN_ACTION = re.compile(r"\.\s*id\b|\[\s*[\"']id[\"']\s*\]")
_LITERAL = re.compile(r"[\"'/^]([a-z]+(?:\.[A-Za-z0-9_-]+)*)\.?(?:\*|\b)")
"""The name of an action, or the beginning of one."""
_MIGHTY = ("org.freedesktop.systemd1", "org.freedesktop.policykit.exec", "org.freedesktop.machine1.host-login", "org.freedesktop.machine1.host-shell")
"""Actions, or beginnings of them, with which a user starts programs as another one: units, pkexec, and machinectl shell."""

_ACTIONS = ("org.freedesktop.systemd1.manage-units", "org.freedesktop.systemd1.manage-unit-files", *_MIGHTY[1:])


class _Line(NamedTuple):
    """A module of a list, and the file that says so. One that is not known (a file that is included and not there) has no name."""

    path: str
    control: str
    module: str
    rest: str


def without_password(directory: str = DIRECTORY) -> list[str]:
    """The files of PAM with a rule that takes the place of a password."""
    services = (f"{directory}/{name}" for name in SERVICES)
    found = (path for service in services if os.path.isfile(service) for path in _opening(service, list(_lines(service, 0))))
    return list(dict.fromkeys(found))


def _lines(path: str, deep: int) -> Iterator[_Line]:
    """The modules that authenticate, those of files that are included among them."""
    if not os.path.isfile(path) or deep > _INCLUDES_DEEP:
        yield _Line(path, "required", "", "")
        return
    for included, by_type, control, module, rest in _LINE.findall((proc.text_of(path) or "").replace("\\\n", " ")):
        if module:
            yield _Line(path, control.lower(), module, rest)
        else:
            yield from _lines(os.path.join(os.path.dirname(path), included or by_type), deep + 1)


def _opening(service: str, lines: Sequence[_Line]) -> Iterator[str]:
    """The files that let users in without a password: by a module that is enough, by one that leads past all that ask, or because none of them asks
    for anything. pam_permit at the end of a list, as Debian has it, is neither."""
    for number, line in enumerate(lines):
        if line.module in _OPENS and _trusts(line.module, line.rest) and _is_enough(line.control, lines[:number], lines[number + 1 :]):
            yield line.path
    counted = {line.module for line in lines if line.control != "optional"}
    if "pam_permit" in counted and not any(map(_asks, lines)):
        yield service


def _is_enough(control: str, before: Sequence[_Line], after: Sequence[_Line]) -> bool:
    """Whether the success of a module is that of the list: at once, or because what it jumps to asks for nothing, and nothing in front of it did."""
    if control == "sufficient" or "success=done" in control:
        return True
    jump = _JUMP.search(control)
    return bool(jump and not any(map(_asks, after[int(jump.group(1)) :])) and not any(line.control in _MUST and _asks(line) for line in before))


def _asks(line: _Line) -> bool:
    return line.control != "optional" and line.module not in ("pam_permit", *_ASK_NOTHING)


def _trusts(module: str, rest: str) -> bool:
    """pam_wheel trusts a group with that option only, and root needs no trust."""
    if module == "pam_succeed_if" and re.search(r"\buid[ \t]*(?:=|eq)[ \t]*0\b", rest):
        return False
    # A program that gets the password may test it.
    needs = {"pam_wheel": r"\btrust\b", "pam_exec": r"\A(?!.*\bexpose_authtok\b)"}.get(module, "")
    return bool(re.search(needs, rest))


def managing() -> list[str]:
    """The files of polkit that let users other than root start units or programs, whichever they like."""
    rules = [path for pattern in POLKIT for path in sorted(glob.glob(pattern)) if _manages(_CODE_COMMENT.sub("", proc.text_of(path) or ""))]
    return rules + [path for pattern in AUTHORITY for path in sorted(glob.glob(pattern)) if _of_authority(proc.text_of(path) or "")]


def _of_authority(text: str) -> bool:
    """A file of pklocalauthority(8): sections with identities, actions with wildcards, and results."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return False
    for section in map(dict, map(parser.items, parser.sections())):
        others = {one.strip() for one in section.get("identity", "").split(";")} - {"", "unix-user:root", "unix-user:0", "unix-group:root"}
        allowed = any(section.get(result, "").strip() == "yes" for result in ("resultany", "resultinactive", "resultactive"))
        patterns = [one.strip() for one in section.get("action", "").split(";")]
        if others and allowed and any(fnmatch.fnmatchcase(action, pattern) for action in _ACTIONS for pattern in patterns):
            return True
    return False


def _manages(text: str) -> bool:
    """A rule that asks for the unit's name lets start that unit. What a rule that asks for a password says is no answer yet. What is in front of the
    rules may be a list or a function of theirs."""
    before = text.partition("polkit.addRule")[0]
    rules = (f"{before}\n{rule}" for rule in _RULE.findall(text))
    return any(_YES.search(rule) and not _OF_ONE_UNIT.search(rule) and _is_about_mighty(rule) for rule in rules)


def _is_about_mighty(rule: str) -> bool:
    """Whether a rule is about one of _MIGHTY: by its name, by what the names of several begin with, or because it asks for no action at all."""
    rule = rule.replace("\\.", ".")
    begins = (f"{literal}." for literal in _LITERAL.findall(rule))
    named = any(action in rule for action in _MIGHTY) or any(action.startswith(begin) for begin in begins for action in _MIGHTY)
    return named or not _OF_AN_ACTION.search(rule)
