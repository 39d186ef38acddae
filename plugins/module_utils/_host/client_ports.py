# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports of products for their clients, and whether these speak TLS, as the products' configuration says.

Private to this collection. What is returned are numbers of ports, names of protocols and of settings. Sources: the cuttlefish schemas of RabbitMQ
3.8 to 4.3 and its plugins; the documentation of the listen options of ejabberd 23 to 26; the default configurations of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._model.client_port_facts import NO, OPTIONAL, YES
from .._term import Atom, Term, TermError, consult
from . import product_files

Port = dict[str, Any]

MANAGEMENT, METRICS = "the management interface", "the metrics"
# By prefix of rabbitmq.conf: application, protocol, its default port in clear text. The first kind has lists of listeners, the second one port each.
_SEVERAL = {
    "listeners": ("rabbit", "AMQP", 5672),
    "mqtt.listeners": ("rabbitmq_mqtt", "MQTT", 1883),
    "stomp.listeners": ("rabbitmq_stomp", "STOMP", 61613),
    "stream.listeners": ("rabbitmq_stream", "RabbitMQ streams", 5552),
}
_SINGLE = {
    "management": ("rabbitmq_management", MANAGEMENT, 15672),
    "prometheus": ("rabbitmq_prometheus", METRICS, 15692),
    "web_mqtt": ("rabbitmq_web_mqtt", "MQTT over WebSockets", 15675),
    "web_stomp": ("rabbitmq_web_stomp", "STOMP over WebSockets", 15674),
}
_LINE = re.compile(r"^\s*([A-Za-z0-9_.-]+)\s*=\s*(.+?)\s*(?:#.*)?$", re.MULTILINE)
_LAST_NUMBER = re.compile(r"(\d+)\s*$")

_EJABBERD = {
    "ejabberd_c2s": "XMPP of clients", "ejabberd_s2s_in": "XMPP of servers", "ejabberd_http": "HTTP", "ejabberd_xmlrpc": "XML-RPC",
    "ejabberd_service": "XMPP of components", "mod_mqtt": "MQTT", "ejabberd_sip": "SIP",
}
# No login and no message of a user is in what these carry, or it has a protection of its own.
_EJABBERD_OTHERS = ("ejabberd_stun", "mod_proxy65")
_PROXY65 = 7777
_SCALAR = r"(?:^|[\s{{,])[\"']?{}[\"']?\s*:\s*[\"']?([^\s,}}\"'#]+)"
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
_COMMANDS = ("mod_http_api", "ejabberd_xmlrpc")

_DEFAULTS: Mapping[str, tuple[tuple[int, str, str], ...]] = {
    "emqx": (
        (1883, "MQTT", NO), (8083, "MQTT over WebSockets", NO), (18083, "the dashboard", NO), (5370, "RPC of the cluster", NO), (8883, "MQTT", YES),
        (8084, "MQTT over WebSockets", YES),
    ),
    "vernemq": (
        (1883, "MQTT", NO), (8080, "MQTT over WebSockets", NO), (8888, "HTTP", NO), (44053, "messages of the cluster", NO), (8883, "MQTT", YES),
    ),
    "couchdb": ((5984, "HTTP", NO), (5986, "HTTP", NO), (6984, "HTTP", YES)),
    "riak": ((8087, "Protocol Buffers", NO), (8098, "HTTP", NO), (8099, "handoff of the cluster", NO)),
}
"""Of products whose configuration is not read: (port, protocol, tls)."""


