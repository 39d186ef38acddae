# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have a running node use new certificate files while its links stay up.

A node reads its files during a handshake only, through a cache of two minutes (`ssl_pem_cache.erl`, OTP 25 to 29). The cache of the distribution is a
process of its own, `ssl_pem_cache_dist`, which `ssl:clear_pem_cache/0` does not reach. It forgets a file by itself only if the file's time is not
older than its last look.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Callable

from .._term import Atom, to_text
from .certificate_rules import fingerprint
from .node import Call, Link, Peer, Returned
from .runner import Result, converse_all

CACHE_SECONDS = 120
"""After this time a node looks at the times of its files."""

_CLEAR: Call = ("gen_server", "call", [Atom("ssl_pem_cache_dist"), (Atom("unconditionally_clear_pem_cache"), Atom("undefined")), 5000])
_PROVE_SECONDS = 5.0
_PAUSE = 0.2


@dataclass(frozen=True)
class Shown:
    """What a node showed in one handshake: the fingerprint of its certificate, None where it showed none.

    `accepted`: each side accepted the certificate of the other.
    """

    sha256: str | None
    accepted: bool
    code: str
    stage: str
    message: str

    @classmethod
    def of(cls, result: Result) -> Shown:
        shown = result.trace.certificate
        # A cookie is asked for only after both certificates were accepted.
        accepted = result.trace.stage not in ("resolve", "epmd", "connect", "tls")
        return cls(fingerprint(shown) if shown else None, accepted, result.code, result.trace.stage, result.message)


@dataclass(frozen=True)
class Renewal:
    """What became of the node: `last` is the last handshake. `problem`: why it did not forget its cached files when it was asked to; empty if it did.

    `seconds`: from the replacement of the files to the end of that handshake.
    """

    last: Shown
    problem: str
    seconds: float


def look(peer: Peer, timeout: float) -> Shown:
    """What a node shows now."""
    return Shown.of(_converse(peer, timeout, None))


def renew(peer: Peer, wanted: str, replace: Callable[[], None], *, timeout: float) -> Renewal:
    """Replace the files of a node and have it use them. `wanted`: fingerprint of its new certificate.

    `peer` connects with the files of the node, so first with the old and then with the new ones. `replace` is called once, while a connection is up
    if there can be one. A node that cannot be asked gets the time of its cache. `timeout` (seconds) is for each handshake.
    """
    replaced: list[float] = []

    def once() -> None:
        if not replaced:
            replace()
            replaced.append(time.monotonic())

    problem = _ask(peer, timeout, once)
    once()
    until = replaced[0] + CACHE_SECONDS + timeout
    while True:
        shown = look(peer, timeout)
        if shown.sha256 != wanted and problem and shown.code == "connected":
            problem = _ask(peer, timeout, once)
            shown = look(peer, timeout)
        now = time.monotonic()
        if shown.sha256 == wanted or now >= (until if problem else replaced[0] + _PROVE_SECONDS):
            return Renewal(shown, problem, round(now - replaced[0], 2))
        time.sleep(1 if problem else _PAUSE)


def _ask(peer: Peer, timeout: float, replace: Callable[[], None]) -> str:
    """Have the node forget its cached files. Why it did not; empty if it did."""
    result = _converse(peer, timeout, _clear(replace))
    return str(result.answer) if result.connected else f"{result.code} at stage {result.trace.stage}"


def _converse(peer: Peer, timeout: float, then: Callable[[Link], Awaitable[Any]] | None) -> Result:
    return converse_all([peer], timeout=timeout, concurrency=1, then=then)[0]


def _clear(replace: Callable[[], None]) -> Callable[[Link], Awaitable[str]]:
    async def then(link: Link) -> str:
        """What went wrong, empty if nothing did. The link is up before the files change: afterwards nobody may be able to make one."""
        replace()
        outcome = await link.call(*_CLEAR)
        return "" if isinstance(outcome, Returned) else f"gen_server:call/3 ended with {outcome.kind}: {to_text(outcome.reason)[:100]}"

    return then
