# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What removes our firewall table after it was loaded, and which other firewalls start at the next boot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import firewall_at_boot


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#!/bin/sh\nnft flush ruleset\n", "job"),
        ("[Service]\nExecStartPost=+/usr/sbin/nft delete table inet beam_cluster\n", "job"),
        ("@reboot root sleep 9; nft flush chain inet beam_cluster cluster\n", "job"),
        ("[Service]\nExecStart=/usr/sbin/nft -f {}/rules.nft\n", "job"),
        ("[Service]\nExecStart=/bin/sh {}/script\n", "script"),
        ("auto eth0\n  post-up {}/script eth0\n", "script"),
        ("@reboot root {}/outer\n", "script"),
        ('ACTION=="add", SUBSYSTEM=="net", RUN+="{}/rules.nft"\n', "rules.nft"),
        ("# {}/script\n[Service]\nExecStart=/bin/true\n", ""),
        ("[Service]\nExecStart={}/harmless\n", ""),
        ("# nft flush ruleset\nnft flush table inet other\nnft -f {}/other.nft\n", ""),
        ("nft flush ruleset\nsystemctl reload beam-firewall\n", ""),
        ("nft flush ruleset; nft -f /etc/beam/firewall.nft\n", ""),
        ("#!/bin/sh\nRULES={}/plain.nft\nnft -f $RULES\n", "job"),
        ("#!/bin/sh\nNFT=/usr/sbin/nft\n$NFT -f {}/plain.nft\n", "job"),
        ("[Service]\nExecStart=/bin/sh -c 'nft -f - <{}/plain.nft'\n", "job"),
        ("#!/bin/sh\ncat {}/plain.nft | nft --file -\n", "job"),
        ("[Service]\nExecReload=/usr/sbin/nft -o -f {}/plain.nft\n", "job"),
        ("PostUp = nft -f {}/plain.nft\n", "job"),
        ("#!/bin/sh\nnft list ruleset > {}/plain.nft\n", ""),
        ("@reboot root echo flush ruleset | nft -f -\n", "job"),
        ("#!/bin/sh\nprintf 'delete table inet beam_cluster\\n' | /usr/sbin/nft --file -\n", "job"),
        ("#!/bin/sh\nnft -f {}/including.nft\n", "job"),
        ("#!/bin/sh\nnft -f {}/ours-again.nft\n", ""),
        ("#!/bin/sh\nnft \\\n  flush ruleset\n", "job"),
        ("#!/bin/sh\necho flush ruleset > /tmp/x | cat\n", ""),
        # Our unit is active all the time: to start it again does nothing, and to name it neither.
        ("#!/bin/sh\nnft flush ruleset\nsystemctl start beam-firewall\n", "job"),
        ("#!/bin/sh\nnft flush ruleset\nsystemctl stop beam-firewall.service\n", "job"),
        ("#!/bin/sh\nnft flush ruleset\nlogger 'beam-firewall is gone'\n", "job"),
        ("#!/bin/sh\nnft flush ruleset\nservice beam-firewall reload\n", ""),
        ("#!/bin/sh\nnft flush ruleset && systemctl --no-block try-reload-or-restart beam-firewall.service\n", ""),
        ("[Service]\nExecStartPre=/usr/sbin/nft -c -f {}/rules.nft\nExecStartPre=/usr/sbin/nft --check --file {}/rules.nft\n", ""),
        # Who adds an element or a rule lets somebody in.
        ("#!/bin/sh\nnft add element inet beam_cluster members4 '{{ 192.0.2.9 }}'\n", "job"),
        ("@reboot root nft insert rule inet beam_cluster input accept\n", "job"),
        ("PostUp = nft replace rule inet beam_cluster input handle 4 accept\n", "job"),
        ("[Service]\nExecStart=/usr/sbin/nft -f {}/more.nft\n", "job"),
        ("[Service]\nExecStart=/usr/sbin/nft -f {}/again.nft\n", "job"),
        ("#!/bin/sh\nnft add rule inet other input accept\nnft list table inet beam_cluster\n", ""),
        # Ours is loaded before that, not behind it.
        ("[Unit]\nAfter=beam-firewall.service\n[Service]\nExecStart=/usr/sbin/nft flush ruleset\n", "job"),
        ("#!/bin/sh\nsystemctl start beam-firewall\nnft flush ruleset\n", "job"),
        ("[Unit]\nBefore=beam-firewall.service\n[Service]\nExecStart=/usr/sbin/nft flush ruleset\n", ""),
        ("[Unit]\nWants=beam-firewall.service\n[Service]\nExecStart=/bin/true\n", ""),
        ("#!/bin/sh\n# not nft -f /etc/beam/firewall.nft\nnft -f {}/plain.nft\n", "job"),
    ],
)
def test_what_removes_our_table_at_boot(text: str, found: str, tmp_path: Path) -> None:
    (tmp_path / "rules.nft").write_text("#!/usr/sbin/nft -f\nflush ruleset\ntable inet x {}\n")
    (tmp_path / "plain.nft").write_text("flush ruleset\n")
    (tmp_path / "other.nft").write_text("# flush ruleset\ntable inet x {}\n")
    (tmp_path / "including.nft").write_text(f'table inet x {{}}\ninclude "{tmp_path}/again*.nft"\n')
    (tmp_path / "ours-again.nft").write_text('flush ruleset\ninclude "/etc/beam/firewall.nf[t]"\ntable inet x {}\n')
    (tmp_path / "more.nft").write_text("table inet beam_cluster {\n\tset members4 { type ipv4_addr; elements = { 192.0.2.9 } }\n}\n")
    (tmp_path / "again.nft").write_text("add element inet beam_cluster members4 { 192.0.2.9 }\n")
    (tmp_path / "script").write_text("#!/bin/sh\nNFT=/usr/sbin/nft\n$NFT -f - <<END\nflush ruleset\nEND\n")
    (tmp_path / "outer").write_text(f"#!/bin/sh\n{tmp_path}/script start\n")
    (tmp_path / "harmless").write_text("#!/bin/sh\nnft flush ruleset\nsystemctl reload beam-firewall\n")
    (tmp_path / "job").write_text(text.replace("{}", str(tmp_path)))
    assert firewall_at_boot.undoing([f"{tmp_path}/job"]) == ([f"{tmp_path}/{found}"] if found else [])


