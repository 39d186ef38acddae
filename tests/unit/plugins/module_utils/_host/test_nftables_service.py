# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nftables.service would load without our drop-in."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import nftables_service

DEBIAN = (
    "[Service]\nType=oneshot\nExecStart=/usr/sbin/nft -f /etc/nftables.conf\nExecReload=/usr/sbin/nft -f /etc/nftables.conf\n"
    "ExecStop=/usr/sbin/nft flush ruleset\n"
)
STOP = ("ExecStop", "/usr/sbin/nft")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("override.conf", "", [("ExecStart", "/etc/nftables.conf"), ("ExecReload", "/etc/nftables.conf"), STOP]),
        ("override.conf", "ExecStart=\nExecStart=/usr/sbin/nft -f /etc/a.nft\n",
         [("ExecStart", "/etc/a.nft"), ("ExecReload", "/etc/nftables.conf"), STOP]),
        ("override.conf", "ExecStart=\nExecStart=/usr/local/sbin/fw --up\nExecStop=\n",
         [("ExecStart", "/usr/local/sbin/fw"), ("ExecReload", "/etc/nftables.conf"), ("ExecStop", "")]),
        ("override.conf", "ExecReload=\nExecReload=/usr/sbin/nft 'flush ruleset; \\\n include \"/etc/b.nft\";'\n",
         [("ExecStart", "/etc/nftables.conf"), ("ExecReload", "/etc/b.nft"), STOP]),
        ("zzzz.conf", "ExecReload=\nExecReload=/usr/sbin/nft -f /etc/b.nft\n",
         [("ExecStart", "/etc/nftables.conf"), ("ExecReload", "/etc/nftables.conf"), STOP]),
        ("zzz-beam.conf", "# Managed by beam.cluster (role firewall).\nExecStart=\nExecStart=/bin/true\n",
         [("ExecStart", "/etc/nftables.conf"), ("ExecReload", "/etc/nftables.conf"), STOP]),
    ],
)  # fmt: skip
def test_what_others_have_it_load(tmp_path: Path, name: str, text: str, found: list[tuple[str, str]]) -> None:
    (tmp_path / "nftables.service").write_text(DEBIAN, encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")
    unit = {"fragment": f"{tmp_path}/nftables.service", "drop_ins": [f"{tmp_path}/{name}"]}
    assert [(one["directive"], one["file"]) for one in nftables_service.loads(unit)] == found


def test_a_host_without_the_unit() -> None:
    assert nftables_service.loads({}) == nftables_service.loads({"fragment": "", "drop_ins": []}) == []
