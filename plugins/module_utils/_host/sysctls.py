# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the kernel at the next boot, by an allow list: what systemd-sysctl reads.

Private to this collection. Source: sysctl.d(5).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from glob import glob

from . import proc

DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
"""In the order of their rank: of files with the same name the first one counts. Among others the name decides, and the last one counts."""
_KNOWN = re.compile(r"kernel\.core_pattern|net\.ipv4\.conf\.\S+\.route_localnet")
_LINE = re.compile(r"^[ \t]*-?([\w./*?-]+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)


def at_boot(directories: Sequence[str] = DIRECTORIES) -> list[dict[str, str]] | None:
    """[{name, value, where}] of the known settings. None where a file cannot be read."""
    files: dict[str, str] = {}
    for directory in directories:
        for path in sorted(glob(f"{directory}/*.conf")):
            files.setdefault(os.path.basename(path), path)
    found: dict[str, dict[str, str]] = {}
    for _name, path in sorted(files.items()):
        text = proc.text_of(path)
        if text is None:
            if os.path.exists(path):
                return None
            continue
        for key, value in _LINE.findall(text):
            # The first separator says which one it is: a slash within a name of an interface may be a dot.
            separated = re.search(r"[./]", key)
            name = key.replace("/", ".") if separated and separated.group(0) == "/" else key
            if _KNOWN.fullmatch(name):
                found[name] = {"name": name, "value": value, "where": path}
    return [found[name] for name in sorted(found)]
