# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of how a VM and EPMD are confined as they run, and of the secrets that a process shows.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import CRASH_DUMPS, DISTRIBUTED, EEF_CRASH_DUMPS, EEF_SANDBOXING, EPMD, EXEC, PROC, SECURE_CODING, TLS_GUIDE, Control

_CAPABILITIES = ("capabilities(7)", "https://man7.org/linux/man-pages/man7/capabilities.7.html")
_SECCOMP = ("seccomp(2)", "https://man7.org/linux/man-pages/man2/seccomp.2.html")
_RELEASE = ("Mix.Tasks.Release, Environment variables", "https://hexdocs.pm/mix/Mix.Tasks.Release.html#module-environment-variables")

CONTROLS = (
    Control(
        "node-user",
        "A node runs as a user of its own, which is not root",
        "Code that an attacker runs in the node has the rights of its user: as root the whole host, as a shared user every service of that user.",
        "Create a system user for the node and set User= in its unit. Give other services other users.",
        "product",
        (SECURE_CODING, EEF_SANDBOXING),
        "high",
        "processes",
    ),
    Control(
        "epmd-user",
        "EPMD runs as a user of its own: not root, not a node's",
        "EPMD reads packets of everybody that reaches it. If it runs as a node's user, a flaw in it gives access to the node's cookie and key.",
        "Start EPMD by epmd.socket and epmd.service with User=epmd, before the first node starts one.",
        "epmd",
        (EPMD, SECURE_CODING),
        "medium",
        "processes",
    ),
    Control(
        "no-new-privileges",
        "The running node and EPMD cannot gain privileges",
        "With a setuid program, such as su, code in the node gets rights that its user does not have.",
        "Set NoNewPrivileges=yes in a drop-in of the unit and restart it. The finding shows what the process has, not what the unit says.",
        "service",
        (EXEC, PROC),
        "medium",
        "processes",
    ),
    Control(
        "capabilities",
        "The running node and EPMD have no capability but that of ports below 1024",
        "Capabilities are the parts of root's power: one of them is often enough for the rest.",
        "Set CapabilityBoundingSet= and AmbientCapabilities= to nothing, or to CAP_NET_BIND_SERVICE, in a drop-in, and restart the unit.",
        "service",
        (_CAPABILITIES, EXEC),
        "high",
        "processes",
    ),
    Control(
        "system-calls",
        "A filter of system calls is in force for the running node and EPMD",
        "Most flaws of a kernel are reached by system calls that no node makes.",
        "Set SystemCallFilter=@system-service in a drop-in of the unit and restart it.",
        "service",
        (_SECCOMP, EXEC),
        "low",
        "processes",
    ),
    Control(
        "crash-dump-settings",
        "A crash of the node leaves no crash dump, or one in a private directory",
        "A crash dump holds the memory of all processes: the cookie, keys and data. Without a setting it is written to the working directory.",
        "Set ERL_CRASH_DUMP_SECONDS=0, or ERL_CRASH_DUMP to a file in a directory with mode 0700 (beam_service_crash_dump_directory), and restart.",
        "service",
        (CRASH_DUMPS, EEF_CRASH_DUMPS),
        "medium",
        "processes",
    ),
    Control(
        "cookie-arguments",
        "No program on the host shows a node's cookie in its arguments",
        "erl_call, rpc scripts and peers that are given the cookie as an argument show it to every user of the host.",
        "Let the program read .erlang.cookie in the home of its user. Then change the cookie: somebody may have read it.",
        "",
        (DISTRIBUTED, PROC),
        "critical",
        "processes",
    ),
    Control(
        "cookie-environment",
        "No environment variable of a node holds its cookie",
        "Variables go to every program that the node starts, to crash dumps, to error reports and to the output of systemctl show.",
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
        "Give the node a cookie file of its own, and start it with that one. mix release: set RELEASE_COOKIE to a word that is not the cookie.",
        "distribution",
        (_RELEASE,),
        "high",
        "files",
    ),
    Control(
        "key-log",
        "A node writes no TLS secrets, and keeps none for others to read",
        "With SSLKEYLOGFILE or keep_secrets, a recording of the network can be decrypted.",
        "Remove SSLKEYLOGFILE from the environment and keep_secrets from the TLS options, and restart the node.",
        "",
        (TLS_GUIDE,),
        "high",
        "processes",
    ),
)
