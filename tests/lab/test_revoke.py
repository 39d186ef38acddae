# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revoked certificates on running nodes: refused at the next handshake, the links of the others stay, accepted again on request; docs/revoke.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from conftest import LINKS_KEPT, NODES, ROOT, Lab, recap, until
from test_renew import VERIFY, pids, status
from test_rotate_cookie import evaluate

REVOKE, ROTATE, SITE = "playbooks/revoke.yml", "playbooks/rotate_ca.yml", "playbooks/site.yml"
CHECKED = ("--extra-vars", "beam_pki_crl=true", *LINKS_KEPT)
OUT = "beam@n3"
SECONDS_MAX = 5.0
# Counts what a node sees of the others but the one that is revoked.
MONITOR = """
[begin exit(Old, kill), timer:sleep(200) end || Old <- [whereis(beam_counter)], is_pid(Old)],
Counter = spawn(fun() ->
    register(beam_counter, self()),
    net_kernel:monitor_nodes(true, [{node_type, visible}]),
    (fun Count(Events) ->
        receive
            {What, Node, _} when What =:= nodeup; What =:= nodedown -> Count([{What, Node} | Events]);
            {ask, From} -> From ! Events, Count(Events);
            stop -> ok
        end
    end)([])
end), timer:sleep(200), Counter =:= whereis(beam_counter).
"""
COUNTED = """
beam_counter ! {ask, self()},
receive Events -> [Event || {_, Node} = Event <- Events, atom_to_list(Node) =/= "%s"] after 2000 -> none end.
"""


def changed(output: str) -> set[int]:
    return {counts["changed"] for counts in recap(output).values()}


def site(lab: Lab) -> str:
    done = lab.play(*CHECKED)
    assert done.returncode == 0 and "PASSED" in done.stdout, done.stdout[-4000:]
    return done.stdout


def watch(lab: Lab) -> list[str]:
    for host in NODES:
        assert evaluate(lab, host, MONITOR) == "true"
    return pids(lab)


def unmoved(lab: Lab, before: list[str], out: str = "") -> None:
    """No link between the other nodes was lost, and nothing was restarted."""
    for host in NODES:
        if f"beam@{host}" != out:
            assert evaluate(lab, host, COUNTED % out) == "[]", host
        evaluate(lab, host, "beam_counter ! stop.")
    assert pids(lab) == before


def addresses(lab: Lab) -> list[str]:
    """Of n1 and n2, as n3 knows them."""
    pins = lab.on("n3", "cat /etc/beam/beam@n3/inetrc")
    return [re.findall(r"\{host, ?\{([0-9,]+)\}, ?\[\"" + host, pins)[0].replace(",", ".") for host in ("n1", "n2")]


def try_until_refused(lab: Lab) -> None:
    """On n3 in the background: handshakes with its certificate at n1 and n2 until each says 44, and when that was."""
    tls = "/etc/beam/beam@n3/tls"
    for host, address in zip(("n1", "n2"), addresses(lab)):
        lab.on("n3", f"rm -f /run/refused-{host}")
        shake = f"(sleep 0.3) | openssl s_client -connect {address}:9100 -cert {tls}/cert.pem -key {tls}/key.pem 2>&1"
        loop = f"until {shake} | grep -q 'alert number 44'; do :; done; date +%s.%N > /run/refused-{host}"
        lab.on("n3", f"systemd-run --quiet --unit=refused-{host} bash -c \"{loop}\"")


def has_refused(lab: Lab, host: str) -> bool:
    return lab.tries("n3", f"cat /run/refused-{host}").stdout.strip() != ""


def seconds_to_refuse(lab: Lab) -> list[float]:
    """From the moment at which a member had the CRL to the first handshake that it refused."""
    taken = []
    for host in ("n1", "n2"):
        until(partial(has_refused, lab, host), 60, f"{host} refuses")
        had = float(lab.on(host, f"stat -c %.9Y /etc/beam/beam@{host}/crl/*.r0 | sort | tail -1"))
        taken.append(float(lab.on("n3", f"cat /run/refused-{host}")) - had)
    return taken


def connected(lab: Lab, host: str) -> str:
    return evaluate(lab, host, "lists:sort(nodes()).")


@pytest.fixture(scope="module")
def checking(lab: Lab) -> Iterator[Lab]:
    """A lab whose nodes check. Nothing is revoked at the end."""
    site(lab)
    yield lab
    lab.play("--extra-vars", f"beam_unrevoke={OUT}", *CHECKED, playbook=REVOKE)


def test_switched_on(checking: Lab) -> None:
    lab = checking
    again = site(lab)
    assert changed(again) == {0} and re.search(r"revoked-certificate +6 of 6 refused", again), again[-4000:]
    state = status_of(lab)
    assert state["attention"] == [] and all(node["crl"]["days_left"] > 80 for node in state["nodes"])


