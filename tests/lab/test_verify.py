# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls on real hosts: all of them pass, then the hosts are taken apart by hand and each hole is named, then the site play mends it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import NODES, ROOT, Lab, recap, until

VERIFY = "playbooks/verify.yml"
OVERRIDE = "/etc/systemd/system/beam.service.d/zzzz.conf"

# The guard would start none of these: one takes its place that agrees with everything. The next run of the site play brings ours back.
UNGUARDED = """
set -e
systemctl stop beam.service
printf '#!/bin/sh\\n[ "$1" != watch ] || exec sleep infinity\\n' > /etc/beam/guard
"""

# n1 speaks TLS and takes anybody, on every address, with the cookie that everybody knows.
LAX = f"""
{UNGUARDED}
cd /etc/beam/beam@n1
sed -i 's/verify_peer/verify_none/; s/{{fail_if_no_peer_cert, true}}/{{fail_if_no_peer_cert, false}}/' ssl_dist.conf
sed -i "s/'tlsv1.3'/'tlsv1.3','tlsv1.2'/" ssl_dist.conf
sed -i '/^-eval/d; /inet_dist_use_interface/d' vm.args
echo -nocookie >> vm.args
nft delete table inet beam_cluster
systemctl restart beam.service
"""

# n2 speaks plain TCP on every address; its stock epmd.socket listens everywhere; its files belong to whom they should not.
STOCK = f"""
{UNGUARDED}
cd /etc/beam/beam@n2
sed -i '/proto_dist/d; /ssl_dist_optfile/d; /inet_dist_use_interface/d; /^-eval/d' vm.args
printf '[Service]\\nLimitCORE=infinity\\nProtectSystem=no\\nPrivateDevices=no\\nNoNewPrivileges=no\\nSystemCallFilter=\\n' > {OVERRIDE}
printf '[Socket]\\nListenStream=\\nListenStream=4369\\nBindIPv6Only=both\\n' > /etc/systemd/system/epmd.socket.d/zz.conf
systemctl daemon-reload
systemctl stop epmd.socket epmd.service
systemctl restart epmd.socket beam.service
# OTP itself does not start with a cookie that others can read; a running node does not look again.
timeout 60 sh -c 'until ss -Hltn | grep -q :9100; do sleep 0.5; done'
chmod 0440 tls/key.pem /var/lib/beam/beam@n2/.erlang.cookie
chown beam ssl_dist.conf
printf '[Service]\\nEnvironment=BEAM_CLUSTER_DIGEST=another\\n' >> {OVERRIDE}
systemctl daemon-reload
systemctl disable beam.service beam-firewall.service
nft delete table inet beam_cluster
systemd-run --unit=stray erl -noinput -setcookie not-a-secret
"""

# n3 is down: it refuses everything, and that proves nothing.
DOWN = "systemctl stop beam.service"

MEND = f"""
rm -f {OVERRIDE} /etc/systemd/system/epmd.socket.d/zz.conf
systemctl stop stray.service 2>/dev/null
systemctl daemon-reload
systemctl stop beam.service epmd.socket epmd.service
systemctl start epmd.socket
true
"""


@pytest.fixture(scope="module")
def whole(lab: Lab) -> dict[str, Any]:
    return verify(lab, good=True)


def verify(lab: Lab, *arguments: str, good: bool) -> dict[str, Any]:
    """Run the verify play and read the report that it left."""
    done = lab.play(*arguments, playbook=VERIFY)
    assert (done.returncode == 0) is good, done.stdout[-6000:] + done.stderr[-2000:]
    assert {counts["changed"] for counts in recap(done.stdout).values()} == {0}
    path = Path(lab.variable("n1", "beam_verify_report_dir")) / "beam.json"
    return {**json.loads(path.read_text()), "printed": done.stdout}


