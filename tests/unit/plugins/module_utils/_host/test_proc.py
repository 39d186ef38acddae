# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/proc, once as made-up text where the answer is known, and once for real: this very process."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import proc
from ansible_collections.beam.cluster.plugins.module_utils._net.interfaces import list_addresses

COOKIE = "0123456789abcdefghijklmnopqrstuvwxyz"

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1111 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0B01590A:238C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0 0 10 0
   2: 0B01590A:238C 0C01590A:A3F0 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:1111 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 4714 1
   1: 000000FD000000000000000011000000:238C 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4715 1
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the text was written by a little-endian kernel")
def test_listening_sockets() -> None:
    found = [
        (entry.address, entry.port, entry.family, entry.uid, entry.inode)
        for text, family in ((TCP, 4), (TCP6, 6))
        for entry in proc.listening(text, family)
    ]
    assert found == [
        ("127.0.0.1", 4369, 4, 105, "4711"),
        ("10.89.1.11", 9100, 4, 0, "4712"),
        ("::1", 4369, 6, 105, "4714"),
        ("fd00::11", 9100, 6, 0, "4715"),
    ]


@pytest.mark.parametrize("text", ["", "header\n", "header\n garbage\n"])
def test_no_listening_sockets(text: str) -> None:
    assert list(proc.listening(text, 4)) == []


@pytest.mark.parametrize(
    "cgroup,unit",
    [
        ("0::/system.slice/epmd.service\n", "epmd.service"),
        ("0::/\n", None),
        ("", None),
        ("0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope"),
        ("0::/system.slice/beam.service/child\n", "beam.service"),
        ("12:pids:/x\n1:name=systemd:/docker/abc/system.slice/beam.service\n0::/docker.service/abc\n", "beam.service"),
        ("5:cpu,cpuacct:/system.slice/other.service\n0::/system.slice/beam.service\n", "beam.service"),
    ],
)
def test_units(cgroup: str, unit: str | None) -> None:
    assert proc.unit_of(cgroup) == unit


@pytest.mark.parametrize(
    "argv",
    [
        ["beam.smp", "--", "-setcookie", COOKIE],
        ["beam.smp", "-setcookie", "x@n1", COOKIE, "-noshell"],
        ["beam.smp", "-setcookie", f"-{COOKIE}"],
        ["beam.smp", "--cookie", COOKIE, "-x"],
        ["beam.smp", f"--cookie={COOKIE}"],
        ["beam.smp", "-eval", f"erlang:set_cookie(node(), '{COOKIE}')."],
        ["beam.smp", "-eval", f"ok, erlang:set_cookie ( '{COOKIE}' )."],
        ["beam.smp", "-setcookie", COOKIE, "-setcookie", COOKIE],
    ],
)
def test_no_cookie_is_shown(argv: list[str]) -> None:
    clean = proc.redacted(argv)
    assert COOKIE not in " ".join(clean)
    assert len(clean) == len(argv)
    assert clean[0] == "beam.smp"


def test_other_arguments_stay() -> None:
    argv = ["beam.smp", "-name", "beam@n1", "-kernel", "inet_dist_listen_min", "9100", "-proto_dist", "inet_tls"]
    assert proc.redacted(argv) == argv
    assert proc.redacted(["x", "-setcookie", "c", "-name", "n"]) == ["x", "-setcookie", proc.REDACTED, "-name", "n"]


def test_a_word_that_is_not_the_cookie_is_told_from_one_that_is() -> None:
    """Where the cookie is unknown each word may be one."""
    clean = proc.redacted(["x", "-setcookie", "word", "-setcookie", COOKIE], COOKIE)
    assert clean == ["x", "-setcookie", proc.PLACEHOLDER, "-setcookie", proc.REDACTED]
    assert proc.redacted(["x", "-setcookie", "word"])[-1] == proc.REDACTED
    assert proc.redacted(["x", "-setcookie", "n@h", "word"], COOKIE)[-1] == proc.REDACTED


def test_a_flag_without_a_value_hides_nothing() -> None:
    argv = ["x", "-setcookie", "-kernel", "inetrc", "f", "-setcookie", "-noshell"]
    assert proc.redacted(argv, COOKIE) == argv


def test_the_cookie_is_looked_up_in_the_home_of_the_process(tmp_path: Path) -> None:
    (tmp_path / "root" / "home").mkdir(parents=True)
    (tmp_path / "root" / "home" / ".erlang.cookie").write_text(f"{COOKIE}\n", encoding="utf-8")
    assert proc.cookie_of(b"A=b\0HOME=/home\0", str(tmp_path)) == COOKIE
    assert proc.cookie_of(b"A=b\0XHOME=/home\0", str(tmp_path)) is None
    assert proc.cookie_of(b"HOME=/elsewhere\0", str(tmp_path)) is None


def test_default_routes(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "route").write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth1\t0001590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
        encoding="ascii",
    )
    zero = "0" * 32
    (tmp_path / "net" / "ipv6_route").write_text(
        f"{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth1\n"
        f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200 lo\n"
        f"fd000000000000000000000000000000 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001 eth2\n",
        encoding="ascii",
    )
    assert proc.default_interfaces(str(tmp_path)) == {("eth0", 4), ("eth1", 6)}
    assert proc.default_interfaces(str(tmp_path / "nowhere")) == set()


# For real


def test_this_process_is_found_behind_its_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (entry,) = [entry for entry in proc.listeners() if entry["port"] == port]
    assert entry["address"] == "127.0.0.1" and entry["family"] == 4
    assert entry["pid"] == os.getpid()
    assert entry["user"] == pwd.getpwuid(os.getuid()).pw_name


def test_an_ipv6_socket_is_found() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        (entry,) = [entry for entry in proc.listeners() if entry["port"] == port]
    assert (entry["address"], entry["family"]) == ("::1", 6)


def test_the_kernel_tells_the_addresses() -> None:
    found = list_addresses()
    assert ("lo", "127.0.0.1", 4, 8) in found
    names = {name for _index, name in socket.if_nameindex()}
    assert {interface for interface, *_rest in found} <= names


@pytest.mark.skipif(shutil.which("ip") is None, reason="iproute2 is the other opinion")
def test_ip_tells_the_same_addresses() -> None:
    printed = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True, timeout=10).stdout
    theirs = {
        (words[1], words[3].split("/")[0], 4 if words[2] == "inet" else 6)
        for words in map(str.split, printed.splitlines())
        if words[2] in ("inet", "inet6")
    }
    ours = {(interface, address, family) for interface, address, family, _prefix in list_addresses()}
    assert {entry for entry in ours if entry[0] in ("lo", "eth0")} == {entry for entry in theirs if entry[0] in ("lo", "eth0")}


@pytest.mark.skipif(shutil.which("erl") is None, reason="wants a real virtual machine")
def test_a_real_node_without_its_cookie(tmp_path: Path) -> None:
    process = subprocess.Popen(
        ["erl", "-noinput", "-boot", "start_clean", "-setcookie", COOKIE, "-eval", "timer:sleep(60000)."],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(tmp_path), proc.DIGEST: "d1g3st"},
    )
    try:
        until = time.monotonic() + 30
        while not (found := [one for one in proc.processes() if one["digest"] == "d1g3st"]) and time.monotonic() < until:
            time.sleep(0.1)
        (node,) = found
    finally:
        process.kill()
        process.wait(10)
    assert node["process"] == "beam.smp" and node["pid"] == process.pid
    assert COOKIE not in str(node) and "-setcookie" in node["argv"]