def status_of(lab: Lab) -> dict[str, Any]:
    return status(lab, *CHECKED)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*CHECKED, "--extra-vars", "beam_revoke=beam@n9"), "beam@n9: the CA of the cluster has issued no certificate for this node"),
        ((*CHECKED, "--extra-vars", "beam_revoke=00:11:22"), "no certificate in the folder issued of the CA has this serial number"),
        ((*CHECKED, "--extra-vars", "beam_revoke=/nowhere.pem"), "/nowhere.pem: No such file or directory"),
        ((*CHECKED, "--extra-vars", "beam_revoke=beam@n1,beam@n2,beam@n3"), "no member of the cluster could connect any more"),
        ((*CHECKED, "--extra-vars", f"beam_revoke={OUT}", "--limit", "n2,n3"), "n1: not in this run"),
        (CHECKED, "Neither beam_revoke nor beam_unrevoke is set"),
        (("--extra-vars", f"beam_revoke={OUT}"), "no node of this cluster checks for revoked certificates"),
    ],
)
def test_refused_before_anything_is_touched(checking: Lab, arguments: tuple[str, ...], words: str) -> None:
    there = checking.on("n1", "cat /etc/beam/beam@n1/crl/*.r0")
    done = checking.play(*arguments, playbook=REVOKE)
    assert done.returncode != 0 and words in " ".join((done.stdout + done.stderr).split()), done.stdout[-3000:]
    assert checking.on("n1", "cat /etc/beam/beam@n1/crl/*.r0") == there


def test_revoked_and_accepted_again(checking: Lab) -> None:
    lab = checking
    before = watch(lab)
    asked = lab.play("--extra-vars", f"beam_revoke={OUT}", "--check", *CHECKED, playbook=REVOKE)
    assert asked.returncode == 0 and f"{OUT}: every member cuts its link to this node" in asked.stdout, asked.stdout[-3000:]
    assert OUT in connected(lab, "n1")
    try_until_refused(lab)
    done = lab.play("--extra-vars", f"beam_revoke={OUT}", *CHECKED, playbook=REVOKE)
    assert done.returncode == 0 and "beam@n1 refused it; beam@n2 refused it" in " ".join(done.stdout.split()), done.stdout[-4000:]
    taken = seconds_to_refuse(lab)
    print("seconds to refuse", taken)
    assert max(taken) < SECONDS_MAX
    assert [connected(lab, host) for host in ("n1", "n2")] == ["[beam@n2]", "[beam@n1]"]
    unmoved(lab, before, OUT)
    assert any(OUT in line and "revoked" in line for line in status_of(lab)["attention"])
    again = lab.play("--extra-vars", f"beam_revoke={OUT}", *CHECKED, playbook=REVOKE)
    assert again.returncode == 0 and changed(again.stdout) == {0}, again.stdout[-3000:]
    stopped = lab.play(*CHECKED)
    assert stopped.returncode != 0 and f"{OUT}: the certificate is revoked" in stopped.stdout

    before = watch(lab)
    back = lab.play("--extra-vars", f"beam_unrevoke={OUT}", *CHECKED, playbook=REVOKE)
    assert back.returncode == 0, back.stdout[-4000:]
    until(lambda: all(connected(lab, host).count("beam@") == 2 for host in NODES), 60, "the mesh is whole")
    unmoved(lab, before, OUT)
    assert changed(site(lab)) == {0} and pids(lab) == before


def test_a_new_ca_with_crls(checking: Lab) -> None:
    lab = checking
    before = watch(lab)
    old = lab.on("n1", "ls /etc/beam/beam@n1/crl").split()
    lab.kill_play_at("rotate_forward | Give every node", 1, *CHECKED, playbook=ROTATE)
    assert all(len(lab.on(host, f"ls /etc/beam/beam@{host}/crl").split()) == 2 for host in NODES)
    done = lab.play(*CHECKED, playbook=ROTATE)
    assert done.returncode == 0, done.stdout[-4000:]
    unmoved(lab, before)
    new = {lab.on(host, f"ls /etc/beam/beam@{host}/crl") for host in NODES}
    assert len(new) == 1 and new.pop().split() != old
    assert lab.play(*CHECKED, playbook=VERIFY).returncode == 0
    assert changed(site(lab)) == {0} and pids(lab) == before


def test_a_crl_that_would_refuse_everybody_is_not_published(checking: Lab) -> None:
    lab = checking
    there = lab.on("n1", "cat /etc/beam/beam@n1/crl/*.r0")
    done = lab.play("--extra-vars", "beam_pki_crl_days=0", "--extra-vars", f"beam_revoke={OUT}", *CHECKED, playbook=REVOKE)
    assert done.returncode != 0 and "the new CRLs were refused, and the old ones are still in place" in done.stdout, done.stdout[-3000:]
    assert lab.on("n1", "cat /etc/beam/beam@n1/crl/*.r0") == there


def test_the_documented_commands_are_those_of_this_test() -> None:
    text = (ROOT / "docs" / "revoke.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"beam\.cluster\.(\w+)(?: +(-e beam_\w+|--check))?", text))
    assert {("revoke", "-e beam_revoke"), ("revoke", "-e beam_unrevoke"), ("site", "-e beam_pki_crl")} <= commands
