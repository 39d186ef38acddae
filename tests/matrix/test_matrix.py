# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real nodes of every release, over each carrier and address family: what is to work works, what is to be refused is refused by name.

The other oracles are asked each of it, too: `net_adm:ping` of a node of the same release, and its `erl_call`. Two cases a node cannot be told to be:
one that lacks flags, and one that meets its own name (`alive`), as it takes the connection over where our probe leaves it alone.
"""

from __future__ import annotations

import os
import shutil

import nodes
import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net import calls, runner
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer, Returned
from ansible_collections.beam.cluster.plugins.module_utils._net.tls import Tls
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom
from ansible_collections.beam.cluster.plugins.module_utils._wire import codes, handshake

CARRIERS = {"tcp": None, "tls1.2": "'tlsv1.2'", "tls1.3": "'tlsv1.3'"}
SPELLED = {"tls1.2": "tlsv1.2", "tls1.3": "tlsv1.3"}
# As tcp-ipv4,tls1.3-ipv4: what `make test` asks of the OTP of the suites that it goes through. All cells where it is not set.
CELLS = os.environ.get("BEAM_CELLS")


class Cell:
    """One running node, and how to speak to it."""

    def __init__(self, lab, pki, release, carrier, ipv6):
        self.lab, self.pki, self.release, self.carrier, self.ipv6 = lab, pki, release, carrier, ipv6
        # Releases before 26 do not take an IPv6 literal as host of a name everywhere: a short name serves all.
        self.host_part = "localhost" if ipv6 else "127.0.0.1"
        self.address = "::1" if ipv6 else "127.0.0.1"
        self.name = f"m{release}@{self.host_part}"
        # What others that ask it are told to speak; whoever speaks TLS to TCP has to choose.
        self.versions = CARRIERS[carrier] or "'tlsv1.2'"
        tls = nodes.option_file(pki, versions=self.versions) if CARRIERS[carrier] else None
        self.node = lab.node(release, self.name, tls=tls, ipv6=ipv6)
        self.port = lab.names()[f"m{release}"]

    def tls(self, **changes):
        if self.carrier == "tcp":
            return None
        options = dict(ca=self.pki.ca, versions=(SPELLED[self.carrier],), **self.pki.pair("node"))
        options.update(changes)
        return Tls(**options)

    def peer(self, **changes):
        # EPMD of the lab listens on IPv4 only: the port is told.
        options = dict(node=self.name, host=self.address, port=self.port, name="beam_probe@" + self.host_part, cookie=nodes.COOKIE.encode(),
                       tls=self.tls())
        options.update(changes)
        return Peer(**options)

    def code(self, timeout=10.0, **changes):
        return runner.converse_all([self.peer(**changes)], timeout=timeout, concurrency=1)[0].code


@pytest.fixture(scope="module", params=[
    (release, carrier, family) for release in nodes.releases() for carrier in CARRIERS for family in ("ipv4", "ipv6")
    if CELLS is None or f"{carrier}-{family}" in CELLS.split(",")
], ids="-".join)
def running(request, pki, tmp_path_factory):
    release, carrier, family = request.param
    lab = nodes.Lab(tmp_path_factory.mktemp("lab")).start()
    # The files of the CA have to be seen from within the release's tree.
    shutil.copytree(pki.folder, lab.folder / "pki")
    try:
        yield Cell(lab, nodes.Pki(lab.folder / "pki"), release, carrier, family == "ipv6")
    finally:
        lab.stop()


@pytest.fixture
def note(running, cell):
    def write(question, answer):
        cell(release=running.release, carrier=running.carrier, family="IPv6" if running.ipv6 else "IPv4", question=question, answer=answer)

    return write


def test_ping(running, note):
    result = runner.converse_all([running.peer()], timeout=10, concurrency=1)[0]
    assert result.code == "connected", result
    if running.carrier != "tcp":
        assert result.trace.tls["version"] == SPELLED[running.carrier]
        assert result.trace.tls["peer"]["subject"] == "CN=node"
    note("ping", result.code)


@pytest.mark.parametrize("via", ["rex", "erpc"])
def test_call(running, note, via):
    (answer,) = calls.call_everywhere([running.peer()], ("erlang", "node", []), via=via, timeout=10, concurrency=1)
    assert (answer["code"], answer["result"]) == ("connected", running.name), answer
    (answer,) = calls.call_everywhere([running.peer()], ("erlang", "error", [Atom("boom")]), via=via, timeout=10, concurrency=1)
    assert (answer["code"], answer["exception"]["class"], answer["exception"]["reason"]) == ("call_failed", "error", "boom")
    (answer,) = calls.call_everywhere([running.peer()], ("lists", "duplicate", [100_000, Atom("x")]), via=via, timeout=10, concurrency=1)
    assert len(answer["result"]) == 100_000
    note(via, "connected")


def test_ipv4_by_epmd(running):
    if not running.ipv6:
        assert running.code(port=None, epmd_port=running.lab.epmd_port) == "connected"
        assert running.code(port=None, epmd_port=running.lab.epmd_port, node="nobody@127.0.0.1") == "not_registered"


def test_wrong_cookie(running, note):
    code = running.code(cookie=None)
    assert code == "cookie_refused_theirs"
    note("wrong cookie", code)


def test_another_node_was_asked_for(running, note):
    code = running.code(node="other@" + running.host_part)
    assert code == "wrong_node"
    note("wrong node", code)


def test_alive(running, note):
    """A second node of the name of one that is connected: the first keeps its connection."""

    async def hold(link):
        results.append(await runner.converse(running.peer(), runner.Contexts(), 5))
        return await link.call("erlang", "node", [])

    results = []
    outer = runner.converse_all([running.peer()], timeout=15, concurrency=1, then=hold)[0]
    assert results[0].code == "alive", results
    assert outer.answer == Returned(Atom(running.name))
    note("alive", results[0].code)


TLS_ATTACKS = {
    "no certificate": ({"certificate": None, "key": None}, {"tls_alert_certificate_required", "tls_alert_handshake_failure"}),
    "foreign certificate": ({"foreign": True}, {"tls_alert_unknown_ca"}),
    "expired certificate": ("expired", {"tls_alert_certificate_expired"}),
    "serverAuth only": ("server", {"tls_alert_handshake_failure", "tls_alert_unsupported_certificate"}),
    "other version": ("version", {"tls_alert_protocol_version", "dropped_tls"}),
}


@pytest.mark.parametrize("attack", TLS_ATTACKS)
def test_tls_attacks(running, note, attack):
    if running.carrier == "tcp":
        pytest.skip("TCP has no certificates")
    changes, expected = TLS_ATTACKS[attack]
    if changes == "version":
        changes = {"versions": ("tlsv1.2",) if running.carrier == "tls1.3" else ("tlsv1.3",)}
    elif isinstance(changes, str):
        changes = running.pki.pair(changes)
    code = running.code(tls=running.tls(**changes))
    # OTP 23 hangs up in places where later releases send an alert.
    assert code in expected and (code != "dropped_tls" or running.release == "23"), code
    note(attack, code)


def test_we_refuse_the_node(running, note, other_pki):
    if running.carrier == "tcp":
        pytest.skip("TCP has no certificates")
    result = runner.converse_all([running.peer(tls=running.tls(ca=other_pki.ca))], timeout=10, concurrency=1)[0]
    assert result.code == "tls_verification"
    assert result.trace.tls["peer"]["subject"] == "CN=node"
    assert running.code(server_name="elsewhere.test") == "tls_verification"
    note("node of another CA", result.code)


def test_plaintext(running, note):
    if running.carrier == "tcp":
        code = running.code(tls=Tls(running.pki.ca))
        assert code == "tls_on_plaintext"
        note("TLS on plaintext", code)
    else:
        code = running.code(tls=None)
        assert code == "plaintext_on_tls" or (code, running.release) == ("dropped_status", "23")
        note("plaintext on TLS", code)


class Asker:
    """The same question asked by others: a node of the same release that is given what our probe was given, and `erl_call`."""

    PONG, PANG = 42, 43

    def __init__(self, running):
        self._running, self._lab = running, running.lab

    def pong(self, *, node=None, cookie=nodes.COOKIE, name=None, client=None, plain=None):
        """Whether `net_adm:ping` says pong. `client`: its TLS options where they differ; `plain`: whether it speaks TCP, where that differs."""
        running = self._running
        name = name or "asker@" + running.host_part
        plain = running.carrier == "tcp" if plain is None else plain
        arguments = ["-noshell", "-hidden", "-start_epmd", "false", "-dist_listen", "false", "-kernel", "net_setuptime", "3",
                     "-proto_dist", ("inet6_" if running.ipv6 else "inet_") + ("tcp" if plain else "tls"),
                     "-setcookie", cookie, "-name" if "." in name.partition("@")[2] else "-sname", name, *self._lab.family(running.ipv6)]
        if not plain:
            optfile = self._lab.folder / "asker.conf"
            optfile.write_text(nodes.option_file(running.pki, versions=running.versions, client=client))
            arguments += ["-ssl_dist_optfile", str(optfile)]
        log = self._lab.folder / "asker.log"
        ping = f"case net_adm:ping('{node or running.name}') of pong -> halt({self.PONG}); pang -> halt({self.PANG}) end."
        status = self._lab.erl(running.release, [*arguments, "-eval", ping], log=log).wait(timeout=60)
        assert status in (self.PONG, self.PANG), log.read_text(errors="replace")
        return status == self.PONG

    def erl_call(self, *, cookie=nodes.COOKIE):
        """Whether `erl_call` gets an answer; None where it cannot ask: it speaks TCP over IPv4 only."""
        running = self._running
        if running.ipv6:
            return None
        words = ["-address", f"127.0.0.1:{running.port}", "-c", cookie, "-a", "erlang node", "-timeout", "5"]
        return self._lab.erl(running.release, words, program="erl_call").wait(timeout=30) == 0


@pytest.fixture
def asker(running):
    return Asker(running)


def tls_cases(running, other_pki):
    """What a client of a TLS port may show: question, what our probe is given, what the node that asks is given."""
    own, other = running.pki, nodes.Pki(running.lab.folder / "other")
    if not other.folder.exists():
        # To be seen from within the release's tree.
        shutil.copytree(other_pki.folder, other.folder)
    versions = running.versions
    another = "tlsv1.2" if running.carrier == "tls1.3" else "tlsv1.3"
    yield "no certificate", {"tls": running.tls(certificate=None, key=None)}, {"client": nodes.stanza(own, None, versions=versions)}
    yield "foreign certificate", {"tls": running.tls(**other.pair("node"))}, {"client": nodes.stanza(other, ca=own, versions=versions)}
    for question, pair in (("expired certificate", "expired"), ("serverAuth only", "server")):
        yield question, {"tls": running.tls(**own.pair(pair))}, {"client": nodes.stanza(own, pair, versions=versions)}
    yield "other version", {"tls": running.tls(versions=(another,))}, {"client": nodes.stanza(own, versions=f"'{another}'")}
    yield "node of another CA", {"tls": running.tls(ca=other.ca)}, {"client": nodes.stanza(own, ca=other, versions=versions)}
    yield "plaintext on TLS", {"tls": None}, {"plain": True}


def test_others_say_the_same(running, asker, other_pki, note):
    """Whoever gets in gets in by all ways of asking, and whoever does not by none."""
    cases = [
        ("honest", {}, {}),
        ("wrong cookie", {"cookie": None}, {"cookie": "wrong"}),
        ("wrong node", {"node": "nobody@" + running.host_part}, {"node": "nobody@" + running.host_part}),
    ]
    if running.carrier == "tcp":
        cases.append(("TLS on plaintext", {"tls": Tls(running.pki.ca)}, {"plain": False}))
    else:
        cases += tls_cases(running, other_pki)
    for question, probe, node in cases:
        ours = running.code(**probe) == "connected"
        assert ours == (question == "honest"), question
        assert asker.pong(**node) == ours, question
    # It speaks in the clear: to a TLS port it is an attacker.
    for cookie in (nodes.COOKIE, "wrong"):
        said = asker.erl_call(cookie=cookie)
        assert said in (None, running.code(cookie=cookie.encode(), tls=None) == "connected"), cookie
    note("net_adm:ping agrees", f"{len(cases)} of {len(cases)}")


def test_missing_flags_and_allow(running, asker, note, monkeypatch):
    with monkeypatch.context() as patched:
        defaults = dict(handshake.Initiator.__init__.__kwdefaults__)
        patched.setattr(handshake.Initiator.__init__, "__kwdefaults__", dict(defaults, flags=0x4))
        code = running.code()
    assert code == "not_allowed"
    note("missing flags", code)
    # Last, as it cannot be taken back: nobody but this name is allowed from here on.
    allow = ("net_kernel", "allow", [[Atom("beam_probe@" + running.host_part)]])
    (answer,) = calls.call_everywhere([running.peer()], allow, via=None, timeout=10, concurrency=1)
    assert answer["code"] == "connected"
    assert running.code() == "connected"
    code = running.code(name="stranger@elsewhere")
    assert code == "not_allowed"
    if running.carrier != "tcp":
        # Over TLS with certificates the list is one of hosts.
        assert running.code(name="stranger@" + running.host_part) == "connected"
    assert not asker.pong(name="stranger@elsewhere.test")
    assert asker.pong() == (running.carrier != "tcp")
    # Its name is one of this host's, not one that is allowed.
    assert not asker.erl_call()
    note("not in allow/1", code)


def test_every_code_is_known():
    assert all(code in codes.CODES for _changes, expected in TLS_ATTACKS.values() for code in expected)
