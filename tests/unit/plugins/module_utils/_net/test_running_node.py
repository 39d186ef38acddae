# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node answers about what it has in force, as facts: known options only, no value of a cookie or a password."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils import _term as term
from ansible_collections.beam.cluster.plugins.module_utils._model.running_node import InForce
from ansible_collections.beam.cluster.plugins.module_utils._net import otp_modules, running_node
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Call, Outcome, Raised, Returned

Atom = term.Atom
SECRET = "correct-horse-battery-staple"
OPTIONS = [
    (Atom("certfile"), term.charlist("/etc/cert.pem")),
    (Atom("cacertfile"), term.charlist("/etc/ca.pem")),
    (Atom("crl_cache"), (Atom("ssl_crl_hash_dir"), (Atom("internal"), [(Atom("dir"), term.charlist("/etc/crl"))]))),
    (Atom("verify"), Atom("verify_peer")),
    (Atom("verify"), Atom("verify_none")),
    (Atom("fail_if_no_peer_cert"), Atom("true")),
    (Atom("versions"), [Atom("tlsv1.3")]),
    (Atom("password"), term.charlist(SECRET)),
    (Atom("verify_fun"), (Atom("m"), Atom("f"), Atom(SECRET))),
]
ADDRESS = (Atom("net_address"), ((10, 0, 0, 2), 9100), term.charlist("n2"), Atom("tls"), Atom("inet"))
ADDRESS6 = (Atom("net_address"), ((0xFD00, 0, 0, 0, 0, 0, 0, 2), 9100), term.charlist("n2"), Atom("tcp"), Atom("inet6"))


def node(name: str, state: str = "up", kind: str = "normal", address: Any = ADDRESS) -> tuple[Any, ...]:
    return Atom(name), [(Atom("state"), Atom(state)), (Atom("address"), address), (Atom("type"), Atom(kind))]


ANSWERS: dict[tuple[str, str], Any] = {
    ("net_kernel", "allowed"): (Atom("ok"), [Atom("a@n1"), Atom("b@n2"), Atom("b@n2")]),
    ("net_kernel", "nodes_info"): (
        Atom("ok"),
        [node("b@n2"), node("t@n1", kind="hidden", address=ADDRESS6), node("beam_probe@n1"), node("old@n3", state="pending")],
    ),
    ("application", "which_applications"): [(Atom(name), [], []) for name in ("ssh", "kernel")],
    ("supervisor", "count_children"): [(Atom("specs"), 2), (Atom("active"), 2), (Atom("supervisors"), 2), (Atom("workers"), 0)],
    ("inet_db", "get_rc"): [(Atom("host"), (10, 0, 0, 2), [term.charlist("n2")]), (Atom("lookup"), [Atom("file"), Atom("native")])],
    ("code", "get_path"): [term.charlist("."), term.charlist("/usr/lib/erlang/lib/kernel/ebin")],
}


LOADED = {
    "net_kernel": "/lib/kernel-8.5.3/ebin/net_kernel.beam",
    "auth": "/lib/kernel/ebin/auth.beam",
    "inet_tls_dist": "/lib/evil-1.0/ebin/inet_tls_dist.beam",
    "lists": "/usr/lib/erlang/lib/kernel/ebin/lists.beam",
    "init": "preloaded",
    "evil": "nofile",
    "other": "/opt/x/other.beam",
    "empty": "",
}


TABLE = term.Reference(Atom("a@n1"), 1, (1, 2, 3))


