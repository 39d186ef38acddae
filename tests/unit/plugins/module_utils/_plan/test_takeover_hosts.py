# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are not bare, second part: units, programs, accounts and file systems. Each case is one mistake on n2, and its sibling that is none."""

from __future__ import annotations

from typing import Any

import pytest
from plan_world import PRODUCTS, Bend, World, found, runs, says

RABBIT, SHOP = "rabbitmq-server.service", "beam.service"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    more = {
        "programs": ["/usr/sbin/rabbitmq-server", "/usr/lib/rabbitmq/bin/rabbitmq-server"],
        "home_of_account": True,
        "managed": {"blocks": [{"path": "/etc/rabbitmq/rabbitmq-env.conf", "marker": "# {mark}"}]},
        "tool_ports": {"first": 25673, "last": 25683},
        "writable": ["/var/lib/rabbitmq"],
    }
    monkeypatch.setitem(PRODUCTS, "rabbitmq", {**PRODUCTS["rabbitmq"], **more})
    monkeypatch.setitem(PRODUCTS, "release", {"kind": "release", "unit": "{name}.service", "user": "{name}", "home": "/var/lib/beam/{node}"})
    return World()


def sees(**parts: object) -> Bend:
    return lambda world: world.observed["n2"].update(parts)


def without_epmd(bend: Bend) -> Bend:
    def both(world: World) -> None:
        world.set("beam_discovery", "fixed_port")
        bend(world)

    return both


def named(*names: str) -> Bend:
    def bend(world: World) -> None:
        for host, name in zip(("n1", "n2", "n3"), names):
            world.set("beam_node_name", name, host)

    return bend


def unit(name: str, **more: Any) -> dict[str, Any]:
    return {name: {"load": "loaded", "active": "active", "ours": False, "user": "beam", "release": "/opt/beam", "id": name, **more}}


def vm(unit: str | None, name: str | None = "beam@n2", **more: Any) -> dict[str, Any]:
    flags = {"name": name, "proto_dist": "inet_tls", "listens": True}
    return {"pid": 7, "process": "beam.smp", "unit": unit, "user": "deploy", "digest": "1", "flags": {**flags, **more}}


def open_vm(name: str, **more: Any) -> dict[str, Any]:
    """A node that no run has hardened, in its unit."""
    return {**vm(SHOP, name, proto_dist="inet_tcp", **more), "digest": None}


def mnesia(*names: str) -> dict[str, Any]:
    return {"unit": SHOP, "path": "/opt/beam/Mnesia.*", "names": list(names)}


def writer(path: str) -> dict[str, Any]:
    return {**vm(RABBIT, "rabbit@n2"), "digest": None, "writes": [path]}


def file(**more: Any) -> dict[str, Any]:
    return {"path": "/etc/rabbitmq/rabbitmq-env.conf", "kind": "file", "mode": "0600", "owner": "root", "group": "root", **more}


def own_epmd(**more: Any) -> dict[str, Any]:
    return unit("epmd.service", fragment="/etc/systemd/system/epmd.service", **{"takes_sockets": False, **more})


def tool(path: str, name: str) -> dict[str, Any]:
    return {"unit": SHOP, "path": path, "line": 1, "kind": "tool", "name": name, "value": None}


def two(bend: Bend) -> Bend:
    """Two nodes of one release on a host."""

    def both(world: World) -> None:
        world.set("beam_nodes", [{"name": "beam", "ports": 9100}, {"name": "b", "ports": 9101}], "n2")
        bend(world)
        world.observed["n2"]["units"] |= unit("b.service", user="b")

    return both


def directive(name: str, value: str, path: str = "/etc/systemd/system/x.conf") -> dict[str, Any]:
    return {"unit": RABBIT, "path": path, "line": 3, "kind": "directive", "name": name, "value": value}


def network(*directives: tuple[str, str]) -> Bend:
    return runs("rabbitmq", sees(settings=[directive(name, value) for name, value in directives]))


def companion(program: str, reason: str) -> dict[str, str]:
    return {"unit": SHOP, "program": program, "reason": reason}


def allows(*lines: str) -> Bend:
    return lambda world: world.more.update(sandbox={"n2": lines})


