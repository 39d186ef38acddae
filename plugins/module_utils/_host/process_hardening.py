# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a BEAM process is confined and what it was started with, as /proc shows it (proc(5)).

Private to this collection. What is returned are names and yes or no: no value of a variable, no argument and no content of a file.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Mapping, Sequence

from .._model.installed import COOKIE_FILES
from .._model.secret_rules import SHORTEST_NEEDLE, in_file
from . import elf, mounts_and_setuid, proc, programs, start_files
from .product_of_vm import traces
from .readers import EVERYBODY, Readers, entering, members
from .tls_options import options_of
from .vm_flags import KERNEL_PARAMETERS, flags_of, value_of
from .writers import group_name, user_name

_CAPABILITIES = tuple(
    """
    chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw
    ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod
    lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore
    """.split()
)
_STATUS = re.compile(rb"^(NoNewPrivs|Seccomp|CapEff):\s+(\S+)$", re.MULTILINE)
_TRACER = re.compile(rb"^TracerPid:\s+([0-9]+)$", re.MULTILINE)
_GROUPS = re.compile(rb"^(?:Gid|Groups):[ \t]*([0-9 \t]*)$", re.MULTILINE)
# Of variables that hold a secret or loosen something, the names are returned.
_VARIABLES = frozenset(
    """
    RELEASE_COOKIE RABBITMQ_ERLANG_COOKIE ERLANG_COOKIE ERL_COOKIE EMQX_NODE__COOKIE EMQX_NODE_COOKIE DOCKER_VERNEMQ_DISTRIBUTED_COOKIE
    COUCHDB_ERLANG_COOKIE EJABBERD_COOKIE ERLANG_NODE_COOKIE SSLKEYLOGFILE ERL_EPMD_RELAXED_COMMAND_CHECK
    """.split()
)
_SWITCHES = {
    "-remsh": "remsh", "--remsh": "remsh", "-relaxed_command_check": "relaxed_command_check", "-d": "debug", "-debug": "debug",
}
_CONFIG_MAX = 1 << 20
_PARAMETER = re.compile(r"\{\s*([a-z_]+)\s*,\s*('?[A-Za-z0-9_]+'?|\{[0-9, ]+\})\s*\}")
_LIBRARY = re.compile(r"\s(/\S*/(?:libcrypto\.so[^/\s]*|crypto\.so))$", re.MULTILINE)
_OPENSSL = re.compile(rb"(?:OpenSSL|LibreSSL|BoringSSL) ([0-9]+\.[0-9]+\.[0-9]+[a-z]*)[ \-][^\0]{0,40}20[0-9][0-9]")
_LIBRARY_MAX = 32 << 20
_ESTABLISHED = "01"
_LOG_NAMES = re.compile(r"(?:^|/)(?:logs?|[^/]*\.log(?:\.[0-9]+)?)(?:/|$)")


def describe(pid: int, root: str = "/proc", listening: Iterable[int] = ()) -> dict[str, object]:
    """The fact `hardening` of a process; see _model/confinement_facts.py. listening: the ports at which it listens."""
    base = f"{root}/{pid}"
    arguments = [part.decode("utf-8", "replace") for part in proc.read(f"{base}/cmdline").split(b"\0")[:-1]]
    variables = {
        name.decode("utf-8", "replace"): value
        for name, _equals, value in (part.partition(b"=") for part in proc.read(f"{base}/environ").split(b"\0"))
        if name
    }
    inside = f"{base}/root" if os.access(f"{base}/root", os.X_OK) else ""
    home = value_of(arguments, "-home") or variables.get("HOME", b"").decode("utf-8", "replace")
    cookie = next(filter(None, (in_file(proc.read(f"{inside}{home}/{name}")) for name in COOKIE_FILES)), None) if home else None
    machine = bool(arguments) and value_of(arguments, "-root") is not None
    otp_root = value_of(arguments, "-root") or ""
    return {
        **_status(proc.read(f"{base}/status")),
        "switches": switches(arguments) if arguments else None,
        "variables": sorted(_VARIABLES.intersection(variables)) if variables else None,
        "cookie_in_environment": in_environment(variables.values(), cookie) if variables and cookie else None,
        "crash_dump": crash_dump(variables, inside, base) if variables else None,
        "kernel": configured(arguments, inside) if arguments else None,
        "program": elf.protections(f"{base}/exe"),
        "replaceable_by": programs.replaceable_by(base, outside(inside), otp_root) if machine else None,
        "libraries": programs.libraries(base, outside(inside), otp_root) if machine else None,
        "shadowing": programs.shadowing(_path_of(variables), outside(inside), otp_root) if machine and variables and otp_root else None,
        "system_writable": system_writable(inside) if machine else None,
        "start_files": _start_files(base, inside, arguments, variables) if machine and variables else None,
        "groups": groups(proc.read(f"{base}/status")),
        "elsewhere": mounts_and_setuid.differing(arguments, variables, home, inside) if machine and variables else None,
        "privileged_programs": mounts_and_setuid.privileged_programs(_program_directories(base, inside)) if machine else None,
        "libcrypto": libcrypto(base, inside) if machine else None,
        "release_cookie": release_cookie(f"{inside}{otp_root}", cookie or variables.get("RELEASE_COOKIE")) if machine else None,
        "traced_by": _traced_by(base, root),
        "replaced": _replaced(base),
        "open_logs": open_logs(base),
        **(options_of(arguments, inside) if arguments else {"server": None, "client": None, "options_read": None}),
        **_peers(base, root, frozenset(listening)),
    }


