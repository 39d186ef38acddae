# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock as it is proven, and the module on a real connection."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.action.observe import proven_skew


@pytest.mark.parametrize(
    "epoch,before,after,skew",
    [(100.0, 99.0, 101.0, 0.0), (99.0, 99.0, 101.0, 0.0), (101.0, 99.0, 101.0, 0.0), (90.0, 99.0, 101.0, -9.0), (110.5, 99.0, 101.0, 9.5)],
)
def test_skew(epoch: float, before: float, after: float, skew: float) -> None:
    assert proven_skew(epoch, before, after) == skew


@pytest.mark.parametrize("mode", [(), ("--check",)])
def test_a_real_host(tmp_path: Path, mode: tuple[str, ...]) -> None:
    (tmp_path / "play.yml").write_text(
        """
- hosts: all
  gather_facts: false
  vars:
    beam_address: 10.0.0.1
    beam_ports: "{{ nowhere }}"
    beam_cookie: 0123456789abcdefghijklmnopqrstuvwxyz
    beam_my_passphrase: also-a-secret-of-mine
  tasks:
    - beam.cluster.observe:
        files: [/etc/passwd]
        units: [cron.service]
      register: __beam_observed
    - ansible.builtin.copy:
        content: "{{ __beam_observed | ansible.builtin.to_json }}"
        dest: "{{ playbook_dir }}/seen.json"
        mode: "0600"
      check_mode: false
""",
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            "ansible-playbook",
            "-i",
            "here,",
            "-c",
            "local",
            "-e",
            "ansible_python_interpreter={{ ansible_playbook_python }}",
            "-vvv",
            *mode,
            "play.yml",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "ANSIBLE_INJECT_FACT_VARS": "false", "ANSIBLE_NOCOLOR": "true"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0123456789abcdef" not in done.stdout and "also-a-secret" not in done.stdout
    seen = json.loads((tmp_path / "seen.json").read_text(encoding="utf-8"))
    assert seen["skew_seconds"] == 0
    assert not seen["changed"]
    assert seen["own"]["inputs"] == {"beam_address": "10.0.0.1"}
    assert "'nowhere' is undefined" in seen["own"]["errors"]["beam_ports"]
    assert set(seen["own"]["names"]) >= {"beam_address", "beam_ports", "beam_cookie", "beam_my_passphrase"}
    assert any(entry["path"] == "/etc/passwd" for entry in seen["files"])
