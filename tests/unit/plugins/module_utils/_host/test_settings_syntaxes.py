# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntaxes of an operator's files: names, lines and values."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import settings_syntaxes


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
    assert sorted((line, name) for line, _kind, name, _value in settings_syntaxes.SYNTAXES[syntax](text)) == sorted(found)


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
    assert next(settings_syntaxes.shell(text))[3] == value


def test_of_a_command_only_the_program_is_read() -> None:
    text = "[Service]\nExecStop=-+/usr/local/bin/drain --token s3cret\nExecStop=\nDynamicUser=yes\nInaccessiblePaths=-/srv\n"
    assert [entry[2:] for entry in settings_syntaxes.unit_file(text) if entry[1] == "directive"] == [
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
    found = settings_syntaxes.unit_file(f"[Service]\nExecStartPre={command}\n")
    assert [(name, value) for _line, kind, name, value in found if kind == "command"] == [("ExecStartPre", value) for value in said]
