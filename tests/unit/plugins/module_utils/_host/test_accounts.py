# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts that nodes would use, whatever knows them."""

from __future__ import annotations

import pwd

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import accounts


def test_a_user_of_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of LDAP is in no file of the host: the name service knows it, as systemd asks it for User=."""

    def known(name: str) -> pwd.struct_passwd:
        if name != "shop":
            raise KeyError(name)
        return pwd.struct_passwd((name, "*", 61001, 0, "", "/srv/shop", "/usr/sbin/nologin"))

    monkeypatch.setattr(accounts.pwd, "getpwnam", known)
    (found,) = accounts.describe(["shop", "nobody-at-all"])
    assert (found["name"], found["uid"], found["home"], found["login"]) == ("shop", 61001, "/srv/shop", False)
