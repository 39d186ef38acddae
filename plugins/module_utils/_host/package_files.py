# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the programs and modules of OTP and of its products are those of their Debian packages, and what was put beside them.

Private to this collection. A module that was replaced on the disk is loaded like any other: the running node and its file agree. dpkg has the sum of
each file that it has installed (deb-md5sums(5)); of links it has the names only. Only names of files and packages are returned.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

LISTS = "/var/lib/dpkg/info"
DIVERSIONS = "/var/lib/dpkg/diversions"
ROOT = "/usr/lib/erlang"
"""Where Debian's packages have OTP. Tools run it, too, so that it is looked at where no VM does."""
_PRODUCTS = re.compile(r"(?:rabbitmq-server|ejabberd(?:-.+)?|elixir|couchdb|emqx|vernemq)")
_LEFT_OUT = ("/etc/", "/usr/share/", "/var/")
"""Documentation, and what an operator may change. A package of a product keeps neither programs nor modules there."""
_WRITTEN_AT_INSTALLATION = re.compile(r"/(?:erl|start|start_erl|[^/]+\.(?:boot|script|rel)|RELEASES)$")
_WRITES_THEM = "esl-erlang"
"""Its package runs the script Install of OTP, which writes these files anew."""
_OF_PROGRAMS = re.compile(r"/(?:s?bin|erts-[0-9.]+/bin)/[^/]+$")
_CHUNK = 1 << 20
_ALTERED_MAX = 20
OTHER, NO_LINK, ELSEWHERE, BESIDE, SHADOWS = "other", "no_link", "elsewhere", "beside", "shadows"


@dataclass
class _Packages:
    """Of the packages that are looked at: sums: path -> (sum, package). names: every path -> package, links and directories among them."""

    sums: dict[str, tuple[str, str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


def describe(roots: Iterable[str], lists: str = LISTS, diversions: str = DIVERSIONS) -> dict[str, object] | None:
    """compared: how many files. altered: [{path, package, how}], some at most. None where they could not be read.

    roots: of the OTPs that run. how: other (another content), no_link (a file in the place of a link), elsewhere (a link that leads out of the
    packages), beside (a module or library of no package beside those of one), shadows (another directory of an application of a package).
    """
    # A link in the place of OTP's directory leads to files of no package, at the names that the packages know.
    places = sorted({path for root in roots if root.strip("/") for path in (root.rstrip("/"), os.path.realpath(root))})
    try:
        packages = _packages(places, lists)
        diverted = _diverted(diversions)
        found = [
            {"path": path, "package": package, "how": how}
            for path, package, how in (*_changed(packages, diverted), *(one for root in places for one in _added(root, packages)))
        ]
    except OSError:
        return None
    return {"compared": len(packages.sums), "altered": found[:_ALTERED_MAX]}


def _packages(roots: Iterable[str], lists: str) -> _Packages:
    """Raises OSError."""
    found = _Packages()
    starts = tuple(f"{root}/".encode() for root in roots)
    for path in sorted(glob.glob(f"{glob.escape(lists)}/*.list")):
        package = os.path.basename(path)[: -len(".list")].partition(":")[0]
        with open(path, "rb") as stream:
            listed = stream.read()
        if not _PRODUCTS.fullmatch(package) and not any(start in listed for start in starts):
            continue
        found.names.update((line, package) for line in listed.decode("utf-8", "replace").splitlines())
        sums = _sums(f"{path[: -len('.list')]}.md5sums")
        if not sums:
            raise FileNotFoundError(f"the sums of {package}")
        found.sums.update((name, (said, package)) for name, said in sums.items() if not name.startswith(_LEFT_OUT))
    return found


def _sums(path: str) -> dict[str, str]:
    """Path -> sum. Raises OSError: each package with files has sums."""
    with open(path, encoding="utf-8", errors="replace") as text:
        pairs = (line.rstrip("\n").partition("  ") for line in text)
        return {f"/{name}": said for said, _space, name in pairs if name}


def _diverted(path: str) -> set[str]:
    """The paths that another package has taken over: name, new name and package of each diversion, a line each. Of local ones the package is ":"."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines()
    except FileNotFoundError:
        return set()
    return {name for name, _to, package in zip(lines[::3], lines[1::3], lines[2::3]) if package != ":"}


def _changed(packages: _Packages, diverted: set[str]) -> Iterator[tuple[str, str, str]]:
    """Raises OSError."""
    for path, (said, package) in packages.sums.items():
        if path in diverted or package == _WRITES_THEM and _WRITTEN_AT_INSTALLATION.search(path):
            continue
        found = _sum_of(path)
        if found not in (None, said):
            yield path, package, OTHER
    for path, package in packages.names.items():
        if path in packages.sums or path in diverted or package == _WRITES_THEM or not _OF_PROGRAMS.search(path) or not os.path.lexists(path):
            continue
        if stat.S_ISREG(os.lstat(path).st_mode):
            yield path, package, NO_LINK
        elif os.path.islink(path) and os.path.exists(path) and not _is_known(os.path.realpath(path), packages.names):
            yield path, package, ELSEWHERE


def _is_known(path: str, names: Mapping[str, str]) -> bool:
    """Also under the name that a package gives it from before /usr was merged."""
    return path in names or path.startswith("/usr/") and path[len("/usr") :] in names


def _sum_of(path: str) -> str | None:
    """None of a file that is not there: a node without it does not start, or does not use it. Raises OSError."""
    found = hashlib.md5(usedforsecurity=False)
    try:
        with open(path, "rb") as stream:
            while True:
                data = stream.read(_CHUNK)
                if not data:
                    return found.hexdigest()
                found.update(data)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _added(root: str, packages: _Packages) -> Iterator[tuple[str, str, str]]:
    """In the applications of packages, and beside them under their names: of two directories of one application, the VM takes the newest version.

    Raises OSError."""
    own = {path: package for path, package in packages.names.items() if os.path.dirname(path) == f"{root}/lib"}
    applications = {os.path.basename(path).partition("-")[0]: package for path, package in own.items() if "-" in os.path.basename(path)}
    for name in sorted(os.listdir(f"{root}/lib")) if own else ():
        path = f"{root}/lib/{name}"
        if path not in own:
            application = re.split(r"-|\.ez$", name)[0]
            if application in applications:
                yield path, applications[application], SHADOWS
            continue
        if os.path.islink(path):
            if os.path.exists(path) and not _is_known(os.path.realpath(path), packages.names):
                yield path, own[path], ELSEWHERE
            continue
        for directory, _below, names in (*_listed(f"{path}/ebin"), *os.walk(f"{path}/priv")):
            files = (f"{directory}/{one}" for one in sorted(names) if one.endswith((".beam", ".so", ".app")))
            yield from ((one, own[path], BESIDE) for one in files if one not in packages.names)


def _listed(directory: str) -> Iterator[tuple[str, list[str], list[str]]]:
    if os.path.isdir(directory):
        yield directory, [], os.listdir(directory)
