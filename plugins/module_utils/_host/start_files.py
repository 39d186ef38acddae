# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VM reads when it starts: its arguments, configuration, boot file, code and start scripts. Who can change it, and what has changed since.

Private to this collection. A start script and erlexec leave no trace of the argument files that they read (erl(1), -args_file), so that those of a
release are looked for where mix release and relx put them. Sources: init.erl, erlexec.c and inet_db.erl of OTP 25 to 29.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .._model.installed import DROP_IN, EPMD_SERVICE, GUARD
from .._term import TermError, consult, to_plain
from .records import ours
from .vm_flags import flags_of, value_of
from .writers import directories, user_name, writers

_LARGEST = 1 << 20
_MOST = 2000
_DEEPEST = 8
_FLAGS = ("ERL_AFLAGS", "ERL_FLAGS", "ERL_ZFLAGS")
_OF_RELEASE = ("releases/*", "releases/*/*", "bin/*")
_NAMED = {
    "RELEASE_VM_ARGS": "", "VMARGS_PATH": "", "RELEASE_SYS_CONFIG": ".config", "RELX_CONFIG_PATH": "", "ERL_INETRC": "", "RABBITMQ_CONF_ENV_FILE": "",
    "RABBITMQ_CONFIG_FILE": ".conf", "RABBITMQ_ADVANCED_CONFIG_FILE": ".config", "EJABBERDCTL_CONFIG_PATH": "", "EJABBERD_CONFIG_PATH": "",
}
"""Variables that name a file, and what the name lacks."""
OF_PRODUCTS = {
    "rabbitmq": (
        "/etc/rabbitmq/rabbitmq-env.conf", "/etc/default/rabbitmq-server", "/etc/rabbitmq/rabbitmq.conf", "/etc/rabbitmq/conf.d/*.conf",
        "/etc/rabbitmq/advanced.config", "/etc/rabbitmq/rabbitmq.config",
    ),
    "ejabberd": (
        "/etc/default/ejabberd", "/etc/ejabberd/ejabberdctl.cfg", "/etc/ejabberd/inetrc", "/etc/ejabberd/vm.args", "/etc/ejabberd/*.yml",
    ),
    "emqx": ("/etc/emqx/vm.args", "/etc/emqx/emqx.conf"),
    "vernemq": ("/etc/default/vernemq", "/etc/vernemq/vm.args", "/etc/vernemq/vernemq.conf"),
}
"""Files that the start scripts and nodes of distribution packages read. Their packages give some of their directories to the product's user."""

RUN = "/run"

_OF_STAFF = ("/usr/local/sbin", "/usr/local/bin")
_STAFF = "group staff"
"""Debian's group that may write these directories of everybody's PATH. It has no members; node-groups tells of a node's user that is one."""

_SECOND = 1.0
"""Start times of processes are known to the second."""


class Unreadable(Exception):
    """Something that leads to other files could not be read."""


def describe(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    inside: str = "",
    traces: Iterable[str] = (),
    directory: str = "",
    began: float | None = None,
    user: int | None = None,
) -> list[dict[str, object]] | None:
    """[{path, by, product, changed, missing}] of the files and directories that somebody beside root can change (by), that changed since the VM
    began, or that are named and not there; None where one could not be looked at.

    inside: where the process's file system begins ("" or "/proc/PID/root"). product: whether it is a file of OF_PRODUCTS.
    traces: the products that the VM shows. directory: in which it works. user: its number; what its own start writes has not changed.
    """
    if not arguments:
        return None
    found: list[dict[str, object]] = []
    own = {path for product in traces for path in _of_product(product, inside)}
    written = _written_at_start(arguments, variables)
    # Elixir removes what its configuration providers wrote there.
    temporary = tuple(f"{place.rstrip('/')}/" for place in _temporary(arguments, variables))
    try:
        for number, path in enumerate(dict.fromkeys((*_named(arguments, variables, inside, directory), *sorted(own)))):
            if number > _MOST:
                return None
            by, new = who(path, inside), changed(f"{inside}{path}", began, user if path.startswith(written) else None)
            if by or new:
                found.append({"path": path, "by": sorted(by), "product": path in own, "changed": new})
        # A module that is not loaded yet comes from the working directory first (code:get_path/0). The node's own user may put one there.
        places = [directory] if directory and not directory.endswith(" (deleted)") else []
        # And what a start script or the VM runs without a path is looked for in these.
        places += [place for place in variables.get("PATH", "").split(":") if place.startswith("/")]
        for place in dict.fromkeys(places):
            others = who(place, inside) - _same_user(user) - ({_STAFF} if place in _OF_STAFF else set())
            if others:
                found.append({"path": place, "by": sorted(others)})
        for path in dict.fromkeys(_required(arguments, variables, inside)):
            # Of another file system than ours, a link leads within it.
            if not path.startswith(temporary) and is_missing(f"{inside}{path}", follow=not inside):
                found.append({"path": path, "by": [], "missing": True})
        for product in traces:
            found += _removed_from(product, inside, began)
    except (OSError, Unreadable):
        return None
    return found


