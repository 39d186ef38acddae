# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of a code path that a VM was not started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import code_path, proc

OTP = "/usr/lib/erlang"
ARGUMENTS = (
    "beam.smp", "--", "-root", OTP, "-bindir", f"{OTP}/bin", "-progname", "erl",
    "--", "-home", "/", "--", "-sname", "beam", "-pa", "/opt/own/",
)


def machine(pid: int, name: str | None = "beam@n1") -> proc.Process:
    return proc.Process(pid, "beam.smp", "beam", "beam.service", flags=proc.VmFlags(name=name))


@pytest.mark.parametrize(
    ("path", "added"),
    [
        (".", False),
        (f"{OTP}/lib/kernel-10.2.7/ebin", False),
        (f"{OTP}/lib/x.ez/x/ebin", False),
        ("/opt/own", False),
        ("/srv/libraries/app-1/ebin", False),
        ("/opt/evil", True),
        (f"{OTP}-evil/lib", True),
        (f"{OTP}/../evil", True),
    ],
)
def test_a_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str, added: bool) -> None:
    (tmp_path / "42").mkdir()
    (tmp_path / "42" / "cmdline").write_bytes("".join(f"{one}\0" for one in ARGUMENTS).encode())
    (tmp_path / "42" / "environ").write_bytes(b"HOME=/\0ERL_LIBS=/srv/libraries\0")
    monkeypatch.setattr(proc, "beam_processes", lambda _root: [machine(42)])
    assert bool(code_path.added("beam@n1", [path], str(tmp_path))) is added


@pytest.mark.parametrize("machines", [[], [machine(42), machine(43, "beam")], [machine(42, None)], [machine(42)]])
def test_a_vm_that_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machines: list[proc.Process]) -> None:
    """Among them one whose arguments cannot be read."""
    monkeypatch.setattr(proc, "beam_processes", lambda _root: machines)
    assert code_path.added("beam@n1", ["/opt/evil"], str(tmp_path)) is None
