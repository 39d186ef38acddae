# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of code, files and connections that come from elsewhere than the files that are looked at."""

from __future__ import annotations

from at_rest import certificate
from fault import BESIDE, LIVE, NODE, Fault
from in_force import CALL, DROP_INS, RESTART, SHELL

_ETC = "/etc/systemd/system"
_LOADED = "systemctl daemon-reload; " + SHELL + "restart"


def _variable(name: str) -> Fault:
    """A variable of the unit, which its next process gets."""
    file = f"{DROP_INS}/aa-{name}.conf"
    return Fault(
        name=f"{name} for the next start",
        breaks=f"printf '[Service]\\nEnvironment={name}=/nowhere\\n' > {file}; systemctl daemon-reload",
        control="start-environment",
        names=(name,),
        repair=f"rm -f {file}; systemctl daemon-reload",
        alters=BESIDE,
    )


FAULTS = (
    # -- what a node starts with ------------------------------------------------------------------------------------------------------------------
    _variable("OPENSSL_CONF"),
    _variable("ERL_ROOTDIR"),
    _variable("BASH_ENV"),
    Fault(
        name="another module for the discovery of peers",
        # It does what the usual one does.
        breaks="printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/erl -noinput -epmd_module erl_epmd\\n' "
        f"> {DROP_INS}/aa-module.conf; {_LOADED}",
        control="start-environment",
        names=("was started with -epmd_module erl_epmd",),
        repair=f"rm -f {DROP_INS}/aa-module.conf; {_LOADED}",
        alters=NODE,
    ),
    Fault(
        name="a command before the start that another user owns",
        breaks=f"printf '#!/bin/sh\\nexit 0\\n' > /opt/hook; chmod 0755 /opt/hook; chown games /opt/hook; "
        f"printf '[Service]\\nExecStartPre=+/bin/sh /opt/hook\\n' > {DROP_INS}/aa-hook.conf; systemctl daemon-reload",
        control="start-files",
        names=("/opt/hook can be changed or replaced by games",),
        repair=f"rm -f {DROP_INS}/aa-hook.conf /opt/hook; systemctl daemon-reload",
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
    # -- files that the node sees otherwise ---------------------------------------------------------------------------------------------------------
    Fault(
        name="another CA file in the mounts of the node",
        breaks=f"{SHELL}install -m 0644 $directory/tls/ca.pem /opt/ca.pem; "
        f"printf '[Service]\\nBindReadOnlyPaths=/opt/ca.pem:%s\\n' $directory/tls/ca.pem > {DROP_INS}/aa-mounts.conf; {_LOADED}",
        control="running-process",
        names=("sees another", "tls/ca.pem than the host"),
        repair=f"rm -f {DROP_INS}/aa-mounts.conf; {_LOADED}; rm -f /opt/ca.pem",
        alters=NODE,
    ),
    # -- programs -----------------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a VM that gives every user its owner's rights",
        breaks="chmod u+s /usr/lib/erlang/erts-*/bin/erlexec",
        control="program-owner",
        names=("erlexec (setuid)",),
        repair="chmod u-s /usr/lib/erlang/erts-*/bin/erlexec",
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
    # -- copies elsewhere ---------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a copy of the cookie in a directory of data",
        breaks=SHELL + "mkdir -p /srv/data/old; cp $home/.erlang.cookie /srv/data/old/cookie; chmod 0644 /srv/data/old/cookie",
        control="cookie-copies",
        names=("/srv/data/old/cookie", "holds the cookie of"),
        repair="rm -rf /srv/data/old",
        alters=BESIDE,
    ),
    Fault(
        name="a packed backup of the node's home",
        breaks=SHELL + "tar -czf /opt/home.tar.gz -C $home .erlang.cookie; chmod 0644 /opt/home.tar.gz",
        control="cookie-copies",
        names=("/opt/home.tar.gz", "holds the cookie of"),
        repair="rm -f /opt/home.tar.gz",
        alters=BESIDE,
    ),
    Fault(
        name="a copy of the key in binary",
        breaks=SHELL + "openssl pkey -in $directory/tls/key.pem -outform DER -out /opt/key.der; chmod 0644 /opt/key.der",
        control="key-readers",
        names=("/opt/key.der", "is a private key", "everybody"),
        repair="rm -f /opt/key.der",
        alters=BESIDE,
    ),
    Fault(
        name="the directory of the CA on the node, its key encrypted",
        breaks=SHELL + "install -d -m 0700 /root/ca; cp $directory/tls/ca.pem /root/ca/cert.pem; "
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:opensesame -out /root/ca/key.pem",
        control="ca-key",
        names=("/root/ca/key.pem", "beside the certificate of the CA"),
        repair="rm -rf /root/ca",
        alters=BESIDE,
    ),
    # -- rights of the node's user -------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a user manager of the node's user that starts at boot",
        breaks="mkdir -p /var/lib/systemd/linger; touch /var/lib/systemd/linger/beam",
        control="node-login",
        names=("/var/lib/systemd/linger/beam starts programs of beam",),
        repair="rm -f /var/lib/systemd/linger/beam",
        alters=BESIDE,
    ),
    Fault(
        name="a table of cron of the node's user",
        breaks="mkdir -p /var/spool/cron/crontabs; echo '* * * * * true' > /var/spool/cron/crontabs/beam; chmod 0600 /var/spool/cron/crontabs/beam",
        control="node-login",
        names=("/var/spool/cron/crontabs/beam starts programs of beam",),
        repair="rm -f /var/spool/cron/crontabs/beam",
        alters=BESIDE,
    ),
    Fault(
        name="the node's user in a file of sudo",
        breaks="mkdir -p /etc/sudoers.d; echo 'beam ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/zz-beam; chmod 0440 /etc/sudoers.d/zz-beam",
        control="node-login",
        names=("/etc/sudoers.d/zz-beam lets beam run programs as another user",),
        repair="rm -f /etc/sudoers.d/zz-beam",
        alters=BESIDE,
    ),
    certificate("a certificate for ten years", "until = since + 3650 * DAY", "certificate-validity", "is valid for 3650 days"),
)
