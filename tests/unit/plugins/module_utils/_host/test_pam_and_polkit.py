# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of PAM and polkit with which users become another one, and those that distributions have."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import pam_and_polkit

DEBIAN = """\
auth\t[success=1 default=ignore]\tpam_unix.so nullok
{}
auth\trequisite\t\t\tpam_deny.so
auth\trequired\t\t\tpam_permit.so
"""
RED_HAT = """\
auth        required      pam_env.so
auth        sufficient    pam_unix.so nullok
auth        [default=1 ignore=ignore success=ok]         pam_succeed_if.so uid >= 1000 quiet
auth        sufficient    pam_sss.so forward_pass
auth        required      pam_deny.so
"""
SU = "auth       sufficient pam_rootok.so\n{}\n@include common-auth\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (DEBIAN.format(""), False),
        (RED_HAT, False),
        (SU.format(""), False),
        (SU.format("# auth       sufficient pam_wheel.so trust"), False),
        (SU.format("auth required pam_wheel.so"), False),
        (SU.format("auth required pam_permit.so"), False),
        (SU.format("account sufficient pam_permit.so"), False),
        (SU.format("auth sufficient pam_succeed_if.so uid = 0 use_uid quiet"), False),
        (SU.format("auth sufficient pam_permit.so"), True),
        (SU.format("auth  sufficient  /lib/security/pam_permit.so"), True),
        (SU.format("auth sufficient pam_wheel.so trust group=games"), True),
        (SU.format("auth sufficient pam_succeed_if.so user ingroup games"), True),
        (SU.format("auth sufficient \\\n pam_succeed_if.so ruser = games"), True),
        (DEBIAN.format("auth sufficient pam_permit.so"), True),
        (SU.format("auth sufficient pam_localuser.so"), True),
        (SU.format("auth sufficient pam_rhosts.so"), True),
        (SU.format("auth sufficient pam_exec.so quiet /bin/true"), True),
        # It gets the password, and tests it.
        (SU.format("auth sufficient pam_exec.so expose_authtok /usr/local/sbin/check"), False),
        (SU.format("auth required pam_access.so"), False),
        ("auth required pam_env.so\nauth required pam_permit.so\n", True),
        (SU.format("auth [success=done new_authtok_reqd=done default=ignore] pam_succeed_if.so user ingroup games"), True),
        (DEBIAN.format("").replace("auth\t[", "auth [success=2 default=ignore] pam_succeed_if.so user ingroup games\nauth\t["), True),
        ("auth [success=2 default=ignore] pam_succeed_if.so user = games\nauth optional pam_cap.so\nauth required pam_unix.so\n", True),
        ("auth [success=1 default=ignore] pam_succeed_if.so user = games\nauth optional pam_cap.so\nauth required pam_unix.so\n", False),
        # Who need not show a second factor has shown the first one.
        (DEBIAN.format("") + "auth [success=1 default=ignore] pam_succeed_if.so user notingroup 2fa\nauth required pam_oath.so\n", False),
        ("auth [success=ok default=1] pam_succeed_if.so user = x\nauth required pam_unix.so\n", False),
        ("", False),
    ],
)
def test_modules_that_take_the_place_of_a_password(text: str, found: bool, tmp_path: Path) -> None:
    (tmp_path / "su").write_text(text)
    (tmp_path / "gdm-autologin").write_text("auth required pam_permit.so\n")
    assert pam_and_polkit.without_password(str(tmp_path)) == ([str(tmp_path / "su")] if found else [])


@pytest.mark.parametrize("line", ["@include operators", "auth include operators", "auth  substack  operators", "@include {}/operators"])
def test_modules_of_an_included_file(line: str, tmp_path: Path) -> None:
    (tmp_path / "su").write_text(f"{line.format(tmp_path)}\nauth required pam_unix.so\n")
    (tmp_path / "operators").write_text("auth sufficient pam_wheel.so trust group=operators\n@include su\n")
    assert pam_and_polkit.without_password(str(tmp_path)) == [f"{tmp_path}/operators"]
    (tmp_path / "operators").write_text("auth required pam_wheel.so\n")
    assert pam_and_polkit.without_password(str(tmp_path)) == []


def test_the_password_that_polkit_asks_for(tmp_path: Path) -> None:
    (tmp_path / "polkit-1").write_text("auth required pam_permit.so\n")
    assert pam_and_polkit.without_password(str(tmp_path)) == [f"{tmp_path}/polkit-1"]


