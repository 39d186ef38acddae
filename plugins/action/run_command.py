# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`beam.cluster.run_command`: ansible.builtin.command with a message of its own where the command fails."""

from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._model.failure_messages import failed_command


class ActionModule(ActionBase):
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(
            argument_spec={
                "argv": {"type": "list", "elements": "str"},
                "script": {"type": "str"},
                "executable": {"type": "path", "default": "/bin/sh"},
                "stdin": {"type": "str"},
                "creates": {"type": "path"},
                "removes": {"type": "path"},
                "expect": {"type": "list", "elements": "int", "default": [0]},
                "fix": {"type": "str", "default": ""},
            },
            mutually_exclusive=[["argv", "script"]],
            required_one_of=[["argv", "script"]],
        )
        arguments: dict[str, Any] = {name: given[name] for name in ("stdin", "creates", "removes")}
        if given["script"] is not None:
            arguments.update(_raw_params=given["script"], _uses_shell=True, executable=given["executable"])
        else:
            arguments["argv"] = given["argv"]
        result = self._execute_module(module_name="ansible.builtin.command", module_args=arguments, task_vars=task_vars)
        if "rc" not in result or result.get("skipped") or result.get("unreachable"):
            return result
        # The module fails with the errno in place of a status where there is nothing to execute.
        executed = not result.get("failed") or result.get("msg") == "non-zero return code"
        if executed and result["rc"] in given["expect"]:
            result["failed"] = False
            # Ansible prints an error for a result that has one of these, failed or not.
            for name in ("msg", "exception"):
                result.pop(name, None)
            return result
        variables = task_vars or {}
        place = "the controller" if self._task.delegate_to == "localhost" else str(variables.get("inventory_hostname", ""))
        output = f"{result.get('stdout', '')}\n{result.get('stderr', '')}" if executed else os.strerror(int(result["rc"]))
        result["msg"] = failed_command(
            place,
            str(self._task.name).rpartition(" | ")[2],
            given["argv"] or ["the script of this task"],
            int(result["rc"]) if executed else None,
            output,
            given["fix"],
        )
        result["failed"] = True
        result.pop("exception", None)
        return result
