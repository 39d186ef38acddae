# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of products from their configuration files, by an allow list.

No password and no hash of one leaves the host, only whether it is a known one.

Private to this collection. Sources: the schema of RabbitMQ 3.8 to 4.3, rabbit_password.erl, rabbit_definitions.erl; ejabberd 23 to 26.
"""

from __future__ import annotations

import base64
import binascii
import glob
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._model.known_passwords import DEFAULT_HASHING, is_hash_of_known, is_known
from .._term import Atom, Term, TermError, consult
from . import proc, product_files
from .product_files import ProductFiles

_RABBITMQ_KEY = re.compile(r"^\s*(loopback_users(?:\.[a-z0-9_-]+)?|anonymous_login_user)\s*=\s*([A-Za-z0-9_.-]+)\s*$", re.MULTILINE)
_LOGIN = re.compile(r"^\s*(default_user|default_pass)\s*=\s*(.+?)\s*$", re.MULTILINE)
_DEFINITIONS = re.compile(r"^\s*(?:load_definitions|definitions\.local\.path|management\.load_definitions)\s*=\s*(/\S+)\s*$", re.MULTILINE)
_BOUND = re.compile(r"^\s*((?:management|prometheus)\.tcp\.ip)\s*=\s*([0-9A-Fa-f.:]+)\s*$", re.MULTILINE)
PLUGINS = "/etc/rabbitmq/enabled_plugins"
"""An Erlang term, which rabbitmq-plugins writes: each plugin in it is started with the node."""
_PLUGIN = re.compile(r"\brabbitmq_(?:management|prometheus)\b")
_GUEST = "guest"
_EJABBERD_KEY = re.compile(r"^(loglevel)\s*:\s*['\"]?([A-Za-z0-9]+)['\"]?\s*(?:#.*)?$", re.MULTILINE)


def describe(products: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """{product: settings} of the products that run; of files that cannot be read `unread` names the first.

    products: the environment of a node of each.

    rabbitmq: loopback_users, loopback_users.NAME, anonymous_login_user as in rabbitmq.conf. known_logins: "USER in FILE" of users that are created
    with a password that everybody knows, with "; " between; absent where there is none. plugins: those of management and metrics that the next start
    has; management.tcp.ip, prometheus.tcp.ip: where these listen.
    """
    found: dict[str, dict[str, str]] = {}
    if "rabbitmq" in products:
        plugins = " ".join(sorted(set(_PLUGIN.findall(re.sub(r"%.*", "", proc.text_of(PLUGINS) or "")))))
        found["rabbitmq"] = rabbitmq(product_files.rabbitmq(products["rabbitmq"]), products["rabbitmq"])
        found["rabbitmq"].update({"plugins": plugins} if plugins else {})
    if "ejabberd" in products:
        files = product_files.ejabberd(products["ejabberd"])
        found["ejabberd"] = {"unread": files.unread} if files.unread else {}
        for text in files.texts.values():
            found["ejabberd"].update(_EJABBERD_KEY.findall(text))
        found["ejabberd"].update(_open_files(files.texts))
    return found


# --- RabbitMQ ---


def rabbitmq(files: ProductFiles, variables: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    unread = files.unread
    logins: list[str] = []
    user, word, place = _GUEST, "", ""
    for path, text in files.texts.items():
        found.update((*_RABBITMQ_KEY.findall(text), *_BOUND.findall(text)))
        for name, value in _LOGIN.findall(text):
            user, word, place = (value, word, place) if name == "default_user" else (user, value, path)
        for named in _DEFINITIONS.findall(text):
            said = _definitions(named)
            unread = unread or ("" if said is not None else named)
            logins += said or ()
    for path, text in files.terms.items():
        try:
            found.update(_of_terms(consult(text)))
        except (TermError, ValueError):
            unread = unread or path
    if variables.get("RABBITMQ_DEFAULT_PASS"):
        user, word = variables.get("RABBITMQ_DEFAULT_USER") or user, variables["RABBITMQ_DEFAULT_PASS"]
        place = "the variable RABBITMQ_DEFAULT_PASS"
    if word and is_known(user, word):
        logins.append(f"{user} in {place}")
    return {**found, **({"known_logins": "; ".join(logins)} if logins else {}), **({"unread": unread} if unread else {})}


def _of_terms(terms: list[Term]) -> Iterator[tuple[str, str]]:
    """What rabbitmq.config and advanced.config set of the application rabbit, as in rabbitmq.conf: they win against it."""
    for application in terms[0] if terms and isinstance(terms[0], list) else ():
        if not (isinstance(application, tuple) and len(application) == 2 and application[0] == Atom("rabbit") and isinstance(application[1], list)):
            continue
        for pair in application[1]:
            if not (isinstance(pair, tuple) and len(pair) == 2):
                continue
            name, value = str(pair[0]), pair[1]
            if name == "loopback_users" and isinstance(value, list):
                yield "loopback_users", "none" if not value else "some"
                yield "loopback_users.guest", "true" if _GUEST.encode() in value else "false"
            elif name == "anonymous_login_user":
                yield name, value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _definitions(path: str) -> list[str] | None:
    """The users of definitions whose password everybody knows, each with its file; None where they cannot be read."""
    found = []
    for one in sorted(glob.glob(f"{path}/*.json")) if os.path.isdir(path) else [path]:
        try:
            users = json.loads(proc.text_of(one) or "").get("users") or []
            found += [f"{user['name']} in {one}" for user in users if _has_known_password(user)]
        except (ValueError, AttributeError, TypeError, KeyError):
            return None
    return found


def _has_known_password(user: Mapping[str, Any]) -> bool:
    """password_hash is in base64."""
    name = str(user["name"])
    if isinstance(user.get("password"), str):
        return is_known(name, user["password"])
    try:
        raw = base64.b64decode(str(user.get("password_hash") or ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return is_hash_of_known(name, raw, str(user.get("hashing_algorithm") or DEFAULT_HASHING))


# --- ejabberd ---


def _open_files(paths: Iterable[str]) -> Mapping[str, str]:
    """`open`: of files with settings, those whose mode lets every user read them; absent where there is none.

    Not by the directory above: the packages close both, and the next change of the directory would open the file.
    """
    found = []
    for path in paths:
        try:
            if os.stat(path).st_mode & 0o004:
                found.append(path)
        except OSError:
            continue
    return {"open": ", ".join(found)} if found else {}
