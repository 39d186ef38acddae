# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's loader of collections, before any test imports one: it knows nothing of a collection that was imported without it."""

from __future__ import annotations

from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()
