# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what runs: options in force, links, nodes too many, names in EPMD, starts from elsewhere, the mesh, the firewall."""

from __future__ import annotations

from fault import BESIDE, FIREWALL, LIVE, MESH, OPTIONS, Fault

SHELL = """\
node=beam@$(hostname); directory=/etc/beam/$node; home=/var/lib/beam/$node
up() {
    for try in $(seq 120); do
        ss -Hltn | grep -q ':9100 ' && sleep 4 && return 0
        systemctl is-active beam | grep -q '^activ' || break
        sleep 0.5
    done
    journalctl -u 'beam*' -n 10 --no-pager; return 1
}
restart() { systemctl restart beam; up; }
# Restarts the node, unless another repair did so since the fault was seeded.
again() { [ -z "$(find $saved -maxdepth 0 -newermt "$(systemctl show --value -p ActiveEnterTimestamp beam)")" ] && up || restart; }
# The guard refuses flags whose digest is not in their second line.
sign() { sed -i "2s/: .*/: $(tail -n +3 $directory/vm.args | sha256sum | cut -d' ' -f1)/" $directory/vm.args; }
"""
# Runs Erlang in the node of the host, as a tool does. $1: expressions with a full stop.
CALL = (
    SHELL
    + """\
call() {
    printf '%s' "$1" > /run/evaluate; chmod 0644 /run/evaluate
    (cd / && runuser -u beam -- env HOME=$home timeout 60 erl -args_file $directory/tool.args -sname beam_probe@$(hostname) -noshell -eval "
        {ok, Text} = file:read_file(\\"/run/evaluate\\"), {ok, Tokens, _} = erl_scan:string(binary_to_list(Text)),
        {ok, Parsed} = erl_parse:parse_exprs(Tokens),
        {value, _, _} = rpc:call(list_to_atom(\\"$node\\"), erl_eval, exprs, [Parsed, []]), halt().")
}
"""
)
RESTART = SHELL + "again"
WATCH = "/etc/systemd/system/beam-watch-beam.service.d"
DROP_INS = "/etc/systemd/system/beam.service.d"
_FAULT = f"{DROP_INS}/aa-fault.conf"
_LOADED = "systemctl daemon-reload; " + SHELL + "restart"
_COOKIE = SHELL + "cp -p $home/.erlang.cookie $saved/; openssl rand -hex 32 > $home/.erlang.cookie\n"
KEEP_OPTIONS = SHELL + "cp -p $directory/ssl_dist.conf $saved/\n"
OPTIONS_BACK = SHELL + "cp -p $saved/ssl_dist.conf $directory/; restart"


def _option(name: str, edit: str, *names: str) -> Fault:
    """TLS options that the node has in force after a restart. edit: a program of perl over the whole file."""
    breaks = f"{KEEP_OPTIONS}perl -0pi -e '{edit}' $directory/ssl_dist.conf; restart"
    return Fault(name=name, breaks=breaks, control="tls-options", names=names, repair=OPTIONS_BACK, alters=OPTIONS)


def _edited(name: str, file: str, edit: str) -> Fault:
    """A file that is not as planned, and that nothing has read yet."""
    return Fault(
        name=name,
        breaks=f"{SHELL}cp -p {file} $saved/edited; {edit}",
        control="planned-files",
        names=(file.rpartition("/")[2],),
        repair=f"{SHELL}cp -p $saved/edited {file}",
        alters=BESIDE,
    )


def _live(name: str, code: str, control: str, *names: str, alters: str = LIVE) -> Fault:
    """What code does to the running node, until it restarts."""
    return Fault(name=name, breaks=f"{CALL}call '{code}'", control=control, names=names, repair=RESTART, alters=alters)


