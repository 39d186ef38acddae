# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings in the files of a product, from its data to the plan's error: what is read on a host, and which values are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.module_utils._host import hidden_paths, operator_settings, shell_values
from ansible_collections.beam.cluster.plugins.module_utils._host.operator_settings import Question
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._model.product_data import ProductData
from ansible_collections.beam.cluster.plugins.module_utils._model.reserved_flags import OF_SCRIPT
from ansible_collections.beam.cluster.plugins.module_utils._plan import what_to_observe
from plan_world import PRODUCTS, World

ROLE = Path(__file__).resolve().parents[5] / "roles" / "product" / "products"
NAMES = {"rabbitmq": "rabbit@n2", "ejabberd": "ejabberd@n2", "release": "beam@n2"}


@pytest.fixture(autouse=True)
def this_host_is_n2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_values, "_COMMANDS", dict.fromkeys(shell_values._COMMANDS, lambda: "n2"))
    monkeypatch.setattr(shell_values, "_name", lambda: "n2")


@pytest.fixture(autouse=True)
def nothing_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of these tests are in /tmp, which the sandbox hides: test_hidden_paths.py."""
    monkeypatch.setattr(hidden_paths, "find", lambda text, user: ())


def data_of(product: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROLE / product / "vars.yml").read_text(encoding="utf-8"))["__beam_product"]
    return found


def read(product: str, folder: Path, files: dict[str, str], environment: str = "") -> list[dict[str, object]]:
    """What observe says of a host whose files are below `folder`: paths in the product's data begin there, too."""
    for name, text in files.items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("ROOT", str(folder)), encoding="utf-8")
    (folder / "environment").write_text(environment.replace("ROOT", str(folder)), encoding="utf-8")
    data = data_of(product)
    data["settings"] = [{**one, "path": f"{folder}{one['path']}"} for one in data.get("settings", ())]
    question = what_to_observe.of_host("n2", {"beam_product": product}, {product: ProductData.parse(data)})["nodes"][0]
    asked = Question(
        str(question["unit"]), tuple((one["path"], one["syntax"]) for one in question["files"]), frozenset(question["values"]),
        names=frozenset(question["names"]), moved=question["moved"],
    )  # fmt: skip
    drop_in = folder / "mine.conf"
    found = operator_settings.settings(
        [asked], {asked.unit: {"environment_files": [str(folder / "environment")], "drop_ins": [str(drop_in)] if drop_in.exists() else []}}
    )
    return [{**one, "path": str(one["path"]).replace(str(folder), "", 1)} for one in found]


def planned(product: str, settings: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch, **variables: object) -> Problems:
    monkeypatch.setitem(PRODUCTS, product, data_of(product))
    world = World()
    world.set("beam_product", product)
    for name, value in variables.items():
        world.set(name, value)
    world.observed["n2"]["settings"] = settings
    return world.validate()[1]


