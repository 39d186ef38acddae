# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the role distribution may set, and why: flags of the VM, kernel parameters, and variables that hand over flags.

Private to this collection. Searched in the operator's files on the host, and in beam_distribution_extra_args.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FLAGS: Mapping[str, str] = {
    "-proto_dist": "given twice, OTP before 27.1 falls back to plain TCP while the process list still shows TLS",
    "-ssl_dist_optfile": "given twice, the node does not start",
    "-ssl_dist_opt": "it changes what the option file says, and its values show in the process list",
    "-setcookie": "the process list shows it to every user; the cookie comes from the cookie file, one for all peers",
    "-nocookie": "it makes the cookie a known word",
    "-name": "the plan sets the node name; given twice, distribution does not start",
    "-sname": "the plan sets the node name; given twice, distribution does not start",
    "-start_epmd": "the role epmd manages EPMD",
    "-no_epmd": "without it the node cannot be found",
    "-epmd": "the role epmd manages EPMD",
    "-epmd_module": "the plan sets another discovery",
    "-erl_epmd_port": "the plan sets another port",
    "-erl_epmd_node_listen_port": "the plan sets another port",
    "-dist_listen": "the node would not listen",
    "-hidden": "peers would not list the node in nodes(); set beam_hidden",
    "-args_file": "the content of that file cannot be checked",
    "inet_dist_use_interface": "the plan sets another address",
    "inet_dist_connect_options": "the plan sets another address",
    "inet_dist_listen_options": "it overrides the address and the backlog",
    "inet_dist_listen_min": "the plan sets another port range",
    "inet_dist_listen_max": "the plan sets another port range",
    "inetrc": "the members' names would no longer be pinned",
    "erl_epmd_node_listen_port": "the plan sets another port",
    "start_distribution": "the node would not be a member",
    "net_ticktime": "it must be equal on all members; set beam_net_ticktime",
    "net_tickintensity": "it must be equal on all members; set beam_net_tickintensity",
    "prevent_overlapping_partitions": "it must be equal on all members; set beam_prevent_overlapping_partitions",
    "connect_all": "it must be equal on all members; set beam_connect_all",
    "dist_auto_connect": "it must be equal on all members; set beam_dist_auto_connect",
}

RUNS_CODE = frozenset(("-eval", "-run", "-s", "-extra", "--"))
"""Flags that run code, or end the flags. They do not belong in the flags of the distribution."""

VARIABLE = re.compile(r"ERL_AFLAGS|ERL_FLAGS|ERL_ZFLAGS|ERL_INETRC|ERL_OTP[0-9]+_FLAGS")
"""Environment variables that hand over flags to every VM, or replace a file that our flags name."""


@dataclass(frozen=True)
class Refused:
    """Why an operator must not set something, and what to do instead. allowed: values that change nothing; empty where none may leave the host."""

    reason: str
    fix: str = "remove it there"
    allowed: tuple[str, ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Refused:
        """From the data of a product. Raises KeyError or AttributeError where it is none."""
        return cls(str(raw["reason"]), str(raw.get("fix") or cls.fix), tuple(raw.get("allowed") or ()))


VARIABLES: Mapping[str, Refused] = {
    "ERL_EPMD_PORT": Refused("the node would look for EPMD at another port than its peers and the firewall", allowed=("4369",)),
    "ERL_EPMD_RELAXED_COMMAND_CHECK": Refused("an EPMD that the node starts would let every local user remove names"),
    "XDG_CONFIG_HOME": Refused("the VM would run the file erlang/.erlang of that directory"),
}
"""Environment variables of every product that are refused beside those of VARIABLE. The role service takes them out of a node's environment."""

_NO_DUMP = "the role service switches crash dumps off, because they hold the cookie, keys and data"
_DUMP = "remove it there, and set beam_service_crash_dump_directory where you want crash dumps"
CRASH_DUMPS: Mapping[str, Refused] = {
    "ERL_CRASH_DUMP": Refused(_NO_DUMP, _DUMP, ("/dev/null",)),
    "ERL_CRASH_DUMP_SECONDS": Refused(_NO_DUMP, _DUMP, ("0",)),
}
"""The same of variables that the role service sets."""

OF_SCRIPT = (
    "HOME", "ERL_AFLAGS", "ERL_FLAGS", "ERL_ZFLAGS", "ERL_INETRC", "RELEASE_DISTRIBUTION", "RELEASE_NODE", "RELEASE_COOKIE", "RELEASE_VM_ARGS",
    "RELEASE_REMOTE_VM_ARGS",
)  # fmt: skip
"""Variables that env.sh of a release, which its script reads after the environment, must not change. The release's tool on the host looks for the
same ones (release.sh.j2)."""

_SEPARATORS = re.compile(r"[\s\"'={};]+")


def reserved_words(text: str) -> list[str]:
    """The flags of FLAGS in a text of flags, each once, in their order; whatever quotes and braces stand around them."""
    return list(dict.fromkeys(word for word in _SEPARATORS.split(text) if word in FLAGS))


def refused_in_extra_args(text: str) -> dict[str, str]:
    """The words of beam_distribution_extra_args that are refused, with the reason."""
    words = [word for word in _SEPARATORS.split(text) if word in FLAGS or word in RUNS_CODE]
    return {word: FLAGS.get(word, "flags that run code do not belong in the flags of the distribution") for word in words}
