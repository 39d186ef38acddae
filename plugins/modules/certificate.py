#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a node key, certificate and CA certificates. A node that runs uses them at once, while its links stay up."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate
short_description: Install the certificate of a node, without a restart
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Checks key, certificate and CA certificates on the host of the node, then replaces all three files at once. If the node runs, the module makes it
    read them, and a handshake proves that it shows the new certificate. No link is lost and nothing is restarted.
  - Refuses files with which the node could not connect. They are truncated or damaged, the key belongs to another certificate, the certificate is
    expired, lacks a name or a purpose, or is not issued by one of the CA certificates. Then it changes nothing.
  - If the node does not accept the new files, the old ones are put back.
  - If the files are current and a running node shows another certificate, the module makes it read its files.
  - A node that cannot be reached before the change, for example because its certificate has expired, reads its files within two minutes. The module
    waits for this.
  - It runs on the host of the node. The key does not leave it.
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
      - The systemd unit of the node. The node runs if a VM runs in this unit, or if a VM was started with the name O(node).
    type: str
  certificate:
    description:
      - The certificate in PEM format, followed by intermediate certificates.
    type: str
    required: true
  ca:
    description:
      - The CA certificates that the node trusts, in PEM format.
    type: str
    required: true
  key_file:
    description:
      - File on the host with the private key of O(certificate), not encrypted. The default is O(tls.key).
    type: path
  names:
    description:
      - Subject alternative names that the certificate must have, with their type, for example V(DNS:n1).
    type: list
    elements: str
    default: []
  owner:
    description:
      - Owner of the key. It must be the user of the node.
    type: str
    required: true
  group:
    description:
      - Group of the key.
    type: str
    required: true
  live:
    description:
      - Whether to make a running node use the files. With V(false) only the files are replaced.
    type: bool
    default: true
  cookie_file:
    description:
      - The cookie file of the node.
    type: path
  name:
    description:
      - The full node name that the module uses. It must not be the name of a node. The default is C(beam_probe@) and the name of the host.
    type: str
  tls:
    description:
      - The files of the node. They must be in one directory, which must contain no other files.
    type: dict
    required: true
    suboptions:
      ca:
        description: File for O(ca).
        type: path
        required: true
      certificate:
        description: File for O(certificate).
        type: path
        required: true
      key:
        description: File for the private key.
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
      - Seconds for each handshake.
    type: float
    default: 10.0
extends_documentation_fragment:
  - beam.cluster.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the module checks the files and connects to the node to predict what a run will do. It changes nothing.
  diff_mode:
    support: none
seealso:
  - module: beam.cluster.credentials_info
"""

EXAMPLES = r"""
- name: Install the new certificate of the node
  beam.cluster.certificate:
    node: beam@n1
    host: 10.0.0.11
    unit: beam.service
    certificate: "{{ signed.certificate }}"
    ca: "{{ lookup('ansible.builtin.file', 'pki/beam/root/certificate.pem') }}"
    names: [DNS:n1]
    owner: beam
    group: beam
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
state:
  description:
    - The result.
    - V(current), nothing to do; V(stopped), the node does not run, and the files were replaced; V(kept), a running node did not read the files, see
      O(live), or it was not started by this collection; V(outdated), a run will replace the files or make the node read them (in check mode only);
      V(served), the node shows the certificate; V(unreached), the files were replaced, and before that no handshake reached the node's certificate.
    - V(refused), the files were not accepted by the check, and nothing was changed; V(put_back), the node did not accept them, and has the old ones
      again; V(unproven), the files were replaced and the node does not show them. These three fail the module.
  returned: always
  type: str
  sample: served
files:
  description: Which files were or will be replaced, V(key), V(certificate), V(ca).
  returned: always
  type: list
  elements: str
  sample: [certificate]
sha256:
  description: Fingerprint of the certificate, SHA-256.
  returned: when the certificate can be read
  type: str
  sample: 1f0c…
showed:
  description: Fingerprint of the certificate that the node showed before; null if it did not run or showed none.
  returned: always
  type: str
  sample: 88ab…
seconds:
  description: From the replacement of the files to the handshake that showed the new certificate; null if there was none.
  returned: always
  type: float
  sample: 0.04
problems:
  description: Why the files were refused.
  returned: always
  type: list
  elements: str
  sample: []
