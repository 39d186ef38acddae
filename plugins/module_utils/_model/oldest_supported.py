# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest versions that the plan accepts on a host.

Private to this collection, pure. What is maintained or has security updates is judged by controls (_assess/controls/thresholds.py).
"""

from __future__ import annotations

OLDEST_OTP = 25
OLDEST_SYSTEMD = 250
"""The first whose systemd-analyze verifies a unit without the errors of others, which the role service needs."""