UNIT = "/mine.conf"
ENV, CONF, ADVANCED = "/etc/rabbitmq/rabbitmq-env.conf", "/etc/rabbitmq/rabbitmq.conf", "/etc/rabbitmq/advanced.config"
CASES: list[tuple[str, str, dict[str, str], str, str, str]] = [
    # Name, product, files, the unit's environment file, rule, what the message names.
    ("another file of settings", "rabbitmq", {}, "RABBITMQ_CONF_ENV_FILE=/srv/env.conf\n", "setting_refused", "RABBITMQ_CONF_ENV_FILE"),
    ("the same file", "rabbitmq", {}, f"RABBITMQ_CONF_ENV_FILE={ENV}\n", "", ""),
    ("another conf.d", "rabbitmq", {ENV: "CONFIG_FILES=/srv/conf.d/*.conf\n"}, "", "setting_refused", "CONFIG_FILES"),
    ("the same conf.d", "rabbitmq", {ENV: "CONFIG_FILES=/etc/rabbitmq/conf.d/*.conf\n"}, "", "", ""),
    ("a cookie in the environment", "rabbitmq", {}, "RABBITMQ_ERLANG_COOKIE=s3cret\n", "setting_refused", "RABBITMQ_ERLANG_COOKIE"),
    ("a cookie in its file", "rabbitmq", {ENV: "export ERLANG_COOKIE='s3cret'\n"}, "", "setting_refused", "ERLANG_COOKIE"),
    ("long names", "rabbitmq", {ENV: "RABBITMQ_USE_LONGNAME=true\n"}, "", "name_type_differs", "RABBITMQ_USE_LONGNAME"),
    ("short names", "rabbitmq", {ENV: "RABBITMQ_USE_LONGNAME=false\n"}, "", "", ""),
    ("another EPMD port", "rabbitmq", {ENV: "export ERL_EPMD_PORT=4370\n"}, "", "setting_refused", "ERL_EPMD_PORT"),
    ("another EPMD port of ejabberd", "ejabberd", {"/etc/default/ejabberd": "ERL_EPMD_PORT=4370\n"}, "", "setting_refused", "ERL_EPMD_PORT"),
    ("another EPMD port of a release", "release", {}, "ERL_EPMD_PORT=4370\n", "setting_refused", "ERL_EPMD_PORT"),
    ("another directory of settings", "release", {}, "XDG_CONFIG_HOME=/srv/settings\n", "setting_refused", "XDG_CONFIG_HOME"),
    ("an EPMD that obeys", "rabbitmq", {ENV: "export ERL_EPMD_RELAXED_COMMAND_CHECK=1\n"}, "", "setting_refused", "ERL_EPMD_RELAXED_COMMAND_CHECK"),
    ("the usual EPMD port", "release", {}, "ERL_EPMD_PORT=4369\n", "", ""),
    ("a port of relx", "release", {}, "ERL_DIST_PORT=8001\n", "setting_refused", "ERL_DIST_PORT"),
    ("ports in advanced.config", "rabbitmq", {ADVANCED: "%% dist\n[{kernel, [\n {inet_dist_listen_min, 25672}]}].\n"}, "", "flag_reserved",
     "advanced.config line 3 sets inet_dist_listen_min"),
    ("an address in rabbitmq.config", "rabbitmq", {"/etc/rabbitmq/rabbitmq.config": "[{kernel,[{inet_dist_use_interface,{0,0,0,0}}]}]."}, "",
     "flag_reserved", "inet_dist_use_interface"),
    ("a tick in advanced.config", "rabbitmq", {ADVANCED: "[{kernel, [{net_ticktime, 120}]}]."}, "", "setting_overridden", "net_ticktime to 120"),
    ("the same tick", "rabbitmq", {ADVANCED: "[{kernel, [{net_ticktime, 60}]}]."}, "", "", ""),
    ("words elsewhere in it", "rabbitmq", {ADVANCED: "%% inet_dist_listen_min\n[{rabbit, [{inetrc, 1}, {x, <<\"-name\">>}]}]."}, "", "", ""),
    ("no terms", "rabbitmq", {ADVANCED: "[{kernel, ["}, "", "", ""),
    ("the listener of rabbitmq.conf", "rabbitmq", {CONF: "distribution.listener.port_range.min = 25672\n"}, "", "setting_refused",
     "distribution.listener.port_range.min"),
    ("a main file elsewhere", "rabbitmq", {ENV: "CONFIG_FILE=ROOT/srv/mq\n", "/srv/mq.conf": "net_ticktime = 90\n"}, "", "setting_overridden", "90"),
    ("an advanced file elsewhere", "rabbitmq", {"/srv/a.config": "[{kernel,[{inetrc,\"/x\"}]}]."}, "RABBITMQ_ADVANCED_CONFIG_FILE=ROOT/srv/a\n",
     "flag_reserved", "inetrc"),
    ("peers from the cloud", "rabbitmq", {"/etc/rabbitmq/conf.d/90-aws.conf": "cluster_formation.peer_discovery_backend = aws\n"}, "",
     "setting_refused", "cluster_formation.peer_discovery_backend"),
    ("our backend, in full", "rabbitmq", {CONF: "cluster_formation.peer_discovery_backend = rabbit_peer_discovery_classic_config\n"}, "", "", ""),
    ("a tick of ejabberd", "ejabberd", {"/etc/ejabberd/ejabberd.yml": "net_ticktime: 30\n"}, "", "setting_overridden", "net_ticktime to 30"),
    ("its own control file", "ejabberd", {}, "EJABBERDCTL_CONFIG_PATH=/srv/ejabberdctl.cfg\n", "setting_refused", "EJABBERDCTL_CONFIG_PATH"),
    ("its own directory", "ejabberd", {"/etc/default/ejabberd": "CONFIG_DIR=/srv/ejabberd\n"}, "", "setting_refused", "CONFIG_DIR"),
    ("a home elsewhere", "rabbitmq", {ENV: "export HOME=/srv/mq\n"}, "", "setting_refused", "HOME"),
    ("a home elsewhere by the unit", "ejabberd", {}, "HOME=/srv/xmpp\n", "setting_refused", "HOME"),
    ("the home", "ejabberd", {}, "HOME=/var/lib/ejabberd\n", "", ""),
    ("plugins by the environment", "rabbitmq", {ENV: "ENABLED_PLUGINS=rabbitmq_management\n"}, "", "setting_refused", "ENABLED_PLUGINS"),
    ("plugins by the unit", "rabbitmq", {}, "RABBITMQ_ENABLED_PLUGINS=rabbitmq_mqtt\n", "setting_refused", "RABBITMQ_ENABLED_PLUGINS"),
    ("another root", "rabbitmq", {}, "SYS_PREFIX=/opt/mq\n", "setting_refused", "SYS_PREFIX"),
    ("peers from Consul in advanced.config", "rabbitmq",
     {ADVANCED: "[{rabbit, [\n {cluster_formation, [\n  {peer_discovery_backend, rabbit_peer_discovery_consul}]}]}]."}, "", "setting_refused",
     "advanced.config line 3 sets cluster_formation.peer_discovery_backend"),
    ("our backend in advanced.config", "rabbitmq",
     {ADVANCED: "[{rabbit, [{cluster_formation, [{peer_discovery_backend, rabbit_peer_discovery_classic_config}]}]}]."}, "", "", ""),
    ("a list of peers in rabbitmq.config", "rabbitmq", {"/etc/rabbitmq/rabbitmq.config": "[{rabbit, [{cluster_nodes, {['rabbit@a'], disc}}]}]."}, "",
     "setting_refused", "cluster_nodes"),
    ("an application of its own", "rabbitmq", {ADVANCED: "[{mine, [{cluster_nodes, 1}, {x, {y, z}}]}]."}, "", "", ""),
    ("a main file of ejabberd elsewhere", "ejabberd",
     {"/etc/default/ejabberd": "EJABBERD_CONFIG_PATH=ROOT/srv/a.yml\n", "/srv/a.yml": "net_ticktime: 30\n"}, "", "setting_overridden", "/srv/a.yml"),
    ("a file that it includes", "ejabberd",
     {"/etc/ejabberd/ejabberd.yml": "include_config_file: ROOT/srv/b.yml\n", "/srv/b.yml": "net_ticktime: 30\n"}, "", "setting_overridden", "b.yml"),
    ("files that it includes", "ejabberd",
     {"/etc/ejabberd/ejabberd.yml": "include_config_file:\n  - ROOT/srv/c.yml\n", "/srv/c.yml": "net_ticktime: 30\n"}, "", "setting_overridden",
     "c.yml"),
    ("files of which it includes a part", "ejabberd",
     {"/etc/ejabberd/ejabberd.yml": 'include_config_file:\n  "ROOT/srv/d.yml":\n    disallow: [x]\n', "/srv/d.yml": "net_ticktime: 30\n"}, "",
     "setting_overridden", "d.yml"),
    ("flags of ejabberd elsewhere", "ejabberd", {"/etc/default/ejabberd": "VMARGS=ROOT/srv/vm.args\n", "/srv/vm.args": "+P 1\n-nocookie\n"}, "",
     "flag_reserved", "/srv/vm.args line 2"),
    ("an end before our block", "rabbitmq", {ENV: "A=1\n[ -n \"$A\" ] || exit 0\n"}, "", "block_unread", "rabbitmq-env.conf line 2"),
    ("another program", "ejabberd", {"/etc/default/ejabberd": "exec /usr/bin/mine\n"}, "", "block_unread", "/etc/default/ejabberd line 1"),
    ("an open quote", "ejabberd", {"/etc/default/ejabberd": "A=1\nB='s3cret\n"}, "", "block_unread", "/etc/default/ejabberd line 2"),
    ("an open here-document", "rabbitmq", {ENV: "cat <<END\nA=1\n"}, "", "block_unread", "rabbitmq-env.conf line 2"),
    ("a function", "rabbitmq", {ENV: "f() { return 0; }\n"}, "", "", ""),
    ("a name of the shell", "rabbitmq", {ENV: "NODENAME=rabbit@$(cat /etc/id)\n"}, "", "node_name_differs", "which only a shell can tell"),
    ("a name of a variable", "rabbitmq", {ENV: 'export RABBITMQ_NODENAME="rabbit@${ID}"\n'}, "", "node_name_differs", "which only a shell can tell"),
    ("the host's name", "rabbitmq", {ENV: "NODENAME=rabbit@$(hostname -s)\n"}, "", "", ""),
    ("the host's name in a variable", "rabbitmq", {ENV: "NODENAME=rabbit@${HOSTNAME}\n"}, "", "", ""),
    ("a name with a default", "rabbitmq", {ENV: "RABBITMQ_NODENAME=${RABBITMQ_NODENAME:-rabbit@`hostname`}\n"}, "", "", ""),
    ("another name with a default", "rabbitmq", {ENV: "NODENAME=${MINE-rabbit@mq1}\n"}, "", "node_name_differs", "to rabbit@mq1, but"),
    ("data where a command says", "rabbitmq", {ENV: "MNESIA_BASE=/data/$(id -un)\n"}, "", "directory_read_only", "MNESIA_BASE to /data/$(id -un)"),
    ("logs where a variable says", "rabbitmq", {CONF: "log.dir = $(LOGS)/mq\n"}, "", "directory_read_only", "rabbitmq.conf line 1 sets log.dir"),
    ("a file that it reads", "rabbitmq", {ENV: "A=1\n[ ! -f ROOT/srv/e ] || . ROOT/srv/e\n", "/srv/e": "\nexport ERL_EPMD_PORT=4370\n"}, "",
     "setting_refused", "/srv/e line 2 sets ERL_EPMD_PORT"),
    ("a file that that reads", "ejabberd", {"/etc/default/ejabberd": "if true; then source ROOT/srv/a; fi\n", "/srv/a": ". ROOT/srv/b\n",
     "/srv/b": "ERL_OPTIONS=-hidden\n"}, "", "flag_reserved", "/srv/b line 1 sets -hidden"),
    ("files in a circle", "rabbitmq", {ENV: ". ROOT/srv/a\n", "/srv/a": ". ROOT/srv/a\n"}, "", "", ""),
    ("a port of its own", "rabbitmq", {ENV: "RABBITMQ_DIST_PORT=25672\n"}, "", "setting_refused", "RABBITMQ_DIST_PORT"),
    ("a port without prefix", "rabbitmq", {ENV: "DIST_PORT=25672\n"}, "", "setting_refused", "DIST_PORT"),
    ("a port range of ejabberd", "ejabberd", {"/etc/default/ejabberd": "FIREWALL_WINDOW=4370-4375\n"}, "", "setting_refused", "FIREWALL_WINDOW"),
    ("no port range of ejabberd", "ejabberd", {"/etc/default/ejabberd": 'FIREWALL_WINDOW=\nINET_DIST_INTERFACE=""\n#ERL_DIST_PORT=1\n'}, "", "", ""),
    ("an address of ejabberd", "ejabberd", {"/etc/default/ejabberd": "INET_DIST_INTERFACE=127.0.0.1\n"}, "", "setting_refused",
     "INET_DIST_INTERFACE"),
    ("a port of ejabberd", "ejabberd", {}, "ERL_DIST_PORT=5210\n", "setting_refused", "ERL_DIST_PORT"),
    ("crash dumps", "release", {}, "ERL_CRASH_DUMP=/var/log/shop/erl_crash.dump\n", "setting_refused", "ERL_CRASH_DUMP"),
    ("crash dumps for a time", "ejabberd", {"/etc/default/ejabberd": "export ERL_CRASH_DUMP_SECONDS=10\n"}, "", "setting_refused", "_SECONDS"),
    ("no crash dumps", "release", {}, "ERL_CRASH_DUMP=/dev/null\nERL_CRASH_DUMP_SECONDS=0\nERL_CRASH_DUMP_BYTES=1\n", "", ""),
    ("an end of a file without a block", "ejabberd", {"/etc/ejabberd/ejabberdctl.cfg": "exit 0\n"}, "", "", ""),
    ("a name on the command line", "ejabberd", {UNIT: "[Service]\nExecStart=/bin/sh -c '/usr/sbin/ejabberdctl --node ejabberd@mq1 foreground'\n"}, "",
     "node_name_differs", "mine.conf line 2 sets --node to ejabberd@mq1"),
    ("the control file on the command line", "ejabberd", {UNIT: "[Service]\nExecStart=/usr/sbin/ejabberdctl --ctl-config /srv/ctl.cfg foreground\n"},
     "", "setting_refused", "--ctl-config"),
    ("the name on the command line", "ejabberd",
     {UNIT: "[Service]\nExecStart=/bin/sh -c '/usr/sbin/ejabberdctl --config-dir /etc/ejabberd --node ejabberd@n2 foreground'\n"}, "", "", ""),
    ("a name by a specifier", "rabbitmq", {UNIT: "[Service]\nEnvironment=RABBITMQ_NODENAME=rabbit@%H\n"}, "", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("product", "files", "environment", "rule", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_setting_of_an_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product: str, files: dict[str, str], environment: str, rule: str, says: str
) -> None:
    settings = read(product, tmp_path, files, environment)
    assert "s3cret" not in str(settings)
    problems = list(planned(product, settings, monkeypatch))
    assert [problem.rule for problem in problems] == ([rule] if rule else []), problems
    for problem in problems:
        assert problem.host == "n2" and says in problem.message and " line " in problem.message and problem.fix
        assert "s3cret" not in problem.message + problem.fix


@pytest.mark.parametrize(
    ("product", "files", "ticktime", "rule"),
    [
        ("ejabberd", {}, 30, "setting_missing"),
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "hosts: [localhost]\n"}, 30, "setting_missing"),
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "net_ticktime: 30 seconds\n"}, 30, ""),
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "net_ticktime: 90\n"}, 30, "setting_overridden"),
        ("ejabberd", {}, 60, ""),
        ("rabbitmq", {}, 30, ""),
    ],
)
def test_a_setting_that_the_product_makes_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product: str, files: dict[str, str], ticktime: int, rule: str
) -> None:
    """ejabberd_cluster:init/1 calls net_kernel:set_net_ticktime/1 with 60 seconds where ejabberd.yml has none: the flag is not in force."""
    problems = list(planned(product, read(product, tmp_path, files), monkeypatch, beam_net_ticktime=ticktime))
    assert [(one.rule, one.host) for one in problems if one.host == "n2"] == ([(rule, "n2")] if rule else [])
    for problem in problems:
        if rule == "setting_missing":
            assert "net_ticktime" in problem.message and "'net_ticktime: 30' to /etc/ejabberd/ejabberd.yml" in problem.fix


