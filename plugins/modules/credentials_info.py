#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports key, certificate, CA certificates and cookie of a node: what its files hold, and what it uses. Changes nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: credentials_info
short_description: Report the certificate and the cookie of a node, in its files and in use
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Reads the files of a node on its host, and connects to the node to read which certificate it shows and whether it accepts the cookie of
    its file.
  - The result contains no key and no cookie.
options:
  node:
    description:
      - Full name of the node.
    type: str
    required: true
  host:
    description:
      - Host name or IP address to connect to. The default is the host part of O(node).
    type: str
  port:
    description:
      - Port of the node. By default the module queries EPMD.
    type: int
  unit:
    description:
      - The systemd unit of the node.
    type: str
  names:
    description:
      - Subject alternative names that the certificate must have, with their type, for example V(DNS:n1).
    type: list
    elements: str
    default: []
  renew_at:
    description:
      - Part of a certificate's lifetime after which it is due for renewal, between 0 and 1.
    type: float
    required: true
  connect:
    description:
      - Whether to connect to the node.
    type: bool
    default: true
  cookie_file:
    description:
      - The cookie file of the node.
    type: path
  cookie_key:
    description:
      - A random key. RV(cookie.digest) is made with it, so that digests of one run can be compared and say nothing about the cookie.
    type: str
  name:
    description:
      - The full node name that the module uses. It must not be the name of a node. The default is C(beam_probe@) and the name of the host.
    type: str
  tls:
    description:
      - The files of the node. Without them the module uses clear text, and reports no certificate.
    type: dict
    suboptions:
      ca:
        description: File with the CA certificates that the node trusts.
        type: path
        required: true
      certificate:
        description: File with the certificate, followed by intermediate certificates.
        type: path
        required: true
      key:
        description: File with the private key.
        type: path
        required: true
      versions:
        description: TLS versions to offer, as Erlang spells them.
        type: list
        elements: str
        choices: [tlsv1, tlsv1.1, tlsv1.2, tlsv1.3]
        default: [tlsv1.3]
  source:
    description:
      - IP address of this host to connect from.
    type: str
  epmd_port:
    description:
      - Port of EPMD, which is queried if O(port) is not set.
    type: int
    default: 4369
  timeout:
    description:
      - Seconds for the handshake.
    type: float
    default: 5.0
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
seealso:
  - module: beam.cluster.certificate
"""

EXAMPLES = r"""
- name: Read the certificate of the node
  beam.cluster.credentials_info:
    node: beam@n1
    unit: beam.service
    names: [DNS:n1]
    renew_at: 0.6667
    cookie_file: /var/lib/beam/beam@n1/.erlang.cookie
    tls:
      ca: /etc/beam/beam@n1/tls/ca.pem
      certificate: /etc/beam/beam@n1/tls/cert.pem
      key: /etc/beam/beam@n1/tls/key.pem
"""

RETURN = r"""
node:
  description: The node.
  returned: always
  type: str
  sample: beam@n1
running:
  description: Whether a VM runs that is the node.
  returned: always
  type: bool
certificate:
  description: The certificate in the file; null if there is none or it cannot be read.
  returned: always
  type: dict
  contains:
    sha256:
      description: Fingerprint.
      type: str
    subject:
      description: The subject.
      type: str
    issuer:
      description: The issuer.
      type: str
    serial:
      description: The serial number, hexadecimal.
      type: str
    sans:
      description: The subject alternative names with their type.
      type: list
      elements: str
    not_before:
      description: Start of the validity, UTC.
      type: str
    not_after:
      description: End of the validity, UTC.
      type: str
    days_left:
      description: Days until the end of the validity, negative after it.
      type: float
    due:
      description: Whether it is due for renewal, see O(renew_at).
      type: bool
    pem:
      description: The certificate in PEM format, without intermediate certificates.
      type: str
trusted:
  description: The CA certificates that the node trusts, with the same fields as RV(certificate), without C(due) and C(pem). Null if unknown.
  returned: always
  type: list
  elements: dict
used:
  description: Fingerprints of those CA certificates in RV(trusted) that verify the certificate.
  returned: always
  type: list
  elements: str
problems:
  description: Why a node cannot use the files, for example because the key belongs to another certificate.
  returned: always
  type: list
  elements: str
served:
  description: The fingerprint of the certificate that the node shows; null if it showed none.
  returned: always
  type: str
