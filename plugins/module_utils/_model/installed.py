# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of what the roles install and other code looks for. The roles have the same names; tests/project/test_python_style.py compares them.

Private to this collection. Pure.
"""

from __future__ import annotations

HEADER = "Managed by beam.cluster"
"""In the first lines of every file that a role installs."""

DROP_IN = "zzz-beam.conf"
"""The drop-in of a node's unit, of EPMD's and of nftables.service. The last drop-in by name wins."""

OLD_DROP_IN = "beam.conf"
"""Its name in earlier versions."""

START_FILES = (".erlang", ".config/erlang/.erlang")
"""Files below a home from which a VM takes code when it starts (c:erlangrc/0)."""

COOKIE_FILES = (".erlang.cookie", ".config/erlang/.erlang.cookie")
"""Files below a home from which a VM takes its cookie, the first one that exists (auth.erl, OTP 25 and newer)."""

ARGUMENT_FILES = ("vm.args", "tool.args", "join.args")
"""Files with flags of VMs in the directory of a node. Another one beside them is somebody else's."""

EPMD_SERVICE = "epmd.service"
"""The unit of EPMD. It has the drop-in and no guard."""

GUARD = "beam-guard-"
"""In front of a node's unit: the unit that checks the flags of the VM."""

WATCH = "beam-watch-"
"""In front of a node's unit: the unit that watches the VMs of a running node."""

TABLE = "beam_cluster"
"""Our nftables table, of the family inet."""
