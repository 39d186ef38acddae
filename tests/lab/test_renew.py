# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of running nodes: renewed without a restart and without a lost link; a broken one is never shown; docs/renew.md and docs/status.md."""

from __future__ import annotations

import json
import re
from typing import Any

from conftest import LINKS_KEPT, NODES, ROOT, Lab, recap
from test_rotate_cookie import COUNTED, MONITOR, evaluate

RENEW, STATUS, VERIFY = "playbooks/renew.yml", "playbooks/status.yml", "playbooks/verify.yml"
SHOWN = r"runs and shows the certificate after ([0-9.]+) s"
SECONDS_MAX = 5.0


def pids(lab: Lab) -> list[str]:
    return [lab.on(host, "systemctl show --property=MainPID,NRestarts --value beam.service") for host in NODES]


def shown(lab: Lab, host: str) -> str:
    """The fingerprint of the certificate that a node shows, asked with openssl."""
    tls = f"/etc/beam/beam@{host}/tls"
    text = lab.on(
        host,
        f"openssl s_client -connect $(ss -Hltn | grep -o '[0-9.]*:9100' | head -1) -cert {tls}/cert.pem -key {tls}/key.pem "
        f"-CAfile {tls}/ca.pem </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256",
    )
    return text.partition("=")[2].replace(":", "").strip().lower()


def in_file(lab: Lab, host: str) -> str:
    text = lab.on(host, f"openssl x509 -in /etc/beam/beam@{host}/tls/cert.pem -noout -fingerprint -sha256")
    return text.partition("=")[2].replace(":", "").strip().lower()


def status(lab: Lab, *arguments: str) -> dict[str, Any]:
    done = lab.play(*arguments, playbook=STATUS)
    assert done.returncode == 0, done.stdout[-4000:]
    assert {counts["changed"] for counts in recap(done.stdout).values()} == {0}
    path = re.findall(r"Status: (\S+)", done.stdout)[0]
    return json.loads(open(path, encoding="utf-8").read())


def test_renewed_without_a_restart_and_without_a_lost_link(lab: Lab) -> None:
    for host in NODES:
        assert evaluate(lab, host, MONITOR) == "true"
    before, old = pids(lab), {host: shown(lab, host) for host in NODES}
    predicted = lab.play("--extra-vars", "beam_pki_renew=all", "--check", playbook=RENEW)
    assert predicted.returncode == 0 and predicted.stdout.count("will show the certificate without a restart") == 3, predicted.stdout[-4000:]
    assert {host: shown(lab, host) for host in NODES} == old
    for new_key in ("false", "true"):
        done = lab.play("--extra-vars", f"beam_pki_renew=all beam_pki_renew_key={new_key}", playbook=RENEW)
        assert done.returncode == 0, done.stdout[-4000:]
        seconds = [float(text) for text in re.findall(SHOWN, done.stdout)]
        assert len(seconds) == 3 and max(seconds) < SECONDS_MAX, done.stdout[-4000:]
        now = {host: shown(lab, host) for host in NODES}
        assert all(now[host] != old[host] and now[host] == in_file(lab, host) for host in NODES)
        old = now
    assert pids(lab) == before
    again = lab.play(playbook=RENEW)
    assert {counts["changed"] for counts in recap(again.stdout).values()} == {0}, again.stdout[-4000:]
    site = lab.play(*LINKS_KEPT)
    assert site.returncode == 0 and {counts["changed"] for counts in recap(site.stdout).values()} == {0}, site.stdout[-4000:]
    assert "PASSED" in site.stdout and pids(lab) == before
    for host in NODES:
        assert evaluate(lab, host, COUNTED) == "{0,0}", host
    state = status(lab)
    assert state["attention"] == [] and all(node["shows_its_file"] for node in state["nodes"]) and state["cookies"] == {"A": 3}
    # The counter counts.
    evaluate(lab, "n1", 'erlang:disconnect_node(list_to_atom("beam@n2")).')
    assert evaluate(lab, "n1", COUNTED) != "{0,0}"
    for host in NODES:
        evaluate(lab, host, "beam_counter ! stop.")


def test_a_file_with_an_old_time_is_found_and_read(lab: Lab) -> None:
    """Put in place by hand, with the time of its source: the node goes on with the old one, for ever."""
    tls = "/etc/beam/beam@n3/tls"
    lab.on("n3", f"cp -p {tls}/cert.pem /run/before.pem")
    assert lab.play("--extra-vars", '{"beam_pki_renew": ["beam@n3"]}', playbook=RENEW).returncode == 0
    lab.on("n3", f"touch --date='2 days ago' /run/before.pem && cp -p /run/before.pem {tls}/cert.pem")
    before = shown(lab, "n3")
    state = status(lab)
    assert before != in_file(lab, "n3")
    assert any("beam@n3: the node shows another certificate" in line for line in state["attention"]), state["attention"]
    done = lab.play(playbook=RENEW)
    assert done.returncode == 0 and "it has read its files again" in done.stdout, done.stdout[-4000:]
    assert shown(lab, "n3") == in_file(lab, "n3") != before


def test_the_documented_commands_are_those_of_this_test() -> None:
    text = (ROOT / "docs" / "renew.md").read_text(encoding="utf-8") + (ROOT / "docs" / "status.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"beam\.cluster\.(renew|status)\b(?: +(--check|-e \S+(?: \[\S+\]\}')?))?", text))
    options = {option.partition("=")[0].rstrip(":") for name, option in commands if name == "renew"}
    assert {"", "--check", "-e beam_pki_renew"} <= options and "beam_pki_renew_key=true" in text
