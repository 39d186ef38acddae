# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can come between systemd and a VM's flags, as data: what is on the host before the node is started, and what must become of it."""

from __future__ import annotations

from dataclasses import dataclass, field

HARDENED, REFUSED, STOPPED = "hardened", "refused", "stopped"
"""It runs with our flags; systemd starts no VM, and the journal says why; a VM was started, and ended before it answered anybody."""

HISTORY = "ERL_AFLAGS=-kernel shell_history enabled\n"
PLAIN = "-kernel inet_dist_use_interface {0,0,0,0}"


@dataclass(frozen=True)
class Situation:
    """`files`: path to text; `{unit}` and `{directory}` are the node's. `run`: commands before the start. `undo`: what takes `run` back.

    `says`: what the journal says of it. `late`: commands after the start.
    """

    name: str
    end: str
    files: dict[str, str] = field(default_factory=dict)
    run: str = ""
    undo: str = ""
    says: str = ""
    late: str = ""


def drop_in(text: str, path: str = "/etc/systemd/system/{unit}.d/zzzz-mine.conf") -> dict[str, str]:
    return {path: f"[Service]\n{text}\n"}


def wrapped(words: str) -> dict[str, str]:
    """The unit's command behind something else, as operators write it who need one more variable."""
    return drop_in(f"ExecStart=\nExecStart={words}")


KILL_WATCHER = "systemctl kill --signal=KILL beam-watch-{unit} && sleep 1"
BACK = "for i in $(seq 60); do systemctl --quiet is-active beam-watch-{unit} && break; sleep 1; done; systemctl is-active beam-watch-{unit}"
# As the role distribution writes it where a setting has changed.
REWRITE = (
    "cp -p {directory}/vm.args /root/kept; sed -i '2d; s/inet_dist_listen_max 9[0-9]*/inet_dist_listen_max 9999/' {directory}/vm.args; "
    "sum=$(tail -n +2 {directory}/vm.args | sha256sum | cut -d' ' -f1); sed -i \"1a # sha256 of the lines below: $sum\" {directory}/vm.args"
)
# A shell of its own: in a subshell $$ is the shell around it.
OTHER = "sh -c 'echo $$ > /sys/fs/cgroup/system.slice/{unit}/cgroup.procs; ERL_EPMD_PORT=4370 HOME=/tmp exec erl -noinput -sname other'"
FILE = "EnvironmentFile=/etc/default/mine"
MINE = {"/etc/default/mine": HISTORY}

