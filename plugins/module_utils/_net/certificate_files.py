# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace key, certificate and CA certificates of a node in one step, so that no moment and no kill leaves files that do not belong together."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import stat
from dataclasses import dataclass

from .certificate_rules import Files

MODES = {"key": 0o400, "certificate": 0o444, "ca": 0o444}
_EXCHANGE = 2
_AT_CWD = -100


@dataclass(frozen=True)
class Place:
    """The directory of a node's files, and the names of the files in it. owner: of the key."""

    directory: str
    names: dict[str, str]
    owner: tuple[int, int]

    @property
    def stage(self) -> str:
        """One name, so that the directory of a run that was killed does not stay."""
        return self.directory + ".new"

    def files(self, directory: str = "") -> Files:
        """The paths in a directory, by default the one of the node."""
        return Files(**{what: os.path.join(directory or self.directory, name) for what, name in self.names.items()})

    def read(self) -> dict[str, bytes | None]:
        """The contents, None for a file that is not there. Raises `OSError`."""
        return {what: read_file(os.path.join(self.directory, name)) for what, name in self.names.items()}

    def wrong_attributes(self) -> list[str]:
        """Files whose owner or mode is not what it has to be."""
        wrong = []
        for what, name in self.names.items():
            with contextlib.suppress(FileNotFoundError):
                about = os.lstat(os.path.join(self.directory, name))
                owner = self.owner if what == "key" else (0, 0)
                if (stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid) != (MODES[what], *owner):
                    wrong.append(what)
        return wrong


def read_file(path: str) -> bytes | None:
    """The bytes of a file, None where there is none. Raises `OSError`."""
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except FileNotFoundError:
        return None


def write(place: Place, directory: str, contents: dict[str, bytes | None]) -> None:
    """Write the files of a node into a new directory, with the time of now. Raises `OSError`."""
    os.mkdir(directory, 0o755)
    os.chmod(directory, 0o755)
    for what, content in contents.items():
        if content is None:
            continue
        path = os.path.join(directory, place.names[what])
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            os.fchown(file.fileno(), *(place.owner if what == "key" else (0, 0)))
            os.fchmod(file.fileno(), MODES[what])
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    sync(directory)


def sync(directory: str) -> None:
    """Have the names in a directory survive a power failure. Raises `OSError`."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def exchange(one: str, other: str) -> bool:
    """Give two directories each other's name in one step. False where the kernel or the file system cannot. Raises `OSError`."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EXDEV):
        return False
    raise OSError(number, os.strerror(number), other)


def put(place: Place, contents: dict[str, bytes | None]) -> None:
    """Replace the files of a node: all or none, also where power fails. Raises `OSError`; then the files are what they were."""
    shutil.rmtree(place.stage, ignore_errors=True)
    try:
        write(place, place.stage, contents)
        if not exchange(place.stage, place.directory):
            # One after the other: a run that is killed in between leaves a key without its certificate, and the next one makes a new certificate.
            for name in place.names.values():
                with contextlib.suppress(FileNotFoundError):
                    os.replace(os.path.join(place.stage, name), os.path.join(place.directory, name))
        sync(os.path.dirname(place.directory))
    finally:
        shutil.rmtree(place.stage, ignore_errors=True)


def mend(place: Place, wrong: list[str]) -> None:
    """Set owner and mode of some of the files. Raises `OSError`."""
    for what in wrong:
        path = os.path.join(place.directory, place.names[what])
        os.chown(path, *(place.owner if what == "key" else (0, 0)), follow_symlinks=False)
        os.chmod(path, MODES[what])
