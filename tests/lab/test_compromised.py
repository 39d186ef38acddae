# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""beam.cluster.compromised on running nodes: a stolen cookie, a stolen host with CRLs and without, a stolen key. The members that stay lose no link,
what was stolen is refused, a killed run is completed, and a repeated one changes nothing. docs/compromised.md."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import LINKS_KEPT, NODES, ROOT, Lab, recap, until
from test_renew import pids
from test_revoke import CHECKED, COUNTED, OUT, changed, connected, unmoved, watch
from test_rotate_cookie import evaluate

PLAYBOOK = "playbooks/compromised.yml"
SECONDS_MAX = 600.0
"""Of a run on a busy machine. On a quiet one it is a tenth of it."""


class Thief:
    """Runs of the playbook with a cookie that is new at each `stolen`, in a file: not in the list of processes."""

    def __init__(self, lab: Lab, file: Path) -> None:
        self.lab, self.file = lab, file
        self.stolen()

    def stolen(self) -> None:
        self.file.write_text(f"beam_cookie: {secrets.token_hex(24)}\n")

    def play(self, what: str, *arguments: str, ok: bool = True) -> str:
        done = self.lab.play("--extra-vars", f"@{self.file}", "--extra-vars", f"beam_compromised={what}", *arguments, playbook=PLAYBOOK)
        output = done.stdout + done.stderr
        assert self.file.read_text().split()[1] not in output
        assert (done.returncode == 0) is ok, output[-5000:]
        return " ".join(output.split()) if not ok else done.stdout

    def cookies(self, *hosts: str) -> set[str]:
        return {self.lab.on(host, f"cat /var/lib/beam/beam@{host}/.erlang.cookie").strip() for host in hosts}

    @property
    def cookie(self) -> str:
        return self.file.read_text().split()[1]


@pytest.fixture
def thief(lab: Lab, tmp_path: Path) -> Iterator[Thief]:
    yield Thief(lab, tmp_path / "cookie.yml")


def times(output: str) -> dict[str, float]:
    """The report: seconds by step. Printed, because only a quiet machine says something about them."""
    shown = re.findall(r"^ +([0-9]+\.[0-9])  (\w+): (.*)$", output, re.MULTILINE)
    print("\n".join(f"{seconds:>7} s  {step}: {text}" for seconds, step, text in shown))
    found = {step: float(seconds) for seconds, step, _text in shown}
    assert list(found.values()) == sorted(found.values()) and max(found.values()) < SECONDS_MAX, output[-3000:]
    return found


def refused_by_firewall(lab: Lab, host: str) -> bool:
    """Whether a packet from n3 to the port of a node gets no answer. `host` is named in n3's own list of addresses."""
    pins = lab.on("n3", "cat /etc/beam/beam@n3/inetrc")
    address = re.findall(r"\{host, ?\{([0-9,]+)\}, ?\[\"" + host, pins)[0].replace(",", ".")
    return lab.tries("n3", f"timeout 3 bash -c '</dev/tcp/{address}/9100'").returncode == 124


def put_back(lab: Lab, *arguments: str) -> None:
    """n3 as if it had been installed anew, and a member again."""
    lab.on("n3", "systemctl stop beam.service; rm -rf /etc/beam/beam@n3/tls /etc/beam/beam@n3/crl /var/lib/beam/beam@n3/.erlang.cookie")
    done = lab.play("--extra-vars", '{"beam_pki_renew": ["beam@n3"]}', *LINKS_KEPT, *arguments)
    assert done.returncode == 0, done.stdout[-4000:]


def require_out(lab: Lab, thief: Thief, before: list[str]) -> None:
    """n3 is out, by every way in; n1 and n2 did not lose each other."""
    assert [connected(lab, host) for host in ("n1", "n2")] == ["[beam@n2]", "[beam@n1]"]
    assert all(refused_by_firewall(lab, host) for host in ("n1", "n2"))
    assert thief.cookies("n1", "n2") == {thief.cookie} and thief.cookie not in thief.cookies("n3")
    assert all(OUT not in lab.on(host, f"cat /etc/beam/beam@{host}/allow.conf") for host in ("n1", "n2"))
    for host in ("n1", "n2"):
        assert evaluate(lab, host, COUNTED % OUT) == "[]"
    assert pids(lab)[:2] == before[:2]


