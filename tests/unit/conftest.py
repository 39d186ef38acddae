# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the checkout importable under the collection's name, also where nobody set PYTHONPATH."""

from __future__ import annotations

import atexit
import importlib.util
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Iterator

import pytest


def _importable() -> bool:
    try:
        return importlib.util.find_spec("ansible_collections.beam.cluster") is not None
    except ModuleNotFoundError:
        return False


if not _importable():
    _root = pathlib.Path(tempfile.mkdtemp(prefix="beam-unit-"))
    atexit.register(shutil.rmtree, _root, True)
    (_root / "ansible_collections" / "beam").mkdir(parents=True)
    (_root / "ansible_collections" / "beam" / "cluster").symlink_to(pathlib.Path(__file__).resolve().parents[2])
    sys.path.insert(0, str(_root))
    for _name in [name for name in sys.modules if name == "ansible_collections" or name.startswith("ansible_collections.")]:
        del sys.modules[_name]


@pytest.fixture
def place_of_root() -> Iterator[pathlib.Path]:
    """A directory that every user may enter, and above which only root may write: `/tmp` is everybody's."""
    with tempfile.TemporaryDirectory(prefix="beam-unit-", dir="/var/lib" if os.geteuid() == 0 else None) as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)
