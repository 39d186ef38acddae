#!/usr/bin/env python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the wire: probes against what else could ask the same question, the whole mesh of many nodes, a new cookie, and the term format.

    tests/bench/wire/run.py [--nodes N] [--only PART ...] [--page FILE]       parts: probe, mesh, cookie, terms

Everything is measured in one run on this machine and told as ratios; --page writes what was measured as a page. Needs an erl with TLS on this host,
and root for nothing.
"""

from __future__ import annotations

import argparse
import itertools
import os
import pathlib
import platform
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "matrix"))

import nodes  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils import _term as term  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._net import runner, stream  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._net.cookie_rotation import rotate  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._net.mesh import mesh as read_mesh  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._net.tls import Tls  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._wire import distribution_flags, etf, handshake  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import frame  # noqa: E402

HOST = "127.0.0.1"


HEAD = """# Speed of the wire modules

Written by `tests/bench/wire/run.py --page docs/bench_wire.md` in one run, on {date}, on an idle machine with {cores} cores and
{memory:.0f} GiB; OTP {otp}, Python {python}, {openssl}, Linux {kernel}. Nodes, EPMD and the probing process share the cores.
`make bench` measures your machine.

"""
RESULTS = []


def show(what, value, unit, aim=None, least=False):
    """Note one measurement. `aim`: what it should be at most, or at the least."""
    text = "" if aim is None else f"{aim:g} or {'more' if least else 'less'}"
    met = "" if aim is None else "met" if (value >= aim if least else value <= aim) else "missed"
    RESULTS.append((what, f"{value:.2f} {unit}", text, met))
    print("{:<76} {:>12}  {:<14} {}".format(*RESULTS[-1]), flush=True)


def page(release):
    """What was measured, as a page."""
    rows = "".join(f"| {' | '.join(row)} |\n" for row in RESULTS)
    facts = {
        "date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count(), "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30,
        "otp": release, "python": platform.python_version(), "openssl": " ".join(ssl.OPENSSL_VERSION.split()[:2]),
        "kernel": platform.release().partition("-")[0],
    }
    return HEAD.format(**facts) + "| | | aim | |\n| --- | --- | --- | --- |\n" + rows + REASONS


# What bounds what is missed; for the reader of the page, not measured here.
REASONS = """
A probe needs more steps than a bare TLS connection; the lines "of it" list them:

* a second connection, to EPMD;
* the node's decision about our certificate, which TLS 1.3 sends after our side of the handshake has ended (the bare connection that reads
  the first answer also waits for it);
* three messages of the node, each of which wakes one of its processes.

