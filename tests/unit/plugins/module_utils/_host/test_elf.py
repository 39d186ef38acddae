# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Protections of programs: real ones of this machine, and some that are built here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import elf


def test_protections_of_a_real_program() -> None:
    found = elf.protections(os.path.realpath(sys.executable))
    assert found is not None and {"nx", "relro"} <= set(found)


def test_what_is_no_program_has_no_protections(tmp_path: Path) -> None:
    for text in (b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(60)):
        (tmp_path / "p").write_bytes(text)
        assert elf.protections(str(tmp_path / "p")) in (None, [])
    assert elf.protections(str(tmp_path / "gone")) is None


@pytest.mark.skipif(not shutil.which("gcc"), reason="there is no compiler")
@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("-no-pie -Wl,-z,norelro -z execstack -fno-stack-protector", set()),
        ("-pie -fPIE -Wl,-z,relro,-z,now", {"pie", "relro", "now", "nx"}),
        ("-pie -fPIE -Wl,-z,relro,-z,lazy", {"pie", "relro", "nx"}),
        ("-no-pie -fstack-protector-all -Wl,-z,norelro", {"nx", "canary"}),
    ],
)
def test_protections_of_programs_that_were_built_so(flags: str, found: set[str], tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text("int main(void) { return 0; }\n")
    subprocess.run(["gcc", *flags.split(), "-o", str(tmp_path / "p"), str(tmp_path / "p.c")], check=True)
    assert set(elf.protections(str(tmp_path / "p")) or ()) == found
