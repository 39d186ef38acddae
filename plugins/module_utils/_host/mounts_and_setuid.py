# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process sees otherwise than the host: files in its own mounts; and programs that give more than their caller has.

Private to this collection. A unit has mounts of its own (BindPaths=, TemporaryFileSystem=, RootDirectory=): the file that a check has read need not
be the one that the node reads at the same path.
"""

from __future__ import annotations

import glob
import os
import re
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import proc
from .programs import mapped
from .vm_flags import value_of

_TREE = re.compile(r"/etc/beam/[^/\s'\"]+")
_MOUNTED = re.compile(r"^(?:\S+ ){4}(\S+) ", re.MULTILINE)
_OCTAL = re.compile(r"\\([0-7]{3})")
_MOST = 1000
_CAPABILITY = "security.capability"
_MIGHTY = sum(1 << bit for bit in (0, 1, 2, 3, 6, 7, 16, 17, 19, 21, 27, 31))
"""Capabilities with which a program reads every file: chown, dac_override, dac_read_search, fowner, setgid, setuid, sys_module, sys_rawio,
sys_ptrace, sys_admin, mknod, setfcap (capabilities(7))."""
_OF_PACKAGES = ("bwrap", "newgidmap", "newuidmap", "snap-confine", "suexec", "systemd-detect-virt")
"""Programs that distributions give such capabilities."""
LENDERS = (
    ("/usr/bin", 1), ("/usr/sbin", 1), ("/bin", 1), ("/sbin", 1), ("/opt", 3), ("/usr/local", 3), ("/srv", 3), ("/home", 3), ("/tmp", 2),
    ("/var/tmp", 2), ("/dev/shm", 1), ("/run", 1), ("/var/lib", 2), ("/usr/lib", 3), ("/usr/libexec", 3),
)
"""Trees in which programs are, and how many levels of them."""
_NO_PACKAGES = ("/usr/local/", "/srv/", "/home/", "/tmp/", "/var/tmp/", "/dev/shm/", "/run/", "/var/lib/")
"""Where no package installs a program with the rights of root."""
_HELPERS = ("/usr/lib/", "/usr/libexec/")
"""Where packages have programs that users do not start. What capabilities they give these is theirs."""
_USUAL = frozenset(
    """
    Xorg.wrap at bwrap chage chfn chsh crontab doas exim4 expiry fping fping6 fusermount fusermount3 gpasswd mount mount.cifs mount.nfs newgidmap
    newgrp newuidmap ntfs-3g passwd ping ping6 pkexec polkit-agent-helper-1 pppd screen ssh-keysign su su-rs sudo sudo-rs sudoedit umount umount.nfs
    chrome-sandbox dbus-daemon-launch-helper nvidia-modprobe vmware-user-suid-wrapper
    """.split()
)
"""Programs that distributions give the rights of root."""
_NEVER = re.compile(
    r"(?:ash|awk|base64|bash|busybox|cat|chmod|chown|cp|csh|curl|dash|dd|ed|emacs|env|erl|escript|find|[gm]awk|gdb|git|head|install|ip|ksh|less|man|more|"
    r"mv|nano|nc|ncat|nsenter|openssl|rsync|sed|sh|socat|ssh|strace|systemctl|systemd-run|tail|tar|tee|unshare|unzip|vi|wget|xargs|xxd|zip|zsh|"
    r"(?:lua|node|perl|php|python|ruby|tclsh|vim)[\d.]*(?:\.[a-z]+)?)"
)
"""Programs with which anybody does anything, so that no package gives them the rights of root."""
PACKAGES = "/var/lib/dpkg/info/*.list"


def differing(arguments: Sequence[str], variables: Mapping[str, bytes], home: str, inside: str) -> list[str] | None:
    """The files of a node, in its directories below /etc/beam and its cookie file, and its OTP, program and libraries, that are not the host's at the
    same path. None if unknown.

    inside: where the process's file system begins, as /proc/PID/root.
    """
    if not inside:
        return None
    words = [*arguments, *(value.decode("utf-8", "replace") for name, value in variables.items() if name.startswith("ERL_"))]
    trees = {tree for word in words for tree in _TREE.findall(word)}
    trees = {tree for tree in trees if os.path.isdir(tree) or os.path.isdir(f"{inside}{tree}")}
    return differing_in(sorted(trees), f"{home}/.erlang.cookie", inside, _programs(value_of(arguments, "-root") or "", inside))


def _programs(otp_root: str, inside: str) -> set[str]:
    """The program of a process, its libraries, its OTP, and what is mounted below that. Empty where its file system is not the host's: there nothing
    is at the same path."""
    base = inside.rpartition("/")[0]
    try:
        if not os.path.samefile(inside, "/"):
            return set()
        program = os.readlink(f"{base}/exe").partition(" (deleted)")[0]
    except OSError:
        return set()
    top = os.path.realpath(otp_root) if otp_root.startswith("/") else ""
    mounted = (_OCTAL.sub(lambda match: chr(int(match.group(1), 8)), place) for place in _MOUNTED.findall(proc.text_of(f"{base}/mountinfo") or ""))
    found = {program, *mapped(proc.read(f"{base}/maps").decode("utf-8", "replace")), *({top} if top else ())}
    return found | {place for place in mounted if top.strip("/") and place.startswith(f"{top}/")}


def differing_in(trees: Iterable[str], cookie_file: str, inside: str, more: Iterable[str] = ()) -> list[str] | None:
    paths = {cookie_file, *more} if cookie_file.startswith("/") else set(more)
    for tree in trees:
        paths.update(_below(tree))
        paths.update(path[len(inside) :] for path in _below(f"{inside}{tree}"))
    if len(paths) > _MOST:
        return None
    try:
        return sorted(path for path in paths if _identity(path) != _identity(f"{inside}{path}"))
    except OSError:
        return None


def _below(tree: str) -> Iterator[str]:
    for directory, _directories, names in os.walk(tree):
        yield from (os.path.join(directory, name) for name in names)


def _identity(path: str) -> tuple[int, int] | None:
    """Device and number of a file; None where it is not there. Raises OSError where that cannot be seen."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def privileged_programs(directories: Iterable[str]) -> list[str] | None:
    """The programs in some directories that give rights to whoever starts them: "PATH (setuid)", "PATH (setgid)", "PATH (capabilities)"."""
    found = []
    for directory in sorted(set(filter(None, directories))):
        try:
            names = sorted(os.listdir(directory))
        except FileNotFoundError:
            continue
        except OSError:
            return None
        for path in (os.path.join(directory, name) for name in names):
            try:
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode):
                    found += [f"{path} ({kind})" for kind in _gives(path, status.st_mode)]
            except FileNotFoundError:
                continue
            except OSError:
                return None
    return found


