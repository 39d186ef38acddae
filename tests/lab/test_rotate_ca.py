# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new CA for running nodes: no restart, no lost link, the old CA refused; completed after a kill, and back again; docs/rotate_ca.md."""

from __future__ import annotations

import subprocess
from pathlib import Path

from conftest import NODES, Lab, recap
from test_renew import VERIFY, in_file, pids, shown, status
from test_rotate_cookie import COUNTED, MONITOR, evaluate

ROTATE = "playbooks/rotate_ca.yml"


def phase(lab: Lab) -> str:
    """What a run in check mode says."""
    done = lab.play("--check", playbook=ROTATE)
    assert done.returncode == 0 and {counts["changed"] for counts in recap(done.stdout).values()} == {0}, done.stdout[-4000:]
    return next(line for line in done.stdout.splitlines() if "CA of the cluster beam" in line)


def issuers(lab: Lab) -> set[str]:
    return {lab.on(host, f"openssl x509 -in /etc/beam/beam@{host}/tls/cert.pem -noout -issuer -nameopt RFC2253").strip() for host in NODES}


def trusted(lab: Lab) -> list[int]:
    return [int(lab.on(host, f"grep -c BEGIN /etc/beam/beam@{host}/tls/ca.pem")) for host in NODES]


def watch(lab: Lab) -> list[str]:
    for host in NODES:
        assert evaluate(lab, host, MONITOR) == "true"
    return pids(lab)


def settled(lab: Lab, before: list[str]) -> None:
    """No link was lost, nothing was restarted, each node shows its file and trusts one CA."""
    for host in NODES:
        assert evaluate(lab, host, COUNTED) == "{0,0}", host
        evaluate(lab, host, "beam_counter ! stop.")
    assert pids(lab) == before and trusted(lab) == [1, 1, 1] and len(issuers(lab)) == 1
    assert all(shown(lab, host) == in_file(lab, host) for host in NODES)


def alert_of_the_retired_ca(lab: Lab, directory: Path, ca_dir: Path, passphrase: Path) -> set[str]:
    """What every node says to a certificate with the right name that the retired CA has signed."""
    retired = sorted((ca_dir / "retired").iterdir())[-1] / "root"
    config = directory / "extensions"
    config.write_text("subjectAltName=DNS:n1\nextendedKeyUsage=serverAuth,clientAuth\n")
    for command in (
        f"openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {directory}/key -out {directory}/request -subj /CN=beam@n1",
        f"openssl x509 -req -in {directory}/request -CA {retired}/certificate.pem -CAkey {retired}/key.pem -passin file:{passphrase} -days 5 "
        f"-extfile {config} -out {directory}/certificate",
    ):
        subprocess.run(command.split(), check=True, capture_output=True)
    lab.write("n1", "/run/retired.pem", (directory / "certificate").read_text() + (directory / "key").read_text())
    addresses = lab.on("n1", "grep -o '{[0-9]*,[0-9]*,[0-9]*,[0-9]*}' /etc/beam/beam@n1/inetrc | tr -d '{}' | tr , .").split()
    assert len(addresses) == len(NODES)
    connect = "(sleep 2) | openssl s_client -connect {}:9100 -cert /run/retired.pem -key /run/retired.pem 2>&1 | grep -o 'SSL alert number [0-9]*'"
    said = {lab.tries("n1", connect.format(address)).stdout.strip() for address in addresses}
    lab.on("n1", "rm /run/retired.pem")
    return said


def test_a_new_ca_without_a_restart(lab: Lab, tmp_path: Path) -> None:
    before, old = watch(lab), issuers(lab)
    assert "all nodes trust and use one CA" in phase(lab)
    refused = lab.play("--limit", "n1,n2", playbook=ROTATE)
    assert refused.returncode != 0 and "n3: not in this run" in refused.stdout and issuers(lab) == old
    done = lab.play(playbook=ROTATE)
    assert done.returncode == 0, done.stdout[-4000:]
    settled(lab, before)
    assert issuers(lab) != old and status(lab)["attention"] == []
    ca_dir, passphrase = Path(lab.variable("n1", "beam_pki_ca_dir")), tmp_path / "passphrase"
    passphrase.write_text(lab.variable("n1", "beam_pki_ca_passphrase") + "\n")
    assert alert_of_the_retired_ca(lab, tmp_path, ca_dir, passphrase) == {"SSL alert number 48"}
    site = lab.play()
    assert {counts["changed"] for counts in recap(site.stdout).values()} == {0}, site.stdout[-4000:]
    assert pids(lab) == before and lab.play(playbook=VERIFY).returncode == 0


def test_a_killed_change_is_completed_and_another_one_taken_back(lab: Lab) -> None:
    before, old = watch(lab), issuers(lab)
    lab.kill_play_at("rotate_forward | Give every node", 1, playbook=ROTATE)
    assert "every node trusts both CAs" in phase(lab) and trusted(lab) == [2, 2, 2] and issuers(lab) == old
    done = lab.play("--extra-vars", "beam_pki_rollback=true", playbook=ROTATE)
    assert done.returncode == 0, done.stdout[-4000:]
    assert issuers(lab) == old and trusted(lab) == [1, 1, 1]
    lab.kill_play_at("rotate_promote | Make the new CA", 1, playbook=ROTATE)
    assert "every node has a certificate of the new CA" in phase(lab)
    done = lab.play(playbook=ROTATE)
    assert done.returncode == 0, done.stdout[-4000:]
    assert issuers(lab) != old
    settled(lab, before)
