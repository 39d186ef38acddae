#!/usr/bin/env python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage-guided fuzzing of every decoder (needs atheris; PYTHONPATH has to hold the collection).

    tests/fuzz/fuzz.py TARGET [libFuzzer options]         for ever, or -runs=N
    tests/fuzz/fuzz.py all -runs=N                        N executions of each target, one after the other, and their count

Each target begins with the inputs in tests/fuzz/corpus/TARGET; new ones that reach new code go to the cache folder. A finding is any
exception that a decoder does not declare, a round trip that differs, or an input that costs more than 64 MiB of memory.
"""

from __future__ import annotations

import os
import pathlib
import re
import resource
import subprocess
import sys

import atheris

with atheris.instrument_imports(include=["ansible_collections.beam.cluster"]):
    from ansible_collections.beam.cluster.plugins.module_utils import _term as term
    from ansible_collections.beam.cluster.plugins.module_utils._wire import control_messages, epmd, etf, handshake, x509
    from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import Frames
    from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import EncodeError, WireError

CORPUS = pathlib.Path(__file__).parent / "corpus"
FOUND = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "beam-cluster" / "fuzz"
STATES = list(handshake.State)
MEMORY = 64 * 1024  # KiB


def fuzz_etf(data):
    value = etf.decode(b"\x83" + data)
    again = etf.encode(value)
    assert etf.encode(etf.decode(again)) == again


def fuzz_control(data):
    control_messages.decode(data)


def fuzz_epmd_request(data):
    request = epmd.decode_request(data)
    assert epmd.decode_request(epmd.encode_request(request)) == request


def fuzz_epmd_port(data):
    answer = epmd.decode_port(data[1:], closed=bool(data[:1] > b"\x7f"))
    if answer is not None:
        assert epmd.encode_port(answer) == data[1:]


def fuzz_epmd_names(data):
    answer = epmd.decode_names(data)
    assert epmd.decode_names(epmd.encode_names(answer)) == answer


def fuzz_epmd_dump(data):
    epmd.decode_dump(data)


def fuzz_epmd_alive(data):
    answer = epmd.decode_alive(data)
    if answer is not None:
        assert epmd.encode_alive(answer) == data


def fuzz_handshake(data):
    """One message at one state."""
    if data:
        message = handshake.decode(STATES[data[0] % len(STATES)], data[1:])
        handshake.encode(message)


def fuzz_initiator(data):
    """A whole conversation, as frames with a length of one byte."""
    side = handshake.Initiator(name="a@h", expected=None, cookie=b"c", challenge=1, creation=4)
    side.start()
    while data:
        body, data = data[1:1 + data[0]], data[1 + data[0]:]
        side.receive(body)
    assert side.state is not handshake.State.DONE, "the cookie was guessed"


def fuzz_acceptor(data):
    side = handshake.Acceptor(name="a@h", cookie=b"c", challenge=1, creation=4, decide_status=lambda name: "alive" if name < "m" else "ok")
    while data:
        body, data = data[1:1 + data[0]], data[1 + data[0]:]
        side.receive(body)
    assert side.state is not handshake.State.DONE, "the cookie was guessed"


def fuzz_x509(data):
    x509.describe(data)


def fuzz_x509_message(data):
    x509.first_certificate(data)


def fuzz_frames(data):
    frames = Frames(2 if data[:1] < b"\x80" else 4, 1000)
    for start in range(1, len(data), 7):
        frames.feed(data[start:start + 7])
        while frames.next() is not None:
            pass
    assert frames.pending() <= 1010


def fuzz_term(data):
    for value in [term.parse(data.decode("utf-8", "replace"))]:
        assert term.parse(term.to_text(value)) == value
        term.to_plain(value)


def fuzz_term_file(data):
    values = term.consult(data.decode("latin-1"))
    assert term.consult(term.print_file(values)) == values


TARGETS = {name[5:]: function for name, function in sorted(globals().items()) if name.startswith("fuzz_")}


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fuzz(name, options):
    """Fuzz one target."""
    target = TARGETS[name]
    start = peak()

    def one(data):
        try:
            target(data)
        except (WireError, EncodeError, term.TermError):
            pass

    def checked(data):
        before = peak()
        one(data)
        assert peak() - before < MEMORY, f"{peak() - start} KiB more for {len(data)} bytes"

    found = FOUND / name
    found.mkdir(parents=True, exist_ok=True)
    # A file that shows a finding lies next to what was found before it.
    atheris.Setup([sys.argv[0], f"-artifact_prefix={FOUND}/", *options, str(found), str(CORPUS / name)], checked)
    atheris.Fuzz()


def main():
    name, options = sys.argv[1], sys.argv[2:]
    if name != "all":
        fuzz(name, options)
        return
    total = 0
    for each in TARGETS:
        done = subprocess.run([sys.executable, __file__, each, *options], capture_output=True, text=True, errors="replace", check=False)
        runs = re.findall(r"Done (\d+) runs", done.stderr)
        if done.returncode or not runs:
            sys.exit(f"{each}: a finding\n{done.stderr[-5000:]}")
        total += int(runs[-1])
        print(f"{each!s:<16} {int(runs[-1]):10d} executions, no finding", flush=True)
    print(f"{'together'!s:<16} {total:10d}")


if __name__ == "__main__":
    main()
