# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the operating system around a node."""

from __future__ import annotations

from fault import BESIDE, Fault
from makers import new_file

FAULTS = (
    new_file(
        "a network that reaches the loopback addresses after the next boot",
        "/etc/sysctl.d/99-fault-localnet.conf",
        "net/ipv4/conf/eth1/route_localnet = 1\\n",
        "system-loopback",
        "/etc/sysctl.d/99-fault-localnet.conf sets net.ipv4.conf.eth1.route_localnet to 1 at the next boot",
    ),
    new_file(
        "a network that reaches the loopback addresses when its interface comes up",
        "/etc/network/interfaces.d/fault",
        "iface eth8 inet manual\\n  up sysctl -w net.ipv4.conf.eth8.route_localnet=1\\n",
        "system-loopback",
        "/etc/network/interfaces.d/fault sets net.ipv4.conf.eth8.route_localnet to 1",
    ),
    new_file(
        "a network that reaches the loopback addresses when networkd starts",
        "/etc/systemd/network/zz-fault.network",
        "[Match]\\nName=eth7\\n[Network]\\nIPv4RouteLocalnet=yes\\n",
        "system-loopback",
        "/etc/systemd/network/zz-fault.network sets net.ipv4.conf.eth7.route_localnet to 1",
    ),
    new_file(
        "a network that reaches the loopback addresses by the command line of the next kernel",
        "/etc/default/grub.d/zz-fault.cfg",
        "GRUB_CMDLINE_LINUX=sysctl.net.ipv4.conf.eth6.route_localnet=1\\n",
        "system-loopback",
        "/etc/default/grub.d/zz-fault.cfg sets net.ipv4.conf.eth6.route_localnet to 1",
    ),
    new_file(
        "a directory above the key that NFS gives to other hosts",
        "/etc/exports.d/fault.exports",
        "/etc 10.0.0.0/8(ro,sync)\\n",
        "served-files",
        "/etc/exports.d/fault.exports lets NFS give /etc to other hosts, and /etc/beam/",
    ),
    new_file(
        "a share of rsync that is read as root",
        "/etc/rsyncd.conf",
        "uid = root\\n[data]\\npath = /var/lib/beam\\n",
        "served-files",
        "/etc/rsyncd.conf lets rsync give /var/lib/beam to other hosts",
    ),
    Fault(
        name="a share of Samba in an included file that is read as the node's user",
        breaks="[ ! -e /etc/samba/smb.conf ] && mkdir -p /etc/samba && printf '[global]\\ninclude = fault.conf\\n' > /etc/samba/smb.conf\n"
        "printf '[data]\\npath = /etc/beam\\nforce user = beam\\n' > /etc/samba/fault.conf",
        control="served-files",
        names=("/etc/samba/smb.conf lets Samba give /etc/beam to other hosts",),
        repair="rm -f /etc/samba/smb.conf /etc/samba/fault.conf",
        alters=BESIDE,
    ),
)
