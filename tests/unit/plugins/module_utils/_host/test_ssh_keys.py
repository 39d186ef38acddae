# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that let SSH in as the user of a node, wherever the configuration of sshd says that they lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import ssh_keys

USUAL = [".ssh/authorized_keys", ".ssh/authorized_keys2"]


def test_directives_of_all_files_and_of_match_blocks(tmp_path: Path) -> None:
    (tmp_path / "sshd_config").write_text(
        "#AuthorizedKeysFile /not/this\nAuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u # more\n"
        'Match User beam\n  authorizedkeysfile "/srv/%u/%U"\n  AuthorizedPrincipalsFile /etc/ssh/principals/%u\n'
        "Match all\n  AuthorizedKeysFile none\n"
    )
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "9.conf").write_text("AuthorizedKeysFile=%h/keys\n")
    found = ssh_keys.patterns((str(tmp_path / "sshd_config"), f"{tmp_path}/d/*.conf", f"{tmp_path}/none"))
    assert found == [*USUAL, "/etc/ssh/keys/%u", "/srv/%u/%U", "/etc/ssh/principals/%u", "%h/keys"]
    assert ssh_keys.patterns(()) == USUAL


def test_directives_of_included_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_keys, "_INCLUDED_FROM", str(tmp_path))
    (tmp_path / "sshd_config").write_text(f'Match all\n  include more.d/*.conf "{tmp_path}/last"\n#Include not\n')
    (tmp_path / "more.d").mkdir()
    (tmp_path / "more.d" / "1.conf").write_text("Include sshd_config\nAuthorizedKeysFile /keys/%u\n")
    (tmp_path / "last").write_text("AuthorizedKeysFile /last/%u\n")
    (tmp_path / "not").write_text("AuthorizedKeysFile /not/%u\n")
    assert ssh_keys.patterns((str(tmp_path / "sshd_config"),)) == [*USUAL, "/keys/%u", "/last/%u"]


def test_files_of_a_user(tmp_path: Path) -> None:
    for name in ("home/.ssh/authorized_keys", "keys/beam", "keys/997", "keys/other", "100%"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("ssh-ed25519 AAAA x\n")
    (tmp_path / "keys" / "empty").write_text("")
    known = [*USUAL, f"{tmp_path}/keys/%u", f"{tmp_path}/keys/%U", f"{tmp_path}/keys/empty", f"{tmp_path}/100%%", f"{tmp_path}/keys/gone"]
    found = [path.replace(str(tmp_path), "") for path in ssh_keys.files_of("beam", 997, f"{tmp_path}/home", known)]
    assert found == ["/home/.ssh/authorized_keys", "/keys/beam", "/keys/997", "/100%"]