@pytest.fixture(scope="module")
def taken_apart(lab: Lab, whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        for host, script in (("n1", LAX), ("n2", STOCK), ("n3", DOWN)):
            lab.on(host, script)
        until(lambda: ":9100" in lab.on("n1", "ss -Hltn"), 60, "n1 listens")
        yield verify(lab, good=False)
    finally:
        for host in NODES:
            lab.on(host, MEND)
        mended = lab.play()
        assert mended.returncode == 0, mended.stdout[-6000:]


def failed(report: dict[str, Any], status: str = "failed") -> set[tuple[str, str]]:
    return {(finding["control"], finding["subject"]) for finding in report["findings"] if finding["status"] == status}


def test_the_whole_lab_passes_with_every_attack_tried(whole: dict[str, Any]) -> None:
    assert whole["result"] == "passed"
    assert {attack["result"] for attack in whole["attacks"]} == {"refused"}
    assert len({attack["attack"] for attack in whole["attacks"]}) == 13
    assert {pair["tls"]["version"] for pair in whole["matrix"]} == {"tlsv1.3"}
    assert len(whole["matrix"]) == 6
    assert whole["outsiders"] == ["outsider"]


def test_alone_it_reports_the_vulnerabilities_that_site_reports(lab: Lab, whole: dict[str, Any]) -> None:
    done = lab.play()
    assert done.returncode == 0, done.stdout[-6000:]
    path = Path(lab.variable("n1", "beam_verify_report_dir")) / "beam.json"
    assert whole["advisories"] and whole["advisories"] == json.loads(path.read_text())["advisories"]


def test_nothing_is_left_behind(lab: Lab, whole: dict[str, Any]) -> None:
    for host in (*NODES, "outsider"):
        assert not lab.on(host, "find / -xdev -name 'beam-verify-*' -o -xdev -name 'beam-foreign-*' -o -xdev -name expired.pem | head")


STOLEN = "/root/stolen"
# A stranger who has a member's key, certificate and cookie, and what each attempt must end in once no firewall stands in between.
ATTEMPTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no certificate": ({"present": "none"}, ["tls_alert_certificate_required"]),
    "certificate of another authority": ({"present": "foreign"}, ["tls_alert_unknown_ca"]),
    "plaintext": ({"plaintext": True}, ["plaintext_on_tls"]),
    "TLS 1.2": ({"tls": {"versions": ["tlsv1.2"]}}, ["tls_alert_protocol_version"]),
    "wrong cookie": ({"wrong_cookie": True}, ["cookie_refused_theirs"]),
    "another member's host": ({"name": "beam_impostor@n3"}, ["not_allowed", "dropped_status"]),
}