# A service of a user, with a home of its own: another cookie in /tmp stops a VM. It listens before the break is done, or the break fails.
STRAY = """\
stray() {
    local unit=$1 user=$2 home=/run/$1-home pid; shift 2; rm -rf $home; install -d -m 0700 -o $user $home
    systemd-run --quiet --collect --unit=$unit --uid=$user -E HOME=$home -E ERL_CRASH_DUMP_SECONDS=0 erl -noinput "$@"
    for try in $(seq 120); do
        pid=$(systemctl show --value -p MainPID $unit)
        [ "$pid" != 0 ] && ss -Hltnp | grep -q "pid=$pid," && return 0
        sleep 0.5
    done
    journalctl -u $unit -n 20 --no-pager; return 1
}
strays_end() { systemctl stop $1; rm -rf /run/$1-home; }
"""


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


def _drop_in(name: str, line: str, *names: str, control: str = "start-environment") -> Fault:
    file = f"{DROP_INS}/aa-{names[0]}.conf"
    return Fault(
        name=name,
        breaks=f"printf '[Service]\\n%s\\n' '{line}' > {file}; systemctl daemon-reload",
        control=control,
        names=names,
        repair=f"rm -f {file}; systemctl daemon-reload",
        alters=BESIDE,
    )


def _nft(name: str, command: str, *names: str, control: str = "firewall-rules") -> Fault:
    return Fault(name=name, breaks=f"nft {command}", control=control, names=names, repair="systemctl reload beam-firewall", alters=FIREWALL)


# A registration in EPMD lives as long as the connection that made it.
_REGISTER = """\
cat > /run/register.py <<'END'
import socket, struct, sys, time
name, port = sys.argv[1].encode(), int(sys.argv[2])
body = b"x" + struct.pack(">HBBHHH", port, 77, 0, 6, 5, len(name)) + name + struct.pack(">H", 0)
sock = socket.create_connection(("127.0.0.1", 4369))
sock.sendall(struct.pack(">H", len(body)) + body)
sock.recv(16)
time.sleep(3600)
END
systemd-run --quiet --unit=register python3 /run/register.py """

_OWN = "$(ip -4 -o address show dev eth0 | sed 's/.*inet \\([0-9.]*\\).*/\\1/')"


def override(name: str, unit: str, control: str, alters: str) -> Fault:
    """A drop-in of a unit that our roles have written whole: it does nothing at the next start."""
    file = f"/etc/systemd/system/{unit}.d/override.conf"
    breaks = f"mkdir -p $(dirname {file}); printf '[Service]\\nExecStart=\\nExecStart=/bin/true\\n' > {file}; systemctl daemon-reload"
    return Fault(name, breaks, control, (file,), f"rm -rf $(dirname {file}); systemctl daemon-reload", alters=alters)


