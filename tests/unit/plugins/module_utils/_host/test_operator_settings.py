# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An operator's files: what is read of them, with its line, and what stays on the host."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import operator_settings, setting_syntaxes, units
from ansible_collections.beam.cluster.plugins.module_utils._host.operator_settings import Question


@pytest.mark.parametrize(
    ("syntax", "text", "found"),
    [
        ("shell", "# -name x\nFOO='-name x'\n", [(2, "FOO"), (2, "-name")]),
        ("shell", "export RABBITMQ_NODENAME=rabbit@mq1 # -sname\n", [(1, "RABBITMQ_NODENAME")]),
        ("shell", 'ARGS="-proto_dist inet_tls \\\n  -ssl_dist_optfile /x"\n', [(1, "ARGS"), (1, "-proto_dist"), (2, "-ssl_dist_optfile")]),
        ("shell", 'ARGS="+P 5\n -kernel inet_dist_listen_min 9100"', [(1, "ARGS"), (2, "inet_dist_listen_min")]),
        ("shell", "if true; then A=1; B=2; fi\n", [(1, "A"), (1, "B")]),
        ("shell", "A='a # -name'\nB=#-name\n", [(1, "A"), (1, "-name"), (2, "B")]),
        ("arguments", "## -name x\n-name x@y # -sname z\n+P 5 # -setcookie\n-setcookie\n  word\n", [(2, "-name"), (4, "-setcookie")]),
        ("arguments", "-kernel inet_dist_use_interface {0,0,0,0}\n", [(1, "inet_dist_use_interface")]),
        ("variables", "; -name\nA=1\nERL_AFLAGS=-hidden\n", [(2, "A"), (3, "ERL_AFLAGS"), (3, "-hidden")]),
        ("variables", 'A="1\n2"\nB=\\\n-name\n', [(1, "A"), (3, "B"), (3, "-name")]),
        ("conf", "# net_ticktime = 1\n net_ticktime = 120\nlog.dir=/data/log\n", [(2, "net_ticktime"), (3, "log.dir")]),
        ("yaml", "a:\n  b: {docroot: /srv/upload, c: {docroot: /y}}\n", [(2, "docroot"), (2, "docroot")]),
        ("yaml", 'd: {"docroot":"/srv/x",\n    accesslog: \'/srv/y\'}\n', [(1, "docroot"), (2, "accesslog")]),
        ("yaml", "listen:\n  -\n    port: 5280\n    docroot: /srv/upload # -name\n", [(3, "port"), (4, "docroot")]),
        ("unit", "[Service]\n#Environment=A=1\nEnvironment=\"B=1\" 'ERL_ZFLAGS=-name x'\n", [(3, "B"), (3, "ERL_ZFLAGS"), (3, "-name")]),
        ("unit", "[Service]\nExecStart=/bin/erl \\\n# more\n  -sname x\nAmbientCapabilities=CAP_A\n", [(2, "-sname"), (5, "AmbientCapabilities")]),
        ("unit", "[Unit]\nDescription=-name\n", []),
        ("yaml", "a:\n  - /srv/x\n  - /srv/y: 1\nb:\n  '/srv/z':\n    c: 1\n", [(2, "a"), (3, "a"), (5, "b"), (6, "c")]),
        ("terms", "[{rabbit, [{a, [{b, 1}, {c, d}]}]}].", [(1, "a"), (1, "a.b"), (1, "a.c")]),
    ],
)
def test_names_and_lines(syntax: str, text: str, found: list[tuple[int, str]]) -> None:
    assert sorted((line, name) for line, _kind, name, _value in setting_syntaxes.SYNTAXES[syntax](text)) == sorted(found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=/data/x\n", "/data/x"),
        ('A="/data/a b"\n', "/data/a b"),
        ("A=/data/$X\n", "/data/$X"),
        ("A=/x;B=1\n", "/x"),
        ("A='/a'\"/b\"\n", "/a/b"),
        ("A=\n", ""),
    ],
)
def test_the_value_of_a_shell(text: str, value: str) -> None:
    assert next(setting_syntaxes.shell(text))[3] == value


