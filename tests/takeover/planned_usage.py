# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service uses on its host, and other programs beside it, as data: what the firewall or the sandbox would take away. See planned.py."""

from __future__ import annotations

from planned import SHOP, Planned, drop_in, listens

MQ = "rabbitmq-server.service"
OWN_ADDRESS = "$(ip -4 -br addr show eth1 | awk '{print $3}' | cut -d/ -f1)"
REDIS_RUN, REDIS_UNDO = listens("mine-redis", OWN_ADDRESS, 6379)
POOL_RUN, POOL_UNDO = listens("mine-pool", "127.0.0.1", 6432)


def looks_like_a_vm(folder: str) -> str:
    """A program that looks as a VM does: the host may have no OTP."""
    return f'mkdir -p {folder}; cp "$(readlink -f /usr/bin/python3)" {folder}/beam.smp'


# A socket for a proxy, a device, code made at run time, a home with a password in it, and a program that writes.
LAMP = """[Service]
ExecStartPre=/usr/bin/install -d /srv/lamp/data
ExecStart=/root/lamp/beam.smp /srv/lamp/uses.py -home /srv/lamp -sname lamp
ExecStartPost=/bin/sh -c 'exec 9>/srv/lamp/data/x; sleep 1000 &'
"""
USES = """import mmap, socket, time
proxy = socket.socket(socket.AF_UNIX)
proxy.bind("/srv/lamp/http.sock")
proxy.listen()
common = socket.socket(socket.AF_UNIX)
common.bind("/tmp/lamp.sock")
common.listen()
device = open("/dev/lamp", "r+b", 0)
code = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ | mmap.PROT_EXEC)
time.sleep(1000)
"""
LAMP_UNDO = "systemctl stop lamp.service; rm -rf /root/lamp /srv/lamp /dev/lamp /tmp/lamp.sock"

