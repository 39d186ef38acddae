# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a host already and would stop a role in its turn, or break the operator's service: refused here, with file and line.

Private to this collection. Input: the nodes of one host and its observation. A fact that is unknown breaks no rule.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from .._model.installed import DROP_IN
from .._model.observation import Observation, Unit
from .._model.problems import Problems, join_names
from .._model.reserved_flags import FLAGS
from .._wire.constants import EPMD_PORT
from .cluster import Inventory, Node
from .cluster_variables import boolean
from .variable_names import MISSING

X509_NAME = 64
"""ub-common-name of RFC 5280."""
DNS_NAME, DNS_LABEL = 253, 63
"""RFC 1035, in characters without the final dot."""
LONGEST_ATOM = 255
_OF_PACKAGES = ("/usr/lib/systemd/", "/lib/systemd/")
KEPT = {"CAP_NET_BIND_SERVICE"}
"""Capabilities that a unit keeps if it has them: to listen on a port below 1024 gives no access to anything else."""
_FILES = ("_FILE", "LOGS", "_PATH", "accesslog", ".file")
"""Ends of the names of settings that are files: their directory is meant."""
_EPMD_UNITS = ("epmd.socket", "epmd.service")
_SHARED = ("/tmp", "/var/tmp", "/dev", "/proc", "/run/systemd")
_HIDDEN = ("/home/", "/root/", "/run/user/")
"""What ProtectHome=yes hides."""
_EXTRA = "add its flags to beam_distribution_extra_args"


def check_privilege(host: str, seen: Observation, required: bool, problems: Problems) -> None:
    """`required`: the run changes the host."""
    if required and seen.privileged is False:
        problems.add(host, "become", "privilege_missing", "the tasks do not run as root.", "run with --become, or connect as root.")


def check_names(node: Node, issued: bool, problems: Problems) -> None:
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


def check_settings(node: Node, seen: Observation, problems: Problems) -> None:
    """Flags, variables and names in the operator's files that would replace ours, or be replaced by ours."""
    unit = node.runtime.unit
    names = node.runtime.data.node_name_settings
    for setting in seen.settings or ():
        if setting.unit != unit:
            continue
        where = f"{setting.place} sets {setting.name} for {unit}"
        if setting.kind == "flag":
            reason = FLAGS.get(setting.name, "only the role distribution may set it")
            problems.add(node.host, setting.name, "flag_reserved", f"{where}: {reason}.", "remove it there.")
        elif setting.kind == "variable" and setting.name in names:
            if setting.value != str(node.node) and setting.value != node.node.name:
                problems.add(
                    node.host,
                    "beam_node_name",
                    "node_name_differs",
                    f"{setting.place} sets {setting.name} to {setting.value}, but the node is planned as {node.node}.",
                    f"remove it there, or set beam_node_name to {setting.value}.",
                )
        elif setting.kind == "variable" and setting.value is None:
            problems.add(
                node.host, setting.name, "flags_elsewhere", f"{where}; only the role distribution may set it.", f"remove it there, and {_EXTRA}."
            )


def check_drop_ins(node: Node, seen: Observation, problems: Problems) -> None:
    """The last drop-in by name wins."""
    unit = _unit(node, seen)
    for path in (unit.drop_ins if unit else None) or ():
        if path.rpartition("/")[2] > DROP_IN:
            problems.add(
                node.host,
                "beam_service_directives",
                "drop_in_later",
                f"{path} sorts after {DROP_IN} and overrides it for {node.runtime.unit}.",
                "rename it so that it sorts earlier, or move its directives to beam_service_directives.",
            )


def check_unit(node: Node, seen: Observation, problems: Problems) -> None:
    """A unit that the product makes must not be somebody else's; a release's must be there, with its user and its command."""
    if seen.units is None:
        return
    unit, name = _unit(node, seen), node.runtime.unit
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
        _check_release(node, unit, there, problems)


