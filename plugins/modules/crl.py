#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a node the CRLs of its CAs, which it reads at every handshake."""

from __future__ import annotations

DOCUMENTATION = r"""
module: crl
short_description: Install the CRLs of a node, without a restart
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Checks certificate revocation lists (CRLs) on the host of the node, then installs them in the directory in which the node looks for them. A
    running node uses them at its next handshake.
  - Refuses CRLs with which the node would refuse everybody. A CA has no CRL, or a CRL has ended, is not valid yet, is damaged, is of a CA that the
    node does not trust, or has a wrong signature. Then it changes nothing.
  - Each file is replaced in one step. The CRL of a CA that the node does not trust any more is removed.
options:
  node:
    description:
      - Full name of the node.
    type: str
    required: true
  directory:
    description:
      - The directory, as C(dir) of C(ssl_crl_hash_dir) in the TLS options of the node. It must contain no other files.
    type: path
    required: true
  crls:
    description:
      - The CRLs in PEM format, one for each CA that signs certificates of nodes.
    type: list
    elements: str
    required: true
  ca:
    description:
      - The CA certificates that the node will trust, in PEM format.
    type: str
    required: true
  trusted_file:
    description:
      - File with the CA certificates that the node trusts at the moment. Their CRLs are not removed.
    type: path
    required: true
extends_documentation_fragment:
  - beam.cluster.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
requirements:
  - cryptography
seealso:
  - module: beam.cluster.certificate
  - module: beam.cluster.revocations
"""

EXAMPLES = r"""
- name: Install the CRL of the CA
  beam.cluster.crl:
    node: beam@n1
    directory: /etc/beam/beam@n1/crl
    crls: ["{{ lookup('ansible.builtin.file', 'pki/beam/root/crl.pem') }}"]
    ca: "{{ lookup('ansible.builtin.file', 'pki/beam/root/certificate.pem') }}"
    trusted_file: /etc/beam/beam@n1/tls/ca.pem
"""

RETURN = r"""
node:
  description: The node.
  returned: always
  type: str
  sample: beam@n1
written:
  description: The files that were or will be written.
  returned: always
  type: list
  elements: str
  sample: [1f0c88ab.r0]
removed:
  description: The files that were or will be removed.
  returned: always
  type: list
  elements: str
  sample: []
problems:
  description: Why the CRLs were refused.
  returned: always
  type: list
  elements: str
  sample: []
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.beam.cluster.plugins.module_utils._net import crl_files
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_files import read_file

try:
    from cryptography import x509 as library
    from cryptography.exceptions import UnsupportedAlgorithm
except ImportError:
    library = None  # type: ignore[assignment]


def main() -> None:
    """Check the CRLs, put them in place."""
    module = AnsibleModule(
        argument_spec={
            "node": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "crls": {"type": "list", "elements": "str", "required": True},
            "ca": {"type": "str", "required": True},
            "trusted_file": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    if library is None and not module.check_mode:
        module.fail_json(msg=missing_required_lib("cryptography"))
    try:
        answer = settle(module.params, change=not module.check_mode)
    except OSError as error:
        module.fail_json(msg=f"{module.params['node']}: {error.filename or 'a file'}: {error.strerror}. Not all CRLs were written. Run this again.")
    if answer["problems"]:
        module.fail_json(msg=refusal(module.params["node"], answer["problems"]), **answer)
    module.exit_json(**answer)


def settle(params: dict[str, Any], *, change: bool) -> dict[str, Any]:
    """Do it, or with `change` false find out what is to be done. Raises `OSError`."""
    texts = [f"{text.strip()}\n".encode() for text in params["crls"]]
    answer: dict[str, Any] = {"node": params["node"], "changed": False, "written": [], "removed": []}
    answer["problems"] = crl_files.problems(texts, params["ca"].encode(), time.time(), signed if library is not None else None)
    if answer["problems"]:
        return answer
    wanted, there = crl_files.wanted_files(texts), crl_files.present(params["directory"])
    different = {name: text for name, text in wanted.items() if there.get(name) != text}
    trusted = read_file(params["trusted_file"]) or b""
    answer.update(written=sorted(different), removed=crl_files.obsolete(there, wanted, trusted))
    answer["changed"] = bool(answer["written"] or answer["removed"])
    if change and answer["changed"]:
        crl_files.put(params["directory"], different, answer["removed"])
    return answer


def signed(text: bytes, authority: bytes) -> bool:
    """Whether a CRL (PEM) has a valid signature of a CA (DER)."""
    try:
        key = library.load_der_x509_certificate(authority).public_key()
        return bool(library.load_pem_x509_crl(text).is_signature_valid(key))  # type: ignore[arg-type]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def refusal(node: str, found: list[str]) -> str:
    """Why the CRLs were refused."""
    return (
        f"{node}: the new CRLs were refused, and the old ones are still in place. {'; '.join(found)}. Remove crl.pem of that CA on the controller, "
        "and run this again."
    )


if __name__ == "__main__":
    main()
