# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen on a host, typed once at the door.

Private to this collection. Observation.parse() takes the result of the module observe. Three rules hold for every field:

* None means unknown: nobody could look, or what the host sent has another shape. An empty tuple or mapping means that somebody looked and saw none.
* Text is safe to print: what a local user of the host may choose (names of processes, nodes, files) went through safe_text().
* Addresses are in one spelling (ipaddress), IPv4 in IPv6 is IPv4.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .addresses import is_loopback
from .confinement_facts import StartFile
from .firewall_facts import Firewall
from .host_facts import (
    Account,
    Certificate,
    Companion,
    Crl,
    Database,
    Distribution,
    EphemeralPorts,
    HomeFile,
    InstalledOtp,
    Interpreter,
    Obstacle,
    OtherCookie,
    Profile,
    Setting,
)
from .packages import Package, package_of, versions_of
from .processes import Process
from .secret_facts import Secrets
from .system_facts import SystemFacts
from .untrusted_json import as_bool, as_float, as_int, as_mapping, as_path, as_set, as_text, as_texts, each, safe_text, same_address


@dataclass(frozen=True)
class HostAddress:
    """One address of one interface. default_route: whether the interface carries a default route of this family."""

    interface: str
    address: str
    family: int
    prefix: int
    default_route: bool

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> HostAddress | None:
        address, interface = as_text(raw.get("address")), as_text(raw.get("interface"))
        if address is None or interface is None:
            return None
        try:
            ipaddress.ip_address(same_address(address))
        except ValueError:
            return None
        family = as_int(raw.get("family")) or (6 if ":" in address else 4)
        return cls(interface, same_address(address), family, as_int(raw.get("prefix")) or 0, bool(raw.get("default_route")))


