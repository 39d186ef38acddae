# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the pages of docs/ that are generated from data; unit tests hold page and data equal. Run it by `make pages`."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import ATTACK_BY_ID, Attack
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import CONTROLS, Control
from ansible_collections.beam.cluster.plugins.module_utils._assess.guide_coverage import ENTRIES
from ansible_collections.beam.cluster.plugins.module_utils._wire import codes

DOCS = Path(__file__).resolve().parents[1] / "docs"
FROM = {
    "outside": "a host outside the cluster",
    "member": "members, with their own key and cookie unless the attack shows others",
    "user": "the user nobody of each host",
}
AT = {
    "any": "every address",
    "public": "every address but the cluster's",
    "cluster": "the cluster address",
    "own": "loopback and the cluster address",
}
CONTROLS_HEAD = """\
# Controls

What `beam.cluster.verify` checks on a cluster, and `beam.cluster.audit` on any hosts. Controls *in audits only* are about what no role of this
collection sets: the operating system, products' own settings, programs.

This page is generated from `plugins/module_utils/_assess/controls/` and `attacks.py` by
`make pages`; do not edit it.

A control passes, fails, is not tested, or is not applicable. The play fails after the report if a control failed or was not tested, unless it is
[waived](../roles/verify/README.md#waivers).
"""
CATALOGUE_HEAD = """
## Catalogue

What a hardened BEAM host should hold to, and which controls look at it. From the guides of OTP, the EEF Security Working Group, RabbitMQ, ejabberd.

| Entry | What must hold | Controls | Not seen |
| --- | --- | --- | --- |"""
CODES_PAGE = """\
# The codes of the wire

Generated from `plugins/module_utils/_wire/codes.py` by `tests/regenerate.py`; do not edit.

Every answer of `beam.cluster.dist_probe`, `node_call`, `node_members`, `cookie`, `mesh_info` and `epmd_info` has a code:
the result of the conversation, and the layer that caused it. In playbooks use codes, never messages. Each code has a category:

* `connected`: the peer accepted the connection and answered.
* `refused_by_peer`: the peer refused. An attack that ends here was refused.
* `blocked`: the network did not let our packets through to the peer.
* `refused_by_us`: we refused the peer, for example because of its name or certificate.
* `unclear`: the peer neither accepted nor refused.
* `broken`: the probe could not be made. It says nothing about the peer.

`expect` of `dist_probe` also takes the groups {groups}.
An alert without a name at IANA is `tls_alert_` and its number. OTP 23 closes the connection in places where later releases send an alert:
there `dropped_tls` and `dropped_status` are refusals.

| code | layer | category | meaning |
| --- | --- | --- | --- |
{rows}"""


def _attack_lines(attack: Attack) -> list[str]:
    return [
        f"* Attacked from: {FROM[attack.vantage]}, at {AT[attack.network]} of each node",
        f"* Counts as refused: {', '.join(f'`{code}`' for code in sorted(attack.refused))}",
    ]


def _control(control: Control) -> list[str]:
    lines = ["", f"## {control.id}", "", f"**{control.title}.** Severity {control.severity}.", "", control.why, ""]
    lines += [f"* Looks at: {control.looks_at}{', in audits only' if control.audit_only else ''}", f"* To make it pass: {control.remedy}"]
    lines += [f"* Done by: role [{control.role}](../roles/{control.role}/README.md)"] if control.role else []
    lines.append(f"* References: {', '.join(f'[{title}]({url})' for title, url in control.references)}")
    return lines + (_attack_lines(ATTACK_BY_ID[control.id]) if control.id in ATTACK_BY_ID else [])


def controls_page() -> str:
    lines = [CONTROLS_HEAD, "| Control | Severity | Looks at | What must hold |", "| --- | --- | --- | --- |"]
    lines += [f"| [{one.id}](#{one.id}) | {one.severity} | {one.looks_at} | {one.title} |" for one in CONTROLS]
    for control in CONTROLS:
        lines += _control(control)
    lines.append(CATALOGUE_HEAD)
    lines += [f"| {one.id} | {one.holds} | {', '.join(f'[{name}](#{name})' for name in one.controls)} | {one.gap} |" for one in ENTRIES]
    return "\n".join(lines) + "\n"


def codes_page() -> str:
    rows = "".join(f"| `{code.name}` | {code.layer} | {code.category} | {code.meaning} |\n" for code in codes.CODES.values())
    return CODES_PAGE.format(groups=", ".join(f"`{name}`" for name in codes.GROUPS), rows=rows)


PAGES = {"controls.md": controls_page, "codes.md": codes_page}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
