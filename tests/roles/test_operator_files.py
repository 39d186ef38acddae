# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role product does to a host that has a product already, played on this machine.

A file of the operator's that gets a block of ours keeps its owner, group, mode and content: it may hold passwords.
"""

from __future__ import annotations

import grp
import json
import os
import stat
import struct
import subprocess
from pathlib import Path

import pytest
import yaml

PRODUCTS = Path(__file__).resolve().parents[2] / "roles" / "product" / "products"
PLACES = {"rabbitmq": ("/etc/rabbitmq", "rabbitmq-env.conf"), "ejabberd": ("/etc/default", "ejabberd")}
GROUP = "daemon"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="owners are set")


class Played:
    """The tasks of a product's install.yml that touch the operator's directory, with a folder in its place."""

    def __init__(self, folder: Path, product: str) -> None:
        directory, name = PLACES[product]
        self.directory = folder / "etc"
        self.directory.mkdir()
        self.file = self.directory / name
        tasks = yaml.safe_load((PRODUCTS / product / "install.yml").read_text(encoding="utf-8").replace(directory, str(self.directory)))
        mine = [task for task in tasks if str(self.directory) in str(task) and "ansible.builtin.template" not in task]
        self.play = folder / "play.yml"
        node = {"directory": "/nonexistent", "user": "x"}
        variables = {"__beam_node": node, "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": mine}]
        self.play.write_text(json.dumps(play), encoding="utf-8")

    def run(self, *more: str) -> int:
        """How many tasks changed something."""
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", str(self.play), *more],
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return int(done.stdout.rpartition("changed=")[2].split()[0])


def shape(path: Path) -> tuple[str, int, str]:
    status = path.stat()
    return f"{stat.S_IMODE(status.st_mode):04o}", status.st_uid, grp.getgrgid(status.st_gid).gr_name


@pytest.fixture(params=sorted(PLACES))
def played(request: pytest.FixtureRequest, tmp_path: Path) -> Played:
    return Played(tmp_path, request.param)


def test_a_file_with_passwords_stays_as_closed_as_it_was(played: Played) -> None:
    further = played.directory / "conf.d"
    further.mkdir()
    played.file.write_text("# mine\nDEFAULT_PASS=word", encoding="utf-8")
    for path, mode in ((played.file, 0o640), (further, 0o750)):
        os.chown(path, 1, grp.getgrnam(GROUP).gr_gid)
        path.chmod(mode)
    assert played.run() == 1 and played.run() == 0
    assert shape(played.file) == ("0640", 1, GROUP) and shape(further) == ("0750", 1, GROUP)
    lines = played.file.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["# mine", "DEFAULT_PASS=word"] and lines[-1].startswith("# END beam.cluster")


def test_an_acl_stays_where_ansible_has_its_files_on_another_file_system(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with /home or /root on a disk of its own. Without the ACL, the mode would let the file's group read it."""
    monkeypatch.setenv("ANSIBLE_REMOTE_TMP", "/dev/shm/beam-test")
    entries = ((1, 6, 0xFFFFFFFF), (2, 4, 12345), (4, 0, 0xFFFFFFFF), (0x10, 4, 0xFFFFFFFF), (0x20, 0, 0xFFFFFFFF))
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    (played.directory / "conf.d").mkdir()
    played.file.write_text("DEFAULT_PASS=word", encoding="utf-8")
    played.file.chmod(0o640)
    os.setxattr(played.file, "system.posix_acl_access", acl)
    assert played.run() == 1
    assert os.getxattr(played.file, "system.posix_acl_access") == acl


def test_a_file_that_is_missing_can_be_read_by_the_node(played: Played) -> None:
    assert played.run() >= 1
    assert shape(played.file) == ("0644", 0, "root")


def test_the_environment_of_all_sessions_stays_as_closed_as_it_was(tmp_path: Path) -> None:
    """/etc/environment may hold the password of a proxy."""
    tasks = (PRODUCTS.parents[1] / "epmd" / "tasks" / "shell_environment.yml").read_text(encoding="utf-8")
    file = tmp_path / "environment"
    file.write_text("https_proxy=http://me:word@proxy:3128", encoding="utf-8")
    file.chmod(0o600)
    variables = {"__beam_epmd_environment": {"X": "1"}, "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    mine = [yaml.safe_load(tasks.replace("/etc/environment", str(file)))[0]]
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": mine}]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    command = ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert shape(file)[0] == "0600" and 'X="1"' in file.read_text(encoding="utf-8")


def test_a_package_that_is_installed_needs_no_network(tmp_path: Path) -> None:
    """apt would look for newer lists, and end the run where there are none."""
    tasks = str(PRODUCTS / "erlang" / "install_package.yml")
    variables = {"__beam_package": "dpkg", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    included = [{"ansible.builtin.include_tasks": tasks}]
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": included}]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml")], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0 and "skipped=1" in done.stdout and "changed=0" in done.stdout, done.stdout + done.stderr


def test_what_apt_says_is_in_the_message(tmp_path: Path) -> None:
    """In check mode: it changes nothing, and asks no repository."""
    tasks = PRODUCTS.parents[1] / "otp" / "tasks" / "install_packages.yml"
    variables = {"__beam_packages": ["no-such-package-anywhere"], "__beam_otp_lock_seconds": 5, "ansible_python_interpreter": "/usr/bin/python3"}
    included = [{"ansible.builtin.include_tasks": str(tasks)}]
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": included}]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    command = ["ansible-playbook", "--check", "-i", "localhost,", str(tmp_path / "play.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    said = " ".join(done.stdout.split())
    assert done.returncode == 2 and "localhost: apt did not install no-such-package-anywhere: No package matching" in said, done.stdout + done.stderr
    assert "was stopped or restarted" in said


@pytest.mark.parametrize("product", sorted(PLACES))
def test_no_package_list_is_updated_without_need(product: str) -> None:
    tasks = yaml.safe_load((PRODUCTS / product / "install.yml").read_text(encoding="utf-8"))
    assert not any("ansible.builtin.apt" in task for task in tasks)
