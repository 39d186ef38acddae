# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts programs as a user outside of the unit of its node, and so outside of its sandbox: cron, at, a lingering user manager, other units.

Private to this collection. A node's user owns its home: what such a way reads there, code in the node writes.
"""

from __future__ import annotations

import glob
import os
import pwd
import re
from collections.abc import Iterator

from . import proc

CRON = ("/var/spool/cron/crontabs/{}", "/var/spool/cron/tabs/{}", "/var/spool/cron/{}", "/var/spool/incron/{}")
"""Tables of one user."""
SYSTEM_CRON = ("/etc/crontab", "/etc/cron.d/*")
"""Tables in which each line names its user."""
OF_ROOT = (
    "/etc/crontab", "/etc/anacrontab", "/etc/rc.local", "/etc/cron.*/*", "/var/spool/cron/crontabs/*", "/var/spool/cron/tabs/*",
)
"""Jobs of root, in which a command may become another user."""
LINGER = "/var/lib/systemd/linger/{}"
AT = ("/var/spool/cron/atjobs/*", "/var/spool/at/*")
UNITS = (
    "/etc/systemd/system", "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/generator", "/run/systemd/generator.early",
    "/run/systemd/generator.late", "/run/systemd/system", "/run/systemd/transient", "/usr/local/lib/systemd/system",
    "/etc/systemd/system.attached", "/run/systemd/system.attached",
)
"""Where systemd takes units that are no package's; those of portable services are in system.attached."""
PACKAGES = ("/usr/lib/systemd/system", "/lib/systemd/system")
"""Where units of packages are: whom an instance of one runs as, its name may say."""
CGROUPS = "/sys/fs/cgroup/system.slice/system-*.slice"
"""Where instances are that run."""
_LINE_OF_CRON = re.compile(r"^[ \t]*(?:@[a-z]+|(?:[^\s#=]+[ \t]+){4}[^\s#=]+)[ \t]+([^\s#=]+)[ \t]+\S", re.MULTILINE)
_USER_OF_UNIT = re.compile(r"^[ \t]*User[ \t]*=[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_INSTANCE = re.compile(r"(?<!%)%[iI]")
_COMMENT = re.compile(r"^[ \t]*[#;].*$", re.MULTILINE)
_WORDS = r"[^\n;|&]{0,400}?"
_SU_OPTIONS = (
    r"(?:[ \t]+(?:(?:-[a-z]*[cCsgGwT][ \t]+|--(?:command|session-command|shell|group|supp-group|whitelist-environment)(?:=|[ \t]+))"
    r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']\S*)|-(?![a-z]*[cCsgGwT][ \t]|-(?:command|shell|group)[ \t])\S*))*"
)
"""Options of su, of which some have a value behind them: a command in quotes, for example."""
_LEFT_OUT = ("~", ".bak", ".disabled", ".dpkg-dist", ".dpkg-new", ".dpkg-old", ".rpmnew", ".rpmorig", ".rpmsave")
"""Ends of names that cron leaves out, with others."""


def of(user: pwd.struct_passwd) -> list[str] | None:
    """The files that start programs as a user. None where they could not be looked at."""
    name = user.pw_name
    found = [path for path in (pattern.format(name) for pattern in CRON) if os.path.isfile(path) and os.path.getsize(path)]
    found += [path for path in (LINGER.format(name),) if os.path.exists(path)]
    try:
        found += [path for pattern in AT for path in sorted(glob.glob(pattern)) if os.path.isfile(path) and os.stat(path).st_uid == user.pw_uid]
        tables = (path for pattern in SYSTEM_CRON for path in sorted(glob.glob(pattern)))
        for path in (path for path in tables if os.path.isfile(path) and not path.endswith(_LEFT_OUT)):
            with open(path, encoding="utf-8", errors="replace") as stream:
                if name in _LINE_OF_CRON.findall(stream.read(1 << 20)):
                    found.append(path)
        commands = becoming(user)
        for path in (path for pattern in OF_ROOT for path in sorted(glob.glob(pattern))):
            if os.path.isfile(path) and not path.endswith(_LEFT_OUT) and commands.search(_COMMENT.sub("", proc.text_of(path) or "")):
                found.append(path)
    except OSError:
        return None
    return list(dict.fromkeys(found))


def becoming(user: pwd.struct_passwd) -> re.Pattern[str]:
    """The commands that start a program as a user: su, runuser, sudo, setpriv and the like."""
    who = rf"""[ \t="']*(?:{re.escape(user.pw_name)}|#?{user.pw_uid})(?![\w./@:=-])"""
    same = rf"""["']?(?:{re.escape(user.pw_name)}|{user.pw_uid})(?![\w./=-])"""
    return re.compile(
        rf"(?<![\w.-])(?:(?:su|runuser){_SU_OPTIONS}[ \t]{who}"
        rf"|(?:sudo|doas|run0)[ \t]{_WORDS}(?<!\S)(?:-[A-Za-z]*u|--user){who}|(?:runuser|chpst)[ \t]{_WORDS}(?<!\S)-u{who}"
        rf"|setpriv[ \t]{_WORDS}--reuid{who}|start-stop-daemon[ \t]{_WORDS}(?:-c|--chuid){who}|systemd-run[ \t]{_WORDS}--uid{who}"
        rf"|systemd-run[ \t]{_WORDS}(?:-p|--property)[ \t=]*[\"']?User={same}|(?:pkexec|capsh)[ \t]{_WORDS}--user{who}"
        rf"|(?:nsenter|unshare)[ \t]{_WORDS}(?:-S|--setuid){who}|chroot[ \t]{_WORDS}--userspec[ \t=]*{same}"
        rf"|machinectl[ \t]{_WORDS}\bshell[ \t]{_WORDS}(?:--uid{who}|(?<![\w-]){same}@)"
        rf"|(?:s6-setuidgid|setuidgid|gosu|su-exec)[ \t]{who})"
    )


def units_of(user: pwd.struct_passwd) -> list[dict[str, str]]:
    """[{name, path}] of the services that are to run as a user, as files that are no package's say; nodes are among them."""
    names, commands = {user.pw_name, str(user.pw_uid)}, becoming(user)
    found = [{"name": unit, "path": path} for path, unit in _unit_files() if names & _users(path) or commands.search(_text(path))]
    found += [{"name": unit, "path": path} for path, unit, text in _instances() if names & _users_in(text) or commands.search(text)]
    return list({one["path"]: one for one in found}.values())


def _instances() -> Iterator[tuple[str, str, str]]:
    """Where it is enabled or runs, name and text of each instance of a template that uses the name of the instance (%i, %I)."""
    enabled = (path for directory in UNITS for kind in ("wants", "requires", "upholds") for path in glob.glob(f"{directory}/*.{kind}/*@?*.*"))
    running = glob.glob(f"{CGROUPS}/*@?*.service")
    for path in (*sorted(enabled), *sorted(running)):
        stem = os.path.basename(path).rpartition(".")[0]
        template, instance = f"{stem.partition('@')[0]}@.service", stem.partition("@")[2]
        files = [f"{directory}/{template}" for directory in (*UNITS, *PACKAGES) if os.path.isfile(f"{directory}/{template}")][:1]
        files += [one for directory in UNITS for one in sorted(glob.glob(f"{directory}/{template}.d/*.conf"))]
        text = "\n".join(map(_text, files))
        if _INSTANCE.search(text):
            yield path, f"{stem}.service", _of_instance(text, instance)


def _of_instance(text: str, name: str) -> str:
    """A template with the name of an instance, %I unescaped as systemd-escape -u does it."""
    plain = re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match.group(1), 16)), name.replace("-", "/"))
    return _INSTANCE.sub(lambda match: plain if match.group() == "%I" else name, text)


def _unit_files() -> Iterator[tuple[str, str]]:
    """Path and unit of each file of a service, and of each of its drop-ins. An alias is a link to the file that counts."""
    for directory in UNITS:
        for path in sorted(glob.glob(f"{directory}/*.service")):
            yield os.path.realpath(path), os.path.basename(os.path.realpath(path))
        for path in sorted(glob.glob(f"{directory}/*.service.d/*.conf")):
            yield path, os.path.basename(os.path.dirname(path))[: -len(".d")]


def _text(path: str) -> str:
    return _COMMENT.sub("", proc.text_of(path) or "")


def _users(path: str) -> set[str]:
    return _users_in(_text(path))


def _users_in(text: str) -> set[str]:
    return set(_USER_OF_UNIT.findall(text))
