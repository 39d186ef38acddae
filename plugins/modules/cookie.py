#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a node and its cookie file a cookie. A node that runs gets it while its links stay up."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cookie
short_description: Set the cookie of nodes, without a restart
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Writes the cookie files of the nodes of a host. If a node runs, its VM gets the cookie first. No link is lost and nothing is restarted,
    because a node uses its cookie only while a link is established.
  - Connects to the node with the cookie of the file, calls C(erlang:set_cookie/1), connects again with the new cookie, and only then
    replaces the file. The next run completes an interrupted one.
  - A stopped node gets the file only, and reads it when it starts.
  - Run it on all hosts of a cluster in one task, for all nodes of each host. Until every node has the new cookie, nodes with the old and nodes
    with the new cookie cannot establish new links.
  - It runs on the host of the nodes. The result, messages and argument lists of processes contain no cookie.
options:
  nodes:
    description:
      - The nodes of this host. All are done in one call, so that the time in which they have different cookies is short.
    type: list
    elements: dict
    required: true
    suboptions:
      node:
        description:
          - Full name of the node.
        type: str
        required: true
      host:
        description:
          - Host name or IP address to connect to. The default is the host part of O(nodes[].node).
        type: str
      port:
        description:
          - Port of the node. By default the module queries EPMD.
        type: int
      unit:
        description:
          - The systemd unit of the node. The node runs if a VM runs in this unit, or if a VM was started with the name O(nodes[].node).
        type: str
      cookie_file:
        description:
          - The cookie file of the node.
        type: path
        required: true
      owner:
        description:
          - Owner of the file. It must be the user of the node.
        type: str
        required: true
      group:
        description:
          - Group of the file.
        type: str
        required: true
      live:
        description:
          - Whether to set the cookie in a running VM. With V(false) only the file is replaced, and you have to restart the node.
          - A VM that no run of this collection has started also gets the cookie, if it accepts a connection in clear text at the port that
            is registered with EPMD. So its tools, which read the file, can connect until it restarts.
        type: bool
        default: true
      retired_file:
        description:
          - Path of a file for the replaced cookie, owned by root with mode 0400. M(beam.cluster.dist_probe) can then test that it is refused.
            Remove the file afterwards.
          - By default the replaced cookie is not stored.
        type: path
      name:
        description:
          - The full node name that the module uses. It must not be the name of a node. The default is C(beam_probe@) and the name of the host.
        type: str
      tls:
        description:
          - TLS options. Without them the module uses clear text.
        type: dict
        suboptions:
          ca:
            description:
              - File with the CA certificates that must have issued the node's certificate.
              - The default are the CA certificates of the host.
            type: path
          certificate:
            description:
              - File with the certificate to send, followed by intermediate certificates.
            type: path
          key:
            description:
              - File with the private key of O(nodes[].tls.certificate), not encrypted.
            type: path
          versions:
            description:
              - TLS versions to offer, as Erlang spells them.
            type: list
            elements: str
            choices: [tlsv1, tlsv1.1, tlsv1.2, tlsv1.3]
            default: [tlsv1.3]
          verify:
            description:
              - Whether the node's certificate must be issued by O(nodes[].tls.ca) for the host part of its node name.
              - With V(false) no cookie is ever proven, so the cookie of a running node cannot be set.
            type: bool
            default: true
          server_name:
            description:
              - Name or IP address that the node's certificate must contain.
            type: str
      source:
        description:
          - IP address of this host to connect from.
        type: str
  cookie:
    description:
      - The new cookie.
    type: str
    required: true
  members:
    description:
      - Full names of the nodes of the cluster. A node can have a separate cookie for a peer, see C(erlang:set_cookie/2). For these peers it is
        replaced, too.
    type: list
    elements: str
    default: []
  epmd_port:
    description:
      - Port of EPMD, which is queried if O(nodes[].port) is not set.
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
      - In check mode the module connects with the cookie of the file to predict what a run will do. It changes nothing.
  diff_mode:
    support: none
seealso:
  - module: beam.cluster.dist_probe
"""

EXAMPLES = r"""
- name: Set the new cookie of the node
  beam.cluster.cookie:
    cookie: "{{ beam_cookie }}"
    members: [beam@n1, beam@n2]
    nodes:
      - node: beam@n1
        host: 10.0.0.11
        unit: beam.service
        cookie_file: /var/lib/beam/beam@n1/.erlang.cookie
        owner: beam
        group: beam
        tls:
          ca: /etc/beam/beam@n1/tls/ca.pem
          certificate: /etc/beam/beam@n1/tls/cert.pem
          key: /etc/beam/beam@n1/tls/key.pem
