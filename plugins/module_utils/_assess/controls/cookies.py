# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the cookie: its file, its strength, where it shows.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import CRASH_DUMPS, CREATION, DISTRIBUTED, ERL, LEAKED, LOGIN, PROTOCOL, SECURE_CODING, UNIT, Control

_NEW_COOKIE = (
    "Set beam_cookie to the output of openssl rand -hex 32 and run beam.cluster.rotate_cookie. Or write it to .erlang.cookie on every member, and "
    "restart the nodes."
)

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
    Control(
        "known-cookie",
        "A node refuses the default cookies of products",
        "Scanners try these words first. The finding shows that they get in, whatever the cookie file of the node holds.",
        _NEW_COOKIE,
        "distribution",
        (DISTRIBUTED, LEAKED),
        "critical",
        "probes",
        audit_only=True,
    ),
    Control(
        "cookie-published",
        "The cookie is no default of a product, and in no published list",
        "Scanners try these words first. With the cookie of a node that it reaches, an attacker runs code on all nodes.",
        _NEW_COOKIE,
        "distribution",
        (DISTRIBUTED, LEAKED),
        "critical",
        "files",
    ),
    Control(
        "cookie-generated",
        "The cookie was not made by Erlang/OTP itself",
        "A node without a cookie file writes 20 letters from a generator of 36 bits, seeded with the time. A recorded handshake is enough to find "
        "such a cookie on one computer.",
        _NEW_COOKIE,
        "distribution",
        (CREATION, DISTRIBUTED),
        "critical",
        "files",
    ),
    Control(
        "cookie-strength",
        "The cookie has 128 bits or more, by its length and alphabet",
        "The handshake is a hash of cookie and challenge without a delay: a recorded one lets an attacker try billions of cookies a second.",
        _NEW_COOKIE,
        "distribution",
        (DISTRIBUTED, PROTOCOL),
        "high",
        "files",
    ),
    Control(
        "cookie-same",
        "All members have the same cookie",
        "Members with different cookies cannot create links. Existing links hide it until a node restarts.",
        "Write the cookie of the other members to .erlang.cookie on the node that the finding names, and restart it.",
        "distribution",
        (DISTRIBUTED,),
        "high",
        "files",
    ),
    Control(
        "cookie-shared",
        "No other node on a member's host, and no other cluster of the inventory, has the cluster's cookie",
        "A node of another cluster that has the cookie is one proof nearer to being a member: clusters are as strong as the weakest that shares it.",
        "Give each cluster a cookie of its own: set beam_cookie for each of the groups, and run beam.cluster.rotate_cookie.",
        "",
        (DISTRIBUTED,),
        "high",
        "files",
    ),
    Control(
        "cookie-copies",
        "The cookie is in no other file that other users can read, and in no unit file",
        "A copy in a drop-in, an environment file, a log or a history is as good as the cookie. systemd shows Environment= of a unit to every user, "
        "also if nothing uses it.",
        "Remove the line or the file that the finding names, and run systemctl daemon-reload. Then change the cookie: somebody may have read it.",
        "",
        (SECURE_CODING, UNIT),
        "high",
        "files",
    ),
    Control(
        "crash-dumps",
        "No other user can read a crash dump or a core dump of a node",
        "A dump holds the memory of the processes: the cookie, keys and data.",
        "Remove the dump, or give it mode 0600. Set ERL_CRASH_DUMP_SECONDS=0, or ERL_CRASH_DUMP to a directory with mode 0700, and LimitCORE=0.",
        "service",
        (CRASH_DUMPS,),
        "medium",
        "files",
    ),
    Control(
        "node-data",
        "No other user can read the files in the home of a node",
        "Databases, queues and logs of a node hold what the cluster protects. Other users of the host read them without touching the node.",
        "Give the node's home mode 0700, or take the rights of others from the files that the finding names with chmod -R o-rwx.",
        "product",
        (SECURE_CODING,),
        "medium",
        "files",
    ),
    Control(
        "node-login",
        "The user of a node cannot log in, and starts no program outside of its unit",
        "A login as the user of a node gives access to its cookie and its key. A password can be guessed, an SSH key can be stolen. Code in a node "
        "leaves the sandbox of the unit by cron, at, a lingering user manager or sudo.",
        "Lock the password with passwd -l, and remove .ssh/authorized_keys from the user's home. Remove its other rights: crontab -r -u USER, "
        "loginctl disable-linger USER, atrm, and its rules in /etc/sudoers.d. Run jobs from a timer of the system with a sandbox of its own.",
        "",
        (SECURE_CODING, LOGIN),
        "low",
        "files",
    ),
)
