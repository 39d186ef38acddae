# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what the next start reads: files, variables, commands, who may change them."""

from __future__ import annotations

from fault import BESIDE, GONE, NODE, OPTIONS, Fault
from makers import DROP_INS, ETC, FILES, KEEP_OPTIONS, LOADED, PLACE, SHELL, drop_in, epmd_drop_in, new_file, removed

_EPMD_COPY = "/usr/local/lib/beam-fault/epmd"
_FAULT = f"{DROP_INS}/aa-fault.conf"


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


def _environment(name: str, line: str, *names: str, control: str = "start-environment") -> Fault:
    file = f"{DROP_INS}/aa-{names[0]}.conf"
    return Fault(
        name=name,
        breaks=f"printf '[Service]\\n%s\\n' '{line}' > {file}; systemctl daemon-reload",
        control=control,
        names=names,
        repair=f"rm -f {file}; systemctl daemon-reload",
        alters=BESIDE,
    )


def _writable(name: str, path: str) -> Fault:
    """A file that is as planned, and that every user of the host can change."""
    breaks = f"{SHELL}stat -c %a {path} > $saved/mode; chmod a+w {path}"
    return Fault(name, breaks, "options-file", (path.rpartition("/")[2], "has mode"), f"{SHELL}chmod $(cat $saved/mode) {path}", alters=BESIDE)


