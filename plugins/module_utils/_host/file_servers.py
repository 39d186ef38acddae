# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of this host NFS, Samba and rsync give to other hosts, whatever the modes of these files say.

Private to this collection. Sources: exports(5), smb.conf(5), rsyncd.conf(5). Only paths and names of servers are returned.
"""

from __future__ import annotations

import glob
import os
import pwd
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from . import proc

CONFIGURATIONS: Mapping[str, Sequence[str]] = {
    "NFS": ("/etc/exports", "/etc/exports.d/*.exports", "/var/lib/nfs/etab"),
    "Samba": ("/etc/samba/smb.conf",),
    "rsync": ("/etc/rsyncd.conf", "/etc/rsyncd.d/*"),
}
"""Files that say what a server gives."""
_WORD = re.compile(r'(?:"[^"]*"|[^\s"])+')
_OCTAL = re.compile(r"\\([0-7]{3})")
_CONTINUED = re.compile(r"\\\n")
_SECTION = re.compile(r"[ \t]*\[([^\]\n]+)\]")
_SETTING = re.compile(r"[ \t]*([A-Za-z][A-Za-z0-9 _-]*?)[ \t]*=[ \t]*(.*?)[ \t]*")
_INCLUDE = re.compile(r"[ \t]*(?:include[ \t]*=[ \t]*(\S.*?)|&(include|merge)[ \t]+(\S.*?))[ \t]*", re.IGNORECASE)
_DEEPEST = 8
_MOST = 20


def describe(paths: Iterable[str], users: Collection[str], configurations: Mapping[str, Sequence[str]] | None = None) -> list[dict[str, str]]:
    """[{path, server, directory, where}] of the paths that a server gives to clients that need not be their owner: the first one for each directory.

    users: those of nodes. A server that acts as one of them, or as root, reads what they read.
    """
    watched, readers = sorted(set(paths)), {"root", "0", *users, *_numbers(users)}
    found: list[dict[str, str]] = []
    for server, patterns in (configurations or CONFIGURATIONS).items():
        for where in (one for pattern in patterns for one in sorted(glob.glob(pattern))):
            given = _exports(proc.text_of(where) or "", readers) if server == "NFS" else _shares(_included(where, 0), readers)
            for directory, beyond in given:
                path = next((one for one in watched if _holds(directory, one, beyond)), None)
                if path is not None and not any(one["server"] == server and one["directory"] == directory for one in found):
                    found.append({"path": path, "server": server, "directory": directory, "where": where})
    return found[:_MOST]


def _included(path: str, deep: int) -> str:
    """A file with the text of those that it includes in their places. What a name says by a variable of Samba is any file."""
    lines = []
    for line in _CONTINUED.sub(" ", (proc.text_of(path) or "") if os.path.isfile(path) else "").splitlines():
        found = _INCLUDE.fullmatch(line) if deep < _DEEPEST else None
        lines += [_included(one, deep + 1) for one in _of_include(path, *found.groups(""))] if found else [line]
    return "\n".join(lines)


def _of_include(path: str, of_samba: str, kind: str, of_rsync: str) -> list[str]:
    """rsync takes of a directory the files *.conf to include, and *.inc to merge."""
    named = os.path.join(os.path.dirname(path), re.sub(r"%\w", "*", (of_samba or of_rsync).strip('"')))
    return sorted(glob.glob(f"{named}/*.{'inc' if kind.lower() == 'merge' else 'conf'}" if os.path.isdir(named) else named))


def _numbers(users: Iterable[str]) -> Iterator[str]:
    for user in users:
        try:
            yield str(pwd.getpwnam(user).pw_uid)
        except KeyError:
            continue


def _holds(directory: str, path: str, beyond: bool) -> bool:
    """Whether a path is in a directory. beyond: also on another file system below it."""
    try:
        top, real = os.path.realpath(directory), os.path.realpath(path)
        return (real == top or real.startswith(f"{top.rstrip('/')}/")) and (beyond or os.stat(real).st_dev == os.stat(top).st_dev)
    except OSError:
        return False


def _exports(text: str, readers: Collection[str]) -> Iterator[tuple[str, bool]]:
    """The directories of which a client may choose the user that it reads as: with all_squash the server says who that is, with Kerberos the user
    proves it. And whether file systems below come with them."""
    common: set[str] = set()
    for line in _CONTINUED.sub(" ", text).splitlines():
        words = _WORD.findall(line.partition("#")[0])
        if not words:
            continue
        directory = _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), words[0].strip('"'))
        clients = []
        for word in words[1:] or [""]:
            # "-OPTIONS" is for all that follow.
            if word.startswith("-"):
                common = set(word[1:].split(","))
            else:
                clients.append({*common, *word.partition("(")[2].rstrip(")").split(",")})
        open_ = [options for options in clients if not _bound(options, readers)]
        if open_ and directory.startswith("/"):
            yield directory, any({"crossmnt", "nohide"} & options for options in open_)
        common = set()


def _bound(options: Collection[str], readers: Collection[str]) -> bool:
    anonymous = {one.partition("=")[2] for one in options if one.startswith("anonuid=")}
    flavours = [one.partition("=")[2].split(":") for one in options if one.startswith("sec=")]
    proven = bool(flavours) and all(one.startswith("krb5") for several in flavours for one in several)
    return ("all_squash" in options and not anonymous & set(readers)) or (proven and "no_root_squash" not in options)


def _shares(text: str, readers: Collection[str]) -> Iterator[tuple[str, bool]]:
    """The directories of sections that are read as one of the users."""
    sections: dict[str, dict[str, str]] = {}
    name = "global"
    for line in _CONTINUED.sub(" ", text).splitlines():
        section, setting = _SECTION.match(line), _SETTING.fullmatch(line)
        if section:
            name = section.group(1).strip().lower()
        elif setting and not line.lstrip().startswith(("#", ";")):
            sections.setdefault(name, {})[re.sub(r"[ _-]+", " ", setting.group(1).lower())] = setting.group(2)
    common = sections.pop("global", {})
    for own in sections.values():
        said = {**common, **own}
        # force user and admin users are Samba's, uid is rsync's.
        acting = re.split(r"[ \t,]+", " ".join(said.get(key, "") for key in ("force user", "uid")))
        if said.get("path", "").startswith("/") and (said.get("admin users") or set(acting) & set(readers)):
            yield said["path"], True
