# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A BEAM process of an observation: its flags, and the OTP that it runs.

Private to this collection, pure. See observation.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .confinement_facts import Hardening
from .packages import Package, Product, package_of, versions_of
from .tls_files import TlsFiles
from .untrusted_json import as_float, as_int, as_path, as_set, as_text, as_texts, each, safe_text

_BEAM = re.compile(r"beam(?:\.\S+)?")

UNLIMITED = -1
"""A core limit that is none, as in the Python module resource."""


def is_beam(program: str) -> bool:
    """Whether a program is an emulator of OTP, of any flavour: beam, beam.smp, beam.debug.smp (erl -emu_type)."""
    return _BEAM.fullmatch(program) is not None


@dataclass(frozen=True)
class VmFlags:
    """How a VM was started, made on its host by an allow list: its argument list and its environment never leave the host.

    name: value of -name or -sname as given. proto_dist: the last value of -proto_dist, "inet_tcp" where none is given; proto_dist_given: how often it
    is given (before OTP 27.1, twice means inet_tcp). kernel: parameters of the application kernel by name, known ones only, values as given.
    ssl_options: names in -ssl_dist_opt, such as "client_verify". fixed_port: value of -erl_epmd_port. listens: False with -dist_listen false.
    cookie: what the command line holds of one: "none"; "ignored" (words that do not count and are not the cookie: the VM takes the cookie file);
    "unknown" (such words, and the cookie file could not be read); "value" (a word is the node's cookie).
    arguments_read: False where the command line could not be read, or a part of what it says did not arrive.
    """

    name: str | None = None
    long_names: bool = False
    hidden: bool = False
    proto_dist: str = "inet_tcp"
    proto_dist_given: int = 0
    ssl_options_file: str | None = None
    ssl_options: tuple[str, ...] = ()
    args_files: tuple[str, ...] = ()
    config_files: tuple[str, ...] = ()
    kernel: Mapping[str, str] = field(default_factory=dict)
    fixed_port: str | None = None
    listens: bool = True
    cookie: str = "none"
    arguments_read: bool = True

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> VmFlags:
        kernel, lists = raw.get("kernel"), [as_texts(raw.get(name)) for name in ("ssl_options", "args_files", "config_files")]
        whole = None not in lists and isinstance(kernel, Mapping) and isinstance(raw.get("cookie"), str)
        return cls(
            name=as_text(raw.get("name")),
            long_names=bool(raw.get("long_names")),
            hidden=bool(raw.get("hidden")),
            proto_dist=as_text(raw.get("proto_dist")) or "inet_tcp",
            proto_dist_given=as_int(raw.get("proto_dist_given")) or 0,
            ssl_options_file=as_path(raw.get("ssl_options_file")),
            ssl_options=lists[0] or (),
            args_files=lists[1] or (),
            config_files=lists[2] or (),
            kernel={safe_text(key): safe_text(value) for key, value in kernel.items()} if isinstance(kernel, Mapping) else {},
            fixed_port=as_text(raw.get("fixed_port")),
            listens=raw.get("listens") is not False,
            cookie=as_text(raw.get("cookie")) or "unknown",
            arguments_read=raw.get("arguments_read") is True and whole,
        )

    @property
    def distribution_possible(self) -> bool:
        """Whether the VM has a name, or could be given one while it runs."""
        return self.name is not None or self.proto_dist != "none"


@dataclass(frozen=True)
class RunningVm:
    """The OTP that a process runs, which is not always the one on disk.

    erts: of the running program; installed_erts: the one that a start would use now. version: of the running OTP, None where its files were replaced
    and it is not known. replaced: its program and libraries that are no longer the files on disk. applications: version of each application of OTP
    that it can load, None where that is not known. products: what it runs beside OTP.
    """

    executable: str | None
    otp_root: str | None
    erts: str | None
    installed_erts: str | None
    version: str | None
    package: Package | None
    replaced: tuple[str, ...]
    applications: Mapping[str, str] | None = None
    products: tuple[Product, ...] = ()

    @classmethod
    def parse(cls, raw: object) -> RunningVm | None:
        if not isinstance(raw, Mapping):
            return None
        replaced = as_texts(raw.get("replaced"))
        if replaced is None:
            return None
        return cls(
            executable=as_path(raw.get("executable")),
            otp_root=as_path(raw.get("otp_root")),
            erts=as_text(raw.get("erts")),
            installed_erts=as_text(raw.get("installed_erts")),
            version=as_text(raw.get("version")),
            package=package_of(raw.get("package")),
            replaced=replaced,
            applications=versions_of(raw.get("applications")),
            products=each(raw.get("products"), Product.parse) or (),
        )


@dataclass(frozen=True)
class Process:
    """One BEAM virtual machine or epmd.

    program: "beam.smp", "beam" or "epmd". digest: BEAM_CLUSTER_DIGEST of its environment. started: seconds since 1970. core_limit: soft limit in
    bytes, UNLIMITED. home, root: values of the VM's flags -home and -root. container: it lives in a process namespace below the host's.
    own_network: in another network namespace, so that its sockets are in no list of listeners.
    vm: which OTP it runs; None for epmd, and where the program could not be read. adding: names of its variables that add flags, code or commands,
    None where its environment could not be read. runs: flags that run code at its start, without those of our argument files ("-s rabbit",
    "-eval in /a/vm.args"). writes: the directories of the files that it has open to write. traces: products that its arguments or its
    installation show (_host/product_of_vm.py). tls_files: the files that its TLS options file names, None where it has none or it could not be
    read. hardening: how it is confined.
    """

    pid: int
    program: str
    user: str
    unit: str | None
    flags: VmFlags
    digest: str | None = None
    started: float | None = None
    core_limit: int | None = None
    home: str | None = None
    root: str | None = None
    container: bool = False
    own_network: bool = False
    traces: frozenset[str] | None = frozenset()
    tls_files: TlsFiles | None = None
    vm: RunningVm | None = None
    adding: frozenset[str] | None = None
    runs: tuple[str, ...] | None = ()
    writes: tuple[str, ...] | None = None
    hardening: Hardening | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Process | None:
        pid = as_int(raw.get("pid"))
        if pid is None:
            return None
        flags = raw.get("flags")
        return cls(
            pid=pid,
            program=as_text(raw.get("process")) or "",
            user=as_text(raw.get("user")) or "",
            unit=as_text(raw.get("unit")),
            flags=VmFlags.parse(flags) if isinstance(flags, Mapping) else VmFlags(arguments_read=False),
            digest=as_text(raw.get("digest")),
            started=as_float(raw.get("started")),
            core_limit=as_int(raw.get("core_limit")),
            home=as_path(raw.get("home")),
            root=as_path(raw.get("root")),
            container=bool(raw.get("container")),
            own_network=raw.get("own_network") is True,
            traces=as_set(raw.get("traces")),
            tls_files=TlsFiles.parse(raw.get("tls_files")),
            vm=RunningVm.parse(raw.get("vm")),
            adding=as_set(raw.get("adding")),
            runs=as_texts(raw.get("runs")),
            writes=as_texts(raw.get("writes")),
            hardening=Hardening.parse(raw.get("hardening")),
        )

    @property
    def is_vm(self) -> bool:
        return is_beam(self.program)
