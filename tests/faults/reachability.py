# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what reaches a node or EPMD and must not."""

from __future__ import annotations

from fault import FIREWALL, NODE, Fault
from makers import EVERYWHERE, FLAGS_BACK, RELOAD_FIREWALL, SHELL

# Lets packets in that the table drops.
_LET_IN = "nft insert rule inet beam_cluster cluster tcp dport {} accept\n"
_EPMD_SOCKET = "/etc/systemd/system/epmd.socket.d/zzzz-fault.conf"
_START_EPMD = "systemctl daemon-reload; systemctl stop epmd.socket epmd.service; systemctl start epmd.socket; restart"


def _let_in(name: str, port: int, control: str, *names: str, before: str = "", after: str = "", alters: str = FIREWALL) -> Fault:
    return Fault(
        name=name,
        breaks=before + _LET_IN.format(port),
        control=control,
        names=(*names, f":{port}"),
        repair=f"{RELOAD_FIREWALL}\n{after}",
        alters=alters,
    )


FAULTS = (
    _let_in("EPMD for everybody", 4369, "outside-epmd", "outsider -> beam@n"),
    _let_in("the node's port for everybody", 9100, "outside-distribution-port", "outsider -> beam@n"),
    _let_in(
        "EPMD at the public address",
        4369,
        "member-public-epmd",
        "(public)",
        before=f"{SHELL}printf '[Socket]\\nListenStream=\\nListenStream=0.0.0.0:4369\\nBindIPv6Only=ipv6-only\\n' > {_EPMD_SOCKET}; {_START_EPMD}\n",
        after=f"{SHELL}rm -f {_EPMD_SOCKET}; {_START_EPMD}",
        alters=NODE,
    ),
    _let_in(
        "the node's port at the public address",
        9100,
        "member-public-distribution-port",
        "(public)",
        before=EVERYWHERE,
        after=FLAGS_BACK,
        alters=NODE,
    ),
    Fault(
        name="EPMD for all users of the host",
        breaks="nft insert rule inet beam_cluster output oif lo tcp dport 4369 accept",
        control="local-epmd",
        names=("nobody", ":4369"),
        repair=RELOAD_FIREWALL,
        alters=FIREWALL,
    ),
    Fault(
        name="the node's port for all users of the host",
        breaks="nft flush chain inet beam_cluster output",
        control="local-distribution-port",
        names=("nobody", ":9100"),
        repair=RELOAD_FIREWALL,
        alters=FIREWALL,
    ),
)
