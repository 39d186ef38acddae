# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vulnerabilities of what runs, which an upgrade of the files does not end."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("ansible")

from ansible_collections.beam.cluster.plugins.module_utils._host.proc import Process  # noqa: E402
from ansible_collections.beam.cluster.plugins.modules import otp_info  # noqa: E402

ROOT, VERSION, OLD, NEW = "/usr/lib/erlang", "27.3.4.1", "1:27.3.4.1+dfsg-1+deb13u3", "1:27.3.4.1+dfsg-1+deb13u4"


def running(monkeypatch: pytest.MonkeyPatch, **vm: Any) -> list[dict[str, Any]]:
    seen = {"otp_root": ROOT, "version": VERSION, "package": {"name": "erlang-base", "installed": NEW, "started": NEW}, "replaced": [], **vm}
    processes = [Process(7, "beam.smp", "beam", "beam.service"), Process(8, "epmd", "epmd", "epmd.service")]
    monkeypatch.setattr(otp_info.proc, "beam_processes", lambda: processes)
    monkeypatch.setattr(otp_info.vm, "describe", lambda pid: seen)
    return otp_info.running(ROOT, VERSION, NEW)


def test_a_node_that_runs_what_is_on_disk_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert running(monkeypatch) == []
    # Without the log, the same release and files that nobody has replaced are the same OTP.
    assert running(monkeypatch, package={"name": "erlang-base", "installed": NEW, "started": None}) == []


def test_a_node_from_before_the_upgrade_has_what_the_upgrade_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = running(monkeypatch, package={"name": "erlang-base", "installed": NEW, "started": OLD})
    assert found == [{"pid": 7, "unit": "beam.service", "root": ROOT, "version": VERSION, "package": {"name": "erlang-base", "version": OLD}}]
    disk = {one["cve"] for one in otp_info.advisories(VERSION, {"name": "erlang-base", "version": NEW}, "", "")}
    more = otp_info.advisories_of(found, ROOT)
    fixed = next(one for one in more if one["cve"] == "CVE-2026-89422")
    assert "CVE-2026-89422" not in disk
    assert fixed["detail"] == f"OTP {VERSION} (erlang-base {OLD}), which pid 7 of beam.service runs"
    assert fixed["fix"] == "Restart the node: run beam.cluster.site."


def test_a_node_with_an_otp_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = running(monkeypatch, otp_root="/opt/shop", version="26.0", package=None)
    (first, *_more) = otp_info.advisories_of(found, ROOT)
    assert "OTP 26.0, which pid 7" in first["detail"] and first["fix"].startswith("Upgrade to OTP")


def test_a_process_whose_otp_version_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    found = running(monkeypatch, version=None, package=None)
    assert [one["version"] for one in found] == [None] and otp_info.advisories_of(found, ROOT) == []