def _changeable(name: str, owner: str, mode: str, *names: str) -> Fault:
    """A file of variables of the unit, as planned or not, that others can change."""
    file, drop_in = f"{PLACE}/{owner}.env", f"{DROP_INS}/aa-{owner}.conf"
    return Fault(
        name=name,
        breaks=f"mkdir -p {PLACE}; touch {file}; chown {owner} {file}; chmod {mode} {file}; "
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
    Fault(
        name="a library that takes the place of the system's one",
        breaks=f"{SHELL}cp -L $(ldd $(ls /usr/lib/erlang/erts-*/bin/beam.smp) | sed -n 's/.*=> \\(.*libtinfo[^ ]*\\) .*/\\1/p') /usr/local/lib/; "
        "ls /usr/local/lib/libtinfo*; ldconfig; restart",
        control="start-environment",
        names=("has loaded the library /usr/local/lib/libtinfo",),
        repair=f"{SHELL}rm -f /usr/local/lib/libtinfo*; ldconfig; restart",
        alters=NODE,
    ),
    Fault(
        name="a list of hosts in the home of the node",
        breaks=f"{SHELL}echo \"'n9'.\" > $home/.hosts.erlang",
        control="hosts-file",
        names=(".hosts.erlang exists",),
        repair=f"{SHELL}rm -f $home/.hosts.erlang",
        alters=BESIDE,
    ),
    Fault(
        name="a library that the next process of the node loads",
        breaks=f"{SHELL}mkdir -p /opt/fault-lib; cp -L $(ldd $(ls /usr/lib/erlang/erts-*/bin/beam.smp) | "
        "sed -n 's/.*=> \\(.*libtinfo[^ ]*\\) .*/\\1/p') /opt/fault-lib/; echo /opt/fault-lib > /etc/ld.so.conf.d/00-fault.conf",
        control="start-environment",
        names=("the next process of the node loads /opt/fault-lib/libtinfo",),
        repair="rm -rf /etc/ld.so.conf.d/00-fault.conf /opt/fault-lib",
        alters=BESIDE,
    ),
    new_file(
        "a program that is found before that of OTP",
        "/usr/local/bin/erl",
        "#!/bin/sh\\nexec /usr/lib/erlang/bin/erl \"$@\"\\n",
        "start-environment",
        "/usr/local/bin/erl is found before the program of the node",
        mode="0755",
    ),
    new_file(
        "a job that replaces the CA file later",
        "/etc/cron.d/fault-replace",
        "0 0 31 2 * root cp /opt/fault/ca.pem /etc/beam/beam@*/tls/\\n",
        "files-at-boot",
        "/etc/cron.d/fault-replace changes /etc/beam/",
        "tls/ca.pem when it runs (cp)",
    ),
    new_file(
        "a job that lets one more name connect later",
        "/etc/cron.hourly/fault-allow",
        "#!/bin/sh\\nexit 0\\necho x >> /etc/beam/beam@*/allow.conf\\n",
        "files-at-boot",
        "/etc/cron.hourly/fault-allow changes /etc/beam/",
        "allow.conf when it runs (>)",
        mode="0755",
    ),
    Fault(
        name="another directory over that of the key at the next boot",
        breaks=f"{SHELL}touch /etc/fstab; cp -p /etc/fstab $saved/; echo \"/opt/fault-none $directory/tls none bind,nofail 0 0\" >> /etc/fstab",
        control="files-at-boot",
        names=("/etc/fstab changes /etc/beam/", "at the next boot (mount)"),
        repair="cat $saved/fstab > /etc/fstab",
        alters=BESIDE,
    ),
    Fault(
        name="a CA file that is mounted over another one until the next boot",
        breaks=f"{SHELL}cp -p $directory/tls/ca.pem $saved/ca; mount --bind $saved/ca $directory/tls/ca.pem",
        control="files-at-boot",
        names=("tls/ca.pem is another file from the next boot on", "Run umount"),
        repair=f"{SHELL}umount $directory/tls/ca.pem",
        alters=BESIDE,
    ),
    new_file(
        "a job that opens the key later",
        "/etc/cron.d/fault-mode",
        "0 0 31 2 * root chmod -R a+r /etc/beam\\n",
        "files-at-boot",
        "/etc/cron.d/fault-mode changes /etc/beam/",
        "when it runs (chmod)",
    ),
    new_file(
        "a job that says that it is ours, and opens the key later",
        "/etc/cron.d/fault-ours",
        "# Managed by beam.cluster (role service). Changes made here will be lost.\\n0 0 31 2 * root chmod -R a+r /etc/beam\\n",
        "files-at-boot",
        "/etc/cron.d/fault-ours changes /etc/beam/",
        "when it runs (chmod)",
    ),
    Fault(
        name="a job with a script among our files",
        breaks="printf '#!/bin/sh\\nchmod -R a+rx /etc/beam\\n' > /etc/beam/rotate; chmod 0755 /etc/beam/rotate\n"
        "echo '0 0 31 2 * root /etc/beam/rotate' > /etc/cron.d/fault-rotate",
        control="files-at-boot",
        names=("/etc/beam/rotate changes /etc/beam/", "when it runs (chmod)"),
        repair="rm -f /etc/beam/rotate /etc/cron.d/fault-rotate",
        alters=BESIDE,
    ),
    new_file(
        "a job that finds the key later, to open it",
        "/etc/cron.d/fault-find",
        "0 0 31 2 * root find /etc/beam -type f -exec chmod a+r {} +\\n",
        "files-at-boot",
        "/etc/cron.d/fault-find changes /etc/beam/",
        "when it runs (chmod)",
    ),
    epmd_drop_in(
        "another program in the place of EPMD",
        f"ExecStart=\\nExecStart={_EPMD_COPY} -systemd",
        "start-environment",
        f"epmd.service runs ExecStart={_EPMD_COPY} in /etc/systemd/system/epmd.service.d/zzzz-start-environment.conf",
        before=f"install -D -m 0755 $(readlink -f /usr/bin/epmd) {_EPMD_COPY}",
    ),
    epmd_drop_in("a library for EPMD", "Environment=LD_PRELOAD=libm.so.6", "start-environment", "EPMD (pid", "LD_PRELOAD"),
    Fault(
        name="a node that looks for programs where everybody puts some",
        breaks=f"{SHELL}mkdir -p -m 0777 /opt/fault-bin; chmod 0777 /opt/fault-bin\n"
        f"printf '[Service]\\nEnvironment=PATH=/opt/fault-bin:/usr/sbin:/usr/bin:/sbin:/bin\\n' > {DROP_INS}/aa-path.conf; {LOADED}",
        control="start-files",
        names=("/opt/fault-bin can be changed or replaced by everybody",),
        repair=f"rm -f {DROP_INS}/aa-path.conf; {LOADED}; rm -rf /opt/fault-bin",
    ),
    Fault(
        name="a directory of ours on a file system that nobody can write",
        breaks="mount --bind /etc/profile.d /etc/profile.d; mount -o remount,bind,ro /etc/profile.d",
        control="changeable-files",
        names=("/etc/profile.d is on a read-only file system",),
        repair="umount /etc/profile.d",
        alters=BESIDE,
    ),
    new_file(
        "a line of tmpfiles.d that opens the key",
        "/etc/tmpfiles.d/fault.conf",
        "z /etc/beam/*/tls/key.pem 0644 - -\\n",
        "files-at-boot",
        "/etc/tmpfiles.d/fault.conf changes /etc/beam/",
        "at the next boot (mode 0644)",
    ),
    new_file(
        "a line of tmpfiles.d that removes old files of the node",
        "/etc/tmpfiles.d/fault-age.conf",
        "e %S/beam/*@%l - - - 52w\\n",
        "files-at-boot",
        "/etc/tmpfiles.d/fault-age.conf changes /var/lib/beam/",
        "(remove what is older than 52w)",
    ),
    new_file(
        "a line of sysusers.d that puts another user into the node's group",
        "/etc/sysusers.d/fault.conf",
        "m games beam\\n",
        "files-at-boot",
        "/etc/sysusers.d/fault.conf puts games into the group beam at the next boot",
    ),
    new_file(
        "a line of tmpfiles.d that lets another user into the node's files",
        "/etc/tmpfiles.d/fault-acl.conf",
        "A+ /etc/beam - - - - u:daemon:rX\\n",
        "files-at-boot",
        "/etc/tmpfiles.d/fault-acl.conf changes /etc/beam",
        "(ACL)",
    ),
    Fault(
        name="the option file can be written by everybody",
        breaks=FILES + "chmod 0666 $directory/ssl_dist.conf",
        control="options-file",
        names=("ssl_dist.conf", "0666"),
        repair=FILES + "chmod 0644 $directory/ssl_dist.conf",
        alters=BESIDE,
    ),
    Fault(
        name="the node's user owns the directory of its files",
        breaks=FILES + "chown beam $directory",
        control="options-file",
        names=("can be replaced by beam",),
        repair=FILES + "chown root $directory",
        alters=BESIDE,
    ),
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
    removed("the flags of the node are gone", "$directory/vm.args", "options-file", GONE),
    removed("the TLS options of the node are gone", "$directory/ssl_dist.conf", "options-file", GONE),
    removed("the variables of the unit are gone", "$directory/unit.env", "planned-files", GONE),
    removed("the drop-in of the node is gone", f"{DROP_INS}/zzz-beam.conf", "planned-files", GONE),
    drop_in("a command of root after the start", "ExecStartPost=+/usr/bin/true", "start-environment", "ExecStartPost=/usr/bin/true"),
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
        f"> {DROP_INS}/aa-library.conf; {LOADED}",
        control="start-environment",
        names=("has loaded the library /opt/fault-m.so",),
        repair=f"rm -f {DROP_INS}/aa-library.conf; {LOADED}; rm -f /opt/fault-m.so",
        alters=NODE,
    ),
    Fault(
        name="another boot file",
        breaks=SHELL
        + "printf '#!/bin/sh\\nexec erl -noinput -boot start_sasl -args_file %s/join.args\\n' $directory > /opt/start; chmod 0755 /opt/start\n"
        + f"printf '[Service]\\nExecStart=\\nExecStart=/opt/start\\n' > {DROP_INS}/aa-boot.conf; {LOADED}",
        control="start-environment",
        names=("was started with -boot start_sasl",),
        repair=f"rm -f {DROP_INS}/aa-boot.conf; {LOADED}; rm -f /opt/start",
        alters=NODE,
    ),
    Fault(
        name="a working directory where everybody puts modules",
        breaks=f"mkdir -p -m 0777 /srv/beam-work; chmod 0777 /srv/beam-work; printf '[Service]\\nWorkingDirectory=/srv/beam-work\\n' "
        f"> {DROP_INS}/aa-work.conf; {LOADED}",
        control="start-files",
        names=("/srv/beam-work can be changed or replaced by everybody",),
        repair=f"rm -f {DROP_INS}/aa-work.conf; {LOADED}; rm -rf /srv/beam-work",
        alters=NODE,
    ),
    Fault(
        name="verify_none in the option file, not in force yet",
        breaks=KEEP_OPTIONS + "sed -i 's/verify_peer/verify_none/' $directory/ssl_dist.conf",
        control="planned-files",
        names=("ssl_dist.conf differs from the plan",),
        repair=SHELL + "cp -p $saved/ssl_dist.conf $directory/",
        alters=BESIDE,
    ),
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
    _environment("HEART_COMMAND for the next start", "Environment=HEART_COMMAND=/bin/true", "HEART_COMMAND"),
    _environment("LD_PRELOAD for the next start", "Environment=LD_PRELOAD=/tmp/x.so", "LD_PRELOAD"),
    _environment("ERL_LIBS for the next start", "Environment=ERL_LIBS=/tmp", "ERL_LIBS"),
    Fault(
        name="ERL_LIBS in the running node",
        breaks=f"printf '[Service]\\nEnvironment=ERL_LIBS=/srv\\n' > {_FAULT}; {LOADED}",
        control="start-environment",
        names=("was started with the variable ERL_LIBS",),
        repair=f"rm -f {_FAULT}; {LOADED}",
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
        + f"printf '[Service]\\nExecStart=\\nExecStart=/opt/start\\n' > {_FAULT}; {LOADED}",
        control="start-environment",
        names=("was started with -eval",),
        repair=f"rm -f {_FAULT}; {LOADED}",
    ),
    Fault(
        name="code in the command of the unit",
        breaks=SHELL + "printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/erl -noinput -args_file %s -eval true.\\n' "
        f"$directory/join.args > {_FAULT}; {LOADED}",
        control="start-environment",
        names=("was started with -eval",),
        repair=f"rm -f {_FAULT}; {LOADED}",
    ),
    Fault(
        name="another table at boot than now",
        breaks="cp -p /etc/beam/firewall.nft $saved/firewall.nft; sed -i 's/iif \"lo\" accept/accept/' /etc/beam/firewall.nft",
        control="planned-files",
        names=("/etc/beam/firewall.nft differs from the plan",),
        repair="cp -p $saved/firewall.nft /etc/beam/firewall.nft",
        alters=BESIDE,
    ),
    _changeable("variables of the unit that the user of the node owns", "beam", "0644", "beam"),
    _changeable("variables of the unit that everybody can write", "root", "0666", "everybody"),
    Fault(
        name="a start script that another user owns",
        breaks=f"{SHELL}mkdir -p {PLACE}; printf '#!/bin/sh\\nexec erl -noinput -args_file %s/join.args\\n' $directory > {PLACE}/start; "
        f"chmod 0755 {PLACE}/start; chown games {PLACE}/start; "
        f"printf '[Service]\\nExecStart=\\nExecStart={PLACE}/start\\n' > {DROP_INS}/aa-start.conf; systemctl daemon-reload",
        control="start-files",
        names=(f"{PLACE}/start can be changed or replaced by games",),
        repair=f"rm -f {DROP_INS}/aa-start.conf {PLACE}/start; systemctl daemon-reload",
        alters=BESIDE,
    ),
    _variable("OPENSSL_CONF"),
    _variable("ERL_ROOTDIR"),
    _variable("BASH_ENV"),
    _variable("XDG_CONFIG_HOME"),
    Fault(
        name="another home of the node, with its cookie and code of its own",
        breaks=f"{SHELL}mkdir -p {PLACE}-home; cp -p $home/.erlang.cookie {PLACE}-home/; echo 'ok.' > {PLACE}-home/.erlang\n"
        f"chown -R beam {PLACE}-home; printf '[Service]\\nEnvironment=HOME={PLACE}-home\\n' > {DROP_INS}/aa-home.conf\n"
        f"systemctl daemon-reload; restart",
        control="start-environment",
        names=(f"runs with the home {PLACE}-home",),
        repair=f"{SHELL}rm -rf {DROP_INS}/aa-home.conf {PLACE}-home; systemctl daemon-reload; restart",
        alters=NODE,
    ),
    Fault(
        name="another module for the discovery of peers",
        # It does what the usual one does.
        breaks="printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/erl -noinput -epmd_module erl_epmd\\n' "
        f"> {DROP_INS}/aa-module.conf; {LOADED}",
        control="start-environment",
        names=("was started with -epmd_module erl_epmd",),
        repair=f"rm -f {DROP_INS}/aa-module.conf; {LOADED}",
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
        name="a node that is started by another program",
        breaks=f"{SHELL}printf '#!/bin/sh\\nexec \"$@\"\\n' > /usr/local/sbin/fault-start; chmod 0755 /usr/local/sbin/fault-start\n"
        f"printf '[Service]\\nExecStart=\\nExecStart=/usr/local/sbin/fault-start %s\\n' \"$(sed -n 's/^ExecStart=//p' {ETC}/beam.service)\" "
        f"> {DROP_INS}/aa-runs.conf; systemctl daemon-reload; restart",
        control="start-environment",
        names=(f"beam.service runs ExecStart=/usr/local/sbin/fault-start in {DROP_INS}/aa-runs.conf",),
        repair=f"{SHELL}rm -f {DROP_INS}/aa-runs.conf; systemctl daemon-reload; restart; rm -f /usr/local/sbin/fault-start",
        alters=OPTIONS,
    ),
)
