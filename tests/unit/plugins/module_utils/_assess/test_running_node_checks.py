# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control about what a running node has in force is seen failing, and seen not tested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import running_node as running_node_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_TESTED, Verdict
from ansible_collections.beam.cluster.plugins.module_utils._model.running_node import Link

Said = dict[str, Any]
Change = Callable[[Said], object]
ALSO = "revocation-lists"
"""It reads the same options: see test_revocation_checks.py."""
NODES = [f"beam@{name}" for name in made.HOSTS]


def with_said(change: Change, links: list[Link] | None = None) -> Verdict:
    said = made.in_force(NODES, "beam@n2")
    change(said)
    kernel = {name: (links or [] if name == "n2" else []) for name in made.HOSTS}
    return evaluate(made.evidence(mesh={"beam@n2": {"in_force": said}}, links=kernel))


def option(side: str, **values: Any) -> Change:
    def change(said: Said) -> None:
        said["tls"][side].update(values)
        said["tls"][side]["names"] = sorted({*said["tls"][side]["names"], *values})

    return change


def drop(side: str, name: str) -> Change:
    def change(said: Said) -> None:
        del said["tls"][side][name]
        said["tls"][side]["names"].remove(name)

    return change


def link(**values: Any) -> Change:
    return lambda said: said["links"].append({"node": "x@h", "address": "10.89.1.11", "port": 9100, "protocol": "tls", "hidden": False, **values})


def foreign(module: str, path: str, changed: str) -> Change:
    return lambda said: said["foreign_code"].append({"module": module, "path": path, "changed": changed})


def suites(side: str, *names: str) -> Change:
    return option(side, ciphers=["TLS_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", "ecdhe_rsa_aes_256_gcm", *names])


def pinned(name: str, *addresses: str) -> Change:
    """A name that the node's own list leads to other addresses."""
    return lambda said: said["names"]["pinned"].update({name: list(addresses)})


