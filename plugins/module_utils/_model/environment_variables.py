# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment variables that add flags, code or commands to a VM.

Private to this collection, pure. Their names are read on a host, and which of them a node may have is checked. Those that hand over flags are in
reserved_flags.py, too: there they are searched in the operator's files.
"""

from __future__ import annotations

import re

UNNEEDED = (
    "ERL_FLAGS", "ERL_ZFLAGS", "ERL_EPMD_RELAXED_COMMAND_CHECK", "HEART_COMMAND", "LD_PRELOAD", "LD_AUDIT",
    # A shell reads the file in the first one. libc and OpenSSL load the libraries that the others name.
    "BASH_ENV", "GCONV_PATH", "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES",
    # The directory of the second .erlang, whose code a VM runs, and of the second cookie file (filename:basedir/2).
    "XDG_CONFIG_HOME",
)
"""Variables that no product needs. The start scripts of some products set the others."""

UNNEEDED_BY_KIND = {
    "erlang": ("ERL_LIBS", "ERL_INETRC", "ERL_ROOTDIR", "LD_LIBRARY_PATH"),
    "rabbitmq": ("ERL_ROOTDIR", "LD_LIBRARY_PATH"),
    "ejabberd": ("LD_LIBRARY_PATH",),
}
"""Further variables that a kind of node does not need."""

_ADDING = {"ERL_AFLAGS", *UNNEEDED, *(name for names in UNNEEDED_BY_KIND.values() for name in names)}
_OF_RELEASE = re.compile(r"ERL_OTP[0-9]+_FLAGS")


def is_adding(name: str) -> bool:
    """Whether a variable of this name adds to what a VM runs."""
    return name in _ADDING or bool(_OF_RELEASE.fullmatch(name))


def is_unneeded(name: str, kind: str) -> bool:
    """Whether a node of this kind has no need of a variable of this name."""
    return name in UNNEEDED or name in UNNEEDED_BY_KIND.get(kind, ()) or bool(_OF_RELEASE.fullmatch(name))