USED = [
    Planned(
        "Redis beside RabbitMQ",
        "rabbitmq",
        "port_range_in_use",
        "port 6379, one of the ports 6000-6500 that rabbitmq uses for its peers",
        run=REDIS_RUN,
        undo=REDIS_UNDO,
    ),
    Planned("a pool of connections on loopback", "rabbitmq", "port_range_in_use", "127.0.0.1 port 6432", run=POOL_RUN, undo=POOL_UNDO),
    Planned(
        "an EPMD of one address",
        "release",
        "epmd_foreign",
        "epmd@127.0.0.8.service holds 127.0.0.8 port 4369",
        {
            "/etc/systemd/system/epmd@127.0.0.8.socket": "[Socket]\nListenStream=127.0.0.8:4369\n",
            "/etc/systemd/system/epmd@127.0.0.8.service": "[Service]\nExecStart=/bin/sleep 1000\n",
        },
        # As where a node has registered: EPMD runs, and has the socket, too.
        run="systemctl daemon-reload; systemctl start epmd@127.0.0.8.socket epmd@127.0.0.8.service",
        undo="systemctl stop epmd@127.0.0.8.socket epmd@127.0.0.8.service",
    ),
    Planned(
        "a node of supervisord",
        "release",
        "node_elsewhere",
        "a node shop runs already in supervisor.service",
        run=f"{looks_like_a_vm('/root/super')}; systemd-run --quiet --unit=supervisor /root/super/beam.smp -c 'import time; time.sleep(1000)'"
        " -sname shop; sleep 2",
        undo="systemctl stop supervisor.service; rm -rf /root/super",
    ),
    Planned(
        "a reload that connects to the node",
        "release",
        "directive_unusable",
        "10-reload.conf line 2 has shop.service run '/opt/shop/bin/shop restart' (ExecReload=)",
        drop_in(SHOP, "10-reload", "ExecReload=/opt/shop/bin/shop restart"),
    ),
    Planned(
        "a command of root in the sandbox",
        "release",
        "capability_removed",
        "10-data.conf line 2 has shop.service run /usr/bin/chown as root, with ! before it (ExecStartPre=)",
        drop_in(SHOP, "10-data", "ExecStartPre=!/usr/bin/chown -R shop /srv/shop"),
    ),
    Planned(
        "files that everybody may write",
        "release",
        "directive_overridden",
        "10-umask.conf line 2 sets UMask=0000",
        drop_in(SHOP, "10-umask", "UMask=0000"),
    ),
    Planned(
        "a release without TLS",
        "release-bare",
        "otp_without_tls",
        "the release in /opt/bare, which bare.service starts with a runtime of its own, has no application ssl, public_key, crypto, asn1",
        {
            "/etc/systemd/system/bare.service": "[Service]\nUser=bare\nExecStart=/opt/bare/bin/bare start\n",
            "/opt/bare/erts-15.2/bin/none": "",
            "/opt/bare/releases/start_erl.data": "15.2 1.0.0\n",
        },
        undo="rm -rf /opt/bare",
        variables={"beam_node_name": "bare@n1"},
    ),
    Planned(
        "an OTP of another maker without TLS",
        "erlang-small",
        "otp_without_tls",
        "the OTP in /opt/small, to which the search path leads and which is not the distribution's, has no application ssl",
        {"/opt/small/releases/start_erl.data": "15.2 27\n", "/opt/small/bin/erl": "#!/bin/sh\n"},
        run="chmod 0755 /opt/small/bin/erl; ln -sfT /opt/small/bin/erl /usr/local/sbin/erl",
        undo="rm -rf /opt/small /usr/local/sbin/erl",
    ),
    Planned(
        "a unit without UMask=",
        "release-monitor",
        "",
        plan=("umask", "0027"),
        advisory=("umask_narrowed", "No file sets UMask= for meter.service"),
    ),
    Planned(
        "a job that connects to a release of rebar3",
        "release-monitor",
        "",
        files={"/etc/cron.d/mine": "# at night\n5 5 * * * meter /opt/meter/bin/meter eval 'meter:report().'\n"},
        advisory=("tool_refused", "/etc/cron.d/mine line 2 (eval)"),
    ),
    Planned(
        "a rule of sudo for a service",
        "release-monitor",
        "",
        files={"/etc/sudoers.d/mine": "meter ALL=(root) NOPASSWD: /usr/bin/true\n"},
        advisory=("sudo_refused", "/etc/sudoers.d/mine"),
    ),
    Planned(
        "sudo in a unit",
        "release",
        "program_refused",
        "10-sudo.conf line 2 has shop.service run sudo",
        drop_in(SHOP, "10-sudo", "ExecStartPre=/usr/bin/sudo -n /usr/bin/install -d -o shop /run/shop"),
    ),
    Planned(
        "rules of nftables in another file",
        "release",
        "rules_elsewhere",
        "override.conf has nftables.service load /etc/nft/main.nft (ExecStart=)",
        {
            "/etc/systemd/system/nftables.service.d/override.conf": "[Service]\nExecStart=\nExecStart=/usr/sbin/nft -f /etc/nft/main.nft\n"
            "ExecReload=\nExecReload=/usr/sbin/nft -f /etc/nft/main.nft\n",
            # A host without the package has no unit.
            "/run/systemd/system/nftables.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
            "[Install]\nWantedBy=sysinit.target\n",
        },
        run="systemctl enable --quiet --runtime nftables.service",
        undo="systemctl disable --quiet --runtime nftables.service",
    ),
    Planned(
        "plugins by the environment",
        "rabbitmq",
        "setting_refused",
        "10-plugins.conf line 2 sets RABBITMQ_ENABLED_PLUGINS",
        drop_in(MQ, "10-plugins", "Environment=RABBITMQ_ENABLED_PLUGINS=rabbitmq_mqtt"),
    ),
    Planned(
        "a peer that is no member",
        "rabbitmq",
        "setting_refused",
        "40-peers.conf line 2 sets cluster_formation.classic_config.nodes for rabbitmq-server.service: rabbit@old is no member",
        {"/etc/rabbitmq/conf.d/40-peers.conf": "# as it was\ncluster_formation.classic_config.nodes.4 = rabbit@old\n"},
    ),
    Planned(
        "a list of peers in the classic file",
        "rabbitmq",
        "setting_refused",
        "rabbitmq.config line 2 sets cluster_nodes",
        {"/etc/rabbitmq/rabbitmq.config": "[{rabbit, [\n  {cluster_nodes, {['rabbit@mq1'], disc}}]}].\n"},
    ),
    Planned(
        "a certificate in a home",
        "rabbitmq",
        "directory_hidden",
        "30-tls.conf line 1 names /home/acme/cert.pem",
        {"/etc/rabbitmq/conf.d/30-tls.conf": "ssl_options.certfile = /home/acme/cert.pem\n"},
        run="mkdir -p /home/acme; touch /home/acme/cert.pem",
        undo="rm -rf /home/acme",
    ),
    Planned(
        "a file that ejabberd includes",
        "ejabberd",
        "setting_overridden",
        "/srv/xmpp/parts.yml line 1 sets net_ticktime to 45",
        {"/etc/ejabberd/zz.yml": "include_config_file:\n  - /srv/xmpp/parts.yml\n", "/srv/xmpp/parts.yml": "net_ticktime: 45\n"},
        undo="rm -rf /srv/xmpp",
    ),
    Planned(
        "a link into a home",
        "release-home",
        "directory_hidden",
        "kiosk.service uses /home/kiosk/bin/kiosk",
        {"/etc/systemd/system/kiosk.service": "[Service]\nUser=kiosk\nExecStart=/srv/kiosk/bin/kiosk start\n"},
        run="mkdir -p /home/kiosk/bin; touch /home/kiosk/bin/kiosk; ln -sfT /home/kiosk /srv/kiosk",
        undo="rm -rf /home/kiosk /srv/kiosk",
        variables={"beam_node_name": "kiosk@n1"},
    ),
    Planned(
        "a socket for a proxy",
        "release-uses",
        "directory_read_only",
        "lamp.service listens on /srv/lamp/http.sock",
        {"/etc/systemd/system/lamp.service": LAMP, "/srv/lamp/uses.py": USES, "/srv/lamp/.pgpass": "x\n"},
        run=f"{looks_like_a_vm('/root/lamp')}; touch /dev/lamp; systemctl daemon-reload; systemctl start lamp.service; sleep 2",
        undo=LAMP_UNDO,
        variables={"beam_node_name": "lamp@n1"},
    ),
    Planned("a socket in /tmp", "release-uses", "directory_hidden", "lamp.service listens on /tmp/lamp.sock"),
    Planned("a device", "release-uses", "program_refused", "lamp.service has /dev/lamp open"),
    Planned("code made at run time", "release-uses", "program_refused", "lamp.service runs code that a library of it has made"),
    Planned("a program that writes", "release-uses", "directory_read_only", "sleep in lamp.service writes to /srv/lamp/data"),
    Planned("a password in the home", "release-uses", "home_moved", "would not find /srv/lamp/.pgpass"),
    Planned(
        "a Python of the operator's own",
        "erlang-python",
        "library_missing",
        "/opt/python-own/bin/python3, which Ansible runs on this host",
        run="python3 -m venv --without-pip /opt/python-own",
        undo="rm -rf /opt/python-own",
        variables={"ansible_python_interpreter": "/opt/python-own/bin/python3"},
    ),
    Planned(
        "a release with os_mon",
        "release-monitor",
        "",
        files={
            "/etc/systemd/system/meter.service": "[Service]\nUser=meter\nExecStart=/opt/meter/bin/meter start\n",
            "/opt/meter/releases/start_erl.data": "15.2 1.0.0\n",
            "/opt/meter/releases/1.0.0/meter.rel": '{release,{"meter","1.0.0"},{erts,"15.2"},[{kernel,"10.2"},{os_mon,"2.10",permanent}]}.\n',
        },
        run="getent passwd meter >/dev/null || useradd --system --shell /usr/sbin/nologin --home-dir /opt/meter meter",
        undo="userdel meter; rm -rf /opt/meter",
        variables={"beam_node_name": "meter@n1"},
        plan=("directives", "ProcSubset=all"),
    ),
    Planned(
        "no programs but the named ones",
        "release-monitor",
        "",
        files=drop_in("meter.service", "10-programs", "NoExecPaths=/etc"),
        variables={"beam_service_directives": ["ExecPaths=/etc/beam"]},
        plan=("directives", "ProcSubset=all"),
    ),
    Planned(
        "the database of a stopped ejabberd",
        "ejabberd-taken",
        "",
        files={"/etc/ejabberd/vm.args": "-mnesia dir '\"/srv/xmpp/db\"'\n"},
        plan=("writable", "-/srv/xmpp/db"),
    ),
    Planned(
        "a database of another name in a directory of its own",
        "ejabberd-moved",
        "data_of_another_name",
        "/srv/xmpp/schema.DAT belongs to ejabberd@localhost",
        {"/etc/default/ejabberd": "BASE=/srv\nSPOOL_DIR=$BASE/xmpp\n", "/srv/xmpp/schema.DAT": "w\x12ejabberd@localhost"},
        undo="rm -rf /srv/xmpp",
    ),
    Planned(
        "the database and the rooms' logs of ejabberd",
        "ejabberd-taken",
        "",
        files={"/etc/ejabberd/ejabberd.yml": "sql_database: /srv/xmpp/all.db\nmodules:\n  mod_muc_log:\n    outdir: /srv/rooms/logs\n"},
        plan=("writable", "-/srv/rooms/logs"),
    ),
]
