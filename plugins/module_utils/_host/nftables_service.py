# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nftables.service loads by the files of its package and of the operator, before our drop-in sets its commands anew.

Private to this collection. Only paths leave the host.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from .._model.installed import DROP_IN, HEADER
from . import proc

_COMMAND = re.compile(r"^[ \t]*(ExecStart|ExecReload|ExecStop)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_FILE = re.compile(r"(?:[ \t](?:-f|--file)[ \t=]*|\binclude[ \t]+)[\"']?(/[^\s\"';]+)")


def loads(unit: Mapping[str, object]) -> list[dict[str, str]]:
    """[{directive, file, where}]: the files of each command of the unit, else its program; an empty file where a command was taken away.

    What sorts after our drop-in has the last word, and is left out.
    """
    listed = unit.get("drop_ins")
    found: dict[str, list[dict[str, str]]] = {}
    for path in [str(unit.get("fragment") or ""), *(listed if isinstance(listed, list) else ())]:
        text = (proc.text_of(path) or "").replace("\\\n", " ") if path else ""
        if HEADER in text[:1000] or path != unit.get("fragment") and os.path.basename(path) > DROP_IN:
            continue
        for name, value in _COMMAND.findall(text):
            command = value.lstrip("-@:+!|")
            files = _FILE.findall(command) or command.split()[:1] or [""]
            kept = [one for one in found.get(name, ()) if one["file"]] if command else []
            found[name] = [*kept, *({"directive": name, "file": file, "where": path} for file in files)]
    return [one for several in found.values() for one in several]
