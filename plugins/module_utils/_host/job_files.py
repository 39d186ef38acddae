# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of jobs, hooks and units that run at boot, at times or on an event, and the scripts that they name.

Private to this collection. What they do is read in job_file_changes.py, boot_starts.py, sysctls.py, release_tools.py and firewall_at_boot.py.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator

from . import proc
from .jobs_of_node_users import UNITS

PLACES = (
    "/etc/rc.local", "/etc/crontab", "/etc/anacrontab", "/etc/cron.d/*", "/etc/cron.hourly/*", "/etc/cron.daily/*", "/etc/cron.weekly/*",
    "/etc/cron.monthly/*", "/var/spool/cron/crontabs/*", "/var/spool/cron/tabs/*", "/etc/init.d/*", "/etc/udev/rules.d/*",
    "/etc/network/interfaces", "/etc/network/interfaces.d/*", "/etc/network/if-*.d/*",
    "/etc/wireguard/*.conf", "/etc/openvpn/*.conf", "/etc/openvpn/*/*.conf", "/etc/ppp/*-up.d/*", "/etc/ppp/*-down.d/*", "/etc/dhcp/*-hooks.d/*",
    "/etc/libvirt/hooks/*", "/etc/keepalived/*.conf", "/etc/cloud/cloud.cfg.d/*.cfg", "/var/lib/cloud/scripts/per-*/*",
    "/etc/logrotate.d/*", "/etc/logrotate.conf", "/etc/update-motd.d/*", "/etc/profile.d/*.sh", "/etc/profile",
    "/root/.profile", "/root/.bash*rc", "/root/.bash_profile", "/root/.bash_login",
    "/var/spool/cron/atjobs/*", "/usr/lib/systemd/system-sleep/*", "/etc/letsencrypt/renewal-hooks/*/*", "/etc/apt/apt.conf.d/*",
    "/etc/systemd/system-generators/*", "/usr/local/lib/systemd/system-generators/*", "/run/systemd/system-generators/*",
    "/etc/networkd-dispatcher/*.d/*", "/etc/NetworkManager/dispatcher.d/*", "/etc/NetworkManager/dispatcher.d/*.d/*",
    *(f"{directory}/*.service" for directory in UNITS), *(f"{directory}/*.service.d/*.conf" for directory in UNITS),
    "/etc/systemd/system/*.wants/*.service", "/etc/systemd/system/*.requires/*.service",
)
"""What runs at boot, at times, when an interface comes up, or when root logs in. Of units of packages those that are enabled."""
_COMMENT = re.compile(r"^[ \t]*[#;](?!!).*$", re.MULTILINE)
_ASSIGNED = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)=[\"']?([^\s\"'$]+)[\"']?[ \t]*;?[ \t]*$", re.MULTILINE)
_NAMED = re.compile(r"(?<![\w.~/])/[^\s;&|\"'<>()`:,]+")
_SCRIPTS_DEEP = 2


def texts(patterns: Iterable[str] = PLACES) -> Iterator[tuple[str, str, str]]:
    """Path and text of each file that runs at boot or later, and of the scripts that it names, without comments and with each line at its place. The
    third is the file that names a script, or the file itself. No file is left out because it says that it is ours: anybody can write that."""
    seen: set[str] = set()
    todo = [(os.path.realpath(path), os.path.realpath(path), 0) for pattern in patterns for path in glob.glob(pattern)]
    while todo:
        path, job, deep = todo.pop()
        if path in seen or not os.path.isfile(path):
            continue
        seen.add(path)
        text = proc.text_of(path) or ""
        # Of the files that a job names, those are scripts that begin like one.
        if not text or deep and not text.startswith("#!"):
            continue
        text = _COMMENT.sub("", text)
        yield path, text, job
        if deep < _SCRIPTS_DEEP:
            todo += [(os.path.realpath(named), job, deep + 1) for named in _NAMED.findall(text)]


def expanded(text: str) -> str:
    """A script with the variables that it sets to a word. What a variable from elsewhere says is not known."""
    text = text.replace("\\\n", " ")
    for name, value in _ASSIGNED.findall(text):
        text = re.sub(rf"\$(?:{name}\b|{{{name}}})", value.replace("\\", ""), text)
    return text
