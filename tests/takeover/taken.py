# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a host before the first run, as data: set up as public guides have it, at places and with rights of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

APT = "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends"
# What the roles install comes first, so that it is no difference afterwards.
OURS = "erlang-base erlang-asn1 erlang-crypto erlang-public-key erlang-ssl nftables python3-cryptography"


@dataclass(frozen=True)
class Taken:
    """`prepare`: what its operator did. `works`: ends with 0 if it does its work, before, between and after. `trees`: where its files are.

    `differs`: of its own life, a regular expression of paths. `host`: where it runs.
    """

    name: str
    product: str
    unit: str
    prepare: str
    works: str
    trees: str = ""
    differs: str = "(?!)"
    variables: dict[str, Any] = field(default_factory=dict)
    host: str = "n2"


# Data and logs on a disk of their own, by the operator's own file and conf.d; a queue with confirmed messages in it.
DISK = f"""
{APT} {OURS} rabbitmq-server
systemctl stop rabbitmq-server
mkdir -p /data /logs
mountpoint -q /data || mount -t tmpfs -o size=200m,mode=0755 tmpfs /data
install -d -o rabbitmq -g rabbitmq -m 0750 /data/rabbitmq /data/rabbitmq/mnesia /logs/rabbitmq
# What the package has started with.
rm -rf /data/rabbitmq/mnesia/* /var/lib/rabbitmq/mnesia/*
printf 'MNESIA_BASE=/data/rabbitmq/mnesia\\nLOG_BASE=/logs/rabbitmq\\nNODENAME=rabbit@%s\\n' "$(hostname)" > /etc/rabbitmq/rabbitmq-env.conf
mkdir -p /etc/rabbitmq/conf.d; echo 'heartbeat = 30' > /etc/rabbitmq/conf.d/90-mine.conf
systemctl start rabbitmq-server
rabbitmqctl -q await_startup
rabbitmqctl -q eval '
    Name = rabbit_misc:r(<<"/">>, queue, <<"kept">>),
    {{new, _}} = rabbit_amqqueue:declare(Name, true, false, [], none, <<"me">>).'
rabbitmqctl -q add_user operator word-of-the-operator
"""
RABBIT_WORKS = """
set -e
rabbitmqctl -q await_startup
rabbitmqctl -q list_queues --no-table-headers name | grep -qx kept
rabbitmqctl -q authenticate_user operator word-of-the-operator
test -d "/data/rabbitmq/mnesia/rabbit@$(hostname)"
test ! -e "/var/lib/rabbitmq/mnesia/rabbit@$(hostname)"
test -s "/logs/rabbitmq/rabbit@$(hostname).log"
"""

# Data behind a link, passwords in files that only root and the node read, and no repository that answers.
CLOSED = f"""
{APT} {OURS} rabbitmq-server
systemctl stop rabbitmq-server
mkdir -p /data
[ -L /var/lib/rabbitmq ] || {{{{ mv /var/lib/rabbitmq /data/mq; ln -s /data/mq /var/lib/rabbitmq; }}}}
printf 'NODENAME=rabbit@%s\\n# PASSWORD=word-of-the-operator' "$(hostname)" > /etc/rabbitmq/rabbitmq-env.conf
chown root:rabbitmq /etc/rabbitmq/rabbitmq-env.conf; chmod 0640 /etc/rabbitmq/rabbitmq-env.conf
install -d -o root -g rabbitmq -m 0750 /etc/rabbitmq/conf.d; echo 'heartbeat = 30' > /etc/rabbitmq/conf.d/90-mine.conf
rm -rf /data/mq/mnesia/*
systemctl start rabbitmq-server
rabbitmqctl -q await_startup
rabbitmqctl -q add_user operator word-of-the-operator
mkdir -p /root/lists; mv /etc/apt/sources.list /etc/apt/sources.list.d/* /root/lists 2>/dev/null || :
echo 'deb http://192.0.2.1/debian nowhere main' > /etc/apt/sources.list; find /var/lib/apt/lists -type f -delete
""".replace("{{", "{").replace("}}", "}")
CLOSED_WORKS = """
set -e
rabbitmqctl -q await_startup
rabbitmqctl -q authenticate_user operator word-of-the-operator
test -d "/data/mq/mnesia/rabbit@$(hostname)"
[ "$(stat -c '%U %G %a' /etc/rabbitmq/rabbitmq-env.conf /etc/rabbitmq/conf.d | tr '\\n' ' ')" = 'root rabbitmq 640 root rabbitmq 750 ' ]
"""

