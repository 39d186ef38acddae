# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Speaking the protocols of `_wire` over sockets: the only place of the collection that imports socket, ssl or asyncio.

It is private to the collection: its names may change in any release.
"""

from __future__ import annotations
