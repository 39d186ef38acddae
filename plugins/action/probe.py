# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action beam.cluster.probe: the probes of one host, made there by dist_probe, and each question with its answer."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import KNOWN_COOKIE, SIGNED
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_probes import ENCRYPTED, AuditQuestions, options_without_credentials
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.audit_attacks import Proofs
from ansible_collections.beam.cluster.plugins.module_utils._assess.outsider_connectivity import ways
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import (
    KNOWN,
    OUTSIDE,
    PAIRS_MAX,
    VANTAGES,
    Answer,
    Probe,
    Questions,
    Scope,
    options,
)
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import NodeTarget, Target
from ansible_collections.beam.cluster.plugins.module_utils._model.untrusted_json import same_address
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import PROBE_NAME

MODULE = "beam.cluster.dist_probe"
STATUS = "ansible.builtin.async_status"
KINDS = ("connect", "attack")
KEPT = ("code", "stage", "milliseconds", "port", "tls", "message", "source_address")
"""What a report reads of an answer."""

CONCURRENCY = 256
"""Probes at once. A firewall that drops makes each last for the whole timeout, so they have to wait together."""

SPEC: dict[str, dict[str, Any]] = {
    "plan": {"type": "dict"},
    "discovered": {"type": "dict"},
    "outside": {"type": "bool", "default": False},
    "other_users": {"type": "bool", "default": True},
    "kinds": {"type": "list", "elements": "str", "choices": list(KINDS), "default": list(KINDS)},
    "vantage": {"type": "str"},
    "sources": {"type": "list", "elements": "str", "default": []},
    "addresses": {"type": "dict", "default": {}},
    "signed": {"type": "dict", "default": {}},
    "not_signed": {"type": "str", "default": "no such certificate was made"},
    "pairs_max": {"type": "int", "default": PAIRS_MAX},
    "vantages": {"type": "int", "default": VANTAGES},
    "timeout": {"type": "float", "default": 5.0},
    "started": {"type": "dict"},
}
_GIVEN = ("plan", "started", "discovered")
RULES: dict[str, Any] = {
    "required_one_of": [_GIVEN],
    "mutually_exclusive": [_GIVEN],
    "required_by": {"plan": ["vantage"], "discovered": ["vantage"]},
}
POLL_SECONDS = 0.5


