# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the firewall: its rules, its load at boot, ways around it."""

from __future__ import annotations

from fault import BESIDE, FIREWALL, Fault
from makers import ETC, OF_N2, RELOAD_FIREWALL, SHELL, new_file, override


def _nft(name: str, command: str, *names: str, control: str = "firewall-rules") -> Fault:
    return Fault(name=name, breaks=f"nft {command}", control=control, names=names, repair="systemctl reload beam-firewall", alters=FIREWALL)


_OWN = "$(ip -4 -o address show dev eth0 | sed 's/.*inet \\([0-9.]*\\).*/\\1/')"
FAULTS = (
    Fault(
        name="a rule that leads packets to the node from the next load of nftables on",
        breaks="cp -p /etc/nftables.conf $saved/; printf 'table ip faultlater { chain pre { type nat hook prerouting priority dstnat; "
        "tcp dport 9871 redirect to :9100; }; }\\n' >> /etc/nftables.conf",
        control="forwarded-ports",
        names=("a rule with redirect forwards connections to this host:9100: see /etc/nftables.conf, table ip faultlater",),
        # Another fault may have loaded the file meanwhile.
        repair="cp -p $saved/nftables.conf /etc/nftables.conf; nft delete table ip faultlater 2> /dev/null || true",
        alters=FIREWALL,
    ),
    new_file(
        "a rule of iptables that leads packets to the node after the next boot",
        "/etc/iptables/rules.v4",
        "*nat\\n-A PREROUTING -p tcp -m tcp --dport 9870 -j REDIRECT --to-ports 9100\\nCOMMIT\\n",
        "forwarded-ports",
        "a rule of iptables forwards connections to this host:9100: see /etc/iptables/rules.v4",
    ),
    new_file(
        "a job that lets one more address in",
        "/etc/cron.d/fault-in",
        "0 0 31 2 * root nft add element inet beam_cluster members4 { 192.0.2.9 }\\n",
        "firewall-boot",
        "/etc/cron.d/fault-in removes or changes the table inet beam_cluster",
    ),
    new_file(
        "a service that starts after the firewall and removes all tables",
        f"{ETC}/fault-flush.service",
        "[Unit]\\nAfter=beam-firewall.service\\n[Service]\\nExecStart=/usr/sbin/nft flush ruleset\\n",
        "firewall-boot",
        f"{ETC}/fault-flush.service removes or changes the table inet beam_cluster",
    ),
    Fault(
        name="a proxy that starts when somebody connects",
        breaks="program=$(ls /usr/lib/systemd/systemd-socket-proxyd /lib/systemd/systemd-socket-proxyd 2>/dev/null | head -n 1)\n"
        f"printf '[Service]\\nExecStart=%s 127.0.0.1:4369\\n' \"$program\" > {ETC}/open.service\n"
        f"printf '[Socket]\\nListenStream=0.0.0.0:9876\\n' > {ETC}/open.socket; systemctl daemon-reload; systemctl start open.socket",
        control="forwarded-ports",
        names=("open.service forwards connections to 127.0.0.1:4369",),
        repair=f"systemctl stop open.socket open.service; rm -f {ETC}/open.socket {ETC}/open.service; systemctl daemon-reload",
        alters=BESIDE,
    ),
    Fault(
        name="a program that forwards to the node",
        breaks=SHELL + "cat > /run/forward.py <<'END'\nimport socket, time\nserver = socket.create_server(('0.0.0.0', 9877))\ntime.sleep(3600)\nEND\n"
        "systemd-run --quiet --collect --unit=forward python3 /run/forward.py TCP:127.0.0.1:9100\n"
        "for try in $(seq 120); do ss -Hltn | grep -q ':9877 ' && exit 0; sleep 0.5; done; exit 1",
        control="forwarded-ports",
        names=("forward.service) forwards connections to 127.0.0.1:9100", "its arguments"),
        repair="systemctl stop forward; rm -f /run/forward.py",
        alters=BESIDE,
    ),
    Fault(
        name="a rule that leads packets to another member",
        breaks=SHELL + "nft add table ip nat; nft add chain ip nat fault '{ type nat hook prerouting priority -100; }'\n"
        "nft add rule ip nat fault tcp dport 9878 dnat to $(sed -n 's/.*{host, {\\([0-9,]*\\)}.*/\\1/p' $directory/inetrc | head -n 1 | tr , .):9100",
        control="forwarded-ports",
        names=("a rule with dnat forwards connections to", ":9100", "chain fault"),
        repair="nft flush chain ip nat fault; nft delete chain ip nat fault",
        alters=BESIDE,
    ),
    override("a firewall that loads nothing at the next boot", "beam-firewall.service", "firewall-boot", FIREWALL),
    Fault(
        name="another user of the host that may connect",
        breaks="nft add element inet beam_cluster locals { 5 }",
        control="firewall-rules",
        names=("is not the one in /etc/beam/firewall.nft",),
        repair=RELOAD_FIREWALL,
        alters=FIREWALL,
    ),
    Fault(
        name="nodes that may dial whom they like",
        breaks="nft flush chain inet beam_cluster output",
        control="firewall-rules",
        names=("is not the one in /etc/beam/firewall.nft",),
        repair=RELOAD_FIREWALL,
        alters=FIREWALL,
    ),
    Fault(
        name="a map of rules that leads packets to another member",
        breaks=SHELL + "nft add table ip natmap; nft add chain ip natmap fault '{ type nat hook prerouting priority -100; }'\n"
        f"nft add rule ip natmap fault dnat ip to tcp dport map {{ 9871 : {OF_N2} . 9100 }}",
        control="forwarded-ports",
        names=("see table ip natmap, chain fault", "a rule with dnat forwards connections to"),
        repair="nft delete table ip natmap",
        alters=BESIDE,
    ),
    Fault(
        name="a rule that leads every port of an interface to another member",
        breaks=SHELL + "nft add table ip natall; nft add chain ip natall fault '{ type nat hook prerouting priority -100; }'\n"
        f"nft add rule ip natall fault iifname eth9 dnat to {OF_N2}",
        control="forwarded-ports",
        names=("see table ip natall, chain fault", ":4369"),
        repair="nft delete table ip natall",
        alters=BESIDE,
    ),
    Fault(
        name="a tunnel that another host listens for",
        breaks="cp /bin/bash /opt/ssh; systemd-run --quiet --collect --unit=tunnel /opt/ssh -c 'sleep 3600; :' ssh -R 9999:127.0.0.1:9100 outsider",
        control="forwarded-ports",
        names=("tunnel.service) forwards connections to 127.0.0.1:9100",),
        repair="systemctl stop tunnel; rm -f /opt/ssh",
        alters=BESIDE,
    ),
    Fault(
        name="a program that names no port and passes connections on",
        breaks="cat > /run/relay.py <<'END'\nimport socket, time\nserver = socket.create_server(('0.0.0.0', 9881))\n"
        # EPMD ends a connection without a question after a minute.
        "while True:\n    with socket.create_connection(('127.0.0.1', int('4369'))):\n        time.sleep(40)\nEND\n"
        "systemd-run --quiet --collect --unit=relay python3 /run/relay.py\n"
        "for try in $(seq 120); do ss -Htnp state established '( dport = 4369 )' | grep -q python3 && exit 0; sleep 0.5; done; exit 1",
        control="forwarded-ports",
        names=("relay.service) forwards connections to 127.0.0.1:4369", "its connections"),
        repair="systemctl stop relay; rm -f /run/relay.py",
        alters=BESIDE,
    ),
    Fault(
        name="a tunnel that is told a port alone",
        breaks="cp /bin/bash /opt/ngrok; systemd-run --quiet --collect --unit=alone /opt/ngrok -c 'sleep 3600; :' ngrok tcp 9100",
        control="forwarded-ports",
        names=("alone.service) forwards connections to this host:9100",),
        repair="systemctl stop alone; rm -f /opt/ngrok",
        alters=BESIDE,
    ),
    Fault(
        name="a program whose input is each connection",
        breaks=f"printf '[Socket]\\nListenStream=0.0.0.0:9879\\nAccept=yes\\n' > {ETC}/inlet.socket\n"
        f"printf '[Service]\\nExecStart=-/usr/bin/nc 127.0.0.1 4369\\nStandardInput=socket\\n' > {ETC}/inlet@.service\n"
        "systemctl daemon-reload; systemctl start inlet.socket",
        control="forwarded-ports",
        names=("inlet@.service forwards connections to 127.0.0.1:4369",),
        repair=f"systemctl stop inlet.socket; rm -f {ETC}/inlet.socket {ETC}/inlet@.service; systemctl daemon-reload",
        alters=BESIDE,
    ),
    Fault(
        name="a rule that makes packets look like a member's",
        breaks=SHELL + "nft add table ip fault; nft add chain ip fault rewrite '{ type filter hook prerouting priority -350; }'\n"
        f"nft add rule ip fault rewrite ip saddr 192.0.2.7 ip saddr set {OF_N2}",
        control="firewall-rules",
        names=("table ip fault, chain rewrite gives packets another source address",),
        repair="nft delete table ip fault",
        alters=FIREWALL,
    ),
    Fault(
        name="a rule that writes a part of the source address, by its bits",
        breaks="nft add table ip faultbits; nft add chain ip faultbits rewrite '{ type filter hook prerouting priority -350; }'\n"
        "nft add rule ip faultbits rewrite ip saddr 192.0.2.7 @nh,104,24 set 0x000203",
        control="firewall-rules",
        names=("table ip faultbits, chain rewrite gives packets another source address",),
        repair="nft delete table ip faultbits",
        alters=FIREWALL,
    ),
    Fault(
        name="a rule that gives what comes in another source address",
        breaks="nft add table ip faultin; nft add chain ip faultin base '{ type nat hook input priority 100; }'; nft add chain ip faultin deeper\n"
        "nft add rule ip faultin base jump deeper; nft add rule ip faultin deeper ip saddr 192.0.2.7 snat to 127.0.0.1",
        control="firewall-rules",
        names=("table ip faultin, chain deeper gives packets another source address",),
        repair="nft delete table ip faultin",
        alters=FIREWALL,
    ),
    Fault(
        name="a rule that writes both ports at once, by their bits",
        breaks="nft add table ip behindbits; nft add chain ip behindbits fault '{ type filter hook input priority 300; }'\n"
        "nft add rule ip behindbits fault tcp dport 9873 @th,0,32 set 0x0400238c",
        control="forwarded-ports",
        names=("see table ip behindbits, chain fault", "a rule that rewrites packets forwards connections to this host:9100"),
        repair="nft delete table ip behindbits",
        alters=BESIDE,
    ),
    Fault(
        name="a rule that gives packets the node's port behind the firewall",
        breaks="nft add table ip behind; nft add chain ip behind fault '{ type filter hook input priority 300; }'\n"
        "nft add rule ip behind fault tcp dport 9872 tcp dport set 9100",
        control="forwarded-ports",
        names=("a rule that rewrites packets forwards connections to this host:9100", "see table ip behind, chain fault"),
        repair="nft delete table ip behind",
        alters=BESIDE,
    ),
    Fault(
        name="a firewall script of a unit that removes all tables",
        breaks="printf '#!/bin/sh\\nNFT=/usr/sbin/nft\\n$NFT flush ruleset\\n' > /usr/local/sbin/fault-fw\n"
        "chmod 0755 /usr/local/sbin/fault-fw\n"
        f"printf '[Service]\\nExecStart=/usr/local/sbin/fault-fw\\n[Install]\\nWantedBy=multi-user.target\\n' > {ETC}/fault-firewall.service\n"
        "systemctl daemon-reload; systemctl enable --quiet fault-firewall",
        control="firewall-boot",
        names=("/usr/local/sbin/fault-fw removes or changes the table inet beam_cluster",),
        repair=f"systemctl disable --quiet fault-firewall; rm -f {ETC}/fault-firewall.service /usr/local/sbin/fault-fw; systemctl daemon-reload",
        alters=BESIDE,
    ),
    new_file(
        "a reload of nftables that removes all tables again",
        f"{ETC}/nftables.service.d/zzzz-fault.conf",
        "[Service]\\nExecReload=\\nExecReload=/usr/sbin/nft -f /etc/nftables.conf\\n",
        "firewall-boot",
        f"{ETC}/nftables.service.d/zzzz-fault.conf removes or changes the table inet beam_cluster",
        after="systemctl daemon-reload",
    ),
    new_file(
        "a drop-in of nftables in the place of ours",
        f"{ETC}.control/nftables.service.d/zzz-beam.conf",
        "[Service]\\n",
        "firewall-boot",
        f"nftables.service does not use {ETC}/nftables.service.d/zzz-beam.conf",
        after="systemctl daemon-reload",
    ),
    Fault(
        name="another firewall that starts at the next boot",
        breaks=f"printf '[Service]\\nExecStart=/usr/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' > {ETC}/ferm.service\n"
        "systemctl daemon-reload; systemctl enable --quiet ferm",
        control="firewall-boot",
        names=("ferm.service is enabled and does not run",),
        repair=f"systemctl disable --quiet ferm; rm -f {ETC}/ferm.service; systemctl daemon-reload",
        alters=BESIDE,
    ),
    new_file(
        "a script that removes all tables at boot",
        "/etc/rc.local",
        "#!/bin/sh\\nnft flush ruleset\\n",
        "firewall-boot",
        "/etc/rc.local removes or changes the table inet beam_cluster",
        mode="0755",
    ),
    new_file(
        "a job that removes all tables by a pipe, and starts a firewall that is active",
        "/etc/cron.d/fault-pipe",
        "0 0 31 2 * root echo flush ruleset | nft -f - && systemctl start beam-firewall\\n",
        "firewall-boot",
        "/etc/cron.d/fault-pipe removes or changes the table inet beam_cluster",
    ),
    new_file(
        "a rotation of logs that removes all tables",
        "/etc/logrotate.d/fault",
        "/var/log/fault.log {\\n  postrotate\\n    nft flush ruleset\\n  endscript\\n}\\n",
        "firewall-boot",
        "/etc/logrotate.d/fault removes or changes the table inet beam_cluster",
    ),
    _nft("a network that is let in", "insert rule inet beam_cluster cluster ip saddr 192.168.7.0/24 accept", "192.168.7.0/24"),
    _nft("an interface that is let in", "insert rule inet beam_cluster cluster iifname eth1 accept", "eth1"),
    _nft("IPv6 that is let in", "insert rule inet beam_cluster cluster meta nfproto ipv6 accept", "IPv6"),
    _nft("a rule that lets everybody in", "insert rule inet beam_cluster cluster accept", "every address"),
    _nft("a chain without rules", "flush chain inet beam_cluster cluster", "every address"),
    _nft("an input chain without rules", "flush chain inet beam_cluster input", "every address"),
    _nft("a set with an address more", "add element inet beam_cluster members4 { 192.0.2.9 }", "lets in 192.0.2.9, which is no member"),
    _nft("a set with an address less", f"delete element inet beam_cluster members4 {{ {_OWN} }}", "does not let in the member"),
    _nft("ports that are not guarded", "delete element inet beam_cluster ports { 9100 }", "guards the ports"),
    _nft("connections that are known are let in", "insert rule inet beam_cluster cluster ct state established accept", "established"),
    Fault(
        name="a dormant table",
        breaks="nft add table inet beam_cluster '{ flags dormant; }'",
        control="firewall-rules",
        names=("dormant",),
        repair="nft delete table inet beam_cluster; systemctl reload beam-firewall",
        alters=FIREWALL,
    ),
    Fault(
        name="no table",
        breaks="nft delete table inet beam_cluster",
        control="firewall-rules",
        names=("is not loaded",),
        repair="systemctl reload beam-firewall",
        alters=FIREWALL,
    ),
    Fault(
        name="a chain at another hook",
        breaks="nft -s list table inet beam_cluster | sed 's/hook input/hook forward/' > /run/fault.nft; nft delete table inet beam_cluster; "
        "nft -f /run/fault.nft",
        control="firewall-rules",
        names=("no chain of the table inet beam_cluster sees incoming packets",),
        repair="nft delete table inet beam_cluster; systemctl reload beam-firewall",
        alters=FIREWALL,
    ),
    Fault(
        name="a firewall that is not loaded at boot",
        breaks="systemctl disable --quiet beam-firewall",
        control="firewall-boot",
        names=("not enabled",),
        repair="systemctl enable --quiet beam-firewall",
        alters=BESIDE,
    ),
)