def _status(status: bytes) -> dict[str, object]:
    found = {name.decode(): value for name, value in _STATUS.findall(status)}
    mask = int(found["CapEff"], 16) if "CapEff" in found else None
    return {
        "no_new_privileges": found["NoNewPrivs"] == b"1" if "NoNewPrivs" in found else None,
        "seccomp": int(found["Seccomp"]) if "Seccomp" in found else None,
        "capabilities": None if mask is None else capability_names(mask),
    }


def _path_of(variables: Mapping[str, bytes]) -> str:
    return variables.get("PATH", b"").decode("utf-8", "replace")


def _replaced(base: str) -> bool | None:
    """Whether the program of a process is no longer the file on disk."""
    try:
        return os.readlink(f"{base}/exe").endswith(" (deleted)")
    except OSError:
        return None


def _traced_by(base: str, root: str) -> str | None:
    """The program that traces a process, or one of its threads, with its pid (ptrace(2)): empty where none does, None if unknown."""
    threads = glob.glob(f"{base}/task/[0-9]*/status") or [f"{base}/status"]
    pids = {int(number) for path in threads for number in _TRACER.findall(proc.read(path))}
    names = (f"{proc.read(f'{root}/{pid}/comm').decode('utf-8', 'replace').strip() or 'a program'} (pid {pid})" for pid in sorted(pids) if pid)
    return next(names, "") if pids else None


def system_writable(inside: str) -> bool | None:
    """Whether a process sees the file system of /usr as writable: systemd mounts it read-only for it, with ProtectSystem=. None if unknown."""
    try:
        return not os.statvfs(f"{inside}/usr").f_flag & os.ST_RDONLY if inside else None
    except OSError:
        return None


def groups(status: bytes) -> list[str] | None:
    """The groups of a process, supplementary ones included, by name."""
    found = {int(number) for line in _GROUPS.findall(status) for number in line.split()}
    return sorted(map(group_name, found)) if found else None


def _start_files(base: str, inside: str, arguments: Sequence[str], variables: Mapping[str, bytes]) -> list[dict[str, object]] | None:
    texts = {name: value.decode("utf-8", "replace") for name, value in variables.items()}
    root, _slash, pid = base.rpartition("/")
    began = proc.began(int(pid), root)
    try:
        user = os.stat(base).st_uid
    except OSError:
        return None
    return start_files.describe(arguments, texts, outside(inside), traces(arguments, inside), proc_cwd(base), began, user)


def _program_directories(base: str, inside: str) -> list[str]:
    """The directory of the running program, and of those that it starts: both are of erts."""
    try:
        return [f"{outside(inside)}{os.path.dirname(os.readlink(f'{base}/exe').partition(' (deleted)')[0])}"]
    except OSError:
        return []


def outside(inside: str) -> str:
    """Where a process's file system begins, empty where it is the host's own: a sandbox has other mounts, and the same root."""
    try:
        return "" if not inside or os.path.samefile(inside, "/") else inside
    except OSError:
        return inside


def capability_names(mask: int) -> list[str]:
    """The names of a set of capabilities (capabilities(7)), of unknown ones their number."""
    return [_CAPABILITIES[bit] if bit < len(_CAPABILITIES) else f"cap_{bit}" for bit in range(mask.bit_length()) if mask >> bit & 1]


def switches(arguments: Sequence[str]) -> list[str]:
    """What the flags of a VM or EPMD switch on, see Hardening.switches."""
    found = {_SWITCHES[flag] for flag, _values in flags_of(arguments[1:]) if flag in _SWITCHES}
    found |= {values[0] for flag, values in flags_of(arguments[1:]) if flag == "-mode" and values[:1] == ["embedded"]}
    return sorted(found)


def in_environment(values: Iterable[bytes], cookie: bytes) -> bool | None:
    """Whether a variable holds the cookie; None where it is so short that it is in them by chance."""
    return any(cookie in value for value in values) if len(cookie) >= SHORTEST_NEEDLE else None