code:
  description: The code of the failed handshake, see C(docs/codes.md).
  returned: when the node was not reached
  type: str
  sample: filtered
outcome:
  description: The result as a sentence.
  returned: always
  type: str
  sample: beam@n1 shows its new certificate since 0.04 s after the files were replaced.
"""

import contextlib
import grp
import os
import pwd
import tempfile
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host import proc
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_files import Place, mend, put, read_file
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_reload import look, renew
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_rules import Files, fingerprint, problems, split_pem
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import OptionError, check_range, make_peer, read_cookie, tls_spec
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import EPMD_PORT


def argument_spec() -> dict[str, Any]:
    """The options of the module."""
    tls = {name: dict(spec, required=True) if name != "versions" else spec for name, spec in tls_spec(defaults=True).items()
           if name in ("ca", "certificate", "key", "versions")}
    return {
        "node": {"type": "str", "required": True},
        "host": {"type": "str"},
        "port": {"type": "int"},
        "unit": {"type": "str"},
        "certificate": {"type": "str", "required": True},
        "ca": {"type": "str", "required": True},
        "key_file": {"type": "path", "no_log": False},
        "names": {"type": "list", "elements": "str", "default": []},
        "owner": {"type": "str", "required": True},
        "group": {"type": "str", "required": True},
        "live": {"type": "bool", "default": True},
        "cookie_file": {"type": "path"},
        "name": {"type": "str"},
        "tls": {"type": "dict", "required": True, "options": tls},
        "source": {"type": "str"},
        "epmd_port": {"type": "int", "default": EPMD_PORT},
        "timeout": {"type": "float", "default": 10.0},
    }


def main() -> None:
    """Check the files, replace them, have the node read them."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        answer = settle(module.params, change=not module.check_mode)
    except OptionError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{module.params['node']}: {error.filename or 'a file'}: {error.strerror}. The files of the node were not replaced.")
    if answer.get("msg"):
        module.fail_json(**answer)
    module.exit_json(**answer)


def settle(params: dict[str, Any], *, change: bool) -> dict[str, Any]:
    """Do it, or with `change` false find out what is to be done; what the module returns, with `msg` where it fails.

    Raises `OptionError` and `OSError`.
    """
    check_range(params)
    place = _place(params, change)
    wanted: dict[str, bytes | None] = {
        "key": read_file(params["key_file"] or params["tls"]["key"]), "certificate": params["certificate"].encode(), "ca": params["ca"].encode(),
    }
    there = place.read()
    different = [what for what, content in wanted.items() if content != there[what]]
    answer: dict[str, Any] = {
        "node": params["node"], "changed": False, "state": "current", "files": different, "showed": None, "seconds": None,
        "problems": check(params, wanted),
    }
    if answer["problems"]:
        answer.update(state="refused", msg=refusal(params["node"], answer["problems"]))
        return answer
    answer["sha256"] = fingerprint(split_pem(wanted["certificate"] or b"")[0])
    wrong = place.wrong_attributes()
    if change and wrong and not different:
        mend(place, wrong)
    answer["changed"] = bool(wrong) and not different
    machines = proc.machines_of(params["node"], params["unit"])
    kept = not params["live"] or not params["cookie_file"] or not any(one.digest for one in machines)
    if not machines or kept:
        if change and different:
            put(place, wanted)
        answer["changed"] = answer["changed"] or bool(different)
        answer["state"] = ("kept" if machines else "stopped") if different else "current"
    else:
        _live(params, place, wanted, there, answer, change=change)
    leftover = f"{params['tls']['key']}.new"
    if change and (params["key_file"] or leftover) == leftover:
        # The key of this run, or of one that was killed.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(leftover)
    answer["outcome"] = answer.get("msg") or in_words(answer, change)
    return answer


def _place(params: dict[str, Any], change: bool) -> Place:
    paths = {what: params["tls"][what] for what in ("ca", "certificate", "key")}
    directories = {os.path.dirname(path) for path in paths.values()}
    if len(directories) != 1 or "" in directories or len(set(paths.values())) != 3:
        raise OptionError("tls: ca, certificate and key must be three files in one directory. Give three absolute paths.")
    try:
        owner = (pwd.getpwnam(params["owner"]).pw_uid, grp.getgrnam(params["group"]).gr_gid)
    except KeyError as error:
        # Check mode on a bare host has made no user.
        if change:
            raise OptionError(f"owner, group: {error.args[0]}. Run the role product first.") from None
        owner = (-1, -1)
    return Place(directories.pop(), {what: os.path.basename(path) for what, path in paths.items()}, owner)


