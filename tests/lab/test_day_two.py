# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Day two of a product under a client: what each playbook costs, and that a run after it finds nothing to do.

`PRODUCT` names the product, and its lab runs. Each step prints a row: seconds, the client's longest wait, its reconnects, links lost, failed calls of
the product's own tool. Hosts that come and go are in test_members.py.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from conftest import LINKS_KEPT, NODES, ROOT, Lab, changes, until
from test_revoke import MONITOR
from test_rotate_cookie import EVALUATE
from test_upgrade_otp import REPOSITORY

INSTALL = "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends"
EVENTS = "beam_counter ! {ask, self()}, receive Events -> [Node || {nodedown, Node} <- Events] after 2000 -> none end."


@dataclass(frozen=True)
class Product:
    """How it is called, what its own tool is asked, and what its client needs."""

    name: str
    unit: str
    user: str
    home: str
    tool: str
    whole: str
    """What the tool is asked, and says once for each of the nodes that are linked."""
    client: tuple[str, ...]
    package: str = ""
    users: str = "true"


PRODUCTS = {
    "rabbitmq": Product(
        "rabbit", "rabbitmq-server", "rabbitmq", "/var/lib/rabbitmq",
        "rabbitmqctl -q list_vhosts",
        "rabbitmqctl -q eval '{[node() | nodes()], rabbit_node_monitor:partitions()}.' | grep ',\\[\\]}'",
        ("steady", "1800", "steady"), "python3-pika",
        "rabbitmqctl -q add_user tester tester-of-queues; rabbitmqctl -q set_permissions tester '.*' '.*' '.*'",
    ),
    "ejabberd": Product(
        "ejabberd", "ejabberd", "ejabberd", "/var/lib/ejabberd",
        "ejabberdctl status", "ejabberdctl list_cluster",
        ("steady", "1800"), "python3-slixmpp",
        "ejabberdctl register alice localhost secret; ejabberdctl register bob localhost secret; true",
    ),
    "release": Product(
        "shop", "shop", "shop", "/var/lib/beam/{node}",
        "/etc/beam/shop@$(hostname)/release pid", "bash -c 'exec 3<>/dev/tcp/127.0.0.1/4000; echo >&3; cat <&3'",
        ("steady", "1800"),
    ),
}
NAME = os.environ.get("PRODUCT", "rabbitmq")
PRODUCT = PRODUCTS[NAME]


@dataclass(frozen=True)
class Step:
    """One day's work. `keep` are variables that stay for all later runs, `once` those of this run only; a secret is drawn where a value is `NEW`."""

    playbook: str = "site"
    keep: dict[str, Any] = field(default_factory=dict)
    once: dict[str, Any] = field(default_factory=dict)
    restarts: bool = False
    """Whether every node restarts: then links are lost, and the tool fails while its own node is down."""
    out: str = ""
    """A member that the others let go, or take back."""
    after: str = "site"
    """The run that finds nothing to do: none where it would stop on purpose."""
    before: str = ""
    """A command on each host before it."""
    lost: str = ""
    """What of the CA's directory is lost before it: a file, or `.` for all."""


NEW = "a new secret"
OUT = f"{PRODUCT.name}@n3"
STEPS = {
    "all certificates, with new keys": Step("renew", once={"beam_pki_renew": "all", "beam_pki_renew_key": True}),
    "cookie": Step("rotate_cookie", keep={"beam_cookie": NEW}),
    "CA": Step("rotate_ca"),
    "passphrase of the CA": Step(
        "rekey_ca_passphrase", keep={"beam_pki_ca_passphrase": NEW}, once={"beam_pki_ca_passphrase_old": "beam_pki_ca_passphrase"}
    ),
    "passphrase of the CA is lost": Step("rotate_ca", keep={"beam_pki_ca_passphrase": NEW}, lost="root/key.pem"),
    "directory of the CA is lost": Step("rotate_ca", lost="."),
    "CRLs on": Step(keep={"beam_pki_crl": True}, restarts=True),
    "certificate revoked": Step("revoke", once={"beam_revoke": OUT}, out=OUT, after=""),
    "certificate accepted again": Step("revoke", once={"beam_unrevoke": OUT}, out=OUT),
    "cookie is stolen": Step("compromised", keep={"beam_cookie": NEW}, once={"beam_compromised": "cookie"}),
    "key of a node is stolen": Step("compromised", once={"beam_compromised": f"key:{OUT}"}, out=OUT),
    "key of the CA is stolen": Step("compromised", once={"beam_compromised": "ca"}),
    "directory of a CA with CRLs is lost": Step("rotate_ca", lost="."),
    "other ports": Step(keep={"beam_ports": "9300-9309"}, restarts=True),
    "OTP upgraded": Step("upgrade_otp", restarts=True, before=REPOSITORY),
    "restart": Step("restart", once={"beam_service_restart": "all"}, restarts=True),
}