def test_a_unit_of_a_package_counts_where_it_is_enabled(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "etc" / "x.wants").mkdir(parents=True)
    for name in ("on", "off", "nftables"):
        (tmp_path / "lib" / f"{name}.service").write_text("[Service]\nExecStart=/usr/sbin/nft flush ruleset\n")
    for name in ("on", "nftables"):
        (tmp_path / "etc" / "x.wants" / f"{name}.service").symlink_to(f"../../lib/{name}.service")
    assert firewall_at_boot.undoing([f"{tmp_path}/etc/*.wants/*.service"]) == [f"{tmp_path}/lib/on.service"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("nftables.service.d/zzzz.conf", True),
        ("nftables.service.d/zzz-beam.conf", False),
        # Ours comes after it.
        ("nftables.service.d/override.conf", False),
        ("nftables.service", False),
        ("other.service.d/aa.conf", True),
    ],
)
def test_what_takes_the_place_of_our_drop_in_for_nftables(path: str, found: bool, tmp_path: Path) -> None:
    (tmp_path / "rules.nft").write_text("flush ruleset\n")
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(f"[Service]\nExecReload=\nExecReload=/usr/sbin/nft -f {tmp_path}/rules.nft\n")
    assert firewall_at_boot.undoing([f"{tmp_path}/{path}"]) == ([f"{tmp_path}/{path}"] if found else [])


CHAIN = [{"chain": {"family": "ip", "table": "filter", "name": "ufw-user-input"}}]


@pytest.mark.parametrize(
    ("name", "enabled", "active", "ufw", "objects", "waits"),
    [
        ("firewalld.service", "enabled", "inactive", False, [], True),
        ("netfilter-persistent.service", "enabled", "failed", False, [], True),
        ("nftables.service", "enabled", "inactive", False, [], True),
        ("nftables.service", "enabled-runtime", "inactive", False, [], False),
        ("firewalld.service", "enabled", "active", False, [], False),
        ("firewalld.service", "enabled", "activating", False, [], False),
        ("firewalld.service", "disabled", "inactive", False, [], False),
        ("firewalld.service", "masked", "inactive", False, [], False),
        ("firewalld.service", "", "inactive", False, [], False),
        # ufw decides by a file of its own, and may have been turned on by hand since the boot.
        ("ufw.service", "enabled", "inactive", False, [], False),
        ("ufw.service", "enabled", "active", False, [], False),
        ("ufw.service", "enabled", "inactive", True, CHAIN, False),
        ("ufw.service", "enabled", "inactive", True, [], True),
        ("ufw.service", "enabled", "inactive", True, None, True),
        ("x.service", "enabled", "inactive", False, [], False),
    ],
)
def test_a_firewall_that_waits_for_the_next_boot(
    monkeypatch: pytest.MonkeyPatch, name: str, enabled: str, active: str, ufw: bool, objects: list[Any] | None, waits: bool
) -> None:
    monkeypatch.setattr(firewall_at_boot, "ufw_enabled", lambda: ufw)
    assert firewall_at_boot.waiting({name: {"enabled": enabled, "active": active}}, objects) == ([name] if waits else [])