def account(home: str) -> list[dict[str, Any]]:
    return [{"name": "rabbitmq", "uid": 998, "group": "rabbitmq", "home": home, "login": False}]


def stops(program: str, path: str = "/etc/systemd/system/x.conf") -> Bend:
    """A release whose drop-in takes ExecStop= away."""

    def bend(world: World) -> None:
        PRODUCTS["release"]["directives"] = ["ExecStop="]
        runs("release", sees(units=unit(SHOP), settings=[{**directive("ExecStop", program, path), "unit": SHOP}]))(world)

    return bend


LISTENS = [{"address": "10.0.0.2", "port": 25672, "process": "beam.smp", "pid": 7, "unit": "mine.service", "user": "rabbitmq"}]
PORTS = {"client_ports": {"rabbitmq": {"ports": [{"port": 5672, "protocol": "AMQP", "tls": "no", "setting": "x"}]}}}
CASES: list[tuple[str, Bend, str]] = [
    ("a masked unit", runs("rabbitmq", sees(units=unit(RABBIT, load="masked"))), "unit_masked"),
    ("a masked release", runs("release", sees(units=unit(SHOP, load="masked", release="", user=""))), "unit_masked"),
    ("a masked EPMD", sees(units=unit("epmd.socket", load="masked")), "unit_masked"),
    ("a masked service of EPMD", sees(units=unit("epmd.service", load="masked")), "unit_masked"),
    ("a masked EPMD that nobody needs", without_epmd(sees(units=unit("epmd.socket", load="masked"))), ""),
    ("an EPMD of the operator's own unit", sees(units=own_epmd()), "epmd_foreign"),
    ("one that takes its sockets", sees(units=own_epmd(takes_sockets=True)), ""),
    ("one of ours", sees(units=own_epmd(ours=True)), ""),
    ("a unit of EPMD that nobody needs", without_epmd(sees(units=own_epmd())), ""),
    ("a job that starts the release", runs("release", sees(units=unit(SHOP), settings=[tool("/etc/cron.d/x", "daemon")])), "node_elsewhere"),
    ("a job that asks it", runs("release", sees(units=unit(SHOP), settings=[tool("/etc/cron.d/x", "pid")])), ""),
    ("a unit that starts it", runs("release", sees(units=unit(SHOP), settings=[tool("/etc/systemd/system/y.service", "start")])), "node_elsewhere"),
    ("the unit of another node of the plan",
     runs("release", two(sees(units=unit(SHOP), settings=[tool("/etc/systemd/system/b.service", "start")]))), ""),
    ("another name of a unit", runs("release", sees(units=unit(SHOP, id="web.service"))), "unit_alias"),
    ("a program of another package", runs("rabbitmq", sees(units=unit(RABBIT, program="/opt/rabbitmq/sbin/rabbitmq-server"))), "unit_program"),
    ("the package's program", runs("rabbitmq", sees(units=unit(RABBIT, program="/usr/sbin/rabbitmq-server"))), ""),
    ("behind a program of the operator's", runs("rabbitmq", sees(units=unit(RABBIT, program="/usr/bin/numactl"))), ""),
    ("a node of another unit", sees(processes=[vm("mine.service")]), "node_elsewhere"),
    ("started by hand", sees(processes=[vm("session-4.scope", "beam")]), "node_elsewhere"),
    ("of its own unit", sees(processes=[vm(SHOP)]), ""),
    ("a tool of its name", sees(processes=[vm("session-4.scope", listens=False)]), ""),
    ("another name", sees(processes=[vm("mine.service", "other@n2")]), ""),
    ("its unit runs another name", runs("release", sees(units=unit(SHOP), processes=[open_vm("shop@web2")])), "node_name_differs"),
    ("the name at another address", runs("release", sees(units=unit(SHOP), processes=[open_vm("beam@127.0.0.1")])), "node_name_differs"),
    ("the name of another host", runs("release", sees(units=unit(SHOP), processes=[open_vm("beam")], hostname="web2")), "node_name_differs"),
    ("another name without its host", runs("release", sees(units=unit(SHOP), processes=[open_vm("shop")])), "node_name_differs"),
    ("its name, as the host completes it", runs("release", sees(units=unit(SHOP), processes=[open_vm("beam")], hostname="n2.example.com")), ""),
    ("a name of a host that nobody knows", runs("release", sees(units=unit(SHOP), processes=[open_vm("beam")])), ""),
    ("a long name that OTP completes", runs("release", sees(units=unit(SHOP), processes=[open_vm("beam", long_names=True)], hostname="x")), ""),
    ("its own name", runs("release", sees(units=unit(SHOP), processes=[open_vm("beam@n2")])), ""),
    ("a tool of its unit", runs("release", sees(units=unit(SHOP), processes=[open_vm("rem-1-shop@web2", hidden=True)])), ""),
    ("a hardened node that is renamed", runs("release", sees(units=unit(SHOP), processes=[vm(SHOP, "shop@web2")])), ""),
    ("a broker that runs another name", runs("rabbitmq", sees(units=unit(RABBIT), processes=[{**open_vm("rabbit@mq2"), "unit": RABBIT}])),
     "node_name_differs"),
    ("data of another name", runs("release", sees(units=unit(SHOP), databases=[mnesia("shop@web2")])), "data_of_another_name"),
    ("data of this name, too", runs("release", sees(units=unit(SHOP), databases=[mnesia("shop@web2", "beam@n2")])), ""),
    ("data of another unit", runs("release", sees(units=unit(SHOP), databases=[{**mnesia("shop@web2"), "unit": "x.service"}])), ""),
    ("data that a hardened node has left",
     runs("release", sees(units=unit(SHOP, drop_ins=["/etc/systemd/system/beam.service.d/zzz-beam.conf"]), databases=[mnesia("shop@web2")])), ""),
    ("data and a node of another name",
     runs("release", sees(units=unit(SHOP), databases=[mnesia("shop@web2")], processes=[open_vm("shop@web2")])), "node_name_differs"),
    ("a node without EPMD that shares half of its name", without_epmd(sees(processes=[vm("mine.service", "beam@other")])), ""),
    ("and all of it", without_epmd(sees(processes=[vm("mine.service")])), "node_elsewhere"),
    ("a node without a name in its arguments",
     runs("rabbitmq", sees(processes=[vm("mine.service", None)], epmd_names={"rabbit": 25672}, listeners=LISTENS)), "node_elsewhere"),
    ("a home elsewhere", runs("rabbitmq", sees(accounts=account("/home/rabbitmq"))), "account_home"),
    ("a home with a slash", runs("rabbitmq", sees(accounts=account("/var/lib/rabbitmq/"))), ""),
    ("a file that the node cannot read", runs("rabbitmq", sees(files=[file()])), "file_unreadable"),
    ("one that its group reads", runs("rabbitmq", sees(files=[file(mode="0640", group="rabbitmq")])), ""),
    ("one that everybody reads", runs("rabbitmq", sees(files=[file(mode="0644")])), ""),
    ("one of its own", runs("rabbitmq", sees(files=[file(mode="0600", owner="rabbitmq")])), ""),
    ("a directory in its place", runs("rabbitmq", sees(files=[file(kind="directory", mode="0755")])), "file_unreadable"),
    ("devices", runs("rabbitmq", sees(settings=[directive("DeviceAllow", "/dev/ttyUSB0 rw")])), "directive_overridden"),
    ("no devices", runs("rabbitmq", sees(settings=[directive("DeviceAllow", "")])), ""),
    ("the common /tmp", runs("rabbitmq", sees(settings=[directive("PrivateTmp", "false")])), "directive_overridden"),
    ("an account for a moment", runs("rabbitmq", sees(settings=[directive("DynamicUser", "yes")])), "directive_unusable"),
    ("a lasting account", runs("rabbitmq", sees(settings=[directive("DynamicUser", "no")])), ""),
    ("and no longer", runs("rabbitmq", sees(settings=[directive("DynamicUser", "yes"), directive("DynamicUser", "false")])), ""),
    ("another root", runs("rabbitmq", sees(settings=[directive("RootDirectory", "/srv/root", "/usr/lib/systemd/system/x")])), "directive_unusable"),
    ("the root itself", runs("rabbitmq", sees(settings=[directive("RootDirectory", "/")])), ""),
    ("an image", runs("rabbitmq", sees(settings=[directive("RootImage", "/srv/image.raw")])), "directive_unusable"),
    ("a network of its own", runs("rabbitmq", sees(settings=[directive("PrivateNetwork", "true")])), "directive_unusable"),
    ("another network", runs("rabbitmq", sees(settings=[directive("NetworkNamespacePath", "/run/netns/mq")])), "directive_unusable"),
    ("a hidden /etc", runs("rabbitmq", sees(settings=[directive("InaccessiblePaths", "-/srv /etc/")])), "directive_unusable"),
    ("a hidden directory", runs("rabbitmq", sees(settings=[directive("InaccessiblePaths", "/srv /etc/ssh")])), ""),
    ("and visible again", runs("rabbitmq", sees(settings=[directive("InaccessiblePaths", "/etc"), directive("InaccessiblePaths", "")])), ""),
    ("an empty /etc", runs("rabbitmq", sees(settings=[directive("TemporaryFileSystem", "/etc:ro")])), "directive_unusable"),
    ("no program anywhere", runs("rabbitmq", sees(settings=[directive("NoExecPaths", "/")])), "directive_unusable"),
    ("no program but the guard",
     runs("rabbitmq", lambda world: (sees(settings=[directive("NoExecPaths", "/")])(world), allows("ExecPaths=/usr /etc/beam")(world))[0]), ""),
    ("no program in a directory", runs("rabbitmq", sees(settings=[directive("NoExecPaths", "/tmp"), directive("NoExecPaths", "/srv")])), ""),
    ("no network", network(("IPAddressDeny", "any")), "directive_unusable"),
    ("no network but this one", network(("IPAddressDeny", "any"), ("IPAddressAllow", "localhost 10.0.0.0/24")), ""),
    ("only one of the members", network(("IPAddressDeny", "any"), ("IPAddressAllow", "localhost 10.0.0.1")), "directive_unusable"),
    ("members without loopback", network(("IPAddressDeny", "any"), ("IPAddressAllow", "10.0.0.0/8")), "directive_unusable"),
    ("another network is refused", network(("IPAddressDeny", "203.0.113.0/24 multicast link-local")), ""),
    ("a member is refused", network(("IPAddressDeny", "10.0.0.3")), "directive_unusable"),
    ("and no longer refused", network(("IPAddressDeny", "any"), ("IPAddressDeny", "")), ""),
    ("all networks of IPv6", network(("IPAddressDeny", "::/0")), ""),
    ("members that are allowed by our variable",
     lambda world: (network(("IPAddressDeny", "any"))(world), allows("IPAddressAllow=localhost 10.0.0.0/24")(world))[0], ""),
    ("a list that systemd does not understand", network(("IPAddressDeny", "moon")), ""),
    ("no port", network(("SocketBindDeny", "any")), "directive_unusable"),
    ("no port but others", network(("SocketBindDeny", "any"), ("SocketBindAllow", "tcp:5672 ipv4:tcp:15672-15692")), "directive_unusable"),
    ("no port but the node's", network(("SocketBindDeny", "tcp:1-65535"), ("SocketBindAllow", "tcp:9000-9200")), ""),
    ("no free port, from which it connects", network(("SocketBindDeny", "any"), ("SocketBindAllow", "tcp:9000-9200")), "directive_unusable"),
    ("every port again", network(("SocketBindDeny", "any"), ("SocketBindAllow", "tcp")), ""),
    ("the node's port of IPv6", network(("SocketBindDeny", "ipv6:any")), ""),
    ("the node's port for UDP", network(("SocketBindDeny", "udp:9100")), ""),
    ("the node's port", network(("SocketBindDeny", "ipv4:tcp:9100")), "directive_unusable"),
    ("the node's port by number", network(("SocketBindDeny", "9100")), "directive_unusable"),
    ("a port allowed by our variable",
     lambda world: (network(("SocketBindDeny", "tcp:1-65535"))(world), allows("SocketBindAllow=tcp:9100")(world))[0], ""),
    ("an account that is not there", runs("release", sees(units=unit(SHOP), accounts=[])), "account_missing"),
    ("an account", runs("release", sees(units=unit(SHOP), accounts=[{**account("/srv")[0], "name": "beam"}])), ""),
    ("a command before it stops", stops("/usr/local/bin/drain"), "directive_overridden"),
    ("a shell before it stops", stops("/bin/sh"), "directive_overridden"),
    ("the release's own", stops("/opt/beam/bin/beam"), ""),
    ("a signal", stops("/bin/kill"), ""),
    ("none", stops(""), ""),
    ("a package's", stops("/usr/bin/x", "/usr/lib/systemd/system/x.service"), ""),
    ("Node.js in its unit", runs("release", sees(units=unit(SHOP), companions=[companion("node", "writable_code")])), "program_refused"),
    ("a browser in its unit", runs("release", sees(units=unit(SHOP), companions=[companion("chrome", "namespace")])), "program_refused"),
    ("Node.js that is allowed",
     lambda world: (runs("release", sees(units=unit(SHOP), companions=[companion("node", "writable_code")]))(world),
                    allows("MemoryDenyWriteExecute=no")(world))[0], ""),
    ("Node.js in another unit", runs("release", sees(units=unit(SHOP), companions=[{**companion("node", "namespace"), "unit": "x.service"}])), ""),
    ("a reason that a later version has", runs("release", sees(units=unit(SHOP), companions=[companion("node", "moon")])), ""),
    ("a /tmp of its own", runs("rabbitmq", sees(settings=[directive("PrivateTmp", "true")])), ""),
    ("homes", runs("rabbitmq", sees(settings=[directive("ProtectHome", "read-only")])), "directive_overridden"),
    ("of the package", runs("rabbitmq", sees(settings=[directive("PrivateTmp", "no", "/usr/lib/systemd/system/x")])), ""),
    ("of another unit", runs("rabbitmq", sees(settings=[{**directive("PrivateTmp", "no"), "unit": "x.service"}])), ""),
    ("set again later", runs("rabbitmq", sees(settings=[directive("PrivateTmp", "no"), directive("PrivateTmp", "yes")])), ""),
    ("allowed", runs("rabbitmq", sees(settings=[directive("PrivateTmp", "no")]), allows("PrivateTmp=no")), ""),
    ("data behind a link", runs("rabbitmq", sees(processes=[writer("/data/mq/mnesia")], links={"/var/lib/rabbitmq": "/data/mq"})), ""),
    ("data elsewhere", runs("rabbitmq", sees(processes=[writer("/data/x")], links={"/var/lib/rabbitmq": "/data/mq"})), "directory_read_only"),
    ("another init", sees(init="init"), "systemd_missing"),
    ("an old systemd", sees(init="systemd", systemd=249), "systemd_unsupported"),
    ("the oldest", sees(init="systemd", systemd=250), ""),
    ("a directory that cannot be written", sees(obstacles=[{"path": "/etc", "reason": "read_only"}]), "path_not_writable"),
    ("a file that cannot be changed", sees(obstacles=[{"path": "/etc/x", "reason": "immutable"}]), "path_not_writable"),
    ("a full disk", sees(obstacles=[{"path": "/var/lib", "reason": "full"}]), "path_not_writable"),
    ("packages half installed", sees(obstacles=[{"path": "/var/lib/dpkg/updates", "reason": "interrupted"}]), "path_not_writable"),
    ("a file with two names", sees(obstacles=[{"path": "/etc/x", "reason": "hard_link"}]), "path_not_writable"),
    ("a link that leads nowhere", sees(obstacles=[{"path": "/etc/x", "reason": "dangling"}]), "path_not_writable"),
    ("a reason of a later version", sees(obstacles=[{"path": "/x", "reason": "moon"}]), ""),
    ("a client port", runs("rabbitmq", says("beam_ports", "5670-5679"), sees(system=PORTS)), "port_range_of_product"),
    ("a port of its tools", runs("rabbitmq", says("beam_ports", "25670-25675")), "port_range_of_product"),
    ("a port of its streams", runs("rabbitmq", says("beam_ports", "6000")), "port_range_of_product"),
    ("its usual port", runs("rabbitmq", says("beam_ports", "25672"), sees(system=PORTS)), ""),
    ("a name of this host only", says("beam_node_name", "beam@localhost"), "name_of_loopback"),
    ("its long form", named("beam@n1.example.com", "beam@localhost.localdomain", "beam@n3.example.com"), "name_of_loopback"),
    ("a name of a name", says("beam_node_name", "beam@localhost1"), ""),
]  # fmt: skip
OF_VALUES = ("name_of_loopback", "port_range_of_product")
"""Rules of variables: they hold for every run."""


