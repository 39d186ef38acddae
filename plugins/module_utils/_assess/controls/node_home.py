# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the files in the home of a node, and of its user's login.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import CRASH_DUMPS, LOGIN, SECURE_CODING

CONTROLS = (
    Control(
        "crash-dumps",
        "No other user can read a crash dump or a core dump of a node",
        "A dump holds the memory of the processes: the cookie, keys and data.",
        "Remove the dump, or give it mode 0600. Set ERL_CRASH_DUMP_SECONDS=0, or ERL_CRASH_DUMP to a directory with mode 0700, and LimitCORE=0.",
        "service",
        (CRASH_DUMPS,),
        "medium",
        "files",
    ),
    Control(
        "node-data",
        "No other user can read the files in the home of a node",
        "Databases, queues and logs contain the data that the cluster protects. Other users of the host can read these files without a connection "
        "to the node.",
        "Give the node's home mode 0700, or remove the rights of other users from the files that the finding names: chmod -R o-rwx.",
        "product",
        (SECURE_CODING,),
        "medium",
        "files",
    ),
    Control(
        "log-files",
        "Not every user of a host can read the log files of a node",
        "Logs contain names, addresses, user data, and sometimes process state with secrets.",
        "Set mode 0640 for the logs, or 0750 for their directory, and UMask=0027 in the unit.",
        "service",
        (SECURE_CODING,),
        "medium",
        "files",
        audit_only=True,
    ),
    Control(
        "node-login",
        "The user of a node cannot log in, starts no program outside of its unit, and nobody but root acts as it",
        "A login as the user of a node gives access to its cookie and its key. A password can be guessed, an SSH key can be stolen. Code in a node "
        "can leave the sandbox of the unit through cron, at, a lingering user manager, another service or sudo. A user who may run programs as the "
        "node's user has its cookie and its key, too.",
        "Lock the password with passwd -l, and remove .ssh/authorized_keys from the user's home. Remove its other rights: crontab -r -u USER, "
        "loginctl disable-linger USER, atrm, and its lines in /etc/cron.d, /etc/sudoers.d, doas.conf and the rules of polkit. Run jobs from a "
        "systemd timer as another user, and let no rule of sudo name the node's user.",
        "",
        (SECURE_CODING, LOGIN),
        "low",
        "files",
    ),
)
