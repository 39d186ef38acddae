# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stock RabbitMQ cluster that runs in clear text, with messages in it and a client at work, is taken over by the site play.

What would lose something is refused before anything is touched.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import NODES, ROOT, Lab, recap, until

INVENTORY = ("-i", str(ROOT / "molecule/rabbitmq/inventory.yml"))
FULL_STOP = ("--extra-vars", "beam_full_stop=true")
CLIENT = ROOT / "molecule/default/tests/rabbitmq/client.py"
INSTALL = "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends"
JOIN = "rabbitmqctl -q stop_app && rabbitmqctl -q join_cluster rabbit@n1 && rabbitmqctl -q start_app"
MESSAGES = 1000
KINDS = ("quorum", "classic", "stream")


@dataclass(frozen=True)
class Stock:
    """A cluster as its operator has made it by Debian's package and RabbitMQ's own tools."""

    lab: Lab
    addresses: list[str]
    """Where clients come: the public ones, in the order of `NODES`."""

    def play(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.lab.play(*INVENTORY, *arguments)

    def client(self, *words: str) -> dict[str, int]:
        return json.loads(self.lab.on("outsider", f"timeout 600 python3 /run/client.py {' '.join(words)}", timeout=620))

    def everywhere(self, command: str) -> list[str]:
        return [self.lab.on(host, command).strip() for host in NODES]

    def at_once(self, command: str) -> None:
        """Nodes that were members wait for each other: with --no-block, and then for the last of them."""
        self.everywhere(command)
        until(lambda: all(self.lab.tries(host, "rabbitmqctl -q await_online_nodes 3").returncode == 0 for host in NODES), 120, "the cluster")

    def processes(self) -> list[str]:
        return self.everywhere("systemctl show --property=MainPID --value rabbitmq-server")


@pytest.fixture(scope="module")
def stock() -> Iterator[Stock]:
    lab = Lab(f"{os.environ.get('LAB_PREFIX', 'beam-')}migrate-")
    made = lab.play(*INVENTORY, playbook="molecule/default/create.yml")
    assert made.returncode == 0, made.stdout[-4000:]
    cluster = [lab.variable(host, "beam_address") for host in NODES]
    stock = Stock(lab, [lab.variable(host, "lab_public_address") for host in NODES])
    for host in NODES:
        lab.write(host, "/run/names", "".join(f"{address} {name}\n" for address, name in zip(cluster, NODES)))
        lab.on(host, f"cat /run/names >> /etc/hosts; {INSTALL} rabbitmq-server", timeout=400)
    cookie = lab.on("n1", "cat /var/lib/rabbitmq/.erlang.cookie")
    for host in NODES[1:]:
        lab.on(host, "systemctl stop rabbitmq-server")
        lab.write(host, "/var/lib/rabbitmq/.erlang.cookie", cookie)
        lab.on(host, f"systemctl start rabbitmq-server && {JOIN}")
    lab.on("n1", "rabbitmqctl -q add_user tester tester-of-queues && rabbitmqctl -q set_permissions tester '.*' '.*' '.*'")
    lab.on("outsider", f"{INSTALL} python3-pika", timeout=400)
    lab.write("outsider", "/run/client.py", CLIENT.read_text(encoding="utf-8"))
    for kind in KINDS:
        assert stock.client("publish", stock.addresses[0], f"kept-{kind}", kind, str(MESSAGES)) == {"confirmed": MESSAGES}
    yield stock
    lab.play(*INVENTORY, playbook="molecule/default/destroy.yml")


@dataclass(frozen=True)
class Refusal:
    """What is done to the cluster before the run and after it, what the run is told, and the rules that have to be among the reasons."""

    rules: set[str]
    before: dict[str, str]
    after: dict[str, str]
    arguments: tuple[str, ...] = FULL_STOP


OTHER_NAMES = ("--extra-vars", '{"beam_node_name": "bunny@{{ inventory_hostname }}"}')
ON_ALL = dict.fromkeys
REFUSALS = {
    "nobody has said that it may": Refusal({"full_stop"}, {}, {}, ()),
    "not all are in the run": Refusal({"full_stop"}, {}, {}, (*FULL_STOP, "--limit", "n1,n2")),
    "other names": Refusal({"other_nodes"}, {}, {}, (*FULL_STOP, *OTHER_NAMES)),
    "other names, and nothing runs": Refusal(
        {"data_of_another_name"},
        ON_ALL(NODES, "systemctl stop rabbitmq-server"),
        ON_ALL(NODES, "systemctl start --no-block rabbitmq-server"),
        (*FULL_STOP, *OTHER_NAMES),
    ),
    "a member is down": Refusal(
        {"member_down", "queue_not_whole"}, {"n3": "systemctl stop rabbitmq-server"}, {"n3": "systemctl start rabbitmq-server"}
    ),
    "a member is stopped inside": Refusal({"member_down", "not_reached"}, {"n3": "rabbitmqctl -q stop_app"}, {"n3": "rabbitmqctl -q start_app"}),
    "an alarm": Refusal(
        {"alarms"},
        {"n1": "rabbitmqctl -q set_vm_memory_high_watermark 0.00000001; sleep 3"},
        {"n1": "rabbitmqctl -q set_vm_memory_high_watermark 0.4"},
    ),
    "another network": Refusal({"other_network"}, {}, {}, (*FULL_STOP, "--extra-vars", '{"beam_address": "{{ lab_public_address }}"}')),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_would_lose_something_is_refused_and_nothing_is_touched(stock: Stock, name: str) -> None:
    refusal = REFUSALS[name]
    for host, command in refusal.before.items():
        stock.lab.on(host, command)
    before = stock.processes()
    try:
        done = stock.play(*refusal.arguments)
        reasons = re.findall(r"^\d+\. .*", done.stdout + done.stderr, re.MULTILINE)
        print(*reasons, sep="\n")
        assert done.returncode != 0
        assert {rule for reason in reasons for rule in re.findall(r"\((\w+)\): ", reason)} >= refusal.rules, done.stdout[-3000:]
        assert {counts["changed"] for counts in recap(done.stdout).values()} == {0}, done.stdout[-3000:]
        assert stock.processes() == before
        assert stock.everywhere("ls -d /etc/beam /etc/rabbitmq/conf.d 2>/dev/null || true") == [""] * len(NODES)
    finally:
        for host, command in refusal.after.items():
            stock.lab.on(host, command)
        stock.at_once("true")


def test_a_running_cluster_moves_to_tls_and_loses_nothing(stock: Stock) -> None:
    stock.lab.on(
        "outsider",
        "systemd-run --quiet --unit steady --property=StandardOutput=file:/run/steady.json "
        f"python3 /run/client.py steady 1200 live {' '.join(stock.addresses)}; sleep 3",
    )
    before = stock.processes()
    done = stock.play(*FULL_STOP)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    stock.lab.on("outsider", "systemctl kill --signal=INT steady; timeout 20 sh -c 'while systemctl --quiet is-active steady; do sleep 0.5; done'")
    felt = json.loads(stock.lab.on("outsider", "cat /run/steady.json"))
    print(felt)
    assert not set(before) & set(stock.processes())
    assert felt["confirmed"] > 100
    assert felt["longest"] < 60
    for queue, count in (("live", felt["confirmed"]), ("kept-quorum", MESSAGES), ("kept-classic", MESSAGES)):
        drained = stock.client("drain", stock.addresses[1], queue, str(count))
        print(queue, drained)
        assert drained["missing"] == 0
        assert drained["got"] >= count
    assert stock.client("consume", stock.addresses[2], "kept-stream", "stream", str(MESSAGES)) == {"got": MESSAGES, "distinct": MESSAGES}


def test_clear_text_is_over(stock: Stock) -> None:
    """The run has proven itself; this is what its report and the sockets say."""
    report = json.loads((Path(stock.lab.variable("n1", "beam_verify_report_dir")) / "beam.json").read_text(encoding="utf-8"))
    assert report["result"] == "passed"
    assert {attack["result"] for attack in report["attacks"]} == {"refused"}
    assert {attack["to"] for attack in report["attacks"] if attack["attack"] == "plaintext"} == {f"rabbit@{host}" for host in NODES}
    for host in NODES:
        assert stock.lab.on(host, "ss -Htn '( sport = :25672 or dport = :25672 )'; ss -Hltn 'sport = :25672'") == "", host


def test_a_second_run_changes_nothing(stock: Stock) -> None:
    """And asks nobody: no node is a stranger any more."""
    counted = recap(stock.play().stdout)
    assert {counts["changed"] for counts in counted.values()} == {0}, counted


def test_taken_back_it_is_a_stock_cluster_again_and_a_run_that_breaks_off_is_gone_on_with(stock: Stock) -> None:
    """Killed when the files say TLS and the brokers still run without: their tools reach them, for the operator and for the next run."""
    back = stock.play("--extra-vars", "beam_state=absent")
    assert back.returncode == 0, back.stdout[-6000:] + back.stderr[-2000:]
    stock.at_once("systemctl start --no-block rabbitmq-server")
    for kind in KINDS:
        assert stock.client("publish", stock.addresses[0], f"back-{kind}", kind, str(MESSAGES)) == {"confirmed": MESSAGES}
    before = stock.processes()
    stock.lab.kill_play_at("Compare running nodes with their files", 1, *INVENTORY, *FULL_STOP)
    assert stock.processes() == before and stock.everywhere("ls /etc/beam/rabbit@$(hostname)/vm.args")
    stock.everywhere("rabbitmqctl -q list_vhosts && rabbitmq-diagnostics -q check_running")
    done = stock.play(*FULL_STOP)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    for queue in ("back-quorum", "back-classic"):
        assert stock.client("drain", stock.addresses[1], queue, str(MESSAGES)) == {"got": MESSAGES, "missing": 0}
    assert stock.client("consume", stock.addresses[2], "back-stream", "stream", str(MESSAGES)) == {"got": MESSAGES, "distinct": MESSAGES}