@pytest.mark.parametrize(("bend", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_host_as_it_is(world: World, bend: Bend, rule: str) -> None:
    bend(world)
    problems = world.validate()[1]
    assert {(host, what) for host, _variable, what in found(problems)} == ({("n2", rule)} if rule else set())
    assert all(problem.message.endswith(".") and problem.fix.endswith(".") for problem in problems)


@pytest.mark.parametrize(("bend", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_run_that_only_looks_refuses_no_host_as_it_is(world: World, bend: Bend, rule: str) -> None:
    bend(world)
    world.more["preflight"] = False
    assert {what for _host, _variable, what in found(world.validate()[1])} <= {rule} & set(OF_VALUES)


def test_alone_a_node_may_have_the_name_localhost(world: World) -> None:
    """As ejabberd is installed."""
    world.set("beam_mode", "standalone")
    world.set("beam_node_name", "beam@localhost", "n2")
    assert found(world.validate()[1]) == set()


@pytest.mark.parametrize(
    ("settings", "umask"),
    [
        ([], None),
        ([("UMask", "0022")], "0022"),
        ([("UMask", "0022"), ("UMask", "027")], "0027"),
        ([("UMask", "0000")], None),
        ([("UMask", "u=rwx")], None),
        ([("UMask", "99")], None),
    ],
)
def test_the_umask_of_an_operator_is_kept(world: World, settings: list[tuple[str, str]], umask: str | None) -> None:
    """A web server may read what a release writes. What everybody could change is not kept, and named."""
    runs("release", sees(settings=[{**directive(name, value), "unit": SHOP} for name, value in settings], units=unit(SHOP)))(world)
    world.more["sandbox"] = {"n2": ["UMask=0000"]}
    assert world.cluster()["hosts"]["n2"]["nodes"][0]["product_data"].get("umask") == umask
    world.more["sandbox"] = {}
    assert {what for _host, _variable, what in found(world.validate()[1])} == ({"directive_overridden"} if "0000" in str(settings) else set())


@pytest.mark.parametrize(
    ("shown", "settings", "umask", "named"),
    [
        ({"umask": "0022"}, [], "0027", True),
        ({"umask": "0022"}, [("UMask", "0022")], "0022", False),
        ({"umask": "0027"}, [], "0027", False),
        ({"umask": "0077"}, [], None, False),
        ({"umask": "0022", "drop_ins": ["/etc/systemd/system/beam.service.d/zzz-beam.conf"]}, [], "0027", False),
        ({"umask": "0022", "ours": True}, [], None, False),
        ({"umask": "0022", "load": "not-found"}, [], None, False),
        ({}, [], None, False),
    ],
)
def test_a_group_reads_what_it_could_read(
    world: World, shown: dict[str, Any], settings: list[tuple[str, str]], umask: str | None, named: bool
) -> None:
    """Log shippers in the group adm, backups: nobody has said anything, and systemd's own is 0022. What every user could read is said once."""
    units = {SHOP: {**unit(SHOP)[SHOP], **shown}}
    runs("rabbitmq")(world) if shown.get("load") else runs("release")(world)
    world.set("beam_nodes", [{"unit": SHOP}])
    sees(settings=[{**directive(name, value), "unit": SHOP} for name, value in settings], units=units)(world)
    cluster = world.cluster()
    assert cluster["hosts"]["n2"]["nodes"][0]["product_data"].get("umask") == umask
    said = [one for one in cluster["advisories"] if one["control"] == "umask_narrowed"]
    assert [(one["host"], "UMask=0027" in one["detail"]) for one in said] == ([("n2", True)] if named else [])
    world.more["sandbox"] = {"n2": ["UMask=0022"]}
    assert not [one for one in world.cluster()["advisories"] if one["control"] == "umask_narrowed"]


def test_the_group_of_a_release_is_that_of_its_account(world: World) -> None:
    """An operator's account need not have a group of its own name: to give files to such a group would fail in the middle of the run."""
    runs("release", sees(units=unit(SHOP), accounts=[{**account("/srv")[0], "name": "beam", "group": "www-data"}]))(world)
    cluster, problems = world.validate()
    assert not problems and cluster is not None
    assert {str(node.node): node.runtime.group for node in cluster.members} == {"beam@n1": "beam", "beam@n2": "www-data", "beam@n3": "beam"}


@pytest.mark.parametrize(("group", "added"), [("www-data", ["SupplementaryGroups=deploy"]), ("deploy", []), ("", [])])
def test_a_unit_with_a_group_of_its_own_keeps_that_of_its_account(world: World, group: str, added: list[str]) -> None:
    """systemd gives a process Group= in place of the group in passwd(5), for which the placeholder cookie is readable."""
    PRODUCTS["release"]["cookie_placeholder"] = True
    accounts = [{**account("/srv")[0], "name": "beam", "group": "deploy"}]
    runs("release", sees(units=unit(SHOP, group=group), accounts=accounts))(world)
    given = world.cluster()["hosts"]["n2"]["nodes"][0]
    assert given["product_data"].get("directives", []) == added and given["group"] == "deploy"


def test_what_a_variable_of_the_unit_names_and_its_user_writes_to_stays_writable(world: World) -> None:
    """Uploads, a database of SQLite: a running VM has them open for a moment only, and without this they were read-only after the run."""
    paths = ["/srv/shop/uploads", "/srv/shop/uploads/small", "/etc/shop/x", "/home/shop/x", "/tmp/shop", "/srv"]
    settings = [{"unit": SHOP, "path": "/etc/default/shop", "line": 1, "kind": "writes", "name": "path", "value": path} for path in paths]
    runs("release", sees(units=unit(SHOP), settings=settings))(world)
    assert world.cluster()["hosts"]["n2"]["nodes"][0]["product_data"]["writable"] == ["-/srv/shop/uploads"]


def test_the_name_of_a_running_node_is_named_with_the_variable_that_keeps_it(world: World) -> None:
    runs("release", sees(units=unit(SHOP), databases=[mnesia("shop@web2")], processes=[open_vm("shop")], hostname="web2"))(world)
    (problem,) = world.validate()[1]
    assert problem.variable == "beam_node_name" and "shop@web2" in problem.message and SHOP in problem.message and "beam@n2" in problem.message
    assert problem.fix.startswith("set beam_node_name to shop@web2;") and "stop beam.service and move /opt/beam/Mnesia" in problem.fix


def test_addresses_that_the_unit_does_not_reach_are_named_with_the_line_that_allows_them(world: World) -> None:
    network(("IPAddressDeny", "any"))(world)
    (problem,) = world.validate()[1]
    assert "x.conf line 3 sets IPAddressDeny=any" in problem.message and "10.0.0.1" in problem.message
    assert "'IPAddressAllow=localhost 10.0.0.1 10.0.0.2 10.0.0.3' to beam_service_directives" in problem.fix
    network(("SocketBindDeny", "tcp"))(world)
    (problem,) = world.validate()[1]
    assert "'SocketBindAllow=tcp:9100' to beam_service_directives" in problem.fix


@pytest.mark.parametrize(
    ("values", "kept"),
    [([], None), (["always"], "always"), (["on-failure"], None), (["always", "on-failure"], None), (["no", "always"], "always"), (["no"], None)],
)
def test_a_unit_that_comes_back_after_every_end_still_does(world: World, values: list[str], kept: str | None) -> None:
    """Deployments end the VM in good order (bin/shop stop, System.stop/0), and rely on Restart=always for the start of what was deployed."""
    runs("release", sees(settings=[{**directive("Restart", value), "unit": SHOP} for value in values], units=unit(SHOP)))(world)
    assert world.cluster()["hosts"]["n2"]["nodes"][0]["product_data"].get("restart") == kept
