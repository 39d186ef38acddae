# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases after the hardening: still serving, their own tools work, and what is deployed later undoes nothing.

n1 and n3 run releases of Elixir (1.18, 1.14), n2 one of rebar3 and relx.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from conftest import NODES, PORT, Node

# A distribution handshake's first frame, in clear.
PLAIN_HELLO = r"\000\032N\000\000\000\004\003\007\017\224\000\000\000\001\000\013beam@attack"
KIND = {"n1": "mix", "n2": "relx", "n3": "mix"}


def tool(node: Node, command: str, user: str = "root") -> str:
    return node.host.check_output(f"cd / && runuser -u {user} -- env HOME=/nowhere {node.directory}/release {command}")


def rpc(node: Node, mix: str, relx: str) -> str:
    """The value of one expression in the running node, by the release's own tool."""
    return tool(node, f"rpc 'IO.inspect({mix})'" if KIND[node.name] == "mix" else f"eval '{relx}.'")


def serves(node: Node) -> str:
    """What the application says to everybody, as soon as it says it."""
    ask = r"until exec 3<>/dev/tcp/127.0.0.1/4000; do sleep 0.5; done 2>/dev/null; printf 'GET / HTTP/1.0\r\n\r\n' >&3; cat <&3"
    return node.host.check_output("timeout 30 bash -c %s", ask).splitlines()[-1]


def whole(node: Node) -> str:
    """The same, once the node has found its peers again."""
    end = time.monotonic() + 60
    while (said := serves(node)).split(", ")[1] != f"{len(NODES)} nodes" and time.monotonic() < end:
        time.sleep(1)
    return said


def arguments(node: Node) -> list[str]:
    pid = node.host.check_output("systemctl show --property=MainPID --value shop")
    return node.host.check_output(f"tr '\\0' '\\n' </proc/{pid}/cmdline").splitlines()


def values(words: list[str], flag: str) -> list[str]:
    return [words[index + 1] for index, word in enumerate(words) if word == flag]


def speaks_tls_only(node: Node, peer: Node) -> None:
    """At the wire, from a member: a TLS handshake goes through, the same bytes in clear get an alert."""
    address = node.address("eth0")
    for _attempt in range(30):
        if node.host.run(f"ss -Hltn src {address}:{PORT} | grep -q .").rc == 0:
            break
        time.sleep(1)
    script = f"exec 3<>/dev/tcp/{address}/{PORT}; printf '{PLAIN_HELLO}' >&3; timeout 10 od -An -tx1 <&3"
    assert peer.host.check_output("bash -c %s", script).split()[:2] == ["15", "03"], "a TLS alert"
    assert peer.erl(f"net_adm:ping('{node.node}')") == "pong"


@pytest.fixture
def deployed(node: Node) -> Iterator[Node]:
    """A node whose release may be changed; afterwards it is what it was."""
    yield node
    node.host.check_output("rm -rf /opt/shop/* && tar -xf /var/tmp/shop-1.0.0.tar -C /opt/shop")
    node.host.check_output("systemctl reset-failed shop; systemctl restart shop")
    assert whole(node) == "shop 1.0.0, 3 nodes"


def test_it_serves_and_sees_the_others(node: Node) -> None:
    assert whole(node) == "shop 1.0.0, 3 nodes"


@pytest.mark.parametrize("user", ["root", "shop"])
def test_rpc_works(node: Node, user: str) -> None:
    if KIND[node.name] == "mix":
        assert tool(node, "rpc 'IO.puts(node())'", user) == node.node
    else:
        assert tool(node, "rpc erlang node", user) == f"{node.node}"


def test_the_tool_speaks_tls(node: Node) -> None:
    """And tells of itself: its listener, its carrier."""
    if KIND[node.name] == "mix":
        asked = "[peer] = :erlang.nodes(:hidden); IO.inspect(:erpc.call(peer, :init, :get_argument, [:proto_dist]))"
        said = tool(node, f"rpc '{asked}'")
        assert said == "{:ok, [[~c\"inet_tls\"]]}" or said == "{:ok, [['inet_tls']]}"
    else:
        said = tool(node, "eval '[Peer] = nodes(hidden), erpc:call(Peer, init, get_argument, [proto_dist]).'")
        assert said == '{ok,[["inet_tls"]]}'


def test_the_tool_without_our_files_is_refused(node: Node) -> None:
    """What works above does not work because nobody looks."""
    command = "rpc 'IO.puts(node())'" if KIND[node.name] == "mix" else "rpc erlang node"
    asked = node.host.run(f"cd /tmp && runuser -u shop -- env HOME={node.home} RELEASE_NODE={node.node} timeout 60 /opt/shop/bin/shop {command}")
    assert asked.rc != 0 and node.node not in asked.stdout, asked.stdout


def test_the_tool_starts_no_second_node(node: Node) -> None:
    started = node.host.run(f"{node.directory}/release {'start' if KIND[node.name] == 'mix' else 'foreground'}")
    assert started.rc == 1 and "systemctl start shop.service" in started.stderr


def test_a_remote_shell_opens_and_closes(node: Node) -> None:
    """On a terminal of its own, as somebody at a keyboard has one."""
    asked = 'IO.puts("here: " <> to_string(node()))' if KIND[node.name] == "mix" else 'io:format("here: ~s~n", [node()]).'
    shell = f"script -qec '{node.directory}/release remote' /dev/null"
    said = node.host.run(f"cd / && (sleep 8; echo %s; sleep 4) | timeout 30 {shell}", asked).stdout
    assert f"here: {node.node}" in said, said