def holds_one(text: bytes, cookies: Iterable[bytes]) -> bool:
    """Whether the arguments or the environment of a process hold a cookie that is not so short that it is in them by chance."""
    return any(len(cookie) >= SHORTEST_NEEDLE and cookie in text for cookie in cookies)


def crash_dump(variables: Mapping[str, bytes], inside: str, base: str) -> str | None:
    """Where a crash dump would go; None where its directory cannot be looked at. See erl(1), ERL_CRASH_DUMP and ERL_CRASH_DUMP_SECONDS."""
    if variables.get("ERL_CRASH_DUMP_SECONDS", b"").strip() == b"0" or variables.get("ERL_CRASH_DUMP_BYTES", b"").strip() == b"0":
        return "off"
    path = variables.get("ERL_CRASH_DUMP", b"").decode("utf-8", "replace")
    if not path:
        return "default"
    if path == "/dev/null":
        return "off"
    directory = os.path.dirname(path) if path.startswith("/") else f"{proc_cwd(base)}/{os.path.dirname(path)}".rstrip("/")
    # The VM makes its dump with mode 0640: whoever may enter the directory reads it as a member of its group.
    try:
        others = entering(f"{inside}{directory or '/'}") - {user_name(os.stat(base).st_uid)}
        status = os.stat(base)
    except OSError:
        return None
    return "shared" if EVERYBODY in others or others & members(status.st_gid) else "private"


def proc_cwd(base: str) -> str:
    try:
        return os.readlink(f"{base}/cwd")
    except OSError:
        return ""


def configured(arguments: Sequence[str], inside: str) -> dict[str, str] | None:
    """Parameters of the application kernel in the configuration files of a VM: literal values of known names. None where a file cannot be read."""
    found: dict[str, str] = {}
    for flag, values in flags_of(arguments[1:]):
        for name in values if flag == "-config" else ():
            path = f"{inside}{name if name.endswith('.config') else f'{name}.config'}"
            try:
                with open(path, encoding="utf-8", errors="replace") as stream:
                    text = stream.read(_CONFIG_MAX)
            except OSError:
                return None
            text = re.sub(r"^\s*%.*$", "", text, flags=re.MULTILINE)
            found.update((key, value.strip("'")) for key, value in _PARAMETER.findall(text) if key in KERNEL_PARAMETERS)
    return found


def libcrypto(base: str, inside: str) -> str | None:
    """Version of the OpenSSL that a VM has loaded. Empty where it has loaded none, None where that cannot be read."""
    maps = proc.read(f"{base}/maps").decode("utf-8", "replace")
    if not maps:
        return None
    paths = sorted(set(_LIBRARY.findall(maps)), key=lambda path: "libcrypto" not in path)
    for path in paths:
        try:
            with open(f"{inside}{path}", "rb") as stream:
                match = _OPENSSL.search(stream.read(_LIBRARY_MAX))
        except OSError:
            continue
        if match:
            return match.group(1).decode()
    return None if paths else ""


def release_cookie(root: str, cookie: bytes | None) -> str | None:
    """What releases/COOKIE of a release is to its node: "none", "used" (it holds the cookie in force), "other"; None if unknown."""
    path = f"{root}/releases/COOKIE"
    if not os.path.exists(path):
        return "none"
    found = proc.read(path).strip()
    if not found or cookie is None:
        return None
    return "used" if found == cookie else "other"


def open_logs(base: str) -> list[str] | None:
    """The log files that a process writes and every user of the host can read."""
    found = set()
    able = Readers()
    try:
        names = os.listdir(f"{base}/fd")
    except OSError:
        return None
    for name in names:
        try:
            target = os.readlink(f"{base}/fd/{name}")
            if not target.startswith("/") or target.startswith(("/dev/", "/proc/")) or not _LOG_NAMES.search(target):
                continue
            if EVERYBODY in able.of(target):
                found.add(target)
        except OSError:
            continue
    return sorted(found)


def _peers(base: str, root: str, listening: frozenset[int]) -> dict[str, object]:
    """Established TCP connections with other hosts: the own listening ports that have some, and how many lead elsewhere."""
    inodes = set()
    try:
        for name in os.listdir(f"{base}/fd"):
            try:
                target = os.readlink(f"{base}/fd/{name}")
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        return {"incoming": None, "outgoing": None}
    table = proc.sockets(_ESTABLISHED, root)
    if table is None:
        return {"incoming": None, "outgoing": None}
    own = [one for one in table if one.inode in inodes and one.remote[0] != one.local[0] and not one.remote[0].startswith("127.")]
    return {
        "incoming": sorted({one.local[1] for one in own if one.local[1] in listening}),
        "outgoing": sum(one.local[1] not in listening for one in own),
    }
