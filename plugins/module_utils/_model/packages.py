# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages, products and versions as part of an observation, and which packages belong to OTP.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .untrusted_json import as_int, as_path, as_text, each, safe_text

# Debian's packages of OTP and of libraries for it, those of Erlang Solutions, and Elixir.
_OF_OTP = re.compile(r"(?:esl-)?erlang(?:-.+)?|elixir")


def is_of_otp(name: str) -> bool:
    """Whether a Debian package of this name belongs to OTP or Elixir."""
    return bool(_OF_OTP.fullmatch(name))


@dataclass(frozen=True)
class Package:
    """A Debian package: the version that is installed, and the one with which a process was started (None where dpkg's log does not say)."""

    name: str
    installed: str | None
    started: str | None


@dataclass(frozen=True)
class Product:
    """A product that a VM runs: its name in the table of known vulnerabilities, its version (None where it is not known) and its Debian package."""

    name: str
    version: str | None
    package: Package | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Product | None:
        name = as_text(raw.get("name"))
        return cls(name, as_text(raw.get("version")), package_of(raw.get("package"))) if name else None


@dataclass(frozen=True)
class AlteredFile:
    """A file that differs from its Debian package, or was put beside those of one. how: see _host/package_files.py."""

    path: str
    package: str
    how: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> AlteredFile | None:
        path, package, how = as_path(raw.get("path")), as_text(raw.get("package")), as_text(raw.get("how"))
        return None if path is None or package is None or how is None else cls(path, package, how)


@dataclass(frozen=True)
class PackageFiles:
    """How many files of OTP and its products were compared with their packages, and those that differ. None compared: they come from no package."""

    compared: int
    altered: tuple[AlteredFile, ...]

    @classmethod
    def parse(cls, raw: object) -> PackageFiles | None:
        own = raw if isinstance(raw, Mapping) else {}
        compared, altered = as_int(own.get("compared")), each(own.get("altered"), AlteredFile.parse)
        return None if compared is None or altered is None else cls(compared, altered)


def package_of(raw: object) -> Package | None:
    own = raw if isinstance(raw, Mapping) else {}
    name = as_text(own.get("name"))
    return Package(name, as_text(own.get("installed")), as_text(own.get("started"))) if name else None


def versions_of(raw: object) -> Mapping[str, str] | None:
    """Application -> version."""
    if not isinstance(raw, Mapping):
        return None
    return {safe_text(name): safe_text(version) for name, version in raw.items() if isinstance(version, str)}
