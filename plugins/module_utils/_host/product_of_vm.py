# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VM shows of its product and of its TLS files, by an allow list. Nothing else of its arguments and files is kept.

Private to this collection.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence

from .._model.installed import COOKIE_FILES, START_FILES
from .._model.recognised_products import KNOWN
from .._model.tls_files import TlsFiles
from .._term import TermError, consult, to_plain
from .vm_flags import flags_of

# The application that only this product has. A product that contains another one comes first.
RELEASE = "release"
_LIBRARY = re.compile(r"([a-z][a-z0-9_]*)(?:-[0-9][^/]*)?")
_STARTS = ("-s", "-run")
_LARGEST = 1 << 20
_KINDS = {"keyfile": "keys", "certfile": "certificates", "cacertfile": "authorities"}


def traces(arguments: Sequence[str], root: str) -> frozenset[str]:
    """Products that the modules that the VM starts, or the applications in its library directories, show; RELEASE for a release's boot file.

    root: where the process's file system begins, as this process sees it ("" or "/proc/PID/root").
    """
    words: set[str] = set()
    libraries: list[str] = []
    release = False
    for flag, values in flags_of(arguments[1:]):
        if flag in _STARTS:
            words.update(values[:1])
        elif flag == "-root":
            libraries += [f"{value}/lib" for value in values[:1]]
        elif flag == "-boot_var":
            libraries += values[1::2]
        elif flag == "-boot":
            release = release or any("/releases/" in value for value in values)
    for directory in libraries:
        words.update(_applications(f"{root}{directory}"))
    found = {product.name for product in KNOWN if product.application in words}
    return frozenset(found | ({RELEASE} if release else set()))


def _applications(directory: str) -> Iterator[str]:
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        match = _LIBRARY.fullmatch(name)
        if match:
            yield match.group(1)


def tls_files(arguments: Sequence[str], root: str) -> TlsFiles | None:
    """The PEM files that the TLS options of the distribution name, in a file of literal terms or on the command line."""
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS.values()}
    known = False
    for flag, values in flags_of(arguments[1:]):
        if flag == "-ssl_dist_optfile" and values:
            pairs = _in_file(f"{root}{values[0]}")
        elif flag == "-ssl_dist_opt":
            pairs = [(name.partition("_")[2], value) for name, value in zip(values[::2], values[1::2])]
        else:
            continue
        if pairs is None:
            return None
        known = True
        for name, path in pairs:
            if name in _KINDS and path not in found[_KINDS[name]]:
                found[_KINDS[name]].append(path)
    if not known:
        return None
    return TlsFiles(**{kind: tuple(paths) for kind, paths in found.items()})


def _in_file(path: str) -> list[tuple[str, str]] | None:
    """The options of both stanzas whose value is text. None where the file cannot be read, or holds more than literal terms."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            (options,) = consult(stream.read(_LARGEST))
    except (OSError, TermError, ValueError):
        return None
    stanzas = to_plain(options)
    if not isinstance(stanzas, list):
        return None
    return list(_pairs(stanza[1] for stanza in stanzas if isinstance(stanza, list) and len(stanza) == 2))


def _pairs(stanzas: Iterable[object]) -> Iterator[tuple[str, str]]:
    for stanza in stanzas:
        for option in stanza if isinstance(stanza, list) else ():
            if isinstance(option, list) and len(option) == 2 and all(isinstance(part, str) for part in option):
                yield option[0], option[1]


def looked_at(processes: Iterable[tuple[str | None, str | None, Sequence[str], TlsFiles | None]]) -> Iterator[str]:
    """Files of VMs whose owner, mode or presence matters: cookie file, start file, option and argument files, keys and certificates.

    Each process as (home, option file, argument files, TLS files).
    """
    for home, options, arguments, tls in processes:
        if home:
            yield from (f"{home}/{name}" for name in (*COOKIE_FILES, *START_FILES))
        if options:
            yield options
        yield from arguments
        if tls:
            yield from (*tls.keys, *tls.certificates, *tls.authorities)