BROKEN: list[tuple[str, Change, str]] = [
    ("tls-options", option("client", verify="verify_none"), "as client verify is verify_none, not verify_peer"),
    ("tls-options", option("server", verify="verify_none"), "as server verify is verify_none"),
    ("tls-options", drop("client", "verify"), "as client verify is not set"),
    ("tls-options", option("server", fail_if_no_peer_cert=False), "fail_if_no_peer_cert is false, not true"),
    ("tls-options", drop("server", "fail_if_no_peer_cert"), "fail_if_no_peer_cert is not set"),
    ("tls-options", option("client", cacertfile="/tmp/ca.pem"), "as client cacertfile is /tmp/ca.pem, not /etc/beam/beam@n2/tls/ca.pem"),
    ("tls-options", drop("client", "cacertfile"), "as client cacertfile is not set"),
    ("tls-options", option("server", certfile="/tmp/c.pem"), "as server certfile is /tmp/c.pem"),
    ("tls-options", option("server", keyfile="/tmp/k.pem"), "as server keyfile is /tmp/k.pem"),
    ("tls-options", option("server", versions=["tlsv1.3", "tlsv1.2"]), "as server versions has tlsv1.2, beside tlsv1.3"),
    ("tls-options", drop("client", "versions"), "as client versions are not set"),
    ("tls-options", option("client", verify_fun=None), "as client verify_fun is set"),
    ("tls-options", option("client", partial_chain=None), "partial_chain is set"),
    ("tls-options", option("client", server_name_indication="disable"), "server_name_indication is set: the name"),
    ("tls-options", option("server", crl_cache=None, crl_check=None), "crl_cache is set and crl_check is not set"),
    ("tls-options", option("server", crl_check="best_effort"), "crl_check is best_effort"),
    ("tls-options", lambda said: said["tls"].update(client={"names": []}), "as client verify is not set"),
    ("tls-options", option("client", secure_renegotiate=False), "as client secure_renegotiate is false"),
    (
        "tls-options",
        option("server", versions=["tlsv1.3", "tlsv1.2"], client_renegotiation=True, reuse_sessions=False),
        "as server client_renegotiation is true",
    ),
    *(
        ("tls-options", suites("server", name), f"as server ciphers has {name}: a peer without a certificate may connect, or nothing is encrypted")
        for name in (
            "TLS_DH_anon_WITH_AES_256_GCM_SHA384", "ADH-AES128-GCM-SHA256", "AECDH-AES256-SHA", "TLS_ECDHE_RSA_WITH_NULL_SHA", "dh_anon_aes_256_gcm",
            "ecdhe_psk_aes_128_gcm", "NULL-SHA256", "srp_rsa_aes_128_cbc",
        )
    ),
    ("allow-list", lambda said: said["allowed"].append("evil@n9"), "lets evil@n9 connect, which is no member"),
    ("allow-list", lambda said: said["allowed"].append("n2"), "lets n2 connect"),
    ("allow-list", lambda said: said["allowed"].append("beam_probe@n9"), "lets beam_probe@n9 connect"),
    ("allow-list", lambda said: said["allowed"].clear(), "every name may connect"),
    ("allow-list", lambda said: said["allowed"].remove("beam@n3"), "does not let the member beam@n3 connect"),
    ("peer-cookies", lambda said: said["other_cookies"].append("beam@n1"), "a cookie of its own for beam@n1"),
    ("links", link(protocol="tcp"), "its link to x@h at 10.89.1.11:9100 is in clear text (tcp)"),
    ("links", link(), "is linked to x@h at 10.89.1.11:9100, which is no member's name"),
    ("links", link(hidden=True, address="127.0.0.1"), "is linked to x@h at 127.0.0.1:9100, which is no member's name"),
    ("links", link(hidden=True, node="beam_probe@h"), "is linked to beam_probe@h at 10.89.1.11:9100, which is no member's name"),
    ("links", link(hidden=True, node="rabbitmqcli-7-beam@h"), "which is no member's name"),
    ("links", link(hidden=True, node="shell_7@n3"), "is linked to shell_7@n3 at 10.89.1.11:9100, and the nodes of that name's host have other"),
    ("links", link(node="beam@n1", address="127.0.0.1"), "is linked to beam@n1 at 127.0.0.1:9100, and the nodes of that name's host have other"),
    ("links", link(address="192.0.2.1"), "is linked to x@h at 192.0.2.1:9100, which is no member's address"),
    ("links", link(address="192.0.2.1", hidden=True), "which is no member's address"),
    ("member-addresses", pinned("n1", "192.0.2.7", made.HOSTS["n1"]), "its own list leads the name n1 to 192.0.2.7, not only to 10.89.1.11"),
    ("member-addresses", pinned("n1", "192.0.2.7"), "its own list leads the name n1 to 192.0.2.7, not to 10.89.1.11"),
    ("member-addresses", pinned("n1"), "its own list has no address for the name n1"),
    ("member-addresses", lambda said: said["names"].update(first="native"), "looks for names with native before its own list"),
    ("code-path", lambda said: said["replaceable_code"].append({"path": "/opt/app/ebin", "by": ["beam"]}), "beam can put code into /opt/app/ebin"),
    ("running-code", foreign("net_kernel", "/opt/x/net_kernel.beam", ""), "has loaded net_kernel from /opt/x/net_kernel.beam, no directory of its"),
    ("running-code", foreign("auth", "/k/ebin/auth.beam", "modified"), "runs another auth than the one in /k/ebin/auth.beam"),
    ("ssh-daemons", lambda said: said.update(ssh_daemons=1), "SSH servers that run in it: 1"),
    ("boot-server-running", lambda said: said.update(boot_server=True), "a boot server runs in it"),
    ("atom-table", lambda said: said.update(atoms=[600000, 1048576]), "has 600000 of 1048576 atoms"),
]


@pytest.mark.parametrize(("control", "change", "says"), BROKEN)
def test_what_is_in_force_is_named(control: str, change: Change, says: str) -> None:
    (found,) = (one for one in with_said(change).failures if one.control != ALSO)
    assert (found.control, found.status, found.subject) == (control, FAILED, "beam@n2")
    assert says in " ".join(found.details)


@pytest.mark.parametrize(
    ("node", "address"),
    [
        ("shell_7@n1", "10.89.1.11"), ("rabbitmqcli-7-beam@n1", "10.89.1.11"), ("beam_probe@n1", "10.89.1.11"), ("shell_7@n2", "127.0.0.1"),
        ("beam_probe@n2", made.HOSTS["n2"]), ("beam_probe@outside.invalid", "10.89.1.11"), ("beam_probe@outside.invalid", "127.0.0.1"),
    ],
)
def test_tools_on_members_hosts_and_probes_may_be_linked(node: str, address: str) -> None:
    assert with_said(link(node=node, address=address, hidden=True)).ok


UNKNOWN: list[tuple[str, Change]] = [
    ("tls-options", lambda said: said["tls"].update(client=None)),
    ("tls-options", suites("client", "a term")),
    ("tls-options", option("server", ciphers=None)),
    ("allow-list", lambda said: said.update(allowed=None)),
    ("peer-cookies", lambda said: said.update(other_cookies=None)),
    ("links", lambda said: said.update(links=None)),
    ("member-addresses", lambda said: said.update(names=None)),
    ("member-addresses", lambda said: said["names"].update(pinned=None)),
    ("member-addresses", lambda said: said["names"].update(first=None)),
    ("code-path", lambda said: said.update(replaceable_code=None)),
    ("running-code", lambda said: said.update(foreign_code=None)),
    ("ssh-daemons", lambda said: said.update(ssh_daemons=None)),
    ("boot-server-running", lambda said: said.update(boot_server=None)),
    ("atom-table", lambda said: said.update(atoms=None)),
]