@dataclass
class Cluster:
    """The hardened cluster of the product, with the variables of its next run in a file: no secret is in the list of processes."""

    lab: Lab
    directory: Path
    variables: dict[str, Any] = field(default_factory=dict)

    def play(self, playbook: str, once: dict[str, Any] | None = None, inventory: tuple[str, ...] = ()) -> tuple[int, str]:
        given = self.directory / "given.yml"
        given.write_text(json.dumps({**self.variables, **(once or {})}), encoding="utf-8")
        ours = ("-i", str(ROOT / f"molecule/{NAME}/inventory.yml"))
        done = self.lab.play(*ours, *inventory, *LINKS_KEPT, "--extra-vars", f"@{given}", playbook=f"playbooks/{playbook}.yml")
        output = done.stdout + done.stderr
        assert not [name for name, value in self.variables.items() if isinstance(value, str) and len(value) > 40 and value in output]
        return done.returncode, done.stdout

    def evaluate(self, host: str, text: str) -> str:
        node = f"{PRODUCT.name}@{host}"
        self.lab.write(host, "/run/evaluate", text)
        return self.lab.on(
            host,
            f"cd / && runuser -u {PRODUCT.user} -- env HOME={PRODUCT.home.format(node=node)} timeout 60 "
            f"erl -args_file /etc/beam/{node}/tool.args -sname beam_probe@{host} -noshell -eval '{EVALUATE % node}'",
        )

    def pids(self, out: str = "") -> list[str]:
        stay = [host for host in NODES if f"{PRODUCT.name}@{host}" != out]
        return [self.lab.on(host, f"systemctl show --property=MainPID --value {PRODUCT.unit}").strip() for host in stay]

    def is_whole(self) -> bool:
        said = [self.lab.tries(host, PRODUCT.whole) for host in NODES]
        return all(one.returncode == 0 and (one.stdout.count(f"{PRODUCT.name}@n") == 3 or "3 nodes" in one.stdout) for one in said)

    def lost(self, out: str) -> list[str]:
        """Links that nodes lost, without those of the member that the others let go."""
        found = []
        for host in NODES:
            if f"{PRODUCT.name}@{host}" != out:
                found += [f"{host}-{name}" for name in re.findall(r"[a-z]+@n\d", self.evaluate(host, EVENTS)) if name != out]
        return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    lab = Lab(os.environ.get("LAB_PREFIX", "beam-"))
    cluster = Cluster(lab, tmp_path_factory.mktemp("vars"))
    status, output = cluster.play("site")
    assert status == 0 and "PASSED" in output, output[-5000:]
    lab.on("n1", PRODUCT.users)
    if PRODUCT.package:
        lab.on("outsider", f"{INSTALL} {PRODUCT.package}", timeout=400)
    source = ROOT / f"molecule/default/tests/{NAME}/client.py"
    lab.write("outsider", "/run/client.py", source.read_text(encoding="utf-8"))
    yield cluster


def start(cluster: Cluster, out: str) -> None:
    """The client, at the nodes that stay; the product's own tool, again and again on n1; in each of these nodes a counter of lost links."""
    where = " ".join(cluster.lab.variable(host, "lab_public_address") for host in ("n1", "n2"))
    client = f"python3 /run/client.py {' '.join(PRODUCT.client)} {where}"
    # A step that failed has left them running.
    cluster.lab.on("outsider", "systemctl stop steady 2>/dev/null || true")
    cluster.lab.on("n1", "systemctl stop tool 2>/dev/null || true")
    run = "systemd-run --quiet --collect --property=StandardOutput=truncate:/run"
    cluster.lab.on("outsider", f"{run}/steady.json --unit steady {client}")
    loop = f"while :; do if timeout 60 {PRODUCT.tool} >/dev/null 2>&1; then echo ok; else echo no $(date +%T.%N); fi; sleep 8; done"
    cluster.lab.write("n1", "/run/tool.sh", loop)
    cluster.lab.on("n1", f"{run}/tool.log --unit tool bash /run/tool.sh")
    for host in NODES:
        if f"{PRODUCT.name}@{host}" != out:
            assert cluster.evaluate(host, MONITOR) == "true"


def stop(cluster: Cluster) -> tuple[dict[str, float], list[str]]:
    """What the client felt, and when the tool failed."""
    cluster.lab.on("outsider", "systemctl kill --signal=INT steady; timeout 30 sh -c 'while systemctl -q is-active steady; do sleep 0.5; done'")
    cluster.lab.on("n1", "systemctl stop tool")
    tool = cluster.lab.on("n1", "cat /run/tool.log").split("\n")
    assert tool.count("ok") > 1, tool
    # A library of the client may write a line before it.
    return json.loads(cluster.lab.on("outsider", "tail -n 1 /run/steady.json")), [line[3:] for line in tool if line.startswith("no")]


