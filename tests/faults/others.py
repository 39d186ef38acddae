# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what others add: to the user of a node, its unit, its programs and its code, and ways around the firewall."""

from __future__ import annotations

from confinement import unconfined
from exposure import OF_N2
from fault import ANCHORS, BESIDE, FIREWALL, LIVE, NODE, OPTIONS, Fault
from running_node import CALL, DROP_INS, RESTART, SHELL

_ETC = "/etc/systemd/system"
_LOADED = "systemctl daemon-reload; " + SHELL + "restart"
_OTP = "/usr/lib/erlang"


def _file(name: str, path: str, text: str, control: str, *names: str, mode: str = "0644", after: str = "") -> Fault:
    """A file that was not there. after: what has to be done when it is written, and when it is removed."""
    return Fault(
        name=name,
        breaks=f"[ ! -e {path} ] && mkdir -p $(dirname {path}) && printf '%b' '{text}' > {path} && chmod {mode} {path}; {after or 'true'}",
        control=control,
        names=names,
        repair=f"rm -f {path}; {after or 'true'}",
        alters=BESIDE,
    )


def _drop_in(name: str, line: str, control: str, *names: str) -> Fault:
    """A drop-in in front of ours, which the next start reads."""
    path = f"{DROP_INS}/aa-{control}-{line.partition('=')[0].lower()}.conf"
    return _file(name, path, f"[Service]\\n{line}\\n", control, f"{names[0]} in {path}", *names[1:], after="systemctl daemon-reload")


def _owned(name: str, pattern: str, user: str, control: str, *names: str) -> Fault:
    """A file of root that another user owns."""
    return Fault(
        name=name,
        breaks=f"file=$(readlink -f $(ls {pattern} | head -n 1)); chown {user} $file",
        control=control,
        names=names,
        repair=f"chown root $(readlink -f $(ls {pattern} | head -n 1))",
        alters=BESIDE,
    )


_EVIL_CA = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj '/CN=evil CA' "
    "-addext basicConstraints=critical,CA:TRUE -keyout /dev/null 2>/dev/null"
)
_READ_AGAIN = "call 'gen_server:call(ssl_pem_cache_dist, {unconditionally_clear_pem_cache, self()}, infinity).'"

