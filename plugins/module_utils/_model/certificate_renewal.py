# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a certificate is renewed. Pure; the one place that knows the rule.

Private to this collection.
"""

from __future__ import annotations

import datetime


def moment(text: str) -> float:
    """Seconds since 1970 of a time in UTC, as 2026-01-31T00:00:00Z or as 20260131000000Z. Raises `ValueError`."""
    shape = "%Y-%m-%dT%H:%M:%SZ" if "-" in text else "%Y%m%d%H%M%SZ"
    return datetime.datetime.strptime(text, shape).replace(tzinfo=datetime.timezone.utc).timestamp()


def renew_on(not_before: str, not_after: str, renew_at: float) -> float:
    """Seconds since 1970 from which on a certificate is due. renew_at: part of its lifetime, 0 to 1."""
    begin, end = moment(not_before), moment(not_after)
    return begin + (end - begin) * renew_at


def due(not_before: str, not_after: str, renew_at: float, now: float) -> bool:
    """Whether a certificate has to be renewed now."""
    return now >= renew_on(not_before, not_after, renew_at)
