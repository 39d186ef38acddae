# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action beam.cluster.status: the answers of the hosts in, the state of the cluster out. Runs on the controller and writes one file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._assess import status_table
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import when
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import Target
from ansible_collections.beam.cluster.plugins.module_utils._model.untrusted_json import safe_values
from ansible_collections.beam.cluster.plugins.plugin_utils import _report_output
from ansible_collections.beam.cluster.plugins.plugin_utils._files import replace_file

SPEC: dict[str, dict[str, Any]] = {
    "plan": {"type": "dict", "required": True},
    "evidence": {"type": "dict", "required": True},
    "directory": {"type": "path"},
}


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=SPEC)
        try:
            # Subjects of certificates and names of packages go to terminals and files from here on.
            found = status_table.status(Target.from_plan(arguments["plan"]), safe_values(arguments["evidence"]))
        except (KeyError, TypeError, AttributeError) as error:
            return {"failed": True, "msg": f"plan or evidence has another shape than the modules of this collection return: {error!r}"}
        data = status_table.data(found, when(time.time()))
        result: dict[str, Any] = {"changed": False, "lines": status_table.text(found), "status": data, "file": ""}
        if arguments["directory"]:
            base = Path(os.path.abspath(arguments["directory"]))
            result["file"] = str(base / f"{found.group or 'cluster'}-status.json")
            if not self._task.check_mode:
                try:
                    base.mkdir(mode=0o750, parents=True, exist_ok=True)
                    replace_file(Path(result["file"]), json.dumps(data, indent=1) + "\n")
                    result["lines"].append(f"Status: {result['file']}")
                except OSError as error:
                    result.update(failed=True, msg=_report_output.unwritten(arguments["directory"], "beam_verify_report_dir", error))
        for line in result["lines"]:
            self._display.display(f"  {line}".rstrip())
        return result
