# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles' templates, rendered without a host."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def _listed(made: Callable[..., Iterable[object]]) -> Callable[..., list[object]]:
    @functools.wraps(made)
    def whole(*arguments: object, **named: object) -> list[object]:
        return list(made(*arguments, **named))

    return whole


def render(templates: Path, name: str, values: Mapping[str, object]) -> str:
    """The text of `<name>.j2`, with white space as the module template leaves it; a variable that `values` lacks is an error."""
    environment = Environment(loader=FileSystemLoader(templates), trim_blocks=True, undefined=StrictUndefined, autoescape=False)
    # Ansible makes lists of what Jinja leaves as generators, which are never empty.
    for filter_name in ("map", "reject", "select", "unique"):
        environment.filters[filter_name] = _listed(environment.filters[filter_name])
    # Ansible's own tests and filters that templates use.
    environment.tests["contains"] = lambda whole, part: part in whole
    environment.filters["extract"] = lambda key, container: container[key]
    environment.filters["hash"] = lambda text, kind: hashlib.new(kind, text.encode()).hexdigest()
    environment.filters["regex_replace"] = lambda text, pattern, new: re.sub(pattern, new, str(text))
    # It strips one line break at the end of each file, included ones too, and gives the whole text its own back.
    return environment.get_template(f"{name}.j2").render(values).removesuffix("\n") + "\n"
