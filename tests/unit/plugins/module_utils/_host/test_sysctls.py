# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the kernel that come with the next boot."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import sysctls

PATTERN, LOOPBACK = "kernel.core_pattern", "net.ipv4.conf.eth0.route_localnet"


def at_boot(tmp_path: Path, files: dict[str, str]) -> list[tuple[str, str, str]]:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = sysctls.at_boot([f"{tmp_path}/{place}" for place in ("etc", "lib")])
    assert found is not None
    return [(one["name"], one["value"], one["where"][len(f"{tmp_path}/") :]) for one in found]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("kernel.core_pattern = |/opt/keep %p", (PATTERN, "|/opt/keep %p")),
        ("kernel/core_pattern=core", (PATTERN, "core")),
        ("-net.ipv4.conf.eth0.route_localnet=1", (LOOPBACK, "1")),
        ("  net/ipv4/conf/eth0/route_localnet = 1", (LOOPBACK, "1")),
        ("net.ipv4.conf.*.route_localnet = 1", ("net.ipv4.conf.*.route_localnet", "1")),
        ("# kernel.core_pattern = x", None),
        ("; kernel.core_pattern = x", None),
        ("kernel.core_pattern", None),
        ("vm.swappiness = 1", None),
    ],
)
def test_a_line(tmp_path: Path, line: str, found: tuple[str, str] | None) -> None:
    assert at_boot(tmp_path, {"etc/x.conf": f"{line}\n"}) == ([(*found, "etc/x.conf")] if found else [])


def test_the_last_file_by_name_counts_and_of_one_name_the_first_directory(tmp_path: Path) -> None:
    files = {"lib/50-a.conf": f"{PATTERN}=first\n", "etc/50-a.conf": "", "lib/60-b.conf": f"{PATTERN}=second\n"}
    files["etc/70-c.conf"] = f"{PATTERN}=third\n"
    assert at_boot(tmp_path, files) == [(PATTERN, "third", "etc/70-c.conf")]
    assert at_boot(tmp_path, {"etc/70-c.conf": "", "etc/80.txt": f"{PATTERN}=x\n"}) == [(PATTERN, "second", "lib/60-b.conf")]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x.conf").mkdir()
    assert sysctls.at_boot([str(tmp_path)]) is None


def test_a_link_to_nothing_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.conf").symlink_to("/nowhere")
    assert sysctls.at_boot([str(tmp_path)]) == []
