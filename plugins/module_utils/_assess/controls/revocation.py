# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of revoked certificates.

Private to this collection, pure.
"""

from __future__ import annotations

from ..._model.revocation_rules import DAYS_MIN
from .control import Control
from .references import PKIX, TLS_GUIDE, TLS_HARDENING

CONTROLS = (
    Control(
        "revocation-lists",
        f"A node checks for revoked certificates, with a CRL for each CA that is valid now and for {DAYS_MIN} more days",
        "Without a CRL, or with one that has ended, a node refuses everybody. Without the check it accepts revoked certificates.",
        "Create and install the CRLs: run beam.cluster.renew. If a node does not check, run beam.cluster.site, which restarts it with the TLS "
        "options.",
        "pki",
        (TLS_HARDENING, PKIX),
        "high",
        "files",
    ),
    Control(
        "revoked-certificate",
        "A revoked certificate of the cluster's CA is refused",
        "A copied key works until its certificate ends. Revocation ends this at once, if every node checks CRLs.",
        "Set {crl_check, peer} and {crl_cache, {ssl_crl_hash_dir, {internal, [{dir, Directory}]}}} for server and client, with a CRL for each CA.",
        "distribution",
        (TLS_GUIDE, TLS_HARDENING),
        "high",
        "attacks",
    ),
)
