# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that programs look for in the home of their user, by variable HOME: a hardened release has another home, in which its cookie file is.

Private to this collection. Names of a fixed list; no content is read.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Mapping

NAMES = (
    ".aws", ".azure", ".boto", ".config/gcloud", ".docker/config.json", ".gnupg", ".kube/config", ".my.cnf", ".netrc", ".oci", ".odbc.ini", ".pgpass",
    ".postgresql", ".s3cfg",
)  # fmt: skip
"""Credentials of clients that a service uses. Not .ssh: people and deployments log in with it."""


def of_account(user: str) -> list[str]:
    """The home of a user, if there is such an account."""
    try:
        return [pwd.getpwnam(user).pw_dir] if user else []
    except KeyError:
        return []


def describe(homes: Mapping[str, tuple[str, Iterable[str]]]) -> list[dict[str, str]]:
    """[{unit, path}] of files that are in one of the homes of a unit, and not in the new one. homes: unit -> (the new one, those of today)."""
    found = []
    for unit, (new, old) in sorted(homes.items()):
        for home in sorted({path.rstrip("/") for path in old if path.startswith("/") and path.rstrip("/") not in ("", new.rstrip("/"))}):
            paths = (name for name in NAMES if os.path.lexists(f"{home}/{name}") and not os.path.lexists(f"{new}/{name}"))
            found += [{"unit": unit, "path": f"{home}/{name}"} for name in paths]
    return found
