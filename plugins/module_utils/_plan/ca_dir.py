# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the CA lies on the controller if beam_pki_ca_dir is not set.

Private to this collection. Ansible parses every file below an inventory directory as an inventory, keys and certificates too. So the CA
lies beside an inventory file or script, and outside of an inventory directory:

    -i inventory/hosts.yml    inventory/pki/<group>
    -i inventory/             pki/inventory/<group>

The second has the directory's name in it: two inventories side by side, such as production and staging, must not share a CA.
A CA that is there already is used wherever it is, as its certificates are in use.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from .._model.problems import Problems, join_names

JOBS = "/runner"
"""Where ansible-runner, and with it AWX, puts the files of a job: in a container that ends with the job."""

_SET = "set beam_pki_ca_dir to a directory on the controller that is kept and backed up."


def _nowhere(path: str) -> bool:
    return False


@dataclass(frozen=True)
class Places:
    """The inventory as the controller has it, all paths absolute.

    `inventory_dirs` are the values of inventory_dir of the members, each once; a host of `-i n1,` has none. `directories` are the sources
    that are directories. `holds_ca` says whether a directory holds a CA.
    """

    inventory_dirs: Sequence[str] = ()
    directories: Sequence[str] = ()
    holds_ca: Callable[[str], bool] = _nowhere


def choose(places: Places, group: str, required: bool, problems: Problems) -> str | None:
    """The directory of the CA. None, and a problem if a CA is `required`, where no place is right for sure."""
    candidates = list(dict.fromkeys(path for directory in places.inventory_dirs for path in _candidates(directory, places, group)))
    held = [path for path in candidates if places.holds_ca(path)]
    if len(held) == 1:
        return held[0]
    wrong: tuple[str, str, str] | None = None
    if held:
        wrong = ("ca_dir_ambiguous", f"there is a CA in each of {join_names(held)}.", "set beam_pki_ca_dir to the one in use.")
    elif not candidates or _parsed(candidates[0], places.directories):
        wrong = ("ca_dir_missing", "there is no directory beside the inventory to keep the CA in.", _SET)
    elif len(places.inventory_dirs) > 1:
        message = f"the members come from inventories in {join_names(places.inventory_dirs)}, and the CA can be kept beside one only."
        wrong = ("ca_dir_ambiguous", message, _SET)
    elif _below(candidates[0], JOBS):
        wrong = ("ca_dir_ephemeral", f"{candidates[0]} is deleted when the job ends, and the CA with it.", _SET)
    if wrong is None:
        return candidates[0]
    if required:
        problems.add("", "beam_pki_ca_dir", *wrong)
    return None


def warning(path: str | None, places: Places, group: str) -> str | None:
    """What to do about a CA inside an inventory directory, with the commands to type."""
    if path is None or not _parsed(path, places.directories):
        return None
    target = _outside(path, places, group)
    if target is None:
        return f"The CA is in {path}, inside an inventory directory: Ansible parses its files as inventories. Move it, and set beam_pki_ca_dir."
    move = f"mkdir -p {shlex.quote(str(PurePosixPath(target).parent))} && mv {shlex.quote(path)} {shlex.quote(target)}"
    return f"The CA is in {path}, inside an inventory directory: Ansible parses its files as inventories. Move it: {move}"


def _candidates(directory: str, places: Places, group: str) -> list[str]:
    """Where the CA of one inventory may be, the place for a new one first."""
    beside = f"{directory}/pki/{group}"
    outside = _outside(beside, places, group)
    if outside is None:
        return [beside]
    return [outside, beside] if _parsed(beside, places.directories) else [beside, outside]


def _outside(path: str, places: Places, group: str) -> str | None:
    """A directory for the CA outside of every source. For an inventory file, that which a run with the file's directory would choose."""
    around = [directory for directory in places.directories if _below(path, directory)]
    top = PurePosixPath(min(around, key=len) if around else str(PurePosixPath(path).parent.parent))
    for parent in top.parents:
        outside = str(parent / "pki" / top.name / group)
        if not _parsed(outside, places.directories):
            return outside
    return None


def _parsed(path: str, directories: Sequence[str]) -> bool:
    return any(_below(path, directory) for directory in directories)


def _below(path: str, directory: str) -> bool:
    return PurePosixPath(directory) in PurePosixPath(path).parents
