# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that the TLS options of a node name.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .untrusted_json import as_texts


@dataclass(frozen=True)
class TlsFiles:
    """The PEM files of a TLS options file, of both of its stanzas."""

    keys: tuple[str, ...]
    certificates: tuple[str, ...]
    authorities: tuple[str, ...]

    @classmethod
    def parse(cls, raw: object) -> TlsFiles | None:
        if not isinstance(raw, Mapping):
            return None
        keys, certificates, authorities = (as_texts(raw.get(name)) for name in ("keys", "certificates", "authorities"))
        return None if keys is None else cls(keys, certificates or (), authorities or ())
