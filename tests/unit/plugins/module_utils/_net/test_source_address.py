# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address from which a host connects: for one of its own, that one."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host.interfaces import list_addresses
from ansible_collections.beam.cluster.plugins.module_utils._net.source_address import source_address


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_loopback(address: str) -> None:
    assert source_address(address) in (address, None)


def test_every_address_of_this_host_is_reached_from_itself() -> None:
    for _interface, address, family, _prefix in list_addresses() or ():
        if family == 4:
            assert source_address(address) == address


def test_no_address_and_a_bound_one() -> None:
    assert source_address("no.such.host.invalid") is None and source_address("") is None
    assert source_address("192.0.2.1", "10.0.0.1") == "10.0.0.1"
