# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thresholds of the controls: ages, lifetimes, sizes, versions that they compare with. The control texts show them.

Private to this collection, pure. Those that the roles apply as well are in _model (secret_rules.py, revocation_rules.py).
"""

from __future__ import annotations

from collections.abc import Mapping

VULNERABILITIES_AGE_MAX = 30
"""Days after which a table of known vulnerabilities is too old."""
ATOMS_PART_MAX = 0.5
"""Part of its atom table that a node may use."""
CERTIFICATE_DAYS_MIN = 14
"""Days that the certificate of a node or CA must still be valid: the time that is left to act before nodes cannot connect."""
CERTIFICATE_LIFETIME_MAX = 398
"""Days. The limit of browsers for certificates of servers."""
SHOWN_SECONDS = 180
"""Seconds after which a running node shows a changed certificate: OTP looks at the times of the files every 120."""
CLOCK_SECONDS_MAX = 60
"""Difference between the clocks of a host and of the controller."""
COOKIE_DAYS_MAX = 365
"""Age of a cookie."""
OLDEST_LINUX_RELEASE: Mapping[str, float] = {"debian": 12.0, "ubuntu": 22.04}
"""Oldest release of a Linux distribution that gets security updates, as of November 2026."""
LOW_PORTS_EXPOSURE = 0.1
"""What CAP_NET_BIND_SERVICE adds to the exposure level of a unit."""
OPENSSL_MIN = (3, 0)
OTP_MAINTAINED = (27, 28, 29)
"""Releases of OTP that get patches, as of November 2026. OTP maintains the latest three."""
PORTS_MAX = 100
"""Ports in the range of one node."""
RSA_BITS_MIN = 2048
SANDBOX_EXPOSURE_MAX = 1.5
"""Highest overall exposure level of systemd-analyze security that passes. 10 is no sandbox at all."""
SHELL_HOURS_MAX = 24
"""Age of a remote shell."""
UNREVOKED_DAYS_MAX = 100
"""Lifetime of a certificate in days up to which its end takes the place of revocation."""
