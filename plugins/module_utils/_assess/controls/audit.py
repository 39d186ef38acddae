# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the assessment itself: what was looked at, what is accepted, and the policy that nodes are held to.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import DESIGN

_WAIVERS = ("Chef InSpec, Waivers", "https://docs.chef.io/inspec/waivers/")
_RATING = ("testssl.sh, Rating", "https://github.com/testssl/testssl.sh/blob/3.2/doc/testssl.1.md#rating")
_POLICIES = ("ssh-audit, Policies", "https://github.com/jtesta/ssh-audit#usage")

CONTROLS = (
    Control(
        "audit-coverage",
        "Every host and every node was read as root",
        "A host that could not be reached, or was read in part only, may have any fault. A report without it looks the same as a good one.",
        "Give Ansible a connection, Python 3.9 or newer and root (become) on the host. Add a container to the inventory as a host.",
        "",
        (_RATING,),
        "high",
        "coverage",
    ),
    Control(
        "waivers",
        "Each waiver has an owner, a reason and an end, has not ended, and covers something",
        "A waiver that is no longer needed hides the next fault of the same control.",
        "Remove the waiver that the finding names, or correct it.",
        "",
        (_WAIVERS, DESIGN),
        "medium",
        "waivers",
    ),
    Control(
        "policy",
        "Each node has the settings of the policy",
        "If nodes that should be alike differ, one was changed by hand or set up at another time. One of them is the weakest.",
        "Change the settings that the finding names, or write a new policy with beam_audit_policy_from.",
        "",
        (_POLICIES,),
        "medium",
        "policy",
    ),
)