def test_long_names_are_right_where_they_are_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read("rabbitmq", tmp_path, {ENV: "RABBITMQ_USE_LONGNAME=true\n"})
    monkeypatch.setitem(PRODUCTS, "rabbitmq", data_of("rabbitmq"))
    world = World()
    world.set("beam_product", "rabbitmq")
    for host in ("n1", "n2", "n3"):
        world.set("beam_node_name", f"rabbit@{host}.example.com", host)
    world.observed["n2"]["settings"] = settings
    assert list(world.validate()[1]) == []


@pytest.mark.parametrize(
    ("product", "files", "expected"),
    [
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "modules:\n  mod_muc_log:\n    outdir: /var/www/muc\n"}, ["-/var/www/muc"]),
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "sql_type: sqlite\nsql_database: /data/xmpp/all.db\n"}, ["-/data/xmpp"]),
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "sql_database: ejabberd\n"}, []),
        ("ejabberd", {"/etc/default/ejabberd": "BASE=/srv/xmpp\nSPOOL_DIR=$BASE/db\nLOGS_DIR=/data/log\n"}, ["-/srv/xmpp/db", "-/data/log"]),
        ("ejabberd", {"/etc/default/ejabberd": "ERL_OPTIONS=\"-mnesia dir '\\\"/srv/xmpp/db\\\"'\"\n"}, ["-/srv/xmpp/db"]),
        ("ejabberd", {"/etc/ejabberd/vm.args": "-mnesia dir '\"/srv/xmpp/db\"'\n"}, ["-/srv/xmpp/db"]),
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "include_config_file:\n- ROOT/srv/x.yml\n", "/srv/x.yml": "docroot: /srv/up\n"}, ["-/srv/up"]),
    ],
)
def test_directories_that_the_product_itself_writes_to_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product: str, files: dict[str, str], expected: list[str]
) -> None:
    monkeypatch.setitem(PRODUCTS, product, data_of(product))
    world = World()
    world.set("beam_product", product)
    world.observed["n2"]["settings"] = read(product, tmp_path, files)
    assert not world.observed["n2"].get("processes"), "no node runs"
    writable = world.cluster()["hosts"]["n2"]["nodes"][0]["product_data"]["writable"]
    assert [path for path in writable if path not in data_of(product)["writable"]] == expected


