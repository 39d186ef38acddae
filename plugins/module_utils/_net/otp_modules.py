# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the modules of OTP and of products that decide who connects are those of their files, as the running node says.

Private to this collection. A module comes from elsewhere by -pa, code:load_abs/1, code:load_binary/3 or a tool for patches. code:module_status/1
compares the loaded module with its file (code.erl of OTP 25 to 29).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Sequence

from .. import _term as term
from .node import Call, Outcome, Returned

DECISIVE = {
    "kernel": (
        "auth", "code", "code_server", "dist_util", "erl_distribution", "erl_epmd", "erpc", "error_handler", "gen_tcp", "global", "inet",
        "inet_config", "inet_db", "inet6_tcp_dist", "inet_tcp", "inet_tcp_dist", "net_adm", "net_kernel", "rpc",
    ),
    "ssl": (
        "inet6_tls_dist", "inet_tls_dist", "ssl", "ssl_certificate", "ssl_config", "ssl_crl", "ssl_crl_hash_dir", "ssl_dist_sup", "ssl_gen_statem",
        "ssl_handshake", "ssl_manager", "ssl_pem_cache", "ssl_pkix_db", "tls_client_connection_1_3", "tls_connection_1_3", "tls_gen_connection",
        "tls_gen_connection_1_3", "tls_handshake", "tls_handshake_1_3", "tls_sender", "tls_server_connection_1_3",
    ),
    "public_key": ("pubkey_cert", "pubkey_cert_records", "pubkey_crl", "pubkey_pem", "public_key"),
    "crypto": ("crypto",),
}
"""Modules by their application."""
OF_PRODUCTS = {
    "rabbit": (
        "rabbit_access_control", "rabbit_auth_backend_internal", "rabbit_auth_mechanism_amqplain", "rabbit_auth_mechanism_cr_demo",
        "rabbit_auth_mechanism_plain", "rabbit_direct", "rabbit_password", "rabbit_password_hashing_sha256", "rabbit_password_hashing_sha512",
        "rabbit_reader",
    ),
    "ejabberd": (
        "acl", "ejabberd_access_permissions", "ejabberd_auth", "ejabberd_auth_mnesia", "ejabberd_auth_sql", "ejabberd_c2s", "ejabberd_commands",
        "ejabberd_oauth", "mod_http_api",
    ),
}
"""Those of products that decide whom a client is, by the application that runs then. Where they are loaded from differs between packages."""
_APPLICATIONS = {module: application for application, modules in DECISIVE.items() for module in modules}
_OTHERS = {module for modules in OF_PRODUCTS.values() for module in modules}


def calls(running: Collection[str] | None) -> tuple[Call, ...]:
    """The questions. The second one is about every module, where each is loaded from; of the first ones the code is compared with the file.

    running: the applications of the node.
    """
    modules = [*_APPLICATIONS, *(module for application in OF_PRODUCTS if application in (running or ()) for module in OF_PRODUCTS[application])]
    return ("code", "module_status", [[term.Atom(module) for module in modules]]), ("code", "all_loaded", [])


_OTHERS_MAX = 20

Foreign = dict[str, str]


def foreign(outcomes: Sequence[Outcome]) -> list[Foreign] | None:
    """[{module, path, changed}] of decisive modules that are not their application's, and of those of products that are not their file's; None where
    the node did not say.

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
        if application and (module in changed or not _of(application, path)) or module in _OTHERS and module in changed:
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
    if len(values) != 2 or not isinstance(values[0], list) or not isinstance(values[1], list):
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
