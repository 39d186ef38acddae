# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator's host can hold before the first run, as data: what the plan says of it, before anything is touched.

Most are told in words of our own after public bug reports. All situations of one product are put on one host, and the plan has to name every one of
them in one run. It needs no installed product: the plan reads files, units, accounts and listeners. What is no error of the plan, or cannot be
made in a container (chattr, AppArmor, NFS), is elsewhere: a REJECT of iptables-nft, a host without IPv6, the CA's directory, options files and
vm.args in tests/unit and tests/roles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Planned:
    """`files`: path to text, `run`: commands, `undo`: what takes them back. `variables` are those of the host, `cluster` those of all hosts.

    `rule`: of the error that names the host, empty where there is none; `says`: words of its message. `plan`: where there is no error, a key of the
    node's data in beam_plan and what is in it. `advisory`: its name, and words of its text.
    """

    name: str
    product: str
    rule: str
    says: str = ""
    files: dict[str, str] = field(default_factory=dict)
    run: str = ""
    undo: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    cluster: dict[str, Any] = field(default_factory=dict)
    plan: tuple[str, str] = ("", "")
    advisory: tuple[str, str] = ("", "")


def drop_in(unit: str, name: str, text: str) -> dict[str, str]:
    return {f"/etc/systemd/system/{unit}.d/{name}.conf": f"[Service]\n{text}\n"}


def listens(unit: str, address: str, port: int) -> tuple[str, str]:
    """A program of the operator's on a port, by a unit of its own."""
    run = f"systemctl reset-failed {unit} 2>/dev/null; systemd-run --quiet --unit={unit} python3 -m http.server --bind {address} {port}; sleep 5"
    return run, f"systemctl stop {unit}.service"


SHOP = "shop.service"
EPMD_RUN, EPMD_UNDO = listens("mine-epmd", "127.0.0.9", 4369)
# At the host's other address: the node itself may run.
PORT_RUN, PORT_UNDO = listens("mine-port", "$(ip -4 -br addr show eth1 | awk '{print $3}' | cut -d/ -f1)", 9100)
ENV = "/etc/rabbitmq/rabbitmq-env.conf"