@pytest.mark.parametrize(("names", "rule"), [(["ejabberd@localhost"], "data_of_another_name"), (["ejabberd@n2"], "")])
def test_a_database_in_a_directory_of_the_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], rule: str) -> None:
    """Of a node that is stopped: it would not start, late in its turn."""
    monkeypatch.setitem(PRODUCTS, "ejabberd", data_of("ejabberd"))
    world = World()
    world.set("beam_product", "ejabberd")
    world.observed["n2"]["settings"] = read("ejabberd", tmp_path, {"/etc/default/ejabberd": "SPOOL_DIR=/srv/xmpp\n"})
    world.observed["n2"]["databases"] = [{"path": "/srv/xmpp/schema.DAT", "names": names}]
    assert [one.rule for one in world.validate()[1]] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("product", "files", "others"),
    [
        ("rabbitmq", {"/etc/rabbitmq/rabbitmq.conf": "cluster_formation.classic_config.nodes.1 = rabbit@n1\n"}, ""),
        ("rabbitmq", {"/etc/rabbitmq/conf.d/90.conf": "cluster_formation.classic_config.nodes.7 = rabbit@old\n"}, "rabbit@old"),
        ("rabbitmq", {"/etc/rabbitmq/rabbitmq.conf": "# cluster_formation.classic_config.nodes.1 = rabbit@old\n"}, ""),
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "cluster_nodes: [ejabberd@n1, ejabberd@old]\n"}, "ejabberd@old"),
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "cluster_nodes:\n  - ejabberd@n1\n  - 'ejabberd@old.example'\nacl: x\n"}, "ejabberd@old.example"),
        ("ejabberd", {"/etc/ejabberd/ejabberd.yml": "acl:\n  admin:\n    user:\n      - admin@example.org\n"}, ""),
    ],
)
def test_peers_that_are_no_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product: str, files: dict[str, str], others: str) -> None:
    """The allow lists of both refuse the connection; a new node would wait for it at its first start."""
    problems = list(planned(product, read(product, tmp_path, files), monkeypatch))
    assert [one.rule for one in problems] == (["setting_refused"] if others else [])
    assert all(f"{others} is no member" in one.message for one in problems)


