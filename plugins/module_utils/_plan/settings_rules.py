# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings in an operator's own files that would replace ours, or that ours replace: refused with file and line.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._model.observation import Observation
from .._model.problems import Problems
from .._model.reserved_flags import FLAGS
from .cluster import Node
from .cluster_variables import boolean
from .variable_names import MISSING

_EXTRA = "add its flags to beam_distribution_extra_args"


def check_settings(node: Node, seen: Observation, problems: Problems) -> None:
    """Flags, variables and names in the operator's files that would replace ours, or be replaced by ours."""
    unit = node.runtime.unit
    names = node.runtime.data.node_name_settings
    for setting in seen.settings or ():
        if setting.unit != unit:
            continue
        where = f"{setting.place} sets {setting.name} for {unit}"
        if setting.kind == "flag":
            reason = FLAGS.get(setting.name, "only the role distribution may set it")
            problems.add(node.host, setting.name, "flag_reserved", f"{where}: {reason}.", "remove it there.")
        elif setting.kind == "variable" and setting.name in names:
            if setting.value != str(node.node) and setting.value != node.node.name:
                problems.add(
                    node.host,
                    "beam_node_name",
                    "node_name_differs",
                    f"{setting.place} sets {setting.name} to {setting.value}, but the node is planned as {node.node}.",
                    f"remove it there, or set beam_node_name to {setting.value}.",
                )
        elif setting.kind == "variable" and setting.value is None:
            problems.add(
                node.host, setting.name, "flags_elsewhere", f"{where}; only the role distribution may set it.", f"remove it there, and {_EXTRA}."
            )


def check_ignored(node: Node, settings: Mapping[str, object], seen: Observation, problems: Problems) -> None:
    """Kernel parameters in the product's own configuration, which the flags of the role distribution override."""
    names = node.runtime.data.kernel_settings
    for setting in seen.settings or ():
        if setting.unit == node.runtime.unit and setting.name in names and setting.value is not None:
            ours = settings.get(names[setting.name], MISSING)
            same = boolean(setting.value) is ours if isinstance(ours, bool) else setting.value == str(ours)
            if ours is not MISSING and not same:
                problems.add(
                    node.host,
                    f"beam_{names[setting.name]}",
                    "setting_overridden",
                    f"{setting.place} sets {setting.name} to {setting.value}, but {ours} is used: it must be equal on all members.",
                    f"set beam_{names[setting.name]}: {setting.value} for the cluster, or remove the line.",
                )