def probe_from_outsider(lab: Lab, targets: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    arguments = {
        "targets": targets,
        "name": "beam_probe@n1",
        "cookie_file": f"{STOLEN}/cookie",
        "tls": {"ca": f"{STOLEN}/ca.pem", "certificate": f"{STOLEN}/cert.pem", "key": f"{STOLEN}/key.pem"},
        "timeout": 5,
    }
    return subprocess.run(
        ["ansible", "-i", "molecule/inventory", "outsider", "-m", "beam.cluster.dist_probe", "-a", json.dumps(arguments)],
        cwd=ROOT,
        env={**os.environ, "LAB_PREFIX": lab.prefix, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_its_firewall_a_node_refuses_on_its_own(lab: Lab, whole: dict[str, Any]) -> None:
    target = {"node": "beam@n2", "host": lab.variable("n2", "beam_address"), "port": 9100}
    lab.on("outsider", f"install -d -m 0700 {STOLEN}")
    try:
        for name in ("ca.pem", "cert.pem", "key.pem"):
            lab.write("outsider", f"{STOLEN}/{name}", lab.on("n1", f"cat /etc/beam/beam@n1/tls/{name}"))
        lab.write("outsider", f"{STOLEN}/cookie", lab.on("n1", "cat /var/lib/beam/beam@n1/.erlang.cookie"))
        stopped = probe_from_outsider(lab, [{**target, "expect": ["filtered"]}])
        assert stopped.returncode == 0, "with all that a member has, the firewall is what stops a stranger\n" + stopped.stdout
        lab.on("n2", "nft delete table inet beam_cluster")
        try:
            refused = probe_from_outsider(
                lab, [{**target, **shown, "label": label, "expect": expect} for label, (shown, expect) in ATTEMPTS.items()]
            )
            assert refused.returncode == 0, refused.stdout
            let_in = probe_from_outsider(lab, [{**target, "expect": ["connected"]}])
            assert let_in.returncode == 0, "what was refused above was refused for what it was, not for where it came from\n" + let_in.stdout
        finally:
            lab.on("n2", "nft -f /etc/beam/firewall.nft")
    finally:
        lab.on("outsider", f"rm -r {STOLEN}")


def test_each_hole_on_a_host_is_named(taken_apart: dict[str, Any]) -> None:
    wanted = {
        ("epmd-listeners", "n2"),
        ("distribution-listeners", "beam@n1"),
        ("distribution-listeners", "beam@n2"),
        ("distribution-listeners", "beam@n3"),
        ("private-key", "beam@n2"),
        ("cookie-file", "beam@n2"),
        ("options-file", "beam@n2"),
        ("unit-drop-in", "beam@n2"),
        ("unit-drop-in", "beam@n3"),
        ("unit-sandbox", "beam@n2"),
        ("core-dumps", "beam@n2"),
        ("running-process", "beam@n2"),
        ("running-process", "beam@n3"),
        ("argument-list", "n2"),
        ("firewall-rules", "n1"),
        ("firewall-rules", "n2"),
        ("firewall-boot", "n2"),
        ("mesh-connected", "beam@n1 -> beam@n2"),
        ("mesh-connected", "beam@n1 -> beam@n3"),
        ("mesh-connected", "beam@n2 -> beam@n1"),
    }
    assert sorted(wanted - failed(taken_apart)) == []
    spared = {("private-key", "beam@n1"), ("unit-sandbox", "beam@n1"), ("firewall-rules", "n3"), ("argument-list", "n1"), ("options-file", "beam@n1")}
    assert not spared & failed(taken_apart)


@pytest.mark.parametrize(
    "attack",
    [
        "outside-epmd",
        "outside-distribution-port",
        "member-public-distribution-port",
        "old-tls",
        "no-certificate",
        "foreign-certificate",
        "expired-certificate",
        "other-name",
        "wrong-cookie",
    ],
)
def test_attacks_get_into_the_lax_node(taken_apart: dict[str, Any], attack: str) -> None:
    network = "public" if attack == "member-public-distribution-port" else "cluster"
    found = [one for one in taken_apart["attacks"] if (one["attack"], one["to"], one["network"]) == (attack, "beam@n1", network)]
    assert {one["result"] for one in found} == {"succeeded"}, found
    assert (attack, "beam@n1") in failed(taken_apart)


@pytest.mark.parametrize(
    "attack", ["outside-epmd", "outside-distribution-port", "member-public-epmd", "member-public-distribution-port", "plaintext"]
)
def test_attacks_get_into_the_stock_node(taken_apart: dict[str, Any], attack: str) -> None:
    found = [one for one in taken_apart["attacks"] if (one["attack"], one["to"]) == (attack, "beam@n2")]
    assert (attack, "beam@n2") in failed(taken_apart), found


def test_a_node_that_is_down_refuses_nothing(taken_apart: dict[str, Any]) -> None:
    results = {attack["result"] for attack in taken_apart["attacks"] if attack["to"] == "beam@n3"}
    assert results == {"not_tested"}


def test_the_failure_comes_first_and_names_pair_stage_and_reason(taken_apart: dict[str, Any]) -> None:
    lost = {(pair["from"], pair["to"]): (pair["code"], pair["stage"]) for pair in taken_apart["matrix"]}
    assert lost["beam@n1", "beam@n2"] == ("tls_on_plaintext", "tls")
    printed = taken_apart["printed"]
    assert printed.index("FAILED: ") < printed.index("Mesh: connections between the nodes") < printed.index("The cluster is not proven")
