# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands with which a service becomes another user, where they are run and not only named."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import operator_settings, privileged_commands, sudo_rules


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sudo -n sysctl -w vm.swappiness=1\n", [(1, "sudo")]),
        ("A=1\nif ! /usr/bin/sudo true; then\n", [(2, "sudo")]),
        ("date | sudo tee /etc/x && doas reboot\n", [(1, "sudo"), (1, "doas")]),
        ("ExecStartPre=-/usr/bin/sudo /bin/chown shop /srv\n", [(1, "sudo")]),
        ("ExecStartPre=/bin/sh -c 'sudo chown shop /srv'\n", [(1, "sudo")]),
        ("LANG=C pkexec x\n", [(1, "pkexec")]),
        ("SUDO=\"sudo -n\"\n", [(1, "sudo")]),
        ("ExecStartPre=+/usr/bin/sudo x\n", []),
        ("usermod -aG sudo shop\napt-get install sudo curl\n", []),
        ("echo sudo make me\n", []),
        ("/opt/x/sudo x\nvisudo -c\nsudo=1\ncat /etc/sudoers\n", []),
    ],
)
def test_where_a_command_is_run(text: str, found: list[tuple[int, str]]) -> None:
    assert list(privileged_commands.find(text)) == found


def test_a_script_of_a_release(tmp_path: Path) -> None:
    """Nothing but the name of the command leaves the host, and a comment is none."""
    script = tmp_path / "releases/1.0.0/env.sh"
    script.parent.mkdir(parents=True)
    script.write_text("# sudo x\nexport RELEASE_NODE=a\nsudo -n chown word /srv\n", encoding="utf-8")
    question = operator_settings.Question("shop.service")
    found = operator_settings.settings([question], {"shop.service": {"release": str(tmp_path), "fragment": ""}})
    assert [(one["path"], one["line"], one["kind"], one["name"], one["value"]) for one in found] == [(str(script), 3, "privileged", "sudo", None)]


def test_rules_that_name_a_user_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop").write_text("shop ALL=(root) NOPASSWD: /bin/x\n", encoding="utf-8")
    (tmp_path / "all").write_text("ALL ALL=(ALL) ALL\n%root ALL=(ALL) ALL\nother ALL=(root) ALL\nshop ALL=(shop) ALL\n", encoding="utf-8")
    monkeypatch.setattr(sudo_rules, "SUDOERS", (f"{tmp_path}/*",))
    monkeypatch.setattr(sudo_rules, "DOAS", ())
    user = pwd.struct_passwd(("shop", "x", 4711, 0, "", "/srv/shop", "/usr/sbin/nologin"))
    assert sudo_rules.naming(user) == [f"{tmp_path}/shop"]
