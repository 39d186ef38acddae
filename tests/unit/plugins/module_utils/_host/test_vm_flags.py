# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a command line to the few flags that leave the host."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host.vm_flags import cookie_of, vm_flags

COOKIE = "0123456789abcdefghijklmnopqrstuvwxyz"
WORD = "a-word-that-is-not-the-cookie"


@pytest.mark.parametrize(
    ("words", "cookie", "unread"),
    [
        (["-setcookie", COOKIE], "value", "value"),
        (["-setcookie", "x@n1", COOKIE, "-noshell"], "value", "value"),
        (["-setcookie", f"-{COOKIE}"], "value", "none"),
        (["--cookie", COOKIE, "-x"], "value", "value"),
        ([f"--cookie={COOKIE}"], "value", "value"),
        (["-eval", f"erlang:set_cookie(node(), '{COOKIE}')."], "value", "value"),
        (["-eval", "ok, erlang:set_cookie ( 'x' )."], "value", "value"),
        (["-setcookie", COOKIE, "-setcookie", COOKIE], "value", "unknown"),
        (["-extra", "--cookie", COOKIE], "value", "none"),
        (["-setcookie", WORD, "-setcookie", COOKIE], "value", "unknown"),
        (["-setcookie", WORD], "value", "value"),
        (["-setcookie", "n@h", WORD], "value", "value"),
        (["-setcookie", "n@h", WORD, "-setcookie"], "value", "value"),
        (["-setcookie", WORD, "-setcookie", WORD, "-noshell"], "ignored", "unknown"),
        (["-setcookie", "-kernel", "inetrc", "f", "-setcookie", WORD], "ignored", "unknown"),
        (["-setcookie", "-kernel", "inetrc", "f"], "none", "none"),
        (["-noshell"], "none", "none"),
    ],
)
def test_what_is_said_of_a_cookie(words: list[str], cookie: str, unread: str) -> None:
    flags = vm_flags(["beam.smp", "--", *words], {}, COOKIE)
    assert flags.cookie == cookie
    assert COOKIE not in repr(flags) and COOKIE not in str(asdict(flags))
    # Where the cookie file cannot be read, a word that does not count may be the cookie all the same.
    assert vm_flags(["beam.smp", "--", *words], {}).cookie == unread


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-sname", "a"], {"name": "a", "long_names": False}),
        (["-name", "a@10.0.0.1", "-hidden"], {"name": "a@10.0.0.1", "long_names": True, "hidden": True}),
        (["-name"], {"name": None}),
        (["-extra", "-name", "a@b"], {"name": None}),
        (["-proto_dist", "inet_tls", "-proto_dist", "inet_tcp"], {"proto_dist": "inet_tcp", "proto_dist_given": 2}),
        ([], {"proto_dist": "inet_tcp", "proto_dist_given": 0, "arguments_read": True}),
        (["-erl_epmd_port", "9100"], {"fixed_port": "9100"}),
        (["-dist_listen", "false"], {"listens": False}),
        (["-dist_listen", "true"], {"listens": True}),
        (["-kernel", "inetrc", "'/x'", "-kernel", "net_ticktime", "7"], {"kernel": {"inetrc": "'/x'", "net_ticktime": "7"}}),
        (["-kernel", "secret", "x"], {"kernel": {}}),
        (["-kernel", "net_ticktime"], {"kernel": {}}),
        (["-config", "a", "b", "-config", "c"], {"config_files": ("a", "b", "c")}),
        (["-args_file", "/etc/x/vm.args"], {"args_files": ("/etc/x/vm.args",)}),
    ],
)
def test_flags(words: list[str], expected: dict[str, object]) -> None:
    flags = asdict(vm_flags(["beam.smp", "--", *words], {}))
    assert {name: flags[name] for name in expected} == expected


def test_argument_files_of_the_environment() -> None:
    environment = {"ERL_AFLAGS": "-args_file /etc/beam/a/vm.args", "ERL_OTP27_FLAGS": "+K true -args_file '/x'", "ERL_CRASH_DUMP": "-args_file /no"}
    assert vm_flags(["beam.smp"], environment).args_files == ("/etc/beam/a/vm.args", "/x")


def test_arguments_that_could_not_be_read() -> None:
    assert not vm_flags([], {}).arguments_read


def test_a_short_cookie_that_is_a_part_of_other_words() -> None:
    """The cookie beam: paths and names have that word, too."""
    arguments = ["beam.smp", "-name", "beam@n1", "-args_file", "/etc/beam/beam@n1/vm.args"]
    assert cookie_of(arguments, "beam") == "none"
    assert cookie_of([*arguments, "-setcookie", "beam"], "beam") == "value"