def test_the_cookie_is_on_no_command_line_of_node_or_tool(node: Node) -> None:
    cookie = node.host.file(f"{node.home}/.erlang.cookie").content_string.strip()
    baked = node.host.run("cat /opt/shop/releases/COOKIE").stdout.strip() or "shop_cookie"
    words = arguments(node)
    assert [word for word, after in zip(words, words[1:]) if word == "-setcookie" and after.startswith("-")], "without it a word would be the cookie"
    slow = "rpc 'Process.sleep(6000)'" if KIND[node.name] == "mix" else "eval 'timer:sleep(6000).'"
    node.host.check_output(f"systemd-run --quiet --collect --unit tool {node.directory}/release {slow}")
    shown = ""
    for _turn in range(12):
        shown += node.host.check_output("ps axww -o args; cat /proc/[0-9]*/environ | tr '\\0' '\\n'")
        time.sleep(0.5)
    assert re.search("tool.args|/release.*rpc|nodetool", shown)
    assert cookie not in shown and baked not in shown


def test_the_cookie_that_was_built_in_is_refused(node: Node, peer: Node) -> None:
    """Everybody who has the release has it."""
    baked = node.host.run("cat /opt/shop/releases/COOKIE").stdout.strip() or "shop_cookie"
    answer = peer.erl(f"begin erlang:set_cookie('{node.node}', '{baked}'), net_adm:ping('{node.node}') end")
    assert answer == "pang"
    assert peer.erl(f"net_adm:ping('{node.node}')") == "pong"


def test_flags_of_the_release_are_kept(node: Node) -> None:
    if KIND[node.name] == "mix":
        assert "65536" in rpc(node, ":erlang.system_info(:port_limit)", "")
    else:
        assert rpc(node, "", "erlang:system_info(thread_pool_size)") == "30"


def test_stop_stops_and_the_unit_starts_again(node: Node) -> None:
    tool(node, "stop")
    node.host.check_output("timeout 30 sh -c 'while systemctl is-active --quiet shop; do sleep 0.5; done'")
    assert node.host.check_output("systemctl show --property=Result --value shop") == "success"
    node.host.check_output("systemctl start shop")
    assert whole(node) == "shop 1.0.0, 3 nodes"


def test_a_new_release_unpacked_over_the_old_one_undoes_nothing(deployed: Node, peer: Node) -> None:
    deployed.host.check_output("tar -xf /var/tmp/shop-1.1.0.tar -C /opt/shop && systemctl restart shop")
    assert whole(deployed) == "shop 1.1.0, 3 nodes"
    speaks_tls_only(deployed, peer)
    assert "-setcookie" in arguments(deployed)


def test_a_new_release_in_place_of_the_old_one_undoes_nothing(deployed: Node, peer: Node) -> None:
    deployed.host.check_output("rm -rf /opt/shop/* && tar -xf /var/tmp/shop-1.1.0.tar -C /opt/shop && systemctl restart shop")
    assert whole(deployed) == "shop 1.1.0, 3 nodes"
    speaks_tls_only(deployed, peer)


HOSTILE = """-proto_dist inet_tcp
-setcookie guess
-name other@127.0.0.1
-kernel inet_dist_use_interface {0,0,0,0}
+A 12 -ssl_dist_opt server_verify verify_none
"""


def test_flags_of_a_release_that_would_undo_ours_are_left_out(deployed: Node, peer: Node) -> None:
    deployed.host.check_output("printf '%%s' %s >>/opt/shop/releases/1.0.0/vm.args && systemctl restart shop", HOSTILE)
    assert whole(deployed) == "shop 1.0.0, 3 nodes"
    speaks_tls_only(deployed, peer)
    words = arguments(deployed)
    assert values(words, "-proto_dist") == ["inet_tls"] and "guess" not in words and "other@127.0.0.1" not in words
    log = deployed.host.check_output("journalctl --unit shop --since '1 min ago' --no-pager -o cat")
    for flag in ("-proto_dist", "-setcookie", "-name", "inet_dist_use_interface", "-ssl_dist_opt"):
        assert f"left out of /opt/shop/releases/1.0.0/vm.args: {flag}" in log, log
    assert "guess" not in log


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("export RELEASE_NODE=other@127.0.0.1", "RELEASE_NODE"),
        ("export RELEASE_COOKIE=guess", "RELEASE_COOKIE"),
        ('export ERL_AFLAGS="-proto_dist inet6_tcp"', "ERL_AFLAGS"),
        ('export ELIXIR_ERL_OPTIONS="-proto_dist inet_tcp"', "ELIXIR_ERL_OPTIONS (-proto_dist)"),
    ],
)
def test_an_environment_of_a_release_that_would_undo_ours_keeps_it_from_starting(deployed: Node, line: str, named: str) -> None:
    if KIND[deployed.name] != "mix":
        pytest.skip("relx reads no env.sh")
    deployed.host.check_output("printf '%%s\\n' %s >>/opt/shop/releases/1.0.0/env.sh && systemctl restart --no-block shop", line)
    said = f"env.sh sets {named} and so undoes"
    # The unit is started again and again, and says so each time.
    until = time.monotonic() + 30
    log = ""
    while said not in log and time.monotonic() < until:
        time.sleep(0.5)
        log = deployed.host.check_output("journalctl --unit shop --since '10 s ago' --no-pager -o cat")
    assert said in log, log
    assert "guess" not in log
    assert deployed.host.run(f"ss -Hltn src {deployed.address('eth0')}:{PORT} | grep .").rc != 0
    deployed.host.run("systemctl stop shop")


def test_nothing_of_ours_is_in_the_release(node: Node) -> None:
    assert node.host.run("grep -rl '/etc/beam\\|Managed by beam' /opt/shop").stdout == ""
    assert node.host.run("find /opt/shop -newer /etc/beam/check_files.escript -type f").stdout == ""