def _same_user(user: int | None) -> set[str]:
    """A user, and the group that has its name."""
    name = user_name(user) if user is not None else ""
    return {name, f"group {name}"} if name else set()


def _required(arguments: Sequence[str], variables: Mapping[str, str], inside: str) -> Iterator[str]:
    """The files that flags and variables name, and without which the VM does not start, or starts without what they say."""
    for flag, values in flags_of(arguments[1:]):
        if flag == "-config":
            for value in values:
                yield from _configuration(value, inside, 0)
        elif flag == "-boot" and values and os.path.isabs(values[0]):
            yield values[0] if values[0].endswith(".boot") else f"{values[0]}.boot"
        elif flag == "-kernel":
            named = (value.strip("\"'") for name, value in zip(values[::2], values[1::2]) if name == "inetrc")
            yield from (path for path in named if path.startswith("/"))
        elif flag in ("-ssl_dist_optfile", "-args_file") and values and values[0].startswith("/"):
            yield values[0]
    for name in _flag_variables(variables):
        yield from _args_files(variables[name], inside, 0)
    yield from (variables[name] for name in ("RELEASE_VM_ARGS", "VMARGS_PATH") if variables.get(name, "").startswith("/"))


def is_missing(path: str, follow: bool = True) -> bool:
    """Raises OSError where that cannot be seen."""
    try:
        os.stat(path, follow_symlinks=follow)
    except (FileNotFoundError, NotADirectoryError):
        return True
    return False


def _removed_from(product: str, inside: str, began: float | None) -> Iterator[dict[str, object]]:
    """The directories of configuration alone from which something was removed since the VM began: they changed, and no entry of theirs did then."""
    for pattern in OF_PRODUCTS.get(product, ()):
        directory = f"{inside}{os.path.dirname(pattern)}"
        if not directory.endswith(".d") or is_missing(directory):
            continue
        time = os.stat(directory).st_mtime
        entries = [os.stat(path, follow_symlinks=False).st_ctime for path in glob.glob(f"{glob.escape(directory)}/*")]
        if began is not None and time > began + _SECOND and not any(abs(one - time) <= _SECOND for one in entries):
            yield {"path": directory[len(inside) :], "by": [], "product": True, "changed": True}


def _of_product(product: str, inside: str) -> Iterator[str]:
    for pattern in OF_PRODUCTS.get(product, ()):
        yield from (path[len(inside) :] for path in sorted(glob.glob(f"{inside}{pattern}")))


def _written_at_start(arguments: Sequence[str], variables: Mapping[str, str]) -> tuple[str, ...]:
    """The beginnings of paths where start scripts of releases write what the VM then reads."""
    home = value_of(arguments[1:], "-home") or variables.get("HOME")
    places = (home, *_temporary(arguments, variables))
    return tuple(f"{place.rstrip('/')}/" for place in places if place and place.strip("/"))


