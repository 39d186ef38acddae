# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may run programs as another user: sudo, doas, polkit, and accounts with the number of another one.

Private to this collection. Sources: sudoers(5), doas.conf(5), polkit(8). Only names of files and users are returned.
"""

from __future__ import annotations

import glob
import grp
import os
import pwd
import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import pam_and_polkit

SUDOERS = ("/etc/sudoers", "/etc/sudoers-rs", "/usr/etc/sudoers", "/etc/sudoers.d/*")
"""sudo-rs takes sudoers-rs instead of sudoers where it is there."""
DOAS = ("/etc/doas.conf", "/usr/local/etc/doas.conf", "/etc/doas.d/*.conf")
POLKIT = (
    "/etc/polkit-1/rules.d/*.rules", "/run/polkit-1/rules.d/*.rules", "/usr/local/share/polkit-1/rules.d/*.rules",
    "/etc/polkit-1/localauthority/*/*.pkla", "/var/lib/polkit-1/localauthority/*/*.pkla",
)
"""Rules that are no package's."""
_LARGEST = 1 << 20
_DEEPEST = 8
_ALL, _ROOT = "ALL", "root"
_INCLUDE = re.compile(r"^[ \t]*[#@](include|includedir)[ \t]+\"?([^\"\n]+?)\"?[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"(?<!\S)#(?!\d).*")
_ALIAS = re.compile(r"^[ \t]*(?:User|Runas)_Alias[ \t]+(.*)$", re.MULTILINE)
_RULE = re.compile(
    r"^[ \t]*(?!Defaults|(?:User|Runas|Host|Cmnd|Cmd)_Alias|@)((?:[^\s,=]+[ \t]*,[ \t]*)*[^\s,=]+)[ \t]+[^=\n]+?=[ \t]*(.*)$", re.MULTILINE
)
_AS = re.compile(r"(?<![^\s,=])\(([^():]*)(?::[^()]*)?\)")
_MORE_HOSTS = re.compile(r"(?<!\\):[ \t]*[^\s=:,()]+[ \t]*=")
"""What begins a further list of hosts and commands in the same line."""
_DEFAULT = re.compile(r"^[ \t]*Defaults(\S*)[ \t][^\n]*\brunas_default[ \t]*=[ \t]*\"?([^\s,\"]+)", re.MULTILINE)
_OF_DOAS = re.compile(
    r"^[ \t]*permit(?:[ \t]+(?:nopass|nolog|persist|keepenv|setenv[ \t]*\{[^}]*\}))*[ \t]+(\S+)(?:[ \t]+as[ \t]+(\S+))?", re.MULTILINE
)


@dataclass(frozen=True)
class _Rule:
    """users: that get something. runs_as: whom they may run programs as; empty: root."""

    path: str
    users: frozenset[str]
    runs_as: frozenset[str]


def rights(user: pwd.struct_passwd) -> list[str] | None:
    """The files that let a user run programs as another one. None where they could not be looked at."""
    who = {*_names(user), _ALL, *_groups(user)}
    try:
        found = [rule.path for rule in _rules() if who & rule.users and not (rule.runs_as and rule.runs_as <= _names(user))]
        return list(dict.fromkeys([*found, *_of_polkit(user)]))
    except OSError:
        return None


def naming(user: pwd.struct_passwd) -> list[str]:
    """The files whose rules name a user itself, and not its groups or all users, to let it run programs as another one. Empty where they could not be
    looked at."""
    own = _names(user)
    try:
        return list(dict.fromkeys(rule.path for rule in _rules() if own & rule.users and not (rule.runs_as and rule.runs_as <= own)))
    except OSError:
        return []


def acting_as(user: pwd.struct_passwd) -> list[dict[str, str]] | None:
    """[{path, name}] of what lets others run programs as a user by its name: who may do so as every user is root. None as above."""
    own = _names(user)
    found: list[dict[str, str]] = []
    try:
        meant = own | _groups(user)
        for rule in _rules():
            named = rule.runs_as & meant or _ALL in rule.runs_as and {f"!{_ROOT}", "!#0"} & rule.runs_as
            refused = {f"!{name}" for name in meant} & rule.runs_as
            if named and not refused:
                found += [{"path": rule.path, "name": who} for who in sorted(rule.users - own - {_ROOT, f"%{_ROOT}"})]
        twins = [one.pw_name for one in pwd.getpwall() if one.pw_uid == user.pw_uid and one.pw_name != user.pw_name]
    except OSError:
        return None
    found += [{"path": "", "name": who} for who in sorted(set(twins))]
    found += [{"path": path, "name": "users without a password"} for path in pam_and_polkit.without_password()]
    found += [{"path": path, "name": "users beside root"} for path in pam_and_polkit.managing()]
    return [one for at, one in enumerate(found) if one not in found[:at]]


def _names(user: pwd.struct_passwd) -> set[str]:
    return {user.pw_name, f"#{user.pw_uid}"}


def _groups(user: pwd.struct_passwd) -> set[str]:
    """The groups of a user as sudo names them, by name and number."""
    groups = [entry for entry in grp.getgrall() if user.pw_name in entry.gr_mem or entry.gr_gid == user.pw_gid]
    return {f"%{entry.gr_name}" for entry in groups} | {f"%#{entry.gr_gid}" for entry in groups}


def _rules() -> list[_Rule]:
    """Raises OSError."""
    texts = dict(_sudoers())
    aliases: dict[str, set[str]] = {}
    for text in texts.values():
        for line in _ALIAS.findall(text):
            for name, _equals, members in (part.partition("=") for part in line.split(":")):
                aliases.setdefault(name.strip(), set()).update(_list(members))
    everywhere = "\n".join(texts.values())
    defaults = frozenset(who for _scope, who in _DEFAULT.findall(everywhere))
    found = []
    for path, text in texts.items():
        for users, commands in _RULE.findall(text):
            who = _expanded(frozenset(_list(users)), aliases)
            found += [_Rule(path, who, _expanded(one, aliases)) for part in _MORE_HOSTS.split(commands) for one in _runs_as(part, defaults)]
    return [*found, *_doas()]


def _runs_as(commands: str, defaults: frozenset[str]) -> Iterator[frozenset[str]]:
    """Whom the commands of a list run as. What is in front of the first user in parentheses runs as the default one."""
    first, *named = _AS.split(commands)
    if first.strip():
        yield defaults
    yield from (frozenset(_list(one)) for one in named[::2])


def _list(text: str) -> set[str]:
    return {name.strip().strip("\"") for name in text.split(",") if name.strip()}


def _expanded(names: frozenset[str], aliases: dict[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    left = set(names)
    while left:
        name = left.pop()
        if name in aliases and name not in found:
            left |= aliases[name] - found
        found.add(name)
    return frozenset(found)


def _sudoers() -> Iterator[tuple[str, str]]:
    """Each file of sudoers, those that others include among them, without comments and with its lines whole. Raises OSError."""
    left = [(path, 0) for pattern in SUDOERS for path in _of_directory(pattern)]
    seen: set[str] = set()
    while left:
        path, deep = left.pop(0)
        if path in seen or not os.path.isfile(path):
            continue
        seen.add(path)
        text = _text(path).replace("\\\n", " ")
        for kind, named in _INCLUDE.findall(text) if deep < _DEEPEST else ():
            place = os.path.join(os.path.dirname(path), named.replace("%h", os.uname().nodename))
            left += [(os.path.normpath(one), deep + 1) for one in ([place] if kind == "include" else _of_directory(f"{place}/*"))]
        yield path, "\n".join(_COMMENT.sub("", line) for line in text.splitlines())


def _of_directory(pattern: str) -> list[str]:
    """sudo leaves out names with a dot or a tilde at the end in a directory."""
    found = sorted(glob.glob(pattern))
    return [path for path in found if "*" not in pattern or not ("." in os.path.basename(path) or path.endswith("~"))]


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read(_LARGEST)


def _doas() -> Iterator[_Rule]:
    for path in (path for pattern in DOAS for path in sorted(glob.glob(pattern))):
        for who, target in _OF_DOAS.findall(_text(path)):
            yield _Rule(path, frozenset({f"%{who[1:]}" if who.startswith(":") else who}), frozenset({target or _ALL}))


def _of_polkit(user: pwd.struct_passwd) -> list[str]:
    """The rules of polkit that name a user. What they let it do is code."""
    name = re.escape(user.pw_name)
    named = re.compile(rf"""^(?![ \t]*(?://|\*|#)).*(?:["']{name}["']|unix-user:{name}(?![\w-]))""", re.MULTILINE)
    return [path for pattern in POLKIT for path in sorted(glob.glob(pattern)) if named.search(_text(path))]