EVERY_UNIT = [
    Situation("a file of the operator's, read before ours", HARDENED, {**drop_in(FILE, "/etc/systemd/system/{unit}.d/10-mine.conf"), **MINE}),
    Situation("a file in a later drop-in", REFUSED, {**drop_in(FILE), **MINE}, says="ERL_AFLAGS is set by /etc/default/mine"),
    Situation("the same below /run", REFUSED, {**drop_in(FILE, "/run/systemd/system/{unit}.d/zzzz-mine.conf"), **MINE}, says="ERL_AFLAGS is set by"),
    Situation(
        "the same of the vendor", REFUSED, {**drop_in(FILE, "/usr/lib/systemd/system/{unit}.d/zzzz-mine.conf"), **MINE}, says="ERL_AFLAGS is set by"
    ),
    Situation(
        "the same for all services", REFUSED, {**drop_in(FILE, "/etc/systemd/system/service.d/zzzz.conf"), **MINE}, says="ERL_AFLAGS is set by"
    ),
    Situation("a file for all services, read before ours", HARDENED, {**drop_in(FILE, "/etc/systemd/system/service.d/10-mine.conf"), **MINE}),
    Situation("Environment= in a later drop-in", HARDENED, drop_in('Environment="ERL_AFLAGS=-kernel shell_history enabled"')),
    Situation("Environment= for another VM's flags", HARDENED, drop_in('Environment="ERL_ZFLAGS=-kernel shell_history enabled"')),
    Situation("UnsetEnvironment= of ours", REFUSED, drop_in("UnsetEnvironment=ERL_AFLAGS"), says="was taken away"),
    Situation(
        "UnsetEnvironment= reset, and flags behind ours",
        REFUSED,
        {**drop_in(f"UnsetEnvironment=\n{FILE}"), "/etc/default/mine": f"ERL_ZFLAGS={PLAIN}\n"},
        says="ERL_ZFLAGS is set by /etc/default/mine",
    ),
    Situation(
        "UnsetEnvironment= reset, and flags of one release",
        REFUSED,
        {**drop_in(f"UnsetEnvironment=\n{FILE}"), "/etc/default/mine": f"ERL_OTP27_FLAGS={PLAIN}\n"},
        says="ERL_OTP27_FLAGS is set by",
    ),
    Situation("flags behind ours in a file", HARDENED, {**drop_in(FILE), "/etc/default/mine": f"ERL_ZFLAGS={PLAIN}\nERL_FLAGS={PLAIN}\n"}),
    Situation("EnvironmentFile= reset", REFUSED, drop_in("EnvironmentFile="), says="resets EnvironmentFile="),
    Situation("ExecStartPre= reset", REFUSED, drop_in("ExecStartPre="), says="resets ExecStartPre="),
    Situation("ExecStartPre= reset, and a file", REFUSED, {**drop_in(f"ExecStartPre=\n{FILE}"), **MINE}, says="resets ExecStartPre="),
    Situation(
        "systemctl set-environment",
        HARDENED,
        run="systemctl set-environment 'ERL_AFLAGS=-kernel shell_history enabled'",
        undo="systemctl unset-environment ERL_AFLAGS",
    ),
    Situation(
        "PassEnvironment=",
        HARDENED,
        drop_in("PassEnvironment=ERL_AFLAGS ERL_ZFLAGS"),
        run=f"systemctl set-environment ERL_AFLAGS=-hidden 'ERL_ZFLAGS={PLAIN}'",
        undo="systemctl unset-environment ERL_AFLAGS ERL_ZFLAGS",
    ),
    Situation("DefaultEnvironment=", HARDENED, {"/etc/systemd/system.conf.d/mine.conf": '[Manager]\nDefaultEnvironment="ERL_AFLAGS=-hidden"\n'}),
    Situation("vm.args is missing", REFUSED, run="mv {directory}/vm.args /root/kept", undo="mv /root/kept {directory}/vm.args", says="is missing"),
    Situation(
        "vm.args is empty",
        REFUSED,
        run="cp -p {directory}/vm.args /root/kept; : > {directory}/vm.args",
        undo="mv /root/kept {directory}/vm.args",
        says="was edited",
    ),
    Situation(
        "vm.args was edited",
        REFUSED,
        run="cp -p {directory}/vm.args /root/kept; sed -i s/inet_tls/inet_tcp/ {directory}/vm.args",
        undo="mv /root/kept {directory}/vm.args",
        says="was edited. Put flags of your own into beam_distribution_extra_args",
    ),
    Situation(
        "vm.args cannot be read by the unit",
        REFUSED,
        run="chmod 600 {directory}/vm.args",
        undo="chmod 644 {directory}/vm.args",
        says="cannot be read by the unit",
    ),
    Situation(
        "our drop-in is gone, as after systemctl revert",
        REFUSED,
        run="mv /etc/systemd/system/{unit}.d/zzz-beam.conf /root/kept",
        undo="mv /root/kept /etc/systemd/system/{unit}.d/zzz-beam.conf",
        says="does not use its drop-in",
    ),
    Situation(
        "a file of its name with a higher rank",
        REFUSED,
        drop_in("MemoryMax=4G", "/etc/systemd/system.control/{unit}.d/zzz-beam.conf"),
        says="does not use its drop-in",
    ),
    Situation(
        # systemd ignores a link to a masked unit. What it does before the VM starts, and the watcher, remain.
        "the guard's unit is masked",
        HARDENED,
        run="mv /etc/systemd/system/beam-guard-{unit} /root/kept; ln -s /dev/null /etc/systemd/system/beam-guard-{unit}",
        undo="mv -f /root/kept /etc/systemd/system/beam-guard-{unit}",
    ),
    Situation(
        "the watcher's unit is masked",
        REFUSED,
        run="mv /etc/systemd/system/beam-watch-{unit} /root/kept; ln -s /dev/null /etc/systemd/system/beam-watch-{unit}",
        undo="mv -f /root/kept /etc/systemd/system/beam-watch-{unit}",
        says="its watcher beam-watch-{unit} does not run",
    ),
    Situation(
        "the link to the watcher is gone",
        REFUSED,
        run="mv /etc/systemd/system/{unit}.wants/beam-watch-{unit} /root/kept",
        undo="mv -f /root/kept /etc/systemd/system/{unit}.wants/beam-watch-{unit}",
        says="its watcher beam-watch-{unit} does not run",
    ),
    Situation("the guard is gone", REFUSED, run="mv /etc/beam/guard /root/kept", undo="mv /root/kept /etc/beam/guard"),
    Situation("systemctl set-property", HARDENED, run="systemctl set-property {unit} MemoryMax=4G", undo="systemctl set-property {unit} MemoryMax="),
    Situation(
        "a drop-in of the operator's that is none of our business", HARDENED, drop_in("MemoryMax=4G", "/etc/systemd/system/{unit}.d/zz-mine.conf")
    ),
    Situation("the command behind env -u", STOPPED, wrapped("/usr/bin/env -u ERL_AFLAGS {start}"), says="runs without the flags of"),
    Situation(
        "the command in a shell that sets flags",
        STOPPED,
        wrapped("/bin/sh -c 'export ERL_AFLAGS=\"-kernel shell_history enabled\"; exec {start}'"),
        says="runs without the flags of",
    ),
    Situation(
        "flags behind ours from a shell",
        STOPPED,
        wrapped(f"/bin/sh -c 'export ERL_ZFLAGS=\"{PLAIN}\"; exec {{start}}'"),
        says="inet_dist_use_interface has another value",
    ),
    Situation(
        "a second carrier from a shell",
        STOPPED,
        wrapped("/bin/sh -c 'export ERL_FLAGS=\"-proto_dist inet_tcp\"; exec {start}'"),
        says="-proto_dist has another value",
    ),
    Situation(
        "the same carrier twice, from a shell",
        STOPPED,
        wrapped("/bin/sh -c 'export ERL_FLAGS=\"-proto_dist inet_tls\"; exec {start}'"),
        says="-proto_dist is given twice",
    ),
    Situation(
        "a port beside the range, from a shell",
        STOPPED,
        wrapped("/bin/sh -c 'export ERL_ZFLAGS=\"-erl_epmd_port 9557\"; exec {start}'"),
        says="-erl_epmd_port is set",
    ),
    Situation(
        "options of the listener, from a shell",
        STOPPED,
        wrapped("/bin/sh -c 'export ERL_ZFLAGS=\"-kernel inet_dist_listen_options [{ip,{0,0,0,0}}]\"; exec {start}'"),
        says="inet_dist_listen_options is set",
    ),
    Situation("another port of EPMD in a file", HARDENED, {**drop_in(FILE), "/etc/default/mine": "ERL_EPMD_PORT=4370\n"}),
    Situation("another directory of settings in a file", HARDENED, {**drop_in(FILE), "/etc/default/mine": "XDG_CONFIG_HOME=/srv/settings\n"}),
    Situation(
        "UnsetEnvironment= reset, and another port of EPMD",
        REFUSED,
        {**drop_in(f"UnsetEnvironment=\n{FILE}"), "/etc/default/mine": "ERL_EPMD_PORT=4370\n"},
        says="ERL_EPMD_PORT is set by /etc/default/mine",
    ),
    Situation("the cookie's flag from a shell", HARDENED, wrapped("/bin/sh -c 'export ERL_FLAGS=\"-setcookie word\"; exec {start}'")),
    Situation(
        "no cookie, from a shell", STOPPED, wrapped("/bin/sh -c 'export ERL_FLAGS=\"-nocookie\"; exec {start}'"), says="-nocookie makes its cookie"
    ),
    Situation(
        "a helper that unsets them, a second later",
        STOPPED,
        wrapped("/bin/sh -c 'sleep 1; unset ERL_AFLAGS; exec {start}'"),
        says="runs without the flags of",
    ),
    Situation("the watcher is killed", HARDENED, late=f"{KILL_WATCHER} && {BACK}"),
    Situation(
        "the watcher is killed, and vm.args is written anew before the node restarts",
        HARDENED,
        late=f"{REWRITE}; {KILL_WATCHER} && {BACK}",
        undo="mv /root/kept {directory}/vm.args",
    ),
    Situation("somebody stops the watcher", HARDENED, late=f"! systemctl stop beam-watch-{{unit}} && {BACK}"),
    Situation(
        "another VM after the watcher was killed",
        STOPPED,
        says="runs without the flags of",
        late=f"{KILL_WATCHER} && {BACK}; {OTHER}",
    ),
    Situation(
        "another VM half a minute later, by a script",
        STOPPED,
        says="runs without the flags of",
        late="sleep 31; sh -c 'echo $$ > /sys/fs/cgroup/system.slice/{unit}/cgroup.procs; sleep 1;"
        " ERL_EPMD_PORT=4370 HOME=/tmp exec erl -noinput -name other@127.0.0.1'",
    ),
    Situation(
        "another VM in the running unit",
        STOPPED,
        says="runs without the flags of",
        late=OTHER,
    ),
]