"""

RETURN = r"""
nodes:
  description: The result of each node, in the order of O(nodes).
  returned: always
  type: list
  elements: dict
  contains:
    node:
      description: The node.
      type: str
      sample: beam@n1
    state:
      description:
        - The result for the VM.
        - V(stopped), the node does not run; V(kept), the VM was not changed, see O(nodes[].live); V(current), it has the cookie already;
          V(outdated), it has the cookie of the file (in check mode only); V(switched), it got the cookie and accepted it in a second handshake.
        - V(refused), it accepts neither cookie; V(unreachable), there was no connection. Both fail the module if the file has another cookie and
          this collection started the VM. If the file already has the cookie, V(refused) means that the node needs a restart.
        - V(unproven), it got the cookie and then failed the second handshake. The file was not replaced.
      type: str
      sample: switched
    file:
      description: >-
        State of the file before the run. V(absent); V(unreadable) by a node; V(other), another cookie; V(attributes), wrong owner, group or mode;
        V(current).
      type: str
      sample: other
    code:
      description: The code of the last handshake, see C(docs/codes.md); null if there was none.
      type: str
      sample: connected
    stage:
      description: The stage that the last handshake reached; null if there was none.
      type: str
      sample: done
    sticky:
      description: Peers for which the node had a separate cookie. It was replaced for the peers in O(members).
      type: list
      elements: str
      sample: []
    outcome:
      description: The result as a sentence.
      type: str
      sample: beam@n1 runs and was given the new cookie; /var/lib/beam/beam@n1/.erlang.cookie was replaced.
