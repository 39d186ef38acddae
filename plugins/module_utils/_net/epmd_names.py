# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes that are registered with the EPMDs of hosts: what `epmd_info` does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._wire import codes
from .._wire.epmd import NamesAnswer
from .._wire.errors import WireError
from . import epmd
from .runner import for_each, timeout_outcome
from .stream import Trace, resolve

_OWN_SECONDS = 5.0


@dataclass(frozen=True)
class Registered:
    """The answer of the EPMD of one host. nodes: name (the part before the @) and port, sorted. reported_port: the port that EPMD reports."""

    host: str
    port: int
    code: str
    message: str
    stage: str
    milliseconds: float
    address: str | None = None
    nodes: tuple[tuple[str, int], ...] = ()
    reported_port: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
        return {
            "host": self.host,
            "port": self.port,
            "address": self.address,
            "code": self.code,
            "category": codes.lookup(self.code).category,
            "stage": self.stage,
            "message": self.message,
            "milliseconds": round(self.milliseconds, 1),
            "nodes": [{"name": name, "port": port} for name, port in self.nodes],
            "reported_port": self.reported_port,
        }


async def names_each(hosts: Sequence[tuple[str, int]], *, source: str | None, timeout: float, concurrency: int) -> list[Registered]:
    """Query the EPMD of each host and port, `timeout` seconds each. Answers come in the order of the hosts."""

    async def work(place: tuple[str, int]) -> Registered:
        host, port = place
        begin = time.monotonic()
        trace = Trace()

        def ended(code: str, message: str, address: str | None = None, answer: NamesAnswer | None = None) -> Registered:
            found = (tuple(sorted(answer.nodes)), answer.epmd_port) if answer else ((), None)
            return Registered(host, port, code, message, trace.stage, (time.monotonic() - begin) * 1000, address, *found)

        async def whole() -> tuple[NamesAnswer, str]:
            addresses = await resolve(host, source)
            return await epmd.names_of(addresses, port, trace, source=source, timeout=timeout - (time.monotonic() - begin))

        try:
            answer, address = await asyncio.wait_for(whole(), timeout)
        except asyncio.TimeoutError:
            return ended(*timeout_outcome(trace)[:2])
        except WireError as error:
            return ended(error.code, str(error))
        return ended("connected", "", address, answer)

    return await for_each(hosts, lambda place: (place,), work, concurrency)


def names_all(hosts: Sequence[tuple[str, int]], *, source: str | None, timeout: float, concurrency: int) -> list[Registered]:
    """`names_each` for callers without an event loop."""
    return asyncio.run(names_each(hosts, source=source, timeout=timeout, concurrency=concurrency))


def own_names(address: str, port: int) -> dict[str, int]:
    """The ports of the nodes on this host, by name. Raises WireError, with the code, if EPMD does not answer."""
    (answer,) = names_all([(address, port)], source=None, timeout=_OWN_SECONDS, concurrency=1)
    if answer.code != "connected":
        raise WireError(answer.message, code=answer.code)
    return dict(answer.nodes)
