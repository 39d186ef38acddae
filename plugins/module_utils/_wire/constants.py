# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that both ends of a connection have to agree on, in one place. Argument specs and tests compare themselves with them."""

from __future__ import annotations

EPMD_PORT = 4369
"""Where EPMD listens if nobody says otherwise (IANA: epmd)."""

PROBE_NAME = "beam_probe"
"""The name in front of the @ that probes claim. Allow lists of the nodes have it, and no node may be called so."""
