# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of the host that nodes are to run as: whether they exist, and whether they are somebody else's.

Private to this collection.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from dataclasses import asdict

from .._model.host_facts import Account
from . import sudo_rules
from .writers import group_name

_NO_LOGIN = ("nologin", "false")


def describe(names: Iterable[str]) -> list[dict[str, object]]:
    """Those of the names that exist, for JSON."""
    found = []
    for name in sorted(set(names)):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        login = os.path.basename(entry.pw_shell or "/bin/sh") not in _NO_LOGIN
        found.append(asdict(Account(name, entry.pw_uid, group_name(entry.pw_gid), entry.pw_dir, login, tuple(sudo_rules.naming(entry)))))
    return found