def _check_release(node: Node, unit: Unit, there: bool, problems: Problems) -> None:
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
        if entry.port == EPMD_PORT and entry.unit not in _EPMD_UNITS and entry.process is not None:
            problems.add(
                host,
                "",
                "epmd_foreign",
                f"{entry.process} (pid {entry.pid}, user {entry.user}, unit {entry.unit or 'none'}) listens on {entry.address} port {EPMD_PORT}, "
                "outside of epmd.socket and epmd.service. A node that was started by hand, or by a unit without epmd.socket, leaves it behind.",
                f"stop the nodes that it serves, stop it (kill {entry.pid}), run again, and start the nodes.",
            )


def check_otp(inventory: Inventory, host: str, seen: Observation, problems: Problems) -> None:
    """An OTP that the role otp does not install must be there, and able to do TLS."""
    otp, root = seen.installed_otp, inventory.value("beam_otp_root", host)
    given = isinstance(root, str) and root != ""
    if not given and inventory.value("beam_otp_install", host) != "never":
        return
    where = f"beam_otp_root ({root})" if given else "the search path (beam_otp_install: never)"
    fix = "install OTP there, or remove the variable to install the distribution's OTP."
    if otp.installed is False:
        problems.add(host, "beam_otp_root" if given else "beam_otp_install", "otp_missing", f"there is no erl in {where}.", fix)
    elif otp.installed and otp.ssl is False:
        problems.add(
            host,
            "beam_otp_root" if given else "beam_otp_install",
            "otp_without_tls",
            f"the OTP in {where} has no application ssl.",
            "install its applications ssl, public_key, crypto and asn1, or remove the variable to install the distribution's OTP.",
        )


