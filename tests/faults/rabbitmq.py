# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of RabbitMQ nodes (PRODUCT=rabbitmq): its own files and plugins, and what rabbitmqctl changes in the running node."""

from __future__ import annotations

from fault import BESIDE, COOKIE, FIREWALL, LIVE, NODE, OPTIONS, Fault

_SHELL = """\
node=rabbit@$(hostname); directory=/etc/beam/$node; home=/var/lib/rabbitmq
restart() { systemctl restart rabbitmq-server && rabbitmqctl --quiet await_startup && sleep 5; }
"""
_AGAIN = _SHELL + "restart"
_ETC = "/etc/rabbitmq"


def _keep(file: str) -> str:
    return f"{_SHELL}cp -p {file} $saved/kept\n"


def _back(file: str) -> str:
    return f"{_SHELL}cp -p $saved/kept {file}; restart"


def _changed(name: str, file: str, edit: str, alters: str = NODE) -> Fault:
    """A file of the operator's that the node reads at its start. To be as old as the process again, the process has to be a new one."""
    return Fault(
        name=name,
        breaks=_keep(file) + edit,
        control="options-running",
        names=(f"{file} was changed after",),
        repair=_back(file),
        product="rabbitmq",
        alters=alters,
    )


def _added(name: str, file: str, text: str) -> Fault:
    return Fault(
        name=name,
        breaks=f"[ ! -e {file} ] && printf '%s\\n' '{text}' > {file}",
        control="options-running",
        names=(f"{file} was changed after",),
        repair=f"rm -f {file}",
        product="rabbitmq",
        alters=BESIDE,
    )


def _eval(name: str, code: str, control: str, *names: str, alters: str = LIVE) -> Fault:
    return Fault(
        name=name, breaks=f"{_SHELL}rabbitmqctl eval '{code}'", control=control, names=names, repair=_AGAIN, product="rabbitmq", alters=alters
    )


def _edited(name: str, file: str, edit: str) -> Fault:
    return Fault(
        name=name,
        breaks=_keep(file) + edit,
        control="planned-files",
        names=(f"{file.rpartition('/')[2]} differs from the plan",),
        repair=_SHELL + f"cp -p $saved/kept {file}",
        product="rabbitmq",
        alters=BESIDE,
    )


def _options(name: str, edit: str, *names: str) -> Fault:
    file = "$directory/ssl_dist.conf"
    return Fault(
        name=name,
        breaks=f"{_keep(file)}perl -0pi -e '{edit}' {file}; restart",
        control="tls-options",
        names=names,
        repair=_back(file),
        product="rabbitmq",
        alters=OPTIONS,
    )


_REPLACE = (
    "sys:replace_state(net_sup, fun(S) -> [{client, O}] = ets:lookup(ssl_dist_opts, client), "
    "ets:insert(ssl_dist_opts, {client, lists:keystore(verify, 1, O, {verify, verify_none})}), S end)."
)

_CONF = f"{_ETC}/conf.d/8{{}}-fault.conf"
_MODULE = "find /usr/lib/rabbitmq -name rabbit_auth_backend_internal.beam | head -n 1"
_DEFINITIONS = '{"users": [{"name": "monitoring", "password": "monitoring", "tags": ["monitoring"]}]}'