"""

import contextlib
import grp
import os
import pwd
import stat
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host import proc
from ansible_collections.beam.cluster.plugins.module_utils._model.secret_rules import in_file
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import OptionError, check_range, cookie_bytes, make_peer, tls_spec
from ansible_collections.beam.cluster.plugins.module_utils._net.cookie_rotation import Rotation, rotate
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import EPMD_PORT

MODE = 0o400


def read_file(path: str) -> bytes | None:
    """The bytes of the file, None where there is none. Raises `OSError`."""
    try:
        with open(path, "rb") as file:
            return file.read(4096)
    except FileNotFoundError:
        return None


def state_of_file(path: str, data: bytes | None, cookie: bytes, owner: tuple[int, int]) -> str:
    """What the file is compared with what it is to be: one of the values of `file`."""
    if data is None:
        return "absent"
    there = in_file(data)
    if there != cookie:
        return "unreadable" if there is None else "other"
    about = os.lstat(path)
    regular = stat.S_ISREG(about.st_mode) and stat.S_IMODE(about.st_mode) == MODE
    return "current" if regular and (about.st_uid, about.st_gid) == owner else "attributes"


def replace_file(path: str, cookie: bytes, owner: tuple[int, int]) -> None:
    """Put a new file in the place of the old one: whole or not at all, also where power fails. Raises `OSError`."""
    directory = os.path.dirname(path)
    # One name, so that the file of a run that was killed here does not stay.
    temporary = path + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), MODE)
            file.write(cookie + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def owner_of(params: dict[str, Any]) -> tuple[int, int]:
    """Numbers of user and group. Raises `KeyError` where there is no such one."""
    return pwd.getpwnam(params["owner"]).pw_uid, grp.getgrnam(params["group"]).gr_gid


def in_words(node: str, path: str, vm: str, file: str, change: bool) -> str:
    """One sentence about the VM and one about the file."""
    machine = {
        "switched": "runs and was given the new cookie", "current": "runs and has the cookie already",
        "outdated": "runs and will be given the new cookie", "stopped": "does not run", "kept": "runs and keeps its cookie until it is restarted",
        "refused": "runs and does not accept the cookie of its file: it needs a restart", "unreachable": "runs and could not be asked for its cookie",
    }[vm]
    if file == "current":
        return f"{node} {machine}; {path} holds it already."
    return f"{node} {machine}; {path} {'was' if change else 'will be'} {'written' if file == 'absent' else 'replaced'}."


def main() -> None:
    """Ask each VM, give it the cookie, then replace its file."""
    node = {
        "node": {"type": "str", "required": True},
        "host": {"type": "str"},
        "port": {"type": "int"},
        "unit": {"type": "str"},
        "cookie_file": {"type": "path", "required": True},
        "owner": {"type": "str", "required": True},
        "group": {"type": "str", "required": True},
        "live": {"type": "bool", "default": True},
        "retired_file": {"type": "path"},
        "name": {"type": "str"},
        "tls": {"type": "dict", "options": tls_spec(defaults=True)},
        "source": {"type": "str"},
    }
    module = AnsibleModule(
        argument_spec={
            "nodes": {"type": "list", "elements": "dict", "required": True, "options": node},
            "cookie": {"type": "str", "required": True, "no_log": True},
            "members": {"type": "list", "elements": "str", "default": []},
            "epmd_port": {"type": "int", "default": EPMD_PORT},
            "timeout": {"type": "float", "default": 10.0},
        },
        supports_check_mode=True,
    )
    answers: list[dict[str, Any]] = []
    failures: list[str] = []
    for each in module.params["nodes"]:
        try:
            answer = settle({**module.params, **each}, change=not module.check_mode)
        except OptionError as error:
            failures.append(str(error))
        except OSError as error:
            failures.append(f"{each['node']}: {error.filename or each['cookie_file']}: {error.strerror}. The file was not replaced.")
        else:
            failures += [answer.pop("msg")] if "msg" in answer else []
            answers.append(answer)
    result = {"changed": any(answer["changed"] for answer in answers), "nodes": answers}
    if failures:
        module.fail_json(msg=" ".join(failures), **result)
    module.exit_json(**result)


def settle(params: dict[str, Any], *, change: bool) -> dict[str, Any]:
    """Do it for one node, or with `change` false find out what is to be done; what the module returns for it, with `msg` where it fails.

    Raises `OptionError` and `OSError`.
    """
    check_range(params)
    node, path = params["node"], params["cookie_file"]
    cookie = cookie_bytes(params["cookie"], "cookie")
    peer = make_peer(params, params, None)
    try:
        owner = owner_of(params)
    except KeyError as error:
        # Check mode on a bare host has made no user.
        if change:
            raise OptionError(f"owner, group: {error.args[0]}. Run the role product first.") from None
        owner = (-1, -1)
    data = read_file(path)
    file = state_of_file(path, data, cookie, owner)
    old = in_file(data) if data is not None else None

    machines = proc.machines_of(node, params["unit"])
    keep = params["retired_file"]
    if change and keep:
        # One that is used again is not retired.
        if old not in (None, cookie):
            replace_file(keep, old or b"", (0, 0))
        elif in_file(read_file(keep) or b"") == cookie:
            os.unlink(keep)
    # A node of somebody else's is restarted by whoever hardens it.
    foreign = bool(machines) and not any(one.digest for one in machines)
    vm = Rotation("kept" if machines else "stopped", "", "", "")
    if machines and (params["live"] or foreign):
        if not params["live"]:
            peer = make_peer(params, {**params, "tls": None, "port": None, "plaintext": True}, None)
        vm = rotate(peer, old, cookie, params["members"], timeout=params["timeout"], change=change)
        if not params["live"] and vm.state in ("unreachable", "refused"):
            vm = Rotation("kept", "", "", "")
    answer: dict[str, Any] = {
        "node": node, "changed": file != "current" or vm.state in ("outdated", "switched"),
        "state": vm.state, "file": file, "code": vm.code or None, "stage": vm.stage or None, "sticky": list(vm.sticky),
    }
    if vm.state == "unproven" or (vm.state in ("refused", "unreachable") and file in ("other", "unreadable") and not foreign):
        answer.update(changed=vm.state == "unproven", outcome="", msg=failure(node, path, params["unit"], vm))
        return answer
    if change and file != "current":
        replace_file(path, cookie, owner)
    answer["outcome"] = in_words(node, path, vm.state, file, change)
    return answer


def failure(node: str, path: str, unit: str | None, vm: Rotation) -> str:
    """Why a node that runs could not be given the cookie, and what to do."""
    stop = f"systemctl stop {unit}" if unit else "stop the node"
    if vm.state == "unproven":
        return (
            f"{node}: the node was given the new cookie, and then a handshake with it failed: {vm.code} at stage {vm.stage}. {vm.message}. "
            f"{path} was not replaced. Run this again."
        )
    if vm.state == "refused":
        return (
            f"{node}: the node accepts neither the cookie in {path} nor the new one. Nothing was changed. Write the cookie that the node was "
            f"started with into {path} and run this again, or stop the node ({stop}) and run beam.cluster.site, which starts it with the new cookie."
        )
    return (
        f"{node}: the node runs, and cannot be given the new cookie, because no handshake reached its cookie: {vm.code} at stage {vm.stage}. "
        f"{vm.message}. {path} was not replaced. Run beam.cluster.verify to find out what keeps members from connecting to it, or stop the node "
        f"({stop}) and run beam.cluster.site."
    )


if __name__ == "__main__":
    main()
