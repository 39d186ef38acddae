# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of commands and units that failed."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.failure_messages import failed_command, redact
from ansible_collections.beam.cluster.plugins.module_utils._model.start_failure import CAUSES, start_failure

# Lines as systemd, OTP and the products write them.
JOURNAL = {
    "a guard": ("beam guard: shop.service is not started: vm.args was edited.", "vm.args was edited", "docs/guard.md"),
    "a release": ("release: env.sh sets ERL_AFLAGS", "env.sh sets ERL_AFLAGS", "docs/guard.md"),
    "a directory that is missing": (
        "shop.service: Failed to set up mount namespacing: /run/systemd/unit-root/data/shop: No such file or directory",
        "/data/shop is a directory of the unit's sandbox and does not exist",
        "create /data/shop",
    ),
    "a directory that is read-only": ("{error,erofs}", "ProtectSystem=strict", "ReadWritePaths= in /etc/systemd/system/shop.service.d/"),
    "the same in words": ("mkdir: cannot create directory '/data': Read-only file system", "ProtectSystem=strict", "ReadWritePaths="),
    "a system call": ("shop.service: Main process exited, code=killed, status=31/SYS", "SystemCallFilter=", "SystemCallFilter="),
    "an address family": ("{badmatch,{error,eafnosupport}}", "RestrictAddressFamilies=", "RestrictAddressFamilies="),
    "a port in use": ("Failed to start Ranch listener: eaddrinuse", "another program listens", "ss -tlnp"),
    "a name in use": (
        "Protocol 'inet_tls': the name shop@n1 seems to be in use by another Erlang node",
        "registered with EPMD as shop@n1",
        "stop that VM",
    ),
    "a command": ("shop.service: Main process exited, code=exited, status=203/EXEC", "cannot be executed", "systemctl cat shop.service"),
    "a user": ("shop.service: Main process exited, code=exited, status=217/USER", "user of the unit does not exist", "create the user"),
    "a directory": ("shop.service: Changing to the requested working directory failed: status=200/CHDIR", "working directory", "outside /home"),
    "memory": ("shop.service: Failed with result 'oom-kill'.", "memory was exhausted", "MemoryMax="),
    "a cluster": ("{error,{inconsistent_cluster,...}}", "does not belong to the cluster", "compare the cluster status"),
    "a port below 1024": ("Failed to start Ranch listener shop in :listen({port,443}) for reason eacces", "below 1024", "CAP_NET_BIND_SERVICE"),
    "a timeout": ("shop.service: start operation timed out. Terminating.", "did not report its start in time", "TimeoutStartSec="),
}


@pytest.mark.parametrize(("line", "cause", "fix"), JOURNAL.values(), ids=JOURNAL)
def test_the_cause_of_a_unit_that_did_not_start(line: str, cause: str, fix: str) -> None:
    told = start_failure(["Starting shop.service...", line, "shop.service: Scheduled restart job"], "shop.service")
    before, _word, after = told.partition(" Fix: ")
    assert cause in before
    assert fix in after


def test_every_cause_has_a_line() -> None:
    assert all(any(known.seen.search(line) for line, _cause, _fix in JOURNAL.values()) for known in CAUSES)


def test_an_unknown_cause_is_named_as_such() -> None:
    assert start_failure(["Stopped."], "shop.service").startswith("not known;")
    assert start_failure([], "shop.service").endswith(".")


def test_a_command_that_failed() -> None:
    argv = ["rabbitmqctl", "join_cluster", "rabbit@n2"]
    told = failed_command("n1", "Join the cluster", argv, 69, "Error:\n\nunable to reach\n", "start rabbit@n2")
    assert told == (
        "n1: Join the cluster: 'rabbitmqctl join_cluster rabbit@n2' ended with status 69 and wrote:\n  Error:\n  unable to reach\n"
        "Fix: start rabbit@n2, and run the playbook again."
    )


def test_a_command_that_is_missing() -> None:
    told = failed_command("n1", "Read the rules", ["nft", "list"], None, "No such file or directory")
    assert told == (
        "n1: Read the rules: 'nft list' cannot be executed: there is no nft.\n"
        "Fix: install nft, or have it in the PATH of root, and run the playbook again."
    )


def test_only_the_last_lines_and_short_words() -> None:
    told = failed_command("n1", "Try", ["python3", "-c", "import os\nos.exit()"], 1, "\n".join(f"line {number}" for number in range(100)))
    assert "'python3 -c import os...' ended" in told
    assert "line 91\n" not in told
    assert "line 92\n" in told and "line 99\n" in told


@pytest.mark.parametrize("text", ["-setcookie word", "-cookie=word", "RELEASE_COOKIE=word", "DB_PASSWORD=word", "API_TOKEN=word"])
def test_secrets_are_removed(text: str) -> None:
    assert "word" not in redact(f"erl {text} -noshell")
    assert "word" not in failed_command("n1", "Try", ["erl", *text.split()], 1, f"crash: {text}")
    assert "word" not in start_failure([f"beam guard: {text}"], "shop.service")