FAULTS = (
    # -- who acts as the user of a node -------------------------------------------------------------------------------------------------------------
    _file(
        "another user who may act as the node's user",
        "/etc/sudoers.d/zz-as-beam",
        "games ALL=(beam) NOPASSWD: ALL\\n",
        "node-login",
        "/etc/sudoers.d/zz-as-beam lets games run programs as beam",
        mode="0440",
    ),
    _file(
        "the node's user in an alias of sudo",
        "/etc/sudoers.d/zz-alias",
        "User_Alias NODES = beam, games\\nNODES ALL=(root) NOPASSWD: /usr/bin/true\\n",
        "node-login",
        "/etc/sudoers.d/zz-alias lets beam run programs as another user",
        mode="0440",
    ),
    _file(
        "a job of the node's user in the table of the system",
        "/etc/cron.d/zz-beam",
        "* * * * * beam /usr/bin/true\\n",
        "node-login",
        "/etc/cron.d/zz-beam starts programs of beam",
    ),
    _file(
        "a service that runs as the node's user",
        f"{_ETC}/fault-job.service",
        "[Service]\\nUser=beam\\nExecStart=/usr/bin/true\\n",
        "node-login",
        f"{_ETC}/fault-job.service starts programs of beam",
        after="systemctl daemon-reload",
    ),
    _file(
        "the node's user in a rule of polkit",
        "/etc/polkit-1/rules.d/99-fault.rules",
        "polkit.addRule(function(action, subject) { if (subject.user == \"beam\") { return polkit.Result.YES; } });\\n",
        "node-login",
        "/etc/polkit-1/rules.d/99-fault.rules lets beam run programs as another user with polkit",
    ),
    Fault(
        name="another account with the number of the node's user",
        breaks="echo \"evil:x:$(id -u beam):$(id -g beam)::/nonexistent:/bin/sh\" >> /etc/passwd; echo 'evil:!:1::::::' >> /etc/shadow",
        control="node-login",
        names=("the account evil has the number of beam",),
        repair="sed -i '/^evil:/d' /etc/passwd /etc/shadow",
        alters=BESIDE,
    ),
    unconfined("a node in a group that writes programs", "SupplementaryGroups=staff", "node-groups", "is in the group staff"),
    # -- the unit -----------------------------------------------------------------------------------------------------------------------------------
    _file(
        "a drop-in for every service",
        f"{_ETC}/service.d/aa-fault.conf",
        "[Service]\\nNice=0\\n",
        "unit-drop-in",
        f"beam-guard-beam.service has the drop-in {_ETC}/service.d/aa-fault.conf",
        after="systemctl daemon-reload",
    ),
    Fault(
        name="a file of the unit with a higher rank",
        breaks=f"mkdir -p {_ETC}.control; cp {_ETC}/beam.service {_ETC}.control/beam.service; systemctl daemon-reload",
        control="unit-drop-in",
        names=(f"beam.service is read from {_ETC}.control/beam.service",),
        repair=f"rm -f {_ETC}.control/beam.service; systemctl daemon-reload",
        alters=BESIDE,
    ),
    _drop_in("a sandbox in which the whole system can be written", "ReadWritePaths=/", "unit-sandbox", "ReadWritePaths=/"),
    _drop_in("a sandbox with raw packets", "RestrictAddressFamilies=AF_PACKET", "unit-sandbox", "RestrictAddressFamilies=AF_PACKET"),
    _drop_in("a sandbox whose filter of system calls allows the rest", "SystemCallFilter=~@obsolete", "unit-sandbox", "SystemCallFilter="),
    _drop_in("a command of root after the start", "ExecStartPost=+/usr/bin/true", "start-environment", "ExecStartPost=/usr/bin/true"),
    Fault(
        name="a node that was started outside of its sandbox",
        breaks=f"{SHELL}printf '[Service]\\nProtectSystem=no\\n' > {DROP_INS}/zzzz-open.conf; systemctl daemon-reload; restart\n"
        f"rm -f {DROP_INS}/zzzz-open.conf; systemctl daemon-reload",
        control="unit-sandbox",
        names=("does not run in the sandbox of its unit",),
        # The node restarted after the fault was seeded, too.
        repair=f"{SHELL}restart",
        # After all that restarts the node.
        alters=OPTIONS,
    ),
    # -- programs and code --------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a library for every program of the host",
        breaks="[ ! -e /etc/ld.so.preload ] && ls /usr/lib/*-linux-gnu/libm.so.6 > /etc/ld.so.preload",
        control="start-environment",
        names=("/etc/ld.so.preload loads /usr/lib/",),
        repair="rm -f /etc/ld.so.preload",
        alters=BESIDE,
    ),
    Fault(
        name="a library from elsewhere in the node",
        breaks=f"cp /usr/lib/*-linux-gnu/libm.so.6 /opt/fault-m.so; printf '[Service]\\nEnvironment=LD_PRELOAD=/opt/fault-m.so\\n' "
        f"> {DROP_INS}/aa-library.conf; {_LOADED}",
        control="start-environment",
        names=("has loaded the library /opt/fault-m.so",),
        repair=f"rm -f {DROP_INS}/aa-library.conf; {_LOADED}; rm -f /opt/fault-m.so",
        alters=NODE,
    ),
    _owned("a program of OTP that another user owns", f"{_OTP}/erts-*/bin/erl_child_setup", "games", "program-owner", "games (", "erl_child_setup"),
    _owned("a boot file that the node's user owns", f"{_OTP}/bin/start.boot", "beam", "program-owner", "beam (", ".boot"),
    _owned("a NIF that the node's user owns", f"{_OTP}/lib/crypto-*/priv/lib/crypto.so", "beam", "code-path", "crypto.so", "beam can put code into"),
    Fault(
        name="another boot file",
        breaks=SHELL
        + "printf '#!/bin/sh\\nexec erl -noinput -boot start_sasl -args_file %s/join.args\\n' $directory > /opt/start; chmod 0755 /opt/start\n"
        + f"printf '[Service]\\nExecStart=\\nExecStart=/opt/start\\n' > {DROP_INS}/aa-boot.conf; {_LOADED}",
        control="start-environment",
        names=("was started with -boot start_sasl",),
        repair=f"rm -f {DROP_INS}/aa-boot.conf; {_LOADED}; rm -f /opt/start",
        alters=NODE,
    ),
    Fault(
        name="a working directory where everybody puts modules",
        breaks=f"mkdir -p -m 0777 /srv/beam-work; chmod 0777 /srv/beam-work; printf '[Service]\\nWorkingDirectory=/srv/beam-work\\n' "
        f"> {DROP_INS}/aa-work.conf; {_LOADED}",
        control="start-files",
        names=("/srv/beam-work can be changed or replaced by everybody",),
        repair=f"rm -f {DROP_INS}/aa-work.conf; {_LOADED}; rm -rf /srv/beam-work",
        alters=NODE,
    ),
    Fault(
        name="a module that comes from no file",
        breaks=CALL + "call '{ok, evil, B} = compile:forms([{attribute, 1, module, evil}]), {module, evil} = code:load_binary(evil, \"nofile\", B).'",
        control="running-code",
        names=("has loaded evil from nofile",),
        repair=RESTART,
        alters=LIVE,
    ),
    Fault(
        name="a CA that was removed from the file and is trusted still",
        # A file that comes back with its old time is not read again.
        breaks=f"{CALL}cp -p $directory/tls/ca.pem $saved/; {_EVIL_CA} >> $directory/tls/ca.pem\n{_READ_AGAIN}; call 'true.'\n"
        "cp -p $saved/ca.pem $directory/tls/",
        control="tls-options",
        names=("trusts a CA that is not in", "ca.pem any more"),
        repair=f"{CALL}touch $directory/tls/ca.pem; {_READ_AGAIN}",
        alters=ANCHORS,
    ),
    # -- around the firewall ------------------------------------------------------------------------------------------------------------------------
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
        name="a program whose input is each connection",
        breaks=f"printf '[Socket]\\nListenStream=0.0.0.0:9879\\nAccept=yes\\n' > {_ETC}/inlet.socket\n"
        f"printf '[Service]\\nExecStart=-/usr/bin/nc 127.0.0.1 4369\\nStandardInput=socket\\n' > {_ETC}/inlet@.service\n"
        "systemctl daemon-reload; systemctl start inlet.socket",
        control="forwarded-ports",
        names=("inlet@.service forwards connections to 127.0.0.1:4369",),
        repair=f"systemctl stop inlet.socket; rm -f {_ETC}/inlet.socket {_ETC}/inlet@.service; systemctl daemon-reload",
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
    _file(
        "a script that removes all tables at boot",
        "/etc/rc.local",
        "#!/bin/sh\\nnft flush ruleset\\n",
        "firewall-boot",
        "/etc/rc.local removes the table inet beam_cluster",
        mode="0755",
    ),
)
