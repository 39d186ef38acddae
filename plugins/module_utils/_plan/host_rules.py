# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about one host as it was observed: addresses, ports, firewall, OTP, clock, running nodes.

Private to this collection. Each function takes the nodes of its host alone, so that the rules stay linear in the number of hosts.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._model.advisories import Advisory
from .._model.installed import DROP_IN
from .._model.observation import Observation
from .._model.oldest_supported import OLDEST_OTP, OLDEST_SYSTEMD
from .._model.problems import Problems, join_names
from .._model.processes import Process
from .cluster import Inventory, Node
from .cluster_variables import FIREWALLS, Shape, host_flag, read_choice


def check_addresses(
    inventory: Inventory, shape: Shape, host: str, nodes: Sequence[Node], observed: Observation, problems: Problems
) -> dict[tuple[str, str], str]:
    """A cluster address must be assigned to the host, unless it may come late. Returns (host, address) -> interface."""
    late = host_flag(inventory, "beam_address_late", host, problems)
    if not observed or shape.alone:
        return {}
    if observed.addresses is None:
        return {}
    seen = {entry.address: entry.interface for entry in observed.addresses}
    interfaces = {}
    for node in nodes:
        address = str(node.address)
        if address in seen:
            interfaces[(host, address)] = seen[address]
        elif not late:
            problems.add(
                host,
                "beam_address",
                "address_not_on_host",
                f"{address} is not assigned to any interface; the host has {join_names(sorted(seen)) or 'no address'}.",
                "set beam_address to an address of the host, or beam_address_late: true where it appears after boot (a VPN).",
            )
    return interfaces


def check_ports_in_use(host: str, nodes: Sequence[Node], observed: Observation, problems: Problems) -> None:
    """A port of a node on which another program listens. A listener without a known process may be the node itself."""
    for entry in observed.listeners or ():
        if not entry.process or entry.process == "beam.smp" or entry.loopback:
            continue
        for node in nodes:
            if node.port_range.first <= entry.port <= node.port_range.last:
                problems.add(
                    host,
                    "beam_ports",
                    "port_range_in_use",
                    f"{entry.process} listens on {entry.address} port {entry.port}, which is one of the ports {node.port_range} of {node.node}.",
                    "choose other ports for the whole cluster, or stop the other program.",
                )


def check_cut_off(inventory: Inventory, host: str, nodes: Sequence[Node], observed: Observation, problems: Problems) -> None:
    """Programs that would lose their users to our firewall. At the further ports of a product it accepts members only, and on loopback, at every port
    that it guards, root and the users of the nodes."""
    named = inventory.value("beam_firewall_local_users", host)
    local_users = isinstance(named, (list, tuple, str)) and bool(named)
    for entry in observed.listeners or ():
        if not entry.process or entry.process == "beam.smp" or (entry.loopback and local_users):
            continue
        for node in nodes:
            guarded = (*node.runtime.data.peer_ports, *((node.port_range,) if entry.loopback else ()))
            ports = next((one for one in guarded if one.first <= entry.port <= one.last), None)
            if ports is None:
                continue
            owner = f"{node.runtime.product} uses for its peers" if ports != node.port_range else f"{node.node} may listen on"
            lost = "other users of the host cannot connect to it any more" if entry.loopback else "nobody but members can connect to it any more"
            move = f"give it another port ({entry.unit or 'see how it is started'})"
            problems.add(
                host,
                "beam_firewall_local_users" if entry.loopback else "",
                "port_range_in_use",
                f"{entry.process} listens on {entry.address} port {entry.port}, one of the ports {ports} that {owner}: behind the firewall {lost}.",
                f"list the users that connect to it in beam_firewall_local_users, or {move}."
                if entry.loopback
                else f"{move}, or run it on a host without {node.runtime.product}.",
            )
            break


def check_ephemeral_ports(host: str, nodes: Sequence[Node], observed: Observation, problems: Problems, further: bool = False) -> None:
    """Ports that the kernel also gives to outgoing connections: the firewall would drop the answers to such a connection. `further`: of the product
    beside those of the node."""
    seen = observed.ephemeral_ports
    if seen is None:
        return
    for node in nodes:
        for ports in node.runtime.data.peer_ports if further else (node.port_range,):
            low, high = max(ports.first, seen.first), min(ports.last, seen.last)
            if low > high or all(any(first <= port <= last for first, last in seen.reserved) for port in range(low, high + 1)):
                continue
            whose = f"which {node.runtime.product} uses for its peers, are" if further else f"of {node.node} are"
            problems.add(
                host,
                "" if further else "beam_ports",
                "port_range_ephemeral",
                f"the ports {ports}{',' if further else ''} {whose} among the ports {seen.first}-{seen.last} that the kernel gives to outgoing "
                "connections; the answers to such a connection would be dropped.",
                f"reserve them: sysctl net.ipv4.ip_local_reserved_ports={low}-{high}, beside those that it has, and in /etc/sysctl.d."
                if further
                else f"choose ports below {seen.first}, or reserve them (sysctl net.ipv4.ip_local_reserved_ports).",
            )


