# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a module's options to peers, and from the answers of nodes to what the mesh lacks."""

from __future__ import annotations

import os
import pathlib
import pwd
import socket
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net import calls, connection_options, mesh
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import OptionError
from ansible_collections.beam.cluster.plugins.module_utils._net.dist_probe import probe
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer, Raised, Returned
from ansible_collections.beam.cluster.plugins.module_utils._net.other_user import acting_as
from ansible_collections.beam.cluster.plugins.module_utils._net.tls import Tls
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom, charlist


def params(**changes: Any) -> Any:
    """The parameters of a module as Ansible hands them over."""
    result = {
        "name": "a@h", "cookie": "c", "cookie_file": None, "tls": None, "source": None, "epmd_port": 4369, "timeout": 10.0, "concurrency": 32,
        "expect": ["connected"], "user": None,
    }
    result.update(changes)
    return result


TLS = {"ca": "/ca", "certificate": "/cert", "key": "/key", "versions": ["tlsv1.3"], "verify": True, "server_name": None}


def one(target: Any, **changes: Any) -> Any:
    (peer,) = connection_options.make_peers(params(**changes), [dict({"node": "b@10.0.0.5"}, **target)])
    return peer


def test_a_target_takes_what_it_does_not_say_from_the_module() -> None:
    assert one({}) == Peer(node="b@10.0.0.5", host="10.0.0.5", name="a@h", cookie=b"c")
    assert one({"host": "x", "port": 9100, "name": "z@h", "source": "10.0.0.1"}) == Peer(
        node="b@10.0.0.5", host="x", name="z@h", port=9100, cookie=b"c", source="10.0.0.1",
    )


@pytest.mark.parametrize("target, tls", [
    ({}, Tls("/ca", "/cert", "/key")), ({"present": "none"}, Tls("/ca")), ({"present": "foreign"}, Tls("/ca", foreign=True)),
    ({"plaintext": True}, None),
    ({"tls": {"versions": ["tlsv1.3", "tlsv1.2"], "certificate": "/other", "ca": None}}, Tls("/ca", "/other", "/key", ("tlsv1.2", "tlsv1.3"))),
    ({"tls": {"verify": False}}, Tls("/ca", "/cert", "/key", verify=False)),
])
def test_tls_of_a_target(target: Any, tls: Any) -> None:
    assert one(target, tls=TLS).tls == tls


def test_a_target_may_have_tls_of_its_own_only() -> None:
    assert one({"tls": {"ca": "/x", "server_name": "n"}}).tls == Tls("/x")
    assert one({"tls": {"ca": "/x", "server_name": "n"}}).server_name == "n"


def test_a_wrong_cookie_is_not_the_right_one() -> None:
    assert one({"wrong_cookie": True}).cookie is None


def test_the_cookie_never_shows() -> None:
    assert "c0ffee" not in repr(one({}, cookie="c0ffee"))


@pytest.mark.parametrize("changes, problem", [
    ({"cookie": "\u00e9"}, "cookie: a cookie has"), ({"cookie": ""}, "cookie: a cookie has"), ({"cookie": "x" * 256}, "cookie: a cookie has"),
    ({"cookie": None, "cookie_file": "/does/not/exist"}, "cookie_file /does/not/exist: No such file"),
    ({"name": "nobody"}, "name: not a full node name"),
    ({"timeout": 0}, "timeout: 0 is not between"), ({"concurrency": 0}, "concurrency"), ({"epmd_port": 70000}, "epmd_port"),
    ({"tls": dict(TLS, key=None)}, "certificate and key go together"),
])
def test_options_that_make_no_sense(changes: Any, problem: Any) -> None:
    with pytest.raises(OptionError) as error:
        one({}, **changes)
    assert problem in str(error.value)
    assert "xxx" not in str(error.value)


@pytest.mark.parametrize("target, problem", [
    ({"node": "b"}, "targets.node"), ({"port": 0}, "targets.port"), ({"port": 65536}, "targets.port"), ({"name": "x"}, "targets.name"),
])
def test_targets_that_make_no_sense(target: Any, problem: Any) -> None:
    with pytest.raises(OptionError, match=problem):
        one(target)


def test_a_cookie_from_a_file(tmp_path: pathlib.Path) -> None:
    file = tmp_path / ".erlang.cookie"
    file.write_bytes(b"S3cret+/= \r\n")
    assert one({}, cookie=None, cookie_file=str(file)).cookie == b"S3cret+/= "
    file.write_bytes(b"S3cret\nS3cret\n")
    with pytest.raises(OptionError, match="line breaks and spaces only") as error:
        one({}, cookie=None, cookie_file=str(file))
    assert "S3cret" not in str(error.value)


def test_the_option_is_taken_as_it_stands() -> None:
    assert one({}, cookie="c ").cookie == b"c "
    with pytest.raises(OptionError, match="printable"):
        one({}, cookie="c\n")


def test_the_default_name_is_the_reserved_one() -> None:
    assert connection_options.our_name(params(name=None)).startswith("beam_probe@")


def test_an_expectation_that_does_not_exist() -> None:
    with pytest.raises(OptionError, match="expect: unknown code: refuced"):
        probe(params(targets=[{"node": "b@h", "expect": ["refuced"]}]))


# --- Calls and views ---


