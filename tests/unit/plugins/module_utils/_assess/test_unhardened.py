# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every attack gets into a real node that nothing was done for, and the controls say so; the same attacks are refused by one that is set up right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import ATTACKS
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.attacks import outcome_of
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import NOT_TESTED, REFUSED, SUCCEEDED, Outcome
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Answer, Probe, Questions, options
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import Target
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import connection_spec
from ansible_collections.beam.cluster.plugins.module_utils._net.dist_probe import probe as dist_probe

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "matrix"))
import nodes  # noqa: E402

WRONG = "nocookie"
RELEASE = nodes.host_release() or "25"


class Place:
    """Real nodes on loopback, and the means of a member on the host `vantage`."""

    def __init__(self, folder: Path) -> None:
        self.pki = nodes.Pki(folder / "pki").make_ca()
        for name in ("vantage", "localhost"):
            self.pki.issue(name, sans=f"DNS:{name}")
        self.pki.issue("expired", sans="DNS:vantage", expired=True)
        # The certificates lie within: a node that runs in a tree of its own sees the lab's folder only.
        self.lab = nodes.Lab(folder).start()

    def node(self, name: str, *, tls: str | None, arguments: tuple[str, ...] = ()) -> None:
        self.lab.node(RELEASE, f"{name}@localhost", tls=tls, arguments=arguments)

    def questions(self, target: str, tls: bool = True) -> Questions:
        port = self.lab.names()[target]
        versions = ["tlsv1.3"] if tls else []

        def member(node: str, host: str) -> dict[str, Any]:
            return {"node": node, "host": host, "address": "127.0.0.1", "ports": {"first": port, "last": port}, "port": None, "hidden": False}

        def host(name: str) -> dict[str, Any]:
            return {"in_run": name == "localhost", "nodes": [], "firewall": {"backend": "nftables"}, "epmd": {"listen": ["127.0.0.1"]}}

        plan = {
            "members": [member(f"{target}@localhost", "localhost"), member("beam@third", "third"), member("beam@vantage", "vantage")],
            "hosts": {name: host(name) for name in ("localhost", "third", "vantage")},
            "mode": "cluster",
            "tls": tls,
            "tls_versions": versions,
            "epmd_port": self.lab.epmd_port,
        }
        return Questions(Target.from_plan(plan))

    def ask(self, made: list[Probe], *, cookie: str, tls: bool = True, at_once: bool = False) -> list[Answer]:
        """What the role does with these probes, without Ansible in between. at_once: for a node where a probe may take the whole timeout."""
        expired = self.pki.pair("expired")
        common: dict[str, Any] = {name: option.get("default") for name, option in connection_spec().items()}
        common.update(cookie=cookie, name="beam_probe@vantage", epmd_port=self.lab.epmd_port, timeout=6, expect=["any"], user=None)
        if tls:
            common["tls"] = {"ca": self.pki.ca, **self.pki.pair("vantage"), "versions": ["tlsv1.3"], "verify": True}

        def answer(probe: Probe) -> Answer:
            target = options(probe, None, {"expired": expired["certificate"]})
            if probe.credentials.certificate == "expired":
                target["tls"]["key"] = expired["key"]
            (told,) = dist_probe({**common, "targets": [target]})
            return Answer.parse(probe, told)

        with ThreadPoolExecutor(len(made) if at_once else 1) as pool:
            return list(pool.map(answer, made))

    def attack(self, target: str, *, cookie: str, tls: bool = True, at_once: bool = False) -> dict[str, Outcome]:
        """All attacks on one node of this place, by name. Its one address stands for every network. tls: whether the node is to speak it."""
        questions = self.questions(target, tls)
        node = f"{target}@localhost"
        honest = [probe for probe in questions.connects("beam@vantage") if probe.target == node]
        (baseline,) = self.ask(honest, cookie=cookie, tls=tls)
        made = [*questions.attacks("vantage", "beam@vantage"), *questions.attacks("outsider")]
        made += [
            replace(probe, control=probe.control.replace("outside", "member-public"), network="public", source="beam@vantage", vantage="vantage")
            for probe in made
            if probe.vantage == "outsider"
        ]
        # Whoever runs this is another user to the node than root would be.
        made += [probe for probe in questions.attacks("localhost", node) if probe.control.startswith("local") and probe.address != "::1"]
        assert {probe.control for probe in made} == {attack.id for attack in ATTACKS if questions.applies(attack)}
        outcomes = {}
        for answer in self.ask(made, cookie=cookie, tls=tls, at_once=at_once):
            assert answer.probe.attack
            outcome = outcome_of(answer, answer.probe.attack, baseline, [baseline])
            assert outcome is not None
            outcomes[answer.probe.control] = outcome
        return outcomes


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("unhardened"))
    try:
        lax = nodes.option_file(made.pki, "localhost", versions="'tlsv1.3','tlsv1.2'", verify="verify_none", fail="false")
        made.node("plain", tls=None, arguments=("-nocookie",))
        made.node("lax", tls=lax, arguments=("-nocookie",))
        strict = nodes.option_file(made.pki, "localhost")
        allow = ("-eval", "ok = net_kernel:allow(['strict@localhost', 'beam@third', 'beam@vantage', 'beam_probe@vantage']).")
        made.node("strict", tls=strict, arguments=allow)
        # What beam_tls: false makes of a node: the list is one of names there, and of the node's own host.
        clear = "ok = net_kernel:allow(['clear@localhost', 'beam@third', 'beam@vantage', 'beam_probe@vantage', 'localhost'])."
        made.node("clear", tls=None, arguments=("-eval", clear))
        yield made
    finally:
        made.lab.stop()


