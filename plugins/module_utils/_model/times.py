# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times in observations and answers.

Private to this collection, pure.
"""

from __future__ import annotations

import datetime


def epoch_of(text: object) -> float | None:
    """Seconds of a time as x509.py reads it (ISO 8601, UTC); None where it is no time."""
    try:
        moment = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)).timestamp()
