# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two users of XMPP with Debian's client library, run on a host that is no member.

    client.py ADDRESS ADDRESS                   once; both stay until killed
    client.py steady SECONDS ADDRESS ADDRESS    again and again, until it is interrupted or the time is over

`alice` logs in at the first address, `bob` at the second, and says something to her. What she hears, or how often, is printed as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
import time
from typing import Any

import slixmpp


class User(slixmpp.ClientXMPP):
    """Logged in at one address, whatever its domain's name would lead to."""

    def __init__(self, name: str, password: str = "secret") -> None:
        super().__init__(f"{name}@localhost", password)
        # Debian's certificate of ejabberd is one that the host has signed itself; it is not what is under test.
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.here = asyncio.get_event_loop().create_future()
        self.heard: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.lost = False
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("message", self.hear)
        self.add_event_handler("failed_all_auth", self.fail)
        self.add_event_handler("disconnected", self.leave)

    async def start(self, _event: Any) -> None:
        self.send_presence()
        await self.get_roster()
        self.here.set_result(True)

    def hear(self, message: Any) -> None:
        self.heard.put_nowait({"to": str(message["to"].bare), "from": str(message["from"].bare), "body": message["body"]})

    def leave(self, _event: Any) -> None:
        self.lost = True

    def fail(self, _event: Any) -> None:
        self.here.set_exception(PermissionError(self.boundjid.bare))


async def log_in(first: str, second: str) -> tuple[User, User]:
    alice, bob = User("alice"), User("bob")
    for user, address in ((alice, first), (bob, second)):
        user.connect(address, 5222)
        await asyncio.wait_for(user.here, 30)
    return alice, bob


async def once(first: str, second: str) -> None:
    alice, bob = await log_in(first, second)
    bob.send_message(mto="alice@localhost", mbody=f"from {second}", mtype="chat")
    print(json.dumps(await asyncio.wait_for(alice.heard.get(), 30)), flush=True)
    await asyncio.sleep(600)


async def steady(seconds: str, first: str, second: str) -> None:
    """Each message again until she has heard it; the longest time between two of them is what users felt."""
    end, stopped = time.monotonic() + float(seconds), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopped.set)
    heard, sessions, longest, last, users = 0, 0, 0.0, time.monotonic(), None
    while time.monotonic() < end and not stopped.is_set():
        try:
            if users is None:
                users = await asyncio.wait_for(log_in(first, second), 5)
                sessions += 1
            alice, bob = users
            bob.send_message(mto="alice@localhost", mbody=f"message {heard}", mtype="chat")
            while (await asyncio.wait_for(alice.heard.get(), 2))["body"] != f"message {heard}":
                pass
        except (asyncio.TimeoutError, OSError):
            if users is None or any(user.lost for user in users):
                for user in users or ():
                    user.abort()
                users = None
            continue
        now = time.monotonic()
        heard, longest, last = heard + 1, max(longest, now - last), now
        await asyncio.sleep(0.05)
    print(json.dumps({"confirmed": heard, "longest": round(longest, 2), "reconnects": sessions - 1}), flush=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    asyncio.run(steady(*words[1:]) if words[0] == "steady" else once(*words))
