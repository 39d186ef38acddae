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

    `differs`: of its own life, a regular expression of paths. `start`: starts it again after `absent`.
    """

    name: str
    product: str
    unit: str
    prepare: str
    works: str
    trees: str = ""
    differs: str = "(?!)"
    variables: dict[str, Any] = field(default_factory=dict)


# Data and logs on a disk of their own, by the operator's own file and conf.d; a queue with confirmed messages in it.
DISK = f"""
{APT} {OURS} rabbitmq-server
systemctl stop rabbitmq-server
mkdir -p /data /logs
mountpoint -q /data || mount -t tmpfs -o size=200m,mode=0755 tmpfs /data
install -d -o rabbitmq -g rabbitmq -m 0750 /data/rabbitmq /data/rabbitmq/mnesia /logs/rabbitmq
rm -rf /data/rabbitmq/mnesia/*
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

# The application's port is 443, its settings are in a file of its own, and the unit gives it the capability.
PORT = f"""
{APT} {OURS} curl
systemctl stop shop 2>/dev/null || :
install -d -m 0755 /etc/shop
printf 'PORT=443\\nGREETING=hello\\n' > /etc/shop/environment; chown root:shop /etc/shop/environment; chmod 0640 /etc/shop/environment
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

# As its own installer would put it there: the distribution's has no erl in the search path any more.
OPT = f"""
{APT} {OURS}
[ -d /opt/otp ] || {{
cp -a /usr/lib/erlang /opt/otp
sed -i 's|/usr/lib/erlang|/opt/otp|g' /opt/otp/bin/erl /opt/otp/bin/start /opt/otp/erts-*/bin/erl /opt/otp/erts-*/bin/start 2>/dev/null || :
}}
for name in erl erlc escript epmd; do [ ! -L /usr/bin/$name ] || mv /usr/bin/$name /root/distribution-$name; done
mv /usr/lib/erlang /usr/lib/erlang-elsewhere
"""
OPT_WORKS = "/opt/otp/bin/erl -noshell -eval 'ok = application:ensure_started(crypto), halt().'"

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
        Taken("release-443", "release", "shop", PORT, PORT_WORKS, "/opt/shop", r"(file|content) (/opt/shop/tmp|/var/lib/beam)\b"),
        Taken("otp-opt", "erlang", "", OPT, OPT_WORKS, "/opt/otp", variables={"beam_otp_root": "/opt/otp"}),
    )
}
