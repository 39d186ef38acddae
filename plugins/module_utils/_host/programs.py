# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The native code of a VM: its program, the programs and boot files of its OTP, the libraries that it has loaded, and who can replace each.

Private to this collection. Sources: proc_pid_maps(5), ld.so(8), ldconfig(8).
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator

from . import proc
from .start_files import who

PRELOAD, LOADER = "/etc/ld.so.preload", "/etc/ld.so.conf"
_INCLUDES_DEEP = 4
_OF_SYSTEM = ("/usr/", "/lib/", "/lib32/", "/lib64/", "/libx32/", "/bin/", "/sbin/", "/nix/store/", "/gnu/store/")
_LOCAL = "/usr/local/"
_OF_BOARD = re.compile(r"/usr/lib/[\w-]+/libarmmem[\w.${}-]*\.so")
"""What Raspberry Pi OS preloads on every board."""
_PARTS = ("bin/*", "erts-*/bin/*", "releases/*/*.boot", "releases/*.boot")
"""Programs and boot files of an OTP or a release, below its root."""
_OF_OTP = ("erl", "epmd", "escript")
_SYSTEM_PROGRAMS = ("/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/")
_MAPPED = re.compile(r"^[0-9a-f]+-[0-9a-f]+ ..x. [0-9a-f]+ \S+ [1-9][0-9]*\s+(/[^\n]*)$", re.MULTILINE)
_NO_LIBRARY = ("/memfd:", "/dev/", "/SYSV")


def replaceable_by(base: str, root: str, otp_root: str) -> list[str] | None:
    """Users beside root who may write the program of a process, its OTP or release, or a program in it, each with the first such path:
    "games (/opt/otp/bin)". None where they cannot be looked at. root: where the process's file system begins, empty where it is the host's own."""
    try:
        program = os.readlink(f"{base}/exe").partition(" (deleted)")[0]
    except OSError:
        return None
    places = [program, otp_root, f"{otp_root}/lib", f"{otp_root}/releases", f"{otp_root}/bin", os.path.dirname(program)]
    patterns = [f"{root}{glob.escape(otp_root)}/{part}" for part in _PARTS] if otp_root else []
    # Of another file system than ours, a link leads within it: what it leads to is looked at by its own name.
    matching = (path for pattern in patterns for path in sorted(glob.glob(pattern)) if os.path.isfile(path))
    files = [path[len(root) :] for path in matching if not (root and os.path.islink(path))]
    found: dict[str, str] = {}
    for path in dict.fromkeys(filter(None, (*places, *files))):
        try:
            for user in who(path, root):
                found.setdefault(user, path)
        except OSError:
            return None
    return [f"{user} ({path})" for user, path in sorted(found.items())]


def libraries(base: str, root: str, otp_root: str) -> list[dict[str, object]] | None:
    """[{path, by, elsewhere}] of the libraries that a process has loaded: those that users beside root can replace (by), and those from outside of
    the system and its OTP (elsewhere), and those that the loader is led to instead of them (later). None where they cannot be looked at."""
    maps = proc.read(f"{base}/maps").decode("utf-8", "replace")
    if not maps:
        return None
    found: list[dict[str, object]] = []
    loaded = mapped(maps)
    later = [path for path in _waiting({name for path in loaded for name in _asked_for(os.path.basename(path))}, root) if path not in loaded]
    for path in (*loaded, *later):
        try:
            by = sorted(who(path, root))
        except OSError:
            return None
        elsewhere = _is_elsewhere(path, otp_root)
        if path in later:
            found += [{"path": path, "by": by, "elsewhere": True, "later": True}] if elsewhere else []
        elif by or elsewhere:
            found.append({"path": path, "by": by, "elsewhere": elsewhere})
    return found


def _is_elsewhere(path: str, otp_root: str) -> bool:
    # The loader looks there first: such a library takes the place of the one that the OTP of a package was built with.
    beside = path.startswith(_LOCAL) and otp_root.startswith("/usr/lib/")
    return beside or not path.startswith((*_OF_SYSTEM, *((f"{otp_root.rstrip('/')}/",) if otp_root.strip("/") else ())))


def _asked_for(name: str) -> Iterator[str]:
    """The names by which a program may ask for a library: libz.so.1.3.1 is the file of libz.so.1 (ldconfig(8))."""
    while True:
        yield name
        name, number = re.sub(r"\.\d+$", "", name), name.rpartition(".")[2]
        if not number.isdigit() or name.endswith(".so"):
            return


def _waiting(names: Iterable[str], root: str) -> list[str]:
    """The libraries with one of the names in the directories to which the loader is led: ldconfig, which packages run, makes it look there first."""
    wanted = sorted(names)
    return [f"{place}/{name}" for place in _led_to(f"{root}{LOADER}", root, 0) for name in wanted if os.path.isfile(f"{root}{place}/{name}")]


def _led_to(pattern: str, root: str, deep: int) -> list[str]:
    """The directories of ld.so.conf, with those of the files that it includes (ldconfig(8))."""
    found = []
    for path in sorted(glob.glob(pattern)) if deep < _INCLUDES_DEEP else ():
        for line in re.sub(r"#.*", "", proc.text_of(path) or "").splitlines():
            words = line.split()
            if words[:1] == ["include"]:
                # Beside the file itself, where the name is not absolute.
                found += [one for word in words[1:] for one in _led_to(_beside(path, word, root), root, deep + 1)]
            else:
                found += [word.partition("=")[0].rstrip("/") for word in re.split(r"[\s:,]+", line) if word.startswith("/")]
    return list(dict.fromkeys(found))


def _beside(path: str, word: str, root: str) -> str:
    return f"{root}{word}" if word.startswith("/") else os.path.join(os.path.dirname(path), word)


def shadowing(path: str, root: str, otp_root: str) -> list[str]:
    """The programs that a shell finds before those of a VM's OTP, by its variable PATH: start scripts and tools run them. root: as above.

    erlexec puts the directories of its OTP in front of PATH for the VM. Those say nothing of what has started it.
    """
    places = [place for place in path.split(":") if place.startswith("/") and not _is_below(os.path.realpath(f"{root}{place}"), f"{root}{otp_root}")]
    found = []
    for name in _OF_OTP:
        first = next((f"{place}/{name}" for place in places if os.access(f"{root}{place}/{name}", os.X_OK)), None)
        # What a package has put there is compared with its sums.
        if first and not first.startswith(_SYSTEM_PROGRAMS) and not _is_below(os.path.realpath(f"{root}{first}"), f"{root}{otp_root}"):
            found.append(first)
    return found


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(f"{os.path.realpath(directory).rstrip('/')}/")


def mapped(maps: str) -> list[str]:
    """The files with code in the text of /proc/PID/maps. What was deleted since has no owner any more: running-vm tells of it."""
    paths = (path for path in _MAPPED.findall(maps) if not path.startswith(_NO_LIBRARY) and not path.endswith(" (deleted)"))
    return list(dict.fromkeys(paths))


def preloaded(path: str = PRELOAD) -> list[str] | None:
    """The libraries that the loader puts into every program of the host (ld.so(8)). None where that could not be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read(1 << 16)
    except FileNotFoundError:
        return []
    except OSError:
        return None
    return _named(re.sub(r"#.*", "", text).replace(":", " ").split())


def _named(words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if not _OF_BOARD.fullmatch(word)]
