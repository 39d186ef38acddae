# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node names in the database of a product, and in the directories that Mnesia makes.

Private to this collection. Nothing but node names is read from a database.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping, Sequence

from .operator_settings import DATABASE, LARGEST, Question, settings

_MNESIA = "Mnesia."
_NODE = re.compile(rb"[0-9A-Za-z_-]+@[0-9A-Za-z_.:-]+")
_ATOM = re.compile(rb"(?=[sw](.)|[dv](..))", re.DOTALL)
"""The tags of atoms and their lengths, see "External Term Format" in OTP's manual. OTP 25 writes others than OTP 26."""


def _node_names(data: bytes) -> Iterator[str]:
    """The node names among the atoms of terms in the external format. Where an atom ends, its length says: what follows may be a letter, too."""
    for match in _ATOM.finditer(data):
        short, long = match.groups()
        length, start = (short[0], match.start() + 2) if short else (int.from_bytes(long, "big"), match.start() + 3)
        if _NODE.fullmatch(data, start, start + length):
            yield data[start : start + length].decode("ascii")


def _database(question: Question, units: Mapping[str, Mapping[str, object]] | None) -> str:
    """The file of the product's database, where the operator has moved its directory."""
    path = question.database
    for one in settings([question], units) if DATABASE in question.moved.values() else ():
        directory = str(one["value"] or "")
        if question.moved.get(str(one["name"])) == DATABASE and directory.startswith("/"):
            path = f"{directory.rstrip('/')}/{question.database.rpartition('/')[2]}"
    return path


def describe(questions: Sequence[Question], units: Mapping[str, Mapping[str, object]] | None) -> list[dict[str, object]]:
    """The node names in the database of each product, and those of the directories that Mnesia has made where a release runs, for JSON.

    A file that is missing or cannot be read is left out.
    """
    found: list[dict[str, object]] = []
    for path in dict.fromkeys(_database(question, units) for question in questions if question.database):
        try:
            with open(path, "rb") as stream:
                names = set(_node_names(stream.read(LARGEST)))
        except OSError:
            continue
        found.append({"path": path, "names": sorted(names)[:64]})
    for question in questions:
        unit = (units or {}).get(question.unit, {})
        directories = (str(unit.get(name) or "").lstrip("!-") for name in ("release", "working_directory"))
        for directory in dict.fromkeys(path.rstrip("/") for path in directories if path.startswith("/")):
            # Mnesia's own default: Mnesia.NODE in the directory where the VM starts (mnesia_lib:default_directory/0).
            made = glob.glob(f"{glob.escape(directory)}/{_MNESIA}*@*/schema.DAT")
            names = {path.split("/")[-2][len(_MNESIA) :] for path in made}
            if names:
                found.append({"path": f"{directory}/{_MNESIA}*", "names": sorted(names)[:64], "unit": question.unit})
    return found
