# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which runs of dist_probe the probes of a host are, and a real one, in the background and not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.action import probe
from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import ATTACKS
from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import SIGNED as KINDS
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import CONNECT

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils" / "_assess"))
import whole_cluster as made  # noqa: E402

SIGNED = {f"{kind}-certificate": kind for kind in KINDS}
ADDRESSES = {name: [made.HOSTS[name], made.PUBLIC[name]] for name in made.HOSTS}


def calls(**other: Any) -> list[probe.Call]:
    given: dict[str, Any] = {name: option.get("default") for name, option in probe.SPEC.items()}
    return probe._calls({**given, "plan": made.plan(), "addresses": ADDRESSES, "vantage": "n1", "sources": ["beam@n1"], **other})


def test_a_node_is_one_call_and_one_as_another_user() -> None:
    impossible, own, nobody = calls()
    assert (impossible.options, {one.control for one in impossible.probes}) == (None, set(SIGNED))
    assert own.options and nobody.options
    of_a_member = {attack.id for attack in ATTACKS if attack.vantage == "member"}
    assert {one.control for one in own.probes} == {CONNECT, *of_a_member} - set(SIGNED)
    assert len(own.options["targets"]) == len(own.probes)
    assert own.options["cookie_file"] == "/var/lib/beam/beam@n1/.erlang.cookie"
    assert own.options["tls"] == {**made.tls("n1")}
    assert own.options["name"] == "beam_probe@n1"
    assert {one.control for one in nobody.probes} == {"local-epmd", "local-distribution-port"}
    assert (nobody.options["user"], nobody.options["tls"], nobody.options["name"]) == ("nobody", {}, "beam_probe@outside.invalid")
    assert "cookie_file" not in nobody.options, "nothing of the node's is read by another user"


def test_with_signed_certificates_every_attack_is_made() -> None:
    own, _nobody = calls(signed={kind: {"beam@n1": f"/tmp/x/{kind}.pem"} for kind in SIGNED.values()})
    for control, kind in SIGNED.items():
        (shown,) = {json.dumps(t["tls"]) for t in (own.options or {})["targets"] if t["label"] == control}
        assert json.loads(shown) == {"certificate": f"/tmp/x/{kind}.pem"}


def test_outside_is_one_call_without_anything_of_a_node() -> None:
    (only,) = calls(vantage="outsider", sources=[])
    assert only.options
    assert not {"cookie_file", "user"} & set(only.options)
    assert {one.control for one in only.probes} == {"outside-epmd", "outside-distribution-port", "reaches"}


def test_in_check_mode_there_are_honest_connections_only() -> None:
    (only,) = calls(kinds=["connect"])
    assert {one.control for one in only.probes} == {CONNECT}


def test_a_node_that_speaks_clear_text_is_probed_in_clear_text() -> None:
    of = made.plan()
    of["tls"] = False
    for own in of["hosts"].values():
        own["nodes"][0]["tls"] = None
    assert (calls(plan=of)[0].options or {})["tls"] is None


def test_pairs_are_whole() -> None:
    with pytest.raises(ValueError, match="zip"):
        probe.pairs([{"a": 1}], [])


def test_a_real_run_in_the_background_is_collected_and_leaves_nothing(tmp_path: Path) -> None:
    of = made.plan()
    for at, member in enumerate(of["members"], start=1):
        member.update(address=f"127.0.0.{at}", ports={"first": 9, "last": 9})
    given = {"plan": of, "vantage": "outsider", "kinds": ["attack"], "timeout": 2}
    tasks = [
        {"beam.cluster.probe": given, "async": 60, "poll": 0, "register": "started"},
        {"beam.cluster.probe": {"started": "{{ started }}"}, "register": "collected"},
        {"beam.cluster.probe": given, "register": "at_once"},
        {"beam.cluster.probe": {**given, "sources": ["nobody@nowhere"]}, "register": "refused", "failed_when": "refused is not failed"},
        {
            "ansible.builtin.copy": {
                "content": "{{ {'collected': collected.answers, 'at_once': at_once.answers} | to_json }}",
                "dest": str(tmp_path / "told.json"),
                "mode": "0600",
            }
        },
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", "play.yml"]
    env = {**os.environ, "ANSIBLE_INJECT_FACT_VARS": "false", "ANSIBLE_ASYNC_DIR": str(tmp_path / "async")}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    codes = {"closed", "epmd_closed", "connected"}  # a machine that develops this may have an EPMD of its own
    assert {answer["code"] for _question, answer in told["collected"]} <= codes
    assert [question for question, _answer in told["collected"]] == [question for question, _answer in told["at_once"]]
    assert len(told["collected"]) == 4 * len(made.HOSTS), "two attacks and two positive controls for each host"
    assert not list((tmp_path / "async").iterdir())
