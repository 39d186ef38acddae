# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of an operator's that only a shell can tell, or that are in other places than the product's own files, as data. See planned.py."""

from __future__ import annotations

from planned import ENV, Planned, drop_in

MORE = "/etc/rabbitmq/more.conf"
XMPP = "ejabberd.service"

SET = [
    Planned(
        "a name that only a shell can tell",
        "rabbitmq-shell",
        "node_name_differs",
        f"{ENV} line 1 sets NODENAME to rabbit@$(cat /etc/machine-id), which only a shell can tell",
        {
            ENV: f"NODENAME=rabbit@$(cat /etc/machine-id)\nMNESIA_BASE=/data/$(id -un)\nDIST_PORT=25672\n. {MORE}\n",
            MORE: "\nexport ERL_EPMD_PORT=4370\n",
        },
    ),
    Planned(
        "data where only a shell can tell",
        "rabbitmq-shell",
        "directory_read_only",
        f"{ENV} line 2 sets MNESIA_BASE to /data/$(id -un), which only a shell can tell",
    ),
    Planned("a port that RabbitMQ would listen on", "rabbitmq-shell", "setting_refused", f"{ENV} line 3 sets DIST_PORT"),
    Planned("a file that RabbitMQ's own reads", "rabbitmq-shell", "setting_refused", f"{MORE} line 2 sets ERL_EPMD_PORT"),
    Planned(
        "the host's name in the shell's words",
        "rabbitmq-host",
        "",
        files={ENV: "NODENAME=rabbit@$(hostname -s)\nMNESIA_BASE=/data/$(uname -n)/mnesia\n"},
        plan=("writable", "-/data/n1/mnesia"),
    ),
    Planned(
        "a log of one kind in a directory of its own",
        "rabbitmq-host",
        "",
        files={"/etc/rabbitmq/conf.d/50-log.conf": "log.connection.file = /logs/mq/connections.log\n"},
        plan=("writable", "-/logs/mq"),
    ),
    Planned(
        "data by advanced.config",
        "rabbitmq-host",
        "",
        files={"/etc/rabbitmq/advanced.config": '[{ra, [{data_dir, "/data/quorum"}]}].\n'},
        plan=("writable", "-/data/quorum"),
    ),
    Planned(
        "the ports of ejabberd's own file",
        "ejabberd-own",
        "setting_refused",
        "/etc/default/ejabberd line 1 sets FIREWALL_WINDOW",
        {"/etc/default/ejabberd": "FIREWALL_WINDOW=4370-4375\nINET_DIST_INTERFACE=127.0.0.1\n"},
    ),
    Planned("the address of ejabberd's own file", "ejabberd-own", "setting_refused", "/etc/default/ejabberd line 2 sets INET_DIST_INTERFACE"),
    Planned(
        "a name in ejabberd's unit",
        "ejabberd-own",
        "node_name_differs",
        "10-name.conf line 3 sets --node to ejabberd@chat1",
        {
            f"/etc/systemd/system/{XMPP}": "[Service]\nUser=ejabberd\nExecStart=/bin/sh -c '/usr/sbin/ejabberdctl foreground'\n",
            **drop_in(XMPP, "10-name", "ExecStart=\nExecStart=/bin/sh -c '/usr/sbin/ejabberdctl --node ejabberd@chat1 foreground'"),
        },
    ),
    Planned(
        "the database in ejabberd's unit",
        "ejabberd-unit",
        "",
        files={
            f"/etc/systemd/system/{XMPP}": "[Service]\nUser=ejabberd\n"
            "ExecStart=/usr/sbin/ejabberdctl --spool /srv/xmpp/db --logs /srv/xmpp/log foreground\n"
        },
        plan=("writable", "-/srv/xmpp/db"),
    ),
    Planned(
        "a name in env.sh",
        "release-desk",
        "setting_refused",
        "/opt/desk/releases/1.0.0/env.sh line 2 sets RELEASE_NODE for desk.service at each start",
        {
            "/etc/systemd/system/desk.service": "[Service]\nUser=desk\nExecStart=/opt/desk/bin/desk start\n",
            "/opt/desk/releases/start_erl.data": "15.2 1.0.0\n",
            "/opt/desk/releases/1.0.0/env.sh": "#!/bin/sh\nexport RELEASE_NODE=desk@web1.example.com\nexport RELEASE_COOKIE=word\n",
        },
        undo="rm -rf /opt/desk",
        variables={"beam_node_name": "desk@n1"},
    ),
    Planned(
        "a job that starts the release",
        "release-desk",
        "node_elsewhere",
        "/etc/cron.d/desk line 1 starts the release of desk.service (daemon), outside of this unit",
        {"/etc/cron.d/desk": "@reboot desk /opt/desk/bin/desk daemon\n"},
    ),
    Planned(
        "crash dumps",
        "release-desk",
        "setting_refused",
        "10-dump.conf line 2 sets ERL_CRASH_DUMP for desk.service",
        drop_in("desk.service", "10-dump", "Environment=ERL_CRASH_DUMP=/var/log/desk.dump"),
    ),
    Planned(
        "an EPMD of a unit of the operator's",
        "release-desk",
        "epmd_foreign",
        "epmd.service starts EPMD without -systemd (/etc/systemd/system/epmd.service)",
        {"/etc/systemd/system/epmd.service": "[Service]\nEnvironment=ERL_EPMD_ADDRESS=127.0.0.1\nExecStart=/usr/bin/epmd\n"},
    ),
    Planned(
        "a unit with a group of its own",
        "release-group",
        "",
        files={"/etc/systemd/system/stall.service": "[Service]\nUser=stall\nGroup=www-data\nUMask=0027\nExecStart=/opt/stall/bin/stall start\n"},
        run="getent passwd stall >/dev/null || useradd --system --user-group --shell /usr/sbin/nologin --home-dir /opt/stall stall",
        undo="userdel stall",
        variables={"beam_node_name": "stall@n1"},
        plan=("directives", "SupplementaryGroups=stall"),
    ),
    Planned(
        "uploads and a database of SQLite",
        "release-group",
        "",
        files={"/etc/default/stall": "UPLOADS=/srv/stall/uploads\nDATABASE_PATH=/srv/stall/db/stall.db\n"}
        | drop_in("stall.service", "10-places", "EnvironmentFile=/etc/default/stall"),
        # After the account of 'a unit with a group of its own'.
        run="install -d -o stall /srv/stall/uploads /srv/stall/db",
        undo="rm -rf /srv/stall",
        plan=("writable", "-/srv/stall/uploads"),
    ),
    Planned("a cookie in env.sh", "release-desk", "setting_refused", "env.sh line 3 sets RELEASE_COOKIE"),
]
