# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of keys, certificates and trust anchors.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import DESIGN, TLS_GUIDE, Control

CERTIFICATE_DAYS_MIN = 7
"""Days that a certificate must still be valid for."""

CONTROLS = (
    Control(
        "private-key",
        "The node's key belongs to its user, has mode 0400, and no other user can replace it",
        "Whoever reads the key can act as the node until the certificate ends.",
        "Set owner and mode of the key file. Take write permission on the directories above it from other users.",
        "pki",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "certificate-lifetime",
        f"Every certificate that a node shows is valid now and for {CERTIFICATE_DAYS_MIN} more days",
        "When it ends, no node can connect any more, and nothing warns before.",
        "Renew the certificate. A running node uses a new file within 120 seconds, if its modification time is new. Check the clocks.",
        "pki",
        (DESIGN,),
        "high",
        "probes",
    ),
)