@pytest.mark.parametrize(("control", "change"), UNKNOWN)
def test_what_a_node_did_not_say_is_not_tested(control: str, change: Change) -> None:
    assert [(found.control, found.status) for found in with_said(change).failures if found.control != ALSO] == [(control, NOT_TESTED)]


OF_EVERY_NODE = set(running_node_checks.CHECKS) - running_node_checks.OF_ONE_PRODUCT.keys()
"""test_unseeded_faults.py breaks the others."""


def test_every_control_was_broken_and_unknown() -> None:
    assert {control for control, _change, _says in BROKEN} == {control for control, _change in UNKNOWN} == OF_EVERY_NODE


@pytest.mark.parametrize("values", [{"in_force": None}, {"code": "closed", "in_force": None}, None])
def test_a_node_that_was_not_asked_is_not_tested(values: dict[str, Any] | None) -> None:
    verdict = evaluate(made.evidence(mesh={"beam@n2": values}))
    status = {found.control: found.status for found in verdict.findings if found.subject == "beam@n2"}
    assert {status[control] for control in OF_EVERY_NODE} == {NOT_TESTED}


def kernel(**values: Any) -> Link:
    facts = {"node": "beam@n2", "pid": 42, "incoming": True, "local_port": 9100, "address": "10.89.1.11", "remote_port": 40000, "wire": "tls"}
    return Link(**{**facts, **values})


LINKS: list[tuple[Link, str]] = [
    (kernel(), ""),
    (kernel(wire="silent"), ""),
    (kernel(address="127.0.0.1"), ""),
    (kernel(wire="clear"), "its connection from 10.89.1.11:40000 (pid 42) carries the distribution protocol in clear text"),
    (kernel(address="192.0.2.1"), "its connection from 192.0.2.1:40000 (pid 42) leads to no member's address"),
    # A client that fetches from a port 9100 of another program is no link.
    (kernel(incoming=False, local_port=40000, remote_port=9100, address="192.0.2.1", wire="unclear"), ""),
    (kernel(incoming=False, local_port=40000, remote_port=9100, address="192.0.2.1", wire="clear"), "leads to no member's address"),
]


@pytest.mark.parametrize(("one", "says"), LINKS)
def test_links_as_the_kernel_sees_them(one: Link, says: str) -> None:
    found = with_said(lambda said: None, [one]).failures
    assert [bad.control for bad in found] == (["links"] if says else [])
    assert not says or any(says in detail for detail in found[0].details)


def test_links_that_the_kernel_did_not_show_are_not_tested() -> None:
    verdict = evaluate(made.evidence(links={name: [] for name in ("n1", "n3")}))
    assert [(found.control, found.status, found.subject) for found in verdict.failures] == [("links", NOT_TESTED, "beam@n2")]


def test_a_departing_node_stays_allowed_until_the_next_restart() -> None:
    of = made.plan()
    of["departing_nodes"] = [{"node": "beam@n4"}]
    said = made.in_force(NODES, "beam@n2")
    of["hosts"]["n2"]["nodes"][0]["product_data"] = {"tool_names": {"prefix": "rabbitmqcli-", "count": 9}}
    said["allowed"] += ["beam@n4", "beam_probe@n4", "rabbitmqcli-7-beam@n4"]
    verdict = evaluate(made.evidence(of=of, mesh={"beam@n2": {"in_force": said}}))
    assert verdict.ok
    (found,) = (one for one in verdict.findings if one.control == "allow-list" and one.subject == "beam@n2")
    assert "until its next restart also beam@n4" in found.details[0]


def test_the_names_of_a_products_tools_are_allowed() -> None:
    of = made.plan()
    of["hosts"]["n2"]["nodes"][0]["product_data"] = {"tool_names": {"prefix": "rabbitmqcli-", "count": 9}}
    said = made.in_force(NODES, "beam@n2")
    said["allowed"] += ["rabbitmqcli-7-beam@n1", "rabbitmqcli-7-beam@n9"]
    (found,) = evaluate(made.evidence(of=of, mesh={"beam@n2": {"in_force": said}})).failures
    assert found.details == ("lets rabbitmqcli-7-beam@n9 connect, which is no member",)