def test_what_leaves_the_host(tmp_path: Path) -> None:
    """Names of a fixed list; values of those that were asked for; nothing of files and blocks of ours."""
    unit, extra, file, ours = (tmp_path / name for name in ("a.service", "env", "product.conf", "zzz-beam.conf"))
    unit.write_text("[Service]\nEnvironment=SECRET=s3cret 'ERL_AFLAGS=-setcookie s3cret'\nAmbientCapabilities=CAP_NET_RAW\n", encoding="utf-8")
    extra.write_text("DATABASE_URL=s3cret\nERL_ZFLAGS=s3cret\n", encoding="utf-8")
    file.write_text(
        "NODENAME=rabbit@a\nPASSWORD=s3cret\n# BEGIN beam.cluster (x)\n. /etc/beam/x -name\n# END beam.cluster (x)\nB=-hidden\n",
        encoding="utf-8",
    )
    ours.write_text("# Managed by beam.cluster (role service)\n[Service]\nEnvironment=ERL_AFLAGS=-name\n", encoding="utf-8")
    question = Question("a.service", ((str(tmp_path / "*.conf"), "shell"), (str(tmp_path / "gone"), "shell")), frozenset({"NODENAME"}))
    shown = {"fragment": str(unit), "drop_ins": [str(ours)], "environment_files": [f"-{extra}", "/nonexistent"]}
    found = operator_settings.settings([question], {"a.service": shown})
    assert "s3cret" not in json.dumps(found)
    assert [(one["path"], one["line"], one["name"], one["value"]) for one in found] == [
        (str(unit), 2, "ERL_AFLAGS", None),
        (str(unit), 2, "-setcookie", None),
        (str(unit), 3, "AmbientCapabilities", "CAP_NET_RAW"),
        (str(extra), 2, "ERL_ZFLAGS", None),
        (str(file), 1, "NODENAME", "rabbit@a"),
        (str(file), 6, "-hidden", None),
    ]


@pytest.mark.parametrize(
    ("text", "syntax", "found"),
    [
        ("SPOOL_DIR=/srv/xmpp/db\n", "shell", ["/srv/xmpp/db"]),
        ("BASE=/srv/xmpp\nSPOOL_DIR=\"${BASE}/db\"\nLOGS_DIR=$BASE/log\n", "shell", ["/srv/xmpp/db", "/srv/xmpp/log"]),
        ("PASS='a b'\nSPOOL_DIR=/srv/$PASS/$OTHER\n", "shell", ["/srv/$PASS/$OTHER"]),
        ("ERL_OPTIONS=\"+K true -mnesia dir '\\\"/srv/xmpp/db\\\"'\"\n", "shell", ["/srv/xmpp/db"]),
        ("-mnesia dir '\"/srv/xmpp/db\"'\n-mnesia dump_log_write_threshold 1\n", "arguments", ["/srv/xmpp/db"]),
        ("# -mnesia dir \"/srv/xmpp/db\"\n", "arguments", []),
    ],
)
def test_directories_that_the_files_of_a_stopped_node_name(tmp_path: Path, text: str, syntax: str, found: list[str]) -> None:
    """What a running node writes to is seen in /proc; of a stopped one nothing but its files says it."""
    (tmp_path / "mine").write_text(text, encoding="utf-8")
    question = Question("a.service", ((str(tmp_path / "mine"), syntax),), frozenset({"SPOOL_DIR", "LOGS_DIR", "mnesia.dir"}))
    assert [one["value"] for one in operator_settings.settings([question], None)] == found


