# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cookie files of other users that hold the cookie of a node: agents and tools of theirs connect to it, until it gets another cookie.

Private to this collection. Cookies are compared here, and stay on the host. Only homes are looked at; the audit searches the whole host
(secrets_at_rest.py).
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping

from .._model.installed import COOKIE_FILES
from . import proc
from .secrets_at_rest import read_cookies

PASSWD = "/etc/passwd"
HOMES = ("/root", "/home/*", "/home/*/*", "/var/lib/*", "/opt/*", "/srv/*")
"""Where homes are, beside those of passwd(5). Users of a directory (LDAP) are not in that file, and may have theirs below the name of a domain."""


def describe(homes: Mapping[str, Iterable[str]]) -> list[dict[str, str]]:
    """[{unit, path, owner}]. homes: of the nodes by their unit, those of today and those to be.

    A file that cannot be read, or is a link, is left out, and so is a node's own by another path.
    """
    others = {place for pattern in HOMES for place in glob.glob(pattern)}
    others.update(fields[5] for fields in (line.split(":") for line in (proc.text_of(PASSWD) or "").splitlines()) if len(fields) > 6)
    copies = read_cookies(_files(others - {"", "/"}))
    found = []
    for unit, own in sorted(homes.items()):
        places = set(_files(own))
        values = {one.value for one in read_cookies(places) if one.value}
        real = set(map(os.path.realpath, places))
        found += [
            {"unit": unit, "path": one.path, "owner": one.owner} for one in copies
            if one.value in values and os.path.realpath(one.path) not in real
        ]  # fmt: skip
    return found


def _files(homes: Iterable[str]) -> list[str]:
    return [f"{home.rstrip('/')}/{name}" for home in homes for name in COOKIE_FILES]