@dataclass(frozen=True)
class Listener:
    """One listening TCP socket. Process, unit and user are None where this user may not know them."""

    address: str
    port: int
    pid: int | None
    process: str | None
    unit: str | None
    user: str | None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Listener | None:
        address, port = as_text(raw.get("address")), as_int(raw.get("port"))
        if address is None or port is None:
            return None
        process, unit, user = (as_text(raw.get(name)) for name in ("process", "unit", "user"))
        return cls(same_address(address), port, as_int(raw.get("pid")), process, unit, user)

    @property
    def loopback(self) -> bool:
        return is_loopback(self.address)

    @property
    def wildcard(self) -> bool:
        return self.address in ("0.0.0.0", "::")

    @property
    def at(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def __str__(self) -> str:
        return f"{self.at} ({self.process or 'an unknown process'}, pid {self.pid}, {self.unit or 'no unit'})"


@dataclass(frozen=True)
class FileFacts:
    """One file or directory. kind: "file", "directory", "link" or "other".

    replaceable_by: users other than root who may write a directory above it, so that they can put another file in its place: "beam", "group adm",
    "everybody"; replaceable_through: those directories. None where a directory could not be looked at. modified: its time, in seconds since 1970.
    links: how many names a regular file has.
    """

    path: str
    kind: str
    mode: int
    owner: str
    group: str
    size: int | None = None
    sha256: str | None = None
    replaceable_by: tuple[str, ...] | None = None
    replaceable_through: tuple[str, ...] | None = None
    modified: float | None = None
    links: int | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> FileFacts | None:
        path, mode = as_path(raw.get("path")), raw.get("mode")
        try:
            number = int(str(mode), 8)
        except ValueError:
            return None
        if path is None:
            return None
        return cls(
            path=path,
            kind=as_text(raw.get("kind")) or "other",
            mode=number,
            owner=as_text(raw.get("owner")) or "",
            group=as_text(raw.get("group")) or "",
            size=as_int(raw.get("size")),
            sha256=as_text(raw.get("sha256")),
            replaceable_by=as_texts(raw.get("replaceable_by")),
            replaceable_through=as_texts(raw.get("replaceable_through")),
            modified=as_float(raw.get("modified")),
            links=as_int(raw.get("links")),
        )


@dataclass(frozen=True)
class Unit:
    """A systemd unit. user: as in the unit, "" for root. drop_ins: in the order in which systemd reads them. stale: files changed since it read them.

    core_limit: LimitCORE as systemd prints it ("0", "infinity"). exposure: systemd-analyze security, 0 to 10. digest: BEAM_CLUSTER_DIGEST that a
    process started now would get. environment_names: the variables that it would get from the unit and its files, names only; None where a file
    could not be read. environment_files: in order, with a "-" in front where the file may be missing. runs: flags in its command that run code in
    a VM. ours: whether its file has our header. id: its own name, where it was asked for by another one. program: path of the program of
    ExecStart=, also behind `sh -c`. release: directory of the Erlang release that this word starts in the foreground, "" where it starts none.
    start_files: its own files, drop-ins, environment files and program, as far as somebody beside root can change them, or they have changed
    since its main process started. openings: what drop-ins of others add to its sandbox, commands: what they let it run, where it has our drop-in.
    links: units that it needs by links beside it, as "requires/NAME" and "wants/NAME". at_boot: whether the host's default target leads to it, if it
    is enabled. leads_to: where its program and working directory lie in truth, as far as links lead there. os_mon: whether its release starts os_mon.
    group: Group= of the unit, "" for the user's own. takes_sockets: whether EPMD is told to take its sockets from systemd.
    umask: as systemd prints it, "0022" where no file says anything. made_by: "mix" or "relx", of its release. lacks:
    applications that TLS needs and its release has not, where that brings its own runtime.
    """

    load: str
    active: str
    enabled: str
    user: str | None
    drop_ins: tuple[str, ...] | None
    stale: bool | None
    after: frozenset[str] | None
    requires: frozenset[str] | None
    core_limit: str | None
    exposure: float | None = None
    digest: str | None = None
    environment_names: frozenset[str] | None = None
    environment_files: tuple[str, ...] | None = None
    fragment: str | None = None
    main_pid: int | None = None
    runs: tuple[str, ...] = ()
    ours: bool | None = None
    id: str | None = None
    program: str | None = None
    release: str | None = None
    working_directory: str | None = None
    writable: tuple[str, ...] = ()
    start_files: tuple[StartFile, ...] | None = None
    openings: tuple[str, ...] | None = None
    commands: tuple[str, ...] | None = None
    links: tuple[str, ...] | None = None
    at_boot: bool | None = None
    leads_to: tuple[str, ...] = ()
    os_mon: bool = False
    umask: str | None = None
    made_by: str = ""
    lacks: tuple[str, ...] = ()
    group: str = ""
    takes_sockets: bool | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Unit:
        return cls(
            load=as_text(raw.get("load")) or "",
            active=as_text(raw.get("active")) or "",
            enabled=as_text(raw.get("enabled")) or "",
            user=as_text(raw.get("user")),
            drop_ins=as_texts(raw.get("drop_ins")),
            stale=as_bool(raw.get("need_daemon_reload")),
            after=as_set(raw.get("after")),
            requires=as_set(raw.get("requires")),
            core_limit=as_text(raw.get("core_limit")),
            exposure=as_float(raw.get("exposure")),
            digest=as_text(raw.get("digest")),
            environment_names=as_set(raw.get("environment_names")),
            environment_files=as_texts(raw.get("environment_files")),
            fragment=as_path(raw.get("fragment")),
            main_pid=as_int(raw.get("main_pid")),
            runs=as_texts(raw.get("runs")) or (),
            ours=as_bool(raw.get("ours")),
            id=as_text(raw.get("id")),
            program=as_path(raw.get("program")),
            release=as_path(raw.get("release")),
            working_directory=as_path(raw.get("working_directory")),
            writable=as_texts(raw.get("writable")) or (),
            start_files=each(raw.get("start_files"), StartFile.parse),
            openings=as_texts(raw.get("openings")),
            commands=as_texts(raw.get("commands")),
            links=as_texts(raw.get("links")),
            at_boot=as_bool(raw.get("at_boot")),
            leads_to=as_texts(raw.get("leads_to")) or (),
            os_mon=raw.get("os_mon") is True,
            umask=as_text(raw.get("umask")),
            made_by=as_text(raw.get("made_by")) or "",
            lacks=as_texts(raw.get("lacks")) or (),
            group=as_text(raw.get("group")) or "",
            takes_sockets=as_bool(raw.get("takes_sockets")),
        )


@dataclass(frozen=True)
class Otp:
    """One installation of Erlang/OTP, by its root directory: the host's own, a release's, a container's. pids: the VMs that run from it.

    applications, package: where no process of the host itself runs from it (that process has its own). container: it is in one.
    """

    root: str
    release: str | None
    version: str | None
    pids: tuple[int, ...] = ()
    applications: Mapping[str, str] | None = None
    package: Package | None = None
    container: bool = False

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Otp | None:
        root, pids = as_path(raw.get("root")), raw.get("pids")
        if root is None:
            return None
        numbers = tuple(pid for pid in pids if as_int(pid) is not None) if isinstance(pids, (list, tuple)) else ()
        return cls(
            root=root,
            release=as_text(raw.get("release")),
            version=as_text(raw.get("version")),
            pids=numbers,
            applications=versions_of(raw.get("applications")),
            package=package_of(raw.get("package")),
            container=bool(raw.get("container")),
        )


def _units(raw: object) -> Mapping[str, Unit] | None:
    if not isinstance(raw, Mapping):
        return None
    return {safe_text(name): Unit.parse(one) for name, one in raw.items() if isinstance(one, Mapping)}


@dataclass(frozen=True)
class Observation:
    """One host, as the module observe saw it.

    processes: the host's own BEAM processes; contained: those of containers on it, which are other hosts. files, by path: see exists(). missing:
    paths that were asked for and are not there. epmd_names: node name (before the @) to port, as EPMD tells on loopback. certificates: of the
    files looked at. crls: of our nodes. skew_seconds: the host's clock minus the controller's, as far as it is proven. ipv6: whether the kernel
    has IPv6. accounts: those that were asked for and exist, by name. settings: what the operator's files set for the units that were asked for.
    profiles: of AppArmor, for these units. cookies_of_other_users: cookie files of other users with the cookies of their nodes.
    companions: what VMs and programs beside them do that the sandbox refuses. home_files: what a hardened release would miss in its new home.
    systemd: its major version. interpreter: the Python that Ansible runs. obstacles: what keeps a run from writing its files. links: where files
    that a run would write lie in truth.
    unprivileged_port: the first port that needs no capability. secrets: None where the module was not asked for them. system: the operating
    system around the nodes. unknown: why a part is not known or not whole, by its name ("files": "...").
    """

    host: str
    epoch: float | None = None
    hostname: str | None = None
    privileged: bool | None = None
    init: str | None = None
    systemd: int | None = None
    interpreter: Interpreter = Interpreter()
    obstacles: tuple[Obstacle, ...] | None = None
    links: Mapping[str, str] | None = None
    addresses: tuple[HostAddress, ...] | None = None
    listeners: tuple[Listener, ...] | None = None
    processes: tuple[Process, ...] | None = None
    contained: tuple[Process, ...] | None = None
    files: Mapping[str, FileFacts] | None = None
    missing: frozenset[str] = frozenset()
    units: Mapping[str, Unit] | None = None
    firewall: Firewall | None = None
    epmd_names: Mapping[str, int] | None = None
    certificates: tuple[Certificate, ...] | None = None
    crls: tuple[Crl, ...] | None = None
    otp: tuple[Otp, ...] | None = None
    distribution: Distribution = Distribution()
    skew_seconds: float | None = None
    ephemeral_ports: EphemeralPorts | None = None
    installed_otp: InstalledOtp = InstalledOtp()
    ipv6: bool | None = None
    unprivileged_port: int | None = None
    accounts: Mapping[str, Account] | None = None
    settings: tuple[Setting, ...] | None = None
    profiles: tuple[Profile, ...] | None = None
    databases: tuple[Database, ...] | None = None
    companions: tuple[Companion, ...] | None = None
    cookies_of_other_users: tuple[OtherCookie, ...] | None = None
    home_files: tuple[HomeFile, ...] | None = None
    secrets: Secrets | None = None
    system: SystemFacts | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, host: str, raw: Mapping[str, Any]) -> Observation:
        """From the result of the module observe. Never raises: what has another shape than it should is unknown."""
        files = each(raw.get("files"), FileFacts.parse)
        units, firewall, names, unknown, links = (raw.get(name) for name in ("units", "firewall", "epmd_names", "unknown", "links"))
        accounts = each(raw.get("accounts"), Account.parse)
        return cls(
            host=host,
            epoch=as_float(raw.get("epoch")),
            hostname=as_text(raw.get("hostname")),
            privileged=as_bool(raw.get("privileged")),
            init=as_text(raw.get("init")),
            systemd=as_int(raw.get("systemd")),
            interpreter=Interpreter.parse(as_mapping(raw.get("interpreter"))),
            obstacles=each(raw.get("obstacles"), Obstacle.parse),
            links={safe_text(path): safe_text(real) for path, real in links.items()} if isinstance(links, Mapping) else None,
            addresses=each(raw.get("addresses"), HostAddress.parse),
            listeners=each(raw.get("listeners"), Listener.parse),
            processes=each(raw.get("processes"), Process.parse),
            contained=each(raw.get("contained"), Process.parse),
            files=None if files is None else {one.path: one for one in files},
            missing=as_set(raw.get("missing")) or frozenset(),
            units=_units(units),
            firewall=Firewall.parse(firewall) if isinstance(firewall, Mapping) else None,
            epmd_names={safe_text(name): port for name, port in names.items() if as_int(port) is not None} if isinstance(names, Mapping) else None,
            certificates=each(raw.get("certificates"), Certificate.parse),
            crls=each(raw.get("crls"), Crl.parse),
            otp=each(raw.get("otp_roots"), Otp.parse),
            distribution=Distribution.parse(as_mapping(raw.get("distribution"))),
            skew_seconds=as_float(raw.get("skew_seconds")),
            ephemeral_ports=EphemeralPorts.parse(as_mapping(raw.get("ephemeral_ports"))),
            installed_otp=InstalledOtp.parse(as_mapping(raw.get("otp"))),
            ipv6=as_bool(raw.get("ipv6")),
            unprivileged_port=as_int(raw.get("unprivileged_port")),
            accounts=None if accounts is None else {one.name: one for one in accounts},
            settings=each(raw.get("settings"), Setting.parse),
            profiles=each(raw.get("profiles"), Profile.parse),
            databases=each(raw.get("databases"), Database.parse),
            companions=each(raw.get("companions"), Companion.parse),
            cookies_of_other_users=each(raw.get("cookies_of_other_users"), OtherCookie.parse),
            home_files=each(raw.get("home_files"), HomeFile.parse),
            secrets=Secrets.parse(raw.get("secrets")),
            system=SystemFacts.parse(raw.get("system")),
            unknown={safe_text(name): safe_text(why) for name, why in unknown.items()} if isinstance(unknown, Mapping) else {},
        )

    def __bool__(self) -> bool:
        """Whether anything was seen at all."""
        always = ("host", "missing", "unknown", "distribution", "installed_otp", "interpreter")
        return any(value is not None for name, value in vars(self).items() if name not in always)

    def exists(self, path: str) -> bool | None:
        """Whether a file that the module was asked for is there; None where nobody looked, or it is behind a directory that was not ours to read."""
        if path in self.missing:
            return False
        return True if path in (self.files or {}) else None

    def why_unknown(self, part: str) -> str:
        return self.unknown.get(part) or f"{part} were not looked at"