def _temporary(arguments: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """The directories for files of one run of a release."""
    root = value_of(arguments[1:], "-root")
    return [place for place in (variables.get("RELEASE_TMP"), f"{root}/tmp" if root else None) if place and place.strip("/")]


def changed(path: str, began: float | None, but_of: int | None = None) -> bool:
    """Whether a file is not the one that was read when a process began: written, replaced, or its owner or mode changed. None of ours: what those
    contain is known. but_of: the number of a user whose file has not changed. Raises OSError."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return False
    newer = began is not None and max(status.st_mtime, status.st_ctime) > began + _SECOND
    return newer and stat.S_ISREG(status.st_mode) and status.st_uid != but_of and not ours([path])


def who(path: str, inside: str = "") -> set[str]:
    """The users beside root who can write a file or put another one in its place: none where there is no such file. Raises OSError."""
    if not os.path.lexists(f"{inside}{path}"):
        return set()
    found: set[str] = set()
    for directory in _leading(path, inside):
        found |= writers(f"{inside}{directory}")
    return found | set(writers(os.path.realpath(path) if not inside else f"{inside}{path}"))


def _leading(path: str, inside: str) -> list[str]:
    """The directories that lead to a file. Of another file system than ours, links are not followed: they lead within it."""
    if not inside:
        return list(directories(path))
    above = os.path.dirname(path)
    found = []
    while above not in ("", "/"):
        found.append(above)
        above = os.path.dirname(above)
    return [*found, "/"]


def of_unit(unit: Mapping[str, object], commands: Iterable[str] = (), began: float | None = None) -> list[dict[str, object]] | None:
    """The same of the files of a unit: its own, its drop-ins, its environment files, its program, and those that it was started with. commands: what
    else it runs. began: its main process. Of its programs none is reported as missing: running-vm tells of them."""
    listed: list[str] = [str(unit.get(name) or "") for name in ("fragment", "program")]
    listed += [path for path in commands if path not in listed]
    needed = listed[:1]
    for name in ("drop_ins", "environment_files"):
        several = unit.get(name)
        for one in map(str, several if isinstance(several, list) else ()):
            matching = sorted(glob.glob(one.lstrip("-")))
            listed += matching
            # A "-" before an environment file says that it may be missing (systemd.exec(5)).
            needed += [] if matching or one.startswith("-") else [one]
    found: list[dict[str, object]] = []
    try:
        for path in filter(None, listed):
            by, new = who(path), changed(path, began)
            if by or new:
                found.append({"path": path, "by": sorted(by), "changed": new})
        needed += _at_start(unit) if began is not None else []
        found += [{"path": path, "by": [], "missing": True} for path in dict.fromkeys(filter(None, needed)) if is_missing(path)]
    except OSError:
        return None
    return found


def _at_start(unit: Mapping[str, object]) -> list[str]:
    """The unit's file, drop-ins and environment files at its last start, as the guard has listed them: a drop-in that is removed stays in force, and
    leaves no other trace. None of a unit without our drop-in, and none of EPMD's. Raises OSError."""
    drop_ins = unit.get("drop_ins")
    if unit.get("id") == EPMD_SERVICE or not any(os.path.basename(str(path)) == DROP_IN for path in (drop_ins if isinstance(drop_ins, list) else ())):
        return []
    with open(f"{RUN}/{GUARD}{str(unit.get('id')).rpartition('.')[0]}/files", encoding="utf-8", errors="replace") as stream:
        return stream.read(_LARGEST).splitlines()


def _named(arguments: Sequence[str], variables: Mapping[str, str], inside: str, directory: str) -> Iterator[str]:
    flags = list(flags_of(arguments[1:]))
    root = next((values[0] for flag, values in flags if flag == "-root" and values), "")
    for flag, values in flags:
        if flag == "-config":
            for value in values:
                yield from _configuration(value, inside, 0)
        elif flag == "-boot" and values:
            yield from _boot(values[0], root, directory, inside)
        elif flag == "-kernel":
            yield from (value.strip("\"'") for name, value in zip(values[::2], values[1::2]) if name == "inetrc")
        elif flag in ("-ssl_dist_optfile", "-erl_prim_loader", "-args_file") and values:
            yield from (value for value in values if value.startswith("/"))
        elif flag in ("-pa", "-pz", "-path"):
            yield from (value for value in values if value.startswith("/"))
    for name, lacks in _NAMED.items():
        if variables.get(name, "").startswith("/"):
            yield variables[name] + ("" if variables[name].endswith(lacks) else lacks)
    yield from (path for path in variables.get("ERL_LIBS", "").split(":") if path.startswith("/"))
    for name in _flag_variables(variables):
        yield from _args_files(variables[name], inside, 0)
    if root:
        yield from _release(root, inside)


def _args_files(text: str, inside: str, deep: int) -> Iterator[str]:
    """The argument files that a text of flags names, and those that they name."""
    words = text.split()
    for word, after in zip(words, words[1:]):
        path = after.strip("\"'")
        if word == "-args_file" and path.startswith("/"):
            yield path
            if deep < _DEEPEST:
                yield from _args_files(_text(f"{inside}{path}"), inside, deep + 1)


def argument_files(arguments: Sequence[str], variables: Mapping[str, str], inside: str) -> list[str]:
    """The files from which a VM may have flags: those that its variables name, those that they name, and those of its release. Those that exist."""
    found = [path for name in _flag_variables(variables) for path in _args_files(variables[name], inside, 0)]
    found += [variables[name] for name in ("RELEASE_VM_ARGS", "VMARGS_PATH") if variables.get(name, "").startswith("/")]
    root = value_of(arguments[1:], "-root")
    found += [path[len(inside) :] for path in sorted(glob.glob(f"{inside}{glob.escape(root)}/releases/*/vm.args"))] if root else []
    found += [path for flag, values in flags_of(arguments[1:]) if flag == "-args_file" for path in values[:1] if path.startswith("/")]
    nested = [more for path in found for more in _args_files(_text(f"{inside}{path}"), inside, 1)]
    return [path for path in dict.fromkeys((*found, *nested)) if os.path.isfile(f"{inside}{path}")]


def _flag_variables(variables: Mapping[str, str]) -> list[str]:
    return [name for name in variables if name in _FLAGS or (name.startswith("ERL_OTP") and name.endswith("_FLAGS"))]


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_LARGEST)
    except FileNotFoundError:
        return ""


