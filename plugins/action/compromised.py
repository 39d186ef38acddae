# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`beam.cluster.compromised`: what has to be replaced. Runs on the controller, and keeps its record beside the CA."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._model import compromise_response
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_rules import split_pem
from ansible_collections.beam.cluster.plugins.module_utils._wire import x509
from ansible_collections.beam.cluster.plugins.plugin_utils._files import replace_file

RECORD = "compromised.json"
SPEC: dict[str, dict[str, Any]] = {
    "plan": {"type": "dict"},
    "cookie": {"type": "str", "no_log": True, "default": ""},
    "cookies": {"type": "list", "elements": "dict", "default": []},
    "own_certificates": {"type": "bool", "default": False},
    "again": {"type": "bool", "default": False},
    "record": {"type": "bool", "default": False},
    "decided": {"type": "dict"},
    "times": {"type": "dict", "default": {}},
    "changed_steps": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(argument_spec=SPEC)
        decided = given["decided"]
        if decided:
            times = None if self._task.check_mode else given["times"]
            return self._shown(compromise_response.report(decided["steps"], decided["left"], times, given["changed_steps"]))
        plan = given["plan"]
        directory = Path(self._loader.path_dwim(plan["ca_dir"])) if plan["ca_dir"] else None
        path = directory / RECORD if directory else None
        try:
            text = path.read_text(encoding="utf-8") if path and path.exists() else ""
            record = compromise_response.read_record(text)
            state = _state(directory, given, _held(plan, (task_vars or {})["hostvars"]))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            return {"failed": True, "msg": f"{getattr(error, 'filename', None) or path}: {reason}. Restore it from a backup. Nothing was changed."}
        wanted = _wanted(plan, given["own_certificates"])
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        answer = compromise_response.decide(wanted, state, record, again=given["again"], now=now, salt=secrets.token_hex(16))
        if answer.errors:
            lines = [f"{message} Fix: {fix}" for message, fix in answer.errors]
            return {"failed": True, "msg": " ".join([*lines, "Nothing was changed."])}
        changed = dict(answer.entries) != record
        if given["record"] and changed and path and not self._task.check_mode:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, compromise_response.write_record(answer.entries))
        steps = [{"step": step, "text": line} for step, line in compromise_response.steps(wanted, answer)]
        return {
            "changed": bool(given["record"] and changed and path),
            "revoke": list(answer.revoke),
            "renew": list(answer.renew),
            "new_ca": answer.new_ca,
            "steps": steps,
            "left": compromise_response.left_to_do(wanted, answer),
        }

    def _shown(self, lines: list[str]) -> dict[str, Any]:
        for line in lines:
            self._display.display(f"  {line}")
        return {"changed": False, "lines": lines}


def _wanted(plan: Mapping[str, Any], own_certificates: bool) -> compromise_response.Wanted:
    named = plan["compromised"]
    departing = plan["departing"]
    certificates = bool(plan["tls"] and not own_certificates)
    return compromise_response.Wanted(
        names=tuple(named["names"]),
        nodes={host: tuple(node["node"] for node in departing[host]["nodes"]) for host in named["hosts"]},
        keys=tuple(named["keys"]),
        cookie=named["cookie"],
        ca=named["ca"],
        certificates=certificates,
        crl=certificates and plan["crl"],
        own_certificates=bool(plan["tls"] and own_certificates),
        members=tuple(member["node"] for member in plan["members"]),
        addresses={host: tuple(departing[host]["addresses"]) for host in named["hosts"]},
        external=tuple(host for host, data in plan["hosts"].items() if data["firewall"]["backend"] == "external"),
        ca_dir=plan["ca_dir"] or "",
    )


def _held(plan: Mapping[str, Any], hostvars: Any) -> dict[str, str]:
    """The fingerprint of the certificate that each node with a stolen key has now, from the observation of its host."""
    held = {}
    for host, data in plan["hosts"].items():
        concerned = {node["tls"]["certificate"]: node["node"] for node in data["nodes"] if node["node"] in plan["compromised"]["keys"]}
        if concerned:
            observed = Observation.parse(host, hostvars.raw_get(host).get("__beam_observed") or {})
            held.update({concerned[one.path]: one.sha256 for one in observed.certificates or () if one.path in concerned and one.sha256})
    return held


def _state(directory: Path | None, given: Mapping[str, Any], held: Mapping[str, str]) -> compromise_response.State:
    """Raises `OSError`, and `ValueError` for a damaged certificate."""
    cookies = given["cookies"]
    current = _existing(directory, ("root", "intermediate")) if directory else []
    coming = _existing(directory, ("next/root", "next/intermediate")) if directory else []
    issued: dict[str, set[str]] = {}
    revocable = set()
    keys = {x509.describe(split_pem(path.read_bytes())[0])["key_id"] for path in (*current, *coming)}
    for path in sorted((directory / "issued").glob("**/*.pem")) if directory else ():
        node = path.stem if path.parent.name == "issued" else path.parent.name
        der = split_pem(path.read_bytes())[0]
        issued.setdefault(node, set()).add(hashlib.sha256(der).hexdigest())
        if x509.describe(der)["issuer_key_id"] in keys:
            revocable.add(node)
    return compromise_response.State(
        cookie=given["cookie"],
        cookie_everywhere=bool(cookies) and all(one["file"] in ("current", "attributes") and one["state"] != "outdated" for one in cookies),
        cas=_sums((*current, *coming)),
        issued={node: frozenset(found) for node, found in issued.items()},
        held=held,
        revocable=frozenset(revocable),
    )


def _existing(directory: Path, names: Iterable[str]) -> list[Path]:
    return [path for path in (directory / name / "certificate.pem" for name in names) if path.is_file()]


def _sums(paths: Iterable[Path]) -> frozenset[str]:
    return frozenset(hashlib.sha256(split_pem(path.read_bytes())[0]).hexdigest() for path in paths)
