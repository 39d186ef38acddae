# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The digest of everything whose change needs a restart: it changes with each file, and with nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import yaml

DIGEST = Path(__file__).resolve().parents[2] / "roles" / "service" / "tasks" / "digest.yml"
FILES = ("node/vm.args", "node/ssl_dist.conf", "node/of the product", "a.service", "a.service.d/one.conf", "a.service.d/an other.conf")


def test_each_file_counts(tmp_path: Path) -> None:
    for name in (*FILES, "a.service.d/zzz-beam.conf", "node/allow.conf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("before\n", encoding="utf-8")
    # Without the question to systemd, which test_service_guard.py has.
    (tmp_path / "digest.yml").write_text(yaml.safe_dump(yaml.safe_load(DIGEST.read_text(encoding="utf-8"))[1:]), encoding="utf-8")
    variables = {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "__beam_node": {"node": "a@n1", "directory": f"{tmp_path}/node"},
        "__beam_service_product": {"files": ["of the product", "missing"]},
        "__beam_service_files": {"stdout_lines": [f"{tmp_path}/{name}" for name in ("a.service.d/zzz-beam.conf", *FILES[3:])]},
        "__beam_service_drop_in": f"{tmp_path}/a.service.d/zzz-beam.conf",
        "__beam_service_old_drop_in": f"{tmp_path}/a.service.d/beam.conf",
        "__beam_service_drop_in_text": "text",
    }
    digest = {"ansible.builtin.include_tasks": "digest.yml"}
    note = {"ansible.builtin.set_fact": {"digests": "{{ digests | default([]) + [__beam_service_digests['a@n1']] }}"}}
    tasks: list[dict[str, object]] = [digest, note]
    for name in ("a.service.d/zzz-beam.conf", "node/allow.conf", *FILES):
        tasks += [{"ansible.builtin.copy": {"content": f"after {name}\n", "dest": f"{tmp_path}/{name}", "mode": "0644"}}, digest, note]
    tasks.append({"ansible.builtin.copy": {"content": "{{ digests | to_json }}", "dest": f"{tmp_path}/digests", "mode": "0644"}})
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}
    (tmp_path / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-c", "local", "play.yml"],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, ours, taken_while_it_runs, *others = json.loads((tmp_path / "digests").read_text(encoding="utf-8"))
    assert first == ours == taken_while_it_runs
    assert len({first, *others}) == 1 + len(FILES)
