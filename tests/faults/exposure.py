# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that let an attack through, links to what is no member, and units and processes that are not as they were hardened."""

from __future__ import annotations

from fault import BESIDE, FIREWALL, KEY, LIVE, MESH, NODE, OPTIONS, Fault
from running_node import CALL, DROP_INS, KEEP_OPTIONS, OPTIONS_BACK, RESTART, SHELL, STRAY, WATCH, override

# Lets packets in that the table drops.
_LET_IN = "nft insert rule inet beam_cluster cluster tcp dport {} accept\n"
_ETC = "/etc/systemd/system"
_RELOAD = "systemctl reload beam-firewall"
_EPMD_SOCKET = "/etc/systemd/system/epmd.socket.d/zzzz-fault.conf"
_START_EPMD = "systemctl daemon-reload; systemctl stop epmd.socket epmd.service; systemctl start epmd.socket; restart"
_EVERYWHERE = (
    SHELL
    + "cp -p $directory/vm.args $saved/\n"
    + "sed -i 's/^\\(-kernel inet_dist_use_interface\\) .*/\\1 {0,0,0,0}/' $directory/vm.args; sign; restart\n"
)
_FLAGS_BACK = SHELL + "cp -p $saved/vm.args $directory/; restart"
OF_N2 = "$(sed -n 's/.*{host, {\\([0-9,]*\\)}, \\[\"n2\"\\].*/\\1/p' $directory/inetrc | tr , .)"

# Replaces each list in the state of net_kernel for which a test holds.
_STATE = "sys:replace_state(net_kernel, fun(S) -> list_to_tuple([case {test} of true -> {new}; _ -> E end || E <- tuple_to_list(S)]) end)"
_NOBODY_LISTED = _STATE.format(test="is_list(E) andalso lists:member(node(), E)", new="[]")
_CLEAR_TEXT = _STATE.format(
    test="is_list(E) andalso E =/= [] andalso is_record(hd(E), listen, 5)",
    new="[{listen, undefined, undefined, element(4, hd(E)), inet_tcp_dist} | E]",
)
_TLS_AGAIN = _STATE.format(test="is_list(E) andalso E =/= [] andalso is_record(hd(E), listen, 5)", new="tl(E)")
# Links the node in clear text with a hidden VM beside it, at a host name that no member has. One that is not hidden would cost the other links.
_LINK = (
    STRAY
    + CALL
    + "cp -p /etc/hosts $saved/; echo 127.0.0.1 elsewhere >> /etc/hosts\n"
    + "stray plain root -sname plain@elsewhere -hidden -setcookie fault -start_epmd false\n"
    + f"call 'N = plain@elsewhere, net_kernel:allow([N]), erlang:set_cookie(N, fault), {_CLEAR_TEXT}, true = net_kernel:connect_node(N), "
    + f"{_TLS_AGAIN}.'"
)
_UNLINK = STRAY + "strays_end plain; cat $saved/hosts > /etc/hosts\n" + RESTART


_TAKES_ANY = "s/verify_peer/verify_none/; s/,\\s*\\{fail_if_no_peer_cert, true\\}//"


def _verifies_less(name: str, edit: str, control: str, *names: str) -> Fault:
    """A server that verifies less than it should, and what comes in then."""
    breaks = f"{KEEP_OPTIONS}perl -0pi -e '{edit}' $directory/ssl_dist.conf; restart"
    return Fault(name=name, breaks=breaks, control=control, names=names, repair=OPTIONS_BACK, alters=OPTIONS)


def _let_in(name: str, port: int, control: str, *names: str, before: str = "", after: str = "", alters: str = FIREWALL) -> Fault:
    return Fault(
        name=name,
        breaks=before + _LET_IN.format(port),
        control=control,
        names=(*names, f":{port}"),
        repair=f"{_RELOAD}\n{after}",
        alters=alters,
    )


def _late(name: str, line: str, control: str, *names: str) -> Fault:
    """A drop-in that comes after all others."""
    file = f"{DROP_INS}/zzzz-{control}.conf"
    return Fault(
        name=name,
        breaks=f"printf '[Service]\\n%b\\n' '{line}' > {file}; systemctl daemon-reload",
        control=control,
        names=names,
        repair=f"rm -f {file}; systemctl daemon-reload",
        alters=BESIDE,
    )


