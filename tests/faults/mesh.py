# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the mesh and links to what is no member."""

from __future__ import annotations

from fault import LIVE, MESH, NODE, Fault
from makers import FLAGS_BACK, LINK, OF_N2, SHELL, UNLINK, live

_COOKIE = SHELL + "cp -p $home/.erlang.cookie $saved/; openssl rand -hex 32 > $home/.erlang.cookie\n"
FAULTS = (
    Fault(
        name="a link to a node that is no member",
        breaks=LINK,
        control="mesh-members",
        names=("hidden connection to plain@elsewhere",),
        repair=UNLINK,
        alters=LIVE,
        host="n2",
    ),
    Fault(
        name="two members that do not reach each other",
        breaks=SHELL
        + "nft add table inet fault; nft add chain inet fault in '{ type filter hook input priority -400; }'\n"
        + f"nft add rule inet fault in ip saddr {OF_N2} tcp dport 9100 drop; nft add rule inet fault in ip saddr {OF_N2} tcp sport 9100 drop",
        control="mesh-connected",
        names=("a firewall drops the packets to", "9100"),
        repair="nft delete table inet fault; sleep 5",
        alters=MESH,
    ),
    live(
        "another cookie in the running node",
        "erlang:set_cookie(list_to_atom(\"abcdefghijklmnopqrstuvwxyz0123456789ABCD\")).",
        "mesh-node",
        "the cookie with which it runs is not the one in its cookie file",
        alters=MESH,
    ),
    Fault(
        name="another cookie in the file, not in the node",
        breaks=_COOKIE,
        control="mesh-node",
        names=("the cookie in its cookie file is not the one with which it and its peers run",),
        repair=SHELL + "cp -p $saved/.erlang.cookie $home/",
        alters=MESH,
    ),
    Fault(
        name="another cookie in the file and in the node",
        breaks=_COOKIE + "restart",
        control="mesh-node",
        names=("its cookie differs from that of", "which connect to each other"),
        repair=SHELL + "cp -p $saved/.erlang.cookie $home/; restart",
        alters=MESH,
    ),
    Fault(
        name="a member that is dropped by the firewall",
        breaks="nft add table inet fault; nft add chain inet fault in '{ type filter hook input priority -400; }'; "
        "nft add rule inet fault in tcp dport 9100 iifname != lo drop",
        control="mesh-node",
        names=("a firewall drops the packets to", ":9100"),
        repair="nft delete table inet fault; sleep 5",
        alters=MESH,
    ),
    Fault(
        name="a group of nodes in one node",
        breaks=f"{SHELL}cp -p $directory/vm.args $saved/; echo \"-kernel global_groups [{{fault,[$node]}}]\" >> $directory/vm.args; sign; restart",
        control="mesh-settings",
        names=("runs in a group of nodes (kernel parameter global_groups): fault",),
        repair=FLAGS_BACK,
        alters=NODE,
    ),
    live("net_ticktime of its own", "net_kernel:set_net_ticktime(20, 1), timer:sleep(1500).", "mesh-settings", "net_ticktime"),
)