# The application's port is 443, its settings are in a file of its own, and the unit gives it the capability.
PORT = f"""
{APT} {OURS} curl
systemctl stop shop 2>/dev/null || :
install -d -m 0755 /etc/shop
printf 'PORT=443\\nPHX_SERVER=true\\nGREETING=hello\\n' > /etc/shop/environment; chown root:shop /etc/shop/environment
chmod 0640 /etc/shop/environment
mkdir -p /etc/systemd/system/shop.service.d
printf '[Service]\\nEnvironmentFile=/etc/shop/environment\\n' > /etc/systemd/system/shop.service.d/mine.conf
echo AmbientCapabilities=CAP_NET_BIND_SERVICE >> /etc/systemd/system/shop.service.d/mine.conf
systemctl daemon-reload
systemctl start shop
"""
PORT_WORKS = """
set -e
for i in $(seq 60); do timeout 3 bash -c '</dev/tcp/127.0.0.1/443' 2>/dev/null && break || sleep 1; done
timeout 3 bash -c '</dev/tcp/127.0.0.1/443'
pid=$(systemctl show --property=MainPID --value shop)
tr '\\0' '\\n' < /proc/$pid/environ | grep -qx GREETING=hello
"""

# As its own installer would put it there, and none of the distribution. The packages that it needs stay.
OPT = f"""
{APT} {OURS}
[ -d /opt/otp ] || {{
cp -a /usr/lib/erlang /opt/otp
sed -i 's|/usr/lib/erlang|/opt/otp|g' /opt/otp/bin/erl /opt/otp/bin/start /opt/otp/erts-*/bin/erl /opt/otp/erts-*/bin/start 2>/dev/null || :
}}
DEBIAN_FRONTEND=noninteractive apt-get -qqy purge 'erlang-*'
systemctl daemon-reload
"""
OPT_WORKS = "/opt/otp/bin/erl -noshell -eval 'ok = application:ensure_started(crypto), halt().'"

