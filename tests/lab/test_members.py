# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts come and go: members that stay lose no link, restart nothing, and their clients lose no message."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import LINKS_KEPT, ROOT, Lab, recap, until

HOSTS = ("n1", "n2", "n3", "n4")
CLIENT = ROOT / "molecule/default/tests/rabbitmq/client.py"
INSTALL = "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends"
# From two to four and back. Each step is the hosts that are members after it.
STEPS = (2, 3, 4, 3, 2)
COUNTER = (
    "register(beam_test_counter, self()), net_kernel:monitor_nodes(true), "
    "(fun Count(Lost) -> receive {nodedown, Node} -> Count([Node | Lost]); {lost, From} -> From ! {lost, Lost}, Count(Lost); "
    "_ -> Count(Lost) end end)([])"
)


@dataclass
class Growing:
    """A lab of four hosts, of which some are members."""

    lab: Lab
    product: str
    inventory: tuple[str, ...]
    unit: str
    name: str
    home: str
    user: str
    counting: set[str] = field(default_factory=set)

    def play(self, members: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        absent = {host: {"beam_state": "absent"} for host in HOSTS[members:]}
        states = Path(f"/tmp/{self.lab.prefix}states.yml")
        states.write_text(json.dumps({"beam": {"hosts": absent}}), encoding="utf-8")
        return self.lab.play(*self.inventory, "-i", str(states), *LINKS_KEPT, *arguments)

    def node(self, host: str) -> str:
        return f"{self.name}@{host}"

    def evaluate(self, host: str, expression: str) -> str:
        """The value of an expression of a tool on the host, connected to the node as the checks are: hidden, over TLS."""
        home, directory = self.home.format(node=self.node(host)), f"/etc/beam/{self.node(host)}"
        return self.lab.on(
            host,
            f"cd / && runuser -u {self.user} -- env HOME={home} timeout 60 erl -noinput -hidden -sname beam_probe@{host} -start_epmd false "
            f"-dist_listen false -proto_dist inet_tls -ssl_dist_optfile {directory}/ssl_dist.conf -kernel inetrc '\"{directory}/inetrc\"' "
            f"-eval 'N = list_to_atom(\"{self.node(host)}\"), io:format(\"~n~p~n\", [{expression}]), halt().'",
        ).splitlines()[-1]

    def count(self, host: str) -> None:
        """Have a process in the node count the nodes that it loses."""
        if host not in self.counting:
            self.evaluate(host, f"rpc:call(N, erlang, spawn, [fun() -> {COUNTER} end])")
            self.counting.add(host)

    def lost(self, host: str) -> list[str]:
        said = self.evaluate(host, "begin {beam_test_counter, N} ! {lost, self()}, receive {lost, L} -> L after 5000 -> nobody end end")
        assert said.startswith("["), said
        return re.findall(r"[a-z_]+@[a-z0-9]+", said)

    def process(self, host: str) -> str:
        return self.lab.on(host, f"systemctl show --property=MainPID --value {self.unit}").strip()

    def address(self, host: str) -> str:
        return self.lab.on(host, "ip -4 -oneline address show dev eth0").split()[3].partition("/")[0]

    def let_in(self, host: str) -> set[str]:
        table = self.lab.on(host, "nft -j list set inet beam_cluster members4")
        return {element for entry in json.loads(table)["nftables"] if "set" in entry for element in entry["set"].get("elem", [])}


KINDS = {
    "erlang": ((), "beam.service", "beam", "/var/lib/beam/{node}", "beam"),
    "rabbitmq": (("-i", str(ROOT / "molecule/rabbitmq/inventory.yml")), "rabbitmq-server.service", "rabbit", "/var/lib/rabbitmq", "rabbitmq"),
}


@pytest.fixture(scope="module", params=KINDS)
def growing(request: pytest.FixtureRequest) -> Iterator[Growing]:
    lab = Lab(f"{os.environ.get('LAB_PREFIX', 'beam-')}m-{request.param[:3]}-")
    inventory, *rest = KINDS[request.param]
    growing = Growing(lab, request.param, (*inventory, "-i", "molecule/lab/four.yml"), *rest)
    made = lab.play(*growing.inventory, playbook="molecule/default/create.yml")
    assert made.returncode == 0, made.stdout[-4000:]
    yield growing
    lab.play(*growing.inventory, playbook="molecule/default/destroy.yml")


def client(growing: Growing, *words: str) -> dict[str, float]:
    return json.loads(growing.lab.on("outsider", f"timeout 600 python3 /run/client.py {' '.join(words)}", timeout=620))


def publish(growing: Growing) -> None:
    """A publisher that waits for confirms, to a quorum queue with as many replicas as there are members."""
    lab = growing.lab
    if lab.tries("outsider", "test -e /run/client.py").returncode != 0:
        lab.on("outsider", f"{INSTALL} python3-pika", timeout=400)
        lab.write("outsider", "/run/client.py", CLIENT.read_text(encoding="utf-8"))
        lab.on("n1", "rabbitmqctl -q add_user tester tester-of-queues && rabbitmqctl -q set_permissions tester '.*' '.*' '.*'")
    # To those that stay: whoever publishes through a host that leaves has to go elsewhere.
    where = " ".join(lab.variable(host, "lab_public_address") for host in ("n1", "n2"))
    command = f"python3 /run/client.py steady 1800 steady {where}"
    lab.on("outsider", f"systemd-run -q --unit steady --property=StandardOutput=file:/run/steady.json {command}")


def published(growing: Growing) -> tuple[dict[str, float], dict[str, float]]:
    """What was confirmed with the longest wait, and what of it is missing."""
    growing.lab.on("outsider", "systemctl kill --signal=INT steady; timeout 30 sh -c 'while systemctl -q is-active steady; do sleep 0.5; done'")
    felt = json.loads(growing.lab.on("outsider", "cat /run/steady.json"))
    return felt, client(growing, "drain", growing.lab.variable("n1", "lab_public_address"), "steady", str(int(felt["confirmed"])))


def test_hosts_come_and_go_and_those_that_stay_feel_nothing(growing: Growing) -> None:
    lab, before = growing.lab, 0
    for members in STEPS:
        stay = HOSTS[: min(before, members)]
        processes = [growing.process(host) for host in stay]
        for host in stay:
            growing.count(host)
        if before and growing.product == "rabbitmq":
            publish(growing)
        played = growing.play(members)
        assert played.returncode == 0, (before, members, played.stdout[-6000:])
        assert "PASSED" in played.stdout, played.stdout[-3000:]
        assert [growing.process(host) for host in stay] == processes, "a member that stays was restarted"
        leavers = [growing.node(host) for host in HOSTS[members:before]]
        for host in stay:
            assert set(growing.lost(host)) <= set(leavers), f"{before} to {members}: {host} has lost a member that stays"
            assert growing.let_in(host) == {growing.address(member) for member in HOSTS[:members]}
        if before and growing.product == "rabbitmq":
            felt, drained = published(growing)
            print(f"{before} to {members}: {felt} {drained}")
            assert felt["confirmed"] > 100 and drained["missing"] == 0 and felt["longest"] < 10
            known = json.loads(lab.on("n1", "rabbitmqctl -q --formatter=json cluster_status"))
            assert sorted(known["disk_nodes"]) == sorted(known["running_nodes"]) == [growing.node(host) for host in HOSTS[:members]]
            for host in HOSTS[:members]:
                lab.on(host, "rabbitmqctl -q list_queues name members online")
            if members > before:
                lab.on("n1", f"rabbitmq-queues -q grow {growing.node(HOSTS[members - 1])} all")
        before = members
    again = growing.play(before)
    assert again.returncode == 0 and all(counts["changed"] == 0 for counts in recap(again.stdout).values()), again.stdout[-3000:]


def test_the_counter_counts_a_link_that_is_cut(growing: Growing) -> None:
    """What the test above counts is what it would see."""
    if growing.product == "rabbitmq":
        pytest.skip("a cut link is a split cluster to RabbitMQ")
    growing.count("n1")
    lost = growing.lost("n1")
    growing.evaluate("n1", "rpc:call(N, erlang, disconnect_node, [list_to_atom(\"" + growing.node("n2") + "\")])")
    until(lambda: len(growing.lost("n1")) > len(lost), 20, "the counter")


def test_a_host_whose_queue_nobody_else_has_does_not_leave(growing: Growing) -> None:
    if growing.product != "rabbitmq":
        pytest.skip("it has no queues")
    lab = growing.lab
    where = lab.variable("n2", "lab_public_address")
    assert client(growing, "publish", where, "lonely", "classic", "10") == {"confirmed": 10}
    process = growing.process("n2")
    refused = growing.play(1)
    assert refused.returncode != 0 and "queue_needs_node" in refused.stdout and "lonely" in refused.stdout, refused.stdout[-3000:]
    assert all(counts["changed"] == 0 for counts in recap(refused.stdout).values()), "something was touched"
    assert growing.process("n2") == process
    lab.on("n2", "rabbitmqctl -q delete_queue lonely")


def test_a_restart_that_stops_queues_is_refused_before_it_begins_and_can_be_forced(growing: Growing) -> None:
    if growing.product != "rabbitmq":
        pytest.skip("it has no queues")
    publish(growing)
    processes = [growing.process(host) for host in ("n1", "n2")]
    refused = growing.play(2, "--extra-vars", "beam_service_restart_seconds=7")
    assert refused.returncode != 0 and "beam_restart=force" in refused.stdout and "FAILED - RETRYING" not in refused.stdout, refused.stdout[-3000:]
    assert [growing.process(host) for host in ("n1", "n2")] == processes
    forced = growing.play(2, "--extra-vars", "beam_service_restart_seconds=7 beam_restart=force")
    assert forced.returncode == 0, forced.stdout[-4000:]
    assert all(old != new for old, new in zip(processes, [growing.process(host) for host in ("n1", "n2")]))
    felt, drained = published(growing)
    print(f"forced: {felt} {drained}")
    assert drained["missing"] == 0
