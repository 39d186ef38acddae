# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small values: addresses, port_ranges, node names, secrets, problems."""

from __future__ import annotations

import ipaddress
import math
import os
import secrets
import shutil
import string
import subprocess
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model import addresses, published_cookies, secret_rules
from ansible_collections.beam.cluster.plugins.module_utils._model.certificate_names import certificate_names
from ansible_collections.beam.cluster.plugins.module_utils._model.names import NodeName
from ansible_collections.beam.cluster.plugins.module_utils._model.ports import PortRange, PortRangeError
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems, join_names, text


@pytest.mark.parametrize(
    "address,written",
    [
        ("10.0.0.1", "{10,0,0,1}"),
        ("::1", "{0,0,0,0,0,0,0,1}"),
        ("fd00::11", "{64768,0,0,0,0,0,0,17}"),
        ("2001:db8::ffff", "{8193,3512,0,0,0,0,0,65535}"),
    ],
)
def test_inet_tuple(address: str, written: str) -> None:
    assert addresses.inet_tuple(addresses.parse(address)) == written


@pytest.mark.parametrize("value", ["", "n1", "10.0.0", "10.0.0.1/24", "10.0.0.01", "fe80::1%eth0", None, 1, ["10.0.0.1"]])
def test_no_address(value: object) -> None:
    assert not addresses.is_address(value)


@pytest.mark.parametrize(
    "value",
    ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "169.254.1.1", "fe80::1", "255.255.255.255", "::ffff:10.0.0.1"],
)
def test_unusable_addresses(value: str) -> None:
    assert addresses.unusable(ipaddress.ip_address(value))


@pytest.mark.parametrize("value", ["10.0.0.1", "192.0.2.1", "203.0.113.9", "fd00::1", "2001:db8::1"])
def test_usable_addresses(value: str) -> None:
    assert addresses.unusable(ipaddress.ip_address(value)) is None


@pytest.mark.parametrize(
    "value,port_range",
    [(9100, (9100, 9100)), ("9100", (9100, 9100)), (" 9100 - 9109 ", (9100, 9109)), ("1024-4368", (1024, 4368)), ("4370-65535", (4370, 65535))],
)
def test_port_ranges(value: object, port_range: tuple[int, int]) -> None:
    assert PortRange.parse(value) == PortRange(*port_range)


@pytest.mark.parametrize(
    "value,rule",
    [
        ("", "ports_format"),
        ("9100,9101", "ports_format"),
        ("-9100", "ports_format"),
        ("91o0", "ports_format"),
        ("123456", "ports_format"),
        (None, "ports_format"),
        (9100.5, "ports_format"),
        ([9100, 9109], "ports_format"),
        ("9101-9100", "port_range_reversed"),
        (1023, "port_range_bounds"),
        ("65535-65536", "port_range_bounds"),
        (4369, "port_range_overlaps_epmd"),
        ("4369-4400", "port_range_overlaps_epmd"),
        ("4300-4369", "port_range_overlaps_epmd"),
    ],
)
def test_no_port_ranges(value: object, rule: str) -> None:
    with pytest.raises(PortRangeError) as error:
        PortRange.parse(value)
    assert error.value.rule == rule


def test_sharing_a_port_range() -> None:
    assert PortRange(9100, 9109).shared(1) == [PortRange(9100, 9109)]
    assert PortRange(9100, 9109).shared(3) == [PortRange(9100, 9102), PortRange(9103, 9105), PortRange(9106, 9108)]
    assert PortRange(9100, 9101).shared(2) == [PortRange(9100, 9100), PortRange(9101, 9101)]
    with pytest.raises(PortRangeError):
        PortRange(9100, 9101).shared(3)


@pytest.mark.parametrize(
    "left,right,overlap", [((1, 2), (3, 4), False), ((1, 3), (3, 4), True), ((1, 9), (3, 4), True), ((3, 4), (1, 9), True), ((5, 6), (1, 4), False)]
)
def test_overlap(left: tuple[int, int], right: tuple[int, int], overlap: bool) -> None:
    assert PortRange(*left).overlaps(PortRange(*right)) is overlap
    assert PortRange(*right).overlaps(PortRange(*left)) is overlap


@pytest.mark.parametrize(
    "name,kind",
    [
        ("beam@n1", "short"),
        ("my-beam_1@node_1", "short"),
        ("beam@n1.example.com", "long"),
        ("beam@10.0.0.1", "ip"),
        ("beam@fd00::1", "ip"),
        ("beam@localhost", "short"),
    ],
)
def test_names(name: str, kind: str) -> None:
    parsed = NodeName.parse(name)
    assert (str(parsed), parsed.kind) == (name, kind)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "beam",
        "@n1",
        "beam@",
        "a@b@c",
        "be am@n1",
        "b.m@n1",
        "beam@n1 ",
        "beam@n1\n",
        "beam@../n1",
        "beam@n1/x",
        "beam@-n1",
        "beam@.n1",
        "beam@n1.",
        "beam@n1..x",
        "b\u00e4m@n1",
        "beam@'n1'",
        "b" * 252 + "@n1x",
        None,
        7,
    ],
)
def test_no_names(name: object) -> None:
    with pytest.raises(ValueError):
        NodeName.parse(name)


def test_the_longest_name() -> None:
    assert len(str(NodeName.parse("b" * 250 + "@node"))) == 255


@pytest.mark.parametrize("value", sorted(published_cookies.KNOWN))
def test_known_defaults(value: str) -> None:
    for typed in (value, value.upper(), f"{value}123", f"{value}-{value}-{value}-{value}-{value}-{value}"):
        assert [rule for rule, _message in secret_rules.cookie_errors(typed)] == ["cookie_known"], typed
        assert [rule for rule, _message in secret_rules.passphrase_errors(typed)] == ["passphrase_known"], typed


