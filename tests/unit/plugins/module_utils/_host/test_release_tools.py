# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs and units of others that run the script of a release."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.beam.cluster.plugins.module_utils._host import release_tools


def test_who_runs_the_script_of_a_release(tmp_path: Path) -> None:
    release, jobs = tmp_path / "shop-1", tmp_path / "jobs"
    (release / "bin").mkdir(parents=True)
    (tmp_path / "current").symlink_to(release)
    (jobs / "shop.service.d").mkdir(parents=True)
    script = tmp_path / "report.sh"
    script.write_text(f"#!/bin/sh\n# {release}/bin/shop stop\n{release}/bin/shop eval 'word'\n", encoding="utf-8")
    files = {
        "cron": f"* * * * * shop cd / && {tmp_path}/current/bin/shop rpc 'Shop.report(\"s3cret\")'\n5 5 * * * root {script}\n",
        "logrotate": f"/var/log/shop.log {{\n  postrotate\n    {release}/bin/shop pid\n}}\n",
        "other": f"{tmp_path}/till/bin/till rpc x\n{release}/bin/shop\n",
        "ours": f"# Managed by beam.cluster (role product). Changes made here will be lost.\n{release}/bin/shop rpc x\n",
        "start": f"@reboot shop {release}/bin/shop daemon\n@reboot shop {release}/bin/server >/dev/null\n",
        "old.service": f"[Service]\nExecStart={release}/bin/shop start\n",
        "twin.service": f"[Service]\nExecStart={release}/bin/shop start\n",
        "shop.service.d/x.conf": f"[Service]\nExecReload={release}/bin/shop restart\n",
    }
    for name, text in files.items():
        (jobs / name).write_text(text, encoding="utf-8")
    (jobs / "multi-user.target.wants").mkdir()
    (jobs / "multi-user.target.wants/twin.service").symlink_to(jobs / "twin.service")
    found = release_tools.used("shop.service", f"{tmp_path}/current", (f"{jobs}/*", f"{jobs}/*/*.conf"))
    expected = {(f"{jobs}/ours", 2, "rpc"), (f"{jobs}/cron", 1, "rpc"), (f"{jobs}/logrotate", 3, "pid"), (str(script), 3, "eval")}
    expected |= {(f"{jobs}/start", 1, "daemon"), (f"{jobs}/start", 2, "start"), (f"{jobs}/twin.service", 2, "start")}
    assert {(one.path, one.line, one.name) for one in found} == expected
    assert list(release_tools.used("shop.service", "", (f"{jobs}/*",))) == []


def test_what_has_made_a_release(tmp_path: Path) -> None:
    (tmp_path / "releases/1").mkdir(parents=True)
    assert release_tools.made_by(str(tmp_path), "1") == "relx"
    (tmp_path / "releases/1/elixir").touch()
    assert release_tools.made_by(str(tmp_path), "1") == "mix"
    assert release_tools.made_by(str(tmp_path), "") == release_tools.made_by("", "1") == release_tools.made_by(str(tmp_path), "2") == ""