# A public server: every listener and the modules that the documentation recommends, uploads and an account check at places of the operator's own.
PUBLIC = f"""
{APT} {OURS} curl openssl ejabberd
systemctl stop ejabberd
install -d -o root -g ejabberd -m 0750 /etc/letsencrypt/live/example.org
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=example.org -keyout /etc/letsencrypt/live/example.org/privkey.pem \\
  -out /etc/letsencrypt/live/example.org/fullchain.pem 2>/dev/null
chgrp ejabberd /etc/letsencrypt/live/example.org/*; chmod 0640 /etc/letsencrypt/live/example.org/*
install -d -o ejabberd -g ejabberd -m 0755 /srv/upload
cat > /usr/local/bin/check-account << 'END'
#!/usr/bin/python3
import struct, sys
while True:
    head = sys.stdin.buffer.read(2)
    if len(head) < 2: sys.exit()
    words = sys.stdin.buffer.read(struct.unpack('>H', head)[0]).decode().split(':')
    good = words[0] == 'isuser' and words[1] == 'outside' or words[0] == 'auth' and words[1] == 'outside' and words[3] == 'word-of-outside'
    sys.stdout.buffer.write(struct.pack('>HH', 2, good)); sys.stdout.buffer.flush()
END
chmod 0755 /usr/local/bin/check-account
cat > /etc/ejabberd/ejabberd.yml << 'END'
hosts: [example.org, outside.example.org]
loglevel: info
acme: {{auto: false}}
certfiles: [/etc/letsencrypt/live/example.org/*.pem]
s2s_use_starttls: optional
auth_password_format: scram
host_config:
  outside.example.org: {{auth_method: [external], extauth_program: /usr/local/bin/check-account}}
acl: {{local: {{user_regexp: ""}}, loopback: {{ip: [127.0.0.0/8, "::1/128"]}}, admin: {{user: ["admin@example.org"]}}}}
access_rules: {{local: {{allow: local}}, configure: {{allow: admin}}, muc_create: {{allow: local}}, announce: {{allow: admin}}}}
api_permissions:
  console: {{from: [ejabberd_ctl], who: all, what: "*"}}
listen:
  - {{port: 5222, ip: "::", module: ejabberd_c2s, starttls_required: true}}
  - {{port: 5223, ip: "::", module: ejabberd_c2s, tls: true}}
  - {{port: 5269, ip: "::", module: ejabberd_s2s_in}}
  - port: 443
    ip: "::"
    module: ejabberd_http
    tls: true
    request_handlers: {{/admin: ejabberd_web_admin, /bosh: mod_bosh, /ws: ejabberd_http_ws, /upload: mod_http_upload, /oauth: ejabberd_oauth}}
  - {{port: 5280, ip: "::", module: ejabberd_http, request_handlers: {{/.well-known/acme-challenge: ejabberd_acme, /upload: mod_http_upload}}}}
  - {{port: 3478, ip: "::", transport: udp, module: ejabberd_stun, use_turn: true, turn_ipv4_address: 203.0.113.9}}
  - {{port: 1883, ip: "::", module: mod_mqtt}}
modules:
  mod_adhoc: {{}}
  mod_admin_extra: {{}}
  mod_announce: {{access: announce}}
  mod_avatar: {{}}
  mod_blocking: {{}}
  mod_bosh: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_disco: {{}}
  mod_http_upload: {{docroot: /srv/upload, put_url: "http://@HOST@:5280/upload"}}
  mod_last: {{}}
  mod_mam: {{assume_mam_usage: true, default: always}}
  mod_mqtt: {{}}
  mod_muc: {{access_create: muc_create, default_room_options: {{persistent: true}}}}
  mod_muc_admin: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_proxy65: {{port: 7777, ip: "0.0.0.0"}}
  mod_pubsub: {{plugins: [flat, pep], force_node_config: {{"storage:bookmarks": {{access_model: whitelist}}}}}}
  mod_push: {{}}
  mod_register: {{ip_access: loopback}}
  mod_roster: {{versioning: true}}
  mod_s2s_dialback: {{}}
  mod_shared_roster: {{}}
  mod_stream_mgmt: {{}}
  mod_vcard: {{}}
  mod_vcard_xupdate: {{}}
  mod_version: {{show_os: false}}
END
sed -i 's/^ *#*ERLANG_NODE=.*/ERLANG_NODE=ejabberd@$(hostname)/' /etc/default/ejabberd
grep -q '^ERLANG_NODE=' /etc/default/ejabberd || echo ERLANG_NODE=ejabberd@$(hostname) >> /etc/default/ejabberd
rm -rf /var/lib/ejabberd/*
systemctl start ejabberd
ejabberdctl started
ejabberdctl register operator example.org word-of-the-operator
ejabberdctl create_room kept conference.example.org example.org
"""
PUBLIC_WORKS = """
set -e
ejabberdctl started
ejabberdctl check_password operator example.org word-of-the-operator
ejabberdctl check_password outside outside.example.org word-of-outside
! ejabberdctl check_password outside outside.example.org other-word
ejabberdctl muc_online_rooms global | grep -q kept@
for port in 5222 5223 5269 443 5280 1883 7777; do timeout 3 bash -c "</dev/tcp/127.0.0.1/$port"; done
ss -Hlnu 'sport = :3478' | grep -q .
curl -fsk https://127.0.0.1/bosh >/dev/null || curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1/bosh | grep -qE '^(200|400|404|405)'
pid=$(pgrep -u ejabberd -x beam.smp)
nsenter -t "$pid" -m -- su -s /bin/sh ejabberd -c 'touch /srv/upload/written && rm /srv/upload/written'
# The certificate that is served is the operator's.
echo | openssl s_client -connect 127.0.0.1:5223 2>/dev/null | grep -q 'CN *= *example.org'
"""

TAKEN = {
    one.name: one
    for one in (
        Taken(
            "rabbitmq-disk",
            "rabbitmq",
            "rabbitmq-server",
            DISK,
            RABBIT_WORKS,
            "/data /logs",
            r"(file|content) (/data/rabbitmq/mnesia|/logs/rabbitmq|/var/lib/rabbitmq/(mnesia|config|schema|\.config))\b",
            {"beam_product": "rabbitmq"},
        ),
        Taken(
            "rabbitmq-closed",
            "rabbitmq",
            "rabbitmq-server",
            CLOSED,
            CLOSED_WORKS,
            "/data",
            r"(file|content) (/data/mq/(mnesia|config|schema|\.config)|/var/log/rabbitmq)\b",
            {"beam_product": "rabbitmq"},
        ),
        Taken("release-443", "release", "shop", PORT, PORT_WORKS, "/opt/shop", r"(file|content) (/opt/shop/tmp|/var/lib/beam)\b", host="n1"),
        Taken(
            "ejabberd-public",
            "ejabberd",
            "ejabberd",
            PUBLIC,
            PUBLIC_WORKS,
            "/srv/upload /etc/letsencrypt",
            r"(file|content) (/var/lib/ejabberd|/var/log/ejabberd)\b",
            {"beam_product": "ejabberd"},
        ),
        Taken("otp-opt", "erlang", "", OPT, OPT_WORKS, "/opt/otp", variables={"beam_otp_root": "/opt/otp"}, host="n3"),
    )
}