RULE = """\
polkit.addRule(function(action, subject) {{
    if ({} && subject.user == "games") {{
        return polkit.Result.{};
    }}
}});
"""
UNITS = 'action.id == "org.freedesktop.systemd1.manage-units"'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (RULE.format(UNITS, "YES"), True),
        (RULE.format('action.id.indexOf("org.freedesktop.systemd1.") == 0', "YES"), True),
        (RULE.format('action.id == "org.freedesktop.policykit.exec"', "YES"), True),
        (RULE.format(UNITS, "AUTH_ADMIN"), False),
        (RULE.format(f'{UNITS} && action.lookup("unit") == "nginx.service"', "YES"), False),
        (RULE.format('action.id == "org.freedesktop.NetworkManager.wifi.scan"', "YES"), False),
        (RULE.format(UNITS, "NO") + RULE.format('action.id == "org.freedesktop.login1.reboot"', "YES"), False),
        ("".join(f"// {line}\n" for line in RULE.format(UNITS, "YES").splitlines()), False),
        # A rule that asks for no action is about all of them.
        (RULE.format("subject.local", "YES"), True),
        (RULE.format(UNITS, "YES").replace("polkit.Result.YES", '"yes"'), True),
        (RULE.format(UNITS, "YES").replace("polkit.Result.YES", 'polkit.Result["YES"]'), True),
        (RULE.format('action.id.indexOf("org.freedesktop.systemd1") == 0', "YES"), True),
        (RULE.format('action.id.startsWith("org.freedesktop.")', "YES"), True),
        (RULE.format(r"/^org\.freedesktop\.systemd1\./.test(action.id)", "YES"), True),
        (RULE.format(r"/^org\./.test(action.id)", "YES"), True),
        (RULE.format('action.id == "org.freedesktop.machine1.host-shell"', "YES"), True),
        ("var free = [\"org.freedesktop.systemd1.manage-units\"];\n" + RULE.format("free.indexOf(action.id) >= 0", "YES"), True),
        ("function free(action, subject) { return subject.isInGroup('games') ? polkit.Result.YES : null; }\npolkit.addRule(free);\n", True),
        (RULE.format('action.id.indexOf("org.freedesktop.udisks2.") == 0', "YES"), False),
        (RULE.format('action["id"] == "org.libvirt.unix.manage"', "YES"), False),
        (RULE.format("subject.isInGroup('games')", "NO"), False),
    ],
)
def test_rules_that_let_users_start_what_they_like(text: str, found: bool, tmp_path: Path) -> None:
    (tmp_path / "50-x.rules").write_text(text)
    with mock.patch.object(pam_and_polkit, "POLKIT", (f"{tmp_path}/*.rules",)):
        assert pam_and_polkit.managing() == ([f"{tmp_path}/50-x.rules"] if found else [])


AUTHORITY = "[Operators]\nIdentity={}\nAction={}\nResultAny=no\nResultActive={}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (AUTHORITY.format("unix-user:games", "org.freedesktop.systemd1.manage-units", "yes"), True),
        (AUTHORITY.format("unix-user:root;unix-group:games", "org.example.x;org.freedesktop.*", "yes"), True),
        (AUTHORITY.format("*", "*", "yes"), True),
        (AUTHORITY.format("unix-user:games", "org.freedesktop.systemd1.manage-units", "auth_admin"), False),
        (AUTHORITY.format("unix-user:root", "*", "yes"), False),
        (AUTHORITY.format("unix-group:netdev;unix-group:sudo", "org.freedesktop.NetworkManager.settings.modify.system", "yes"), False),
        (AUTHORITY.format("unix-user:systemd-network", "org.freedesktop.hostname1.set-hostname;org.freedesktop.hostname1.x", "yes"), False),
        ("no sections\n", False),
        ("", False),
    ],
)
def test_rules_of_the_local_authority(text: str, found: bool, tmp_path: Path) -> None:
    (tmp_path / "50-x.pkla").write_text(text)
    with mock.patch.object(pam_and_polkit, "POLKIT", ()), mock.patch.object(pam_and_polkit, "AUTHORITY", (f"{tmp_path}/*.pkla",)):
        assert pam_and_polkit.managing() == ([f"{tmp_path}/50-x.pkla"] if found else [])