FAULTS = (
    # -- what comes in ----------------------------------------------------------------------------------------------------------------------------
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
        before=_EVERYWHERE,
        after=_FLAGS_BACK,
        alters=NODE,
    ),
    Fault(
        name="EPMD for all users of the host",
        breaks="nft insert rule inet beam_cluster output oif lo tcp dport 4369 accept",
        control="local-epmd",
        names=("nobody", ":4369"),
        repair=_RELOAD,
        alters=FIREWALL,
    ),
    Fault(
        name="the node's port for all users of the host",
        breaks="nft flush chain inet beam_cluster output",
        control="local-distribution-port",
        names=("nobody", ":9100"),
        repair=_RELOAD,
        alters=FIREWALL,
    ),
    _verifies_less("TLS 1.2 comes in", "s/\\x27tlsv1.3\\x27\\]/\\x27tlsv1.3\\x27, \\x27tlsv1.2\\x27]/", "old-tls", "-> beam@n", "connected"),
    _verifies_less("no certificate comes in", "s/no_peer_cert, true/no_peer_cert, false/", "no-certificate", "-> beam@n"),
    _verifies_less("any certificate comes in", _TAKES_ANY, "foreign-certificate", "-> beam@n"),
    _verifies_less("an expired certificate comes in", _TAKES_ANY, "expired-certificate", "-> beam@n"),
    Fault(
        name="a member takes the name of another",
        breaks=f"{CALL}call '{_NOBODY_LISTED}.'",
        control="other-name",
        names=("-> beam@n",),
        repair=RESTART,
        alters=LIVE,
        host="n3",
    ),
    Fault(
        name="an allow list that is empty",
        breaks=f"{CALL}call '{_NOBODY_LISTED}.'",
        control="allow-list",
        names=("its allow list is empty",),
        repair=RESTART,
        alters=NODE,
        host="n3",
    ),
    Fault(
        name="the cookie of -nocookie in the running node",
        breaks=CALL + "call 'erlang:set_cookie(nocookie).'",
        control="wrong-cookie",
        names=("-> beam@n",),
        repair=RESTART,
        alters=MESH,
    ),
    Fault(
        name="a node in clear text",
        breaks=SHELL
        + "cp -p $directory/vm.args $saved/; sed -i '/^-proto_dist/d; /^-ssl_dist/d' $directory/vm.args; sign\n"
        + f"printf '[Service]\\nExecStartPre=\\n' > {DROP_INS}/zzzz-plain.conf; systemctl daemon-reload; restart",
        control="plaintext",
        names=("-> beam@n",),
        repair=SHELL + f"rm -f {DROP_INS}/zzzz-plain.conf; systemctl daemon-reload; cp -p $saved/vm.args $directory/; restart",
        alters=MESH,
    ),
    # -- listeners --------------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="the node listens on every address",
        breaks=_EVERYWHERE,
        control="distribution-listeners",
        names=("listens on 0.0.0.0:9100",),
        repair=_FLAGS_BACK,
    ),
    # -- links and members ------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a link in clear text",
        breaks=_LINK,
        control="links",
        names=("plain@elsewhere", "clear text"),
        repair=_UNLINK,
        alters=LIVE,
        host="n1",
    ),
    Fault(
        name="a link to a node that is no member",
        breaks=_LINK,
        control="mesh-members",
        names=("hidden connection to plain@elsewhere",),
        repair=_UNLINK,
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
    # -- units and processes ----------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a VM with its cookie in its arguments",
        breaks=STRAY + "stray cookied root -sname cookied -setcookie abcdef -start_epmd false -erl_epmd_port 9781",
        control="argument-list",
        names=("cookied", "shows its cookie"),
        repair=STRAY + "strays_end cookied",
        alters=BESIDE,
    ),
    _late(
        "a sandbox that a later drop-in undoes",
        "ProtectSystem=no\\nPrivateDevices=no\\nSystemCallFilter=\\nRestrictNamespaces=no\\nCapabilityBoundingSet=~",
        "unit-sandbox",
        "exposure level",
    ),
    _late("a later drop-in", "Nice=1", "unit-drop-in", "zzzz-unit-drop-in.conf comes after", "can undo it"),
    _late("core dumps by a later drop-in", "LimitCORE=infinity", "core-dumps", "LimitCORE is infinity"),
    Fault(
        name="a unit that does not start at boot",
        breaks="systemctl disable --quiet beam",
        control="unit-drop-in",
        names=("not enabled: it does not start at boot",),
        repair="systemctl enable --quiet beam",
        alters=BESIDE,
    ),
    Fault(
        name="a guard that is stopped",
        # Nobody stops it alone, until somebody says otherwise.
        breaks=f"mkdir -p {WATCH}; printf '[Unit]\\nRefuseManualStop=no\\n' > {WATCH}/fault.conf\n"
        "systemctl daemon-reload; systemctl stop beam-watch-beam",
        control="unit-drop-in",
        names=("nothing watches the flags",),
        repair=f"rm -rf {WATCH}; systemctl daemon-reload; systemctl start beam-watch-beam",
        alters=BESIDE,
    ),
    Fault(
        name="a node that is older than its files",
        breaks=f"cp -p {DROP_INS}/zzz-beam.conf $saved/\n"
        f"sed -i 's/CLUSTER_DIGEST=../CLUSTER_DIGEST=00/' {DROP_INS}/zzz-beam.conf; systemctl daemon-reload",
        control="running-process",
        names=("was started before its files were last changed",),
        repair=f"cp -p $saved/zzz-beam.conf {DROP_INS}/; systemctl daemon-reload",
        alters=BESIDE,
    ),
    Fault(
        name="a VM whose program was replaced on the disk",
        breaks="vm=$(ls /usr/lib/erlang/erts-*/bin/beam.smp); cp -p $vm $vm.new; mv $vm.new $vm",
        control="running-vm",
        names=("beam.smp",),
        repair=RESTART,
        alters=LIVE,
    ),
    # -- keys and certificates --------------------------------------------------------------------------------------------------------------------
    Fault(
        name="the key of another member",
        breaks=SHELL + 'cp -p $directory/tls/key.pem $saved/; printf "%s\\n" "$given" > $directory/tls/key.pem',
        given=("n2", "cat /etc/beam/beam@n2/tls/key.pem"),
        control="key-of-its-own",
        names=("has the same key as beam@n2 (n2)",),
        repair=SHELL + "cp -p $saved/key.pem $directory/tls/",
        alters=KEY,
    ),
    Fault(
        name="a copy of another member's key",
        breaks='printf "%s\\n" "$given" > /etc/beam/old.pem; chmod 0400 /etc/beam/old.pem',
        given=("n2", "cat /etc/beam/beam@n2/tls/key.pem"),
        control="key-of-its-own",
        names=("/etc/beam/old.pem is the private key of beam@n2",),
        repair="rm -f /etc/beam/old.pem",
        alters=BESIDE,
    ),
    # -- connections that come by another way -----------------------------------------------------------------------------------------------------
    Fault(
        name="a proxy that starts when somebody connects",
        breaks="program=$(ls /usr/lib/systemd/systemd-socket-proxyd /lib/systemd/systemd-socket-proxyd 2>/dev/null | head -n 1)\n"
        f"printf '[Service]\\nExecStart=%s 127.0.0.1:4369\\n' \"$program\" > {_ETC}/open.service\n"
        f"printf '[Socket]\\nListenStream=0.0.0.0:9876\\n' > {_ETC}/open.socket; systemctl daemon-reload; systemctl start open.socket",
        control="forwarded-ports",
        names=("open.service forwards connections to 127.0.0.1:4369",),
        repair=f"systemctl stop open.socket open.service; rm -f {_ETC}/open.socket {_ETC}/open.service; systemctl daemon-reload",
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
    Fault(
        name="a second port for peers, in the range of the node",
        # As much as inet_tcp_dist would open for peers in clear text. With a range of one port there is no room for it: then the port is beyond.
        breaks=CALL + "call '{ok, L} = gen_tcp:listen(9101, [{ip, {0,0,0,0}}]), gen_tcp:controlling_process(L, whereis(init)).'",
        control="distribution-listeners",
        names=("9101",),
        repair=RESTART,
        alters=LIVE,
    ),
    override("a firewall that loads nothing at the next boot", "beam-firewall.service", "firewall-boot", FIREWALL),
    Fault(
        name="another user of the host that may connect",
        breaks="nft add element inet beam_cluster locals { 5 }",
        control="firewall-rules",
        names=("is not the one in /etc/beam/firewall.nft",),
        repair=_RELOAD,
        alters=FIREWALL,
    ),
    Fault(
        name="nodes that may dial whom they like",
        breaks="nft flush chain inet beam_cluster output",
        control="firewall-rules",
        names=("is not the one in /etc/beam/firewall.nft",),
        repair=_RELOAD,
        alters=FIREWALL,
    ),
)
