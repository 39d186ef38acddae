# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two users of XMPP with Debian's client library, run on a host that is no member.

    client.py ADDRESS ADDRESS

`alice` logs in at the first address, `bob` at the second, and says something to her. What she hears is printed as JSON; both stay until killed.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
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
        self.heard = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("message", self.hear)
        self.add_event_handler("failed_all_auth", self.fail)

    async def start(self, _event: Any) -> None:
        self.send_presence()
        await self.get_roster()
        self.here.set_result(True)

    def hear(self, message: Any) -> None:
        self.heard.set_result({"to": str(message["to"].bare), "from": str(message["from"].bare), "body": message["body"]})

    def fail(self, _event: Any) -> None:
        self.here.set_exception(PermissionError(self.boundjid.bare))


async def main(first: str, second: str) -> None:
    alice, bob = User("alice"), User("bob")
    for user, address in ((alice, first), (bob, second)):
        user.connect(address, 5222)
        await asyncio.wait_for(user.here, 30)
    bob.send_message(mto="alice@localhost", mbody=f"from {second}", mtype="chat")
    print(json.dumps(await asyncio.wait_for(alice.heard, 30)), flush=True)
    await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
