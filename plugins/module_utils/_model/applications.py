# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of Erlang applications and Debian packages whose versions matter for known vulnerabilities. Pure.

Private to this collection. A host reports versions of these names and of no others: the names of an operator's own applications stay there.
"""

from __future__ import annotations

import re

from .recognised_products import KNOWN

OTP = frozenset(
    "asn1 common_test compiler crypto debugger dialyzer diameter edoc eldap erl_docgen erl_interface erts et eunit ftp inets jinterface kernel "
    "megaco mnesia observer odbc os_mon parsetools public_key reltool runtime_tools sasl snmp ssh ssl stdlib syntax_tools tftp tools wx xmerl".split()
)
"""Applications of Erlang/OTP since release 25."""

PRODUCTS = {"elixir": "elixir", **{product.application: product.name for product in KNOWN if product.has_records}}
"""The application that carries a product's version -> the product's name in the table of known vulnerabilities."""

WATCHED = OTP | frozenset(PRODUCTS)

SOURCES = {"elixir": "elixir-lang", "erlang-base": "erlang", "erlang-base-hipe": "erlang"}
"""Debian binary package -> its source package, where that has another name."""

_DIRECTORY = re.compile(r"(?P<name>[a-z][a-z0-9_]*)-(?P<version>\d+(?:\.\d+)*(?:-[a-z][a-z0-9.]*)?)")


def of_directory(name: str) -> tuple[str, str] | None:
    """Application and version of a directory like `ssl-11.2.12.1`, None where it is none that is watched."""
    found = _DIRECTORY.fullmatch(name)
    return (found["name"], found["version"]) if found and found["name"] in WATCHED else None


def source_of(package: str) -> str:
    """The Debian source package of a binary package."""
    name = package.partition(":")[0]
    return SOURCES.get(name, "erlang" if name.startswith("erlang-") else name)
