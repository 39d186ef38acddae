# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""If the flags do not reach the VM, the node does not run: each situation is put on a host of a lab in which `site` has converged, and the node
started, while another host tries to get in. `TAKEOVER_SECONDS` is how long it tries after the start: 60 where nothing is said.

    LAB_PREFIX=... PRODUCT=release pytest tests/takeover
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from situations import EVERY_UNIT, HARDENED, REFUSED, RELEASE, STOPPED, Situation

ROOT = Path(__file__).resolve().parents[2]
PREFIX = os.environ.get("LAB_PREFIX", "beam-")
HOST = os.environ.get("TAKEOVER_HOST", "n1")
PRODUCT = os.environ.get("PRODUCT", "erlang")
SECONDS = float(os.environ.get("TAKEOVER_SECONDS", "60"))
UNITS = {"erlang": ("beam", "beam"), "release": ("shop", "shop"), "rabbitmq": ("rabbitmq-server", "rabbit"), "ejabberd": ("ejabberd", "ejabberd")}
UNIT, NAME = UNITS[PRODUCT]
WORDS = {"unit": f"{UNIT}.service", "node": f"{NAME}@{HOST}", "directory": f"/etc/beam/{NAME}@{HOST}"}
SITUATIONS = [*EVERY_UNIT, *(RELEASE if PRODUCT == "release" else [])]


def tries(command: str, host: str = HOST) -> subprocess.CompletedProcess[str]:
    podman = str(ROOT / "molecule/lab/podman")
    return subprocess.run([podman, "exec", PREFIX + host, "sh", "-c", command], capture_output=True, text=True, timeout=180, check=False)


def on(command: str) -> str:
    done = tries(command)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def pid(host: str) -> str:
    """The process of a host that its namespaces are entered by."""
    return Path(f"/run/beam-cluster-lab-{PREFIX}{host}.pid").read_text(encoding="ascii").strip()


class Prober:
    """Another host, trying to get in."""

    def __init__(self, seconds: float) -> None:
        addresses = on("ip -4 -br addr show scope global | awk '{print $3}' | cut -d/ -f1").split()
        command = ["nsenter", f"--net=/proc/{pid('outsider')}/ns/net", str(ROOT / "tests/takeover/prober.py"), pid(HOST), str(seconds), *addresses]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None and self.process.stdout.readline() == "ready\n"

    def told(self) -> dict[str, object]:
        self.process.terminate()
        output, _errors = self.process.communicate(timeout=SECONDS + 120)
        return dict(json.loads(output))


@pytest.fixture(scope="session")
def words() -> Iterator[dict[str, str]]:
    """The unit's own command, too. After all tests the node runs again."""
    shown = on(f"systemctl show --property=ExecStart --value {WORDS['unit']}")
    yield {**WORDS, "start": shown.partition("argv[]=")[2].partition(" ; ")[0]}
    on(f"systemctl start {WORDS['unit']}")


@pytest.fixture
def stage(request: pytest.FixtureRequest, words: dict[str, str]) -> Iterator[Situation]:
    """The situation on the host, the node down; and afterwards the node as it was."""
    situation: Situation = request.param

    def said(text: str) -> str:
        for name, value in words.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    files = {said(path): said(text) for path, text in situation.files.items()}
    on(f"systemctl stop {words['unit']}; systemctl reset-failed {words['unit']} 2>/dev/null; :")
    try:
        for path, text in files.items():
            script = f"mkdir -p {Path(path).parent}; cat > {path} <<'END'\n{text}END"
            on(script)
        on(f"{said(situation.run) or ':'}\nsystemctl daemon-reload")
        yield Situation(situation.name, situation.end, files, "", "", said(situation.says), said(situation.late))
    finally:
        on(f"rm -f {' '.join(files) or '/nonexistent'}; {said(situation.undo) or ':'}\nsystemctl daemon-reload")
        on(f"systemctl stop {words['unit']}; systemctl reset-failed")


def virtual_machines(words: dict[str, str]) -> list[str]:
    """Command lines of the unit's VMs."""
    script = f'for p in $(pgrep beam.smp); do ! grep -q "/{words["unit"]}" /proc/$p/cgroup || {{ tr "\\0" " " < /proc/$p/cmdline; echo; }}; done'
    return tries(script).stdout.splitlines()


def main_pid(unit: str) -> str:
    return on(f"systemctl show --property=MainPID --value {unit}").strip()


@pytest.mark.parametrize("stage", SITUATIONS, ids=[situation.name for situation in SITUATIONS], indirect=True)
def test_no_node_runs_without_its_flags(stage: Situation, words: dict[str, str]) -> None:
    unit = words["unit"]
    since = on("date +%s").strip()
    closed = stage.end in (REFUSED, STOPPED)
    prober = Prober(SECONDS + 300)
    begun = tries(f"timeout 60 systemctl start {unit}")
    if stage.late:
        time.sleep(3)
        node = main_pid(unit)
        if closed:
            tries(f"({stage.late}) >/dev/null 2>&1 & sleep 3")
        else:
            on(stage.late)
            assert main_pid(unit) == node != "0", "the node was restarted"
    # A busy machine may take its time until there is a VM to be seen.
    for _turn in range(120):
        journal = tries(f"journalctl --no-pager -o cat --since=@{since} -u {unit} -u beam-guard-{unit} -u beam-watch-{unit}").stdout
        running = virtual_machines(words)
        if {HARDENED: bool(running), REFUSED: True, STOPPED: " is stopped: " in journal}[stage.end]:
            break
        time.sleep(0.5)
    time.sleep(SECONDS if closed else 3)
    told = prober.told()
    running = virtual_machines(words)
    journal = tries(f"journalctl --no-pager -o cat --since=@{since} -u {unit} -u beam-guard-{unit} -u beam-watch-{unit}").stdout
    print(told, journal)
    assert told["answered"] == 0, "somebody got in"
    if stage.end == HARDENED:
        assert begun.returncode == 0, begun.stderr
        assert "beam guard:" not in journal
        assert len(running) >= 1 and all(line.count("-proto_dist inet_tls") == 1 for line in running)
        return
    assert running == []
    said = [line for line in journal.splitlines() if "beam guard:" in line or "release:" in line]
    assert stage.says == "" or any(stage.says in line for line in said), said
    assert (stage.end == STOPPED) == any(" is stopped: " in line for line in said)
    # One line for each try, and systemd tries again where that may help.
    tries_made = journal.count("Starting " + unit.removesuffix(".service")) or 1
    assert len([line for line in said if "beam guard:" in line]) <= max(1, tries_made)
