# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The protocols of a BEAM cluster as values: bytes in, messages out.

Nothing in this package opens a socket, reads a clock or knows Ansible; `_net` does. It is private to the collection:
its names may change in any release.
"""

from __future__ import annotations
