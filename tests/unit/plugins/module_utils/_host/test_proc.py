# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/proc, once as made-up text where the answer is known, and once for real: this very process."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import observation, proc
from ansible_collections.beam.cluster.plugins.module_utils._host.interfaces import list_addresses
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation

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
    sockets = [entry for text, family in ((TCP, 4), (TCP6, 6)) for entry in proc.table(text, family, "0A")]
    found = [(*entry.local, entry.family, entry.uid, entry.inode) for entry in sockets]
    assert found == [
        ("127.0.0.1", 4369, 4, 105, "4711"),
        ("10.89.1.11", 9100, 4, 0, "4712"),
        ("::1", 4369, 6, 105, "4714"),
        ("fd00::11", 9100, 6, 0, "4715"),
    ]
    assert [(one.local, one.remote, one.inode) for one in proc.table(TCP, 4, "01")] == [(("10.89.1.11", 9100), ("10.89.1.12", 41968), "4713")]


@pytest.mark.parametrize("text", ["", "header\n", "header\n garbage\n"])
def test_no_listening_sockets(text: str) -> None:
    assert list(proc.table(text, 4, "0A")) == []


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
        (entry,) = [entry for entry in proc.listeners() or () if entry["port"] == port]
    assert entry["address"] == "127.0.0.1" and entry["family"] == 4
    assert entry["pid"] == os.getpid()
    assert entry["user"] == pwd.getpwuid(os.getuid()).pw_name


def test_an_ipv6_socket_is_found() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        (entry,) = [entry for entry in proc.listeners() or () if entry["port"] == port]
    assert (entry["address"], entry["family"]) == ("::1", 6)


def test_the_kernel_tells_the_addresses() -> None:
    found = list_addresses()
    assert found is not None
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
    ours = {(interface, address, family) for interface, address, family, _prefix in list_addresses() or ()}
    assert {entry for entry in ours if entry[0] in ("lo", "eth0")} == {entry for entry in theirs if entry[0] in ("lo", "eth0")}


SECRETS = ("s3cretKey", "hunter2", "p4ssw0rd", "t0ken", COOKIE)
PRETEND = """
import ctypes, sys, time
assert ctypes.CDLL(None).prctl(15, b"beam.smp", 0, 0, 0) == 0
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def pretender() -> Iterator[subprocess.Popen[bytes]]:
    """A process that the kernel calls beam.smp, with secrets in its arguments and in its environment."""
    words = [
        *("--", "-root", "/usr/lib/erlang", "-home", "/var/lib/x", "-name", "beam@n1\x1b[2J", "-proto_dist", "inet_tls", "-setcookie", COOKIE),
        *("-ssl_dist_opt", "server_password", "hunter2", "-shop", "db_password", '"s3cretKey"'),
        *("-kernel", "net_ticktime", "20", "secret", "p4ssw0rd"),
        *("-config", "/etc/x/sys.config", "-ssl_dist_optfile", "/etc/x/ssl_dist.conf", "-extra", "--password", "hunter2"),
    ]
    variables = {
        "SECRET_KEY_BASE": "s3cretKey",
        "DATABASE_URL": "postgres://u:p4ssw0rd@db/",
        "RELEASE_COOKIE": COOKIE,
        "ERL_FLAGS": "-setcookie t0ken -args_file /etc/x/vm.args",
        proc.DIGEST: "d1g3st",
    }
    process = subprocess.Popen([sys.executable, "-c", PRETEND, *words], stdout=subprocess.PIPE, env={**os.environ, **variables})
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()  # type: ignore[union-attr]


def test_no_argument_and_no_variable_leaves_the_host(pretender: subprocess.Popen[bytes]) -> None:
    seen = observation.observe()
    text = json.dumps(seen)
    assert [secret for secret in SECRETS if secret in text] == []
    (found,) = [one for one in (*seen["processes"], *seen["contained"]) if one["pid"] == pretender.pid]
    assert found["flags"] == {
        "name": "beam@n1\x1b[2J",
        "long_names": True,
        "hidden": False,
        "listens": True,
        "proto_dist": "inet_tls",
        "proto_dist_given": 1,
        "ssl_options_file": "/etc/x/ssl_dist.conf",
        "ssl_options": ("server_password",),
        "args_files": ("/etc/x/vm.args",),
        "config_files": ("/etc/x/sys.config",),
        "kernel": {"net_ticktime": "20"},
        "fixed_port": None,
        "cookie": "value",
        "arguments_read": True,
    }
    assert (found["digest"], found["home"], found["root"]) == ("d1g3st", "/var/lib/x", "/usr/lib/erlang")
    assert abs(float(str(found["started"])) - time.time()) < 30
    (parsed,) = [one for one in Observation.parse("h", seen).processes or () if one.pid == pretender.pid]
    assert parsed.flags.name == "beam@n1\\x1b[2J"


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
        while not (found := [one for one in proc.beam_processes() if one.digest == "d1g3st"]) and time.monotonic() < until:
            time.sleep(0.1)
        (node,) = found
    finally:
        process.kill()
        process.wait(10)
    assert node.process == "beam.smp" and node.pid == process.pid
    assert COOKIE not in str(node) and node.flags.cookie == "value" and node.home == str(tmp_path)