@pytest.mark.parametrize(
    ("product", "files", "writable"),
    [
        ("rabbitmq", {ENV: "MNESIA_BASE=/data/$(hostname)/mnesia\n"}, ["-/data/n2/mnesia"]),
        ("rabbitmq", {ENV: ". ROOT/srv/e\n", "/srv/e": "LOG_BASE=/logs/mq\n"}, ["-/logs/mq"]),
        ("rabbitmq", {CONF: "log.connection.file = /logs/c/a.log\nmanagement.http_log_dir = /logs/http\n"}, ["-/logs/c", "-/logs/http"]),
        ("rabbitmq", {ADVANCED: '[{rabbit, [{log, [{file, [{file, "/logs/a/r.log"}]}]}]},\n {ra, [{data_dir, "/data/ra"}]}].'},
         ["-/logs/a", "-/data/ra"]),
        ("rabbitmq", {ADVANCED: '[{rabbitmq_tracing, [{directory, <<"/data/traces">>}]}, {mine, [{x, "s3cret"}]}].'}, ["-/data/traces"]),
        ("ejabberd", {UNIT: "[Service]\nExecStart=/usr/sbin/ejabberdctl --spool /srv/db --logs /srv/logs foreground\n"}, ["-/srv/db", "-/srv/logs"]),
    ],
)  # fmt: skip
def test_directories_of_a_stopped_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product: str, files: dict[str, str], writable: list[str]
) -> None:
    settings = read(product, tmp_path, files)
    assert "s3cret" not in str(settings)
    monkeypatch.setitem(PRODUCTS, product, data_of(product))
    world = World()
    world.set("beam_product", product)
    world.observed["n2"]["settings"] = settings
    given = world.cluster()["hosts"]["n2"]["nodes"][0]["product_data"]["writable"]
    assert given[len(data_of(product)["writable"]) :] == writable