FAULTS = (
    # -- TLS options in force ---------------------------------------------------------------------------------------------------------------------
    _option("the client verifies nobody", "s/(client.*?)verify_peer/$1verify_none/s", "as client", "verify_none"),
    _option("the server verifies nobody", "s/verify_peer/verify_none/; s/,\\s*\\{fail_if_no_peer_cert, true\\}//", "as server", "verify_none"),
    _option("the server takes peers without a certificate", "s/no_peer_cert, true/no_peer_cert, false/", "fail_if_no_peer_cert is false"),
    _option("the server speaks TLS 1.2, too", "s/\\x27tlsv1.3\\x27\\]/\\x27tlsv1.3\\x27, \\x27tlsv1.2\\x27]/", "as server versions", "tlsv1.2"),
    _option("the client speaks TLS 1.2, too", "s/(client.*?)(\\x27tlsv1.3)\\x27\\]/$1$2\\x27, \\x27tlsv1.2\\x27]/s", "as client versions", "tlsv1.2"),
    _option("the client does not compare names", "s/(client.*?)\\{verify,/$1\\{server_name_indication, disable}, {verify,/s", "name_indication"),
    _option(
        "two values for one option of the client",
        "s/(client.*?verify_peer\\})/$1, {verify, verify_none}/s",
        "as client",
        "verify_none",
    ),
    _option(
        "two values for one option of the server",
        "s/(no_peer_cert, true\\})/$1, {fail_if_no_peer_cert, false}/",
        "fail_if_no_peer_cert is false",
    ),
    _option("the client trusts another file", "s/(client.*?)tls.ca\\.pem/$1tls\\/cert.pem/s", "as client cacertfile is", "cert.pem"),
    Fault(
        name="verify_none in the option file, not in force yet",
        breaks=KEEP_OPTIONS + "sed -i 's/verify_peer/verify_none/' $directory/ssl_dist.conf",
        control="planned-files",
        names=("ssl_dist.conf differs from the plan",),
        repair=SHELL + "cp -p $saved/ssl_dist.conf $directory/",
        alters=BESIDE,
    ),
    _live(
        "options in force, changed while the node runs",
        "ets:whereis(ssl_dist_opts), sys:replace_state(net_sup, fun(S) -> [{client, O}] = ets:lookup(ssl_dist_opts, client), "
        "ets:insert(ssl_dist_opts, {client, lists:keystore(verify, 1, O, {verify, verify_none})}), S end).",
        "tls-options",
        "as client verify is verify_none",
    ),
    # -- files ------------------------------------------------------------------------------------------------------------------------------------
    _edited("a comment in vm.args", "$directory/vm.args", "echo '# x' >> $directory/vm.args"),
    _edited("a name in allow.conf", "$directory/allow.conf", "echo \"'evil@n9'.\" >> $directory/allow.conf"),
    _edited("another address in inetrc", "$directory/inetrc", "echo '{host, {192,0,2,1}, [\"n9\"]}.' >> $directory/inetrc"),
    _edited("a flag of tools", "$directory/tool.args", "echo '-setcookie' >> $directory/tool.args"),
    _edited("a variable in unit.env", "$directory/unit.env", "echo 'ERL_LIBS=/tmp' >> $directory/unit.env"),
    _edited("a flag in join.args", "$directory/join.args", "echo '-s evil' >> $directory/join.args"),
    _edited("another command in the unit", "/etc/systemd/system/beam.service", "sed -i s/-noinput/-noshell/ /etc/systemd/system/beam.service"),
    _edited("a guard that looks away", "/etc/beam/guard", "sed -i '2i exit 0' /etc/beam/guard"),
    _edited("a weaker sandbox in the drop-in", f"{DROP_INS}/zzz-beam.conf", f"sed -i /NoNewPrivileges/d {DROP_INS}/zzz-beam.conf"),
    _edited("the same content with a new time", "$directory/vm.args", "touch $directory/vm.args"),
    # -- names and cookies in force ---------------------------------------------------------------------------------------------------------------
    Fault(
        name="allow.conf with one name more, after a restart",
        breaks=SHELL + "cp -p $directory/allow.conf $saved/; echo \"'evil@n9'.\" >> $directory/allow.conf; restart",
        control="allow-list",
        names=("lets evil@n9 connect, which is no member",),
        repair=SHELL + "cp -p $saved/allow.conf $directory/; restart",
    ),
    _live("a name allowed while the node runs", "net_kernel:allow([list_to_atom(\"evil@n9\")]).", "allow-list", "evil@n9"),
    _live("a host allowed while the node runs", "net_kernel:allow([n9]).", "allow-list", "lets n9 connect"),
    _live(
        "a cookie of its own for a peer",
        "erlang:set_cookie(list_to_atom(\"beam@n2\"), list_to_atom(\"abcdefghijklmnopqrstuvwxyz0123456789ABCD\")).",
        "peer-cookies",
        "beam@n2",
    ),
    _live(
        "a cookie of its own for a node that is no member",
        "erlang:set_cookie(list_to_atom(\"evil@n9\"), list_to_atom(\"abcdefghijklmnopqrstuvwxyz0123456789ABCD\")).",
        "peer-cookies",
        "evil@n9",
    ),
    # -- nodes too many ---------------------------------------------------------------------------------------------------------------------------
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
    # -- EPMD -------------------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a name in EPMD that no process holds",
        breaks=_REGISTER + "ghost 9555; sleep 2",
        control="epmd-names",
        names=("EPMD names ghost at port 9555: nothing listens there",),
        repair="systemctl stop register",
        alters=BESIDE,
    ),
    Fault(
        name="the node's name in EPMD with another port",
        breaks=SHELL + "systemctl stop beam; sleep 2\n" + _REGISTER + "beam 9999; sleep 2; systemctl start beam; sleep 5",
        control="unit-drop-in",
        names=("beam.service is",),
        repair="systemctl stop register; sleep 1; " + SHELL + "restart",
        alters=MESH,
    ),
    Fault(
        name="EPMD forgot the node and learned another port",
        breaks=SHELL + "systemctl restart epmd.service || systemctl restart epmd.socket; sleep 1\n" + _REGISTER + "beam 9999; sleep 2",
        control="epmd-names",
        names=("EPMD names port 9999 for beam, while the node listens on", ":9100"),
        repair="systemctl stop register; sleep 1; " + SHELL + "restart",
        alters=MESH,
    ),
    Fault(
        name="an epmd.socket that listens everywhere, by a later drop-in",
        breaks="printf '[Socket]\\nListenStream=\\nListenStream=0.0.0.0:4369\\nBindIPv6Only=ipv6-only\\n' "
        "> /etc/systemd/system/epmd.socket.d/zzzz-fault.conf\n"
        "systemctl daemon-reload; systemctl stop epmd.socket epmd.service; systemctl start epmd.socket; " + SHELL + "restart",
        control="epmd-listeners",
        names=("0.0.0.0:4369",),
        repair="rm -f /etc/systemd/system/epmd.socket.d/zzzz-fault.conf; systemctl daemon-reload; systemctl stop epmd.socket epmd.service; "
        "systemctl start epmd.socket; " + SHELL + "restart",
    ),
    # -- starts from elsewhere --------------------------------------------------------------------------------------------------------------------
    _drop_in("HEART_COMMAND for the next start", "Environment=HEART_COMMAND=/bin/true", "HEART_COMMAND"),
    _drop_in("LD_PRELOAD for the next start", "Environment=LD_PRELOAD=/tmp/x.so", "LD_PRELOAD"),
    _drop_in("ERL_LIBS for the next start", "Environment=ERL_LIBS=/tmp", "ERL_LIBS"),
    Fault(
        name="ERL_LIBS in the running node",
        breaks=f"printf '[Service]\\nEnvironment=ERL_LIBS=/srv\\n' > {_FAULT}; {_LOADED}",
        control="start-environment",
        names=("was started with the variable ERL_LIBS",),
        repair=f"rm -f {_FAULT}; {_LOADED}",
    ),
    Fault(
        name="a .erlang in the node's home",
        breaks=SHELL + "echo 'ok.' > $home/.erlang; chown beam $home/.erlang",
        control="start-environment",
        names=("/.erlang exists",),
        repair=SHELL + "rm -f $home/.erlang",
        alters=BESIDE,
    ),
    Fault(
        name="code of the node's command",
        breaks=SHELL
        + "printf '#!/bin/sh\\nexec erl -noinput -eval true. -args_file %s/join.args\\n' $directory > /opt/start; chmod 0755 /opt/start\n"
        + f"printf '[Service]\\nExecStart=\\nExecStart=/opt/start\\n' > {_FAULT}; {_LOADED}",
        control="start-environment",
        names=("was started with -eval",),
        repair=f"rm -f {_FAULT}; {_LOADED}",
    ),
    Fault(
        name="code in the command of the unit",
        breaks=SHELL + "printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/erl -noinput -args_file %s -eval true.\\n' "
        f"$directory/join.args > {_FAULT}; {_LOADED}",
        control="start-environment",
        names=("was started with -eval",),
        repair=f"rm -f {_FAULT}; {_LOADED}",
    ),
    Fault(
        name="code that the node's user may write",
        breaks=CALL + "mkdir -p /opt/app/ebin; chown beam /opt/app/ebin\ncall 'code:add_patha(\"/opt/app/ebin\").'",
        control="code-path",
        names=("beam can put code into /opt/app/ebin",),
        repair=SHELL + "rm -rf /opt/app; again",
        alters=LIVE,
    ),
    Fault(
        name="code that everybody may write",
        breaks=CALL + "mkdir -p /opt/apps/ebin; chmod 0777 /opt/apps/ebin\ncall 'code:add_pathz(\"/opt/apps/ebin\").'",
        control="code-path",
        names=("everybody", "can put code into /opt/apps/ebin"),
        repair=SHELL + "rm -rf /opt/apps; again",
        alters=LIVE,
    ),
    # -- the mesh ---------------------------------------------------------------------------------------------------------------------------------
    _live(
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
        name="a stopped node",
        breaks="systemctl stop beam",
        control="unit-drop-in",
        names=("beam.service is inactive",),
        repair=SHELL + "systemctl start beam; up",
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
    _live("net_ticktime of its own", "net_kernel:set_net_ticktime(20, 1), timer:sleep(1500).", "mesh-settings", "net_ticktime"),
    # -- the firewall -----------------------------------------------------------------------------------------------------------------------------
    _nft("a network that is let in", "insert rule inet beam_cluster cluster ip saddr 192.168.7.0/24 accept", "192.168.7.0/24"),
    _nft("an interface that is let in", "insert rule inet beam_cluster cluster iifname eth1 accept", "eth1"),
    _nft("IPv6 that is let in", "insert rule inet beam_cluster cluster meta nfproto ipv6 accept", "IPv6"),
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
    Fault(
        name="another table at boot than now",
        breaks="cp -p /etc/beam/firewall.nft $saved/firewall.nft; sed -i 's/iif \"lo\" accept/accept/' /etc/beam/firewall.nft",
        control="planned-files",
        names=("/etc/beam/firewall.nft differs from the plan",),
        repair="cp -p $saved/firewall.nft /etc/beam/firewall.nft",
        alters=BESIDE,
    ),
    # -- code that runs -----------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a module of OTP that was replaced while the node runs",
        breaks=CALL + "call 'true = code:unstick_mod(net_adm), {ok, net_adm, B} = compile:forms([{attribute, 1, module, net_adm}]), "
        "{module, _} = code:load_binary(net_adm, code:which(net_adm), B).'",
        control="running-code",
        names=("runs another net_adm than the one in",),
        repair=RESTART,
        alters=LIVE,
    ),
    Fault(
        name="a module of OTP from another directory",
        breaks=CALL + "mkdir -p /opt/patch; cp /usr/lib/erlang/lib/kernel-*/ebin/net_adm.beam /opt/patch/\n"
        "call 'true = code:unstick_mod(net_adm), {module, net_adm} = code:load_abs(\"/opt/patch/net_adm\").'",
        control="running-code",
        names=("has loaded net_adm from /opt/patch/net_adm",),
        repair=f"{RESTART}; rm -rf /opt/patch",
        alters=LIVE,
        host="n2",
    ),
    Fault(
        name="a client that verifies nobody by -ssl_dist_opt",
        # The guard stops such a VM in beam.service: here it does not run.
        breaks=SHELL
        + f"mkdir -p {WATCH}; printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep infinity\\n' > {WATCH}/override.conf\n"
        + "printf '#!/bin/sh\\nexec erl -noinput -ssl_dist_opt client_verify verify_none\\n' > /opt/start; chmod 0755 /opt/start\n"
        + f"printf '[Service]\\nExecStart=\\nExecStart=/opt/start\\n' > {DROP_INS}/aa-fault.conf\n"
        + "systemctl daemon-reload; systemctl kill beam-watch-beam; sleep 2; restart",
        control="tls-options",
        names=("was started with -ssl_dist_opt client_verify",),
        repair=f"{SHELL}rm -rf {WATCH} {DROP_INS}/aa-fault.conf /opt/start; systemctl daemon-reload; restart; "
        "systemctl kill beam-watch-beam; sleep 2",
        alters=OPTIONS,
    ),
    Fault(
        name="a server whose options depend on the name that a client asks for",
        breaks=CALL + "call 'sys:replace_state(net_sup, fun(S) -> [{server, O}] = ets:lookup(ssl_dist_opts, server), "
        "ets:insert(ssl_dist_opts, {server, [{sni_hosts, []} | O]}), S end).'",
        control="tls-options",
        names=("as server sni_hosts is set",),
        repair=RESTART,
        alters=OPTIONS,
    ),
)
