# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that verify once passed: what overrides, replaces or stands beside what is looked at. The unit tests show each rule, this a whole host."""

from __future__ import annotations

from fault import ANCHORS, BESIDE, FIREWALL, LIVE, OPTIONS, Fault
from in_force import CALL, DROP_INS, RESTART, SHELL

_ETC = "/etc/systemd/system"


def _writable(name: str, path: str, control: str = "options-file") -> Fault:
    """A file that is as planned, and that every user of the host can change."""
    breaks = f"{SHELL}stat -c %a {path} > $saved/mode; chmod a+w {path}"
    return Fault(name, breaks, control, (path.rpartition("/")[2], "has mode"), f"{SHELL}chmod $(cat $saved/mode) {path}", alters=BESIDE)


def _override(name: str, unit: str, control: str, alters: str) -> Fault:
    """A drop-in of a unit that our roles have written whole: it does nothing at the next start."""
    file = f"{_ETC}/{unit}.d/override.conf"
    breaks = f"mkdir -p $(dirname {file}); printf '[Service]\\nExecStart=\\nExecStart=/bin/true\\n' > {file}; systemctl daemon-reload"
    return Fault(name, breaks, control, (file,), f"rm -rf $(dirname {file}); systemctl daemon-reload", alters=alters)


FAULTS = (
    # -- what is in force before what is looked at ------------------------------------------------------------------------------------------------
    Fault(
        name="a client that verifies nobody by -ssl_dist_opt",
        # The guard stops such a VM in beam.service: here it does not run.
        breaks=f"{SHELL}mkdir -p {_ETC}/beam-watch-beam.service.d; printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep infinity\\n' > "
        f"{_ETC}/beam-watch-beam.service.d/override.conf; printf '#!/bin/sh\\nexec erl -noinput -ssl_dist_opt client_verify verify_none\\n' > "
        f"/opt/start; chmod 0755 /opt/start; printf '[Service]\\nExecStart=\\nExecStart=/opt/start\\n' > {DROP_INS}/aa-fault.conf; "
        "systemctl daemon-reload; systemctl kill beam-watch-beam; sleep 2; restart",
        control="tls-options",
        names=("was started with -ssl_dist_opt client_verify",),
        repair=f"{SHELL}rm -rf {_ETC}/beam-watch-beam.service.d {DROP_INS}/aa-fault.conf /opt/start; systemctl daemon-reload; restart; "
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
    Fault(
        name="a second port for peers, in the range of the node",
        # As much as inet_tcp_dist would open for peers in clear text. With a range of one port there is no room for it: then the port is beyond.
        breaks=CALL + "call '{ok, L} = gen_tcp:listen(9101, [{ip, {0,0,0,0}}]), gen_tcp:controlling_process(L, whereis(init)).'",
        control="distribution-listeners",
        names=("9101",),
        repair=RESTART,
        alters=LIVE,
    ),
    # -- who can change what is as planned --------------------------------------------------------------------------------------------------------
    _writable("a guard that every user can write", "/etc/beam/guard"),
    _writable("variables of the unit that every user can write", "$directory/unit.env"),
    _writable("rules of the firewall that every user can write", "/etc/beam/firewall.nft"),
    _writable("a drop-in that every user can write", f"{DROP_INS}/zzz-beam.conf"),
    Fault(
        name="flags of tools that the user of the node owns",
        breaks=SHELL + "chown beam $directory/tool.args",
        control="options-file",
        names=("tool.args belongs to beam, not to root",),
        repair=SHELL + "chown root $directory/tool.args",
        alters=BESIDE,
    ),
    Fault(
        name="a module of OTP that the user of the node owns",
        breaks="file=$(ls /usr/lib/erlang/lib/stdlib-*/ebin/lists.beam); chown beam $file",
        control="code-path",
        names=("beam can put code into", "lists.beam"),
        repair="chown root $(ls /usr/lib/erlang/lib/stdlib-*/ebin/lists.beam)",
        alters=BESIDE,
    ),
    # -- units that take the place of ours --------------------------------------------------------------------------------------------------------
    _override("a firewall that loads nothing at the next boot", "beam-firewall.service", "firewall-boot", FIREWALL),
    _override("a guard that looks at nothing before the next start", "beam-guard-beam.service", "unit-drop-in", BESIDE),
    # -- what stands beside -----------------------------------------------------------------------------------------------------------------------
    Fault(
        name="code in the second place of .erlang",
        breaks=SHELL + "install -d -o beam $home/.config/erlang; echo 'ok.' > $home/.config/erlang/.erlang",
        control="start-environment",
        names=(".config/erlang/.erlang exists",),
        repair=SHELL + "rm -rf $home/.config",
        alters=BESIDE,
    ),
    Fault(
        name="ERL_LIBS from the service manager",
        breaks="systemctl set-environment ERL_LIBS=/srv",
        control="start-environment",
        names=("ERL_LIBS",),
        repair="systemctl unset-environment ERL_LIBS",
        alters=BESIDE,
    ),
    Fault(
        name="a certificate in ca.pem that this collection cannot read",
        breaks=SHELL + "cp -p $directory/tls/ca.pem $saved/; printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n' "
        ">> $directory/tls/ca.pem",
        control="trust-anchors",
        names=("a certificate cannot be read",),
        repair=SHELL + "cp -p $saved/ca.pem $directory/tls/; touch $directory/tls/ca.pem",
        alters=ANCHORS,
    ),
    Fault(
        name="another user of the host that may connect",
        breaks="nft add element inet beam_cluster locals { 5 }",
        control="firewall-rules",
        names=("is not the one in /etc/beam/firewall.nft",),
        repair="systemctl reload beam-firewall",
        alters=FIREWALL,
    ),
    Fault(
        name="nodes that may dial whom they like",
        breaks="nft flush chain inet beam_cluster output",
        control="firewall-rules",
        names=("is not the one in /etc/beam/firewall.nft",),
        repair="systemctl reload beam-firewall",
        alters=FIREWALL,
    ),
)
