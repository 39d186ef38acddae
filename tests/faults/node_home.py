# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the home of a node, its dumps, and who acts as its user."""

from __future__ import annotations

from fault import BESIDE, Fault
from makers import ETC, FILES, new_file

FAULTS = (
    Fault(
        name="users who become the node's user without a password",
        breaks="cp -p /etc/pam.d/su $saved/; sed -i '1i auth sufficient pam_succeed_if.so use_uid user = games' /etc/pam.d/su",
        control="node-login",
        names=("/etc/pam.d/su lets users without a password run programs as beam",),
        repair="cp -p $saved/su /etc/pam.d/su",
        alters=BESIDE,
    ),
    new_file(
        "a rule of polkit with which a user starts any unit",
        "/etc/polkit-1/rules.d/98-fault.rules",
        "polkit.addRule(function(action, subject) { if (action.id == \"org.freedesktop.systemd1.manage-units\" && subject.user == \"games\") "
        "{ return polkit.Result.YES; } });\\n",
        "node-login",
        "/etc/polkit-1/rules.d/98-fault.rules lets users beside root run programs as beam",
    ),
    new_file(
        "a rule of polkit that lets a group do everything",
        "/etc/polkit-1/rules.d/97-fault.rules",
        "polkit.addRule(function(action, subject) { if (subject.isInGroup(\"games\")) { return \"yes\"; } });\\n",
        "node-login",
        "/etc/polkit-1/rules.d/97-fault.rules lets users beside root run programs as beam",
    ),
    Fault(
        name="users who become the node's user without a password by a file that PAM includes",
        breaks="cp -p /etc/pam.d/login $saved/; sed -i '1i @include fault-operators' /etc/pam.d/login\n"
        "echo 'auth [success=done default=ignore] pam_succeed_if.so user ingroup games' > /etc/pam.d/fault-operators",
        control="node-login",
        names=("/etc/pam.d/fault-operators lets users without a password run programs as beam",),
        repair="cp -p $saved/login /etc/pam.d/login; rm -f /etc/pam.d/fault-operators",
        alters=BESIDE,
    ),
    Fault(
        name="a login shell for the node's user",
        breaks="usermod -s /bin/bash beam",
        control="node-login",
        names=("the user beam has the login shell /bin/bash",),
        repair="usermod -s /usr/sbin/nologin beam",
        alters=BESIDE,
    ),
    Fault(
        name="another user in the group of the node's user",
        breaks="usermod -a -G beam games",
        control="node-login",
        names=("games is in the group of beam: run gpasswd -d games beam",),
        repair="gpasswd --delete games beam",
        alters=BESIDE,
    ),
    new_file(
        "a job of root that becomes the node's user",
        "/etc/cron.d/fault-su",
        "0 0 31 2 * root su -s /bin/sh beam -c /bin/true\\n",
        "node-login",
        "/etc/cron.d/fault-su starts programs of beam",
    ),
    new_file(
        "a service of root that becomes the node's user",
        f"{ETC}/fault-runuser.service",
        "[Service]\\nExecStart=/usr/sbin/runuser -u beam -- /bin/true\\n",
        "node-login",
        f"{ETC}/fault-runuser.service starts programs of beam",
    ),
    Fault(
        name="a program that gives everybody the rights of the node's user",
        breaks="cp /bin/cat /usr/local/bin/fault-cat; chown beam /usr/local/bin/fault-cat; chmod 4755 /usr/local/bin/fault-cat",
        control="node-login",
        names=("/usr/local/bin/fault-cat (setuid) gives everybody the cookie and the key of beam",),
        repair="rm -f /usr/local/bin/fault-cat",
        alters=BESIDE,
    ),
    Fault(
        name="a program that reads every file",
        breaks="""\
cp /bin/cat /usr/bin/fault-cat; chmod 0755 /usr/bin/fault-cat
python3 -c "import os, struct; os.setxattr('/usr/bin/fault-cat', 'security.capability', struct.pack('<5I', 0x02000001, 1 << 2, 0, 0, 0))\"""",
        control="node-login",
        names=("/usr/bin/fault-cat (capabilities) gives everybody",),
        repair="rm -f /usr/bin/fault-cat",
        alters=BESIDE,
    ),
    Fault(
        name="a crash dump that everybody can read",
        breaks="printf '=erl_crash_dump:0.5\\n' > /tmp/erl_crash.dump; chmod 0644 /tmp/erl_crash.dump",
        control="crash-dumps",
        names=("/tmp/erl_crash.dump", "everybody"),
        repair="rm -f /tmp/erl_crash.dump",
        alters=BESIDE,
    ),
    Fault(
        name="data in the home that everybody can read",
        breaks=FILES + "mkdir $home/mnesia; echo data > $home/mnesia/passwd.DCD; chmod -R go+rX $home; chmod 0400 $cookie",
        control="node-data",
        names=("mnesia/passwd.DCD", "everybody"),
        repair=FILES + "rm -rf $home/mnesia; chmod 0700 $home",
        alters=BESIDE,
    ),
    Fault(
        name="a password for the node's user",
        breaks="echo beam:opensesame | chpasswd",
        control="node-login",
        names=("beam", "password"),
        repair="usermod -p '!' beam",
        alters=BESIDE,
    ),
    Fault(
        name="an SSH key for the node's user",
        breaks="mkdir -p ~beam/.ssh; echo 'ssh-ed25519 AAAA x' > ~beam/.ssh/authorized_keys",
        control="node-login",
        names=("authorized_keys", "SSH"),
        repair="rm -rf ~beam/.ssh",
        alters=BESIDE,
    ),
    Fault(
        name="an SSH key for the node's user where the configuration of sshd says",
        breaks="mkdir -p /etc/ssh/sshd_config.d /etc/ssh/keys; echo 'AuthorizedKeysFile /etc/ssh/keys/%u' > /etc/ssh/sshd_config.d/90-fault.conf\n"
        "echo 'ssh-ed25519 AAAA x' > /etc/ssh/keys/beam",
        control="node-login",
        names=("/etc/ssh/keys/beam lets SSH log in as beam",),
        repair="rm -rf /etc/ssh/sshd_config.d/90-fault.conf /etc/ssh/keys",
        alters=BESIDE,
    ),
    Fault(
        name="an SSH key for the node's user where a file says that the configuration of sshd includes",
        breaks="mkdir -p /etc/ssh/sshd_config.d /etc/ssh/fault.d; echo 'Include fault.d/*.conf' > /etc/ssh/sshd_config.d/91-fault.conf\n"
        "echo 'AuthorizedKeysFile /etc/ssh/fault.d/%u' > /etc/ssh/fault.d/x.conf; echo 'ssh-ed25519 AAAA x' > /etc/ssh/fault.d/beam",
        control="node-login",
        names=("/etc/ssh/fault.d/beam lets SSH log in as beam",),
        repair="rm -rf /etc/ssh/sshd_config.d/91-fault.conf /etc/ssh/fault.d",
        alters=BESIDE,
    ),
    Fault(
        name="a crash dump in the home that everybody can read",
        breaks=FILES + "echo =erl_crash_dump:0.5 > $home/erl_crash.dump; chmod 0644 $home/erl_crash.dump; chmod 0755 $home",
        control="crash-dumps",
        names=("erl_crash.dump", "everybody"),
        repair=FILES + "rm -f $home/erl_crash.dump; chmod 0700 $home",
        alters=BESIDE,
    ),
    Fault(
        name="a core dump in the home that everybody can read",
        breaks=FILES + "echo memory > $home/core.1234; chmod 0644 $home/core.1234; chmod 0755 $home",
        control="crash-dumps",
        names=("core.1234", "everybody"),
        repair=FILES + "rm -f $home/core.1234; chmod 0700 $home",
        alters=BESIDE,
    ),
    Fault(
        name="a core dump of a node that systemd-coredump kept",
        breaks="core=core.beam\\x2esmp.0.0123456789abcdef0123456789abcdef.77.1700000000000000; mkdir -p /var/lib/systemd/coredump; "
        "echo memory > /var/lib/systemd/coredump/$core; chmod 0644 /var/lib/systemd/coredump/$core",
        control="crash-dumps",
        names=("/var/lib/systemd/coredump/core.beam", "everybody"),
        repair="rm -f /var/lib/systemd/coredump/core.beam*.0.0123456789abcdef*",
        alters=BESIDE,
    ),
    new_file(
        "another user who may act as the node's user",
        "/etc/sudoers.d/zz-as-beam",
        "games ALL=(beam) NOPASSWD: ALL\\n",
        "node-login",
        "/etc/sudoers.d/zz-as-beam lets games run programs as beam",
        mode="0440",
    ),
    new_file(
        "another user who may act as a member of the node's group, after another command",
        "/etc/sudoers.d/zz-as-group",
        "games ALL=/usr/bin/true,(%beam)NOPASSWD:ALL\\n",
        "node-login",
        "/etc/sudoers.d/zz-as-group lets games run programs as beam",
        mode="0440",
    ),
    new_file(
        "the node's user in an alias of sudo",
        "/etc/sudoers.d/zz-alias",
        "User_Alias NODES = beam, games\\nNODES ALL=(root) NOPASSWD: /usr/bin/true\\n",
        "node-login",
        "/etc/sudoers.d/zz-alias lets beam run programs as another user",
        mode="0440",
    ),
    new_file(
        "a job of the node's user in the table of the system",
        "/etc/cron.d/zz-beam",
        "* * * * * beam /usr/bin/true\\n",
        "node-login",
        "/etc/cron.d/zz-beam starts programs of beam",
    ),
    new_file(
        "a service that runs as the node's user",
        f"{ETC}/fault-job.service",
        "[Service]\\nUser=beam\\nExecStart=/usr/bin/true\\n",
        "node-login",
        f"{ETC}/fault-job.service starts programs of beam",
        after="systemctl daemon-reload",
    ),
    Fault(
        name="an instance of a service that runs as the user of its name",
        breaks=f"printf '[Service]\\nUser=%%i\\nExecStart=/usr/bin/true\\n' > {ETC}/fault@.service\n"
        f"mkdir -p {ETC}/timers.target.wants; ln -s ../fault@.service {ETC}/timers.target.wants/fault@beam.service; systemctl daemon-reload",
        control="node-login",
        names=(f"{ETC}/timers.target.wants/fault@beam.service starts programs of beam",),
        repair=f"rm -f {ETC}/fault@.service {ETC}/timers.target.wants/fault@beam.service; systemctl daemon-reload",
        alters=BESIDE,
    ),
    new_file(
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
)
