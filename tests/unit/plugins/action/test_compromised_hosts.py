# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No run of beam.cluster.compromised connects to a compromised host: real ansible-playbook, a connection that would show."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_check_run import run

# Nothing listens there: a connection would end as `unreachable`, with the host in the recap.
GONE = "ansible_host=127.0.0.1 ansible_port=9 ansible_connection=ssh"
INVENTORY = f"[beam]\nn1 ansible_connection=local\nn2 ansible_connection=local\nn3 {GONE}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hosts").write_text(INVENTORY, encoding="utf-8")
    directory = tmp_path / "directory"
    (directory / "group_vars").mkdir(parents=True)
    (directory / "hosts").write_text(INVENTORY, encoding="utf-8")
    (directory / "group_vars" / "beam.yml").write_text("beam_compromised: beam@n3\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("arguments", [["-i", "hosts", "-e", "beam_compromised=beam@n3"], ["-i", "directory"]], ids=["command line", "group_vars"])
def test_the_host_is_in_no_play(folder: Path, arguments: list[str]) -> None:
    status, output = run(folder, *arguments, "--check", playbook="beam.cluster.compromised")
    # The two hosts of this machine are no cluster.
    assert status != 0 and "unreachable=1" not in output, output
    recap = output.partition("PLAY RECAP")[2]
    assert "n1 " in recap and "n3 " not in recap, output


def test_a_name_that_is_no_host_ends_the_run(folder: Path) -> None:
    status, output = run(folder, "-i", "hosts", "-e", "beam_compromised=n33,key:beam@n9", playbook="beam.cluster.compromised")
    assert status != 0 and "'n33' is neither a host nor a node" in output and "'beam@n9' is no member" in output, output
    assert "Replace what is compromised" not in output


def test_without_the_first_play_there_is_no_host(folder: Path) -> None:
    arguments = ("-i", "hosts", "-e", "beam_compromised=n3", "--list-hosts")
    status, output = run(folder, *arguments, playbook="beam.cluster.compromised")
    assert status == 0, output
    assert "hosts (0)" in output.partition("Replace what is compromised")[2], output
