# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit that is asked to try default cookies, or to ask nodes with their own credentials: real nodes on loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.beam.cluster.plugins.action import probe as action
from ansible_collections.beam.cluster.plugins.module_utils._assess import audit_summary
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_default_cookies import DEFAULTS
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_probes import AuditQuestions, with_own_credentials
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import audit_default_cookies as default_cookie_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.running_node import OF_ONE_PRODUCT, WITHOUT_PLAN, running_node_findings
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import (
    FAILED,
    NOT_APPLICABLE,
    NOT_TESTED,
    PASSED,
    Evidence,
    Finding,
    NodeView,
)
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import KNOWN, Answer, Probe
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import HostTarget, NodeTarget, Target
from ansible_collections.beam.cluster.plugins.modules import dist_probe, mesh_info

RANDOM = "x8Jq2mWc9Rk4Tz7Vb1Ns6Yd3Hf5Lg0Pu"
needs_erl = pytest.mark.skipif(shutil.which("erl") is None, reason="needs erl")


def target(port: int | None, **values: Any) -> Target:
    name = f"audited@{socket.gethostname().partition('.')[0]}"
    node = NodeTarget(name, "n1", None, None, port, in_run=True, tls_versions=None, exact_modes=False, seen_at=("127.0.0.1",), **values)
    host = HostTarget("n1", (node,), True, True, frozenset(), 4369, None, None, (), "")
    return Target("", "", None, (), 4369, False, {"n1": host}, (node,))


@contextmanager
def running(home: Path, cookie: str) -> Iterator[int]:
    """A node in clear text, which uses no EPMD. Its port."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    home.mkdir()
    file = home / ".erlang.cookie"
    file.write_text(cookie, encoding="ascii")
    file.chmod(0o400)
    command = ["erl", "-noinput", "-sname", "audited", "-start_epmd", "false", "-erl_epmd_port", str(port), "-kernel", "logger_level", "none"]
    with subprocess.Popen(command, env={**os.environ, "HOME": str(home), "ERL_CRASH_DUMP_SECONDS": "0"}, cwd=home) as vm:
        try:
            until = time.monotonic() + 90
            while time.monotonic() < until:
                with closing(socket.socket()) as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield port
        finally:
            vm.kill()


def result_of(module: Any, options: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        module.main()
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def answers_of(questions: AuditQuestions, capsys: pytest.CaptureFixture[str]) -> list[Answer]:
    """As the action makes the probes of a host: in clear text first, default cookies where a node has answered in clear text."""
    arguments = {"discovered": questions.as_dict(), "timeout": 10.0}
    made = AuditQuestions.from_dict(json.loads(json.dumps(arguments["discovered"]))).of_vantage("n1", False)
    answers: list[Answer] = []
    for turn in action._turns([one for one in made if not (one.attack and one.credentials.user)]):
        wanted = [one for one in turn if action._makes_sense(one, action.Proofs.of(answers).clear)]
        if wanted:
            said = result_of(dist_probe, action._without_credentials(wanted, "", arguments), capsys)
            answers += [Answer.parse(one, answer) for one, answer in zip(wanted, said["targets"])]
    return answers


def finding(made: Target, answers: list[Answer], asked: bool = True) -> Finding:
    evidence = Evidence(made, {}, answers, {}, (), 0.0, asked=AuditQuestions.of(made, {}, known_cookies=asked))
    (found,) = default_cookie_checks.findings(evidence)
    return found


@needs_erl
@pytest.mark.parametrize(("cookie", "status"), [("monster", FAILED), (RANDOM, PASSED)])
def test_default_cookies_of_a_real_node(tmp_path: Path, capsys: pytest.CaptureFixture[str], cookie: str, status: str) -> None:
    with running(tmp_path / "home", cookie) as port:
        made = target(port)
        answers = answers_of(AuditQuestions.of(made, {}, known_cookies=True), capsys)
        quiet = answers_of(AuditQuestions.of(made, {}), capsys)
    found = finding(made, answers)
    assert (found.status, len([one for one in answers if one.probe.control == KNOWN])) == (status, len(DEFAULTS))
    assert found.details[0] == ("it takes the default cookie of CouchDB" if status == FAILED else f"refused {len(DEFAULTS)} default cookies")
    paid = [audit_summary.cost(one)[0]["handshakes"] for one in (answers, quiet)]
    assert paid[0] == paid[1] + len(DEFAULTS), "each try is in the stated cost"
    assert not any(one.probe.control == KNOWN for one in quiet)
    assert not any(default.cookie in json.dumps(one.probe.as_dict()) for one in answers for default in DEFAULTS if len(default.cookie) > 4)


def test_nothing_is_tried_unless_asked_for_and_nothing_passes_untried() -> None:
    made = target(4001)
    assert finding(made, [], asked=False).status == NOT_APPLICABLE
    assert finding(made, []).status == NOT_APPLICABLE, "it did not answer in clear text"
    (node,) = made.members
    clear = Answer(Probe("plaintext", "n1", "", node.node, "n1", "127.0.0.1", 4001, "own"), "tls_on_plaintext", "tls")
    assert finding(made, [clear]).status == NOT_TESTED
    some = [Answer(Probe(KNOWN, "n1", "", node.node, "n1", "127.0.0.1", 4001, "own", one.product), "timeout_ack", "ack") for one in DEFAULTS]
    assert finding(made, [clear, *some]).status == NOT_TESTED


@needs_erl
def test_a_real_node_is_asked_with_its_own_cookie(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path / "home", RANDOM) as port:
        made = target(port, key_file="", cookie_file=str(tmp_path / "home" / ".erlang.cookie"))
        (asked,) = AuditQuestions.of(made, {}).as_dict()["asked"]
        # As roles/audit/tasks/query_nodes.yml.
        options = {
            "targets": [{"node": asked["node"], "host": asked["address"], "port": asked["port"]}],
            "members": [asked["node"]], "name": asked["name"], "cookie_file": asked["cookie_file"], "source": asked["address"],
        }
        said = result_of(mesh_info, options, capsys)
    assert RANDOM not in json.dumps(said)
    (node,) = made.members
    evidence = Evidence(made, {}, [], {node.node: NodeView.parse(said["targets"][0])}, (), 0.0)
    found = {one.control: one.status for one in running_node_findings(evidence)}
    assert {found[control] for control in WITHOUT_PLAN - set(OF_ONE_PRODUCT)} <= {PASSED, FAILED}
    assert found["atom-table"] == found["ssh-daemons"] == PASSED
    assert {status for control, status in found.items() if control not in WITHOUT_PLAN} == {NOT_APPLICABLE}
    nothing = {one.control: one for one in running_node_findings(replace(evidence, views={}))}
    assert {one.status for one in nothing.values()} == {NOT_APPLICABLE} and "beam_audit_credentials" in nothing["atom-table"].details[0]


def test_a_node_whose_files_are_not_known_is_not_asked() -> None:
    whole = {"key_file": "/k", "ca_file": "/a", "certificate_file": "/c", "cookie_file": "/o"}
    (node,) = target(4001, **whole).members
    assert with_own_credentials(node) is not None
    for lacking in ({"cookie_file": None}, {"cookie_file": ""}, {"key_file": None}, {"ca_file": None}, {"seen_at": ()}, {"port": None}):
        assert with_own_credentials(replace(node, **lacking)) is None