def lose(cluster: Cluster, what: str) -> None:
    """What docs/lost_ca.md has one do before the change to a new CA."""
    directory = Path(cluster.lab.variable("n1", "beam_pki_ca_dir"))
    if what != ".":
        (directory / what).rename(directory / f"{what}.lost")
        return
    directory.rename(directory.with_name(f"lost-{secrets.token_hex(4)}"))
    status, output = cluster.play("site")
    assert status != 0 and "copy the file tls/ca.pem of a node to" in " ".join(output.split()), output[-4000:]
    node = f"/etc/beam/{PRODUCT.name}@n1"
    (directory / "root").mkdir(parents=True)
    (directory / "root/certificate.pem").write_text(cluster.lab.on("n1", f"cat {node}/tls/ca.pem"), encoding="utf-8")
    if cluster.variables.get("beam_pki_crl"):
        (directory / "root/crl.pem").write_text(cluster.lab.on("n1", f"cat {node}/crl/*.r0"), encoding="utf-8")


@pytest.mark.parametrize("name", STEPS)
def test_step(cluster: Cluster, name: str) -> None:
    step, lab = STEPS[name], cluster.lab
    once = {key: cluster.variables.get(value, lab.variable("n1", value)) if key.endswith("_old") else value for key, value in step.once.items()}
    cluster.variables.update({key: secrets.token_hex(24) if value == NEW else value for key, value in step.keep.items()})
    for host in NODES if step.before else ():
        lab.on(host, step.before, timeout=900)
    if step.lost:
        lose(cluster, step.lost)
    before = cluster.pids(step.out)
    start(cluster, step.out)
    begun = monotonic()
    status, output = cluster.play(step.playbook, once)
    seconds = monotonic() - begun
    assert status == 0, output[-6000:]
    if not step.out or step.after:
        until(cluster.is_whole, 120, "all nodes are one cluster")
    lost = [] if step.restarts else cluster.lost(step.out)
    felt, failed = stop(cluster)
    print(f"| {name} | {seconds:.0f} | {felt['longest']} | {felt['reconnects']:.0f} | {len(lost)} | {len(failed)} |", flush=True)
    missing = 0
    if PRODUCT.name == "rabbit":
        where = lab.variable("n1", "lab_public_address")
        drained = json.loads(lab.on("outsider", f"timeout 600 python3 /run/client.py drain {where} steady {felt['confirmed']:.0f}", timeout=620))
        missing = drained["missing"]
    assert felt["confirmed"] > 20 and missing == 0, (felt, missing)
    assert step.restarts or (lost, failed, felt["reconnects"], cluster.pids(step.out)) == ([], [], 0, before), (lost, failed, felt)
    assert not step.restarts or all(old != new for old, new in zip(before, cluster.pids(step.out)))
    if step.after:
        after = cluster.pids()
        status, output = cluster.play(step.after)
        assert status == 0 and "PASSED" in output and not changes(output), (changes(output), output[-5000:])
        assert cluster.pids() == after


def test_a_dead_host_is_replaced(cluster: Cluster) -> None:
    """n3 does not come back: its node leaves in a run without its host, and a bare host of the same name is a member after the next one."""
    lab = cluster.lab
    before = cluster.pids()[:2]
    lab.podman("rm", "--force", "--time", "0", f"{lab.prefix}n3")
    gone = cluster.directory / "gone.yml"
    gone.write_text(json.dumps({"beam": {"hosts": {"n3": {"beam_state": "absent"}}}}), encoding="utf-8")
    status, output = cluster.play("site", inventory=("-i", str(gone), "--limit", "all:!n3"))
    assert status == 0 and "PASSED" in output, output[-5000:]
    made = lab.play("-i", str(ROOT / f"molecule/{NAME}/inventory.yml"), playbook="molecule/default/create.yml")
    assert made.returncode == 0, made.stdout[-3000:]
    if (ROOT / f"molecule/{NAME}/prepare.yml").exists():
        assert lab.play("-i", str(ROOT / f"molecule/{NAME}/inventory.yml"), playbook=f"molecule/{NAME}/prepare.yml").returncode == 0
    status, output = cluster.play("site")
    assert status == 0 and "PASSED" in output, output[-5000:]
    until(cluster.is_whole, 120, "all nodes are one cluster")
    status, output = cluster.play("site")
    assert status == 0 and "PASSED" in output and not changes(output), (changes(output), output[-5000:])
    assert cluster.pids()[:2] == before
