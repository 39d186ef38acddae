# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer that resets right after the connection was made costs its own answer, not those of other peers."""

from __future__ import annotations

import asyncio
import socket
import struct

from ansible_collections.beam.cluster.plugins.module_utils._net import stream


def test_a_stream_knows_its_peer_after_a_reset() -> None:
    async def connect_and_lose() -> tuple[str, stream.Address]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
            connected = await stream.connect([(socket.AF_INET, ("127.0.0.1", 0))], port, None, 5)
            accepted, _address = listener.accept()
            # An RST in place of a FIN.
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
            await asyncio.sleep(0.1)
            try:
                await connected.send(b"x")
                return connected.peer(), connected.address()
            finally:
                connected.close()

    peer, (family, address) = asyncio.run(connect_and_lose())
    assert (peer, family, address[0]) == ("127.0.0.1", socket.AF_INET, "127.0.0.1")