def _configuration(name: str, inside: str, deep: int) -> Iterator[str]:
    """A configuration file, and those that it names: a text among its terms is the name of one (config(4))."""
    path = name if name.endswith(".config") else f"{name}.config"
    if not path.startswith("/") or deep > _DEEPEST:
        return
    yield path
    text = _text(f"{inside}{path}")
    try:
        terms = consult(text) if text else []
    except (TermError, ValueError):
        raise Unreadable(path) from None
    for one in terms[0] if terms and isinstance(terms[0], list) else ():
        other = to_plain(one) if isinstance(one, list) else None
        if isinstance(other, str):
            yield from _configuration(other if other.startswith("/") else os.path.join(os.path.dirname(path), other), inside, deep + 1)


def _boot(name: str, root: str, directory: str, inside: str) -> Iterator[str]:
    """init takes a boot file from the working directory first, then from that of OTP."""
    path = name if name.endswith(".boot") else f"{name}.boot"
    for place in [path] if path.startswith("/") else [os.path.join(one, path) for one in (directory, f"{root}/bin") if one]:
        if os.path.lexists(f"{inside}{place}"):
            yield place
            return


def _release(root: str, inside: str) -> Iterator[str]:
    """The start files of a release: a root with a vm.args or a sys.config in a directory of its releases."""
    if not glob.glob(f"{inside}{glob.escape(root)}/releases/*/vm.args") and not glob.glob(f"{inside}{glob.escape(root)}/releases/*/sys.config"):
        return
    for pattern in _OF_RELEASE:
        for path in sorted(glob.glob(f"{inside}{glob.escape(root)}/{pattern}")):
            if os.path.isfile(path):
                yield path[len(inside) :]