ENV_SH = [
    ('export RELEASE_DISTRIBUTION="name"\nexport RELEASE_NODE="shop@$(uname -n).example.com"\n', ["RELEASE_DISTRIBUTION", "RELEASE_NODE"]),
    ('export RELEASE_DISTRIBUTION=sname\nexport RELEASE_NODE="${RELEASE_NAME}@$(hostname -s)"\n', []),
    ("#export RELEASE_DISTRIBUTION=name\n# export RELEASE_COOKIE=s3cret\n", []),
    ('export RELEASE_NODE="${RELEASE_NODE:-shop@other}"\nRELEASE_COOKIE=${RELEASE_COOKIE:-s3cret}\n', []),
    ("export RELEASE_NODE=shop@$(curl -s http://169.254.169.254/ip)\n", []),
    ('if [ -n "$FLY_APP_NAME" ]; then\n  export RELEASE_NODE=shop@$FLY_PRIVATE_IP RELEASE_DISTRIBUTION=name\nfi\n', []),
    ("export RELEASE_COOKIE=s3cret\n", ["RELEASE_COOKIE"]),
    ('export ERL_AFLAGS="-proto_dist inet6_tcp"\n', ["ERL_AFLAGS"]),
    ("export HOME=/opt/shop\n", ["HOME"]),
    ('export ERL_AFLAGS="$ERL_AFLAGS +P 2000000" RELEASE_VM_ARGS=$RELEASE_VM_ARGS\n', ["ERL_AFLAGS"]),
    ('export RELEASE_COOKIE="$(cat /etc/shop/cookie)"\n', ["RELEASE_COOKIE"]),
]


