# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of PAM and polkit with which users become any other user, that of a node among them, without its password.

Private to this collection. Sources: pam.conf(5), pam_permit(8), pam_wheel(8), pam_succeed_if(8), polkit(8). Only paths are returned.
"""

from __future__ import annotations

import glob
import os
import re

from . import proc

SERVICES = ("su", "su-l", "runuser", "runuser-l", "sudo", "sudo-i", "sshd", "login", "common-auth", "system-auth", "password-auth")
"""Files below /etc/pam.d. Others are of services that give no shell, or include these."""
DIRECTORY = "/etc/pam.d"
POLKIT = ("/etc/polkit-1/rules.d/*.rules", "/run/polkit-1/rules.d/*.rules", "/usr/local/share/polkit-1/rules.d/*.rules")
_LINE = re.compile(
    r"^[ \t]*-?auth[ \t]+(sufficient|\[[^\]\n]*success=(?:done|ok|[1-9])[^\]\n]*\]|required|requisite)[ \t]+(?:/\S*/)?(pam_\w+)\.so\b([^\n#]*)",
    re.MULTILINE,
)
_OPENS = ("pam_permit", "pam_succeed_if", "pam_listfile", "pam_wheel")
_INCLUDES = re.compile(r"^[ \t]*(?:@include|auth[ \t]+(?:include|substack))[ \t]", re.MULTILINE)
_ASK_NOTHING = ("pam_rootok", "pam_env", "pam_faildelay", "pam_nologin", "pam_securetty", "pam_faillock", "pam_group", "pam_mount")
"""Modules that ask for no password, or only whether the caller is root."""
_CODE_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|^[ \t]*#[^\n]*", re.DOTALL | re.MULTILINE)
_RULE = re.compile(r"addRule\s*\((.*?)(?=polkit\s*\.\s*addRule|\Z)", re.DOTALL)
_YES = re.compile(r"\bResult\s*\.\s*YES\b")
_OF_ONE_UNIT = re.compile(r"lookup\s*\(\s*[\"']unit[\"']")
_MIGHTY = ("org.freedesktop.systemd1.", "org.freedesktop.policykit.exec")
"""Beginnings of actions with which a user starts programs as another one: units, and pkexec."""


def without_password(directory: str = DIRECTORY) -> list[str]:
    """The files of PAM with a rule that takes the place of a password."""
    return [path for path in (f"{directory}/{name}" for name in SERVICES) if os.path.isfile(path) and _opens(proc.text_of(path) or "")]


def _opens(text: str) -> bool:
    """Whether a list of modules lets users in without a password: by a module that is enough, or because none of them asks for anything.

    pam_permit at the end of a list, as Debian has it, is neither."""
    lines = _LINE.findall(text.replace("\\\n", " "))
    if any(control == "sufficient" and module in _OPENS and _trusts(module, rest) for control, module, rest in lines):
        return True
    modules = {module for _control, module, _rest in lines}
    return "pam_permit" in modules and modules <= {"pam_permit", *_ASK_NOTHING} and not _INCLUDES.search(text)


def _trusts(module: str, rest: str) -> bool:
    """pam_wheel trusts a group with that option only, and root needs no trust."""
    if module == "pam_succeed_if" and re.search(r"\buid[ \t]*(?:=|eq)[ \t]*0\b", rest):
        return False
    return module != "pam_wheel" or bool(re.search(r"\btrust\b", rest))


def managing() -> list[str]:
    """The files of polkit that let users other than root start units or programs, whichever they like."""
    return [path for pattern in POLKIT for path in sorted(glob.glob(pattern)) if _manages(_CODE_COMMENT.sub("", proc.text_of(path) or ""))]


def _manages(text: str) -> bool:
    """A rule that asks for the unit's name lets start that unit. What a rule that asks for a password says is no answer yet."""
    return any(
        any(action in rule for action in _MIGHTY) and _YES.search(rule) and not _OF_ONE_UNIT.search(rule)
        for rule in _RULE.findall(text)
    )