class Link:
    """A node that answers from a table."""

    node = "a@n1"

    async def call(self, module: str, function: str, args: Sequence[Any]) -> Outcome:
        return self._answer(module, function, args)

    async def call_all(self, calls: Sequence[Call]) -> list[Outcome]:
        return [self._answer(*call) for call in calls]

    def _answer(self, module: str, function: str, args: Sequence[Any]) -> Outcome:
        if (module, function) == ("ets", "lookup") and args[0] == running_node.PEM_CACHE:
            assert args[1] == b"/etc/ca.pem", "keys are in that table, too"
            return Returned([(args[1], [(Atom("Certificate"), b"der", Atom("not_encrypted")), (Atom("PrivateKeyInfo"), b"x", Atom("x"))])])
        if (module, function) == ("ets", "lookup"):
            return Returned([(args[1], OPTIONS)])
        if function == "get_state":
            return Returned((Atom("state"), Atom(SECRET), TABLE))
        if (module, function) == ("ets", "select"):
            assert args == [TABLE, running_node.NAMES_OF_ROWS], "the cookies in that table stay where they are"
            return Returned([Atom("b@n2"), Atom("c@n3"), Atom("evil@n9")])
        if function == "get_cookie":
            return Returned(Atom("other" if str(args[0]) in ("b@n2", "evil@n9") else SECRET))
        if function == "system_info":
            return Returned({"atom_count": 21000, "atom_limit": 1048576}[str(args[0])])
        if function == "whereis":
            return Returned(Atom("undefined"))
        if function == "module_status":
            return Returned([(one, Atom("modified" if str(one) == "auth" else "loaded")) for one in args[0]])
        if function == "all_loaded":
            return Returned([(Atom(name), term.charlist(path) if path != "preloaded" else Atom(path)) for name, path in LOADED.items()])
        return Returned(ANSWERS[module, function])


class Silent(Link):
    """A node that refuses every call."""

    def _answer(self, module: str, function: str, args: Sequence[Any]) -> Outcome:
        return Raised("error", Atom("undef"))


def asked(link: Any, cookie: bytes | None = SECRET.encode()) -> dict[str, Any]:
    return asyncio.run(running_node.ask(link, ["a@n1", "b@n2", "c@n3"], cookie, "beam_probe@n1"))


def test_known_options_have_values_and_others_have_names() -> None:
    said = asked(Link())["tls"]["client"]
    assert said["verify"] == "verify_none", "the last of two counts"
    assert (said["certfile"], said["versions"], said["fail_if_no_peer_cert"]) == ("/etc/cert.pem", ["tlsv1.3"], True)
    assert {"password", "verify_fun"} <= set(said["names"])


def test_links_without_our_own() -> None:
    assert asked(Link())["links"] == [
        {"node": "b@n2", "address": "10.0.0.2", "port": 9100, "protocol": "tls", "hidden": False},
        {"node": "t@n1", "address": "fd00::2", "port": 9100, "protocol": "tcp", "hidden": True},
    ]


def test_cookies_are_compared_and_not_told() -> None:
    said = asked(Link())
    assert said["other_cookies"] == ["b@n2", "evil@n9"], "of members, and of others that it has a cookie for"
    assert SECRET not in repr(said)
    assert asked(Link(), None)["other_cookies"] is None


def test_the_answer_is_typed_at_the_door() -> None:
    said = InForce.parse(asked(Link()))
    assert said is not None and said.client is not None and said.links is not None
    assert (said.client.verify, said.allowed, said.links[1].protocol) == ("verify_none", frozenset({"a@n1", "b@n2"}), "tcp")


class WithoutSsh(Link):
    """A node that does not run the application ssh."""

    def _answer(self, module: str, function: str, args: Sequence[Any]) -> Outcome:
        assert module != "supervisor", "nobody asks it for the children of sshd_sup"
        return Returned([]) if module == "application" else super()._answer(module, function, args)


class WithoutSupervisor(Link):
    """A node whose application ssh has no such supervisor."""

    def _answer(self, module: str, function: str, args: Sequence[Any]) -> Outcome:
        return Raised("exit", Atom("noproc")) if module == "supervisor" else super()._answer(module, function, args)


def test_ssh_servers_and_atoms_are_counted() -> None:
    assert (asked(Link())["ssh_daemons"], asked(WithoutSsh())["ssh_daemons"], asked(WithoutSupervisor())["ssh_daemons"]) == (2, 0, None)
    said = InForce.parse(asked(Link()))
    assert said is not None and said.atoms == (21000, 1048576)


def stored(word: str, hashing: str = "sha256") -> tuple[bytes, list[Any], Atom]:
    return b"salt" + hashlib.new(hashing, b"salt" + word.encode()).digest(), [], Atom(f"rabbit_password_hashing_{hashing}")