@pytest.mark.parametrize(
    "value",
    [
        "6ce3a8e5f8f14c1a9d0b7e2f4a5c8d91",
        "q7Zk2mXv9RbT4wLc8NsY1hGd6JfP3eUa",
        "aB3_+/=.-cD4-.=/+_eF5_+/=.-gH6-.=/+",
        "x9" * 4 + "testrabbitmonsterqqqqzzzzppppp",
    ],
)
def test_good_cookies(value: str) -> None:
    assert secret_rules.cookie_errors(value) == []


@pytest.mark.parametrize(
    "value",
    [
        "0123456789abcdef0123456789abcdef",
        "A" * 8 + "bcdefghijklmnopqrstuvwxyz",
        "aB3_+/=.-aB3_+/=.-aB3_+/=.-aB3_+/=",
        "0123456789abcdefghijklmnopqrstuvwxyz",
        "31415926535897932384626433832795",
        "x" * 200,
        "ab" * 40,
    ],
)
def test_cookies_with_less_than_128_bits(value: str) -> None:
    assert [rule for rule, _message in secret_rules.cookie_errors(value)] == ["cookie_weak"]


def test_random_cookies_of_every_alphabet_are_good() -> None:
    """As tools make them: openssl rand -hex 16, -base64 24, pwgen."""
    alphabets = [string.digits, string.hexdigits.lower()[:16], string.ascii_lowercase, string.ascii_letters + string.digits]
    for alphabet in alphabets:
        length = max(secret_rules.SHORTEST, math.ceil(secret_rules.ENTROPY_MIN / math.log2(len(alphabet))))
        for _attempt in range(1000):
            value = "".join(secrets.choice(alphabet) for _each in range(length))
            assert secret_rules.weaknesses(value) == ()


def test_every_mistake_of_a_cookie_at_once() -> None:
    assert {rule for rule, _message in secret_rules.cookie_errors("a b")} == {"cookie_short", "cookie_characters"}


@pytest.mark.parametrize(
    "value,rules",
    [
        ("correct horse battery", []),
        ("short", ["passphrase_short"]),
        ("two\nlines of it", ["passphrase_characters"]),
        ("from a file of Windows\r", ["passphrase_characters"]),
        ("a" * 1023, []),
        ("a" * 1024, ["passphrase_long"]),
        ("\u00e41 " * 300, ["passphrase_long"]),
        (123456789012, ["passphrase_type"]),
    ],
)
def test_passphrases(value: object, rules: list[str]) -> None:
    assert [rule for rule, _message in secret_rules.passphrase_errors(value)] == rules


def test_one_mistake_of_many_hosts_is_one_error() -> None:
    problems = Problems()
    for number in range(7):
        problems.add(f"n{number}", "beam_adress", "near_miss", "there is no variable beam_adress.", "call it beam_address.")
    problems.add("", "beam_mode", "choice", "'of' is not supported.", "choose one of: cluster.")
    errors = problems.grouped()
    assert [error["hosts"] for error in errors] == [[f"n{number}" for number in range(7)], []]
    assert text(errors) == (
        "The cluster cannot be planned: 2 errors, nothing was touched.\n"
        "1. n0, n1, n2, n3, n4 and 2 more, beam_adress (near_miss): there is no variable beam_adress. Fix: call it beam_address.\n"
        "2. beam_mode (choice): 'of' is not supported. Fix: choose one of: cluster."
    )


def test_naming_hosts() -> None:
    assert join_names([]) == ""
    assert join_names(["a", "b"]) == "a, b"


# What `erlang:get_cookie/0` says of a node whose cookie file holds this; None where the VM does not start. OTP 27.3 and 25.2 say the same.
COOKIE_FILES = [
    (b"abc", b"abc"), (b"abc\n", b"abc"), (b"abc\r\n", b"abc"), (b"abc\n \n", b"abc"), (b"abc\r \n ", b"abc"),
    (b"abc \n", b"abc "), (b"abc \r\n", b"abc "), (b" abc", b" abc"), (b"a b\n", b"a b"),
    (b"abc\nx", None), (b"abc\n\r x", None), (b"a\tb", None), (b"", None), (b"\n", None), (b"caf\xe9\n", None), (b"x" * 256, None),
]


@pytest.mark.parametrize(("data", "found"), COOKIE_FILES)
def test_a_cookie_file_is_read_as_erlang_reads_it(data: bytes, found: bytes | None) -> None:
    assert secret_rules.in_file(data) == found


@pytest.mark.skipif(shutil.which("erl") is None, reason="the real program is the other opinion")
@pytest.mark.parametrize(("data", "found"), COOKIE_FILES)
def test_the_real_erl_reads_the_same(data: bytes, found: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / ".erlang.cookie"
    file.write_bytes(data)
    file.chmod(0o400)
    done = subprocess.run(
        ["erl", "-noinput", "-sname", "cookie_test", "-start_epmd", "false", "-dist_listen", "false",
         "-eval", 'io:format("~ts", [erlang:get_cookie()]), halt().'],
        capture_output=True, timeout=60, check=False, cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ERL_CRASH_DUMP_SECONDS": "0"},
    )
    assert (done.stdout if done.returncode == 0 else None) == found


@pytest.mark.parametrize(
    ("host_part", "names"),
    [
        ("n1", ["DNS:n1"]),
        ("n1.example.org", ["DNS:n1.example.org"]),
        ("192.0.2.7", ["DNS:192.0.2.7", "IP:192.0.2.7"]),
        ("FD00:0::7", ["DNS:FD00:0::7", "IP:fd00::7"]),
    ],
)
def test_a_certificate_has_an_address_in_both_forms(host_part: str, names: list[str]) -> None:
    assert certificate_names(host_part) == names