FAULTS = (
    # -- files that the next start reads ------------------------------------------------------------------------------------------------------------
    _changed("a variable more in rabbitmq-env.conf", f"{_ETC}/rabbitmq-env.conf", f"sed -i '1i X=1' {_ETC}/rabbitmq-env.conf"),
    _added("a rabbitmq.conf that no start has read", f"{_ETC}/rabbitmq.conf", "log.console = true"),
    _added("one more file in conf.d", f"{_ETC}/conf.d/90-fault.conf", "log.console = true"),
    _added("an advanced.config that no start has read", f"{_ETC}/advanced.config", "[]."),
    _changed("variables of the unit that no start has read", "/etc/default/rabbitmq-server", "echo X=1 >> /etc/default/rabbitmq-server"),
    _edited("the peer list of the first start", f"{_ETC}/conf.d/10-beam.conf", f"echo 'log.console = true' >> {_ETC}/conf.d/10-beam.conf"),
    _edited("the settings of the start script", "$directory/rabbitmq-env.sh", "echo 'ERL_AFLAGS=' >> $directory/rabbitmq-env.sh"),
    # -- plugins ------------------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="the management plugin on every address",
        breaks="rabbitmq-plugins --quiet enable rabbitmq_management && sleep 5",
        control="rabbitmq-management",
        names=("the management interface is in clear text on", ":15672"),
        repair="rabbitmq-plugins --quiet disable rabbitmq_management; sleep 3",
        product="rabbitmq",
        alters=BESIDE,
    ),
    Fault(
        name="metrics on every address from the next start on",
        breaks="rabbitmq-plugins --quiet --offline enable rabbitmq_prometheus",
        control="rabbitmq-management",
        names=("the metrics will be in clear text on port 15692 from the next start on",),
        repair="rabbitmq-plugins --quiet --offline disable rabbitmq_prometheus",
        product="rabbitmq",
        alters=BESIDE,
    ),
    # -- what the product accepts: each is in force after a restart ------------------------------------------------------------------------------
    *(
        Fault(
            name=name,
            breaks=f"{_SHELL}[ ! -e {file} ] && printf '{lines}' > {file} && restart",
            control=control,
            names=(says,),
            repair=f"{_SHELL}rm -f {file}; restart",
            product="rabbitmq",
            alters=NODE,
        )
        for file, name, lines, control, says in (
            (_CONF.format(1), "guest from every host", "loopback_users = none\\n", "rabbitmq-guest", "rabbitmq.conf has loopback_users = none"),
            (_CONF.format(2), "guest from all hosts by name", "loopback_users.guest = false\\n", "rabbitmq-guest", "loopback_users.guest = false"),
            (
                _CONF.format(4),
                "a first user with a password that everybody knows",
                "default_user = admin\\ndefault_pass = admin\\n",
                "rabbitmq-passwords",
                f"the user admin in {_CONF.format(4)} is created with a password that everybody knows",
            ),
        )
    ),
    Fault(
        name="definitions with a user whose password everybody knows",
        breaks=f"{_SHELL}[ ! -e {_CONF.format(5)} ] && printf '%s' '{_DEFINITIONS}' > {_ETC}/fault.json && "
        f"echo 'load_definitions = {_ETC}/fault.json' > {_CONF.format(5)} && restart",
        control="rabbitmq-passwords",
        names=(f"the user monitoring in {_ETC}/fault.json is created with a password that everybody knows",),
        repair=f"{_SHELL}rm -f {_CONF.format(5)} {_ETC}/fault.json; restart; rabbitmqctl delete_user monitoring",
        product="rabbitmq",
        alters=NODE,
    ),
    # -- what runs ----------------------------------------------------------------------------------------------------------------------------------
    _eval("a name allowed by rabbitmqctl", "net_kernel:allow([list_to_atom(\"evil@n9\")]).", "allow-list", "evil@n9"),
    _eval(
        "guest from every host, by rabbitmqctl",
        "application:set_env(rabbit, loopback_users, []).",
        "rabbitmq-logins-running",
        "its user guest may connect from every host",
    ),
    _eval(
        "logins without a password, by rabbitmqctl",
        "application:set_env(rabbit, anonymous_login_user, <<\"admin\">>).",
        "rabbitmq-logins-running",
        "a client without credentials gets the rights of admin",
    ),
    Fault(
        name="a user with a password that everybody knows, by rabbitmqctl",
        breaks="rabbitmqctl --quiet add_user fault-user changeme",
        control="rabbitmq-logins-running",
        names=("its user fault-user has a password that everybody knows",),
        repair="rabbitmqctl --quiet delete_user fault-user",
        product="rabbitmq",
        alters=LIVE,
    ),
    _eval("options in force changed by rabbitmqctl", _REPLACE, "tls-options", "as client verify is verify_none", alters=OPTIONS),
    _eval(
        "a module of RabbitMQ that was replaced while it runs",
        "code:ensure_loaded(rabbit_password_hashing_sha512), {ok, M, B} = compile:forms([{attribute, 1, module, rabbit_password_hashing_sha512}]), "
        "{module, M} = code:load_binary(M, code:which(M), B).",
        "running-code",
        "runs another rabbit_password_hashing_sha512 than the one in",
    ),
    _eval(
        "a cookie for a peer by rabbitmqctl",
        "erlang:set_cookie(list_to_atom(\"rabbit@n2\"), list_to_atom(\"abcdefghijklmnopqrstuvwxyz0123456789ABCD\")).",
        "peer-cookies",
        "rabbit@n2",
    ),
    Fault(
        name="another tick time by rabbitmqctl",
        breaks="rabbitmqctl eval 'net_kernel:set_net_ticktime(600, 0).'",
        control="mesh-settings",
        names=("net_ticktime 600",),
        # The other nodes have it, too, and a restarted one takes it from them.
        repair="rabbitmqctl eval 'rpc:multicall([node() | nodes()], net_kernel, set_net_ticktime, [60, 0]).'",
        product="rabbitmq",
        alters=LIVE,
    ),
    _options("the client verifies nobody", "s/(client.*?)verify_peer/$1verify_none/s", "as client", "verify_none"),
    _options("two values for one option", "s/(client.*?verify_peer\\})/$1, {verify, verify_none}/s", "as client", "verify_none"),
    # -- packages -----------------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a VM whose package was installed again",
        breaks="for file in /usr/lib/erlang/erts-*/bin/beam.smp; do cp -p $file $file.new; mv $file.new $file; done",
        control="running-vm",
        names=("beam.smp", "no longer the file on disk"),
        repair=_AGAIN,
        product="rabbitmq",
        alters=NODE,
    ),
    Fault(
        name="a start script that was installed again",
        breaks="file=$(readlink -f /usr/sbin/rabbitmq-server); cp -p $file $file.new; mv $file.new $file",
        control="options-running",
        names=("rabbitmq-server was changed after",),
        repair=_AGAIN,
        product="rabbitmq",
        alters=NODE,
    ),
    Fault(
        name="a module of RabbitMQ that is not the one of its package",
        breaks=f"file=$({_MODULE}); cp -p $file $saved/module; cp -p $file $saved/new; printf x >> $saved/new; cat $saved/new > $file",
        control="package-files",
        names=("rabbit_auth_backend_internal.beam is another file than the one of its package rabbitmq-server",),
        repair=f"cp -p $saved/module $({_MODULE})",
        product="rabbitmq",
        alters=BESIDE,
    ),
    Fault(
        name="a start script of RabbitMQ that is not the one of its package, in force",
        breaks=f"{_SHELL}file=$(readlink -f /usr/lib/rabbitmq/bin/rabbitmq-server); cp -p $file $saved/script; echo '# fault' >> $file; restart",
        control="package-files",
        names=("rabbitmq-server is another file than the one of its package rabbitmq-server",),
        repair=f"{_SHELL}cp -p $saved/script $(readlink -f /usr/lib/rabbitmq/bin/rabbitmq-server); restart",
        product="rabbitmq",
        alters=NODE,
    ),
    # -- secrets and the firewall -------------------------------------------------------------------------------------------------------------------
    Fault(
        name="the cookie in rabbitmq-env.conf",
        breaks=_SHELL + f"printf 'RABBITMQ_ERLANG_COOKIE=%s\\n' $(cat $home/.erlang.cookie) > {_ETC}/old-env.conf; "
        f"chmod 0644 {_ETC}/old-env.conf",
        control="cookie-copies",
        names=(f"{_ETC}/old-env.conf", "holds the cookie of"),
        repair=f"rm -f {_ETC}/old-env.conf",
        product="rabbitmq",
        alters=BESIDE,
    ),
    Fault(
        name="the cookie file can be read by the group",
        breaks=_SHELL + "chmod 0440 $home/.erlang.cookie",
        control="cookie-file",
        names=(".erlang.cookie has mode 0440",),
        repair=_SHELL + "chmod 0400 $home/.erlang.cookie",
        product="rabbitmq",
        alters=COOKIE,
    ),
    Fault(
        name="a rule that lets everybody in",
        breaks="nft insert rule inet beam_cluster cluster tcp dport 4369 accept",
        control="firewall-rules",
        names=("every address",),
        repair="systemctl reload beam-firewall",
        product="rabbitmq",
        alters=FIREWALL,
    ),
)
