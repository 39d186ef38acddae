# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the modules of OTP that decide who connects are those of its files, as the running node says.

Private to this collection. A module comes from elsewhere by -pa, code:load_abs/1, code:load_binary/3 or a tool for patches. code:module_status/1
compares the loaded module with its file (code.erl of OTP 25 to 29).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from .. import _term as term
from .node import Call, Outcome, Returned

DECISIVE = {
    "kernel": ("auth", "dist_util", "erl_epmd", "inet_tcp_dist", "net_adm", "net_kernel", "rpc"),
    "ssl": ("inet_tls_dist", "ssl_certificate", "ssl_crl_hash_dir", "ssl_dist_sup"),
    "public_key": ("pubkey_cert", "pubkey_crl", "public_key"),
}
"""Modules by their application."""
_MODULES = tuple((application, module) for application, modules in DECISIVE.items() for module in modules)
CALLS: tuple[Call, ...] = (
    ("code", "module_status", [[term.Atom(module) for _application, module in _MODULES]]),
    *(("code", "which", [term.Atom(module)]) for _application, module in _MODULES),
)
"""The questions; the first one is about all modules."""


def foreign(outcomes: Sequence[Outcome]) -> list[dict[str, str]] | None:
    """[{module, path, changed}] of those that are not their application's. path: where it is loaded from. None where the node did not say.

    changed: "modified" (another one is loaded than is in the file), or empty.
    """
    values = [outcome.value if isinstance(outcome, Returned) else None for outcome in outcomes]
    statuses = values[0] if values else None
    if len(values) != len(CALLS) or not isinstance(statuses, list):
        return None
    changed = {str(one[0]) for one in statuses if isinstance(one, tuple) and len(one) == 2 and str(one[1]) == "modified"}
    found = []
    for (application, module), value in zip(_MODULES, values[1:]):
        path = term.to_plain(value) if isinstance(value, list) else None
        if value is None:
            return None
        # One that is not there is an atom: non_existing. A release without TLS has no ssl.
        elsewhere = isinstance(path, str) and not _of(application, path)
        if elsewhere or module in changed:
            found.append({"module": module, "path": str(path or value), "changed": "modified" if module in changed else ""})
    return found


def _of(application: str, path: str) -> bool:
    """Whether a file lies in the directory of an application: .../kernel-10.2.7/ebin/net_kernel.beam."""
    directory = posixpath.dirname(path)
    return posixpath.basename(directory) == "ebin" and bool(
        re.fullmatch(rf"{application}(-[0-9][0-9.]*)?", posixpath.basename(posixpath.dirname(directory)))
    )
