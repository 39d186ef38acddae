# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What forwards connections on a host to other ports: programs that listen, by their arguments and configuration files, and rules of the kernel.

Private to this collection. A peer sees the host that forwards, which is a member: its firewall lets everybody in that this host lets in. Only
addresses and ports leave the host, and of these only the ports that are asked about.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from .._model.processes import is_beam
from .._wire.constants import EPMD_PORT
from . import forwarding_at_boot, proc, relays
from .forwarding_rules import of_kernel
from .jobs_of_node_users import UNITS

CONFIGURATIONS: Mapping[str, tuple[str, ...]] = {
    "haproxy": ("/etc/haproxy/*.cfg", "/etc/haproxy/conf.d/*.cfg"),
    "nginx": ("/etc/nginx/nginx.conf", "/etc/nginx/*.d/*", "/etc/nginx/*-enabled/*", "/etc/nginx/*/*.conf"),
    "rinetd": ("/etc/rinetd.conf",),
    "stunnel": ("/etc/stunnel/*.conf",),
    "xinetd": ("/etc/xinetd.conf", "/etc/xinetd.d/*"),
    "envoy": ("/etc/envoy/*.yaml",),
    "traefik": ("/etc/traefik/*", "/etc/traefik/conf.d/*"),
    "inetd": ("/etc/inetd.conf", "/etc/inetd.d/*"),
    "sniproxy": ("/etc/sniproxy.conf",),
    "caddy": ("/etc/caddy/*",),
    "frp": ("/etc/frp/*", "/etc/frpc.*"),
    "cloudflared": ("/etc/cloudflared/*", "/root/.cloudflared/*.y*ml"),
    "ngrok": ("/etc/ngrok*", "/opt/ngrok/*.y*ml", "/root/.config/ngrok/*.yml", "/home/*/.config/ngrok/*.yml"),
    "sslh": ("/etc/sslh.cfg", "/etc/sslh/*", "/etc/default/sslh"),
    "gost": ("/etc/gost/*",),
    "rathole": ("/etc/rathole/*", "/etc/rathole.toml"),
    "tor": ("/etc/tor/torrc", "/etc/tor/*.conf"),
    "ssh": ("/root/.ssh/config", "/home/*/.ssh/config", "/etc/ssh/ssh_config", "/etc/ssh/ssh_config.d/*.conf"),
}
"""Configuration files of programs that forward, by the beginning of the program's name."""
_OTHERS = ("sshd", "ssh-agent")
"""Beginnings of names of programs that do not read these files."""
TUNNELS = (
    "autossh", "bore", "chisel", "cloudflared", "frpc", "gost", "inlets", "inlets-pro", "nc", "ncat", "ngrok", "rathole", "socat", "ssh",
    "tailscaled", "websocat", "wstunnel", "zrok",
)
"""Programs that lead connections from another host to a port here without listening here: ssh -R, for example."""
_NAME_A_PORT = ("bore", "chisel", "frpc", "inlets", "ngrok")
"""Beginnings of names of those to which a port alone is one of this host."""
_EVERY_PORT = {"tailscaled": re.compile(r"--?tun[ =]userspace-networking\b")}
"""Those that connect to every port of this host for others, and the arguments that say so."""
SOCKET_PROXY = "systemd-socket-proxyd"
_UNITS = (*UNITS, "/usr/lib/systemd/system", "/lib/systemd/system")
_LARGEST = 1 << 20
_MOST = 50
# An address or name and the port behind it. What follows the port must not make it a part of an address.
_PAIR = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?:(?::|[ \t]+)(\d{4,5})|:(epmd))(?![\w.-])")
# The same with a key before each: { host: "10.0.0.1"; port: "9100"; }
_KEYED = re.compile(
    r"""(?i)\b(?:host|address|local_?ip)["']?\s*[:=]\s*["']?([\w.:-]+?)["']?[\s;,]+["']?(?:port|port_value|local_?port)["']?\s*[:=]\s*["']?"""
    r"(\d{4,5})\b"
)
_KEYED_PORT = re.compile(r"""(?im)(?<![\w-])(?:local_?port|connect|addr|hiddenserviceport)["']?\s*[:=\s]\s*["']?(\d{4,5})["']?[ \t]*(?:[;,}#]|$)""")
_REMOTE_PORT = re.compile(r"--?remote[\w-]*[= ]\S+")
_PORT = re.compile(r"(?<![\w.:-])(?:R:)?(\d{4,5})(?![\w.:-])")
_SERVICE = re.compile(r"^[ \t]*Service[ \t]*=[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_FILE = re.compile(r"^[ \t]*EnvironmentFile[ \t]*=[ \t]*-?(/\S+)[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*[#;].*$", re.MULTILINE)


def describe(
    objects: Iterable[Mapping[str, Any]] | None, listeners: Iterable[Mapping[str, object]] | None, ports: Collection[int]
) -> list[dict[str, object]] | None:
    """[{by, where, address, port}] of what leads to one of the ports. address: None where it is the host's own. None where it is not known.

    objects: of the kernel's nftables. listeners: of the host.
    """
    if listeners is None:
        return None
    names = _names(_text("/etc/hosts"))
    before = relays.connections()
    found = [*_programs(listeners, names, before.values()), *_on_demand(), *of_kernel(objects or ()), *forwarding_at_boot.of_files()]
    found += relays.of(before, relays.connections(), {int(str(one["pid"])) for one in listeners if one["pid"] is not None}, ports)
    said: list[dict[str, object]] = []
    for by, where, address, told in found:
        for port in sorted(ports) if told is None else [told]:
            one: dict[str, object] = {"by": by, "where": where, "address": names.get(address or "", address), "port": port}
            if port in ports and one not in said:
                said.append(one)
    return said[:_MOST]


def pairs(text: str) -> set[tuple[str, int]]:
    """Every address or name with a port of four digits or more, or that of EPMD, behind it, as 10.0.0.1:9100 and as 10.0.0.1 9100."""
    return {(address.strip("[]").lower(), EPMD_PORT if named else int(port)) for address, port, named in _PAIR.findall(text)}


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_LARGEST)
    except OSError:
        return ""


def _names(hosts: str) -> dict[str, str]:
    """Address by name, of the text of /etc/hosts."""
    found = {"localhost": "127.0.0.1"}
    for line in hosts.splitlines():
        words = line.partition("#")[0].split()
        for name in words[1:]:
            found.setdefault(name.lower(), words[0])
    return found


def keyed(text: str) -> set[tuple[str | None, int]]:
    """Every address or name and port with a key before each, and every port alone behind a key that says that it is one of this host."""
    found: set[tuple[str | None, int]] = {(address.lower(), int(port)) for address, port in _KEYED.findall(text)}
    return found | {(None, int(port)) for port in _KEYED_PORT.findall(_KEYED.sub(" ", text))}


def _programs(
    listeners: Iterable[Mapping[str, object]], names: Mapping[str, str], connections: Iterable[proc.Socket]
) -> Iterator[tuple[str, str, str | None, int | None]]:
    """Of programs that listen, that are connected to other hosts, or that make tunnels. A VM and an EPMD are no such programs."""
    own: dict[int, set[tuple[str, int]]] = {}
    for one in listeners:
        if one["pid"] not in (None, 1):
            own.setdefault(int(str(one["pid"])), set()).add((str(one["address"]), int(str(one["port"]))))
    for pid in sorted({*own, *_connected(connections), *_tunnels()}):
        process = proc.describe(pid)
        if process is None or process.process == "epmd" or is_beam(process.process):
            continue
        by = f"{process.process} (pid {pid}, {process.unit or 'no unit'})"
        arguments = proc.read(f"/proc/{pid}/cmdline").decode("utf-8", "replace").replace("\0", " ")
        if process.process in _EVERY_PORT and _EVERY_PORT[process.process].search(arguments):
            yield by, "its arguments", None, None
        said: list[tuple[str, str | None, int]] = [("its arguments", address, port) for address, port in sorted(pairs(arguments))]
        if process.process.startswith(_NAME_A_PORT):
            said += [("its arguments", None, int(port)) for port in _PORT.findall(_REMOTE_PORT.sub("", arguments))]
        for path in _configurations(process.process, arguments):
            text = _COMMENT.sub("", _text(path))
            said += [(path, address, port) for address, port in (*pairs(text), *keyed(text))]
        # Where it listens itself, it does not connect.
        here = own.get(pid, ())
        yield from ((by, where, address, port) for where, address, port in said if not any(
            port == listening and (address is None or at in ("0.0.0.0", "::", names.get(address, address))) for at, listening in here))


def _configurations(name: str, arguments: str) -> list[str]:
    """The configuration files of a program that forwards: the usual ones, and those that its arguments name."""
    patterns = [patterns for program, patterns in CONFIGURATIONS.items() if name.startswith(program) and not name.startswith(_OTHERS)]
    named = [word.rpartition("=")[2] for word in arguments.split()[1:]] if patterns else []
    paths = {path for several in patterns for pattern in several for path in glob.glob(pattern)}
    return sorted(path for path in {*paths, *(word for word in named if word.startswith("/"))} if os.path.isfile(path))


def _tunnels() -> set[int]:
    return {pid for pid in proc.pids() if proc.read(f"/proc/{pid}/comm").decode("utf-8", "replace").strip() in TUNNELS}


def _connected(connections: Iterable[proc.Socket]) -> set[int]:
    """The processes with a connection to another host."""
    inodes = {one.inode for one in connections if relays.elsewhere(one)}
    return {pid for pids in proc.owners(inodes).values() for pid in pids} - {1} if inodes else set()


def _on_demand() -> Iterator[tuple[str, str, str | None, int | None]]:
    """Of units that start when somebody connects: until then there is no process. Their standard input may be the connection itself."""
    started = set()
    for path in (path for directory in _UNITS for path in glob.glob(f"{directory}/*.socket")):
        stem = os.path.basename(path)[: -len(".socket")]
        started |= {f"{stem}.service", f"{stem}@.service", *_SERVICE.findall(_text(path))}
    files = [(path, os.path.basename(path)) for directory in _UNITS for path in glob.glob(f"{directory}/*.service")]
    files += [(path, os.path.basename(os.path.dirname(path))[: -len(".d")]) for one in _UNITS for path in glob.glob(f"{one}/*.service.d/*.conf")]
    for path, unit in sorted(set(files)):
        text = _COMMENT.sub("", _text(path))
        if unit in started or SOCKET_PROXY in text:
            text += "".join(_text(named) for named in _FILE.findall(text))
            yield from ((unit, path, address, port) for address, port in pairs(text))
