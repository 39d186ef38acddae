# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module certificate with a node that caches its files as OTP does: what is broken is never installed, what is good is shown at once."""

from __future__ import annotations

import grp
import os
import pathlib
import pwd
import ssl
import stat
import sys
from typing import Any

import pytest

pytest.importorskip("ansible")

from ansible_collections.beam.cluster.plugins.module_utils._host import proc  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._host.proc import Process  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._model.processes import VmFlags  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._net import certificate_reload  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_rules import fingerprint, split_pem  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom, Pid  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._wire import control_messages, etf  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import frame  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "module_utils" / "_net"))
from made_certificates import NAMES, Ca, Made, key_pem, new_key  # noqa: E402
from peers import COOKIE, NODE, Node, server  # noqa: E402
from test_wire_modules import run  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the files belong to root")


class Caching(Node):
    """A node that reads its files once, until it is told to forget them. `trust`: CA certificates that it keeps all the same."""

    def __init__(self, made: Made, trust: bytes | None = None) -> None:
        super().__init__()
        self.made, self.trust, self.told = made, trust, 0
        self.cached: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        if self.cached is None:
            self.cached = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.cached.load_cert_chain(self.made.files.certificate, self.made.files.key)
            if self.trust:
                self.cached.load_verify_locations(cadata=self.trust.decode())
            else:
                self.cached.load_verify_locations(self.made.files.ca)
            self.cached.verify_mode = ssl.CERT_REQUIRED
        return self.cached

    def __call__(self, connection: Any) -> None:
        with self.context().wrap_socket(connection, server_side=True) as session:
            self.serve(session, 4)

    def asked(self, connection: Any, body: bytes) -> None:
        head, pos = etf.decode_prefix(body, 1)
        if head[0] != control_messages.SPAWN_REQUEST:
            super().asked(connection, body)
            return
        reference, pid, args = head[1], head[2], etf.decode(body[pos:])
        assert str(args[2]) == "call" and args[3][0] == Atom("ssl_pem_cache_dist")
        self.told += 1
        self.cached = None
        worker = Pid(Atom(NODE), 50, 0, 7)
        connection.sendall(frame(b"p" + etf.encode((31, reference, pid, 2, worker)), 4))
        connection.sendall(frame(b"p" + etf.encode((21, worker, pid, reference, (reference, Atom("return"), Atom("ok")))), 4))


class Place:
    """A node with its files, and the module on its host."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made, self.monkeypatch = Made(folder / "tls"), monkeypatch
        self.ca, self.key = Ca(), new_key()
        self.made.write(ca=self.ca.pem, certificate=self.ca.sign("before", self.key), key=key_pem(self.key))
        for what, mode in (("ca", 0o444), ("certificate", 0o444), ("key", 0o400)):
            os.chmod(getattr(self.made.files, what), mode)
        (folder / "cookie").write_bytes(COOKIE)
        self.cookie = str(folder / "cookie")
        self.machines = [Process(1, "beam.smp", "beam", "beam.service", VmFlags(name=NODE), digest="d1g3st")]
        self.node = Caching(self.made)

    def shown(self) -> str:
        return fingerprint(split_pem(pathlib.Path(self.made.files.certificate).read_bytes())[0])

    def digest(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.made.directory.parent.rglob("*") if path.is_file()}

    def run(self, module: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Run a module on the host of the node. `run` takes back what was patched."""
        self.monkeypatch.setattr(certificate_reload, "CACHE_SECONDS", 0)
        self.monkeypatch.setattr(proc, "beam_processes", lambda: self.machines)
        files = self.made.files
        with server(self.node) as port:
            return run(
                module, self.monkeypatch, node=NODE, host="127.0.0.1", port=port, unit="beam.service", name="a@127.0.0.1", timeout=2,
                names=list(NAMES), cookie_file=self.cookie,
                tls={"ca": files.ca, "certificate": files.certificate, "key": files.key, "versions": ["tlsv1.2", "tlsv1.3"]}, **options,
            )

    def give(self, certificate: bytes, ca: bytes | None = None, *, check: bool = False, **options: Any) -> tuple[int, dict[str, Any]]:
        return self.run(
            "certificate", check=check, certificate=certificate.decode(), ca=(ca or self.ca.pem).decode(),
            owner=pwd.getpwuid(os.getuid()).pw_name, group=grp.getgrgid(os.getgid()).gr_name, **options,
        )


