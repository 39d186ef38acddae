# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a report on the controller's terminal.

Private to this collection; it runs on the controller only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible import constants
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import terminal

# Ansible uses no colour where the output is no terminal, or NO_COLOR is set.
_COLOURS = {terminal.GOOD: constants.COLOR_OK, terminal.BAD: constants.COLOR_ERROR, terminal.WARNING: constants.COLOR_WARN}


def show(display: Any, lines: Iterable[terminal.Line]) -> None:
    for line in lines:
        display.display(f"  {line.text}".rstrip(), color=_COLOURS.get(line.tone))
