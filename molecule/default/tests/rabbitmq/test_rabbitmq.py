# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RabbitMQ after the hardening: still a cluster, still a broker, its own tools still work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NODES, Node
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[4]
HERE = Path(__file__).resolve().parent
INVENTORY = ["-i", str(ROOT / "molecule/inventory"), "-i", str(ROOT / "molecule/rabbitmq/inventory.yml")]
KINDS = ("classic", "quorum", "stream")
MESSAGES = 200


@pytest.fixture(scope="session")
def client(outsider: Host, nodes: list[Node]) -> Host:
    """A host that is no member, with Debian's client library and an account."""
    if outsider.run("python3 -c 'import pika'").rc != 0:
        outsider.check_output("apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends python3-pika")
    outsider.check_output("cat > /run/client.py <<'END'\n" + (HERE / "client.py").read_text() + "END")
    if "tester" not in nodes[0].host.check_output("rabbitmqctl --quiet list_users"):
        nodes[0].host.check_output("rabbitmqctl -q add_user tester tester-of-queues && rabbitmqctl -q set_permissions tester '.*' '.*' '.*'")
    return outsider


def ask(client: Host, *words: str) -> dict:
    return json.loads(client.check_output(f"timeout 600 python3 /run/client.py {' '.join(words)}"))


def cluster(node: Node) -> dict:
    return json.loads(node.host.check_output("rabbitmqctl --quiet --formatter=json cluster_status"))


def test_all_nodes_are_one_cluster(node: Node) -> None:
    status = cluster(node)
    assert sorted(status["running_nodes"]) == [f"rabbit@{name}" for name in NODES]
    assert not any(status["partitions"].values()) if isinstance(status["partitions"], dict) else not status["partitions"]


@pytest.mark.parametrize("user", ["root", "rabbitmq"])
@pytest.mark.parametrize(
    "tool", ["rabbitmqctl status", "rabbitmq-diagnostics check_running", "rabbitmq-plugins list", "rabbitmq-queues check_if_node_is_quorum_critical"]
)
def test_the_tools_work(node: Node, user: str, tool: str) -> None:
    node.host.check_output(f"cd / && su -s /bin/sh {user} -c '{tool}'")


def test_a_tool_reaches_the_other_nodes_too(node: Node, peer: Node) -> None:
    node.host.check_output(f"rabbitmqctl --quiet --node {peer.node} ping")


def test_a_tool_listens_for_members_only(node: Node) -> None:
    seen = node.host.check_output(
        "listeners() { ss -Hltn | awk '{print $4}' | sort; }; listeners > /run/before; "
        "timeout 60 rabbitmqctl --quiet eval 'timer:sleep(45000).' > /dev/null & "
        # The tool needs seconds to start on a busy machine; what else it opens follows at once.
        "for _ in $(seq 120); do listeners | comm -13 /run/before - | grep -q . && break; sleep 0.3; done; sleep 1; "
        "listeners | comm -13 /run/before -; kill $!; wait"
    ).split()
    assert [address.rpartition(":")[0] for address in seen] == [node.address("eth0")], seen
    assert 25673 <= int(seen[0].rpartition(":")[2]) <= 25683


def test_a_tool_without_the_nodes_files_is_refused(node: Node) -> None:
    """What works above does not work because nobody looks."""
    done = node.host.run("RABBITMQ_CONF_ENV_FILE=/dev/null rabbitmqctl --quiet --timeout 10 ping")
    assert done.rc != 0
    assert "connect" in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_node_takes_another_gives(node: Node, peer: Node, client: Host, kind: str) -> None:
    queue = f"test-{kind}-{node.name}"
    assert ask(client, "publish", node.address("eth1"), queue, kind, str(MESSAGES)) == {"confirmed": MESSAGES}
    assert ask(client, "consume", peer.address("eth1"), queue, kind, str(MESSAGES)) == {"got": MESSAGES, "distinct": MESSAGES}
    peer.host.check_output(f"rabbitmqctl --quiet delete_queue {queue}")


def test_streams_are_replicated_over_tls(node: Node, client: Host) -> None:
    """Osiris has links of its own, and reads the option file with other eyes."""
    ask(client, "publish", node.address("eth1"), "test-replicas", "stream", str(MESSAGES))
    assert "{ok,ssl}" in node.host.check_output("rabbitmqctl --quiet eval 'application:get_env(osiris, replication_transport).'")
    for name in ("server", "client"):
        options = node.host.check_output(f"rabbitmqctl --quiet eval 'application:get_env(osiris, replication_{name}_ssl_options).'")
        assert "{verify,verify_peer}" in options and f"/etc/beam/{node.node}/tls/ca.pem" in options, options
    replicas = json.loads(node.host.check_output("rabbitmqctl --quiet --formatter=json list_queues name members online"))
    (stream,) = [queue for queue in replicas if queue["name"] == "test-replicas"]
    assert sorted(stream["online"]) == [f"rabbit@{name}" for name in NODES]


def test_the_ports_of_replicas_and_tools_are_closed_to_the_outsider(node: Node, client: Host) -> None:
    for interface in ("eth0", "eth1"):
        found = client.check_output(f"timeout 300 nmap -n -Pn -T4 --max-retries 1 -p 6000-6500,25673-25683 -oG - {node.address(interface)}")
        assert "filtered" in found and "/open/" not in found and "/closed/" not in found, found


def test_the_memory_limit_is_that_of_the_host(node: Node) -> None:
    """The sandbox must not hide from RabbitMQ how much memory there is."""
    total = int(node.host.check_output("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) * 1024
    limit = int(node.host.check_output("rabbitmqctl --quiet eval 'vm_memory_monitor:get_vm_limit(), vm_memory_monitor:get_total_memory().'"))
    assert limit == total


def test_a_quorum_queue_stays_up_while_a_run_restarts_every_member(nodes: list[Node], client: Host) -> None:
    addresses = " ".join(node.address("eth1") for node in nodes)
    before = [node.host.check_output("systemctl show --property=MainPID --value rabbitmq-server") for node in nodes]
    client.check_output(
        f"systemd-run --quiet --unit steady --property=StandardOutput=file:/run/steady.json python3 /run/client.py steady 900 steady {addresses}"
    )
    run = subprocess.run(
        ["ansible-playbook", *INVENTORY, "beam.cluster.site", "--extra-vars", "beam_service_restart_seconds=6"],
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(run.stdout[-3000:])
    assert run.returncode == 0
    client.check_output("systemctl kill --signal=INT steady; timeout 20 sh -c 'while systemctl --quiet is-active steady; do sleep 0.5; done'")
    after = [node.host.check_output("systemctl show --property=MainPID --value rabbitmq-server") for node in nodes]
    assert all(old != new for old, new in zip(before, after)), "every member was to be restarted"
    felt = json.loads(client.check_output("cat /run/steady.json"))
    # Each one by one: the number that list_queues shows comes late.
    drained = json.loads(client.check_output(f"python3 /run/client.py drain {nodes[0].address('eth1')} steady {felt['confirmed']}"))
    print(felt, drained)
    assert felt["confirmed"] > 100 and drained["missing"] == 0
    assert felt["longest"] < 10, felt