@pytest.mark.parametrize("args, strings, terms", [
    (None, "binary", []), ("[a, \"b\", <<\"c\">>]", "binary", [Atom("a"), charlist("b"), b"c"]),
    (["a", 1, None], "binary", [b"a", 1, Atom("undefined")]),
    (["a"], "string", [charlist("a")]), (["a"], "atom", [Atom("a")]), ("[]", "atom", []),
])
def test_arguments(args: Any, strings: Any, terms: Any) -> None:
    assert calls.read_args(args, strings) == terms


@pytest.mark.parametrize("args", ["a", "[a", "{a}", 5, [object()]])
def test_no_arguments(args: Any) -> None:
    with pytest.raises(OptionError, match="args"):
        calls.read_args(args, "binary")


def view(node: Any, visible: Any, **facts: Any) -> Any:
    entry = dict.fromkeys(mesh.COMPARED, "same")
    entry.update(node=node, visible=visible, **facts)
    return entry


def test_a_whole_mesh() -> None:
    assert mesh.compare_views([view("a", ["b"]), view("b", ["a"])]) == {"missing": [], "non_members": [], "differs": [], "whole": True}


def test_missing_links_and_different_settings() -> None:
    judged = mesh.compare_views([view("a", ["b", "x"], ticktime=15), view("b", ["a"], ticktime=60), view("c", None)])
    assert judged == {
        "missing": [{"from": "a", "to": "c"}, {"from": "b", "to": "c"}],
        "non_members": [{"from": "a", "to": "x"}],
        "differs": [{"what": "ticktime", "values": [{"value": "15", "nodes": ["a"]}, {"value": "60", "nodes": ["b"]}]}],
        "whole": False,
    }


def test_a_mesh_with_a_node_that_could_not_be_asked_is_not_whole() -> None:
    assert not mesh.compare_views([view("a", ["b"]), view("b", None)])["whole"]


def outcomes(**changes: Any) -> Any:
    """What a node of OTP 27 answers where nothing is set."""
    answers = {
        "visible": [Atom("b@h")], "hidden": [Atom("probe@h"), Atom("h@h")], "known": [Atom("a@h")], "otp_release": charlist("27"),
        "erts_version": charlist("15.2.7"), "creation": 5, "uptime_seconds": (61_500, 3), "ticktime": 60, "tickintensity": Atom("undefined"),
        "prevent_overlapping_partitions": Atom("undefined"), "connect_all": Atom("undefined"), "auto_connect": Atom("undefined"),
        "proto_dist": Atom("error"), "global_groups": Atom("undefined"),
    }
    answers.update(changes)
    return {key: Returned(value) for key, value in answers.items()}


def test_a_view() -> None:
    assert mesh._view(outcomes(), "probe@h") == {
        "visible": ["b@h"], "hidden": ["h@h"], "known": ["a@h"], "otp_release": "27", "erts_version": "15.2.7", "creation": 5, "uptime_seconds": 61,
        "ticktime": 60, "tickintensity": 4, "prevent_overlapping_partitions": True, "connect_all": True, "auto_connect": "always",
        "proto_dist": "inet_tcp", "global_groups": [],
    }


@pytest.mark.parametrize("key, answer, value", [
    ("ticktime", (Atom("ongoing_change_to"), 15), 15), ("tickintensity", (Atom("ok"), 8), 8),
    ("proto_dist", (Atom("ok"), [[charlist("inet_tls")]]), "inet_tls"),
    ("prevent_overlapping_partitions", (Atom("ok"), Atom("false")), False), ("connect_all", (Atom("ok"), Atom("false")), False),
    ("auto_connect", (Atom("ok"), Atom("never")), "never"), ("global_groups", (Atom("a"), [Atom("b")]), ["a", "b"]),
    ("global_groups", Atom("odd"), None),
])
def test_settings_in_a_view(key: Any, answer: Any, value: Any) -> None:
    assert mesh._view(outcomes(**{key: answer}), "probe@h")[key] == value


def test_partitions_are_prevented_since_25() -> None:
    assert mesh._view(outcomes(otp_release=charlist("24")), "probe@h")["prevent_overlapping_partitions"] is False


def test_questions_that_were_not_answered() -> None:
    view = mesh._view({key: Raised("error", Atom("undef")) for key in outcomes()}, "probe@h")
    assert view["visible"] is None and view["ticktime"] is None and view["uptime_seconds"] is None


def test_stacks() -> None:
    stack = [(Atom("lists"), Atom("map"), 2, [(Atom("file"), charlist("lists.erl")), (Atom("line"), 7)]), (Atom("m"), Atom("f"), [1, 2, 3],
                                                                                                           []), Atom("odd")]
    assert calls._stack(stack) == ["lists:map/2 (lists.erl:7)", "m:f/3", "odd"]
    assert calls._stack(None) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_acting_as_another_user() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with acting_as("nobody"):
            client = socket.create_connection(server.getsockname())
        with client:
            assert os.fstat(client.fileno()).st_uid == pwd.getpwnam("nobody").pw_uid, "the owner that a firewall sees"
    assert os.geteuid() == 0 and os.getegid() == 0


def test_an_unknown_user_is_an_error() -> None:
    with pytest.raises(OptionError, match="no user beam-x"):
        with acting_as("beam-x"):
            pass


def test_acting_as_another_user_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(OptionError, match="only root"):
        with acting_as("nobody"):
            pass
