# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a host already, or lies there, and would stop a role in its turn: units, drop-ins, accounts, EPMD.

Private to this collection. A fact that is unknown breaks no rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .._model.installed import DROP_IN
from .._model.observation import Observation, Unit
from .._model.problems import Problems, join_names
from .._model.release_commands import STARTING
from .._wire.constants import EPMD_PORT
from .cluster import Node
from .consistency import refuse_product_port

_EPMD_UNITS = ("epmd.socket", "epmd.service")
_EPMD_OF_ADDRESS = re.compile(r"(epmd@.+)\.(?:socket|service)")
"""Units of the package for one address, such as epmd@0.0.0.0.socket, which packages of other makers want."""
_STARTERS = frozenset((
    "circusd.service", "containerd.service", "docker.service", "god.service", "monit.service", "pacemaker.service", "podman.service", "runit.service",
    "runsvdir.service", "runsvdir-start.service", "s6.service", "supervisor.service", "supervisord.service",
))  # fmt: skip
"""Units that start other programs, too: a drop-in of ours would be for all of them."""
_LEAVES_BEHIND = (
    "actions.runner.", "amazon-ssm-agent", "atd.", "buildkite-agent", "chef-client", "cloud-final", "cron", "dropbear", "getty@", "gitlab-runner",
    "jenkins", "puppet", "rc-local", "salt-minion", "serial-getty@", "snap.amazon-ssm-agent", "ssh.", "ssh@", "sshd.", "sshd@", "user@",
)  # fmt: skip
"""Units of logins, of jobs and of agents: a node in one of them was started by hand or by a script, and to disable it may lock the operator out."""
_FOR_MANY = ("/service.d", "/socket.d")
"""Directories of drop-ins for all units of a kind."""
_IN_LXC = {"zzz-lxc-service.conf": ". An unprivileged container of LXC then needs security.nesting=true"}


def check_drop_ins(node: Node, seen: Observation, problems: Problems) -> None:
    """The last drop-in by name wins."""
    unit = node.runtime.unit
    _refuse_later(node.host, "beam_service_directives", unit, _drop_ins(node, seen), ", or move its directives to beam_service_directives", problems)


def check_epmd_drop_ins(host: str, seen: Observation, problems: Problems) -> None:
    for name in _EPMD_UNITS:
        unit = (seen.units or {}).get(name)
        _refuse_later(host, "", name, (unit.drop_ins if unit else None) or (), "", problems)


def _refuse_later(host: str, variable: str, unit: str, paths: Iterable[str], otherwise: str, problems: Problems) -> None:
    """One that is for all services (as LXC makes it at each boot) is not renamed: a file of its name beside the unit's own takes its place."""
    own = f"/etc/systemd/system/{unit}.d"
    for path in paths:
        directory, _slash, name = path.rpartition("/")
        if name > DROP_IN:
            mended = f"rename it so that it sorts earlier{otherwise}"
            if directory.endswith(_FOR_MANY) or directory.startswith("/run/"):
                mended = f"switch it off for this unit: mkdir -p {own} && ln -s /dev/null {own}/{name} && systemctl daemon-reload"
                mended += _IN_LXC.get(name, "")
            problems.add(host, variable, "drop_in_later", f"{path} sorts after {DROP_IN} and overrides it for {unit}.", f"{mended}.")


def check_unit_names(node: Node, seen: Observation, problems: Problems) -> None:
    """A unit that cannot start, or has another name: the guard looks for its processes in the control group of its name."""
    unit, name = (seen.units or {}).get(node.runtime.unit), node.runtime.unit
    if unit is None:
        return
    if unit.load == "masked":
        _refuse_masked(node.host, name, problems)
    elif unit.load == "loaded" and unit.id not in (None, "", name):
        problems.add(node.host, "beam_nodes", "unit_alias", f"{name} is another name of {unit.id}.", f"set `unit: {unit.id}` in beam_nodes.")
    programs = node.runtime.data.programs
    if unit.program and unit.program not in programs and unit.program.rpartition("/")[2] in {path.rpartition("/")[2] for path in programs}:
        problems.add(
            node.host,
            "beam_product",
            "unit_program",
            f"{name} starts {unit.program}; the role product installs and configures the distribution's package, which starts {programs[0]}.",
            "move to the distribution's package and its unit, or remove the host from the group.",
        )


def check_epmd_masked(host: str, seen: Observation, problems: Problems) -> None:
    for name in _EPMD_UNITS:
        unit = (seen.units or {}).get(name)
        if unit is not None and unit.load == "masked":
            _refuse_masked(host, name, problems)


def _refuse_masked(host: str, name: str, problems: Problems) -> None:
    problems.add(host, "", "unit_masked", f"{name} is masked and cannot start.", f"find out why, and run systemctl unmask {name}.")


