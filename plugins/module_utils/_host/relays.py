# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that pass connections on right now, whatever their name: those with a connection to a port of a node and a way in from elsewhere.

Private to this collection. A VM, EPMD and systemd are no such programs, and neither is a tool that only connects. A check of a monitoring agent
connects for a moment: what counts are connections that are there at two looks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from .._model.processes import is_beam
from .._model.untrusted_json import same_address
from . import proc

_ESTABLISHED = "01"
_SYSTEMD = 1


def connections() -> dict[str, proc.Socket]:
    """What is connected now, by inode."""
    return {one.inode: one for one in proc.sockets(_ESTABLISHED) or () if one.inode != "0"}


def elsewhere(one: proc.Socket) -> bool:
    """Whether the other end of a connection is on another host."""
    return one.remote[0] != one.local[0] and not same_address(one.remote[0]).startswith("127.")


def of(
    before: Mapping[str, proc.Socket], now: Mapping[str, proc.Socket], listening: Collection[int], ports: Collection[int]
) -> Iterator[tuple[str, str, str | None, int | None]]:
    """(by, where, address, port) of each program that is connected to one of the ports, and that listens itself or is connected to another host for
    something else. listening: the processes that listen."""
    lasting = {inode: one for inode, one in now.items() if before.get(inode) == one}
    if not any(one.remote[1] in ports for one in lasting.values()):
        return
    holders = proc.owners(set(lasting))
    held: dict[int, list[proc.Socket]] = {}
    for inode, pids in holders.items():
        # What a VM holds, too, is the VM's: a program that it has started got it.
        if not any(map(_is_ours, pids)):
            for pid in pids:
                held.setdefault(pid, []).append(lasting[inode])
    for pid, sockets in sorted(held.items()):
        to_nodes = [one for one in sockets if one.remote[1] in ports]
        if to_nodes and (pid in listening or _has_a_way_in(sockets, ports)):
            process = proc.describe(pid)
            by = f"{process.process} (pid {pid}, {process.unit or 'no unit'})" if process else f"pid {pid}"
            yield from ((by, "its connections", same_address(address), port) for address, port in sorted({one.remote for one in to_nodes}))


def _has_a_way_in(sockets: Iterable[proc.Socket], ports: Collection[int]) -> bool:
    return any(elsewhere(one) and one.remote[1] not in ports for one in sockets)


def _is_ours(pid: int) -> bool:
    name = proc.read(f"/proc/{pid}/comm").decode("utf-8", "replace").strip()
    return pid == _SYSTEMD or name == "epmd" or is_beam(name)
