# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of keys, certificates and trust anchors.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import DESIGN, PKIX, TLS_GUIDE, TLS_HARDENING
from .thresholds import CERTIFICATE_DAYS_MIN, CERTIFICATE_LIFETIME_MAX

_BASELINE = ("CA/Browser Forum, Baseline Requirements, 6.3.2", "https://cabforum.org/working-groups/server/baseline-requirements/documents/")

CONTROLS = (
    Control(
        "private-key",
        "The node's key belongs to its user, has mode 0400, and no other user can replace it",
        "With the key any host can act as the node until the certificate expires.",
        "Set owner and mode of the key file. Remove write permission on the directories above it from other users.",
        "pki",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "certificate-lifetime",
        f"The certificate that a node shows, and the one in its file, is valid now and for {CERTIFICATE_DAYS_MIN} more days",
        "When the certificate ends, no node can connect any more. No log warns of this before.",
        "Renew the certificate: run beam.cluster.renew. Check the clocks. With your own certificates replace the files that beam_pki_certificate "
        "names.",
        "pki",
        (DESIGN,),
        "high",
        "probes",
    ),
    Control(
        "certificate-names",
        "A node's certificate names its own host, and no other",
        "OTP compares the host part of a node's name with the alternative names. With a certificate that names another member, a node can act as "
        "that member.",
        "Issue the certificate with exactly DNS:<host part of the node's name> as subjectAltName, and IP:<address> too if that is an address.",
        "pki",
        (TLS_GUIDE, PKIX),
        "high",
        "files",
    ),
    Control(
        "certificate-purposes",
        "A node's certificate is for TLS servers and clients, and not for signing certificates",
        "A node is server and client, and OTP checks both purposes. The key of a certificate that can sign others can create members.",
        "Issue the certificate with extendedKeyUsage serverAuth and clientAuth, keyUsage digitalSignature and basicConstraints CA:FALSE.",
        "pki",
        (TLS_GUIDE, PKIX),
        "high",
        "files",
    ),
    Control(
        "certificate-strength",
        "Keys have 2048 bits (RSA) or 256 (EC) or more, and signatures use SHA-256 or better",
        "Shorter keys and signatures with SHA-1 or MD5 can be forged.",
        "Issue the certificate again, with beam_pki_key_type: ECC, or beam_pki_key_size: 3072 for RSA.",
        "pki",
        (TLS_HARDENING,),
        "high",
        "files",
    ),
    Control(
        "certificate-served",
        "A node shows the certificate that is in its file",
        "A running node compares the modification time of the file. If the new file has an older time than the last one, the node does not read it, "
        "and shows the old certificate until that ends.",
        "Run touch on cert.pem, key.pem and ca.pem of the node and wait 120 seconds, or restart the node.",
        "pki",
        (TLS_GUIDE, DESIGN),
        "high",
        "probes",
    ),
    Control(
        "ca-lifetime",
        f"Each CA certificate that a node trusts is valid now, for {CERTIFICATE_DAYS_MIN} more days, and longer than the node's certificate",
        "When the CA's certificate ends, all certificates of the cluster end with it.",
        "Move all nodes to a new CA before the old one ends: run beam.cluster.rotate_ca, or issue all certificates again with your own CA.",
        "pki",
        (PKIX,),
        "high",
        "files",
    ),
    Control(
        "trust-anchors",
        "A node trusts the CA of its cluster only",
        "Every certificate of a CA in ca.pem is accepted as a member's. With a second CA there, or a company-wide one, its other certificates are "
        "accepted, too.",
        "Remove the CA certificate that the finding names from ca.pem of that node, find out who added it, and restart the node.",
        "pki",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "ca-key",
        "The private key of the CA is on no member's host",
        "With the CA's key any host can issue member certificates. A node needs only the CA's certificate.",
        "Move the key to the controller or destroy it. Other users could read it: create a new CA and issue all certificates again.",
        "pki",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "key-of-its-own",
        "Every node has its own key, and no host has the key or certificate of a node of another host",
        "A host with a shared key can act as both nodes. The key is exposed when one of the two hosts is.",
        "Remove key.pem and cert.pem of the node that has the files of another node, and issue new ones: run beam.cluster.site.",
        "pki",
        (TLS_GUIDE,),
        "high",
        "files",
    ),
    Control(
        "key-belongs",
        "A node's key belongs to its certificate",
        "OTP starts with a key that does not match. The node then refuses every connection.",
        "Restore the key, or remove key.pem and cert.pem and issue new ones: run beam.cluster.site. Then restart the node.",
        "pki",
        (TLS_GUIDE,),
        "high",
        "files",
    ),
    Control(
        "key-readers",
        "No other user can read a private key in the directories of a node",
        "A copy of a key beside the one that the node uses (a backup, a new key, a key store) gives the same access as the key itself.",
        "Remove the copy, or set owner and mode 0400. Then issue a new key: somebody may have read it.",
        "pki",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "trust-file",
        "The CA file and the certificate of a node belong to root, and no other user can write or replace them",
        "A user who can write the CA file decides which nodes are members.",
        "Set owner root and mode 0644 or 0444 for both. Remove write permission on the directories above them from other users.",
        "pki",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "certificate-validity",
        f"A node's certificate is issued for {CERTIFICATE_LIFETIME_MAX} days or fewer",
        "A copied key works for years if it is never renewed.",
        "Issue the certificate with a shorter lifetime (beam_pki_days), and renew it regularly: run beam.cluster.renew from a timer.",
        "pki",
        (_BASELINE, PKIX),
        "low",
        "files",
    ),
)
