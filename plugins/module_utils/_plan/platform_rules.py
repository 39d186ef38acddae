# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which platforms are tested, and what is said of a host of another one.

Private to this collection.
"""

from __future__ import annotations

from .._model.host_facts import Distribution
from .._model.problems import Problems


def validate_platform(host: str, system: Distribution, accepted: bool, problems: Problems) -> None:
    """The roles install packages with apt. A host whose system is not known breaks no rule. `accepted`: the operator wants to try."""
    if accepted or system.id is None or system.id == "debian" or "debian" in system.like:
        return
    problems.add(
        host,
        "beam_platform_untested",
        "platform_unsupported",
        f"the host runs {system.id}{' ' + system.version if system.version else ''}; the roles are tested on Debian, and use apt.",
        "remove the host from the group, or set beam_platform_untested: true to try.",
    )
