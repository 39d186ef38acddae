# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab, as an operator's shell sees it: run the site play, kill it, restart a host, look around."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODES = ("n1", "n2", "n3")
# For runs in which a test counts lost links: the lab's inventory has verify cut all links once.
LINKS_KEPT = ("--extra-vars", "beam_verify_cut_links=false")


@dataclass(frozen=True)
class Lab:
    """One lab by its prefix. Every call is bounded in time."""

    prefix: str

    def play(self, *arguments: str, playbook: str = "playbooks/site.yml", timeout: int = 1800) -> subprocess.CompletedProcess[str]:
        """Run a playbook against the lab and hand back its whole output."""
        return subprocess.run(
            ["ansible-playbook", "-i", "molecule/inventory", playbook, *arguments],
            cwd=ROOT,
            env={**os.environ, "LAB_PREFIX": self.prefix, "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def kill_play_at(self, task: str, turn: int, *arguments: str, playbook: str = "playbooks/site.yml", timeout: int = 1800) -> None:
        """Run a playbook and kill -9 it, with all its children, as soon as a task of this name begins for the `turn`th time."""
        seen = 0

        def begins(line: str) -> bool:
            nonlocal seen
            seen += line.startswith("TASK [") and task in line
            return seen == turn

        ended = self.kill_play_when(begins, *arguments, playbook=playbook, timeout=timeout)
        assert ended is None, f"the play ended after {seen} tasks named '{task}'"

    def kill_play_when(
        self, when: Callable[[str], bool], *arguments: str, playbook: str = "playbooks/site.yml", timeout: int = 1800
    ) -> tuple[int, str] | None:
        """Run a playbook and kill -9 it, with all its children, at the first line of its output for which `when` is true.

        Returns None if it was killed; its exit status and its output if it ended before.
        """
        process = subprocess.Popen(
            ["ansible-playbook", "-i", "molecule/inventory", playbook, *arguments],
            cwd=ROOT,
            env={**os.environ, "LAB_PREFIX": self.prefix, "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        deadline = time.monotonic() + timeout
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                if when(line):
                    return None
                assert time.monotonic() < deadline, f"it was neither killed nor over within {timeout} s: {lines[-1]}"
            return process.wait(60), "".join(lines)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def on(self, host: str, command: str, timeout: int = 120) -> str:
        """The standard output of a command in a root login shell on a host; fails with its standard error."""
        done = self.podman("exec", self.prefix + host, "bash", "-lc", command, timeout=timeout)
        assert done.returncode == 0, f"{host}: {command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def tries(self, host: str, command: str, timeout: int = 120) -> subprocess.CompletedProcess[str]:
        """Like `on`, for a command that may fail."""
        return self.podman("exec", self.prefix + host, "bash", "-lc", command, timeout=timeout)

    def write(self, host: str, path: str, text: str) -> None:
        subprocess.run(
            [str(ROOT / "molecule/lab/podman"), "exec", "-i", self.prefix + host, "tee", path],
            input=text,
            stdout=subprocess.DEVNULL,
            text=True,
            timeout=30,
            check=True,
        )

    def restart(self, host: str) -> None:
        self.podman("restart", "--time", "20", self.prefix + host)

    def podman(self, *arguments: str, timeout: int = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ROOT / "molecule/lab/podman"), *arguments], capture_output=True, text=True, timeout=timeout, check=False
        )

    def variable(self, host: str, name: str) -> str:
        """A variable of the lab's inventory, as the play would see it."""
        shown = subprocess.run(
            ["ansible", "-i", "molecule/inventory", host, "-m", "ansible.builtin.debug", "-a", f"var={name}"],
            cwd=ROOT,
            env={**os.environ, "LAB_PREFIX": self.prefix, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        return json.loads(shown[shown.index("{") :])[name]


def recap(output: str) -> dict[str, dict[str, int]]:
    """The PLAY RECAP as data: host -> {ok, changed, unreachable, failed, ...}."""
    lines = re.findall(r"^(\S+)\s+: (ok=.*)$", output.partition("PLAY RECAP")[2], re.MULTILINE)
    return {host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in lines}


def changes(output: str) -> list[str]:
    """What a run changed: task and host."""
    tasks = (part.partition("] ***") for part in output.split("\nTASK [")[1:])
    return [f"{name}: {host}" for name, _end, rest in tasks for host in re.findall(r"^changed: \[([^\]]+)\]", rest, re.MULTILINE)]


def until(question: Callable[[], bool], seconds: float, what: str) -> float:
    """Ask until yes; the seconds it took. Fails when the time is up."""
    started = time.monotonic()
    while not question():
        assert time.monotonic() - started < seconds, f"{what}: not within {seconds} s"
        time.sleep(1)
    return time.monotonic() - started


@pytest.fixture(scope="session")
def lab() -> Lab:
    """A lab in which the site play has converged."""
    lab = Lab(os.environ.get("LAB_PREFIX", "beam-"))
    done = lab.play()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return lab


@pytest.fixture
def mesh(lab: Lab) -> Callable[..., bool]:
    """Whether every node of the lab is connected to every other, as the nodes' own sockets show it."""

    def whole(port: str = "9100") -> bool:
        for host in NODES:
            seen = lab.tries(host, f"ss -Htnp state established '( sport = {port} or dport = {port} )' | grep -c beam.smp")
            if seen.returncode != 0 or int(seen.stdout or 0) < len(NODES) - 1:
                return False
        return True

    return whole
