# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of AppArmor that confine a unit, from the kernel's list and the files of the policy, in folders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import apparmor

# The first and last lines of the profile that Debian's ejabberd has, without flags=(complain).
DEBIAN = """#include <tunables/global>

/usr/sbin/ejabberdctl {
\t#include <abstractions/base>
\t/{,usr/}bin/su\t\t\t\t\tpx -> /usr/sbin/ejabberdctl//su,
\tprofile su flags=(attach_disconnected) {
\t\t/etc/environment\t\t\tr,
\t}
\t/etc/ejabberd**\t\t\t\t\tr,

\t# Site-specific additions and overrides. See local/README for details.
\t#include <local/usr.sbin.ejabberdctl>
}
"""
UNIT = {"ejabberd.service": {"program": "/usr/sbin/ejabberdctl", "main_pid": 0}}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("kernel/policy/profiles", "policy/local", "policy/abstractions"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(apparmor, "KERNEL", str(tmp_path / "kernel"))
    monkeypatch.setattr(apparmor, "POLICY", str(tmp_path / "policy"))
    (tmp_path / "policy" / "usr.sbin.ejabberdctl").write_text(DEBIAN, encoding="utf-8")
    (tmp_path / "policy" / "other").write_text("profile web /opt/web {\n}\n", encoding="utf-8")
    return tmp_path


def load(host: Path, name: str, mode: str, attached: str = "") -> None:
    with (host / "kernel" / "profiles").open("a", encoding="utf-8") as stream:
        stream.write(f"{name} ({mode})\n")
    folder = host / "kernel" / "policy" / "profiles" / re.sub(r"\W", ".", name)
    folder.mkdir()
    (folder / "name").write_text(f"{name}\n", encoding="utf-8")
    (folder / "attach").write_text(f"{attached or name}\n", encoding="utf-8")


def found(host: Path) -> list[dict[str, object]]:
    return [{**one, "path": str(one["path"]).replace(f"{host}/", ""), "local": str(one["local"]).replace(f"{host}/", "")}
            for one in apparmor.describe(UNIT, ["ejabberd.service"])]  # fmt: skip


def test_a_host_without_apparmor(host: Path) -> None:
    assert found(host) == []
    assert apparmor.describe({}, ["x.service"]) == []


@pytest.mark.parametrize("mode", ["complain", "unconfined"])
def test_a_profile_that_refuses_nothing(host: Path, mode: str) -> None:
    """As Debian ships it."""
    load(host, "/usr/sbin/ejabberdctl", mode)
    assert found(host) == []


def test_one_in_force(host: Path) -> None:
    load(host, "/usr/sbin/ejabberdctl", "enforce")
    load(host, "/usr/sbin/ejabberdctl//su", "enforce")
    load(host, "/usr/sbin/ntpd", "enforce")
    expected = {"unit": "ejabberd.service", "profile": "/usr/sbin/ejabberdctl", "path": "policy/usr.sbin.ejabberdctl"}
    expected |= {"local": "policy/local/usr.sbin.ejabberdctl"}
    assert found(host) == [{**expected, "allows": False}]
    local = host / "policy" / "local" / "usr.sbin.ejabberdctl"
    local.write_text("# /etc/beam/** r,\n  deny /etc/beam/** r,\n/etc/beamer r,\n", encoding="utf-8")
    assert found(host) == [{**expected, "allows": False}]
    local.write_text("  owner /etc/beam/** r,\n", encoding="utf-8")
    assert found(host) == [{**expected, "allows": True}]


@pytest.mark.parametrize(
    ("attached", "confined"),
    [("/usr/{s,}bin/ejabberd*", True), ("/usr/**", True), ("/usr/*", False), ("/usr/sbin/ejabberdct?", True), ("/usr/sbin/[a-e]jabberdctl", True),
     ("/opt/ejabberd/bin/ejabberdctl", False), ("<unknown>", False), ("/usr/{sbin", False),
     ("/usr/[z-a]bin/ejabberdctl", False), ("/usr/}sbin{", False)],
)  # fmt: skip
def test_what_a_profile_is_attached_to(host: Path, attached: str, confined: bool) -> None:
    load(host, "mine", "enforce", attached)
    assert [one["profile"] for one in found(host)] == (["mine"] if confined else [])