STORED = {
    b"guest": stored("guest"), b"ops": stored("correct horse battery staple"), b"shop": stored("changeme", "sha512"), b"self": stored("self"),
    b"old": (stored("admin")[0], [], Atom("undefined")), b"none": (b"", [], Atom("rabbit_password_hashing_sha256")),
}


class Broker(Link):
    """A node of RabbitMQ with these parameters; None: it does not have it."""

    def __init__(self, users: Any, anonymous: Any) -> None:
        self.parameters = {"loopback_users": users, "anonymous_login_user": anonymous}

    def _answer(self, module: str, function: str, args: Sequence[Any]) -> Outcome:
        if (module, function) == ("application", "which_applications"):
            return Returned([(Atom("rabbit"), term.charlist("RabbitMQ"), term.charlist("4.0.5"))])
        if (module, function) == ("application", "get_env"):
            value = self.parameters[str(args[1])]
            return Returned(Atom("undefined") if value is None else (Atom("ok"), value))
        if (module, function) == ("rabbit_auth_backend_internal", "list_users"):
            return Returned([[(Atom("user"), name), (Atom("tags"), [])] for name in STORED])
        if (module, function) == ("rabbit_auth_backend_internal", "lookup_user"):
            return Returned((Atom("ok"), (Atom("internal_user"), args[0], *STORED[args[0]], term.Map([]))))
        return super()._answer(module, function, args)


@pytest.mark.parametrize(
    ("users", "anonymous", "everywhere", "name"),
    [
        ([b"guest"], Atom("none"), False, "none"),
        ([b"guest"], b"guest", False, "guest"),
        ([], b"guest", True, "guest"),
        ([b"other"], b"admin", True, "admin"),
        ([b"guest"], None, False, "none"),
        (None, Atom("none"), None, "none"),
        (Atom("x"), 7, None, None),
    ],
)
def test_from_where_the_user_guest_connects(users: Any, anonymous: Any, everywhere: bool | None, name: str | None) -> None:
    said = asked(Broker(users, anonymous))
    assert said["rabbitmq"] == {"guest_everywhere": everywhere, "anonymous": name, "known_passwords": ["guest", "old", "self", "shop"]}
    typed = InForce.parse(said)
    assert typed is not None and (typed.guest_everywhere, typed.anonymous) == (everywhere, name)


class Forgetful(Broker):
    """A broker whose records are others."""

    def _answer(self, module: str, function: str, args: Sequence[Any]) -> Outcome:
        return Returned((Atom("ok"), (Atom("user"), args[0]))) if function == "lookup_user" else super()._answer(module, function, args)


def test_users_that_are_not_understood_are_not_known() -> None:
    assert asked(Forgetful([b"guest"], Atom("none")))["rabbitmq"]["known_passwords"] is None


def test_a_node_without_rabbitmq_is_not_asked_for_its_users() -> None:
    assert asked(Link())["rabbitmq"] is None


_MAP = term.Map([(Atom("key_exchange"), Atom("ecdh_anon")), (Atom("cipher"), Atom("aes_256_gcm")), (Atom("mac"), Atom("aead"))])


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (term.charlist("TLS_AES_256_GCM_SHA384:ADH-AES128-SHA"), ["TLS_AES_256_GCM_SHA384", "ADH-AES128-SHA"]),
        ([term.charlist("ADH-AES128-SHA"), b"NULL-SHA"], ["ADH-AES128-SHA", "NULL-SHA"]),
        ([_MAP], ["ecdh_anon_aes_256_gcm"]),
        ([(Atom("ecdhe_rsa"), Atom("aes_256_gcm"), Atom("null"), Atom("sha384"))], ["ecdhe_rsa_aes_256_gcm"]),
        ([b"\0\x34", 7, term.Map([]), ()], ["a term"] * 4),
        ([], []),
        (7, None),
    ],
)
def test_suites(value: Any, names: list[str] | None) -> None:
    found = running_node.options([(Atom("server"), [(Atom("ciphers"), value)])], "server")
    assert found == {"names": ["ciphers"], "ciphers": names}


