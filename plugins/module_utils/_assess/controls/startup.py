# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what a node reads when it starts, and of the groups that it starts with.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import EEF_RELEASES, ERL, EXEC, SECURE_CODING, Control

CONTROLS = (
    Control(
        "start-files",
        "Only root can change the files and directories that a node reads when it starts",
        "Code in the node, or another user, that writes one of them comes back with every start: arguments, configuration and boot files, start "
        "scripts, environment files and directories of code decide what the VM runs.",
        "Let root own the files that the finding names and the directories above them, with mode 0644 and 0755: chown root, chmod go-w. "
        "Give the node another directory for its data.",
        "",
        (ERL, SECURE_CODING, EEF_RELEASES),
        "high",
        "files",
    ),
    Control(
        "node-groups",
        "The running node and EPMD are in no group that gives them the host",
        "The groups docker, disk, shadow, sudo and others like them are as good as root: code in the node gets the whole host.",
        "Remove Group= and SupplementaryGroups= from the unit, and the user from the group: gpasswd --delete USER GROUP. Restart the node.",
        "",
        (EXEC, SECURE_CODING),
        "high",
        "processes",
    ),
)