def check_certificate(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """The operator's own certificate: there, valid, and with the node's name."""
    paths = {name: inventory.value(name, node.host) for name in ("beam_pki_certificate", "beam_pki_key", "beam_pki_ca")}
    for variable, path in paths.items():
        if isinstance(path, str) and path and seen.exists(path) is False:
            problems.add(node.host, variable, "certificate_missing", f"there is no file {path}.", f"install it, or correct {variable}.")
    path = paths["beam_pki_certificate"]
    own = next((one for one in seen.certificates or () if one.path == path), None)
    if own is None:
        return
    if seen.epoch is not None and own.not_after < _utc(seen.epoch):
        problems.add(node.host, "beam_pki_certificate", "certificate_expired", f"{path} expired at {own.not_after}.", "install a valid certificate.")
    needed = [f"DNS:{node.node.host_part}"] + ([f"IP:{node.node.host_part}"] if node.node.kind == "ip" else [])
    missing = [san for san in needed if san not in own.sans]
    if missing:
        problems.add(
            node.host,
            "beam_pki_certificate",
            "certificate_names",
            f"{path} lacks the subject alternative name {join_names(missing)} of {node.node}.",
            "install a certificate with this name.",
        )


def check_database(node: Node, seen: Observation, problems: Problems) -> None:
    """A product does not start, or starts empty, with the data of another node name."""
    for database in seen.databases or ():
        if database.path != node.runtime.data.database or not database.names:
            continue
        if str(node.node) not in database.names:
            problems.add(
                node.host,
                "beam_node_name",
                "data_of_another_name",
                f"the database {database.path} belongs to {join_names(database.names)}, not to {node.node}; {node.runtime.product} does not start "
                "with it.",
                "set beam_node_name to the name of the database, rename the data with the product's own tool, or move a database without users away.",
            )


def check_sandbox(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """What the sandbox would take from a service that works today, and nobody has allowed in beam_service_directives."""
    unit, directives = node.runtime.unit, inventory.sandbox.get(node.host, ())
    paths = " ".join(text.partition("=")[2] for text in directives if text.startswith(("ReadWritePaths=", "BindPaths=")))
    allowed = {word.lstrip("+-") for word in paths.split()}
    shown = _unit(node, seen)
    writable = (*(shown.writable if shown else ()), *(path.lstrip("-") for path in node.runtime.data.writable), *allowed, *_SHARED)
    mine = [process for process in seen.processes or () if process.is_vm and process.unit == unit and process.digest is None]
    for path in sorted({path for process in mine for path in process.writes or ()}):
        if not any(path == place or path.startswith(f"{place.rstrip('/')}/") for place in writable):
            problems.add(
                node.host,
                "beam_service_directives",
                "directory_read_only",
                f"{unit} writes to {path}, which the sandbox makes read-only.",
                f"add 'ReadWritePaths={path}' to beam_service_directives.",
            )
    if shown is not None and not any(text.startswith("ProtectHome=") for text in directives):
        used = [path.lstrip("!-") for path in (shown.program, shown.working_directory) if path]
        hidden = [path for path in used if path.startswith(_HIDDEN)]
        if hidden and shown.load == "loaded":
            problems.add(
                node.host,
                "beam_service_directives",
                "directory_hidden",
                f"{unit} uses {join_names(sorted(set(hidden)))}, which the sandbox hides (ProtectHome=yes).",
                "move it out of the home directories, or add 'ProtectHome=read-only' to beam_service_directives.",
            )
    if not any(text.startswith("AmbientCapabilities=") for text in directives):
        for setting in seen.settings or ():
            lost = _capabilities(setting.value) - KEPT if (setting.unit, setting.name) == (unit, "AmbientCapabilities") else set()
            if lost:
                problems.add(
                    node.host,
                    "beam_service_directives",
                    "capability_removed",
                    f"{setting.place} gives {unit} {join_names(sorted(lost))}, which the sandbox removes.",
                    "remove it there, or add AmbientCapabilities= and CapabilityBoundingSet= with it to beam_service_directives.",
                )


def _capabilities(text: str | None) -> set[str]:
    return set() if not text or text.startswith("~") else {word.upper() for word in text.split()}


def kept_capabilities(node: Node, seen: Observation) -> list[str]:
    """The capabilities that the node's unit keeps: those of the operator's files, and what its running VM needs to listen where it does.

    What a package's own unit gives says nothing about this host, and is not there yet when the first run makes its plan.
    """
    unit = node.runtime.unit
    given: set[str] = set()
    for setting in seen.settings or ():
        if (setting.unit, setting.kind, setting.name) == (unit, "directive", "AmbientCapabilities") and not setting.path.startswith(_OF_PACKAGES):
            given = given | _capabilities(setting.value) if setting.value else set()
    low = seen.unprivileged_port if seen.unprivileged_port is not None else 1024
    listening = any(entry.unit == unit and entry.process == "beam.smp" and entry.port < low for entry in seen.listeners or ())
    return sorted(KEPT) if given & KEPT or listening else []


def writable_directories(node: Node, seen: Observation) -> list[str]:
    """Directories that the product's own configuration names, beside those that its unit may write to anyway."""
    data = node.runtime.data
    names = data.directory_settings
    known = [path.lstrip("-") for path in data.writable]
    found: list[str] = []
    for setting in seen.settings or ():
        path = setting.value or ""
        if setting.unit != node.runtime.unit or setting.name not in names or not path.startswith("/") or "$" in path or "`" in path:
            continue
        path = path.rstrip("/") if not setting.name.endswith(_FILES) else path.rpartition("/")[0]
        if path.count("/") < 2 or path.startswith(("/etc/", "/usr/", "/proc/", "/sys/", "/boot/")):
            continue
        if not any(path == place or path.startswith(f"{place}/") for place in (*known, *found)):
            found.append(path)
    return found


def check_ignored(node: Node, settings: Mapping[str, object], seen: Observation, problems: Problems) -> None:
    """Kernel parameters in the product's own configuration, which the flags of the role distribution override."""
    names = node.runtime.data.kernel_settings
    for setting in seen.settings or ():
        if setting.unit == node.runtime.unit and setting.name in names and setting.value is not None:
            ours = settings.get(names[setting.name], MISSING)
            same = boolean(setting.value) is ours if isinstance(ours, bool) else setting.value == str(ours)
            if ours is not MISSING and not same:
                problems.add(
                    node.host,
                    f"beam_{names[setting.name]}",
                    "setting_overridden",
                    f"{setting.place} sets {setting.name} to {setting.value}, but {ours} is used: it must be equal on all members.",
                    f"set beam_{names[setting.name]}: {setting.value} for the cluster, or remove the line.",
                )


def _unit(node: Node, seen: Observation) -> Unit | None:
    return (seen.units or {}).get(node.runtime.unit)


def _utc(epoch: float) -> str:
    return datetime.datetime.fromtimestamp(epoch, tz=datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
