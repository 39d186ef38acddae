# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemctl show lists a drop-in that is a link to /dev/null among the others, and it says nothing (systemd.unit(5))."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.beam.cluster.plugins.module_utils._host import units


def test_a_drop_in_that_is_switched_off_is_none(tmp_path: Path) -> None:
    off, dangling, written = (tmp_path / name for name in ("zzz-lxc-service.conf", "zzzz.conf", "10-mine.conf"))
    off.symlink_to("/dev/null")
    dangling.symlink_to(tmp_path / "gone")
    written.write_text("[Service]\n")
    shown = units.parse(f"Id=x.service\nDropInPaths={written} {off} {dangling}\n")["x.service"]
    assert shown["drop_ins"] == [str(written), str(dangling)]
