# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VM's command line and environment say about its distribution, by an allow list: nothing else of them is kept.

Private to this collection. A list of what to hide would miss the next secret (-ssl_dist_opt server_password, an application's own parameters).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from .._model.processes import VmFlags
from .._model.secret_rules import SHORTEST_NEEDLE

_COOKIE_FLAGS = ("-setcookie", "--cookie", "-cookie", "--erlang-cookie")
_SET_COOKIE = re.compile(r"set_cookie\s*\(")
KERNEL_PARAMETERS = frozenset(
    """
    connect_all dist_auto_connect erl_epmd_node_listen_port inet_dist_connect_options inet_dist_listen_max inet_dist_listen_min
    inet_dist_listen_options inet_dist_use_interface inetrc net_setuptime net_tickintensity net_ticktime prevent_overlapping_partitions
    start_boot_server start_distribution
    """.split()
)
"""Parameters of the application kernel whose values may leave the host."""
_CODE_FLAGS = ("-epmd_module", "-eval", "-loader", "-run", "-s", "-user")
_OPTION = re.compile(r"(?:client|server)_[a-z_]{1,32}")
_FLAG_VARIABLES = re.compile(r"ERL_(?:A|Z|OTP[0-9]+_)?FLAGS")


def flags_of(arguments: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The flags of init(1) with their values: the words up to the next flag. What follows -extra is the program's own."""
    flag = ""
    values: list[str] = []
    for word in arguments:
        if word == "-extra":
            break
        if word.startswith(("-", "+")):
            yield flag, values
            flag, values = word, []
        else:
            values.append(word)
    yield flag, values


def cookie_of(arguments: Sequence[str], secret: str | None) -> str:
    """What the words hold of a cookie, see VmFlags.cookie. secret: the cookie in the node's cookie file, None where it could not be read.

    As lib/kernel/src/auth.erl takes init's arguments (OTP 25 to 29): -setcookie counts if it is given once, with a value. Given without a value, or
    more than once, it does not, and the VM reads the cookie file. Words that do not count are still read by everybody on the host.
    """
    if secret and len(secret) >= SHORTEST_NEEDLE and any(secret in word for word in arguments) or any(_SET_COOKIE.search(word) for word in arguments):
        return "value"
    given = [values for flag, values in flags_of(arguments) if flag in _COOKIE_FLAGS]
    given += [[word.partition("=")[2]] for word in arguments if word.partition("=")[0] in _COOKIE_FLAGS and "=" in word]
    words = [values for values in given if any(values)]
    if not words:
        return "none"
    if len(given) == 1 or any(len(values) > 1 for values in words):
        return "value"
    return "ignored" if secret else "unknown"


def vm_flags(arguments: Sequence[str], environment: Mapping[str, str], secret: str | None = None) -> VmFlags:
    """arguments: the process's own, program first; what erlexec took from the environment and from argument files is among them.

    secret: see cookie_of(). It is compared with, and goes nowhere.
    """
    single: dict[str, str] = {}
    kernel: dict[str, str] = {}
    configs: list[str] = []
    proto_dists: list[str] = []
    options: list[str] = []
    present: set[str] = set()
    for flag, values in flags_of(arguments[1:]):
        present.add(flag)
        if flag == "-kernel":
            kernel.update((key, value) for key, value in zip(values[::2], values[1::2]) if key in KERNEL_PARAMETERS)
        elif flag == "-config":
            configs += values
        elif flag == "-proto_dist":
            # Each one opens its own listener.
            proto_dists += values
        elif flag == "-ssl_dist_opt":
            options += (word for word in values[::2] if _OPTION.fullmatch(word))
        elif values and flag in ("-name", "-sname", "-ssl_dist_optfile", "-erl_epmd_port"):
            single[flag] = values[0]
    return VmFlags(
        name=single.get("-name", single.get("-sname")),
        long_names="-name" in present,
        hidden="-hidden" in present,
        proto_dist=proto_dists[-1] if proto_dists else "inet_tcp",
        proto_dist_given=len(proto_dists),
        ssl_options_file=single.get("-ssl_dist_optfile"),
        ssl_options=tuple(options),
        args_files=tuple(_args_files([*arguments, *(word for text in _flag_variables(environment) for word in text.split())])),
        config_files=tuple(configs),
        kernel=kernel,
        fixed_port=single.get("-erl_epmd_port"),
        listens=not any(flag == "-dist_listen" and values[:1] == ["false"] for flag, values in flags_of(arguments)),
        cookie=cookie_of(arguments, secret),
        arguments_read=bool(arguments),
    )


def code_flags(arguments: Sequence[str]) -> list[tuple[str, ...]]:
    """The flags that run code at the start, each with its values."""
    return [(flag, *values) for flag, values in flags_of(arguments) if flag in _CODE_FLAGS]


def code_flag_names(flags: Sequence[tuple[str, ...]]) -> list[str]:
    """Code flags as facts: "-s rabbit", "-run mod"; of -eval only the flag, its text stays on the host."""
    return sorted({flag if flag == "-eval" else " ".join((flag, *values[:1])) for flag, *values in flags})


def _flag_variables(environment: Mapping[str, str]) -> Iterator[str]:
    yield from (value for name, value in environment.items() if _FLAG_VARIABLES.fullmatch(name))


def _args_files(words: Sequence[str]) -> Iterator[str]:
    yield from (after.strip("\"'") for word, after in zip(words, words[1:]) if word == "-args_file")


def value_of(arguments: Sequence[str], flag: str) -> str | None:
    """The value of a flag that is given once by erlexec, such as -root and -home; None without it."""
    return next((values[0] for name, values in flags_of(arguments) if name == flag and values), None)