@pytest.mark.parametrize(("text", "names"), ENV_SH)
def test_env_sh_of_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, names: list[str]) -> None:
    """Its script reads it at each start, after the environment of the unit. The role product would refuse it after the firewall was changed."""
    folder = tmp_path / "releases" / "1.0.0"
    folder.mkdir(parents=True)
    (tmp_path / "releases" / "start_erl.data").write_text("15.2 1.0.0\n", encoding="utf-8")
    (folder / "shop.rel").write_text("", encoding="utf-8")
    (folder / "env.sh").write_text(text, encoding="utf-8")
    monkeypatch.setitem(PRODUCTS, "release", data_of("release"))
    world = World()
    world.set("beam_product", "release")
    world.set("beam_nodes", [{"name": "shop@n2"}], "n2")
    settings = operator_settings.settings([Question("shop.service")], {"shop.service": {"release": str(tmp_path)}})
    assert "s3cret" not in str(settings)
    world.observed["n2"]["settings"] = settings
    problems = list(world.validate()[1])
    assert [problem.message.split(" ")[4] for problem in problems] == names
    for problem in problems:
        assert problem.rule == "setting_refused" and "/env.sh line " in problem.message and "rel/env.sh.eex" in problem.fix


def test_the_tool_on_the_host_looks_for_the_same() -> None:
    (names,) = re.findall(r"^ +names='(.*)'$", (ROLE / "release/templates/release.sh.j2").read_text(encoding="utf-8"), re.MULTILINE)
    assert names.split() == list(OF_SCRIPT)
