# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the name of a node may be: for its certificate, for DNS, for the atoms of its tools.

Private to this collection.
"""

from __future__ import annotations

from .._model.problems import Problems
from .cluster import Node

X509_NAME = 64
"""ub-common-name of RFC 5280."""
DNS_NAME, DNS_LABEL = 253, 63
"""RFC 1035, in characters without the final dot."""
LONGEST_ATOM = 255


def check_name_lengths(node: Node, issued: bool, problems: Problems) -> None:
    """`issued`: the role pki issues the node's certificate."""
    name, host_part = str(node.node), node.node.host_part
    if issued and len(name) > X509_NAME:
        problems.add(
            node.host,
            "beam_node_name",
            "name_longer_than_certificate",
            f"{name} has {len(name)} characters; the name of a certificate has at most {X509_NAME}.",
            "choose a shorter node name, or provide beam_pki_certificate, beam_pki_key and beam_pki_ca.",
        )
    if node.node.kind != "ip" and (len(host_part) > DNS_NAME or any(len(label) > DNS_LABEL for label in host_part.split("."))):
        problems.add(
            node.host,
            "beam_node_name",
            "name_longer_than_dns",
            f"{host_part} is longer than DNS allows ({DNS_NAME} characters, {DNS_LABEL} in each part between dots).",
            "choose a shorter host part.",
        )
    product = node.runtime.data
    if product.tool_prefix and len(f"{product.tool_prefix}{product.tool_count}-{name}") > LONGEST_ATOM:
        problems.add(
            node.host,
            "beam_node_name",
            "name_longer_than_atom",
            f"the tools of {node.runtime.product} would have names of more than {LONGEST_ATOM} characters.",
            "choose a shorter node name.",
        )