def describe(products: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """{product: {ports, unread}}; see _model/client_port_facts.py. products: the environment of a node of each product that runs."""
    found: dict[str, dict[str, Any]] = {}
    for product, variables in products.items():
        if product == "rabbitmq":
            found[product] = rabbitmq(product_files.rabbitmq(variables))
        elif product == "ejabberd":
            found[product] = ejabberd(product_files.ejabberd(variables))
        elif product in _DEFAULTS:
            found[product] = {"ports": [_port(*one, "its default") for one in _DEFAULTS[product]], "unread": ""}
    return found


def _port(port: int, protocol: str, tls: str, setting: str, commands: bool = False) -> Port:
    return {"port": port, "protocol": protocol, "tls": tls, "setting": setting, "commands": commands}


# --- RabbitMQ ---


def rabbitmq(files: product_files.ProductFiles) -> dict[str, Any]:
    found: list[Port] = []
    for path, text in files.texts.items():
        found += _of_conf(path, text)
    unread = files.unread
    for path, text in files.terms.items():
        try:
            found += _of_terms(path, text)
        except (TermError, ValueError):
            unread = unread or path
    known = {one["port"] for one in found}
    clear = {one["protocol"] for one in found if one["tls"] == NO}
    for _application, protocol, port in (*_SEVERAL.values(), *_SINGLE.values()):
        # A plugin with a port of its own in clear text leaves its default; one with TLS alone keeps it, but for the management interface and metrics.
        if protocol not in clear and port not in known:
            found.append(_port(port, protocol, NO, "its default"))
    return {"ports": found, "unread": unread}


def _number(value: str) -> int | None:
    match = _LAST_NUMBER.search(value)
    return int(match.group(1)) if match else None


def _of_conf(path: str, text: str) -> Iterator[Port]:
    for key, value in _LINE.findall(text):
        number = _number(value)
        for prefix, (_application, protocol, _default) in (*_SEVERAL.items(), *_SINGLE.items()):
            for kind, tls in (("tcp", NO), ("ssl", YES)):
                single = key in (f"{prefix}.{kind}.port", f"{prefix}.{kind}.listener") and prefix in _SINGLE
                if number is not None and (single or prefix in _SEVERAL and key.startswith(f"{prefix}.{kind}.")):
                    yield _port(number, protocol, tls, f"{key} in {path}")


def _of_terms(path: str, text: str) -> Iterator[Port]:
    terms = consult(text)
    for application, own in _pairs(terms[0] if terms else []):
        for app, protocol, default in (*_SEVERAL.values(), *_SINGLE.values()):
            if app != application:
                continue
            for key, value in _pairs(own):
                said = f"{app}, {key} in {path}"
                if key in ("tcp_listeners", "ssl_listeners"):
                    numbers = (one[1] if isinstance(one, tuple) and len(one) == 2 else one for one in (value if isinstance(value, list) else ()))
                    yield from (_port(one, protocol, NO if key.startswith("tcp") else YES, said) for one in numbers if isinstance(one, int))
                elif key in ("tcp_config", "ssl_config", "listener"):
                    options = dict(_pairs(value))
                    tls = key == "ssl_config" or options.get("ssl") == Atom("true")
                    port = options.get("port", default)
                    if isinstance(port, int):
                        yield _port(port, protocol, YES if tls else NO, said)


def _pairs(term: Term) -> Iterator[tuple[str, Term]]:
    for one in term if isinstance(term, list) else ():
        if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], Atom):
            yield one[0].name, one[1]


# --- ejabberd ---


def ejabberd(files: product_files.ProductFiles) -> dict[str, Any]:
    found: list[Port] = []
    unread = files.unread
    for path, text in files.texts.items():
        plain = _COMMENT.sub("", text)
        if re.search(r"^(?:include_config_file|define_macro)\s*:", plain, re.MULTILINE):
            unread = unread or f"{path}, which has macros or includes other files"
        entries = list(_entries(plain))
        if not entries and re.search(r"^listen\s*:", plain, re.MULTILINE):
            unread = unread or f"listen in {path}"
        servers = _value(plain, "s2s_use_starttls") or ""
        for entry in entries:
            port = _listener(path, entry, servers.startswith("required"))
            if port is None:
                unread = unread or f"a listener in {path}"
            elif port:
                found.append(port)
        if re.search(r"^\s+mod_proxy65\s*:", plain, re.MULTILINE):
            found.append(_port(_PROXY65, "files of clients", YES, f"mod_proxy65 in {path}"))
    return {"ports": found, "unread": unread}


def _entries(text: str) -> Iterator[str]:
    """The entries of the list `listen`, one text each."""
    match = re.search(r"^listen\s*:[ \t]*\n((?:(?:[ \t-].*)?\n?)*)", text, re.MULTILINE)
    lines = match.group(1).splitlines() if match else []
    indents = [len(line) - len(line.lstrip()) for line in lines if line.lstrip().startswith("-")]
    entry: list[str] = []
    for line in lines:
        if line.lstrip().startswith("-") and len(line) - len(line.lstrip()) == min(indents):
            if entry:
                yield "\n".join(entry)
            entry = [line.replace("-", " ", 1)]
        elif entry:
            entry.append(line)
    if entry:
        yield "\n".join(entry)


def _value(text: str, key: str) -> str | None:
    match = re.search(_SCALAR.format(re.escape(key)), text, re.MULTILINE)
    return match.group(1) if match else None


def _listener(path: str, entry: str, servers_required: bool) -> Port | None:
    """One listener; {} where it is none that counts, None where it is not understood."""
    port, module = _value(entry, "port"), _value(entry, "module")
    if _value(entry, "transport") == "udp" or module == "ejabberd_stun" and port is None:
        return {}
    if port is None or not port.isdigit() or module is None:
        return None
    setting = f"the listener of {module} at port {port} in {path}"
    if module in _EJABBERD_OTHERS:
        return _port(int(port), "media", YES, setting)
    if module not in _EJABBERD:
        return None
    handlers = set(re.findall(r"[\"']?(/[^\s:\"']*)[\"']?\s*:\s*[\"']?([a-z_0-9]+)", entry))
    modules = {handler for _path, handler in handlers}
    commands = module in _COMMANDS or bool(modules.intersection(_COMMANDS))
    if _value(entry, "tls") == "true" or module == "ejabberd_c2s" and _value(entry, "starttls_required") == "true":
        tls = YES
    elif module == "ejabberd_s2s_in":
        tls = YES if servers_required else OPTIONAL
    elif modules == {"ejabberd_acme"}:
        # The challenge of ACME is in clear text by its definition (RFC 8555 section 8.3).
        tls = YES
    else:
        tls = OPTIONAL if module == "ejabberd_c2s" and _value(entry, "starttls") == "true" else NO
    return _port(int(port), _EJABBERD[module], tls, setting, commands)
