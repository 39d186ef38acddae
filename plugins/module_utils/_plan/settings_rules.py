# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings in an operator's own files that would replace ours, or that ours replace: refused with file and line.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from .._model.host_facts import Setting
from .._model.observation import Observation
from .._model.problems import Problems, join_names
from .._model.reserved_flags import CRASH_DUMPS, FLAGS, VARIABLES
from .cluster import Node
from .cluster_variables import boolean
from .variable_names import MISSING

_SECONDS = re.compile(r"([0-9]+)\s*(s|sec|seconds?|m|min|minutes?)?")
"""A number of seconds, as ejabberd writes durations, too."""
_NODE = re.compile(r"[\w-]+@[\w.:-]*\w")
_EXTRA = "add its flags to beam_distribution_extra_args"


def check_settings(node: Node, seen: Observation, problems: Problems) -> None:
    """Flags, variables and names in the operator's files that would replace ours, or be replaced by ours."""
    unit = node.runtime.unit
    names, long_names = node.runtime.data.node_name_settings, node.runtime.data.long_name_settings
    refused = {**VARIABLES, **CRASH_DUMPS, **node.runtime.data.refused_settings}
    for setting in seen.settings or ():
        if setting.unit != unit:
            continue
        where = f"{setting.place} sets {setting.name} for {unit}"
        if setting.kind == "shell":
            _check_shell(node, setting, problems)
        elif setting.kind == "flag":
            reason = FLAGS.get(setting.name, "only the role distribution may set it")
            problems.add(node.host, setting.name, "flag_reserved", f"{where}: {reason}.", "remove it there.")
        elif setting.kind == "variable" and setting.name in names:
            _check_name(node, setting, problems)
        elif setting.kind == "variable" and setting.name in long_names:
            _check_long_names(node, setting, problems)
        elif setting.kind == "variable" and setting.name in refused:
            entry = refused[setting.name]
            if setting.value is None or setting.value.rstrip("/") not in entry.allowed:
                problems.add(node.host, setting.name, "setting_refused", f"{where}: {entry.reason}.", f"{entry.fix}.")
        elif setting.kind == "variable" and setting.value is None:
            problems.add(
                node.host, setting.name, "flags_elsewhere", f"{where}; only the role distribution may set it.", f"remove it there, and {_EXTRA}."
            )


def is_of_shell(value: str | None) -> bool:
    """Whether only a shell can tell what a value is: it holds a command or a variable that no file sets."""
    return value is not None and any(sign in value for sign in "$`")


def _check_name(node: Node, setting: Setting, problems: Problems) -> None:
    if setting.value in (str(node.node), node.node.name):
        return
    said, fix = f"to {setting.value}, but the node is planned as {node.node}", f"remove it there, or set beam_node_name to {setting.value}."
    if is_of_shell(setting.value):
        said = f"to {setting.value}, which only a shell can tell; the node is planned as {node.node}"
        fix = f"write the name there ({setting.name}={node.node}), or remove it. If the node has another name today, set beam_node_name to that."
    problems.add(node.host, "beam_node_name", "node_name_differs", f"{setting.place} sets {setting.name} {said}.", fix)


def check_peers(node: Node, known: Collection[str], seen: Observation, problems: Problems) -> None:
    """Nodes that the product's own configuration has it connect to. `known`: the members, and the nodes that leave."""
    for setting in seen.settings or ():
        if setting.unit == node.runtime.unit and setting.kind == "variable" and setting.name in node.runtime.data.peer_settings:
            others = [name for name in dict.fromkeys(_NODE.findall(setting.value or "")) if name not in known]
            if others:
                names = join_names(others)
                problems.add(
                    node.host,
                    "",
                    "setting_refused",
                    f"{setting.place} sets {setting.name} for {node.runtime.unit}: {names} is no member, so that both refuse the connection.",
                    f"remove {names} there, or add it to the cluster.",
                )


