# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted over files of a node at the next boot, and what is not any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import mounts_at_boot

KEY, HOME = "/etc/beam/beam@n1/tls/key.pem", "/var/lib/beam/beam@n1"
NOW = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 8:2 / /var/lib/my\\040data rw - ext4 /dev/sda2 rw\n"


def found(tmp_path: Path, fstab: str = "", mounted: str = "", units: dict[str, str] | None = None) -> list[tuple[str, str, str]]:
    (tmp_path / "fstab").write_text(fstab)
    (tmp_path / "mountinfo").write_text(NOW + mounted)
    for name, text in (units or {}).items():
        (tmp_path / "units" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "units" / name).write_text(text)
    said = mounts_at_boot.describe([KEY, HOME], str(tmp_path / "fstab"), str(tmp_path / "mountinfo"), [str(tmp_path / "units")])
    return [(one["path"], one["does"], one["where"].replace(str(tmp_path), "")) for one in said]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("/opt/other /etc/beam none bind 0 0", KEY),
        ("/opt/key.pem /etc/beam/beam@n1/tls/key.pem none bind", KEY),
        ("tmpfs /var/lib/beam tmpfs noauto,x-systemd.automount 0 0", HOME),
        ("server:/data /var/lib nfs nofail 0 0", HOME),
        ("/opt/other /etc/beam none bind,noauto 0 0", ""),
        ("# /opt/other /etc/beam none bind 0 0", ""),
        ("/dev/sda1 / ext4 defaults 0 1", ""),
        ("UUID=1 none swap sw 0 0", ""),
        ("/dev/sdb1 /srv ext4 defaults 0 2", ""),
        ("/dev/sdb1 /etc/beam2 ext4 defaults 0 2", ""),
        ("broken", ""),
    ],
)
def test_a_line_of_fstab(line: str, path: str, tmp_path: Path) -> None:
    assert found(tmp_path, line) == ([(path, "mount", "/fstab")] if path else [])


def test_what_is_mounted_already_shows_its_files_now(tmp_path: Path) -> None:
    data = "30 22 8:3 / /var/lib/beam rw - ext4 /dev/sdb1 rw\n"
    assert found(tmp_path, "/dev/sdb1 /var/lib/beam ext4 defaults 0 2", data) == []
    # Another program may mount it: ZFS, a tool of the cloud.
    assert found(tmp_path, "", data) == []


def test_a_mount_by_hand_over_our_files(tmp_path: Path) -> None:
    over = "30 22 8:1 /opt/key.pem /etc/beam/beam@n1/tls/key.pem ro - ext4 /dev/sda1 rw\n"
    assert found(tmp_path, "", over) == [(KEY, "unmounted", KEY)]
    assert found(tmp_path, f"/opt/key.pem {KEY} none bind 0 0", over) == []


def test_a_unit_that_mounts(tmp_path: Path) -> None:
    units = {"etc-beam.mount": "[Mount]\nWhat=/opt/other\nWhere=/etc/beam\nOptions=bind\n"}
    assert found(tmp_path, units=units) == []
    assert found(tmp_path, units={**units, "local-fs.target.wants/etc-beam.mount": ""}) == [(KEY, "mount", "/units/etc-beam.mount")]