RELEASE = [
    Situation(
        "an empty environment",
        STOPPED,
        wrapped(
            "/usr/bin/env -i HOME=/var/lib/beam/{node} PATH=/usr/bin:/bin RELEASE_DISTRIBUTION=sname RELEASE_NODE={node} RELEASE_COOKIE=word"
            " RELEASE_TMP=/var/lib/beam/{node}/tmp {start}"
        ),
        says="runs without the flags of",
    ),
    Situation(
        "the unit's own file of settings", HARDENED, run="echo 'ERL_AFLAGS=-hidden' >> /etc/default/shop", undo="sed -i /ERL_/d /etc/default/shop"
    ),
    Situation(
        "a cookie in the unit's own file of settings",
        HARDENED,
        run="echo RELEASE_COOKIE=word >> /etc/default/shop",
        undo="sed -i /RELEASE_COOKIE/d /etc/default/shop",
    ),
    Situation(
        "a port of relx in the unit's own file of settings",
        HARDENED,
        run="echo ERL_DIST_PORT=9557 >> /etc/default/shop",
        undo="sed -i /ERL_DIST_PORT/d /etc/default/shop",
    ),
    Situation(
        "flags for elixir in the unit's own file of settings",
        REFUSED,
        run="echo 'ELIXIR_ERL_OPTIONS=-proto_dist inet_tcp' >> /etc/default/shop",
        undo="sed -i /ELIXIR/d /etc/default/shop",
        says="sets ELIXIR_ERL_OPTIONS",
    ),
    Situation(
        "env.sh of a release deployed since",
        REFUSED,
        run="cd /opt/shop/releases/1.0.0; cp env.sh /root/kept; echo unset ERL_AFLAGS >> env.sh",
        undo="mv /root/kept /opt/shop/releases/1.0.0/env.sh",
        says="sets ERL_AFLAGS",
    ),
]
