# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy: what the nodes of one good host do, written down, and to which others are held.

Private to this collection, pure. A policy is plain data (YAML); docs/audit.md describes its keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from .._model import versions
from .._model.observation import Listener, Observation
from .._model.processes import Process
from .probes import Answer
from .target import HostTarget, NodeTarget

VERSION = 1
WILDCARD, LOOPBACK, ADDRESS, NOWHERE = "every_network", "loopback", "address", "nowhere"
PLACES = (WILDCARD, LOOPBACK, ADDRESS, NOWHERE)
CLEAR = "clear_text"
TRANSPORTS = (CLEAR, "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3")


class PolicyError(ValueError):
    """A policy that cannot be used; the message names key, rule and fix."""


@dataclass(frozen=True)
class NodePolicy:
    """What a node does; None where it is not known, or not held to. ports: first and last. transport: the best that it speaks."""

    user: str | None = None
    listens: str | None = None
    ports: tuple[int, int] | None = None
    transport: str | None = None
    sandbox_max: float | None = None
    otp_min: str | None = None
    core_dumps: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Policy:
    """source: the host that it was written from. nodes: by product. epmd: where EPMD listens (one of PLACES)."""

    source: str
    nodes: Mapping[str, NodePolicy]
    epmd: str | None = None

    def as_dict(self) -> dict[str, Any]:
        nodes = {product: one.as_dict() for product, one in self.nodes.items()}
        return {"version": VERSION, "from": self.source, **({"epmd": self.epmd} if self.epmd else {}), "nodes": nodes}

    @classmethod
    def parse(cls, raw: object) -> Policy:
        """From the data of a policy file. Raises PolicyError."""
        if not isinstance(raw, Mapping) or raw.get("version") != VERSION or not isinstance(raw.get("nodes"), Mapping):
            raise PolicyError(f"it is no policy of version {VERSION}. Write one with beam_audit_policy_from.")
        for key in raw:
            if key not in ("version", "from", "epmd", "nodes"):
                raise PolicyError(f"unknown key {str(key)!r}. Remove it; the keys are version, from, epmd, nodes.")
        epmd = raw.get("epmd")
        if epmd is not None and epmd not in PLACES:
            raise PolicyError(f"epmd: unknown value {str(epmd)!r}. Choose one of: {', '.join(PLACES)}.")
        return cls(str(raw.get("from") or ""), {str(product): _parse_node(str(product), one) for product, one in raw["nodes"].items()}, epmd)


def _parse_node(product: str, raw: object) -> NodePolicy:
    names = [one.name for one in fields(NodePolicy)]
    if not isinstance(raw, Mapping):
        raise PolicyError(f"nodes.{product} is not a dictionary. Its keys are {', '.join(names)}.")
    for key, value in raw.items():
        if key not in names:
            raise PolicyError(f"nodes.{product}: unknown key {str(key)!r}. Remove it; the keys are {', '.join(names)}.")
        if not _valid(str(key), value):
            raise PolicyError(f"nodes.{product}.{key} has the value {str(value)[:40]!r}, which is not possible. Correct it, or remove the key.")
    ports = raw.get("ports")
    return NodePolicy(**{**raw, "ports": (ports[0], ports[1]) if ports else None})


def _valid(key: str, value: object) -> bool:
    if key == "ports":
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            return False
        whole = all(isinstance(end, int) and not isinstance(end, bool) and 0 < end < 65536 for end in value)
        return whole and value[0] <= value[1]
    if key == "core_dumps":
        return isinstance(value, bool)
    if key == "sandbox_max":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 10
    if key == "otp_min":
        return isinstance(value, str) and versions.is_version(value)
    choices = {"listens": PLACES, "transport": TRANSPORTS}.get(key)
    return isinstance(value, str) and (choices is None or value in choices)


def policy_from(host: HostTarget, seen: Observation, answers: Iterable[Answer]) -> Policy:
    """What a host does, as a policy. Raises PolicyError where no node is known on it."""
    if not host.nodes:
        raise PolicyError(f"no node is known on {host.name}, so there is nothing to write a policy from. Name a host with nodes.")
    mine = list(answers)
    return Policy(host.name, {node.product: does(node, seen, mine) for node in host.nodes}, where_epmd(host, seen))


def where_epmd(host: HostTarget, seen: Observation) -> str | None:
    return None if seen.listeners is None else _place(one for one in seen.listeners if one.port == host.epmd_port)


def _place(listeners: Iterable[Listener]) -> str:
    found = list(listeners)
    if not found:
        return NOWHERE
    if any(one.wildcard for one in found):
        return WILDCARD
    return LOOPBACK if all(one.loopback for one in found) else ADDRESS


def does(node: NodeTarget, seen: Observation, answers: Sequence[Answer]) -> NodePolicy:
    """What a node does, as far as it is known."""
    process = next((one for one in seen.processes or () if node.is_run_by(one)), None)
    unit = (seen.units or {}).get(node.unit)
    listens = None
    if seen.listeners is not None and node.port is not None:
        listens = _place(one for one in seen.listeners if one.port == node.port and one.pid in (node.pid, None))
    return NodePolicy(
        user=process.user if process else None,
        listens=listens,
        ports=_ports(node, process),
        transport=_transport(node, answers),
        sandbox_max=unit.exposure if unit else None,
        otp_min=process.vm.version if process and process.vm else None,
        core_dumps=None if process is None or process.core_limit is None else process.core_limit != 0,
    )


def _ports(node: NodeTarget, process: Process | None) -> tuple[int, int] | None:
    ends = [process.flags.kernel.get(f"inet_dist_listen_{end}") or "" for end in ("min", "max")] if process else []
    if ends and all(end.isdigit() for end in ends):
        return int(ends[0]), int(ends[1])
    return (node.port, node.port) if node.port else None


def _transport(node: NodeTarget, answers: Sequence[Answer]) -> str | None:
    found = {_of_answer(answer) for answer in answers if answer.probe.target == node.node} - {None}
    return max((str(one) for one in found), key=TRANSPORTS.index, default=None)


def _of_answer(answer: Answer) -> str | None:
    if answer.code == "tls_on_plaintext":
        return CLEAR
    version = answer.tls.version if answer.tls else None
    return version if version in TRANSPORTS else None


def differences(wanted: NodePolicy, found: NodePolicy) -> Iterator[tuple[str, bool]]:
    """What differs, and whether that is known: (text, False) for a key that nobody could look at."""
    for key, value in asdict(wanted).items():
        is_now = getattr(found, key)
        if value is None:
            continue
        if is_now is None:
            yield f"{key} is not known; the policy says {_word(value)}", False
        elif not _meets(key, value, is_now):
            yield f"{key} is {_word(is_now)}; the policy says {_word(value)}", True


def _meets(key: str, wanted: Any, found: Any) -> bool:
    if key == "sandbox_max":
        return bool(found <= wanted)
    if key == "otp_min":
        return versions.is_version(found) and versions.key(found) >= versions.key(wanted)
    if key == "transport":
        return TRANSPORTS.index(found) >= TRANSPORTS.index(wanted)
    if key == "ports":
        return bool(wanted[0] <= found[0] and found[1] <= wanted[1])
    if key == "core_dumps":
        return wanted or not found
    return bool(wanted == found)


def _word(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "-".join(map(str, dict.fromkeys(value)))
    return str(value).lower() if isinstance(value, bool) else str(value)
