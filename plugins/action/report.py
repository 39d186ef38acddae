# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(beam.cluster.report): evidence in, verdict out. Runs on the controller, connects to nothing, writes the report files."""

from __future__ import annotations

import datetime
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._assess import evaluate, finding, reports
from ansible_collections.beam.cluster.plugins.module_utils._assess import waivers as waiving
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import SEVERITIES
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Answer, Probe

SPEC: dict[str, dict[str, Any]] = {
    "plan": {"type": "dict", "required": True},
    "evidence": {"type": "dict", "required": True},
    "outside": {"type": "list", "elements": "list", "default": []},
    "outsiders": {"type": "list", "elements": "str", "default": []},
    "mesh": {"type": "list", "elements": "dict", "default": []},
    "untested": {"type": "str", "default": ""},
    "waivers": {"type": "list", "elements": "raw", "default": []},
    "fail_at": {"type": "str", "choices": ["never", *SEVERITIES], "default": "never"},
    "directory": {"type": "path"},
}


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=SPEC)
        now = time.time()
        plan = arguments["plan"]
        names = [*plan["hosts"], *(member["node"] for member in plan["members"])]
        waivers, errors = waiving.read_waivers(arguments["waivers"], datetime.date.fromtimestamp(now), names)
        if errors:
            return {"failed": True, "msg": "\n".join(errors), "errors": errors}
        verdict = evaluate.evaluate(_evidence(arguments, now), waivers, arguments["fail_at"])
        result: dict[str, Any] = {
            "changed": False,
            "passed": verdict.ok,
            "lines": reports.text(verdict),
            "failures": [{"control": f.control, "subject": f.subject, "status": f.status, "severity": f.severity} for f in verdict.failures],
            "files": {},
        }
        directory = arguments["directory"]
        if directory:
            contents = {
                "json": json.dumps(reports.data(verdict, now), indent=2) + "\n",
                "xml": reports.junit(verdict, now),
                "html": reports.page(verdict, now),
            }
            base = Path(os.path.abspath(directory))
            result["files"] = {suffix: str(base / f"{plan.get('group') or 'cluster'}.{suffix}") for suffix in contents}
            if not self._task.check_mode:
                base.mkdir(mode=0o750, parents=True, exist_ok=True)
                for suffix, text in contents.items():
                    _write(Path(result["files"][suffix]), text)
                result["lines"].append(f"Report: {result['files']['html']} (and .json, .xml)")
        for line in result["lines"]:
            self._display.display(f"  {line}".rstrip())
        if not verdict.ok:
            # A check run compares the plan with hosts that this very run may be about to change: it tells, and does not stop.
            if self._task.check_mode:
                result["warnings"] = ["As things are now, verify would fail: " + reports.failure(verdict, 3)]
            else:
                # It has been printed; a failed task prints its whole result once more.
                del result["lines"]
                result.update(failed=True, msg=reports.failure(verdict))
        return result


def _evidence(arguments: Mapping[str, Any], now: float) -> finding.Evidence:
    hosts: Mapping[str, Mapping[str, Any]] = arguments["evidence"]
    pairs = [pair for own in hosts.values() for pair in (own or {}).get("answers") or ()]
    return finding.Evidence(
        plan=arguments["plan"],
        hosts=hosts,
        answers=_answers([*pairs, *arguments["outside"]]),
        mesh={told["node"]: told for told in arguments["mesh"]},
        outsiders=arguments["outsiders"],
        epoch=now,
        untested=arguments["untested"],
    )


def _answers(pairs: Sequence[Sequence[Any]]) -> list[Answer]:
    """Requests and what came of them. A pair without an answer was not made, and counts for nothing."""
    answers = []
    for pair in pairs:
        if len(pair) != 2 or not pair[1]:
            continue
        request, told = pair
        known = {name: request[name] for name in Probe.__dataclass_fields__ if name in request}
        answers.append(
            Answer(
                probe=Probe(**known),
                code=str(told.get("code") or ""),
                stage=str(told.get("stage") or ""),
                milliseconds=told.get("milliseconds"),
                port=told.get("port"),
                tls=told.get("tls"),
                message=str(told.get("message") or ""),
            )
        )
    return answers


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a report that is being read is the last whole one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(temporary, 0o640)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
