# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs beside the VM in its unit do that the sandbox of the role service refuses: a browser that makes PDFs, Node.js that renders pages.

Private to this collection. The VM itself is no such program: it takes what it gets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from .._model.processes import is_beam
from . import proc

WRITABLE_CODE, NAMESPACE = "writable_code", "namespace"
_WRITABLE = re.compile(rb" rwx[ps] ")
_KINDS = ("user", "pid", "net")


def describe(processes: Iterable[proc.Process], root: str = "/proc") -> list[dict[str, str]]:
    """[{unit, program, reason}], each once. processes: the VMs of the host. What is not ours to look at is left out."""
    machines = {str(one.unit): one.pid for one in processes if is_beam(one.process) and str(one.unit).endswith(".service")}
    found: dict[tuple[str, str, str], None] = {}
    for pid in sorted(proc.pids(root)) if machines else ():
        one = proc.describe(pid, root)
        if one is None or one.unit not in machines or is_beam(one.process):
            continue
        if _WRITABLE.search(proc.read(f"{root}/{pid}/maps")):
            found.setdefault((str(one.unit), one.process, WRITABLE_CODE))
        machine = _namespaces(machines[one.unit], root)
        if machine and _namespaces(pid, root) - machine:
            found.setdefault((str(one.unit), one.process, NAMESPACE))
    return [{"unit": unit, "program": program, "reason": reason} for unit, program, reason in found]


def _namespaces(pid: int, root: str) -> set[str]:
    try:
        return {os.readlink(f"{root}/{pid}/ns/{kind}") for kind in _KINDS}
    except OSError:
        return set()
