# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other kind of controller: Debian 13, its own Python, the newest ansible-core that it takes, the hosts reached by SSH.

The outsider plays it. As a controller it sees the hosts from a place that is no member's, as most operators' machines do.
"""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import NODES, ROOT, Lab, recap

HOST = "outsider"
# Pipelining: sshd in a container cannot give Ansible the terminal that it asks for otherwise.
ANSIBLE = "PATH=/opt/venv/bin:$PATH ANSIBLE_HOST_KEY_CHECKING=false ANSIBLE_INJECT_FACT_VARS=false ANSIBLE_PIPELINING=true"
PLAY = f"cd /opt/controller && {ANSIBLE} timeout 900 ansible-playbook -i inventory.json beam.cluster.site"


def wheels(lab: Lab) -> Path:
    """The newest Ansible for the outsider's Python, fetched on this machine: the hosts of the lab need no package index."""
    release = lab.on(HOST, "python3 -c 'import sys; print(*sys.version_info[:2], sep=\".\")'").strip()
    folder = Path(lab.variable("n1", "lab_cache")) / f"wheels-{release}"
    platforms = [f"--platform={tag}_{platform.machine()}" for tag in ("manylinux2014", "manylinux_2_28", "manylinux_2_34")]
    subprocess.run(
        ["pip", "--quiet", "download", "--dest", str(folder), "--only-binary=:all:", f"--python-version={release}", *platforms]
        + ["ansible", "cryptography"],
        check=True,
        timeout=600,
    )
    return folder


@pytest.fixture(scope="module")
def controller(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Ansible from PyPI and the built artifact on the outsider, its SSH key on the nodes, the lab's secrets and CA in its own place."""
    for host in (HOST, *NODES):
        package = "openssh-client python3-venv" if host == HOST else "openssh-server"
        lab.on(host, f"apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends {package}", timeout=300)
    lab.on(HOST, "test -f ~/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519")
    key = lab.on(HOST, "cat ~/.ssh/id_ed25519.pub")
    for host in NODES:
        lab.on(host, "install -d -m 700 /root/.ssh && systemctl start ssh")
        lab.write(host, "/root/.ssh/authorized_keys", key)

    work = tmp_path_factory.mktemp("artifact")
    subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", str(work), str(ROOT)], check=True, capture_output=True)
    (artifact,) = work.glob("*.tar.gz")
    lab.on(HOST, "install -d -m 700 /opt/controller && python3 -m venv /opt/venv")
    lab.podman("cp", str(wheels(lab)), f"{lab.prefix}{HOST}:/opt/controller/wheels")
    lab.on(HOST, "/opt/venv/bin/pip --quiet install --no-index --find-links /opt/controller/wheels ansible cryptography", timeout=600)
    lab.podman("cp", str(artifact), f"{lab.prefix}{HOST}:/opt/controller/artifact.tar.gz")
    lab.on(HOST, f"cd /opt/controller && {ANSIBLE} ansible-galaxy collection install --offline --force --no-deps artifact.tar.gz", timeout=120)
    lab.podman("cp", str(Path(lab.variable("n1", "beam_pki_ca_dir"))), f"{lab.prefix}{HOST}:/opt/controller/pki")
    inventory = {
        "beam": {
            "hosts": {
                host: {"ansible_host": lab.variable(host, "lab_public_address"), "beam_address": lab.variable(host, "beam_address")}
                for host in NODES
            },
            "vars": {
                "ansible_user": "root",
                "beam_pki_ca_dir": "/opt/controller/pki",
                **{name: lab.variable("n1", name) for name in ("beam_cookie", "beam_pki_ca_passphrase")},
            },
        }
    }
    lab.write(HOST, "/opt/controller/inventory.json", json.dumps(inventory))
    lab.on(HOST, "chmod 600 /opt/controller/inventory.json")
    yield lab
    lab.on(HOST, "rm -r /opt/controller")
    done = lab.play()
    assert done.returncode == 0, done.stdout[-4000:]


def test_newest_ansible(controller: Lab) -> None:
    shown = controller.on(HOST, f"{ANSIBLE} ansible --version")
    release = tuple(int(part) for part in shown.split("[core ")[1].split("]")[0].split(".")[:2])
    assert release > (2, 19), shown


def test_nothing_left_to_change(controller: Lab) -> None:
    done = controller.tries(HOST, PLAY, timeout=960)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert {counts["changed"] for counts in recap(done.stdout).values()} == {0}, done.stdout[-4000:]


def test_it_changes_the_cluster(controller: Lab) -> None:
    done = controller.tries(HOST, f"{PLAY} -e beam_ports=9150-9152", timeout=960)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    for host in NODES:
        assert ":9150 " in controller.on(host, "ss -Htlnp | grep beam.smp")