def check_elsewhere(node: Node, uses_epmd: bool, seen: Observation, problems: Problems) -> None:
    """The node, or another one with its name for EPMD, runs already, and not in its unit: the name and the data are in use when the unit starts."""
    name, own = node.node.name, node.runtime.unit
    units = set()
    for process in seen.processes or ():
        running = process.flags.name if process.is_vm and process.flags.listens else None
        if running in (name, str(node.node)) or (uses_epmd and (running or "").partition("@")[0] == name):
            units.add(process.unit)
    port = (seen.epmd_names or {}).get(name) if uses_epmd else None
    units.update(entry.unit for entry in seen.listeners or () if entry.port == port and entry.process == "beam.smp")
    for unit in sorted(unit for unit in units if unit and unit != own):
        if unit in _STARTERS:
            fix = f"remove it from the configuration of {unit}, which starts other programs, too; {own} will start the node."
        elif unit.endswith(".service") and not unit.startswith(_LEAVES_BEHIND):
            fix = f"set `unit: {unit}` in beam_nodes, or stop it for good: systemctl disable --now {unit}."
        else:
            fix = f"stop it, and look in cron and start scripts for what starts it; {own} will start the node."
        problems.add(
            node.host,
            "beam_nodes",
            "node_elsewhere",
            f"a node {name} runs already in {unit}, not in {own}; {node.node} could not start beside it.",
            fix,
        )


def check_starts(host: str, nodes: Sequence[Node], seen: Observation, problems: Problems) -> None:
    """Jobs and units of others that start the release of a node, by its own script: such a node is open. A unit of another node of the plan may."""
    units = {node.runtime.unit for node in nodes}
    for node in nodes:
        for one in seen.settings or ():
            if (one.unit, one.kind) != (node.runtime.unit, "tool") or one.name not in STARTING or units.intersection(one.path.split("/")):
                continue
            problems.add(
                host,
                "",
                "node_elsewhere",
                f"{one.place} starts the release of {one.unit} ({one.name}), outside of this unit: without the flags of the node, that is without "
                "TLS and open to every network.",
                f"remove it there; {one.unit} starts the node, also at boot.",
            )


def check_epmd_unit(host: str, seen: Observation, problems: Problems) -> None:
    """A unit of the operator's own that starts EPMD without the sockets of epmd.socket, which the role epmd binds: nodes would not find it."""
    unit = (seen.units or {}).get("epmd.service")
    if unit is not None and unit.load == "loaded" and unit.takes_sockets is False and not unit.ours:
        files = [path for path in (unit.fragment or "", *(unit.drop_ins or ())) if path.startswith("/etc/")]
        named = join_names(files) or unit.fragment
        problems.add(
            host,
            "",
            "epmd_foreign",
            f"epmd.service starts EPMD without -systemd ({named}): it would not take the sockets of epmd.socket, which the role epmd binds.",
            f"run rm {' '.join(files)} && systemctl daemon-reload, or add -systemd to ExecStart= there."
            if files
            else "add -systemd to ExecStart=.",
        )


def check_home(node: Node, seen: Observation, problems: Problems) -> None:
    """A product whose node and tools take their cookie from the home in passwd(5)."""
    account = (seen.accounts or {}).get(node.runtime.user)
    if account is not None and node.runtime.data.home_of_account and account.home.rstrip("/") != node.runtime.home:
        problems.add(
            node.host,
            "",
            "account_home",
            f"the account {account.name} has the home {account.home or '(none)'}; {node.runtime.product} would take another cookie file than "
            f"{node.runtime.home}/.erlang.cookie.",
            f"stop {node.runtime.unit}, and run usermod --home {node.runtime.home} {account.name}.",
        )


def check_block_files(node: Node, seen: Observation, problems: Problems) -> None:
    """An operator's file that gets a block of ours keeps its owner and mode, and the node must be able to read it."""
    for path in node.runtime.data.blocks:
        file = (seen.files or {}).get(path)
        user, group = node.runtime.user, node.runtime.group
        if file is None or file.kind == "link":
            continue
        if file.kind == "directory":
            problems.add(node.host, "", "file_unreadable", f"{path} is a directory, and {node.runtime.product} expects a file.", "move it away.")
        elif not (file.mode & 0o004 or (file.owner == user and file.mode & 0o400) or (file.group == group and file.mode & 0o040)):
            problems.add(
                node.host,
                "",
                "file_unreadable",
                f"{path} ({file.owner}:{file.group}, mode {file.mode:04o}) cannot be read by {user}, so that {node.runtime.unit} ignores it.",
                f"run chgrp {group} {path} && chmod 0640 {path}.",
            )


def check_client_ports(node: Node, seen: Observation, problems: Problems) -> None:
    """Ports on which the product listens for its clients today."""
    found = ((seen.system.client_ports if seen.system else None) or {}).get(node.runtime.product)
    for entry in found.ports if found else ():
        if node.port_range.first <= entry.port <= node.port_range.last:
            refuse_product_port(node, f"port {entry.port}", entry.protocol or "its clients", problems)


