# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of one function on many nodes: what `node_call` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _term as term
from .._wire import codes
from .._wire.errors import EncodeError
from .connection_options import OptionError
from .node import Call, Link, Outcome, Peer, Returned
from .runner import converse_all


def read_args(args: Any, strings: str) -> list[term.Term]:
    """The arguments of a call: text is an Erlang list, a list is plain data. Raises `OptionError`."""
    try:
        if args is None:
            return []
        if isinstance(args, str):
            parsed = term.parse(args)
            if not isinstance(parsed, list):
                raise OptionError(f"args: {args} is not a list. Write the arguments as an Erlang list, for example [a, 1].")
            return parsed
        if isinstance(args, list):
            return [term.from_plain(item, strings=strings, keys=strings) for item in args]
    except term.TermError as error:
        raise OptionError(f"args: {error}") from None
    raise OptionError("args: the value is neither a list nor text. Write a list, or the text of an Erlang list.")


def call_everywhere(
    peers: Sequence[Peer], call: Call, *, via: str | None, timeout: float, concurrency: int,
) -> list[dict[str, Any]]:
    """Make one call on each peer. Each answer has `result` and `result_erlang`, or `exception` and a code that is not `connected`."""

    async def then(link: Link) -> tuple[Outcome, str]:
        used = link.route(via)
        return await link.call(*call, via=used), used

    answers: list[dict[str, Any]] = []
    try:
        results = converse_all(peers, timeout=timeout, concurrency=concurrency, then=then)
    except EncodeError as error:
        raise OptionError(f"args: {error}") from None
    for peer, result in zip(peers, results):
        entry = result.of_peer(peer)
        entry.update(via=None, result=None, result_erlang=None, exception=None)
        if result.connected:
            outcome, entry["via"] = result.answer
            if isinstance(outcome, Returned):
                entry["result"] = term.to_plain(outcome.value)
                entry["result_erlang"] = term.to_text(outcome.value)
            else:
                entry["exception"] = {
                    "class": outcome.kind,
                    "reason": term.to_text(outcome.reason),
                    "stack": _stack(outcome.stack),
                }
                code = "call_refused" if outcome.kind == "refused" else "call_failed"
                _end(entry, code, f"{outcome.kind}: {entry['exception']['reason']}")
        answers.append(entry)
    return answers


def _stack(stack: term.Term) -> list[str]:
    """A stack trace as one line per frame, module:function/arity with file and line where they are known."""
    lines: list[str] = []
    for frame in stack if isinstance(stack, list) else []:
        if not isinstance(frame, tuple) or len(frame) != 4:
            lines.append(term.to_text(frame))
            continue
        module, function, arity, where = frame
        size = len(arity) if isinstance(arity, list) else arity
        place = {str(item[0]): item[1] for item in where if isinstance(item, tuple) and len(item) == 2} if isinstance(where, list) else {}
        text = f"{module}:{function}/{size}"
        if "file" in place and "line" in place:
            text += f" ({term.to_plain(place['file'])}:{place['line']})"
        lines.append(text)
    return lines


def _end(entry: dict[str, Any], code: str, message: str) -> None:
    entry.update(code=code, category=codes.lookup(code).category, stage="call", message=message)
