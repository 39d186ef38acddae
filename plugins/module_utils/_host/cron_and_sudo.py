# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a user starts programs without a login, outside of the sandbox of a unit: cron, at, a lingering user manager, sudo.

Private to this collection. A node's user owns its home: what such a way reads there, code in the node writes.
"""

from __future__ import annotations

import glob
import grp
import os
import pwd
import re

CRON = ("/var/spool/cron/crontabs/{}", "/var/spool/cron/tabs/{}", "/var/spool/cron/{}")
LINGER = "/var/lib/systemd/linger/{}"
AT = ("/var/spool/cron/atjobs/*", "/var/spool/at/*")
SUDOERS = ("/etc/sudoers", "/etc/sudoers.d/*")
_LARGEST = 1 << 20
_RULE = re.compile(r"^\s*(?!Defaults|(?:User|Runas|Host|Cmnd)_Alias)((?:[^\s,=]+\s*,\s*)*[^\s,=]+)\s+[^=\n]+=", re.MULTILINE)


def rights(user: pwd.struct_passwd) -> list[str] | None:
    """The files that let a user start programs in such a way. None where they could not be looked at."""
    name = user.pw_name
    found = [path for path in (pattern.format(name) for pattern in CRON) if os.path.isfile(path) and os.path.getsize(path)]
    found += [path for path in (LINGER.format(name),) if os.path.exists(path)]
    groups = {entry.gr_name for entry in grp.getgrall() if name in entry.gr_mem or entry.gr_gid == user.pw_gid}
    who = {name, f"#{user.pw_uid}", "ALL", *(f"%{group}" for group in groups)}
    try:
        found += [path for pattern in AT for path in sorted(glob.glob(pattern)) if os.path.isfile(path) and os.stat(path).st_uid == user.pw_uid]
        for path in (path for pattern in SUDOERS for path in sorted(glob.glob(pattern))):
            if os.path.isfile(path) and who & _sudoers(path):
                found.append(path)
    except OSError:
        return None
    return found


def _sudoers(path: str) -> set[str]:
    """The users and groups that a file of sudoers(5) gives something to."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        text = stream.read(_LARGEST).replace("\\\n", " ")
    lines = "\n".join(re.sub(r"(?<!\S)#(?!\d).*", "", line) for line in text.splitlines())
    return {name.strip() for users in _RULE.findall(lines) for name in users.split(",")}
