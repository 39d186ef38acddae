#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of revoked certificates beside the CAs of a cluster, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: revocations
short_description: Change the list of revoked certificates of a CA
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Adds certificates to the list C(revoked.json) beside the CA that has issued them, or removes them from it. The role P(beam.cluster.pki#role) makes
    the CRLs from these lists.
  - Finds all certificates before it writes the first list. Fails if there is no certificate for a name, or if no member could connect after the
    change.
  - It runs on the controller, where the CA is.
options:
  cas:
    description:
      - Directories of the CAs that nodes trust, each with C(certificate.pem). Those that do not exist are left out.
    type: list
    elements: path
    required: true
  issued:
    description:
      - Directory with the certificates that the CAs have issued, C(<node>.pem) for the newest one of a node and all of them in C(<node>/).
    type: path
    required: true
  members:
    description:
      - Names of the nodes of the cluster.
    type: list
    elements: str
    required: true
  revoke:
    description:
      - What to revoke. A node name means all certificates that were ever issued to the node. A serial number is hexadecimal. A path is that of a
        certificate in PEM format.
    type: list
    elements: str
    default: []
  unrevoke:
    description:
      - What to remove from the list, as in O(revoke).
    type: list
    elements: str
    default: []
  renew_at:
    description:
      - Part of its lifetime after which a CRL is due for renewal.
    type: float
    required: true
extends_documentation_fragment:
  - beam.cluster.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
seealso:
  - module: beam.cluster.crl
"""

EXAMPLES = r"""
- name: Revoke all certificates of a node
  beam.cluster.revocations:
    cas: [pki/beam/root]
    issued: pki/beam/issued
    members: [beam@n1, beam@n2, beam@n3]
    revoke: [beam@n3]
    renew_at: 0.6667
  delegate_to: localhost
"""

RETURN = r"""
cas:
  description: One entry for each CA that can sign a CRL.
  returned: success
  type: list
  elements: dict
  contains:
    directory:
      description: Directory of the CA.
      type: str
    issuer:
      description: Its name, as M(community.crypto.x509_crl) takes it in C(issuer_ordered).
      type: list
      elements: dict
    due:
      description: Whether its CRL has to be signed again although the list is the same, because it is missing or due for renewal.
      type: bool
    revoked:
      description: The revoked certificates, as M(community.crypto.x509_crl) takes them.
      type: list
      elements: dict
added:
  description: The certificates that were or will be added.
  returned: success
  type: list
  elements: dict
  contains:
    node: {type: str, description: "The node that it was issued for."}
    serial: {type: str, description: "Its serial number, hexadecimal."}
    not_after: {type: str, description: "End of its validity, UTC."}
removed:
  description: The certificates that were or will be removed, with the same fields.
  returned: success
  type: list
  elements: dict
named:
  description: The nodes of all certificates that O(revoke) and O(unrevoke) mean, changed or not.
  returned: success
  type: list
  elements: str
shut_out:
  description: The members whose newest certificate is revoked.
  returned: success
  type: list
  elements: str
accepted_again:
  description: The members whose newest certificate was revoked, and is or will be accepted again.
  returned: success
  type: list
  elements: str
"""

import glob
import json
import os
import time
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._model.certificate_renewal import due, moment
from ansible_collections.beam.cluster.plugins.module_utils._model.revocation_rules import (
    REVOKED_FOR_ATTACK,
    Issued,
    Revoked,
    Unresolved,
    kind_of,
    refuse_all,
    resolve,
    shut_out,
)
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_files import read_file
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_rules import split_pem
from ansible_collections.beam.cluster.plugins.module_utils._wire import x509
from ansible_collections.beam.cluster.plugins.module_utils._wire.crl import of_pem

LIST = "revoked.json"
CRL = "crl.pem"


def main() -> None:
    """Resolve what is named, change the lists."""
    module = AnsibleModule(
        argument_spec={
            "cas": {"type": "list", "elements": "path", "required": True},
            "issued": {"type": "path", "required": True},
            "members": {"type": "list", "elements": "str", "required": True},
            "revoke": {"type": "list", "elements": "str", "default": []},
            "unrevoke": {"type": "list", "elements": "str", "default": []},
            "renew_at": {"type": "float", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        answer = settle(module.params, time.time(), change=not module.check_mode)
    except Unresolved as error:
        module.fail_json(msg=f"{error} Nothing was changed.")
    except OSError as error:
        module.fail_json(msg=f"{error.filename or 'a file'}: {error.strerror}.")
    except ValueError as error:
        module.fail_json(msg=f"{error} Restore the file from a backup. Nothing was changed.")
    module.exit_json(**answer)


def settle(params: dict[str, Any], now: float, *, change: bool) -> dict[str, Any]:
    """Do it, or with `change` false find out what is to be done. Raises `Unresolved`, `OSError` and `ValueError`."""
    authorities = {path: _facts(os.path.join(path, "certificate.pem")) for path in params["cas"]
                   if os.path.exists(os.path.join(path, "key.pem"))}
    lists = {path: read_list(path) for path in authorities}
    issued = read_issued(params["issued"], authorities)
    revoke = _certificates(params["revoke"], issued, authorities, params["members"])
    unrevoke = _certificates(params["unrevoke"], issued, authorities, params["members"])
    both = {one.serial for one in revoke} & {one.serial for one in unrevoke}
    if both:
        raise Unresolved(f"The certificate {min(both)} is in both revoke and unrevoke. Name it in one of them.")
    listed = {(path, one.serial) for path, entries in lists.items() for one in entries}
    added = [one for one in revoke if (one.authority, one.serial) not in listed]
    removed = [one for one in unrevoke if (one.authority, one.serial) in listed]
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    before = shut_out(issued, (one.serial for entries in lists.values() for one in entries), params["members"])
    gone = {(one.authority, one.serial) for one in removed}
    for path in lists:
        lists[path] = [one for one in lists[path] if (path, one.serial) not in gone]
        lists[path] += [Revoked(one.serial, one.node, since) for one in added if one.authority == path]
    out = shut_out(issued, (one.serial for entries in lists.values() for one in entries), params["members"])
    if added:
        refuse_all(out, params["members"])
    if change:
        for path in dict.fromkeys(one.authority for one in (*added, *removed)):
            write_list(path, lists[path])
    return {
        "changed": bool(added or removed),
        "cas": [
            {
                "directory": path,
                "issuer": [{kind: value} for kind, value in facts["subject_parts"]],
                "due": _is_due(path, params["renew_at"], now),
                "revoked": [_entry(f"{REVOKED_FOR_ATTACK:X}", facts["not_before"]), *(_entry(one.serial, one.since) for one in lists[path])],
            }
            for path, facts in authorities.items()
        ],
        "added": [_shown(one) for one in added],
        "removed": [_shown(one) for one in removed],
        "named": sorted({one.node for one in (*revoke, *unrevoke)}),
        "shut_out": out,
        "accepted_again": [node for node in before if node not in out],
    }


def _facts(path: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        der = split_pem(file.read())[0]
    return {**x509.describe(der), "subject_parts": x509.subject_parts(der)}


def read_list(path: str) -> list[Revoked]:
    """The list beside a CA. Raises `OSError` and `ValueError`."""
    text = read_file(os.path.join(path, LIST))
    if text is None:
        return []
    try:
        return [Revoked(str(one["serial"]), str(one["node"]), str(one["since"])) for one in json.loads(text)["revoked"]]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{os.path.join(path, LIST)} is damaged.") from None


def write_list(path: str, entries: list[Revoked]) -> None:
    """Replace the list in one step. Raises `OSError`."""
    target = os.path.join(path, LIST)
    with open(f"{target}.new", "w", encoding="utf-8") as file:
        json.dump({"revoked": [asdict(one) for one in entries]}, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{target}.new", target)


def read_issued(directory: str, authorities: dict[str, dict[str, Any]]) -> list[Issued]:
    """The certificates that these CAs have issued. Raises `OSError` and `ValueError`."""
    found: dict[tuple[str, str], Issued] = {}
    newest = sorted(glob.glob(os.path.join(glob.escape(directory), "*.pem")))
    for path in (*newest, *sorted(glob.glob(os.path.join(glob.escape(directory), "*", "*.pem")))):
        try:
            facts = _facts(path)
        except ValueError as error:
            raise ValueError(f"{path}: {error}.") from None
        authority = _issuer(facts, authorities)
        if authority:
            found.setdefault((authority, facts["serial"]), _issued(facts, authority, path in newest))
    return list(found.values())


def _issued(facts: dict[str, Any], authority: str, newest: bool) -> Issued:
    name = dict(facts["subject_parts"]).get("CN", "")
    return Issued(str(name), str(facts["serial"]), authority, str(facts["not_after"]), newest)


def _issuer(facts: dict[str, Any], authorities: dict[str, dict[str, Any]]) -> str:
    for path, ca in authorities.items():
        same_key = not facts["issuer_key_id"] or not ca["key_id"] or facts["issuer_key_id"] == ca["key_id"]
        if facts["issuer"] == ca["subject"] and same_key:
            return path
    return ""


def _certificates(wanted: list[str], issued: list[Issued], authorities: dict[str, dict[str, Any]], members: list[str]) -> list[Issued]:
    """What the operator named. Raises `Unresolved`."""
    found: list[Issued] = []
    for text in wanted:
        if kind_of(text) != "file":
            found += resolve(text, issued, members)
            continue
        try:
            facts = _facts(text)
        except (OSError, ValueError) as error:
            raise Unresolved(f"{text}: {getattr(error, 'strerror', None) or error}. Give the path of a certificate in PEM format.") from None
        authority = _issuer(facts, authorities)
        if not authority:
            raise Unresolved(f"{text}: no CA of this cluster has issued it (its issuer is {facts['issuer']}). No node accepts it.")
        known = [one for one in issued if (one.authority, one.serial) == (authority, facts["serial"])]
        found += known or [_issued(facts, authority, False)]
    return list({(one.authority, one.serial): one for one in found}.values())


def _is_due(path: str, renew_at: float, now: float) -> bool:
    text = read_file(os.path.join(path, CRL))
    try:
        crl = of_pem(text or b"")
    except ValueError:
        return True
    return crl.next_update is None or moment(crl.this_update) > now or due(crl.this_update, crl.next_update, renew_at, now)


def _entry(serial: str, since: str) -> dict[str, Any]:
    return {"serial_number": int(serial, 16), "revocation_date": time.strftime("%Y%m%d%H%M%SZ", time.gmtime(moment(since)))}


def _shown(one: Issued) -> dict[str, str]:
    return {"node": one.node, "serial": one.serial, "not_after": one.not_after}


if __name__ == "__main__":
    main()