No step can be omitted or sent earlier. The cookie is proven only to the requested node, and later messages count only after the node has
proven its own cookie.
"""


def times(count, work):
    """Milliseconds of each of `count` runs."""
    found = []
    for _step in range(count):
        begin = time.perf_counter()
        work()
        found.append((time.perf_counter() - begin) * 1000)
    return found


def median(count, work):
    """Median milliseconds of `count` runs."""
    return statistics.median(times(count, work))


class Setting:
    """A lab with certificates."""

    def __init__(self, folder):
        self.release = nodes.host_release()
        if self.release is None:
            sys.exit("no erl with TLS on this host")
        self.lab = nodes.Lab(pathlib.Path(folder) / "lab").start()
        self.pki = nodes.Pki(self.lab.folder / "pki").make_ca().issue("node")
        self.tls = Tls(ca=self.pki.ca, **self.pki.pair("node"))

    def peer(self, name, tls=True):
        return Peer(name, HOST, "beam_probe@" + HOST, None, self.lab.epmd_port, nodes.COOKIE.encode(), self.tls if tls else None)


STEPS = {"epmd": "EPMD", "connect": "TCP", "tls": "TLS", "status": "until the status", "challenge": "until the challenge", "ack": "until the proof",
         "ping": "until the answer to the ping"}


def steps(work):
    """Median milliseconds of each stage of the probes that `work` makes."""
    seen = []

    class Watched(stream.Trace):
        def __setattr__(self, key, value):
            if key == "stage" and (not seen or seen[-1][0] != value):
                seen.append((value, time.perf_counter()))
            super().__setattr__(key, value)

    runner.Trace = Watched
    try:
        work()
    finally:
        runner.Trace = stream.Trace
    return {
        text: statistics.median((end - begin) * 1000 for (now, begin), (_next, end) in zip(seen, seen[1:]) if now == stage)
        for stage, text in STEPS.items()
    }


def probes(setting):
    """One probe against one of anything else."""
    lab = setting.lab
    lab.node(setting.release, "tls@" + HOST, tls=nodes.option_file(setting.pki))
    lab.node(setting.release, "tcp@" + HOST)
    port = lab.names()["tls"]
    context = ssl.create_default_context(cafile=setting.pki.ca)
    context.load_cert_chain(*setting.pki.pair("node").values())
    context.minimum_version = ssl.TLSVersion.TLSv1_3

    names = itertools.count()

    def bare():
        """Connect, shake hands, say a name, and read the status: with TLS 1.3 that is the first sign that the node has taken our certificate."""
        name = frame(handshake.encode(handshake.SendName(distribution_flags.OURS, f"bare{next(names)}@{HOST}", 4)), 4)
        with socket.create_connection((HOST, port)) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(sock, server_hostname=HOST) as session:
                session.sendall(name)
                assert session.recv(100)[4:] == b"sok"

    def handshake_only():
        with socket.create_connection((HOST, port)) as sock, context.wrap_socket(sock, server_hostname=HOST):
            pass

    def many(name, count, tls=True):
        """Milliseconds of each probe among `count` in one call, as `dist_probe` makes them."""
        results = runner.converse_all([setting.peer(name, tls)] * count, timeout=10, concurrency=1)
        assert all(result.connected for result in results), results
        return [result.milliseconds for result in results]

    many("tls@" + HOST, 20)
    # By turns: whatever else the machine does meets all of them.
    rounds = [(many("tls@" + HOST, 30), times(30, bare), times(30, handshake_only)) for _round in range(10)]
    ours, theirs, shook = (statistics.median(sum(found, [])) for found in zip(*rounds))
    show("probe over TLS (EPMD, handshake, ping)", ours, "ms")
    for what, took in steps(lambda: many("tls@" + HOST, 100)).items():
        show("of it: " + what, took, "ms")
    show("bare ssl connect to the same port, first answer read", theirs, "ms")
    show("bare ssl connect to the same port, nothing read", shook, "ms")
    show("probe : bare connect, first answer read", ours / theirs, "", 1.25)
    show("probe : bare connect, nothing read", ours / shook, "", 1.25)

    optfile = lab.folder / "asker.conf"
    optfile.write_text(nodes.option_file(setting.pki))
    arguments = ["-noshell", "-hidden", "-start_epmd", "false", "-name", "asker@" + HOST]

    def erl(node, *words):
        process = lab.erl(setting.release, [*arguments, *words, "-eval", f"pong = net_adm:ping('{node}'), halt()."])
        assert process.wait(timeout=60) == 0

    one_shot = median(7, lambda: erl("tls@" + HOST, "-proto_dist", "inet_tls", "-ssl_dist_optfile", str(optfile)))
    show("one-shot erl, net_adm:ping over TLS", one_shot, "ms")
    show("one-shot erl : probe", one_shot / ours, "", 60, least=True)

    plain = statistics.median(many("tcp@" + HOST, 300, tls=False))
    command = ["erl_call", "-address", f"{HOST}:{lab.names()['tcp']}", "-c", nodes.COOKIE, "-a", "erlang node"]
    called = median(30, lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    show("probe over TCP", plain, "ms")
    show("erl_call over TCP", called, "ms")
    show("erl_call : probe over TCP", called / plain, "", 1, least=True)


def joined(setting, count):
    """The peers of `count` nodes that are linked with each other.

    Each joins by one link; their `global` makes all others. Ten at a time, so that no handshake of theirs waits too long for two cores.
    """
    lab = setting.lab
    names = [f"m{number}@{HOST}" for number in range(count)]
    optfile = nodes.option_file(setting.pki)
    small = ["+S", "1:1", "+SDcpu", "1:1", "+SDio", "1", "+A", "1"]
    peers = [setting.peer(name) for name in names]
    join = ["-eval", f"net_adm:ping('{names[0]}')."]
    for start in range(0, count, 10):
        for name in names[start:start + 10]:
            lab.node(setting.release, name, tls=optfile, arguments=small + join, wait=False)
        there = min(start + 10, count)
        nodes.wait_for(lambda there=there: all(f"m{number}" in lab.names() for number in range(there)), seconds=120)
        nodes.wait_for(lambda there=there: read_mesh(peers[:there], timeout=60, concurrency=64)["whole"], seconds=120)
    return peers


def mesh(setting, count):
    """Every ordered pair of many nodes, and the mesh by asking each node once.

    One vantage probes all nodes, `count` - 1 times under one name: what all vantages together do, from one process.
    """
    peers = joined(setting, count)
    begin = time.perf_counter()
    assert read_mesh(peers, timeout=60, concurrency=64)["whole"]
    show(f"{count} nodes: mesh_info", time.perf_counter() - begin, "s", 3)
    show("peak memory of the process that asked", peak(), "MiB")
    begin = time.perf_counter()
    results = runner.converse_all(peers * (count - 1), timeout=60, concurrency=64)
    took = time.perf_counter() - begin
    codes = sorted({result.code for result in results})
    assert codes == ["connected"], codes
    show(f"{count} nodes: {len(results)} probes, one for each ordered pair", took, "s", 60)
    show("probes per second", len(results) / took, "1/s")
    show("peak memory of the process that probed", peak(), "MiB")


def cookie(setting, count):
    """The time in which the nodes of one host have different cookies: from the first that is given the new one to the last that has accepted it.

    One after another, as `beam.cluster.cookie` does the nodes of its host; hosts are done at once. The files are not measured.
    """
    peers, new = joined(setting, count), b"another-cookie-of-this-cluster"
    members = [peer.node for peer in peers]
    begin = time.perf_counter()
    states = {rotate(peer, peer.cookie, new, members, timeout=60, change=True).state for peer in peers}
    took = time.perf_counter() - begin
    assert states == {"switched"}, states
    assert read_mesh([replace(peer, cookie=new) for peer in peers], timeout=60, concurrency=64)["whole"]
    show(f"{count} nodes of one host: a new cookie, first node to last", took, "s", 5)


def peak():
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def terms():
    """The term format against other libraries, where they are installed."""
    data = term.parse("{ok, [#{<<\"key\">> => {atom, 1, 2.5, \"string\", <<\"binary\">>}, a => [1, -70000, 12345678901234567890]}, [], {}]}")
    whole = [data] * 300
    packed = etf.encode(whole)
    ours = median(20, lambda: etf.decode(packed)), median(20, lambda: etf.encode(whole))
    show(f"decode {len(packed)} bytes", ours[0], "ms")
    show("encode them", ours[1], "ms")
    try:
        import erlang
    except ImportError:
        print("erlang_py is not installed: nothing to compare with")
    else:
        value = erlang.binary_to_term(packed)
        show("erlang_py decode : ours", median(20, lambda: erlang.binary_to_term(packed)) / ours[0], "", 1, least=True)
        show("erlang_py encode : ours", median(20, lambda: erlang.term_to_binary(value)) / ours[1], "", 1, least=True)
    try:
        from term import codec
    except ImportError:
        print("term (Pyrlang) is not installed: nothing to compare with")
    else:
        value, _rest = codec.binary_to_term(packed, {})
        show("term decode : ours", median(20, lambda: codec.binary_to_term(packed, {})) / ours[0], "", 1, least=True)
        show("term encode : ours", median(20, lambda: codec.term_to_binary(value)) / ours[1], "", 1, least=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--only", nargs="*", default=["probe", "mesh", "cookie", "terms"])
    parser.add_argument("--page", type=pathlib.Path)
    options = parser.parse_args()
    parts = [("probe", probes), ("mesh", lambda setting: mesh(setting, options.nodes))]
    parts += [("cookie", lambda setting, count=count: cookie(setting, count)) for count in (3, 50)]
    for part, work in parts:
        if part in options.only:
            with tempfile.TemporaryDirectory() as folder:
                setting = Setting(folder)
                try:
                    work(setting)
                finally:
                    setting.lab.stop()
    if "terms" in options.only:
        terms()
    if options.page:
        options.page.write_text(page(nodes.host_release()), encoding="utf-8")


if __name__ == "__main__":
    main()
