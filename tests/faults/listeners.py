# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of listeners, and nodes that nobody planned."""

from __future__ import annotations

from fault import BESIDE, LIVE, Fault
from makers import CALL, ETC, EVERYWHERE, FLAGS_BACK, RESTART, STRAY, new_file


def _vm(name: str, unit: str, options: str, *names: str, control: str = "unplanned-nodes", uid: str = "games") -> Fault:
    """Another VM on the host, as a service of its own. unit: stray-..., which its finding names."""
    return Fault(
        name=name,
        breaks=f"{STRAY}stray {unit} {uid} {options}",
        control=control,
        names=(f"{unit}.service", *names),
        repair=f"{STRAY}strays_end {unit}",
        alters=BESIDE,
    )


FAULTS = (
    Fault(
        name="the node listens on every address",
        breaks=EVERYWHERE,
        control="distribution-listeners",
        names=("listens on 0.0.0.0:9100",),
        repair=FLAGS_BACK,
    ),
    Fault(
        name="a second port for peers, in the range of the node",
        # As much as inet_tcp_dist would open for peers in clear text. With a range of one port there is no room for it: then the port is beyond.
        breaks=CALL + "call '{ok, L} = gen_tcp:listen(9101, [{ip, {0,0,0,0}}]), gen_tcp:controlling_process(L, whereis(init)).'",
        control="distribution-listeners",
        names=("9101",),
        repair=RESTART,
        alters=LIVE,
    ),
    # Other users than root and the nodes' do not reach EPMD: with a port of its own a VM asks for none.
    _vm("a node of another unit on every address", "stray-a", "-sname x -start_epmd false -erl_epmd_port 9776", "x (pid", "user games"),
    _vm("a hidden node of another unit", "stray-b", "-sname x -hidden -start_epmd false -erl_epmd_port 9775", "x (pid"),
    _vm("a node of root without EPMD", "stray-c", "-sname x -start_epmd false -erl_epmd_port 9777", "x (pid", ":9777", uid="root"),
    _vm("a long name at the public address", "stray-d", "-name x@x.example -start_epmd false -erl_epmd_port 9778", "x@x.example", ":9778"),
    _vm(
        "a node started by net_kernel:start",
        "stray-e",
        "-start_epmd false -eval \"net_kernel:start([quiet,shortnames])\"",
        "listens on 0.0.0.0:",
        uid="root",
    ),
    Fault(
        # A program that calls itself a VM: its name is made to clear the operator's terminal and to break the report.
        name="escapes and line breaks in the name of a node",
        breaks="mkdir -p /opt/fault && cp $(readlink -f $(command -v python3)) /opt/fault/beam.smp\n"
        "systemd-run --quiet --collect --unit=stray-f --uid=games /opt/fault/beam.smp -c 'import socket, time\n"
        "listener = socket.create_server((\"\", 9774)); time.sleep(3600)' -sname \"$(printf 'evil\\033[2J\\nPASSED\\001')\"\n"
        "for try in $(seq 60); do ss -Hltn | grep -q ':9774 ' && exit 0; sleep 0.5; done; exit 1",
        control="unplanned-nodes",
        names=(r"evil\x1b[2J\x0aPASSED\x01", "stray-f.service", ":9774"),
        repair="systemctl stop stray-f; rm -rf /opt/fault",
        alters=BESIDE,
    ),
    new_file(
        "a second node that cron starts at the next boot",
        "/etc/cron.d/fault-node",
        "@reboot root erl -sname second -detached\\n",
        "unplanned-nodes",
        "/etc/cron.d/fault-node starts a node at the next boot",
    ),
    Fault(
        name="an EPMD that user managers start",
        breaks="mkdir -p /etc/systemd/user/default.target.wants; ln -s ../fault-epmd.service /etc/systemd/user/default.target.wants/\n"
        "printf '[Service]\\nExecStart=/usr/bin/epmd -port 4370\\n' > /etc/systemd/user/fault-epmd.service",
        control="unplanned-nodes",
        names=("/etc/systemd/user/fault-epmd.service starts EPMD at the next boot",),
        repair="rm -f /etc/systemd/user/fault-epmd.service /etc/systemd/user/default.target.wants/fault-epmd.service",
        alters=BESIDE,
    ),
    Fault(
        name="a second node of a portable service that waits for the next boot",
        breaks=f"mkdir -p {ETC}.attached; printf '[Service]\\nExecStart=/usr/bin/erl -noinput -name x@%%H\\n' > {ETC}.attached/fault-node.service\n"
        f"ln -s {ETC}.attached/fault-node.service {ETC}/multi-user.target.wants/; systemctl daemon-reload",
        control="unplanned-nodes",
        names=("fault-node.service starts a node at the next boot",),
        repair=f"rm -f {ETC}.attached/fault-node.service {ETC}/multi-user.target.wants/fault-node.service; systemctl daemon-reload",
        alters=BESIDE,
    ),
    Fault(
        name="a node started by hand",
        breaks="home=/run/byhand-home; install -d -m 0700 $home; cd /\n"
        "env -u ERL_ZFLAGS HOME=$home setsid erl -noinput -sname byhand -start_epmd false -erl_epmd_port 9779 </dev/null >$home/log 2>&1 &\n"
        "for try in $(seq 120); do ss -Hltn | grep -q ':9779 ' && exit 0; sleep 0.5; done; cat $home/log; exit 1",
        control="unplanned-nodes",
        names=("byhand (pid", ":9779", "user root"),
        repair="for pid in $(pgrep beam.smp); do tr '\\0' ' ' < /proc/$pid/cmdline | grep -q -- '-sname byhand' && kill $pid; done; "
        "rm -rf /run/byhand-home",
        alters=BESIDE,
    ),
)
