# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the cookie: its file, its strength, where it shows.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import DISTRIBUTED, ERL, PROTOCOL, Control

CONTROLS = (
    Control(
        "cookie-file",
        "The cookie file belongs to the node's user, has mode 0400, and no other user can replace it",
        "The cookie is the last proof in the handshake. Erlang refuses a cookie file that others can read.",
        "Set owner and mode of .erlang.cookie. Take write permission on the directories above it from other users.",
        "distribution",
        (DISTRIBUTED,),
        "critical",
        "files",
    ),
    Control(
        "argument-list",
        "No cookie in any argument list",
        "Every user of the host can read it with ps.",
        "Remove -setcookie from vm.args, ERL_FLAGS and start scripts; the cookie file is enough. Give a script that insists on one a random "
        "word, and the VM -setcookie without a value beside it: then it reads the cookie file.",
        "",
        (ERL, ("proc(5)", "https://man7.org/linux/man-pages/man5/proc.5.html")),
        "critical",
        "processes",
    ),
    Control(
        "wrong-cookie",
        "A member with a wrong cookie is refused",
        "The cookie is the second proof. It protects the cluster when a key is stolen or the CA signs a wrong certificate.",
        "Write a random cookie to .erlang.cookie, and start the node without -nocookie and -setcookie. The attack shows the cookie of -nocookie.",
        "distribution",
        (PROTOCOL,),
        "critical",
        "attacks",
    ),
)
