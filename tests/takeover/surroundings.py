# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks and firewalls that hosts are found with, as data: each host of the lab has another one, and all of them at the same time.

`{peer}` is each member's address in turn, `{port}` the port of its node.
"""

from __future__ import annotations

from dataclasses import dataclass

INSTALL = (
    "command -v {0} >/dev/null || {{ apt-get -qq update;"
    " DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends {0}; }} >&2"
)


@dataclass(frozen=True)
class Surrounding:
    """`run` on the host, `undo` takes it back. `opens`: what its operator adds for each member, as the note says. `ipv6`: the kernel has it.

    `note`: whether the run says what the host's own firewall must accept.
    """

    name: str
    run: str
    undo: str
    note: bool
    opens: str = ""
    ipv6: bool = True


# As the images of a large cloud have it in /etc/iptables/rules.v4: the policy is ACCEPT, the last rule rejects, and OUTPUT guards a metadata service.
CLOUD = """
iptables-restore <<'END'
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:InstanceServices - [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p udp --sport 123 -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
-A OUTPUT -d 169.254.0.0/16 -j InstanceServices
-A InstanceServices -d 169.254.0.2/32 -p tcp -m owner --uid-owner 0 -m tcp --dport 3260 -j ACCEPT
-A InstanceServices -d 169.254.169.254/32 -p udp -m udp --dport 53 -j ACCEPT
-A InstanceServices -d 169.254.0.0/16 -p tcp -m tcp -j REJECT --reject-with tcp-reset
COMMIT
END
"""
# Of a container engine: chains of its own before everything in FORWARD, which drops, and nothing in INPUT.
DOCKER = """
iptables-restore <<'END'
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
END
"""
# Of a cluster of containers: what is marked is dropped, and nothing of a node's is marked.
KUBE = """
iptables-restore <<'END'
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-FIREWALL - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -j KUBE-FIREWALL
-A OUTPUT -j KUBE-FIREWALL
-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
COMMIT
END
"""
UNDO = "for t in filter nat; do iptables -t $t -F; iptables -t $t -X; done; for c in INPUT FORWARD OUTPUT; do iptables -P $c ACCEPT; done"
ACCEPT = "iptables -I INPUT -s {peer} -p tcp -m multiport --dports 4369,{port} -j ACCEPT"

SURROUNDINGS = {
    "n1": Surrounding("kube-proxy", KUBE, UNDO, note=False),
    "n2": Surrounding("a cloud's image, which rejects at the end of INPUT", CLOUD, UNDO, note=True, opens=ACCEPT),
    "n3": Surrounding("docker, and no IPv6", DOCKER, UNDO, note=False, ipv6=False),
}
