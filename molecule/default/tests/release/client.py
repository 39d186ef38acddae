# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the release, run on a host that is no member: asks until it is interrupted or the time is over, whichever node answers.

    client.py steady SECONDS ADDRESS...

Prints one JSON document: answers, the longest time between two, and how often another address had to be tried.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.request


def steady(seconds: str, *addresses: str) -> dict[str, float]:
    end, stopped = time.monotonic() + float(seconds), []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    answers, longest, last, turn = 0, 0.0, time.monotonic(), 0
    while time.monotonic() < end and not stopped:
        try:
            with urllib.request.urlopen(f"http://{addresses[turn % len(addresses)]}:4000/", timeout=2) as answer:
                answer.read()
        except OSError:
            # The other node, and not without a pause: both may be down.
            turn += 1
            time.sleep(0.1)
            continue
        now = time.monotonic()
        answers, longest, last = answers + 1, max(longest, now - last), now
        # A user, not a load test.
        time.sleep(0.05)
    return {"confirmed": answers, "longest": round(longest, 2), "reconnects": turn}


print(json.dumps(steady(*sys.argv[2:])))