def test_a_database_in_a_directory_of_the_operators(tmp_path: Path) -> None:
    """That of the package's own start lies where the package has it, and is not the node's any more."""
    for name, node in (("old", b"w\x12ejabberd@localhost"), ("new", b"w\x0bejabberd@n1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "schema.DAT").write_bytes(node)
    (tmp_path / "cfg").write_text(f"SPOOL_DIR={tmp_path}/new/\n", encoding="utf-8")
    files, moved = ((f"{tmp_path}/cfg", "shell"),), {"SPOOL_DIR": "database"}
    question = Question("a.service", files, frozenset({"SPOOL_DIR"}), f"{tmp_path}/old/schema.DAT", moved=moved)
    assert operator_settings.databases([question], None) == [{"path": f"{tmp_path}/new/schema.DAT", "names": ["ejabberd@n1"]}]
    (tmp_path / "cfg").write_text("", encoding="utf-8")
    assert operator_settings.databases([question], None) == [{"path": f"{tmp_path}/old/schema.DAT", "names": ["ejabberd@localhost"]}]


def test_the_names_in_a_database(tmp_path: Path) -> None:
    data = b"".join(
        # What comes next is a letter: a tuple, a list's end, another atom, a number.
        tag + len(name).to_bytes(width, "big") + name + rest
        for tag, width, name, rest in [
            (b"w", 1, b"ejabberd@localhost", b"h"), (b"d", 2, b"ejabberd@n1", b"j"), (b"w", 1, b"ejabberd@n1", b"w"), (b"v", 2, b"ejabberd@n2", b"a"),
            (b"s", 1, b"n@a.example", b"l"), (b"m", 1, b"carol@text", b"h"),
        ]
    )
    (tmp_path / "schema.DAT").write_bytes(b"\x83" + data)
    questions = [Question("a.service", database=str(tmp_path / "schema.DAT")), Question("b.service", database=str(tmp_path / "none"))]
    names = ["ejabberd@localhost", "ejabberd@n1", "ejabberd@n2", "n@a.example"]
    assert operator_settings.databases(questions, None) == [{"path": str(tmp_path / "schema.DAT"), "names": names}]


@pytest.mark.skipif(shutil.which("erl") is None, reason="the real writer of the file is the other opinion")
def test_the_names_in_a_file_of_dets(tmp_path: Path) -> None:
    """Mnesia keeps its schema in such a file."""
    path = tmp_path / "schema.DAT"
    code = (
        f"{{ok, T}} = dets:open_file(schema, [{{file, {json.dumps(str(path))}}}, {{keypos, 2}}]), "
        "ok = dets:insert(T, [{schema, Name, [{cookie, {{1, 2, 3}, 'ejabberd@n1'}}, {disc_copies, ['ejabberd@n1', 'ejabberd@n2']}, "
        "{master, 'ejabberd@n3', [], x}]} || Name <- [schema, passwd, muc_room]]), ok = dets:close(T), halt()."
    )
    subprocess.run(["erl", "-noinput", "-eval", code], check=True, timeout=60)
    (found,) = operator_settings.databases([Question("a.service", database=str(path))], None)
    assert found["names"] == ["ejabberd@n1", "ejabberd@n2", "ejabberd@n3"]


def test_the_names_of_the_directories_of_mnesia(tmp_path: Path) -> None:
    """Without a directory of its own, Mnesia has one for each node name, and starts empty under another name."""
    for name in ("a/Mnesia.shop@web1", "a/Mnesia.shop@web2", "b/Mnesia.other@x"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "schema.DAT").write_bytes(b"")
    (tmp_path / "a/Mnesia.empty@web3").mkdir()
    shown = {"release": f"{tmp_path}/a", "working_directory": f"!{tmp_path}/a/"}
    assert operator_settings.databases([Question("a.service"), Question("b.service")], {"a.service": shown}) == [
        {"path": f"{tmp_path}/a/Mnesia.*", "names": ["shop@web1", "shop@web2"], "unit": "a.service"}
    ]


def test_what_a_unit_may_write_to_and_what_it_starts() -> None:
    shown = (
        "Id=a.service\nNames=a.service\nFragmentPath=/nonexistent\nRuntimeDirectory=a\nStateDirectory=b:c d\nReadWritePaths=-/data +/srv\n"
        "ExecStart={ path=/opt/a/bin/a ; argv[]=/opt/a/bin/a start ; ignore_errors=no ; start_time=[n/a] }\n"
    )
    found = units.parse(shown)["a.service"]
    assert found["writable"] == ["/data", "/run/a", "/srv", "/var/lib/b", "/var/lib/d"]
    assert (found["program"], found["release"]) == ("/opt/a/bin/a", "/opt/a")
    other = units.parse(shown.replace(" start ;", " eval x ;"))["a.service"]
    assert (other["program"], other["release"]) == ("/opt/a/bin/a", "")


def test_of_a_command_only_the_program_is_read() -> None:
    text = "[Service]\nExecStop=-+/usr/local/bin/drain --token s3cret\nExecStop=\nDynamicUser=yes\nInaccessiblePaths=-/srv\n"
    assert [entry[2:] for entry in setting_syntaxes.unit_file(text) if entry[1] == "directive"] == [
        ("ExecStop", "/usr/local/bin/drain"), ("ExecStop", ""), ("DynamicUser", "yes"), ("InaccessiblePaths", "-/srv"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("!/bin/chown -R shop /srv --token s3cret", ["!/bin/chown"]),
        ("-!/bin/chown shop /srv", ["!/bin/chown"]),
        ("+/bin/mount /srv", ["+/bin/mount"]),
        ("!!/bin/true", []),
        ("@/bin/sh shop", []),
        ("-:/bin/true", []),
        ("", [""]),
    ],
)
def test_commands_that_run_as_root(command: str, said: list[str]) -> None:
    found = setting_syntaxes.unit_file(f"[Service]\nExecStartPre={command}\n")
    assert [(name, value) for _line, kind, name, value in found if kind == "command"] == [("ExecStartPre", value) for value in said]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("StandardOutput=append:/var/log/shop.log\n", True),
        (" StandardError = truncate:/srv/shop/%n.log\n", True),
        ("StandardOutput=journal\nStandardError=inherit\n", False),
        ("# StandardOutput=append:/var/log/shop.log\n", False),
        ("", False),
    ],
)
def test_units_whose_output_systemd_writes_to_a_file(tmp_path: Path, text: str, found: bool) -> None:
    (tmp_path / "mine.conf").write_text(f"[Service]\n{text}", encoding="utf-8")
    units: dict[str, dict[str, object]] = {"shop.service": {"fragment": "/nonexistent", "drop_ins": [str(tmp_path / "mine.conf")]}, "x.service": {}}
    assert operator_settings.redirected(units) == ({"shop.service"} if found else set())
