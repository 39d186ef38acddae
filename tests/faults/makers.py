# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shell and makers of faults that several files of this folder use."""

from __future__ import annotations

from fault import BESIDE, LIVE, NODE, Fault

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
LOADED = "systemctl daemon-reload; " + SHELL + "restart"
KEEP_OPTIONS = SHELL + "cp -p $directory/ssl_dist.conf $saved/\n"
OPTIONS_BACK = SHELL + "cp -p $saved/ssl_dist.conf $directory/; restart"


def live(name: str, code: str, control: str, *names: str, alters: str = LIVE) -> Fault:
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
# A registration in EPMD lives as long as the connection that made it.
REGISTER = """\
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


def override(name: str, unit: str, control: str, alters: str) -> Fault:
    """A drop-in of a unit that our roles have written whole: it does nothing at the next start."""
    file = f"/etc/systemd/system/{unit}.d/override.conf"
    breaks = f"mkdir -p $(dirname {file}); printf '[Service]\\nExecStart=\\nExecStart=/bin/true\\n' > {file}; systemctl daemon-reload"
    return Fault(name, breaks, control, (file,), f"rm -rf $(dirname {file}); systemctl daemon-reload", alters=alters)


# Directory and home of the host's node. What a fault replaces goes to $saved.
FILES = """\
node=beam@$(hostname); directory=/etc/beam/$node; tls=$directory/tls; home=/var/lib/beam/$node; cookie=$home/.erlang.cookie
"""


def unconfined(name: str, lines: str, control: str, *names: str) -> Fault:
    """A drop-in after all others, in force after a restart."""
    file = f"{DROP_INS}/zzzz-{control}.conf"
    return Fault(
        name=name,
        breaks=f"{SHELL}printf '[Service]\\n%b\\n' '{lines}' > {file}; systemctl daemon-reload; restart",
        control=control,
        names=names,
        repair=f"{SHELL}rm -f {file}; systemctl daemon-reload; restart",
        alters=NODE,
    )


ETC = "/etc/systemd/system"
RELOAD_FIREWALL = "systemctl reload beam-firewall"
EVERYWHERE = (
    SHELL
    + "cp -p $directory/vm.args $saved/\n"
    + "sed -i 's/^\\(-kernel inet_dist_use_interface\\) .*/\\1 {0,0,0,0}/' $directory/vm.args; sign; restart\n"
)
FLAGS_BACK = SHELL + "cp -p $saved/vm.args $directory/; restart"
OF_N2 = "$(sed -n 's/.*{host, {\\([0-9,]*\\)}, \\[\"n2\"\\].*/\\1/p' $directory/inetrc | tr , .)"
# Replaces each list in the state of net_kernel for which a test holds.
_STATE = "sys:replace_state(net_kernel, fun(S) -> list_to_tuple([case {test} of true -> {new}; _ -> E end || E <- tuple_to_list(S)]) end)"
NOBODY_LISTED = _STATE.format(test="is_list(E) andalso lists:member(node(), E)", new="[]")
_CLEAR_TEXT = _STATE.format(
    test="is_list(E) andalso E =/= [] andalso is_record(hd(E), listen, 5)",
    new="[{listen, undefined, undefined, element(4, hd(E)), inet_tcp_dist} | E]",
)
_TLS_AGAIN = _STATE.format(test="is_list(E) andalso E =/= [] andalso is_record(hd(E), listen, 5)", new="tl(E)")
# Links the node in clear text with a hidden VM beside it, at a host name that no member has. One that is not hidden would cost the other links.
LINK = (
    STRAY
    + CALL
    + "cp -p /etc/hosts $saved/; echo 127.0.0.1 elsewhere >> /etc/hosts\n"
    + "stray plain root -sname plain@elsewhere -hidden -setcookie fault -start_epmd false\n"
    + f"call 'N = plain@elsewhere, net_kernel:allow([N]), erlang:set_cookie(N, fault), {_CLEAR_TEXT}, true = net_kernel:connect_node(N), "
    + f"{_TLS_AGAIN}.'"
)
UNLINK = STRAY + "strays_end plain; cat $saved/hosts > /etc/hosts\n" + RESTART


def removed(name: str, path: str, control: str, alters: str = BESIDE) -> Fault:
    """path: with the variables of SHELL. The file comes back with its time."""
    return Fault(
        name=name,
        breaks=f"{SHELL}mv {path} $saved/removed",
        control=control,
        names=(f"/{path.rpartition('/')[2]} does not exist",),
        repair=f"{SHELL}mv $saved/removed {path}",
        alters=alters,
    )


OTP = "/usr/lib/erlang"


def new_file(name: str, path: str, text: str, control: str, *names: str, mode: str = "0644", after: str = "") -> Fault:
    """A file that was not there. after: what has to be done when it is written, and when it is removed."""
    return Fault(
        name=name,
        breaks=f"[ ! -e {path} ] && mkdir -p $(dirname {path}) && printf '%b' '{text}' > {path} && chmod {mode} {path}; {after or 'true'}",
        control=control,
        names=names,
        repair=f"rm -f {path}; {after or 'true'}",
        alters=BESIDE,
    )


def drop_in(name: str, line: str, control: str, *names: str) -> Fault:
    """A drop-in in front of ours, which the next start reads."""
    path = f"{DROP_INS}/aa-{control}-{line.partition('=')[0].lower()}.conf"
    return new_file(name, path, f"[Service]\\n{line}\\n", control, f"{names[0]} in {path}", *names[1:], after="systemctl daemon-reload")


def owned(name: str, pattern: str, user: str, control: str, *names: str) -> Fault:
    """A file of root that another user owns."""
    return Fault(
        name=name,
        breaks=f"file=$(readlink -f $(ls {pattern} | head -n 1)); chown {user} $file",
        control=control,
        names=names,
        repair=f"chown root $(readlink -f $(ls {pattern} | head -n 1))",
        alters=BESIDE,
    )


_EPMD = "/etc/systemd/system/epmd.service.d"
PLACE = "/srv/beam-fault"


def epmd_drop_in(name: str, lines: str, control: str, *names: str, before: str = "true") -> Fault:
    """A drop-in of EPMD after ours. EPMD forgets the node, so that the node has to restart, too."""
    file = f"{_EPMD}/zzzz-{control}.conf"
    again = "systemctl daemon-reload; systemctl restart epmd.service; restart"
    return Fault(
        name=name,
        breaks=f"{SHELL}{before}; printf '[Service]\\n%b\\n' \"{lines}\" > {file}; {again}",
        control=control,
        names=names,
        repair=f"{SHELL}rm -f {file}; {again}",
        alters=NODE,
    )