def check(params: dict[str, Any], wanted: dict[str, bytes | None]) -> list[str]:
    """Why the node could not work with the files; empty if it could."""
    key = params["key_file"] or params["tls"]["key"]
    with tempfile.TemporaryDirectory(prefix="beam-certificate-") as directory:
        paths = {}
        for what in ("ca", "certificate"):
            paths[what] = os.path.join(directory, what)
            with open(paths[what], "wb") as file:
                file.write(wanted[what] or b"")
        return problems(Files(key=key, **paths), params["names"], time.time())


def _peer(params: dict[str, Any], files: Files) -> Peer:
    tls = {"ca": files.ca, "certificate": files.certificate, "key": files.key, "versions": params["tls"]["versions"]}
    cookie = None
    # A node without a cookie file accepts nobody's cookie, and shows its certificate all the same.
    with contextlib.suppress(OptionError):
        cookie = read_cookie({"cookie": None, "cookie_file": params["cookie_file"]})
    return make_peer({**params, "tls": tls}, {**params, "tls": None}, cookie)


def _live(
    params: dict[str, Any], place: Place, wanted: dict[str, bytes | None], there: dict[str, bytes | None], answer: dict[str, Any], *, change: bool,
) -> None:
    """A node that runs: find out what it shows, and change that. Fills in the answer."""
    peer = _peer(params, place.files())
    before = look(peer, params["timeout"])
    answer["showed"] = before.sha256
    if not answer["files"] and before.sha256 in (answer["sha256"], None):
        # Where no handshake came so far, it is not the certificate that keeps peers from connecting.
        return
    answer["changed"] = True
    if not change:
        answer["state"] = "outdated"
        return
    if before.sha256 is None:
        put(place, wanted)
        answer.update(state="unreached", code=before.code)
        return

    def replace_files() -> None:
        if answer["files"]:
            put(place, wanted)

    done = renew(peer, answer["sha256"], replace_files, timeout=params["timeout"])
    if done.last.sha256 == answer["sha256"] and done.last.accepted:
        answer.update(state="served", seconds=done.seconds)
        return
    if done.last.sha256 == answer["sha256"] and answer["files"] and None not in there.values():
        renew(peer, before.sha256, lambda: put(place, there), timeout=params["timeout"])
        answer.update(state="put_back", changed=False, msg=(
            f"{params['node']}: the node does not accept the new files: {done.last.code} at stage {done.last.stage}. {done.last.message}. "
            "The old files are back in place, and the node uses them within two minutes. Check the CA certificates of the node and the clocks."
        ))
        return
    answer.update(state="unproven", msg=(
        f"{params['node']}: the files were replaced, and the node does not show the new certificate after {done.seconds} s: {done.last.code} at "
        f"stage {done.last.stage}. {done.problem or done.last.message}. The files are valid. Run this again, or restart the node."
    ))


def refusal(node: str, found: list[str]) -> str:
    """Why the files were refused."""
    return f"{node}: the new files were refused, and the old ones are still in place. {'; '.join(found)}. Issue the certificate again."


def in_words(answer: dict[str, Any], change: bool) -> str:
    """The result as a sentence."""
    node, files = answer["node"], ", ".join(answer["files"])
    replaced = f"{'replaced' if change else 'to be replaced'}: {files}"
    return {
        "current": f"{node} has the certificate, and shows it if it runs",
        "stopped": f"{node} does not run; {replaced}",
        "kept": f"{node} runs and uses the files when it restarts; {replaced}",
        "unreached": f"{node} runs and could not be reached ({answer.get('code')}), and uses the files within two minutes; {replaced}",
        "outdated": f"{node} runs and will show the certificate without a restart; {replaced if files else 'it will read its files again'}",
        "served": f"{node} runs and shows the certificate after {answer['seconds']} s; {replaced if files else 'it has read its files again'}",
    }[answer["state"]] + "."


if __name__ == "__main__":
    main()
