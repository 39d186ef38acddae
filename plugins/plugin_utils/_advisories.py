# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the table of known vulnerabilities.

Private to this collection, for the action plugins and derive_advisories.py: it runs on the controller only.
"""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.beam.cluster.plugins.module_utils._assess.advisory_table import Table, TableError

SHIPPED = Path(__file__).resolve().parents[2] / "roles" / "plan" / "files" / "advisories.json"
BY_HAND = SHIPPED.with_name("advisories_by_hand.json")


def read(path: Path) -> Table:
    """One file. Raises TableError, its text without the path."""
    try:
        return Table.parse(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise TableError(f"it cannot be read: {error.strerror}") from error
    except RecursionError:
        raise TableError("it is nested too deeply") from None
    except ValueError as error:
        if isinstance(error, TableError):
            raise
        raise TableError(f"it is not JSON: {error}") from error


def table(path: str | None = None) -> Table:
    """The operator's table, or the one of this collection, with what is written by hand. Raises TableError."""
    return read(Path(path) if path else SHIPPED).with_others(read(BY_HAND))
