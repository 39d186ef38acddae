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
    found = sysctls.at_boot(
        [f"{tmp_path}/{place}" for place in ("etc", "lib")], [f"{tmp_path}/cmdline", f"{tmp_path}/grub.d/*.cfg"],
        [f"{tmp_path}/{place}" for place in ("network", "libnetwork")], [f"{tmp_path}/jobs/*"],
    )
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
    assert sysctls.at_boot([str(tmp_path)], [], [], []) is None


def test_a_link_to_nothing_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.conf").symlink_to("/nowhere")
    assert sysctls.at_boot([str(tmp_path)], [], [], []) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("BOOT_IMAGE=/vmlinuz root=/dev/vda1 sysctl.net.ipv4.conf.eth0.route_localnet=1 quiet\n", (LOOPBACK, "1")),
        ('GRUB_CMDLINE_LINUX="quiet sysctl.kernel.core_pattern=|/opt/keep"\n', (PATTERN, "|/opt/keep")),
        ('GRUB_CMDLINE_LINUX="sysctl.kernel/core_pattern=\\"|/opt/keep %p\\""\n', (PATTERN, "|/opt/keep %p")),
        ('# GRUB_CMDLINE_LINUX="sysctl.kernel.core_pattern=|/opt/keep"\n', None),
        ("quiet sysctl.vm.swappiness=1 mysysctl.kernel.core_pattern=x\n", None),
    ],
)
def test_the_command_line_of_the_kernel(tmp_path: Path, text: str, found: tuple[str, str] | None) -> None:
    for place in ("cmdline", "grub.d/x.cfg"):
        assert at_boot(tmp_path, {place: text}) == ([(*found, place)] if found else [])
        (tmp_path / place).unlink()


def test_sysctl_comes_after_the_command_line_of_the_kernel(tmp_path: Path) -> None:
    files = {"cmdline": f"sysctl.{PATTERN}=|/opt/keep\n", "etc/50-coredump.conf": f"{PATTERN}=core\n"}
    assert at_boot(tmp_path, files) == [(PATTERN, "core", "etc/50-coredump.conf")]


NETWORK = "[Match]\nName=eth0\n[Network]\nDHCP=yes\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"network/a.network": f"{NETWORK}IPv4RouteLocalnet=yes\n"}, [(LOOPBACK, "1", "network/a.network")]),
        ({"network/a.network": "[Network]\nIPv4RouteLocalnet = true\n"}, [("net.ipv4.conf.*.route_localnet", "1", "network/a.network")]),
        (
            {"libnetwork/a.network": NETWORK, "network/a.network.d/x.conf": "[Network]\nIPv4RouteLocalnet=1\n"},
            [(LOOPBACK, "1", "network/a.network.d/x.conf")],
        ),
        ({"network/a.network": f"{NETWORK}IPv4RouteLocalnet=yes\n", "network/a.network.d/x.conf": "[Network]\nIPv4RouteLocalnet=no\n"}, []),
        ({"network/a.network": NETWORK, "libnetwork/a.network": f"{NETWORK}IPv4RouteLocalnet=yes\n"}, []),
        ({"network/a.network": f"{NETWORK}#IPv4RouteLocalnet=yes\nIPv4Forwarding=yes\n"}, []),
    ],
)
def test_networkd(tmp_path: Path, files: dict[str, str], found: list[tuple[str, str, str]]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert at_boot(tmp_path, {}) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("iface eth0 inet dhcp\n  up sysctl -q -w net.ipv4.conf.eth0.route_localnet=1\n", [(LOOPBACK, "1")]),
        ("iface eth0 inet dhcp\n  post-up echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet\n", [(LOOPBACK, "1")]),
        ("#!/bin/sh\necho -n '|/opt/keep %p' | sudo tee /proc/sys/kernel/core_pattern\n", [(PATTERN, "|/opt/keep %p")]),
        ("[Service]\nExecStart=/usr/sbin/sysctl -w 'kernel.core_pattern=|/opt/keep %%p'\n", [(PATTERN, "|/opt/keep")]),
        ('#!/bin/sh\nsysctl kernel.core_pattern="|/opt/keep %p" vm.swappiness=1\n', [(PATTERN, "|/opt/keep %p")]),
        ("#!/bin/sh\nKEEP=/opt/keep\necho \"|$KEEP %p\" >/proc/sys/kernel/core_pattern\n", [(PATTERN, "|/opt/keep %p")]),
        # One that switches it off, one that only reads, one whose value is made elsewhere.
        ("iface eth0 inet dhcp\n  up sysctl -w net.ipv4.conf.eth0.route_localnet=0\n", [(LOOPBACK, "0")]),
        ("#!/bin/sh\nsysctl -n kernel.core_pattern > /tmp/was; cat /proc/sys/kernel/core_pattern\n", []),
        ("#!/bin/sh\necho \"|$AGENT %p\" > /proc/sys/kernel/core_pattern\n", []),
        ("#!/bin/sh\n# sysctl -w kernel.core_pattern=x\nsysctl --system\n", []),
    ],
)
def test_commands_that_run_at_boot(tmp_path: Path, text: str, found: list[tuple[str, str]]) -> None:
    assert at_boot(tmp_path, {"jobs/job": text}) == [(*one, "jobs/job") for one in found]


def test_a_file_that_a_job_gives_to_sysctl(tmp_path: Path) -> None:
    files = {"other/set.conf": f"{PATTERN}=|/opt/keep\n", "jobs/job": f"#!/bin/sh\nsysctl -q -p {tmp_path}/other/set.conf\n"}
    assert at_boot(tmp_path, files) == [(PATTERN, "|/opt/keep", "other/set.conf")]