@pytest.fixture
def place(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def test_a_new_certificate_is_shown_at_once(place: Place) -> None:
    place.give(place.ca.sign("before", place.key), check=True)
    before, new = place.digest(), place.ca.sign("after", place.key)
    status, answer = place.give(new, check=True)
    assert (status, answer["state"], answer["changed"]) == (0, "outdated", True) and place.digest() == before
    status, answer = place.give(new)
    assert (status, answer["state"], answer["files"]) == (0, "served", ["certificate"]), answer
    assert answer["sha256"] == place.shown() != answer["showed"] and answer["seconds"] < 5 and place.node.told == 1
    assert place.give(new)[1]["state"] == "current" and place.node.told == 1
    assert sorted(path.name for path in place.made.directory.parent.iterdir()) == ["cookie", "tls"]
    assert stat.S_IMODE(os.stat(place.made.files.key).st_mode) == 0o400


def test_a_new_key_comes_with_its_certificate(place: Place) -> None:
    key = new_key()
    pathlib.Path(place.made.files.key + ".new").write_bytes(key_pem(key))
    status, answer = place.give(place.ca.sign("after", key), key_file=place.made.files.key + ".new")
    assert (status, answer["state"], answer["files"]) == (0, "served", ["key", "certificate"]), answer
    assert sorted(path.name for path in place.made.directory.iterdir()) == ["ca.pem", "cert.pem", "key.pem"]


@pytest.mark.parametrize("kind", ["half", "key", "name"])
def test_what_is_broken_is_refused_and_the_old_one_stays(place: Place, kind: str) -> None:
    certificate = {
        "half": place.ca.sign("after", place.key)[:-60],
        "key": place.ca.sign("after", new_key()),
        "name": place.ca.sign("after", place.key, names=()),
    }[kind]
    before = place.digest()
    status, answer = place.give(certificate)
    assert (status, answer["state"], place.digest(), place.node.told) == (1, "refused", before, 0)
    assert "the old ones are still in place" in answer["msg"]


def test_a_file_with_an_old_time_is_read_again(place: Place) -> None:
    """Somebody has put it in place; a node never notices a file that is older than its last look."""
    place.give(place.ca.sign("before", place.key))
    new = place.ca.sign("by hand", place.key)
    place.made.write(certificate=new)
    os.chmod(place.made.files.certificate, 0o444)
    os.utime(place.made.files.certificate, (1_600_000_000, 1_600_000_000))
    told = place.node.told
    status, answer = place.give(new)
    assert (status, answer["state"], answer["files"], place.node.told) == (0, "served", [], told + 1), answer


def test_the_old_files_come_back_if_the_node_does_not_accept_the_new_ones(place: Place) -> None:
    other = Ca("other")
    place.node.trust = place.ca.pem
    before = place.digest()
    status, answer = place.give(other.sign("after", place.key), place.ca.pem + other.pem)
    assert (status, answer["state"]) == (1, "put_back"), answer
    assert place.digest() == before and "does not accept the new files" in answer["msg"]


def test_a_node_with_a_broken_file_is_repaired(place: Place) -> None:
    """It still shows what it has cached, and our own side cannot use the broken file."""
    place.give(place.ca.sign("before", place.key))
    place.made.write(certificate=b"half")
    status, answer = place.give(place.ca.sign("after", place.key))
    assert (status, answer["state"]) == (0, "unreached"), answer
    assert place.give(pathlib.Path(place.made.files.certificate).read_bytes())[1]["state"] == "served"


def test_a_node_that_cannot_be_asked_gets_the_time_of_its_cache(place: Place) -> None:
    pathlib.Path(place.cookie).write_bytes(b"another cookie")
    status, answer = place.give(place.ca.sign("after", place.key))
    assert (status, answer["state"]) == (1, "unproven") and "The files are valid" in answer["msg"]


@pytest.mark.parametrize(("machines", "state"), [([], "stopped"), ([Process(1, "beam.smp", "beam", "beam.service", VmFlags(name=NODE))], "kept")])
def test_a_node_that_is_not_ours_or_does_not_run_gets_files_only(place: Place, machines: list[Process], state: str) -> None:
    place.machines = machines
    status, answer = place.give(place.ca.sign("after", place.key))
    assert (status, answer["state"], place.node.told, answer["sha256"]) == (0, state, 0, place.shown())


def test_only_an_attribute_is_mended(place: Place) -> None:
    certificate = pathlib.Path(place.made.files.certificate).read_bytes()
    os.chmod(place.made.files.key, 0o644)
    assert place.give(certificate)[1]["changed"] and stat.S_IMODE(os.stat(place.made.files.key).st_mode) == 0o400
    assert not place.give(certificate)[1]["changed"]


def test_info_reports_files_and_use(place: Place) -> None:
    status, answer = place.run("credentials_info", renew_at=0.05, cookie_key="for this run")
    assert status == 0 and answer["served"] == answer["certificate"]["sha256"] == place.shown(), answer
    assert answer["certificate"]["due"] and 79 < answer["certificate"]["days_left"] < 81 and not answer["problems"]
    assert answer["cookie"]["accepted"] and len(answer["cookie"]["digest"]) == 16
    assert COOKIE.decode() not in str(answer) and "for this run" not in str({**answer, "invocation": None})
