# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what the running node has in force: TLS options, allow list, code."""

from __future__ import annotations

from fault import ANCHORS, BESIDE, LIVE, NODE, OPTIONS, Fault
from makers import CALL, DROP_INS, KEEP_OPTIONS, LINK, NOBODY_LISTED, OPTIONS_BACK, OTP, RESTART, SHELL, UNLINK, WATCH, live, owned


def _option(name: str, edit: str, *names: str) -> Fault:
    """TLS options that the node has in force after a restart. edit: a program of perl over the whole file."""
    breaks = f"{KEEP_OPTIONS}perl -0pi -e '{edit}' $directory/ssl_dist.conf; restart"
    return Fault(name=name, breaks=breaks, control="tls-options", names=names, repair=OPTIONS_BACK, alters=OPTIONS)


_EVIL_CA = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj '/CN=evil CA' "
    "-addext basicConstraints=critical,CA:TRUE -keyout /dev/null 2>/dev/null"
)
_READ_AGAIN = "call 'gen_server:call(ssl_pem_cache_dist, {unconditionally_clear_pem_cache, self()}, infinity).'"
FAULTS = (
    Fault(
        name="a module of OTP that the user of the node owns",
        breaks="file=$(ls /usr/lib/erlang/lib/stdlib-*/ebin/lists.beam); chown beam $file",
        control="code-path",
        names=("beam can put code into", "lists.beam"),
        repair="chown root $(ls /usr/lib/erlang/lib/stdlib-*/ebin/lists.beam)",
        alters=BESIDE,
    ),
    Fault(
        name="an allow list that is empty",
        breaks=f"{CALL}call '{NOBODY_LISTED}.'",
        control="allow-list",
        names=("its allow list is empty",),
        repair=RESTART,
        alters=NODE,
        host="n3",
    ),
    Fault(
        name="a link in clear text",
        breaks=LINK,
        control="links",
        names=("plain@elsewhere", "clear text"),
        repair=UNLINK,
        alters=LIVE,
        host="n1",
    ),
    Fault(
        name="a link to a node that is no member, with the name of a probe",
        breaks=LINK.replace("plain@elsewhere", "beam_probe@elsewhere"),
        control="links",
        names=("beam_probe@elsewhere", "no member's name"),
        repair=UNLINK,
        alters=LIVE,
        host="n3",
    ),
    owned("a NIF that the node's user owns", f"{OTP}/lib/crypto-*/priv/lib/crypto.so", "beam", "code-path", "crypto.so", "beam can put code into"),
    Fault(
        name="a directory that was added to the code path of the running node",
        breaks=CALL + "mkdir -p /opt/fault-code; call 'true = code:add_patha(\"/opt/fault-code\").'",
        control="running-code",
        names=("its code path has /opt/fault-code, which is neither in its OTP nor in its arguments",),
        repair=RESTART + "; rmdir /opt/fault-code",
        alters=LIVE,
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
    live(
        "options in force, changed while the node runs",
        "ets:whereis(ssl_dist_opts), sys:replace_state(net_sup, fun(S) -> [{client, O}] = ets:lookup(ssl_dist_opts, client), "
        "ets:insert(ssl_dist_opts, {client, lists:keystore(verify, 1, O, {verify, verify_none})}), S end).",
        "tls-options",
        "as client verify is verify_none",
    ),
    live(
        "suites without certificates in the running node",
        "ets:whereis(ssl_dist_opts), sys:replace_state(net_sup, fun(S) -> [{server, O}] = ets:lookup(ssl_dist_opts, server), "
        "ets:insert(ssl_dist_opts, {server, [{ciphers, \"TLS_AES_256_GCM_SHA384:TLS_DH_anon_WITH_AES_256_GCM_SHA384\"} | O]}), S end).",
        "tls-options",
        "as server ciphers has TLS_DH_anon_WITH_AES_256_GCM_SHA384",
    ),
    Fault(
        name="allow.conf with one name more, after a restart",
        breaks=SHELL + "cp -p $directory/allow.conf $saved/; echo \"'evil@n9'.\" >> $directory/allow.conf; restart",
        control="allow-list",
        names=("lets evil@n9 connect, which is no member",),
        repair=SHELL + "cp -p $saved/allow.conf $directory/; restart",
    ),
    live("a name allowed while the node runs", "net_kernel:allow([list_to_atom(\"evil@n9\")]).", "allow-list", "evil@n9"),
    live("a host allowed while the node runs", "net_kernel:allow([n9]).", "allow-list", "lets n9 connect"),
    live(
        "a cookie of its own for a peer",
        "erlang:set_cookie(list_to_atom(\"beam@n2\"), list_to_atom(\"abcdefghijklmnopqrstuvwxyz0123456789ABCD\")).",
        "peer-cookies",
        "beam@n2",
    ),
    live(
        "a cookie of its own for a node that is no member",
        "erlang:set_cookie(list_to_atom(\"evil@n9\"), list_to_atom(\"abcdefghijklmnopqrstuvwxyz0123456789ABCD\")).",
        "peer-cookies",
        "evil@n9",
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
    live(
        "a member at another address in the running node",
        "ok = inet_db:add_host({192, 0, 2, 7}, [\"n3\"]).",
        "member-addresses",
        "its own list leads the name n3 to 192.0.2.7, not only to",
    ),
    live(
        "a node that asks others for the addresses of members",
        "ok = inet_db:set_lookup([native]).",
        "member-addresses",
        "looks for names with native before its own list",
    ),
    live("a boot server that was started in the node", "{ok, _} = erl_boot_server:start([{192, 0, 2, 1}]).", "boot-server-running", "boot server"),
    Fault(
        name="a node with a table of atoms that is more than half full",
        breaks=CALL + "call '[list_to_atom(integer_to_list(N)) || N <- lists:seq(1, 560000)], ok.'",
        control="atom-table",
        names=("of 1048576 atoms",),
        repair=RESTART,
        alters=LIVE,
    ),
)