def check_unit(node: Node, seen: Observation, problems: Problems) -> None:
    """A unit that the product makes must not be somebody else's; a release's must be there, with its user and its command."""
    if seen.units is None:
        return
    unit, name = (seen.units or {}).get(node.runtime.unit), node.runtime.unit
    if unit is not None and unit.load == "masked":
        return
    there = unit is not None and unit.load not in ("", "not-found")
    if node.runtime.data.kind == "erlang":
        if there and unit is not None and unit.ours is False:
            problems.add(
                node.host,
                "beam_node_name",
                "unit_taken",
                f"the unit {name} exists and was not installed by beam.cluster ({unit.fragment or unit.load}).",
                "choose another beam_node_name, or set beam_product to the product that runs there.",
            )
    elif node.runtime.data.kind in ("release", "couchdb") and unit is not None:
        _check_release(node, unit, there, seen, problems)


def _check_release(node: Node, unit: Unit, there: bool, seen: Observation, problems: Problems) -> None:
    name = node.runtime.unit
    if not there:
        problems.add(
            node.host,
            "beam_node_name",
            "unit_missing",
            f"there is no unit {name}.",
            "deploy the release and its unit first. The unit has the name of the node before its @, or the name in `unit` of beam_nodes.",
        )
        return
    if unit.user is not None and unit.user != node.runtime.user:
        problems.add(
            node.host,
            "beam_nodes",
            "unit_user",
            f"{name} runs as {unit.user or 'root'}, not as {node.runtime.user}, the owner of the cookie and the key.",
            f"set User={node.runtime.user} in the unit, or `user` in beam_nodes.",
        )
    elif unit.user is not None and seen.accounts is not None and unit.user not in seen.accounts:
        problems.add(
            node.host,
            "beam_nodes",
            "account_missing",
            f"{name} runs as {unit.user}, and there is no such account to own the cookie and the key.",
            f"create it (useradd --system {unit.user}), or correct User= in the unit.",
        )
    if unit.lacks:
        problems.add(
            node.host,
            "beam_product",
            "otp_without_tls",
            f"the release in {unit.release}, which {name} starts with a runtime of its own, has no application {join_names(unit.lacks)}, and cannot "
            "do TLS.",
            "add :ssl to extra_applications (mix release), or ssl to the release in rebar.config (the others come with it), and deploy it.",
        )
    if unit.release == "":
        problems.add(
            node.host,
            "",
            "unit_command",
            f"{name} does not start a release in the foreground.",
            "set ExecStart=/path/to/release/bin/NAME start (mix release), foreground (rebar3), or /path/to/release/bin/server (Phoenix), with "
            "nothing before it.",
        )


def check_accounts(node: Node, seen: Observation, problems: Problems) -> None:
    """An account that the role would take over. One that looks as the role makes it is ours, or nobody loses anything."""
    for user, home in node.runtime.data.users.items():
        account = (seen.accounts or {}).get(user)
        if account is None or (account.home == home and not account.login):
            continue
        problems.add(
            node.host,
            "beam_nodes",
            "account_taken",
            f"the account {user} exists (uid {account.uid}, home {account.home}{', with a login shell' if account.login else ''}); the node would "
            "take it over.",
            "set `user` in beam_nodes to a name that no account has.",
        )


def check_epmd(host: str, seen: Observation, problems: Problems) -> None:
    """An EPMD outside of systemd's units keeps its port, and knows the names of the running nodes."""
    for entry in seen.listeners or ():
        if entry.port != EPMD_PORT or entry.unit in _EPMD_UNITS or entry.process is None:
            continue
        of_address = _EPMD_OF_ADDRESS.fullmatch(entry.unit or "")
        if of_address:
            name = of_address.group(1)
            problems.add(
                host,
                "",
                "epmd_foreign",
                f"{entry.unit} holds {entry.address} port {EPMD_PORT}, and epmd.socket, which the role epmd binds, cannot start beside it.",
                f"run systemctl mask --now {name}.socket {name}.service, and run again soon: running nodes register with the new EPMD by themselves.",
            )
        else:
            problems.add(
                host,
                "",
                "epmd_foreign",
                f"{entry.process} (pid {entry.pid}, user {entry.user}, unit {entry.unit or 'none'}) listens on {entry.address} port {EPMD_PORT}, "
                "outside of epmd.socket and epmd.service. A node that was started by hand, or by a unit without epmd.socket, leaves it behind.",
                f"stop the nodes that it serves, stop it (kill {entry.pid}), run again, and start the nodes.",
            )


def _drop_ins(node: Node, seen: Observation) -> tuple[str, ...]:
    unit = (seen.units or {}).get(node.runtime.unit)
    return (unit.drop_ins if unit else None) or ()
