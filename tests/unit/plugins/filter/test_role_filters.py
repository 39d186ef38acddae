# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters that roles use to shape lists."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.filter.probe_targets import probe_targets
from ansible_collections.beam.cluster.plugins.filter.rabbitmq_existing_data import rabbitmq_existing_data

NEW = {"users": [{"name": "guest"}], "vhosts": [{"name": "/"}], "queues": [], "exchanges": [], "bindings": [], "policies": []}


def test_probe_targets() -> None:
    members: list[dict[str, Any]] = [
        {"node": "beam@n1", "address": "10.0.0.1", "port": 9100, "host": "n1"},
        {"node": "beam@n2", "address": "fd00::2", "port": None},
    ]
    assert probe_targets(members) == [
        {"node": "beam@n1", "host": "10.0.0.1", "port": 9100},
        {"node": "beam@n2", "host": "fd00::2", "port": None},
    ]


@pytest.mark.parametrize(
    ("definitions", "expected"),
    [
        ({}, []),
        (NEW, []),
        ({**NEW, "queues": [{}, {}], "topic_permissions": [{}]}, ["2 queues", "1 topic_permissions"]),
        ({**NEW, "users": [{"name": "guest"}, {"name": "shop"}], "vhosts": [{"name": "/"}, {"name": "eu"}]}, ["users shop", "vhosts eu"]),
    ],
)
def test_rabbitmq_existing_data(definitions: dict[str, Any], expected: list[str]) -> None:
    assert rabbitmq_existing_data(definitions) == expected
