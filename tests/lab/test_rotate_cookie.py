# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new cookie on running nodes: no restart, no link lost, the old cookie refused; from every state that a killed run can leave."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import NODES, Lab, recap

ROTATE = "playbooks/rotate_cookie.yml"
# Counts what the node sees of the others. Probes are hidden nodes, and are not counted.
MONITOR = """
[begin exit(Old, kill), timer:sleep(200) end || Old <- [whereis(beam_counter)], is_pid(Old)],
Counter = spawn(fun() ->
    register(beam_counter, self()),
    net_kernel:monitor_nodes(true, [{node_type, visible}]),
    (fun Count(Up, Down) ->
        receive
            {nodeup, _, _} -> Count(Up + 1, Down);
            {nodedown, _, _} -> Count(Up, Down + 1);
            {ask, From} -> From ! {Up, Down}, Count(Up, Down);
            stop -> ok
        end
    end)(0, 0)
end), timer:sleep(200), Counter =:= whereis(beam_counter).
"""
COUNTED = "beam_counter ! {ask, self()}, receive Counts -> Counts after 2000 -> none end."
EVALUATE = (
    "{ok, Text} = file:read_file(\"/run/evaluate\"), {ok, Tokens, _} = erl_scan:string(binary_to_list(Text)), "
    "{ok, Parsed} = erl_parse:parse_exprs(Tokens), {value, Value, _} = rpc:call(list_to_atom(\"%s\"), erl_eval, exprs, [Parsed, []]), "
    "io:format(\"~0p\", [Value]), halt()."
)


def evaluate(lab: Lab, host: str, text: str) -> str:
    """What an expression is in the node of a host, asked with the tool's flags as docs/remote_shell.md has them."""
    lab.write(host, "/run/evaluate", text)
    node = f"beam@{host}"
    return lab.on(
        host,
        f"cd / && runuser -u beam -- env HOME=/var/lib/beam/{node} timeout 60 "
        f"erl -args_file /etc/beam/{node}/tool.args -sname beam_probe@{host} -noshell -eval '{EVALUATE % node}'",
    )


class Cookies:
    """Cookies for the lab. The inventory's own comes back at the end."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab, self.directory = lab, directory

    def play(self, cookie: str, *arguments: str, playbook: str = ROTATE) -> tuple[int, str]:
        given = self.directory / "cookie.yml"
        given.write_text(f"beam_cookie: {cookie}\n")
        done = self.lab.play("--extra-vars", f"@{given}", *arguments, playbook=playbook)
        assert cookie not in done.stdout + done.stderr
        return done.returncode, done.stdout

    def files(self) -> set[str]:
        return {self.lab.on(host, f"cat /var/lib/beam/beam@{host}/.erlang.cookie").strip() for host in NODES}

    def pids(self) -> list[str]:
        return [self.lab.on(host, "systemctl show --property=MainPID,NRestarts --value beam.service") for host in NODES]


@pytest.fixture
def cookies(lab: Lab, tmp_path: Path) -> Iterator[Cookies]:
    made = Cookies(lab, tmp_path)
    yield made
    for host in NODES:
        lab.on(host, "systemctl start beam.service")
    status, output = made.play(lab.variable("n1", "beam_cookie"))
    assert status == 0, output[-4000:]


def test_no_link_is_lost_and_the_old_cookie_is_refused(lab: Lab, cookies: Cookies) -> None:
    for host in NODES:
        assert evaluate(lab, host, MONITOR) == "true"
    before, old, new = cookies.pids(), cookies.files(), secrets.token_hex(24)
    status, output = cookies.play(new, "--check")
    assert status == 0 and output.count("runs and will be given the new cookie") == 3 and cookies.files() == old
    status, output = cookies.play(new)
    assert status == 0, output[-4000:]
    assert output.count("runs and was given the new cookie") == 3 and output.count("refused it") == 9
    assert cookies.files() == {new} and cookies.pids() == before
    for host in NODES:
        assert evaluate(lab, host, COUNTED) == "{0,0}", host
        assert lab.tries(host, "ls /run/beam-retired-*").returncode != 0
    again = cookies.play(new)[1]
    assert {counts["changed"] for counts in recap(again).values()} == {0}
    site = cookies.play(new, playbook="playbooks/site.yml")[1]
    assert {counts["changed"] for counts in recap(site).values()} == {0}, site[-4000:]
    assert cookies.pids() == before
    # The counter counts.
    evaluate(lab, "n1", "erlang:disconnect_node(list_to_atom(\"beam@n2\")).")
    assert evaluate(lab, "n1", COUNTED) != "{0,0}"
    for host in NODES:
        evaluate(lab, host, "beam_counter ! stop.")


def test_killed_between_node_and_file(lab: Lab, cookies: Cookies) -> None:
    """One node has the new cookie and the old file, as a run leaves it that was killed in between."""
    before, new = cookies.pids(), secrets.token_hex(24)
    evaluate(lab, "n2", f"erlang:set_cookie(list_to_atom(\"{new}\")).")
    status, output = cookies.play(new)
    assert status == 0, output[-4000:]
    assert output.count("runs and was given the new cookie") == 2 and output.count("runs and has the cookie already") == 1
    assert cookies.files() == {new} and cookies.pids() == before


def test_a_node_that_was_down_comes_back_by_its_file(lab: Lab, cookies: Cookies) -> None:
    new = secrets.token_hex(24)
    lab.on("n3", "systemctl stop beam.service")
    status, output = cookies.play(new)
    assert status == 0, output[-4000:]
    assert "beam@n3 does not run" in output
    lab.on("n3", "systemctl start beam.service")
    assert evaluate(lab, "n3", "net_adm:ping(list_to_atom(\"beam@n1\")).") == "pong"


def test_a_part_of_the_cluster_is_refused(lab: Lab, cookies: Cookies) -> None:
    old = cookies.files()
    status, output = cookies.play(secrets.token_hex(24), "--limit", "n1,n2")
    assert status != 0 and "beam@n3 is not in this run" in output
    assert cookies.files() == old


def test_a_cookie_for_one_peer_is_found(lab: Lab, cookies: Cookies) -> None:
    evaluate(lab, "n1", "erlang:set_cookie(list_to_atom(\"beam@n2\"), erlang:get_cookie()).")
    new = secrets.token_hex(24)
    status, output = cookies.play(new)
    assert status == 0 and "beam@n1 had a separate cookie for beam@n2" in output, output[-4000:]
    assert evaluate(lab, "n1", "erlang:get_cookie() =:= erlang:get_cookie(list_to_atom(\"beam@n2\")).") == "true"