def lenders(uid: int, trees: Iterable[tuple[str, int]] = LENDERS, elsewhere: tuple[str, ...] = _NO_PACKAGES) -> list[str] | None:
    """The programs that give everybody the rights of a user, or those to read its files: "PATH (setuid)", "PATH (capabilities)". None if unknown."""
    found: set[str] = set()
    for tree, levels in trees:
        top = os.path.realpath(tree)
        for directory, below, names in os.walk(top):
            if directory[len(top) :].count("/") >= levels - 1:
                below.clear()
            for path in (os.path.join(directory, name) for name in names):
                try:
                    status = os.lstat(path)
                    if not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o011:
                        continue
                    setuid = status.st_mode & stat.S_ISUID and (status.st_uid == uid or not status.st_uid and _is_strange(path, elsewhere))
                    mighty = not path.startswith(_HELPERS) and _reads_all(path, path.startswith(elsewhere))
                    if (setuid or mighty) and not os.statvfs(path).f_flag & os.ST_NOSUID:
                        found.add(f"{path} ({'setuid' if setuid else 'capabilities'})")
                except FileNotFoundError:
                    continue
                except OSError:
                    return None
    return sorted(found)


def _is_strange(path: str, elsewhere: tuple[str, ...]) -> bool:
    """Whether no package has installed a program with the rights of root there."""
    name = os.path.basename(path)
    return path.startswith(elsewhere) or _NEVER.fullmatch(name) is not None or name not in _USUAL and not _is_packaged(path)


def _is_packaged(path: str) -> bool:
    """Also under the name from before /usr was merged. True where there are no lists of packages."""
    lines = [f"\n{name}\n".encode() for name in (path, path[len("/usr") :] if path.startswith("/usr/") else path)]
    lists = glob.glob(PACKAGES)
    return not lists or any(line in proc.read(one) for one in lists for line in lines)


def _reads_all(path: str, of_nobody: bool) -> bool:
    """Whether a file gives one of _MIGHTY to who starts it (struct vfs_cap_data in linux/capability.h), and is none of those that packages bring.
    of_nobody: it lies where no package installs one."""
    if not of_nobody and os.path.basename(path) in _OF_PACKAGES:
        return False
    try:
        raw = os.getxattr(path, _CAPABILITY)
        return bool(struct.unpack_from("<I", raw, 4)[0] & _MIGHTY)
    except (OSError, struct.error):
        return False


def _gives(path: str, mode: int) -> Iterator[str]:
    if mode & stat.S_ISUID:
        yield "setuid"
    if mode & stat.S_ISGID and mode & stat.S_IXGRP:
        yield "setgid"
    try:
        if os.getxattr(path, _CAPABILITY):
            yield "capabilities"
    except OSError:
        # No such attribute, or a file system that has none.
        return