HOST, LOOKUP = Atom("host"), Atom("lookup")


@pytest.mark.parametrize(
    ("rc", "names"),
    [
        (
            [
                (HOST, (10, 0, 0, 2), [term.charlist("n2"), term.charlist("N2b")]),
                (HOST, (192, 0, 2, 7), [term.charlist("n2")]),
                (HOST, (0xFD00, 0, 0, 0, 0, 0, 0, 3), [term.charlist("n3")]),
                (Atom("hosts_file"), []),
                (LOOKUP, [Atom("file"), Atom("native")]),
            ],
            {"first": "file", "pinned": {"n2": ["10.0.0.2", "192.0.2.7"], "n2b": ["10.0.0.2"], "n3": ["fd00::3"]}},
        ),
        # The default is left out (inet_db:get_rc/0).
        ([], {"first": "native", "pinned": {}}),
        ([(LOOKUP, [])], {"first": "", "pinned": {}}),
        ([(HOST, Atom("x"), [term.charlist("n1")])], None),
        ([(HOST, (1, 2, 3), [term.charlist("n1")])], None),
        ([(LOOKUP, Atom("file"))], None),
        (None, None),
        (Atom("error"), None),
    ],
)
def test_the_addresses_to_which_names_lead(rc: Any, names: dict[str, Any] | None) -> None:
    assert running_node.names(rc) == names


def test_a_boot_server_is_known_by_its_registered_process() -> None:
    process = term.Pid(Atom("a@n1"), 85, 0, 1)
    assert running_node.boot_server(Returned(process)) is True and running_node.boot_server(Returned(Atom("undefined"))) is False
    assert running_node.boot_server(Raised("error", Atom("undef"))) is None


def test_modules_that_are_not_those_of_otp() -> None:
    said = InForce.parse(asked(Link()))
    wanted = (("auth", "/lib/kernel/ebin/auth.beam", True), ("inet_tls_dist", "/lib/evil-1.0/ebin/inet_tls_dist.beam", False))
    assert said is not None and said.foreign_code == wanted
    assert said.code_from_nowhere == (("empty", ""), ("evil", "nofile"), ("other", "/opt/x/other.beam"))


@pytest.mark.parametrize(("running", "found"), [({"kernel", "rabbit"}, ["rabbit_reader"]), ({"kernel"}, []), (None, [])])
def test_modules_of_a_product_that_were_replaced(running: set[str] | None, found: list[str]) -> None:
    status, everything = otp_modules.calls(running)
    asked_for = [str(one) for one in status[2][0]]
    assert "net_kernel" in asked_for and ("rabbit_reader" in asked_for) is bool(found) and everything[:2] == ("code", "all_loaded")
    # Where a package has them is its affair.
    loaded = [(Atom(name), term.charlist(f"/opt/broker/{name}.beam")) for name in ("rabbit_reader", "rabbit_direct")]
    statuses = [(Atom(name), Atom("modified" if name == "rabbit_reader" else "loaded")) for name in asked_for]
    said = otp_modules.foreign([Returned(statuses), Returned(loaded)])
    assert said == [{"module": name, "path": f"/opt/broker/{name}.beam", "changed": "modified"} for name in found]


def test_the_cas_that_a_node_has_in_memory_and_where_it_looks_for_revoked_certificates() -> None:
    said = InForce.parse(asked(Link()))
    assert said is not None and said.trusted == {hashlib.sha256(b"der").hexdigest()}
    assert said.server is not None and said.server.crl_directory == "/etc/crl"


def test_what_a_node_does_not_say_is_unknown() -> None:
    said = InForce.parse(asked(Silent()))
    assert said == InForce(trusted=frozenset())


@pytest.mark.parametrize("found", [None, 7, [], [(Atom("client"), Atom("x"))], (Atom("ok"),), Atom("ignored")])
def test_another_shape_is_unknown_and_no_exception(found: Any) -> None:
    assert running_node.options(found, "server") in (None, {})
    assert running_node.allowed(found) is None
    assert running_node.links(found, "x") is None
    assert running_node.code_path(found) in (None, [])
