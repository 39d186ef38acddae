# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where RabbitMQ and ejabberd have their configuration: the usual files, or those that variables of the node name.

Private to this collection. Sources: rabbit_env.erl of RabbitMQ 3.8 to 4.3, ejabberdctl of ejabberd 23 to 26.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import proc

_VARIABLE = re.compile(r"(?:RABBITMQ|EJABBERD)_(?:ADVANCED_)?CONFIG_[A-Z]+|RABBITMQ_DEFAULT_(?:USER|PASS)")
_RABBITMQ = "/etc/rabbitmq"
_RABBITMQ_VARIABLE = re.compile(r"^\s*(?:export\s+)?(?:RABBITMQ_)?((?:ADVANCED_)?CONFIG_FILES?)=[\"']?([^\"'\s#]+)", re.MULTILINE)
_EJABBERD = "/etc/ejabberd"
_INCLUDED = re.compile(r"^include_config_file\s*:(.*(?:\n[ \t-].*)*)", re.MULTILINE)
_FILE = re.compile(r"[^\s\"'\[\],:{}]*/[^\s\"'\[\],:{}]+|[^\s\"'\[\],:{}]+\.ya?ml")
_EJABBERD_VARIABLE = re.compile(r"^\s*EJABBERD_CONFIG_PATH=[\"']?([^\"'\s#]+)", re.MULTILINE)


@dataclass(frozen=True)
class ProductFiles:
    """texts: content by path, of files in the product's own syntax, in the order in which they count. terms: the same of files of Erlang terms.

    unread: the first one that could not be read, or the setting that names files in a way that is not understood; empty where there is none.
    """

    texts: Mapping[str, str]
    terms: Mapping[str, str]
    unread: str = ""


def variables_of(pid: int, root: str = "/proc") -> dict[str, str]:
    """The variables of a node that name its product's files, or give its first user. They stay on the host."""
    pairs = (part.decode("utf-8", "replace").partition("=") for part in proc.read(f"{root}/{pid}/environ").split(b"\0"))
    return {name: value for name, _equals, value in pairs if _VARIABLE.fullmatch(name)}


def _read(texts: Sequence[str], terms: Sequence[str], unread: str = "") -> ProductFiles:
    """Of files that exist; a file that is named and does not exist is none."""
    found: list[dict[str, str]] = [{}, {}]
    for paths, own in zip((texts, terms), found):
        for path in dict.fromkeys(paths):
            content = proc.text_of(path)
            if content is not None:
                own[path] = content
            elif os.path.lexists(path):
                unread = unread or path
    return ProductFiles(found[0], found[1], unread)


def rabbitmq(variables: Mapping[str, str], directory: str = _RABBITMQ) -> ProductFiles:
    """variables: the environment of the node."""
    asked = dict(_RABBITMQ_VARIABLE.findall(proc.text_of(f"{directory}/rabbitmq-env.conf") or ""))
    asked.update((name[len("RABBITMQ_") :], value) for name, value in variables.items() if _RABBITMQ_VARIABLE.match(f"{name}={value}"))
    unread = next((f"{name}={value}" for name, value in sorted(asked.items()) if "$" in value or not value.startswith("/")), "")
    base = re.sub(r"\.conf(?:ig)?$", "", asked.get("CONFIG_FILE", f"{directory}/rabbitmq"))
    more = asked.get("CONFIG_FILES", f"{directory}/conf.d")
    advanced = asked.get("ADVANCED_CONFIG_FILE", f"{directory}/advanced.config")
    several = f"{more}/*.conf" if os.path.isdir(more) else more
    terms = [f"{base}.config", advanced if advanced.endswith(".config") else f"{advanced}.config"]
    return _read([f"{base}.conf", *sorted(glob.glob(several))], terms, unread)


def ejabberd(variables: Mapping[str, str], directory: str = _EJABBERD) -> ProductFiles:
    named = _EJABBERD_VARIABLE.findall(proc.text_of(f"{directory}/ejabberdctl.cfg") or "")
    path = variables.get("EJABBERD_CONFIG_PATH") or next(iter(named[-1:]), f"{directory}/ejabberd.yml")
    found = _read([path], [], path if not path.startswith("/") else "")
    if not found.texts and not found.unread:
        return ProductFiles({}, {}, path)
    named = [one for text in found.texts.values() for words in _INCLUDED.findall(text) for one in _FILE.findall(words)]
    return _read([path, *(os.path.join(os.path.dirname(path), one) for one in named)], [], found.unread)
