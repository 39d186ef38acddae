# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report: html, json, xml, sarif, ocsf, csv. A new format is a module beside this one and a line here.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable, NamedTuple

from . import csv_table, html_page, json_data, junit, ocsf, sarif
from .model import Report


class Format(NamedTuple):
    """A file of the report: what follows the cluster's name in its name, and what makes its text."""

    suffix: str
    text: Callable[[Report], str]


FORMATS: Mapping[str, Format] = {
    "html": Format(".html", html_page.text),
    "json": Format(".json", json_data.text),
    "xml": Format(".xml", junit.text),
    "sarif": Format(".sarif", sarif.text),
    "ocsf": Format(".ocsf.json", ocsf.text),
    "csv": Format(".csv", csv_table.text),
}
"""By the name that beam_verify_report_formats uses."""

DEFAULT_FORMATS = ("html", "json", "xml")
