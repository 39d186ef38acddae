# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the cookie.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import CREATION, DISTRIBUTED, EEF_DISTRIBUTION, ERL, LEAKED, PROC, PROTOCOL, SECURE_CODING, UNIT
from .thresholds import COOKIE_DAYS_MAX

_NEW_COOKIE = (
    "Set beam_cookie to the output of openssl rand -hex 32 and run beam.cluster.rotate_cookie. Or write it to .erlang.cookie on every member, and "
    "restart the nodes."
)
_RELEASE = ("Mix.Tasks.Release, Environment variables", "https://hexdocs.pm/mix/Mix.Tasks.Release.html#module-environment-variables")

CONTROLS = (
    Control(
        "cookie-file",
        "The cookie file belongs to the node's user, has mode 0400, and no other user can replace it",
        "The cookie is the last proof in the handshake. Erlang refuses a cookie file that others can read.",
        "Set owner and mode of .erlang.cookie. Remove write permission on the directories above it from other users.",
        "distribution",
        (DISTRIBUTED,),
        "critical",
        "files",
    ),
    Control(
        "argument-list",
        "No cookie in any argument list",
        "Every user of the host can read the argument lists with ps.",
        "Remove -setcookie from vm.args, ERL_FLAGS and start scripts; the cookie file is enough. If a script requires a cookie argument, give it a "
        "random word, and add -setcookie without a value to the VM's flags: then the VM reads the cookie file.",
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
        "Scanners try these words first. The finding shows that the node accepts one, whatever is in its cookie file.",
        _NEW_COOKIE,
        "distribution",
        (DISTRIBUTED, LEAKED),
        "critical",
        "probes",
        audit_only=True,
    ),
    Control(
        "cookie-published",
        "The cookie is not the default of a product, and is in no published list",
        "Scanners try these words first. With the cookie and access to one node, an attacker runs code on all nodes.",
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
        "A node of another cluster with the same cookie needs only a certificate to become a member. A shared cookie is as safe as the weakest "
        "cluster.",
        "Use a different cookie for each cluster: set beam_cookie for each group, and run beam.cluster.rotate_cookie.",
        "",
        (DISTRIBUTED,),
        "high",
        "files",
    ),
    Control(
        "cookie-copies",
        "The cookie is in no other file that other users can read, and in no unit file",
        "A copy in a drop-in, an environment file, a log or a shell history gives the same access as the cookie file. systemd shows Environment= of "
        "a unit to every user, even if nothing uses it. Of each file the first 64 MiB are searched, deep in directories for 15 seconds. A file that "
        "others can read and that cannot be unpacked here (7z) is not tested.",
        "Remove the line or the file that the finding names, and run systemctl daemon-reload. Then change the cookie: somebody may have read it.",
        "",
        (SECURE_CODING, UNIT),
        "high",
        "files",
    ),
    Control(
        "cookie-arguments",
        "No program on the host shows a node's cookie in its arguments, and none beside the node in its environment",
        "If erl_call, rpc scripts or peers get the cookie as an argument, every user of the host can read it. What a program has in its environment, "
        "every process of its user can read, and every program that it starts.",
        "Let the program read .erlang.cookie in the home of its user. Restart it. Then change the cookie: somebody may have read it.",
        "",
        (DISTRIBUTED, PROC),
        "critical",
        "processes",
    ),
    Control(
        "cookie-environment",
        "No environment variable of a node holds its cookie",
        "Every program that the node starts inherits its variables. Crash dumps, error reports and systemctl show contain them.",
        "Remove the variable (RELEASE_COOKIE, RABBITMQ_ERLANG_COOKIE, ...) from the unit and its files, and let the node read .erlang.cookie.",
        "distribution",
        (_RELEASE, SECURE_CODING),
        "high",
        "processes",
    ),
    Control(
        "cookie-release",
        "The cookie of a node is not the one that its release was built with",
        "releases/COOKIE is in every copy of the release: in the build cache, in the registry, on every host that ever ran it.",
        "Create a cookie file for the node, and start the node with that one. mix release: set RELEASE_COOKIE to a word that is not the cookie.",
        "distribution",
        (_RELEASE,),
        "high",
        "files",
    ),
    Control(
        "cookie-age",
        f"The cookie is not older than {COOKIE_DAYS_MAX} days",
        "Backups, removed hosts and former colleagues may still have the cookie. A new cookie ends that.",
        "Run beam.cluster.rotate_cookie, or write a new random cookie to .erlang.cookie of all members and restart them.",
        "distribution",
        (DISTRIBUTED,),
        "low",
        "files",
        audit_only=True,
    ),
    Control(
        "cookie-products",
        "Nodes of different products have different cookies",
        "With one cookie, a flaw in one product gives access to the nodes of the other: for Erlang the two are one cluster.",
        "Use a different cookie for each cluster: set beam_cookie for each group, and run beam.cluster.rotate_cookie.",
        "distribution",
        (EEF_DISTRIBUTION, DISTRIBUTED),
        "high",
        "files",
        audit_only=True,
    ),
)
