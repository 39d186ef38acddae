# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes certificates once. With --table FILE each cell (release, carrier, family, question) goes there as one JSON line."""

from __future__ import annotations

import json
import pathlib

import nodes
import pytest


def pytest_addoption(parser):
    parser.addoption("--table", default=None, help="file that the cells of the matrix are appended to")


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """Certificates of the cluster's CA."""
    folder = tmp_path_factory.mktemp("pki")
    made = nodes.Pki(folder / "own").make_ca().issue("node").issue("expired", expired=True).issue("server", usage="serverAuth")
    made.issue("elsewhere", sans="DNS:elsewhere.test")
    return made


@pytest.fixture(scope="session")
def other_pki(tmp_path_factory):
    """Certificates of another CA."""
    return nodes.Pki(tmp_path_factory.mktemp("other") / "other").make_ca().issue("node")


@pytest.fixture(scope="module")
def cell(request):
    """Note what a cell came to."""
    table = request.config.getoption("--table")

    def note(**facts):
        if table:
            with open(pathlib.Path(table), "a", encoding="utf-8") as file:
                file.write(json.dumps(facts, sort_keys=True) + "\n")

    return note
