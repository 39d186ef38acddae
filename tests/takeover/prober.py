#!/usr/bin/env python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tries to get into a host of the lab while something starts there, from the network namespace of another.

    nsenter --net=/proc/OUTSIDER/ns/net prober.py PID SECONDS ADDRESS ...

PID is a process of the host that is tried: its /proc/PID/net says which ports listen, so that no port has to be guessed. Every listener that
was not there in the beginning and is not on loopback is dialled at every ADDRESS, about 100 times a second, and is spoken to as a node does in
clear text. Prints one JSON object: `rounds`, `ports` (what was dialled), `accepted` (connections that were made) and `answered` (those on
which a node has said that it goes on with the handshake: the node is open). SIGTERM ends it early.
"""

from __future__ import annotations

import json
import signal
import socket
import struct
import sys
import time

RATE = 100
NAME = b"beam_prober@outsider"
# Mandatory flags of OTP 25 and DFLAG_DIST_MONITOR and the like: what erl_interface sends.
FLAGS = 0x403074FBC
HELLO = b"N" + struct.pack(">QIH", FLAGS, 1, len(NAME)) + NAME
FINE = (b"sok", b"sok_simultaneous", b"salive")


def listening(pid: int) -> set[int]:
    """Ports that listen on something else than loopback."""
    ports = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as lines:
            for line in list(lines)[1:]:
                local, state = line.split()[1], line.split()[3]
                address, port = local.split(":")
                loopback = address.endswith("7F") if table == "tcp" else address == "0" * 24 + "01000000"
                if state == "0A" and not loopback:
                    ports.add(int(port, 16))
    return ports


def knock(address: str, port: int) -> str:
    """`refused`, `accepted` or `answered`."""
    try:
        with socket.create_connection((address, port), timeout=0.25) as stream:
            try:
                stream.sendall(struct.pack(">H", len(HELLO)) + HELLO)
                answer = stream.recv(64)
            except OSError:
                return "accepted"
            return "answered" if answer[2:].startswith(FINE) else "accepted"
    except OSError:
        return "refused"


def main(pid: int, seconds: float, addresses: list[str]) -> None:
    before = listening(pid)
    told: dict[str, object] = {"rounds": 0, "ports": [], "accepted": 0, "answered": 0}
    ports: set[int] = set()
    print("ready", flush=True)
    until = time.monotonic() + seconds
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    while time.monotonic() < until and not ended:
        now = listening(pid) - before
        ports |= now
        began = time.monotonic()
        for port in sorted(now):
            for address in addresses:
                outcome = knock(address, port)
                if outcome != "refused":
                    told[outcome] = int(str(told[outcome])) + 1
        told["rounds"] = int(str(told["rounds"])) + 1
        time.sleep(max(0.0, 1.0 / RATE - (time.monotonic() - began)))
    print(json.dumps({**told, "ports": sorted(ports)}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
