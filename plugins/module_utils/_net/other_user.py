# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections as another user of this host: a firewall may tell its users apart."""

from __future__ import annotations

import codecs
import contextlib
import os
import pwd
from collections.abc import Iterator

from .connection_options import OptionError


@contextlib.contextmanager
def acting_as(user: str | None) -> Iterator[None]:
    """Open sockets as `user` inside the block, as ourselves where it is None. Raises `OptionError`. The whole process changes, not one thread."""
    if user is None:
        yield
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise OptionError(f"user: this host has no user {user}. Name an existing user, or create {user} first.") from None
    if os.geteuid() != 0:
        raise OptionError(f"user: only root can connect as {user}. Run the task with become: true.")
    # Names are looked up with a codec that Python loads when it is first used, and the user may not be able to read Python's files.
    codecs.lookup("idna")
    group, groups = os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)
