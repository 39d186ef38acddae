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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from . import commands, proc

CONFIGURATIONS: Mapping[str, tuple[str, ...]] = {
    "haproxy": ("/etc/haproxy/*.cfg", "/etc/haproxy/conf.d/*.cfg"),
    "nginx": ("/etc/nginx/nginx.conf", "/etc/nginx/*.d/*", "/etc/nginx/sites-enabled/*", "/etc/nginx/*/*.conf"),
    "rinetd": ("/etc/rinetd.conf",),
    "stunnel": ("/etc/stunnel/*.conf",),
    "xinetd": ("/etc/xinetd.conf", "/etc/xinetd.d/*"),
    "envoy": ("/etc/envoy/*.yaml",),
    "traefik": ("/etc/traefik/*", "/etc/traefik/conf.d/*"),
}
"""Configuration files of programs that forward, by the beginning of the program's name."""
SOCKET_PROXY = "systemd-socket-proxyd"
_UNITS = ("/etc/systemd/system/*.service", "/run/systemd/transient/*.service", "/run/systemd/system/*.service")
_LARGEST = 1 << 20
_MOST = 50
# An address or name and the port behind it. What follows the port must not make it a part of an address.
_PAIR = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::|[ \t]+)(\d{4,5})(?![\w.-])")
_COMMENT = re.compile(r"^\s*[#;].*$", re.MULTILINE)
_TRANSLATES = ("dnat", "redirect", "tproxy")
_SAVED = re.compile(r"^-A (\S+) .*-j (?:DNAT|REDIRECT|TPROXY)\b.*$", re.MULTILINE)
_SAVED_TO = re.compile(r"--to-destination (\[[^\]]+\]|[^:\s-]+)?(?:-[^:\s]+)?(?::(\d+))?|--(?:to-ports|on-port) (\d+)")
_SAVED_PORT = re.compile(r"--dports? (\d+)")


def describe(
    objects: Iterable[Mapping[str, Any]] | None, listeners: Iterable[Mapping[str, object]] | None, ports: Collection[int]
) -> list[dict[str, object]] | None:
    """[{by, where, address, port}] of what leads to one of the ports. address: None where it is the host's own. None where it is not known.

    objects: of the kernel's nftables. listeners: of the host.
    """
    if listeners is None:
        return None
    names = _names(_text("/etc/hosts"))
    found = [*_programs(listeners), *_socket_proxies(), *of_rules(objects or ()), *_of_iptables(objects or ())]
    said: list[dict[str, object]] = []
    for by, where, address, port in found:
        one: dict[str, object] = {"by": by, "where": where, "address": names.get(address or "", address), "port": port}
        if port in ports and one not in said:
            said.append(one)
    return said[:_MOST]


def pairs(text: str) -> set[tuple[str, int]]:
    """Every address or name with a port of four digits or more behind it, as 10.0.0.1:9100 and as 10.0.0.1 9100."""
    return {(address.strip("[]").lower(), int(port)) for address, port in _PAIR.findall(text)}


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


def _programs(listeners: Iterable[Mapping[str, object]]) -> Iterator[tuple[str, str, str | None, int]]:
    """Of programs that listen. A VM and an EPMD are no such programs."""
    for pid in sorted({int(str(one["pid"])) for one in listeners if one["pid"] not in (None, 1)}):
        process = proc.describe(pid)
        if process is None or process.process == "epmd" or process.process.startswith("beam"):
            continue
        by = f"{process.process} (pid {pid}, {process.unit or 'no unit'})"
        arguments = proc.read(f"/proc/{pid}/cmdline").decode("utf-8", "replace").replace("\0", " ")
        yield from ((by, "its arguments", address, port) for address, port in pairs(arguments))
        for name, patterns in CONFIGURATIONS.items():
            if process.process.startswith(name):
                for path in sorted({path for pattern in patterns for path in glob.glob(pattern) if os.path.isfile(path)}):
                    yield from ((by, path, address, port) for address, port in pairs(_COMMENT.sub("", _text(path))))


def _socket_proxies() -> Iterator[tuple[str, str, str | None, int]]:
    """Of units that start when somebody connects: until then there is no process."""
    for path in sorted(path for pattern in _UNITS for path in glob.glob(pattern)):
        text = _COMMENT.sub("", _text(path))
        if SOCKET_PROXY in text:
            yield from ((os.path.basename(path), path, address, port) for address, port in pairs(text))


def of_rules(objects: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str | None, int]]:
    """Of rules of nftables that lead packets elsewhere. A rule that names no new port keeps the ones that it is about."""
    for rule in (entry["rule"] for entry in objects if isinstance(entry.get("rule"), Mapping)):
        where = f"table {rule.get('family')} {rule.get('table')}, chain {rule.get('chain')}"
        matched: list[int] = []
        for statement in rule.get("expr") or ():
            kind, body = next(iter(statement.items()), ("", None))
            said: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
            left = said.get("left")
            if isinstance(left, Mapping) and isinstance(left.get("payload"), Mapping) and left["payload"].get("field") == "dport":
                matched = _numbers(said.get("right"))
            elif kind in _TRANSLATES:
                address = said.get("addr")
                for port in _numbers(said.get("port")) or matched:
                    yield f"a rule with {kind}", where, address if isinstance(address, str) else None, port


def _numbers(value: object) -> list[int]:
    if isinstance(value, Mapping) and isinstance(value.get("set"), Sequence):
        return [number for one in value["set"] for number in _numbers(one)]
    if isinstance(value, Mapping) and isinstance(value.get("range"), Sequence):
        first, last = value["range"]
        return list(range(first, last + 1)) if isinstance(first, int) and isinstance(last, int) else []
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


def _of_iptables(objects: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str | None, int]]:
    """Of rules that iptables made. nft lists those of iptables-nft without what they do, and those of iptables-legacy not at all."""
    if any("xt" in statement for entry in objects for statement in (entry.get("rule") or {}).get("expr") or ()):
        yield from of_saved(commands.output("iptables-save", "-t", "nat") or "", "iptables")
        yield from of_saved(commands.output("ip6tables-save", "-t", "nat") or "", "ip6tables")
    for tables, program in (("/proc/net/ip_tables_names", "iptables-legacy-save"), ("/proc/net/ip6_tables_names", "ip6tables-legacy-save")):
        # Without this look it would load the table that it lists.
        if "nat" in _text(tables).split():
            yield from of_saved(commands.output(program, "-t", "nat") or "", program.replace("-save", ""))


def of_saved(text: str, program: str) -> Iterator[tuple[str, str, str | None, int]]:
    """The same of the output of iptables-save."""
    for match in _SAVED.finditer(text):
        to = _SAVED_TO.search(match.group(0))
        ports = [int(port) for port in (to.group(2), to.group(3)) if port] if to else []
        ports = ports or [int(port) for port in _SAVED_PORT.findall(match.group(0))]
        yield from ((f"a rule of {program}", f"table nat, chain {match.group(1)}", to.group(1) if to else None, port) for port in ports)