PLANNED = [
    Planned(
        "an EnvironmentFile with flags",
        "release",
        "flags_elsewhere",
        "/etc/default/mine line 2 sets ERL_AFLAGS",
        {
            f"/etc/systemd/system/{SHOP}": "[Service]\nUser=shop\nExecStart=/opt/shop/bin/shop start\n",
            **drop_in(SHOP, "10-file", "EnvironmentFile=/etc/default/mine"),
            "/etc/default/mine": "A=1\nERL_AFLAGS=-kernel shell_history enabled\n",
        },
    ),
    Planned(
        "flags in a drop-in",
        "release",
        "flags_elsewhere",
        "10-flags.conf line 2 sets ERL_ZFLAGS",
        drop_in(SHOP, "10-flags", 'Environment="ERL_ZFLAGS=-kernel shell_history enabled"'),
    ),
    Planned(
        "a cookie in a drop-in",
        "release",
        "flag_reserved",
        "10-options.conf line 2 sets -setcookie",
        drop_in(SHOP, "10-options", 'Environment="MY_OPTIONS=-setcookie word"'),
    ),
    Planned(
        "a drop-in that sorts last", "release", "drop_in_later", "zzzz-late.conf sorts after zzz-beam.conf", drop_in(SHOP, "zzzz-late", "Nice=5")
    ),
    Planned(
        "a drop-in for all services, as LXC makes it",
        "release",
        "drop_in_later",
        "/run/systemd/system/service.d/zzz-lxc-service.conf sorts after zzz-beam.conf and overrides it for shop.service",
        {"/run/systemd/system/service.d/zzz-lxc-service.conf": "[Service]\nProtectProc=default\n"},
    ),
    Planned(
        "a drop-in of EPMD that sorts last",
        "release",
        "drop_in_later",
        "zzzz-mine.conf sorts after zzz-beam.conf and overrides it for epmd.socket",
        {
            "/etc/systemd/system/epmd.socket": "[Socket]\nListenStream=127.0.0.1:4369\n",
            "/etc/systemd/system/epmd.service": "[Service]\nExecStart=/usr/bin/epmd -systemd\n",
            "/etc/systemd/system/epmd.socket.d/zzzz-mine.conf": "[Socket]\nBacklog=64\n",
        },
    ),
    Planned(
        "memory to a file",
        "release",
        "directive_overridden",
        "10-core.conf line 2 sets LimitCORE=infinity",
        drop_in(SHOP, "10-core", "LimitCORE=infinity"),
    ),
    Planned(
        "namespaces",
        "release",
        "directive_overridden",
        "10-namespaces.conf line 2 sets RestrictNamespaces=no",
        drop_in(SHOP, "10-namespaces", "RestrictNamespaces=no"),
    ),
    Planned(
        "a capability",
        "release",
        "capability_removed",
        "gives shop.service CAP_NET_RAW",
        drop_in(SHOP, "10-raw", "AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE"),
    ),
    Planned(
        "a release in a home directory",
        "release",
        "directory_hidden",
        "uses /home/deploy,",
        drop_in(SHOP, "10-home", "WorkingDirectory=-/home/deploy"),
    ),
    Planned("an EPMD of a program of its own", "release", "epmd_foreign", "unit mine-epmd.service", run=EPMD_RUN, undo=EPMD_UNDO),
    Planned("a port of the node in use", "release", "port_range_in_use", "python3 listens on", run=PORT_RUN, undo=PORT_UNDO),
    Planned("OTP that is not where it is said to be", "release", "otp_missing", "/opt/otp-none", variables={"beam_otp_root": "/opt/otp-none"}),
    Planned(
        "a variable of facts that nobody gathered",
        "release",
        "undefined",
        "its template fails",
        variables={"beam_hidden": "{{ ansible_facts.eth7.ipv4.address }}"},
    ),
    Planned(
        "a reserved flag in a variable",
        "release",
        "flag_reserved",
        "it contains -proto_dist",
        variables={"beam_distribution_extra_args": ["+P 1000000", "-proto_dist inet_tcp"]},
    ),
    Planned("a number in words", "release", "type", "'ninety' is not a whole number", variables={"beam_pki_days": "ninety"}),
    Planned("a firewall that is not there", "release", "firewall_inactive", "ufw is not active", variables={"beam_firewall": "ufw"}),
    Planned(
        "a certificate that is not there",
        "release",
        "certificate_missing",
        "/etc/mine/cert.pem",
        variables={f"beam_pki_{name}": f"/etc/mine/{name}.pem" for name in ("key", "ca")} | {"beam_pki_certificate": "/etc/mine/cert.pem"},
    ),
    Planned(
        "a cookie with a line break",
        "release",
        "cookie_characters",
        "ends with a line break",
        cluster={"beam_cookie": "0123456789abcdefghijklmnopqrstuvwxyz\n"},
    ),
    Planned(
        "a waiver for a control that does not exist",
        "release",
        "waiver_control",
        cluster={"beam_waivers": [{"control": "no-such-control", "reason": "x", "until": "2099-12-31"}]},
    ),
    Planned(
        "another system",
        "release",
        "platform_unsupported",
        "the host runs rocky 9.7",
        run="rm /etc/os-release; printf 'ID=rocky\\nVERSION_ID=9.7\\nID_LIKE=rhel\\n' > /etc/os-release",
        undo="rm /etc/os-release; ln -s ../usr/lib/os-release /etc/os-release",
    ),
    Planned("a release without unit", "couchdb", "unit_missing", "there is no unit couchdb.service"),
    Planned(
        "the account of a person",
        "erlang",
        "account_taken",
        "home /home/beam, with a login shell",
        run="getent passwd beam >/dev/null || useradd --create-home --home-dir /home/beam --shell /bin/bash beam",
        undo="userdel --remove beam",
    ),
    Planned(
        "a unit of the node's name",
        "erlang",
        "unit_taken",
        "the unit beam.service exists",
        {"/etc/systemd/system/beam.service": "[Service]\nExecStart=/bin/sleep 100\n"},
    ),
    Planned(
        "a name in RabbitMQ's own file",
        "rabbitmq",
        "node_name_differs",
        f"{ENV} line 1 sets RABBITMQ_NODENAME to rabbit@mq1",
        {
            ENV: "RABBITMQ_NODENAME=rabbit@mq1\nMNESIA_BASE=/data/rabbitmq/mnesia\n"
            'SERVER_ADDITIONAL_ERL_ARGS="-proto_dist inet_tls \\\n  -ssl_dist_optfile /etc/rabbitmq/inter.config"\n'
            "RABBITMQ_USE_LONGNAME=true\nRABBITMQ_ERLANG_COOKIE=a-word-that-everybody-knows\nexport ERL_EPMD_PORT=4370\n"
        },
    ),
    Planned("TLS of the operator's own, over two lines", "rabbitmq", "flag_reserved", f"{ENV} line 4 sets -ssl_dist_optfile"),
    Planned("the first of these lines", "rabbitmq", "flag_reserved", f"{ENV} line 3 sets -proto_dist"),
    Planned(
        "another file of settings",
        "rabbitmq",
        "setting_refused",
        "sets RABBITMQ_CONF_ENV_FILE",
        drop_in("rabbitmq-server.service", "10-moved", "Environment=RABBITMQ_CONF_ENV_FILE=/srv/rabbitmq/env.conf")
        | {
            "/etc/systemd/system/rabbitmq-server.service": "[Service]\nUser=rabbitmq\nExecStart=/usr/sbin/rabbitmq-server\n",
            "/etc/rabbitmq/advanced.config": "[{kernel, [{inet_dist_use_interface, {0,0,0,0}},\n           {net_ticktime, 90}]}].\n",
            "/etc/rabbitmq/conf.d/90-cloud.conf": "cluster_formation.peer_discovery_backend = aws\n",
            "/etc/rabbitmq/conf.d/20-ports.conf": "distribution.listener.port_range.min = 25672\n",
        },
    ),
    Planned("an address in advanced.config", "rabbitmq", "flag_reserved", "advanced.config line 1 sets inet_dist_use_interface"),
    Planned("a tick time in advanced.config", "rabbitmq", "setting_overridden", "advanced.config line 2 sets net_ticktime to 90"),
    Planned("peers from the cloud", "rabbitmq", "setting_refused", "90-cloud.conf line 1 sets cluster_formation.peer_discovery_backend"),
    Planned("ports of RabbitMQ's own", "rabbitmq", "setting_refused", "20-ports.conf line 1 sets distribution.listener.port_range.min"),
    Planned("long names", "rabbitmq", "name_type_differs", f"{ENV} line 5 sets RABBITMQ_USE_LONGNAME to true"),
    Planned("a cookie in RabbitMQ's own file", "rabbitmq", "setting_refused", f"{ENV} line 6 sets RABBITMQ_ERLANG_COOKIE"),
    Planned("another port of EPMD", "rabbitmq", "setting_refused", f"{ENV} line 7 sets ERL_EPMD_PORT"),
    Planned(
        "a file of settings that the node cannot read",
        "rabbitmq",
        "file_unreadable",
        f"{ENV} (root:root, mode 0600) cannot be read by rabbitmq",
        run=f"chmod 600 {ENV}",
    ),
    Planned(
        "the account of RabbitMQ at another place",
        "rabbitmq",
        "account_home",
        "the account rabbitmq has the home /srv/mq",
        run="getent passwd rabbitmq > /root/account || useradd --system --home-dir /srv/mq rabbitmq;"
        " sed -i '/^rabbitmq:/s|:/var/lib/rabbitmq:|:/srv/mq:|' /etc/passwd",
        undo="if [ -s /root/account ]; then sed -i '/^rabbitmq:/s|:/srv/mq:|:/var/lib/rabbitmq:|' /etc/passwd; else userdel rabbitmq; fi;"
        " rm -f /root/account",
    ),
    Planned("ports of RabbitMQ's tools", "rabbitmq", "port_range_of_product", "contain 25673-25683", variables={"beam_ports": "25670-25675"}),
    Planned(
        "a node that runs in another unit",
        "release",
        "node_elsewhere",
        "a node shop runs already in mine-node.service",
        # A process that looks as a VM does: the host may have no OTP.
        run="cp \"$(readlink -f /usr/bin/python3)\" /root/beam.smp; systemd-run --quiet --unit=mine-node"
        " /root/beam.smp -c 'import time; time.sleep(1000)' -sname shop; sleep 2",
        undo="systemctl stop mine-node.service; rm -f /root/beam.smp",
    ),
    Planned(
        "no network but the loopback",
        "release",
        "directive_unusable",
        "10-deny.conf line 2 sets IPAddressDeny=any for shop.service: the node would not reach",
        drop_in(SHOP, "10-deny", "IPAddressDeny=any\nIPAddressAllow=localhost"),
    ),
    Planned(
        "no port but the application's",
        "release",
        "directive_unusable",
        "10-ports.conf line 2 sets SocketBindDeny=tcp:1-65535 for shop.service: the node could not listen on port",
        drop_in(SHOP, "10-ports", "SocketBindDeny=tcp:1-65535\nSocketBindAllow=tcp:4000"),
    ),
    Planned(
        "a file with two names",
        "rabbitmq-block",
        "path_not_writable",
        f"{ENV} has another name (a hard link)",
        run=f"ln -f {ENV} /etc/rabbitmq/shared.conf",
        undo="rm -f /etc/rabbitmq/shared.conf",
    ),
    Planned(
        "a browser's kind of program in the unit",
        "release-name",
        "program_refused",
        "in till.service has memory that it may write and run",
        # Beside the VM of 'a release that runs under another name': a page that is writable and executable.
        drop_in(
            "till.service",
            "10-helper",
            "ExecStartPost=/bin/sh -c 'python3 -c \"import mmap, time; m = mmap.mmap(-1, 4096, prot=7); time.sleep(1000)\" &'",
        ),
    ),
    Planned(
        "an end before our block",
        "rabbitmq-block",
        "block_unread",
        f"{ENV} line 2 ends the shell (exit)",
        {ENV: "A=1\n[ -e /etc/mine ] || exit 0\ncat <<MINE\nB=1\n"},
    ),
    Planned("a here-document without its end", "rabbitmq-block", "block_unread", f"{ENV} line 4 is not complete"),
    Planned(
        "a release that runs under another name",
        "release-name",
        "node_name_differs",
        "till@web1 runs in till.service, but the node is planned as till@n1",
        {"/etc/systemd/system/till.service": "[Service]\nExecStart=/root/till/beam.smp -c 'import time; time.sleep(1000)' -sname till@web1\n"},
        run="mkdir -p /root/till; cp \"$(readlink -f /usr/bin/python3)\" /root/till/beam.smp; systemctl daemon-reload;"
        " systemctl start till.service; sleep 2",
        undo="systemctl stop till.service; rm -rf /root/till",
        variables={"beam_node_name": "till@n1"},
    ),
    Planned(
        "data of a release under another name",
        "release-data",
        "data_of_another_name",
        "the database /srv/stock/Mnesia.* belongs to stock@web1, not to stock@n1",
        {
            "/etc/systemd/system/stock.service": "[Service]\nUser=stock\nWorkingDirectory=/srv/stock\nExecStart=/opt/stock/bin/stock start\n",
            "/srv/stock/Mnesia.stock@web1/schema.DAT": "x",
        },
        undo="rm -rf /srv/stock",
        variables={"beam_node_name": "stock@n1"},
    ),
    Planned(
        "the common /tmp", "release", "directive_overridden", "10-tmp.conf line 2 sets PrivateTmp=no", drop_in(SHOP, "10-tmp", "PrivateTmp=no")
    ),
    Planned(
        "directives that are none",
        "release",
        "directive_format",
        "entry 1 is not",
        variables={"beam_service_directives": ["MemoryMax 4G", "After=x"]},
    ),
    Planned("a directive of another section", "release", "directive_refused", "entry 2 (After) belongs into the section [Unit]"),
    Planned(
        "a masked EPMD",
        "erlang",
        "unit_masked",
        "epmd.service is masked",
        run="systemctl mask --quiet --runtime epmd.service",
        undo="systemctl unmask --quiet --runtime epmd.service",
    ),
    Planned(
        "packages half installed",
        "erlang",
        "path_not_writable",
        "/var/lib/dpkg/updates",
        run="touch /var/lib/dpkg/updates/0001",
        undo="rm -f /var/lib/dpkg/updates/0001",
    ),
    Planned("a name of this host only", "erlang-local", "name_of_loopback", "localhost in beam@l", variables={"beam_node_name": "beam@localhost"}),
    Planned(
        "a unit with two names",
        "couchdb-alias",
        "unit_alias",
        "couchdb.service is another name of web.service",
        {"/etc/systemd/system/web.service": "[Service]\nUser=couchdb\nExecStart=/opt/couchdb/bin/couchdb\n"},
        run="ln -sfT web.service /etc/systemd/system/couchdb.service",
        undo="rm -f /etc/systemd/system/couchdb.service",
        cluster={"beam_cookie": "{{ lookup('ansible.builtin.password', '/dev/null', length=64, chars=['ascii_letters']) }}"},
        variables={"beam_distribution_extra_args": ["-env A 'b"], "beam_otp_root": "/opt/otp 27"},
    ),
    Planned("a cookie that is made anew at each look", "couchdb-alias", "unstable", "another value each time"),
    Planned("a place of the CA that begins nowhere", "couchdb-alias", "ca_dir_relative", "is relative", cluster={"beam_pki_ca_dir": "pki"}),
    Planned("a flag with an open quote", "couchdb-alias", "format", "entry 1 has a quote without its end"),
    Planned("a path with a space", "couchdb-alias", "format", "is not an absolute path of letters"),
    Planned(
        "a port of relx",
        "release",
        "setting_refused",
        "/etc/default/relx line 1 sets ERL_DIST_PORT",
        {**drop_in(SHOP, "10-relx", "EnvironmentFile=/etc/default/relx"), "/etc/default/relx": "ERL_DIST_PORT=8001\n"},
    ),
    Planned(
        "another directory of settings",
        "release",
        "setting_refused",
        "10-settings.conf line 2 sets XDG_CONFIG_HOME",
        drop_in(SHOP, "10-settings", "Environment=XDG_CONFIG_HOME=/srv/settings"),
    ),
    Planned(
        "a tick time in ejabberd.yml",
        "ejabberd",
        "setting_overridden",
        "ejabberd.yml line 2 sets net_ticktime to 30",
        {"/etc/ejabberd/ejabberd.yml": "hosts: [localhost]\nnet_ticktime: 30\n"},
    ),
    Planned(
        "a control file of ejabberd's elsewhere",
        "ejabberd",
        "setting_refused",
        "sets EJABBERDCTL_CONFIG_PATH",
        drop_in("ejabberd.service", "10-moved", "Environment=EJABBERDCTL_CONFIG_PATH=/srv/ejabberdctl.cfg")
        | {"/etc/systemd/system/ejabberd.service": "[Service]\nUser=ejabberd\nExecStart=/bin/sh -c '/opt/ejabberd/bin/ejabberdctl foreground'\n"},
    ),
    Planned("ejabberd of another package", "ejabberd", "unit_program", "starts /opt/ejabberd/bin/ejabberdctl"),
    Planned(
        "another tick time",
        "rabbitmq",
        "setting_overridden",
        "rabbitmq.conf line 2 sets net_ticktime to 120",
        {"/etc/rabbitmq/rabbitmq.conf": "# how long\nnet_ticktime = 120\n"},
    ),
    Planned(
        "a database of another name",
        "ejabberd",
        "data_of_another_name",
        "belongs to ejabberd@localhost",
        # An atom in the external term format: its tag, its length, its letters.
        {"/var/lib/ejabberd/schema.DAT": "w\x12ejabberd@localhost"},
    ),
    Planned(
        "a node name of 81 characters",
        "ejabberd",
        "name_longer_than_certificate",
        "has 81 characters",
        variables={"beam_node_name": f"ejabberd{'x' * 70}@n1"},
    ),
    Planned(
        "flags in ejabberd's own file",
        "ejabberd",
        "flag_reserved",
        "/etc/default/ejabberd line 2 sets inet_dist_use_interface",
        {"/etc/default/ejabberd": '# mine\nERL_OPTIONS="-kernel inet_dist_use_interface {0,0,0,0}"\n'},
    ),
    Planned(
        "a tick time that ejabberd.yml does not set",
        "ejabberd-tick",
        "setting_missing",
        "ejabberd sets net_ticktime to 60 when it starts",
        cluster={"beam_net_ticktime": 30},
    ),
    Planned(
        "an account that exists while the unit runs",
        "release",
        "directive_unusable",
        "10-account.conf line 2 sets DynamicUser=yes",
        drop_in(SHOP, "10-account", "DynamicUser=yes"),
    ),
    Planned(
        "a network of its own",
        "release",
        "directive_unusable",
        "10-network.conf line 2 sets PrivateNetwork=yes",
        drop_in(SHOP, "10-network", "PrivateNetwork=yes"),
    ),
    Planned(
        "a command before it stops",
        "release",
        "directive_overridden",
        "10-drain.conf line 2 has shop.service run /usr/local/bin/drain before it stops",
        drop_in(SHOP, "10-drain", "ExecStop=/usr/local/bin/drain"),
    ),
    Planned(
        "an account that does not exist",
        "couchdb-account",
        "account_missing",
        "couchdb.service runs as couchdb, and there is no such account",
        {"/etc/systemd/system/couchdb.service": "[Service]\nUser=couchdb\nExecStart=/opt/couchdb/bin/couchdb\n"},
    ),
    Planned(
        "RabbitMQ's data and logs on a disk of its own",
        "rabbitmq-taken",
        "",
        files={ENV: "MNESIA_BASE=/data/rabbitmq/mnesia\nLOG_BASE=/logs/rabbitmq\n"},
        plan=("writable", "-/data/rabbitmq/mnesia"),
    ),
    Planned(
        "a broker on port 443",
        "rabbitmq-taken",
        "",
        files={
            "/etc/systemd/system/rabbitmq-server.service": "[Service]\nUser=rabbitmq\nExecStart=/bin/sleep 100\n",
            **drop_in("rabbitmq-server.service", "10-port", "AmbientCapabilities=CAP_NET_BIND_SERVICE"),
        },
        plan=("capabilities", "CAP_NET_BIND_SERVICE"),
    ),
]
