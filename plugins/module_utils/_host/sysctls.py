# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the kernel at the next boot, by an allow list: what systemd-sysctl reads, the kernel's command line, systemd-networkd, and commands in
what runs at boot or when an interface comes up.

Private to this collection. Sources: sysctl.d(5), systemd.network(5), the kernel's documentation of its parameters (sysctl.*=), interfaces(5).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from glob import glob

from . import job_files, proc

DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
"""In the order of their rank: of files with the same name the first one counts. Among others the name decides, and the last one counts."""
BOOT_LOADER = (
    "/proc/cmdline", "/etc/default/grub", "/etc/default/grub.d/*.cfg", "/etc/kernel/cmdline", "/boot/grub/grub.cfg", "/boot/loader/entries/*.conf",
    "/boot/efi/loader/entries/*.conf", "/efi/loader/entries/*.conf", "/boot/firmware/cmdline.txt",
)
"""Where the command line of the kernel comes from."""
NETWORKS = ("/etc/systemd/network", "/run/systemd/network", "/usr/local/lib/systemd/network", "/usr/lib/systemd/network")
_NAMES = r"kernel[./]core_pattern|net[./]ipv4[./]conf[./][^\s=\"']+?[./]route_localnet"
_KNOWN = re.compile(_NAMES.replace("[./]", r"\."))
_LINE = re.compile(r"^[ \t]*-?([\w./*?-]+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*[#;].*$", re.MULTILINE)
_PARAMETER = re.compile(rf"(?<![\w.-])sysctl[./]({_NAMES})=(?:\\?\"([^\"\\\n]*)|([^\s\"']*))")
_COMMAND = re.compile(rf"\bsysctl\b[^\n;|&]*?[ \t\"']({_NAMES})[\"']?[ \t]*=[ \t]*(?:\"([^\"\n]*)|'([^'\n]*)|([^\s\"';&]*))")
_LOADED = re.compile(r"\bsysctl\b[^\n;|&]*?[ \t](?:-\w*p|-f|--load)[ \t=]*(/[^\s;|&\"']+)")
_WRITTEN = re.compile(rf"\becho[ \t]+(?:-n[ \t]+)?('[^'\n]*'|\"[^\"\n]*\"|[^\n|>]*?)[ \t]*(?:>>?|\|[^\n;&]*\btee)[ \t]*[\"']?/proc/sys/({_NAMES})\b")
_INTERFACE = re.compile(r"^[ \t]*Name[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_LOCALNET = re.compile(r"^[ \t]*IPv4RouteLocalnet[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_TRUE = ("1", "yes", "y", "true", "t", "on")


def at_boot(
    directories: Sequence[str] = DIRECTORIES,
    loader: Iterable[str] = BOOT_LOADER,
    networks: Sequence[str] = NETWORKS,
    jobs: Iterable[str] = job_files.PLACES,
) -> list[dict[str, str]] | None:
    """[{name, value, where}] of the known settings. None where a file cannot be read. Only files of systemd-sysctl take back what others set: the
    command line of the kernel comes before them."""
    found: dict[str, dict[str, str]] = {}
    for path in (path for pattern in loader for path in sorted(glob(pattern))):
        for name, quoted, plain in _PARAMETER.findall(_COMMENT.sub("", proc.text_of(path) or "")):
            found.setdefault(_dotted(name), _setting(name, quoted or plain, path))
    for path in _ranked(directories, "*.conf"):
        text = proc.text_of(path)
        if text is None:
            if os.path.exists(path):
                return None
            continue
        found.update({one["name"]: one for one in _lines(text, path)})
    later = [*_of_networkd(networks), *_of_commands(jobs)]
    return [found[name] for name in sorted(found)] + [one for number, one in enumerate(later) if one not in later[:number]]


def _ranked(directories: Sequence[str], pattern: str) -> list[str]:
    """Of files with one name that in the first directory, in the order of their names."""
    files: dict[str, str] = {}
    for directory in directories:
        for path in sorted(glob(f"{directory}/{pattern}")):
            files.setdefault(path[len(directory) :], path)
    return [path for _name, path in sorted(files.items())]


def _dotted(key: str) -> str:
    """The first separator says which one it is: a slash within a name of an interface may be a dot."""
    separated = re.search(r"[./]", key)
    return key.replace("/", ".") if separated and separated.group(0) == "/" else key


def _setting(name: str, value: str, where: str) -> dict[str, str]:
    return {"name": _dotted(name), "value": value, "where": where}


def _lines(text: str, where: str) -> Iterator[dict[str, str]]:
    yield from (_setting(key, value, where) for key, value in _LINE.findall(text) if _KNOWN.fullmatch(_dotted(key)))


def _of_networkd(directories: Sequence[str]) -> Iterator[dict[str, str]]:
    for path in _ranked(directories, "*.network"):
        # The last word is that of the last drop-in.
        parts = [path, *_ranked(directories, f"{os.path.basename(path)}.d/*.conf")]
        read = {part: proc.text_of(part) or "" for part in parts}
        said = [(value.lower(), part) for part in parts for value in _LOCALNET.findall(read[part])]
        if said and said[-1][0] in _TRUE:
            names = [name for part in parts for name in _INTERFACE.findall(read[part])]
            yield _setting(f"net.ipv4.conf.{names[0].split()[0] if names and names[0] else '*'}.route_localnet", "1", said[-1][1])


def _of_commands(jobs: Iterable[str]) -> Iterator[dict[str, str]]:
    """What sysctl is told, the files that it is given, and what is written to /proc/sys. What a variable from elsewhere says is not known."""
    for path, text, _job in job_files.texts(jobs):
        if "sysctl" not in text and "/proc/sys/" not in text:
            continue
        text = job_files.expanded(text)
        said = [(name, "".join(values)) for name, *values in _COMMAND.findall(text)]
        said += [(name, value.strip(" \t\"'")) for value, name in _WRITTEN.findall(text)]
        yield from (_setting(name, value, path) for name, value in said if "$" not in value)
        for loaded in _LOADED.findall(text):
            yield from _lines(proc.text_of(loaded) or "", loaded)
