# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict in every form that somebody or something reads: terminal, HTML, JSON, JUnit, SARIF, OCSF, CSV.

Private to this collection, pure: nothing here writes a file, and nothing here has seen a secret. All forms are made from one Report (model.py).
"""

from __future__ import annotations
