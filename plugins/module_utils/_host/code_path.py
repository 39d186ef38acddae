# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who beside root can write the code that a VM loads.

Private to this collection.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from .owners import Above


def replaceable(paths: Iterable[str]) -> list[dict[str, object]] | None:
    """The directories (and archives) of a code path in which somebody beside root can put a module: [{path, by}]. None where one cannot be looked at.

    The path "." is left out: it is the working directory, which a node's user may write.
    """
    above = Above()
    found: list[dict[str, object]] = []
    for path in dict.fromkeys(paths):
        if not os.path.isabs(path) or not os.path.lexists(path):
            continue
        by = above.of(os.path.join(path, "any.beam"))["replaceable_by"]
        if by is None:
            return None
        if by:
            found.append({"path": path, "by": by})
    return found