def test_refused_before_anything_is_touched(lab: Lab, thief: Thief) -> None:
    cookie = thief.cookies(*NODES)
    own = ("--extra-vars", f"beam_cookie={lab.variable('n1', 'beam_cookie')}")
    assert "beam_cookie is the cookie that all nodes have" in thief.play("n3", *own, ok=False)
    output = thief.play("n9,key:beam@n3,n3", ok=False)
    assert "'n9' is neither a host nor a node" in output and "the host of beam@n3 is compromised, too" in output
    assert "n2: not in this run" in thief.play("n3", "--limit", "n1,n3", ok=False)
    assert "only beam.cluster.compromised reads it" in " ".join(lab.play("--extra-vars", "beam_compromised=n3").stdout.split())
    assert thief.cookies(*NODES) == cookie


def test_the_cookie(lab: Lab, thief: Thief) -> None:
    before = watch(lab)
    old = thief.cookies(*NODES)
    asked = thief.play("cookie", "--check")
    assert "cookie: beam@n1, beam@n2, beam@n3: the cookie in beam_cookie" in asked and thief.cookies(*NODES) == old
    found = times(thief.play("cookie"))
    assert list(found) == ["cookie"] and thief.cookies(*NODES) == {thief.cookie}
    again = thief.play("cookie")
    assert "Nothing had to be changed." in again and changed(again) == {0}
    unmoved(lab, before)


def test_a_host_without_crls(lab: Lab, thief: Thief) -> None:
    thief.stolen()
    before = watch(lab)
    lab.kill_play_at(
        "rotate_forward | Trust both CAs", 1, "--extra-vars", f"@{thief.file}", "--extra-vars", "beam_compromised=n3", playbook=PLAYBOOK
    )
    done = thief.play("beam@n3")
    assert set(recap(done)) == {"n1", "n2"}, "nothing connects to the host"
    assert list(times(done)) == ["firewall", "links", "cookie", "ca"]
    require_out(lab, thief, before)
    again = thief.play("n3")
    assert "Nothing had to be changed." in again and changed(again) == {0}, again[-3000:]
    assert lab.on("n1", "ls /run | grep beam-retired || true") == ""
    put_back(lab)


def test_a_host_with_crls(lab: Lab, thief: Thief) -> None:
    done = lab.play(*CHECKED)
    assert done.returncode == 0, done.stdout[-4000:]
    thief.stolen()
    before = watch(lab)
    found = times(thief.play("n3", *CHECKED))
    assert list(found) == ["firewall", "links", "revoked", "cookie"]
    require_out(lab, thief, before)
    again = thief.play("n3", *CHECKED)
    assert "Nothing had to be changed." in again and changed(again) == {0}, again[-3000:]
    put_back(lab, *CHECKED)


def test_a_key(lab: Lab, thief: Thief) -> None:
    before = watch(lab)
    key = lab.on("n3", "sha256sum /etc/beam/beam@n3/tls/key.pem")
    found = times(thief.play("key:beam@n3", *CHECKED))
    assert list(found) == ["revoked", "keys"] and lab.on("n3", "sha256sum /etc/beam/beam@n3/tls/key.pem") != key
    until(lambda: all(connected(lab, host).count("beam@") == 2 for host in NODES), 60, "the mesh is whole")
    unmoved(lab, before, OUT)
    again = thief.play("key:beam@n3", *CHECKED)
    assert "Nothing had to be changed." in again and changed(again) == {0}, again[-3000:]


def test_the_documented_commands_are_those_of_this_test() -> None:
    text = (ROOT / "docs" / "compromised.md").read_text(encoding="utf-8")
    assert {"n3", "cookie", "key:beam@n3", "ca"} <= set(re.findall(r"beam\.cluster\.compromised -e beam_compromised=([^\s`]+)", text))
