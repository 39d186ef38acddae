# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of Erlang applications and products that a VM can load, from the names of directories and the packages that own them.

Private to this collection. Names that _model/applications.py does not watch are not returned.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable

from .._model import versions
from .._model.applications import PRODUCTS, WATCHED, of_directory
from .proc import read

_VSN = re.compile(rb'\{\s*vsn\s*,\s*"(\d[0-9A-Za-z.+-]*)"\s*\}')
_STATUS = "/var/lib/dpkg/status"
# btime of /proc/stat has whole seconds: a process seems to be up to one second older than it is.
_TOLERANCE = 1.0
Package = dict[str, "str | None"]


def libraries(arguments: Iterable[str], erl_libs: str, otp_root: str | None) -> list[str]:
    """Directories with applications in them, in the order in which the VM looks there: of a release, of -pa, of ERL_LIBS, of OTP itself."""
    found: list[str] = []
    words = iter(arguments)
    paths = False
    for word in words:
        if word == "-extra":
            break
        if word.startswith("-"):
            paths = word in ("-pa", "-pz")
            if word == "-boot_var":
                next(words, "")
                found.append(next(words, ""))
            elif word == "-elixir_root":
                found.append(next(words, ""))
        elif paths and word.rstrip("/").endswith("/ebin"):
            found.append(os.path.dirname(os.path.dirname(word.rstrip("/"))))
    found += erl_libs.split(":")
    if otp_root:
        found.append(f"{otp_root}/lib")
    normal = (os.path.normpath(path) for path in found if path.startswith("/"))
    return list(dict.fromkeys(normal))


def of_library(directory: str, prefix: str = "") -> dict[str, tuple[str, str]]:
    """Application -> (version, its directory), of the newest version of each. prefix: the root directory as the process sees it."""
    found: dict[str, tuple[str, str]] = {}
    try:
        names = sorted(os.listdir(prefix + directory))
    except OSError:
        return found
    for name in names:
        pair = of_directory(name)
        if pair is None and name in WATCHED:
            match = _VSN.search(read(f"{prefix}{directory}/{name}/ebin/{name}.app")[:65536])
            pair = (name, match.group(1).decode()) if match else None
        if pair and (pair[0] not in found or versions.key(pair[1]) > versions.key(found[pair[0]][0])):
            found[pair[0]] = (pair[1], f"{directory}/{name}")
    return found


def describe(
    pid: int, otp_root: str | None, erts: str | None, since: float | None, package: Callable[[str], Package | None], root: str = "/proc"
) -> dict[str, object]:
    """applications: application -> version, None where a library has changed since the process was started. products: name, version (None where it
    is not known), package.

    since: when the process was started. package: the Debian package of a path, with its version now and at that time.
    """
    arguments = [part.decode("utf-8", "replace") for part in read(f"{root}/{pid}/cmdline").split(b"\0")[:-1]]
    variables = (part.decode("utf-8", "replace").partition("=") for part in read(f"{root}/{pid}/environ").split(b"\0"))
    erl_libs = next((value for name, _equals, value in variables if name == "ERL_LIBS"), "")
    prefix = f"{root}/{pid}/root"
    places = libraries(arguments, erl_libs, otp_root)
    found: dict[str, tuple[str, str]] = {}
    for place in places:
        for name, version in of_library(place, prefix).items():
            found.setdefault(name, version)
    changed = since is None or any(_changed(prefix + place, since) for place in places)
    listed = {name: version for name, (version, _directory) in found.items() if name not in PRODUCTS}
    # A directory that cannot be read, or without OTP's own applications, says nothing of what is missing.
    known = {**listed, **({"erts": erts} if erts else {})} if "kernel" in listed and not changed else None
    return {"applications": known, "products": [_product(name, found[name], prefix, since, package) for name in PRODUCTS if name in found]}


def _product(
    name: str, seen: tuple[str, str], prefix: str, since: float | None, package: Callable[[str], Package | None]
) -> dict[str, object]:
    version, directory = seen
    file = f"{directory}/ebin/{name}.app"
    unchanged = since is not None and not _changed(prefix + file, since)
    own = package(file)
    started = own["started"] if own else None
    if own and started is None and unchanged:
        started = own["installed"]
        own = {**own, "started": started}
    return {"name": PRODUCTS[name], "version": version if unchanged else versions.upstream(started) if started else None, "package": own}


def _changed(path: str, since: float) -> bool:
    try:
        return os.stat(path).st_ctime > since + _TOLERANCE
    except OSError:
        return False


def of_root(otp_root: str, prefix: str = "") -> dict[str, object]:
    """applications and package of an installation that is looked at from outside: one that no VM of the host runs, or one in a container."""
    found = {name: version for name, (version, _directory) in of_library(f"{otp_root}/lib", prefix).items() if name not in PRODUCTS}
    erts = sorted(
        (name.partition("-")[2] for name in _listed(prefix + otp_root) if re.fullmatch(r"erts-\d+(?:\.\d+)*", name)), key=versions.key
    )
    known = {**found, **({"erts": erts[-1]} if erts else {})}
    installed = status_version("erlang-base", prefix) if otp_root == "/usr/lib/erlang" else None
    return {
        "applications": known if "kernel" in found else None,
        "package": {"name": "erlang-base", "installed": installed, "started": None} if installed else None,
    }


def _listed(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def status_version(package: str, prefix: str = "") -> str | None:
    """The version of an installed Debian package in dpkg's own list, also of a container; None where it is not installed."""
    for paragraph in read(prefix + _STATUS).decode("utf-8", "replace").split("\n\n"):
        if paragraph.startswith(f"Package: {package}\n") and "\nStatus: install ok installed" in paragraph:
            found = re.search(r"^Version: (\S+)", paragraph, re.MULTILINE)
            return found.group(1) if found else None
    return None
