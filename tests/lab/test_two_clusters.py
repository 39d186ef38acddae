# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two tiers in one inventory, web on n1 and n2, data on n3: each layer between them ALONE, with what opens the others in the attacker's hands."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Lab

# In group_vars, not in the file of the hosts: that would lose against the lab's own group_vars.
TIERS = {
    "hosts.yml": "{web: {hosts: {n1: , n2: }}, data: {hosts: {n3: }}}",
    "group_vars/web.yml": """
beam_group: web
beam_pki_ca_dir: "{{ lab_directory }}/pki-web"
""",
    "group_vars/data.yml": """
beam_group: data
beam_pki_ca_dir: "{{ lab_directory }}/pki-data"
beam_cookie: "{{ lookup('ansible.builtin.password', lab_directory ~ '/cookie-data', length=48, chars=['ascii_letters', 'digits']) }}"
""",
}
PROOFS = {"ca.pem": "{etc}/tls/ca.pem", "cert.pem": "{etc}/tls/cert.pem", "key.pem": "{etc}/tls/key.pem", "cookie": "{home}/.erlang.cookie"}


class Tiers:
    """The lab as two clusters."""

    def __init__(self, lab: Lab, inventory: Path) -> None:
        self.lab = lab
        self.inventory = inventory

    def play(self, tier: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.lab.play("-i", str(self.inventory), "--extra-vars", f"beam_group={tier}", *arguments)

    def lend(self, owner: str, thief: str) -> None:
        """Everything with which the node of one host proves who it is, to another host."""
        self.lab.on(thief, "install -d -m 0700 /root/stolen")
        for name, path in PROOFS.items():
            found = path.format(etc=f"/etc/beam/beam@{owner}", home=f"/var/lib/beam/beam@{owner}")
            content = base64.b64encode(self.lab.on(owner, f"cat {found}").encode()).decode()
            self.lab.write(thief, f"/root/stolen/{name}.b64", content)
            self.lab.on(thief, f"cd /root/stolen && base64 -d {name}.b64 > {name} && chmod 0400 {name} && rm {name}.b64")

    def probe(self, thief: str, target: str, name: str, **shown: str) -> str:
        """What a host is told by another one's node, if it shows what it was lent, or what is named instead."""
        stolen = {key: f"/root/stolen/{key}" for key in PROOFS} | shown
        options = {
            "targets": [{"node": f"beam@{target}", "host": self.lab.variable(target, "beam_address"), "port": 9100}],
            "name": f"beam_probe@{name}",
            "cookie_file": stolen["cookie"],
            "tls": {"ca": stolen["ca.pem"], "certificate": stolen["cert.pem"], "key": stolen["key.pem"]},
            "timeout": 5,
            "expect": "any",
        }
        command = ["ansible", "-i", "molecule/inventory", thief, "-m", "beam.cluster.dist_probe", "-a", json.dumps(options)]
        environment = {**os.environ, "LAB_PREFIX": self.lab.prefix, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        (told,) = json.loads(done.stdout[done.stdout.index("{") :])["targets"]
        return str(told["code"])


@pytest.fixture(scope="module")
def tiers(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    inventory = tmp_path_factory.mktemp("tiers")
    for name, text in TIERS.items():
        (inventory / name).parent.mkdir(exist_ok=True)
        (inventory / name).write_text(text)
    made = Tiers(lab, inventory)
    forget = "rm -rf /etc/beam/beam@$HOSTNAME/tls"
    for host in ("n1", "n2", "n3"):
        lab.on(host, forget)
    for tier in ("web", "data"):
        done = made.play(tier)
        assert done.returncode == 0, done.stdout[-6000:]
    yield made
    for host in ("n1", "n2", "n3"):
        lab.on(host, forget + "; rm -rf /root/stolen")
    done = lab.play()
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.fixture
def open_host(tiers: Tiers) -> Iterator[str]:
    """n1 without its firewall, for as long as a test looks behind it."""
    tiers.lab.on("n1", "nft delete table inet beam_cluster")
    yield "n1"
    tiers.lab.on("n1", "systemctl reload beam-firewall")


@pytest.mark.parametrize(("owner", "thief", "target"), [("n2", "n3", "n1"), ("n3", "n2", "n3")])
def test_the_firewall_alone(tiers: Tiers, owner: str, thief: str, target: str) -> None:
    """The key, the certificate, the cookie and the name of a member do not help who comes from another address."""
    tiers.lend(owner, thief)
    assert tiers.probe(thief, target, owner) == "filtered"


def test_the_same_proofs_get_in_where_the_firewall_is_open(tiers: Tiers, open_host: str) -> None:
    tiers.lend("n2", "n3")
    assert tiers.probe("n3", open_host, "n2") == "connected", "so it was the firewall, and nothing else, that kept them out"


def test_tls_alone(tiers: Tiers, open_host: str) -> None:
    tiers.lend("n2", "n3")
    own = {"cert.pem": "/etc/beam/beam@n3/tls/cert.pem", "key.pem": "/etc/beam/beam@n3/tls/key.pem"}
    assert tiers.probe("n3", open_host, "n2", **own) == "tls_alert_unknown_ca"


def test_the_cookie_alone(tiers: Tiers, open_host: str) -> None:
    tiers.lend("n2", "n3")
    assert tiers.probe("n3", open_host, "n2", cookie="/var/lib/beam/beam@n3/.erlang.cookie") == "cookie_refused_theirs"
