# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller is killed at each place where it matters (killed.py). In the end the work is done, and no link was lost."""

from __future__ import annotations

import secrets

from conftest import NODES, Lab, recap
from killed import Chain
from test_renew import VERIFY
from test_rotate_ca import ROTATE as ROTATE_CA
from test_rotate_ca import issuers, settled, trusted, watch
from test_rotate_cookie import ROTATE as ROTATE_COOKIE
from test_rotate_cookie import Cookies, cookies

__all__ = ["cookies"]


def over(lab: Lab, *arguments: str) -> None:
    """Nothing is left to do, and the verification passes."""
    site = lab.play(*arguments)
    assert site.returncode == 0 and {counts["changed"] for counts in recap(site.stdout).values()} == {0}, site.stdout[-4000:]
    assert lab.play(*arguments, playbook=VERIFY).returncode == 0


def test_a_new_cookie(lab: Lab, cookies: Cookies) -> None:  # noqa: F811
    before, new, chain = watch(lab), secrets.token_hex(24), Chain()
    given = cookies.directory / "new.yml"
    given.write_text(f"beam_cookie: {new}\n")
    while not chain.run(lab, "--extra-vars", f"@{given}", playbook=ROTATE_COOKIE):
        assert len(chain.killed) < 300
    print(f"a new cookie: killed {len(chain.killed)} times")
    assert chain.killed and cookies.files() == {new}
    settled(lab, before)
    over(lab, "--extra-vars", f"@{given}")


def test_a_new_ca(lab: Lab) -> None:
    before, old, chain = watch(lab), issuers(lab), Chain()
    # A run after the end would begin with the next CA.
    while issuers(lab) & old or trusted(lab) != [1] * len(NODES):
        if chain.run(lab, playbook=ROTATE_CA):
            break
        assert len(chain.killed) < 300
    print(f"a new CA: killed {len(chain.killed)} times")
    assert chain.killed and not issuers(lab) & old
    settled(lab, before)
    over(lab)