class ActionModule(ActionBase):
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=SPEC, **RULES)
        if arguments["started"]:
            return self._collect(arguments["started"], task_vars)
        if arguments["discovered"]:
            return self._audit(arguments, task_vars)
        try:
            calls = _calls(arguments)
        except (KeyError, TypeError, AttributeError) as error:
            return {"failed": True, "msg": f"plan has another shape than beam.cluster.plan returns, or names no node of sources: {error!r}"}
        if self._task.async_val:
            return self._start(calls, task_vars)
        answers: list[list[Any]] = []
        for call in calls:
            if call.options is None:
                answers += [[probe.as_dict(), {"code": "", "message": arguments["not_signed"]}] for probe in call.probes]
                continue
            result = self._execute_module(module_name=MODULE, module_args=call.options, task_vars=task_vars)
            if result.get("failed") or result.get("unreachable"):
                return result
            answers += pairs([probe.as_dict() for probe in call.probes], result["targets"])
        return {"changed": False, "answers": answers}

    def _audit(self, arguments: Mapping[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """The probes of an audit from one host. TLS is spoken to nodes that have not answered in clear text: it would only cost them time."""
        try:
            made = AuditQuestions.from_dict(arguments["discovered"]).of_vantage(arguments["vantage"], arguments["outside"])
        except (KeyError, TypeError, AttributeError) as error:
            return {"failed": True, "msg": f"discovered has another shape than beam.cluster.audit returns: {error!r}"}
        answers: list[list[Any]] = []
        for probes in _turns(made):
            clear = Proofs.of(_parsed(answers)).clear
            wanted = [probe for probe in probes if _makes_sense(probe, clear)]
            user = wanted[0].credentials.user if wanted and wanted[0].attack else ""
            if user and not arguments["other_users"]:
                answers += [[probe.as_dict(), {"code": "", "message": "only root can connect as another user"}] for probe in wanted]
            elif wanted:
                result = self._execute_module(module_name=MODULE, module_args=_without_credentials(wanted, user, arguments), task_vars=task_vars)
                if result.get("failed") or result.get("unreachable"):
                    return result
                answers += pairs([probe.as_dict() for probe in wanted], result["targets"])
        return {"changed": False, "answers": answers}

    def _start(self, calls: Sequence[Call], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Under async: start the one call, and return its questions beside the job, for _collect()."""
        if not calls:
            return {"changed": False, "questions": []}
        if len(calls) != 1 or calls[0].options is None:
            return {"failed": True, "msg": "async is for the probes of a host outside the cluster, which are one call."}
        job = self._execute_module(module_name=MODULE, module_args=calls[0].options, task_vars=task_vars, wrap_async=True)
        return {**job, "changed": False, "questions": [probe.as_dict() for probe in calls[0].probes]}

    def _collect(self, started: Mapping[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Wait for the job of _start(), remove its file, and pair questions and answers."""
        if not started.get("questions"):
            return {"changed": False, "answers": []}
        job = {"jid": started["ansible_job_id"], "_async_dir": self.get_shell_option("async_dir", default="~/.ansible_async")}
        while True:
            result = self._execute_module(module_name=STATUS, module_args={**job, "mode": "status"}, task_vars=task_vars)
            if result.get("finished") or result.get("failed") or result.get("unreachable"):
                break
            time.sleep(POLL_SECONDS)
        self._execute_module(module_name=STATUS, module_args={**job, "mode": "cleanup"}, task_vars=task_vars)
        if result.get("failed") or result.get("unreachable"):
            return result
        return {"changed": False, "answers": pairs(started["questions"], result["targets"])}


def pairs(questions: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Each question with its answer, as beam.cluster.report takes them. Raises ValueError where their numbers differ."""
    return [[dict(question), {key: answer.get(key) for key in KEPT}] for question, answer in zip(questions, answers, strict=True)]


def _parsed(answers: Sequence[Sequence[Any]]) -> list[Answer]:
    return [Answer.parse(Probe.from_dict(question), answer) for question, answer in answers]


def _makes_sense(probe: Probe, clear: Collection[str]) -> bool:
    """Whether a node is to be probed that way. clear: the nodes that have answered in clear text."""
    if probe.control == KNOWN:
        return probe.target in clear
    return probe.control not in ENCRYPTED or probe.target not in clear


def _turns(probes: Sequence[Probe]) -> list[list[Probe]]:
    """In clear text and at EPMD first, then over TLS, then as each other user."""
    turns: dict[tuple[str, bool], list[Probe]] = {}
    for probe in probes:
        turns.setdefault((probe.credentials.user if probe.attack else "", probe.control in (*ENCRYPTED, KNOWN)), []).append(probe)
    return [turns[key] for key in sorted(turns)]


def _without_credentials(probes: Sequence[Probe], user: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "targets": [options_without_credentials(probe) for probe in probes],
        "epmd_port": arguments["discovered"]["epmd_port"],
        "timeout": arguments["timeout"],
        "concurrency": CONCURRENCY,
        "expect": ["any"],
        "name": OUTSIDE,
        "cookie": KNOWN_COOKIE,
        "tls": {},
        **({"user": user} if user else {}),
    }


class Call(NamedTuple):
    """One run of dist_probe: its probes and its options; None where they cannot be made."""

    probes: Sequence[Probe]
    options: dict[str, Any] | None


def _calls(arguments: Mapping[str, Any]) -> list[Call]:
    """One call for each node of the vantage, and one more for each other user that its probes act as: a process can be one user at a time."""
    addresses = {host: tuple(map(same_address, own)) for host, own in arguments["addresses"].items()}
    questions = Questions(Target.from_plan(arguments["plan"]), addresses, Scope(arguments["pairs_max"], arguments["vantages"]))
    sources: list[NodeTarget | None] = [questions.target.node(name) for name in arguments["sources"]]
    calls = []
    for source in sources or [None]:
        made: list[Probe] = []
        if source and "connect" in arguments["kinds"]:
            made += questions.connects(source.node)
        if "attack" in arguments["kinds"]:
            made += questions.attacks(arguments["vantage"], source.node if source else "")
            made += [] if source else ways(arguments["vantage"], made)
        signed = {kind: paths[source.node] for kind, paths in arguments["signed"].items() if source and source.node in paths}
        missing = [kind for kind in SIGNED if kind not in signed]
        impossible = [probe for probe in made if probe.credentials.certificate in missing]
        if impossible:
            calls.append(Call(impossible, None))
        left = [probe for probe in made if probe.credentials.certificate not in missing]
        for user in sorted({probe.credentials.user for probe in left}):
            mine = [probe for probe in left if probe.credentials.user == user]
            calls.append(Call(mine, _options(questions.target, mine, source, user, signed, arguments["timeout"])))
    return calls


def _options(
    target: Target, probes: Sequence[Probe], source: NodeTarget | None, user: str, signed: Mapping[str, str], timeout: float
) -> dict[str, Any]:
    """The options of dist_probe. Probes of another user, and from outside, have no node's credentials."""
    own = source if source and not user else None
    common: dict[str, Any] = {
        "targets": [options(probe, own, signed) for probe in probes],
        "epmd_port": target.epmd_port,
        "timeout": timeout,
        "concurrency": CONCURRENCY,
        "expect": ["any"],
    }
    if own is None:
        # The cookie is never shown: these probes prove a random one, if a peer lets them come so far.
        return {**common, "name": OUTSIDE, "cookie": KNOWN_COOKIE, "tls": {}, **({"user": user} if user else {})}
    tls = None
    if own.tls_versions:
        tls = {"ca": own.ca_file, "certificate": own.certificate_file, "key": own.key_file, "versions": list(own.tls_versions)}
    return {**common, "name": f"{PROBE_NAME}@{own.host_part}", "cookie_file": own.cookie_file, "tls": tls}
