# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When systemd is told to read its units anew, by what it says of those it has read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.template import Templar, trust_as_template

TASKS = Path(__file__).resolve().parents[2] / "roles" / "service" / "tasks" / "reload_units.yml"
READ = (
    "NeedDaemonReload=no\nDropInPaths=/etc/systemd/system/{unit}.d/mine.conf /etc/systemd/system/{unit}.d/zzz-beam.conf\n"
    "Requires=system.slice beam-guard-{unit}\nWants=epmd.socket beam-watch-{unit}"
)
# Of systemd 252, where the drop-in's directory came after it had read the unit.
UNSEEN = "NeedDaemonReload=no\nDropInPaths="
# As an older version of this collection has left it; and with a guard that systemd does not know yet.
FORMER = READ.replace("zzz-beam.conf", "beam.conf")
UNGUARDED = READ.replace("beam-guard-", "")
UNWATCHED = READ.replace("beam-watch-", "")
CHANGED = READ.replace("=no", "=yes")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [([READ], False), ([READ, READ], False), ([CHANGED], True), ([READ, CHANGED], True), ([UNSEEN], True), ([READ, UNSEEN], True)]
    + [([FORMER], True), ([READ, UNGUARDED], True), ([UNWATCHED], True)],
)
def test_a_drop_in_that_systemd_does_not_know_is_read(answers: list[str], expected: bool) -> None:
    units = [f"u{number}.service" for number in range(len(answers))]
    said = "\n\n".join(answer.format(unit=unit) for answer, unit in zip(answers, units))
    task = yaml.safe_load(TASKS.read_text(encoding="utf-8"))[-1]
    variables = {"__beam_service_reload": {"stdout": said}, "__beam_service_units": units}
    assert Templar(variables=variables).evaluate_conditional(trust_as_template(task["when"])) is expected
