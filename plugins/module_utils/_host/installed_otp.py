# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Erlang/OTP a host has, and which its distribution offers.

Private to this collection.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable

from . import commands
from .proc import Process

_USUAL_ROOTS = ("/usr/lib/erlang", "/usr/lib64/erlang", "/usr/local/lib/erlang", "/opt/erlang", "/opt/erlang/lib/erlang")
NEEDED = ("ssl", "public_key", "crypto", "asn1")
_OF_DISTRIBUTION, _PACKAGE = "/usr/lib/erlang", "/var/lib/dpkg/info/erlang-base*.list"
_ERTS = re.compile(r"erts-([0-9]+)(?:\.[0-9]+)*")
# Since OTP 23, which has erts 11.
_ERTS_TO_OTP = 12
_VERSION = re.compile(r"(?:[0-9]+:)?([0-9]+(?:\.[0-9]+)*)")


def root_of(erl: str) -> str | None:
    """The installation that an erl belongs to: the directory above bin/erl, links followed."""
    directory = os.path.dirname(os.path.dirname(os.path.realpath(erl)))
    for root in (directory, f"{directory}/lib/erlang"):
        if os.path.isdir(f"{root}/releases"):
            return root
    return None


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def release_of(root: str) -> tuple[str | None, str | None]:
    """Major release and full version, from start_erl.data ('ERTS RELEASE') and the release's OTP_VERSION file."""
    words = _text(f"{root}/releases/start_erl.data").split()
    releases = [words[1]] if len(words) == 2 else sorted((os.path.basename(path) for path in glob.glob(f"{root}/releases/[0-9]*")), key=_numeric)
    if not releases:
        return None, None
    version = _text(f"{root}/releases/{releases[-1]}/OTP_VERSION").strip().rstrip("*")
    return releases[-1], version or None


def _numeric(release: str) -> tuple[int, str]:
    return (int(release) if release.isdigit() else 0, release)


def installed(given: str = "") -> dict[str, object]:
    """What is there: below the given root if there is one, else the erl on the PATH, else one in a usual place."""
    erl = next((path for path in (f"{given}/bin/erl", f"{given}/erl") if os.access(path, os.X_OK)), None) if given else commands.find("erl")
    root = root_of(erl) if erl else None
    if root is None and not given:
        root = next((place for place in _USUAL_ROOTS if os.access(f"{place}/bin/erl", os.X_OK)), None)
        erl = f"{root}/bin/erl" if root else None
    if root is None:
        return {"installed": False, "release": None, "version": None, "root": None, "erl": None, "ssl": False, "missing": None, "foreign": None}
    release, version = release_of(root)
    missing = without(root)
    # With a root that was given, or beside the search path, the distribution's OTP is used or installed all the same.
    foreign = not given and commands.find("erl") is not None and not (root == _OF_DISTRIBUTION and glob.glob(_PACKAGE))
    said = {"installed": True, "release": release, "version": version, "root": root, "erl": erl}
    return {**said, "ssl": "ssl" not in missing, "missing": missing, "foreign": foreign}


def without(root: str) -> list[str]:
    """The applications that distribution over TLS needs, and that an installation or a release with a runtime of its own has not."""
    return [name for name in NEEDED if not glob.glob(f"{glob.escape(root)}/lib/{name}-*/ebin/{name}.app")]


def roots(installed_root: str | None, processes: Iterable[Process]) -> list[dict[str, object]]:
    """Every installation: the host's own, and those that VMs run from, with their processes. A process's root is looked at as the process sees it."""
    found: dict[tuple[str, str | None, str | None], list[int]] = {}
    if installed_root:
        found[(installed_root, *_version_at(installed_root))] = []
    for process in processes:
        if process.root is not None:
            inside = f"/proc/{process.pid}/root{process.root}"
            place = inside if process.container or os.path.isdir(inside) else process.root
            found.setdefault((process.root, *_version_at(place)), []).append(process.pid)
    return [{"root": root, "release": release, "version": version, "pids": pids} for (root, release, version), pids in found.items()]


def _version_at(root: str) -> tuple[str | None, str | None]:
    """Major release and full version. A release that brings its own runtime has no OTP_VERSION: its erts says the major release."""
    release, version = release_of(root)
    if version is not None:
        return release, version
    erts = sorted(int(match.group(1)) for match in map(_ERTS.fullmatch, _listed(root)) if match)
    return (str(erts[-1] + _ERTS_TO_OTP), None) if erts else (None, None)


def _listed(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def ask_apt() -> commands.Running:
    """The slowest question of all."""
    return commands.Running("apt-cache", "policy", "erlang-base")


def candidate(policy: str | None) -> dict[str, str | None]:
    """What apt would install as erlang-base, None where there is no apt or its lists do not know it."""
    match = re.search(r"^\s*Candidate:\s*(\S+)", policy or "", re.MULTILINE)
    package = match.group(1) if match and match.group(1) != "(none)" else None
    version = _VERSION.match(package) if package else None
    return {"candidate": package, "candidate_release": version.group(1).split(".")[0] if version else None}