def read_firewall(inventory: Inventory, host: str, observed: Observation, problems: Problems) -> str:
    """The back end that opens the host's own firewall to the members. It must be active."""
    wanted = read_choice("beam_firewall", inventory.value("beam_firewall", host), FIREWALLS, host, problems)
    in_charge = observed.firewall.in_charge if observed.firewall else None
    if wanted in ("firewalld", "ufw") and in_charge not in (None, wanted):
        problems.add(
            host,
            "beam_firewall",
            "firewall_inactive",
            f"{wanted} is not active on this host.",
            f"configure and enable {wanted} (this can lock you out, so the role does not do it), or choose another back end.",
        )
    return wanted if wanted != "auto" else str(in_charge) if in_charge in FIREWALLS else "nftables"


def check_nftables_service(inventory: Inventory, host: str, observed: Observation, problems: Problems) -> None:
    """Rules of the operator's own that our drop-in of nftables.service would not load: it sets the commands of the unit anew."""
    unit = (observed.units or {}).get("nftables.service")
    used = unit is not None and (unit.active == "active" or unit.enabled.startswith("enabled"))
    if not used or inventory.value("beam_firewall", host) == "external":
        return
    given = inventory.value("beam_firewall_nftables_conf", host)
    ours = given if isinstance(given, str) else "/etc/nftables.conf"
    loaded = [one for one in (observed.firewall.loads if observed.firewall else None) or () if not one.file.startswith("/etc/beam/")]
    others = [one for one in loaded if one.directive != "ExecStop" and one.file not in (ours, "")]
    files = list(dict.fromkeys(one.file for one in others))
    if others:
        scripts = any(one.file.rpartition("/")[2] in ("nft", "sh", "bash") or "bin/" in one.file for one in others)
        fix = f"set beam_firewall_nftables_conf: {files[0]}."
        if scripts or len(files) > 1:
            fix = "write a file that nft loads, with all of it (include), set beam_firewall_nftables_conf to it, and remove the line there."
        said = f"{others[0].where} has nftables.service load {join_names(files)} ({others[0].directive}=)"
        ours = f"and the drop-in of the role firewall loads {ours} instead"
        problems.add(host, "beam_firewall_nftables_conf", "rules_elsewhere", f"{said}, {ours}.", fix)
    for one in loaded:
        if one.directive == "ExecStop" and one.file.rpartition("/")[2] != "nft":
            does = f"run {one.file}" if one.file else "keep its rules"
            problems.add(
                host,
                "",
                "rules_elsewhere",
                f"{one.where} has nftables.service {does} when it stops (ExecStop=), and the drop-in of the role firewall removes all rules but ours "
                "then.",
                f"move the line to a drop-in of nftables.service that sorts after {DROP_IN}, or remove it.",
            )


def check_otp(host: str, observed: Observation, problems: Problems) -> None:
    """The OTP that is installed, else the one that would be installed, must not be too old. Where none is known, the role otp looks again."""
    otp = observed.installed_otp
    source, release = ("installed", otp.release) if otp.installed else ("offered by the distribution", otp.candidate_release)
    if release and release.isdigit() and int(release) < OLDEST_OTP:
        problems.add(
            host,
            "",
            "otp_unsupported",
            f"OTP {release} is {source}; the oldest supported release is {OLDEST_OTP}.",
            f"install OTP {OLDEST_OTP} or later on the host.",
        )


def check_clock(host: str, observed: Observation, backdate_seconds: int, problems: Problems) -> list[Advisory]:
    """To a host whose clock is behind by more than certificates are backdated, a fresh certificate is not valid yet."""
    skew = observed.skew_seconds
    if skew is None:
        return []
    if skew < -backdate_seconds:
        problems.add(
            host,
            "",
            "clock_skew",
            f"the clock is {-skew:.0f} s behind the controller's, and a fresh certificate is backdated by {backdate_seconds} s only: not valid yet.",
            "set the clock (chrony, systemd-timesyncd).",
        )
    elif skew > backdate_seconds:
        return [
            Advisory(
                "clock_ahead",
                "low",
                host,
                "Clock ahead of the controller's",
                f"The clock is {skew:.0f} s ahead: certificates expire that much earlier on this host.",
                "Set the clock (chrony, systemd-timesyncd).",
            )
        ]
    return []


