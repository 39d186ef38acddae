# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether nodes check for revoked certificates, and what a run revokes. Which certificates that means is found out beside the CA.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._model.problems import Problems
from .cluster import Inventory, Revocation
from .cluster_variables import Shape, read_cluster_value, read_flag
from .variable_names import MISSING


def read_revocation(inventory: Inventory, shape: Shape, hosts: Sequence[str], bring_your_own: bool, problems: Problems) -> Revocation:
    """`bring_your_own`: every member has a certificate of the operator's own."""
    crl = bool(read_flag("beam_pki_crl", read_cluster_value(inventory, "beam_pki_crl", hosts, problems), "", problems))
    names = {variable: _read_names(inventory, variable, hosts, problems) for variable in ("beam_revoke", "beam_unrevoke")}
    if crl and not shape.tls and shape.mode != "off":
        problems.add("", "beam_pki_crl", "crl_without_tls", "nodes in clear text show no certificate.", "remove beam_pki_crl, or set beam_tls: true.")
    if crl and bring_your_own:
        problems.add(
            "", "beam_pki_crl", "crl_without_ca", "the certificates are your own, and only the CA of this collection can sign its CRL.",
            "remove beam_pki_crl, or use the CA of this collection: remove beam_pki_certificate, beam_pki_key and beam_pki_ca.",
        )
    for variable, wanted in names.items():
        if wanted and not crl:
            problems.add(
                "", variable, "crl_off", "no node of this cluster checks for revoked certificates, so a revoked one would still be accepted.",
                "set beam_pki_crl: true for the whole group, run beam.cluster.site once, and run this again. Until then only a new CA makes members "
                "refuse a certificate: beam.cluster.rotate_ca.",
            )
    return Revocation(crl and shape.tls, names["beam_revoke"], names["beam_unrevoke"])


def _read_names(inventory: Inventory, variable: str, hosts: Sequence[str], problems: Problems) -> tuple[str, ...]:
    value = read_cluster_value(inventory, variable, hosts, problems)
    if value is MISSING or value == "":
        return ()
    if not isinstance(value, str):
        problems.add("", variable, "type", "the value is not a string.", "write node names, serial numbers or paths, with commas between, in quotes.")
        return ()
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
