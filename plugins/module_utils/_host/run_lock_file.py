# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that says which run changes this host.

Private to this collection.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from .._model.run_lock_rules import Holder

PATH = "/run/beam-cluster.lock"
"""Of root alone, and gone after a boot."""


def take(holder: Holder, instead_of: Holder | None, now: float, path: str = PATH) -> Holder | None:
    """None where the run has the lock now, else the run that holds it. A lock of `instead_of` is taken over.

    OSError where the file cannot be read or written.
    """
    with _alone(path):
        present = read(path)
        if present is not None and present.run != holder.run and (instead_of is None or present != instead_of):
            return present
        if present is None or present.run != holder.run:
            _write(path, {**holder.as_dict(), "since": now})
    return None


def release(holder: Holder, path: str = PATH) -> None:
    """Removes the lock if it is the run's own."""
    with _alone(path):
        present = read(path)
        if present is not None and present.run == holder.run:
            os.unlink(path)


def read(path: str = PATH) -> Holder | None:
    """The run that holds the lock. A file that is no record holds nothing: a run that was killed may have left half of one."""
    try:
        with open(path, encoding="utf-8") as stream:
            return Holder.parse(json.load(stream))
    except (FileNotFoundError, ValueError):
        return None


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """The lock of the directory: the file itself comes and goes."""
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: str, record: dict[str, object]) -> None:
    descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(record, stream)
    os.replace(f"{path}.new", path)
