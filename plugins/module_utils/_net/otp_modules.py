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
    "kernel": (
        "auth", "code", "code_server", "dist_util", "erl_distribution", "erl_epmd", "erpc", "error_handler", "global", "inet_config", "inet_db",
        "inet6_tcp_dist", "inet_tcp_dist", "net_adm", "net_kernel", "rpc",
    ),
    "ssl": (
        "inet6_tls_dist", "inet_tls_dist", "ssl", "ssl_certificate", "ssl_config", "ssl_crl", "ssl_crl_hash_dir", "ssl_dist_sup", "ssl_handshake",
        "ssl_pkix_db", "tls_handshake_1_3",
    ),
    "public_key": ("pubkey_cert", "pubkey_cert_records", "pubkey_crl", "pubkey_pem", "public_key"),
    "crypto": ("crypto",),
}
"""Modules by their application."""
_APPLICATIONS = {module: application for application, modules in DECISIVE.items() for module in modules}
CALLS: tuple[Call, ...] = (("code", "module_status", [[term.Atom(module) for module in _APPLICATIONS]]), ("code", "all_loaded", []))
"""The questions. The second one is about every module, where each is loaded from; of the first ones the code is compared with the file."""
_OTHERS_MAX = 20

Foreign = dict[str, str]


def foreign(outcomes: Sequence[Outcome]) -> list[Foreign] | None:
    """[{module, path, changed}] of decisive modules that are not their application's; None where the node did not say.

    path: where it is loaded from. changed: "modified" (another one is loaded than is in the file), or empty.
    """
    statuses, loaded = _values(outcomes)
    if statuses is None or loaded is None:
        return None
    changed = {str(one[0]) for one in statuses if isinstance(one, tuple) and len(one) == 2 and str(one[1]) == "modified"}
    found = []
    for module, path in sorted(loaded.items()):
        # One that is not loaded decides nothing: a release without TLS has no ssl.
        application = _APPLICATIONS.get(module)
        if application and (module in changed or not _of(application, path)):
            found.append({"module": module, "path": path, "changed": "modified" if module in changed else ""})
    return found


def from_nowhere(outcomes: Sequence[Outcome], code_path: Sequence[str] | None) -> list[Foreign] | None:
    """[{module, path}] of other modules that come from no directory of the code path: as load_binary/3 and load_abs/1 load them. Some at most."""
    _statuses, loaded = _values(outcomes)
    if loaded is None or code_path is None:
        return None
    known = {posixpath.normpath(path) for path in code_path}
    found = [{"module": module, "path": path} for module, path in sorted(loaded.items()) if posixpath.dirname(path) not in known]
    return [one for one in found if one["module"] not in _APPLICATIONS][:_OTHERS_MAX]


def _values(outcomes: Sequence[Outcome]) -> tuple[list[term.Term] | None, dict[str, str] | None]:
    """The statuses, and where each module is loaded from. Those that are in the VM itself, and those of the tool cover, have no path."""
    values = [outcome.value if isinstance(outcome, Returned) else None for outcome in outcomes]
    if len(values) != len(CALLS) or not isinstance(values[0], list) or not isinstance(values[1], list):
        return None, None
    loaded: dict[str, str] = {}
    for one in values[1]:
        if isinstance(one, tuple) and len(one) == 2 and isinstance(one[1], list):
            path = term.to_plain(one[1])
            loaded[str(one[0])] = path if isinstance(path, str) else ""
    return values[0], loaded


def _of(application: str, path: str) -> bool:
    """Whether a file lies in the directory of an application: .../kernel-10.2.7/ebin/net_kernel.beam."""
    directory = posixpath.dirname(path)
    return posixpath.basename(directory) == "ebin" and bool(
        re.fullmatch(rf"{application}(-[0-9][0-9.]*)?", posixpath.basename(posixpath.dirname(directory)))
    )
