# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what a node and EPMD are started with: variables, users, groups, files of others; and of what grows in a node."""

from __future__ import annotations

from confinement import unconfined
from fault import BESIDE, LIVE, NODE, Fault
from running_node import CALL, DROP_INS, RESTART, SHELL, override

_EPMD = "/etc/systemd/system/epmd.service.d"
_PROGRAM = "$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/epmd.service /lib/systemd/system/epmd.service 2>/dev/null | head -n 1)"
_LOADED = "systemctl daemon-reload; " + SHELL + "restart"
_STARTED = "/srv/beam-fault"


def _epmd(name: str, lines: str, control: str, *names: str) -> Fault:
    """A drop-in of EPMD after ours. EPMD forgets the node, so that the node has to restart, too."""
    file = f"{_EPMD}/zzzz-{control}.conf"
    again = "systemctl daemon-reload; systemctl restart epmd.service; restart"
    return Fault(
        name=name,
        breaks=f"{SHELL}printf '[Service]\\n%b\\n' \"{lines}\" > {file}; {again}",
        control=control,
        names=names,
        repair=f"{SHELL}rm -f {file}; {again}",
        alters=NODE,
    )


def _changeable(name: str, owner: str, mode: str, *names: str) -> Fault:
    """A file of variables of the unit, as planned or not, that others can change."""
    file, drop_in = f"{_STARTED}/{owner}.env", f"{DROP_INS}/aa-{owner}.conf"
    return Fault(
        name=name,
        breaks=f"mkdir -p {_STARTED}; touch {file}; chown {owner} {file}; chmod {mode} {file}; "
        f"printf '[Service]\\nEnvironmentFile=-{file}\\n' > {drop_in}; systemctl daemon-reload",
        control="start-files",
        names=(f"{file} can be changed or replaced by", *names),
        repair=f"rm -f {drop_in} {file}; systemctl daemon-reload",
        alters=BESIDE,
    )


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
    unconfined(
        "a node whose crash dump goes to its working directory",
        "UnsetEnvironment=ERL_CRASH_DUMP_SECONDS ERL_CRASH_DUMP",
        "crash-dump-settings",
        "neither ERL_CRASH_DUMP_SECONDS=0 nor ERL_CRASH_DUMP is set",
    ),
    unconfined("a node that writes its TLS secrets", "Environment=SSLKEYLOGFILE=/tmp/keys", "key-log", "has the variable SSLKEYLOGFILE"),
    unconfined("a node in a group that reads all passwords", "SupplementaryGroups=shadow", "node-groups", "is in the group shadow"),
    _epmd(
        "an EPMD that obeys every local program",
        "Environment=ERL_EPMD_RELAXED_COMMAND_CHECK=1",
        "epmd-commands",
        "runs with ERL_EPMD_RELAXED_COMMAND_CHECK",
    ),
    _epmd(
        "an EPMD outside of its sandbox",
        "PrivateNetwork=no\\nProtectSystem=no\\nPrivateDevices=no\\nRestrictNamespaces=no\\nCapabilityBoundingSet=~\\nRestrictAddressFamilies=",
        "unit-sandbox",
        "epmd.service: exposure level",
        "not 1.5 or lower",
    ),
    _epmd("an EPMD in debug mode", f"ExecStart=\\nExecStart={_PROGRAM} -d", "epmd-debug", "runs in debug mode"),
    _epmd("an EPMD that runs as the node's user", "User=beam\\nGroup=beam", "epmd-user", "runs as beam, which runs a node, too"),
    Fault(
        name="a node with a table of atoms that is more than half full",
        breaks=CALL + "call '[list_to_atom(integer_to_list(N)) || N <- lists:seq(1, 560000)], ok.'",
        control="atom-table",
        names=("of 1048576 atoms",),
        repair=RESTART,
        alters=LIVE,
    ),
    _changeable("variables of the unit that the user of the node owns", "beam", "0644", "beam"),
    _changeable("variables of the unit that everybody can write", "root", "0666", "everybody"),
    Fault(
        name="a start script that another user owns",
        breaks=f"{SHELL}mkdir -p {_STARTED}; printf '#!/bin/sh\\nexec erl -noinput -args_file %s/join.args\\n' $directory > {_STARTED}/start; "
        f"chmod 0755 {_STARTED}/start; chown games {_STARTED}/start; "
        f"printf '[Service]\\nExecStart=\\nExecStart={_STARTED}/start\\n' > {DROP_INS}/aa-start.conf; systemctl daemon-reload",
        control="start-files",
        names=(f"{_STARTED}/start can be changed or replaced by games",),
        repair=f"rm -f {DROP_INS}/aa-start.conf {_STARTED}/start; systemctl daemon-reload",
        alters=BESIDE,
    ),
    # -- what a node starts with ------------------------------------------------------------------------------------------------------------------
    _variable("OPENSSL_CONF"),
    _variable("ERL_ROOTDIR"),
    _variable("BASH_ENV"),
    _variable("XDG_CONFIG_HOME"),
    Fault(
        name="another home of the node, with its cookie and code of its own",
        breaks=f"{SHELL}mkdir -p {_STARTED}-home; cp -p $home/.erlang.cookie {_STARTED}-home/; echo 'ok.' > {_STARTED}-home/.erlang\n"
        f"chown -R beam {_STARTED}-home; printf '[Service]\\nEnvironment=HOME={_STARTED}-home\\n' > {DROP_INS}/aa-home.conf\n"
        f"systemctl daemon-reload; restart",
        control="start-environment",
        names=(f"runs with the home {_STARTED}-home",),
        repair=f"{SHELL}rm -rf {DROP_INS}/aa-home.conf {_STARTED}-home; systemctl daemon-reload; restart",
        alters=NODE,
    ),
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
    Fault(
        name="a drop-in that no start has read",
        breaks=f"printf '[Service]\\nNice=1\\n' > {DROP_INS}/aa-nice.conf; systemctl daemon-reload",
        control="options-running",
        names=("aa-nice.conf was changed after beam.service started",),
        repair=f"rm -f {DROP_INS}/aa-nice.conf; systemctl daemon-reload",
        alters=BESIDE,
    ),
    Fault(
        name="variables of the unit with an old time",
        breaks=f"mkdir -p {_STARTED}; echo X=1 > {_STARTED}/old.env; touch -d 2020-01-01 {_STARTED}/old.env\n"
        f"printf '[Service]\\nEnvironmentFile={_STARTED}/old.env\\n' > {DROP_INS}/aa-old.conf; systemctl daemon-reload",
        control="options-running",
        names=("old.env was changed after beam.service started",),
        repair=f"rm -f {DROP_INS}/aa-old.conf {_STARTED}/old.env; systemctl daemon-reload",
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
    override("a guard that looks at nothing before the next start", "beam-guard-beam.service", "unit-drop-in", BESIDE),
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
)