code:
  description: The code of the handshake, see C(docs/codes.md); null if there was none.
  returned: always
  type: str
  sample: connected
cookie:
  description: The cookie.
  returned: always
  type: dict
  contains:
    digest:
      description: Digest of the cookie in the file, made with O(cookie_key); null if the file cannot be read, or without the key.
      type: str
    accepted:
      description: Whether the node accepts the cookie of its file; null if unknown.
      type: bool
"""

import hashlib
import hmac
import ssl
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host import proc
from ansible_collections.beam.cluster.plugins.module_utils._model.certificate_renewal import due, moment
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_reload import look
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_rules import Files, inspect, split_pem
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import OptionError, check_range, make_peer, read_cookie, tls_spec
from ansible_collections.beam.cluster.plugins.module_utils._wire import codes
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import EPMD_PORT


def main() -> None:
    """Read the files, ask the node."""
    tls = {name: dict(spec, required=True) if name != "versions" else spec for name, spec in tls_spec(defaults=True).items()
           if name in ("ca", "certificate", "key", "versions")}
    module = AnsibleModule(
        argument_spec={
            "node": {"type": "str", "required": True},
            "host": {"type": "str"},
            "port": {"type": "int"},
            "unit": {"type": "str"},
            "names": {"type": "list", "elements": "str", "default": []},
            "renew_at": {"type": "float", "required": True},
            "connect": {"type": "bool", "default": True},
            "cookie_file": {"type": "path"},
            "cookie_key": {"type": "str", "no_log": True},
            "name": {"type": "str"},
            "tls": {"type": "dict", "options": tls},
            "source": {"type": "str"},
            "epmd_port": {"type": "int", "default": EPMD_PORT},
            "timeout": {"type": "float", "default": 5.0},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        answer = read(params, time.time())
        if answer["running"] and params["connect"]:
            ask(params, answer)
    except OptionError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **answer)


def read(params: dict[str, Any], now: float) -> dict[str, Any]:
    """What the files hold. Raises `OptionError`."""
    check_range(params)
    if not 0 < params["renew_at"] <= 1:
        raise OptionError(f"renew_at: {params['renew_at']} is not between 0 and 1. Choose a value in that range.")
    answer: dict[str, Any] = {
        "node": params["node"], "running": bool(proc.machines_of(params["node"], params["unit"])),
        "certificate": None, "trusted": None, "used": [], "problems": [], "served": None, "code": None,
        "cookie": {"digest": digest(params), "accepted": None},
    }
    if params["tls"] is None:
        return answer
    files = Files(params["tls"]["ca"], params["tls"]["certificate"], params["tls"]["key"])
    answer.update(inspect(files, params["names"], now))
    for one in [*([answer["certificate"]] if answer["certificate"] else []), *(answer["trusted"] or [])]:
        one["days_left"] = round((moment(one["not_after"]) - now) / 86400, 2)
    if answer["certificate"]:
        with open(files.certificate, "rb") as file:
            pem = ssl.DER_cert_to_PEM_cert(split_pem(file.read())[0])
        answer["certificate"].update(
            due=due(answer["certificate"]["not_before"], answer["certificate"]["not_after"], params["renew_at"], now),
            pem=pem,
        )
    return answer


def digest(params: dict[str, Any]) -> str | None:
    """Digest of the cookie in the file with a key that nobody keeps."""
    if not params["cookie_file"] or not params["cookie_key"]:
        return None
    try:
        cookie = read_cookie({"cookie": None, "cookie_file": params["cookie_file"]})
    except OptionError:
        return None
    return hmac.new(params["cookie_key"].encode(), cookie, hashlib.sha256).hexdigest()[:16]


def ask(params: dict[str, Any], answer: dict[str, Any]) -> None:
    """What the node shows and accepts. Raises `OptionError`."""
    cookie = None
    try:
        cookie = read_cookie({"cookie": None, "cookie_file": params["cookie_file"]}) if params["cookie_file"] else None
    except OptionError:
        pass
    shown = look(make_peer(params, {**params, "tls": None}, cookie), params["timeout"])
    answer["served"], answer["code"] = shown.sha256, shown.code
    if cookie is not None:
        answer["cookie"]["accepted"] = True if shown.code == "connected" else False if shown.code in codes.REFUSED_COOKIE else None


if __name__ == "__main__":
    main()
