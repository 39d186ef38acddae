# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves the new CA of a CA directory (`next`) into the place of the current one, which goes to `retired`. With `back` only `next` goes there.

Each step is a rename, in an order that lets the next run go on after a kill: the root goes last, because it says whether there is a new CA.
"""

from __future__ import annotations

import os
import sys
import time


def main(base: str, back: bool) -> None:
    """Raises OSError."""
    following = os.path.join(base, "next")
    retired = os.path.join(base, "retired", time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime()))
    for name in ("intermediate", "root"):
        new, here = os.path.join(following, name), os.path.join(base, name)
        if not os.path.isdir(new):
            continue
        leaves = new if back else here
        if os.path.isdir(leaves):
            os.makedirs(retired, mode=0o700, exist_ok=True)
            os.rename(leaves, os.path.join(retired, name))
        if not back:
            os.rename(new, here)
    if os.path.isdir(following):
        os.rmdir(following)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] == ["back"])