def check_script(node: Node, mode: str, seen: Observation, problems: Problems) -> None:
    """What env.sh of a release sets at each start, after the environment of the unit. What only a shell can tell, the role product tests."""
    names = "none" if mode == "off" else "sname" if node.node.kind == "short" else "name"
    planned = {"RELEASE_NODE": str(node.node), "RELEASE_DISTRIBUTION": names, "HOME": node.runtime.home}
    for one in seen.settings or ():
        if (one.unit, one.kind) != (node.runtime.unit, "script") or is_of_shell(one.value) or one.value == planned.get(one.name):
            continue
        problems.add(
            node.host,
            "",
            "setting_refused",
            f"{one.place} sets {one.name} for {one.unit} at each start, in place of what the node is given.",
            f'remove it from rel/env.sh.eex, or let what is set already stand (export {one.name}="${{{one.name}:-...}}"), and deploy the release.',
        )


def _check_shell(node: Node, setting: Setting, problems: Problems) -> None:
    """A file that gets a block of ours at its end, and that a shell does not read so far: the node would start with other flags, or not at all."""
    if setting.path not in node.runtime.data.blocks:
        return
    if setting.name == "syntax":
        message = f"{setting.place} is not complete (an open quote, here-document, `if` or the like)"
        fix = f"complete it; bash -n {setting.path} shows the place."
    else:
        message = f"{setting.place} ends the shell ({setting.name})"
        fix = "remove it, or put the lines that it leaves out into `if ...; then ...; fi`."
    problems.add(node.host, "", "block_unread", f"{message}, and the shell does not read the block of the role product at the end of the file.", fix)


def _check_long_names(node: Node, setting: Setting, problems: Problems) -> None:
    """One that the product takes before the one of ours."""
    long_names, planned = boolean(setting.value), node.node.kind != "short"
    if long_names is None or long_names == planned:
        return
    example = f"{node.node.name}@{node.node.host_part}.example.com" if long_names else f"{node.node.name}@{node.node.host_part.partition('.')[0]}"
    problems.add(
        node.host,
        "beam_node_name",
        "name_type_differs",
        f"{setting.place} sets {setting.name} to {setting.value}, but {node.node} is a {node.node.kind} name.",
        f"remove it there, or give every member a {'long' if long_names else 'short'} name such as {example} (beam_node_name).",
    )


def check_ignored(node: Node, settings: Mapping[str, object], seen: Observation, problems: Problems) -> None:
    """Kernel parameters in the product's own configuration, which the flags of the role distribution override, and those that the product sets itself
    where its configuration has none."""
    names = node.runtime.data.kernel_settings
    _check_defaults(node, settings, seen, problems)
    for setting in seen.settings or ():
        if setting.unit == node.runtime.unit and setting.name in names and setting.value is not None:
            ours = settings.get(names[setting.name], MISSING)
            same = boolean(setting.value) is ours if isinstance(ours, bool) else _plain(setting.value) == str(ours)
            if ours is not MISSING and not same:
                problems.add(
                    node.host,
                    f"beam_{names[setting.name]}",
                    "setting_overridden",
                    f"{setting.place} sets {setting.name} to {setting.value}, but the plan sets {ours}: it must be equal on all members.",
                    f"set beam_{names[setting.name]}: {setting.value} for the cluster, or remove the line.",
                )


def _check_defaults(node: Node, settings: Mapping[str, object], seen: Observation, problems: Problems) -> None:
    data = node.runtime.data
    given = {setting.name for setting in seen.settings or () if setting.unit == node.runtime.unit}
    for name, default in data.kernel_defaults.items():
        ours = settings.get(data.kernel_settings[name], MISSING)
        if seen.settings is not None and name not in given and ours is not MISSING and str(ours) != default["value"]:
            problems.add(
                node.host,
                f"beam_{data.kernel_settings[name]}",
                "setting_missing",
                f"{node.runtime.product} sets {name} to {default['value']} when it starts, because {default['path']} does not set it, but the plan "
                f"sets {ours}.",
                f"add '{name}: {ours}' to {default['path']} (install {node.runtime.product} first where it is missing), or remove "
                f"beam_{data.kernel_settings[name]}.",
            )


def _plain(value: str) -> str:
    match = _SECONDS.fullmatch(value)
    return value if match is None else str(int(match.group(1)) * (60 if (match.group(2) or "").startswith("m") else 1))
