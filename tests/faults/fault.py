# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A seeded fault as data: how a host of the lab is broken, and what `verify` must say of it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

BESIDE = ""
NODE, OPTIONS, LIVE, GONE, MESH = "node", "options", "live", "gone", "mesh"
CERTIFICATE, KEY, ANCHORS, COOKIE = "certificate", "key", "anchors", "cookie"
FIREWALL = "firewall"
"""What a fault alters: something beside the node; the node, which restarts; its TLS options, and it restarts; the running node until it restarts; a
file that its next start needs; its connections to others; one of its files with secrets; the firewall."""


@dataclass(frozen=True)
class Fault:
    """One fault. `breaks` and `repair` are bash, run as root on `host`, with `$saved`: a folder of the fault's own.

    `verify` must fail the control `control`, and the details of that finding must contain every word of `names`.
    """

    name: str
    breaks: str
    control: str
    names: tuple[str, ...]
    repair: str
    host: str = "n1"
    product: str = "erlang"
    alters: str = NODE
    given: tuple[str, str] | None = None
    """Another host and bash. What that prints is `$given` in `breaks`."""

    def script(self, words: str, given: str = "") -> str:
        folder = "/root/beam-fault/" + re.sub(r"\W+", "-", self.name)
        return f"saved={folder}; mkdir -p -m 0700 $saved; given={shlex.quote(given)}\n{words}"