TLS_LAYER = {"no-certificate", "foreign-certificate", "expired-certificate", "old-tls"}


def test_tls_that_verifies_nobody_lets_every_attack_in_but_plaintext(place: Place) -> None:
    outcomes = place.attack("lax", cookie=WRONG)
    assert {name for name, outcome in outcomes.items() if outcome.status == SUCCEEDED} == set(outcomes) - {"plaintext"}, outcomes
    assert outcomes["plaintext"].status == REFUSED
    assert {outcomes[name].answer.code for name in TLS_LAYER | {"wrong-cookie", "other-name"}} == {"connected"}


def test_a_stock_node_lets_plaintext_in(place: Place) -> None:
    outcomes = place.attack("plain", cookie=WRONG, at_once=True)
    for attack in ("plaintext", *(attack.id for attack in ATTACKS if attack.stage == "connect")):
        assert outcomes[attack].status == SUCCEEDED, outcomes[attack]
    assert outcomes["plaintext"].answer.code == "connected"
    # There is no TLS to attack: what was never refused must not look as if it was.
    assert REFUSED not in {outcome.status for outcome in outcomes.values()}


def test_a_node_set_up_right_refuses_what_its_own_options_can_refuse(place: Place) -> None:
    outcomes = place.attack("strict", cookie=nodes.COOKIE)
    refused = TLS_LAYER | {"plaintext", "other-name", "wrong-cookie"}
    assert {name: outcomes[name].status for name in refused} == dict.fromkeys(refused, REFUSED), outcomes
    # Nothing stands in front of this one: the network's part is the firewall's, not the node's.
    assert {name for name, outcome in outcomes.items() if outcome.status == SUCCEEDED} == set(outcomes) - refused


def test_a_node_in_clear_text_is_shown_as_one_and_refuses_all_the_rest(place: Place) -> None:
    outcomes = place.attack("clear", cookie=nodes.COOKIE, tls=False)
    assert outcomes["plaintext"].status == SUCCEEDED
    assert outcomes["plaintext"].answer.code == "connected"
    assert outcomes["wrong-cookie"].status == REFUSED, outcomes
    assert outcomes.keys().isdisjoint(TLS_LAYER)
    # A node that speaks TLS all the same has no honest connection in clear text, and that is what is said of it.
    outcomes = place.attack("strict", cookie=nodes.COOKIE, tls=False, at_once=True)
    assert outcomes["plaintext"].status == NOT_TESTED


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("beam_probe@vantage", "connected"),
        ("beam@third", "connected"),
        ("shell@localhost", "connected"),
        ("shell@vantage", "not_allowed"),
        ("beam@fourth", "not_allowed"),
    ],
)
def test_in_clear_text_the_allow_list_is_one_of_names_and_of_the_own_host(place: Place, name: str, code: str) -> None:
    common: dict[str, Any] = {option: value.get("default") for option, value in connection_spec().items()}
    common.update(cookie=nodes.COOKIE, name=name, epmd_port=place.lab.epmd_port, timeout=5.0, expect=["any"], user=None)
    (told,) = dist_probe({**common, "targets": [{"node": "clear@localhost", "host": "127.0.0.1"}]})
    assert told["code"] == code, told
