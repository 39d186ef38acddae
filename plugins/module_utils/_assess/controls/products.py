# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of products' own settings, and of nodes in containers.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import EEF_DISTRIBUTION, SECURE_CODING

_RABBITMQ = ("RabbitMQ, Production deployment guidelines", "https://www.rabbitmq.com/docs/production-checklist")
_RABBITMQ_ACCESS = ("RabbitMQ, Access control", "https://www.rabbitmq.com/docs/access-control")
_RABBITMQ_PORTS = ("RabbitMQ, Networking", "https://www.rabbitmq.com/docs/networking")
_EJABBERD = ("ejabberd, Security considerations", "https://docs.ejabberd.im/admin/guide/security/")
_PODMAN = ("capabilities(7)", "https://man7.org/linux/man-pages/man7/capabilities.7.html")

CONTROLS = (
    Control(
        "rabbitmq-guest",
        "RabbitMQ's user guest connects from its own host only",
        "Everybody knows the password of guest, and scanners try it first. It is an administrator.",
        "Delete it: rabbitmqctl delete_user guest. Remove loopback_users = none from rabbitmq.conf and restart the node.",
        "",
        (_RABBITMQ, _RABBITMQ_ACCESS),
        "high",
        "files",
    ),
    Control(
        "rabbitmq-passwords",
        "RabbitMQ creates no user with a password that everybody knows",
        "Scanners try these first. RabbitMQ creates a user in a configuration file or in definitions again on each new node.",
        "Change it: rabbitmqctl change_password USER. In rabbitmq.conf set another default_pass, or delete the user from the definitions that the "
        "finding names; in definitions set a password_hash of a random word (rabbitmqctl hash_password).",
        "",
        (_RABBITMQ, _RABBITMQ_ACCESS),
        "high",
        "files",
    ),
    Control(
        "rabbitmq-anonymous",
        "RabbitMQ accepts no anonymous login from other hosts",
        "A client without credentials gets the rights of the user that anonymous_login_user names.",
        "Set anonymous_login_user = none in rabbitmq.conf and restart the node.",
        "",
        (_RABBITMQ, _RABBITMQ_ACCESS),
        "medium",
        "files",
    ),
    Control(
        "rabbitmq-management",
        "RabbitMQ's management interface and metrics are not in clear text on a network",
        "Clients send passwords to the management interface. With an administrator's password it can change everything in the broker.",
        "Set management.tcp.ip and prometheus.tcp.ip to 127.0.0.1, or use management.ssl.* and prometheus.ssl.* instead.",
        "",
        (_RABBITMQ, _RABBITMQ_PORTS),
        "medium",
        "listeners",
    ),
    Control(
        "client-ports",
        "The ports of a product for its clients are not in clear text on a network",
        "Everybody on the network path can read passwords and messages, and send messages as the client.",
        "Let clients use TLS, and remove the listener in clear text or bind it to loopback. RabbitMQ: listeners.tcp = none and "
        "listeners.ssl.default = 5671, the same for mqtt and stomp. ejabberd: tls: true, or starttls_required: true for ejabberd_c2s, and "
        "s2s_use_starttls: required. If a proxy on the host does TLS, bind the listener to loopback.",
        "",
        (_RABBITMQ_PORTS, ("RabbitMQ, TLS support", "https://www.rabbitmq.com/docs/ssl"), _EJABBERD),
        "medium",
        "listeners",
        audit_only=True,
    ),
    Control(
        "ejabberd-api",
        "ejabberd's API for commands listens on loopback only",
        "mod_http_api and XML-RPC create users, read messages and stop the node. On other addresses only api_permissions protects them.",
        "Create a separate listener with ip: 127.0.0.1 for mod_http_api, and remove it from the request_handlers of the listener that the finding "
        "names.",
        "",
        (_EJABBERD, ("ejabberd, API permissions", "https://docs.ejabberd.im/developer/ejabberd-api/permissions/")),
        "medium",
        "listeners",
        audit_only=True,
    ),
    Control(
        "ejabberd-files",
        "Not every user of a host can read the configuration of ejabberd",
        "It holds passwords of databases, LDAP and administrators.",
        "Set owner root, group ejabberd and mode 0640 for the file that the finding names.",
        "",
        (_EJABBERD,),
        "medium",
        "files",
    ),
    Control(
        "ejabberd-log-level",
        "ejabberd does not log at level debug",
        "At level 5 (debug) it logs every stanza: messages, and in old versions passwords.",
        "Set loglevel: info in ejabberd.yml and run ejabberdctl reload_config.",
        "",
        (_EJABBERD,),
        "medium",
        "files",
    ),
    Control(
        "container-privileges",
        "No container with a node is privileged",
        "Code in a node in a privileged container controls the whole host.",
        "Start the container without --privileged, and with --cap-add only for capabilities that the node needs.",
        "",
        (_PODMAN, SECURE_CODING),
        "high",
        "processes",
        audit_only=True,
    ),
    Control(
        "container-cookie",
        "The cookie of a node in a container comes from a file, not from a variable",
        "Variables of a container are in its image or its definition, in the output of inspect, and in every backup of them.",
        "Mount .erlang.cookie as a secret with mode 0400, and remove the variable that the finding names.",
        "",
        (SECURE_CODING, EEF_DISTRIBUTION),
        "medium",
        "processes",
        audit_only=True,
    ),
    Control(
        "container-ports",
        "EPMD and distribution ports of containers are not published on a network",
        "A published port bypasses most firewalls of a host, because container engines add their own rules.",
        "Publish these ports to 127.0.0.1 only, or not at all. Connect the nodes through a network of the container engine.",
        "",
        (EEF_DISTRIBUTION,),
        "high",
        "listeners",
        audit_only=True,
    ),
)