def incompatible_nodes(nodes: Sequence[Node], observed: Observation, proto_dist: str, shape: Shape) -> list[str]:
    """Running nodes that cannot speak to their peers after a restart of one of them, of a product that takes a cut link for a split cluster.

    To come together with the others, all nodes have to be stopped at once.
    """
    return [str(node.node) for node in nodes if node.runtime.data.links == "kept" and _speaks_otherwise(node, observed, proto_dist, shape)]


def _speaks_otherwise(node: Node, observed: Observation, proto_dist: str, shape: Shape) -> bool:
    """Whether a process of the node's unit was started without our files, with another -proto_dist, without a TLS version of the plan, or with a
    fixed port that its peers will not try. Such a node is not registered with EPMD."""
    port = str(node.port_range.first) if shape.fixed_port else None
    for process in observed.processes or ():
        if process.is_vm and process.unit == node.runtime.unit:
            flags = process.flags
            fixed = {flags.fixed_port, flags.kernel.get("erl_epmd_node_listen_port")} - {None}
            if not process.digest or flags.proto_dist != proto_dist or fixed - {port} or _no_common_version(process, shape):
                return True
    return False


def _no_common_version(process: Process, shape: Shape) -> bool:
    """Whether no TLS version of the plan is one that the running node lists. Its file is that of its start, unless a run ended before the restart."""
    options = (process.hardening.server, process.hardening.client) if process.hardening and shape.tls else ()
    return any(side.versions and not set(side.versions) & set(shape.tls_versions) for side in options if side)


def check_privilege(host: str, seen: Observation, required: bool, problems: Problems) -> None:
    """`required`: the run changes the host."""
    if required and seen.privileged is False:
        problems.add(host, "become", "privilege_missing", "the tasks do not run as root.", "run with --become, or connect as root.")


def check_given_otp(inventory: Inventory, host: str, seen: Observation, problems: Problems) -> None:
    """An OTP that the role otp does not install, or cannot replace, must be there, and able to do TLS."""
    otp, root = seen.installed_otp, inventory.value("beam_otp_root", host)
    given = isinstance(root, str) and root != ""
    missing = otp.missing if otp.missing is not None else ("ssl",) if otp.ssl is False else ()
    if not given and inventory.value("beam_otp_install", host) != "never":
        if otp.installed and otp.foreign and missing:
            said = f"the OTP in {otp.root}, to which the search path leads and which is not the distribution's"
            fix = "install its applications ssl, public_key, crypto and asn1, or remove it from the search path: the role otp installs another one."
            problems.add(host, "", "otp_without_tls", f"{said}, has no application {join_names(missing)}.", fix)
        return
    where = f"beam_otp_root ({root})" if given else "the search path (beam_otp_install: never)"
    fix = "install OTP there, or remove the variable to install the distribution's OTP."
    if otp.installed is False:
        problems.add(host, "beam_otp_root" if given else "beam_otp_install", "otp_missing", f"there is no erl in {where}.", fix)
    elif otp.installed and missing:
        problems.add(
            host,
            "beam_otp_root" if given else "beam_otp_install",
            "otp_without_tls",
            f"the OTP in {where} has no application {join_names(missing)}.",
            "install its applications ssl, public_key, crypto and asn1, or remove the variable to install the distribution's OTP.",
        )


def check_systemd(host: str, seen: Observation, problems: Problems) -> None:
    """The nodes, EPMD and the firewall are units."""
    if seen.init is not None and seen.init != "systemd":
        problems.add(host, "", "systemd_missing", f"the host runs {seen.init}, not systemd.", "remove the host from the group.")
    elif seen.systemd is not None and seen.systemd < OLDEST_SYSTEMD:
        problems.add(
            host,
            "",
            "systemd_unsupported",
            f"the host runs systemd {seen.systemd}; the oldest supported version is {OLDEST_SYSTEMD}.",
            "upgrade the distribution of the host, or remove it from the group.",
        )


_OF_DISTRIBUTION = "/usr/bin/"


def check_interpreter(host: str, seen: Observation, tls: bool, problems: Problems) -> None:
    """The role pki makes keys with the Python that Ansible runs. What it lacks, a package brings to the distribution's Python only."""
    executable, has = seen.interpreter.executable, seen.interpreter.cryptography
    if tls and executable and has is False and not executable.startswith(_OF_DISTRIBUTION):
        problems.add(
            host,
            "ansible_python_interpreter",
            "library_missing",
            f"{executable}, which Ansible runs on this host, cannot import cryptography; the package python3-cryptography is for /usr/bin/python3.",
            f"set ansible_python_interpreter: /usr/bin/python3, or install cryptography for {executable}.",
        )


def check_obstacles(host: str, seen: Observation, problems: Problems) -> None:
    """What would keep the roles from writing their files, in the middle of a run."""
    for one in seen.obstacles or ():
        said = one.explained()
        if said:
            problems.add(host, "", "path_not_writable", *(f"{text}." for text in said))
