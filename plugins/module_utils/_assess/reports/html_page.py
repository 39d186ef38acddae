# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as one HTML page that needs nothing else: no script, no font, no image.

Private to this collection, pure. The order is that of the terminal: the verdict, what failed, what was not tested, waivers, days left, weaknesses,
then evidence (html_connections.py, html_attacks.py, html_controls.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..._model.advisories import Advisory
from ..finding import FAILED, NOT_TESTED, WAIVED, Finding
from . import score_and_baseline
from .html_attacks import attacks
from .html_connections import mesh
from .html_controls import controls
from .html_markup import Markup, folded, grid, joined, row, section, severity, status, tag
from .html_picture import picture
from .html_style import STYLE
from .model import LIFETIME, Fault, Gap, Report, when

SUBJECTS_MAX = 24
"""Subjects of one failed control, and details of one finding, that show at once; the rest folds open."""


class Part(NamedTuple):
    """A section of the page. label: its name in the contents."""

    identity: str
    title: str
    label: str
    children: tuple[Markup, ...]


def text(report: Report) -> str:
    title = report.name
    parts = list(_parts(report))
    head = joined(
        (
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", f"{title}: {report.result}"),
            tag("style", Markup(STYLE)),
        ),
        "\n",
    )
    contents = tag("nav", tag("ul", *(tag("li", tag("a", part.label, href=f"#{part.identity}")) for part in parts)), aria_label="Contents")
    body = joined(
        (
            tag("a", "Skip to the results", href="#results", class_="skip"),
            tag("header", _banner(report, title), contents),
            tag("main", joined((section(part.identity, part.title, *part.children) for part in parts), "\n"), id="results", tabindex=-1),
            tag("footer", f"Written by {' '.join(filter(None, ('beam.cluster', report.version)))} at {when(report.epoch)}."),
        ),
        "\n",
    )
    # On paper nothing folds open: of a small cluster everything shows.
    kind = "print-open" if report.listed else None
    return f"<!DOCTYPE html>\n{tag('html', tag('head', head), tag('body', body, class_=kind), lang='en')}\n"


def _parts(report: Report) -> Iterator[Part]:
    failing = tuple(_failing(report))
    if report.faults or failing:
        children = (*map(_fault, report.faults), *failing)
        yield Part("failed", "What failed", f"Failed ({len(children)})", children)
    if report.gaps:
        count = sum(len(gap.findings) for gap in report.gaps)
        yield Part("not-tested", "What was not tested", f"Not tested ({count})", tuple(map(_gap, report.gaps)))
    if report.verdict.waivers:
        yield Part("waivers", "Waivers", f"Waivers ({len(report.verdict.waivers)})", tuple(_waivers(report)))
    if score_and_baseline.changes_of(report.verdict):
        yield Part("changes", score_and_baseline.changes_text(report.verdict), "Changes", tuple(_changes(report)))
    if report.lifetimes:
        yield Part("days", "Days left of the certificates", "Days left", (_lifetimes(report),))
    if report.advisories:
        label = f"Vulnerabilities ({len(report.advisories)})"
        yield Part("weaknesses", "Known vulnerabilities and advisories, by host", label, tuple(_weaknesses(report)))
    if report.verdict.reach:
        rows = (row(host, str(one)) for host, one in report.verdict.reach.items())
        yield Part("hosts", "How far each host could be looked at", "Hosts", (grid("Hosts", ("Host", "Looked at"), rows),))
    drawn = tag("div", picture(report), class_="wide picture", tabindex=0, role="group", aria_label="Picture of the cluster")
    yield Part("cluster", "The cluster", "Cluster", (drawn,))
    if report.planned:
        yield Part("mesh", "Connections between the nodes", "Connections", (mesh(report),))
    yield Part("attacks", "Attacks", "Attacks", tuple(attacks(report)))
    yield Part("controls", "All controls with their evidence", "Controls", (tag("div", *controls(report), class_="controls"),))


def _banner(report: Report, title: str) -> Markup:
    verdict = report.verdict
    facts = [
        when(report.epoch),
        f"{len(report.nodes)} nodes",
        f"attacked from outside by {', '.join(verdict.outsiders) or 'no host'}",
        str(verdict.coverage),
    ]
    lines = [tag("p", report.headline)]
    lines += (tag("p", line, class_="score") for line in score_and_baseline.lines(verdict))
    lines.append(tag("p", joined(facts, " \u00b7 "), class_="soft"))
    return tag("div", tag("h1", f"{title}: ", status(report.result)), *lines, class_=f"banner {report.result}")


def _details(finding: Finding) -> Markup:
    if len(finding.details) <= 1:
        return tag("li", tag("strong", finding.subject), f": {finding.details[0]}" if finding.details else "")
    shown, more = finding.details[:SUBJECTS_MAX], finding.details[SUBJECTS_MAX:]
    rest = [folded(f"{len(more)} more", tag("ul", *(tag("li", detail) for detail in more)))] if more else []
    return tag("li", tag("strong", finding.subject), tag("ul", *(tag("li", detail) for detail in shown)), *rest)


def _names(subjects: Sequence[str]) -> str:
    more = len(subjects) - SUBJECTS_MAX
    return ", ".join(subjects[:SUBJECTS_MAX]) + (f" and {more} more" if more > 0 else "")


def _list(findings: Sequence[Finding]) -> Iterator[Markup]:
    yield tag("ul", *map(_details, findings[:SUBJECTS_MAX]))
    more = findings[SUBJECTS_MAX:]
    if more:
        yield folded(f"{len(more)} more", tag("ul", *map(_details, more)))


def _fault(fault: Fault) -> Markup:
    control = fault.control
    heading = tag("h3", status(FAILED), " ", control.title, " ", tag("code", control.id), " ", severity(control.severity))
    fix = tag("p", tag("strong", "What to do: "), control.fix, class_="fix")
    parts = [heading, *_list(fault.findings), tag("p", control.why, class_="soft"), fix]
    if fault.symptoms:
        count = len(fault.symptoms)
        told = f"{count} more {'result follows' if count == 1 else 'results follow'} from this: {fault.symptoms_text()}"
        parts.append(folded(told, tag("ul", *map(_symptom, fault.symptoms))))
    return tag("article", *parts, class_="card failed")


def _symptom(finding: Finding) -> Markup:
    return tag("li", status(finding.status), " ", tag("code", finding.control), f" {finding.subject}: {'; '.join(finding.details)}")


def _failing(report: Report) -> Iterator[Markup]:
    """Advisories that fail the run: what is the same on several hosts is one card."""
    hosts: dict[tuple[str, str, str, str], list[str]] = {}
    details: dict[tuple[str, str, str, str], dict[str, None]] = {}
    failing = frozenset(report.verdict.failing_advisories)
    for one in report.advisories:
        if one in failing:
            key = (one.control, one.title, one.severity, one.fix)
            hosts.setdefault(key, []).append(one.host or "the cluster")
            details.setdefault(key, {})[one.detail] = None
    for (name, title, level, fix), where in hosts.items():
        heading = tag("h3", status(FAILED), " ", title, " ", tag("code", name), " ", severity(level))
        notes = (tag("p", detail) for detail in details[name, title, level, fix] if detail)
        what = tag("p", tag("strong", "What to do: "), fix or "See the advisory.", class_="fix")
        yield tag("article", heading, tag("p", tag("strong", _names(where))), *notes, what, class_="card failed")


def _gap(gap: Gap) -> Markup:
    names = joined((tag("code", control) for control in gap.controls), ", ")
    heading = tag("h3", status(NOT_TESTED), f" {_names(gap.subjects)}")
    return tag("article", heading, tag("p", gap.reason), tag("p", "Controls: ", names), class_="card not_tested")


def _waivers(report: Report) -> Iterator[Markup]:
    unused = report.verdict.unused_waivers
    rows = []
    for one in report.verdict.waivers:
        use = "not needed: remove it" if one in unused else "in use"
        covers = one.status.replace("_", " ") or "failed, not tested"
        rows.append(row(tag("code", one.control), one.host or "all", one.owner, one.reason, one.until, covers, use))
    yield grid("Waivers", ("Control", "Host or node", "Owner", "Reason", "Until", "Status", "Use"), rows)
    if report.waived:
        lines = (tag("li", status(one.waived_status), " ", tag("code", one.control), f" {_waived(one)}") for one in report.waived)
        yield folded(f"{len(report.waived)} waived findings", tag("ul", *lines), opened=True)


def _waived(finding: Finding) -> str:
    attack = "an attack succeeded: " if finding.succeeded else ""
    return f"{finding.subject}: {attack}{'; '.join(finding.details)}. Waived: {finding.waiver}"


def _changes(report: Report) -> Iterator[Markup]:
    """Findings by their change since the report before, except those that fail as they did."""
    found: dict[str, list[Finding]] = {}
    for finding in report.verdict.findings:
        found.setdefault(score_and_baseline.change_of(report.verdict, finding), []).append(finding)
    for change in score_and_baseline.changes_of(report.verdict):
        if change != "unchanged" and change in found:
            lines = (tag("li", status(one.status), " ", tag("code", one.control), f" {one.subject}") for one in found[change])
            yield folded(f"{len(found[change])} {change}", tag("ul", *lines), opened=True)


def _lifetimes(report: Report) -> Markup:
    statuses = {finding.subject: finding.status for finding in report.findings_of.get(LIFETIME, ())}
    rows = []
    for one in report.lifetimes:
        days = "not known" if one.days is None else f"{one.days:.0f}"
        rows.append(row(one.node, tag("td", days, class_="number"), one.until or "", status(statuses.get(one.node, NOT_TESTED))))
    table = grid("Days left of the certificates", ("Node", "Days left", "Certificate ends", "Control"), rows)
    return table if report.listed else joined((tag("p", _ends(report)), folded("All nodes", table)))


def _ends(report: Report) -> str:
    known = [one for one in report.lifetimes if one.days is not None]
    if not known:
        return "No member was shown a certificate."
    return f"The certificate of {known[0].node} ends first: {known[0].days or 0:.0f} days left. {len(known)} of {len(report.lifetimes)} are known."


def _weaknesses(report: Report) -> Iterator[Markup]:
    """Hosts with the same weaknesses share a table."""
    by_host: dict[str, list[Advisory]] = {}
    for advisory in report.advisories:
        by_host.setdefault(advisory.host, []).append(advisory)
    alike: dict[tuple[tuple[str, str, str, str, str, str], ...], list[str]] = {}
    for host, advisories in by_host.items():
        rows = tuple((one.severity, one.control, one.title, one.detail, one.fix, report.verdict.waived.get(one, "")) for one in advisories)
        alike.setdefault(rows, []).append(host)
    for rows, hosts in alike.items():
        names = _names([host or "the cluster" for host in hosts])
        yield tag("h3", names)
        head = ("What", "Severity", "Title", "Mended by")
        yield grid(f"Weaknesses of {names}", head, (_weakness(*one) for one in rows))


def _weakness(level: str, name: str, title: str, detail: str, fix: str, waived: str) -> Markup:
    notes = [tag("br"), tag("span", detail, class_="soft")] if detail else []
    notes += [tag("br"), status(WAIVED, f"waived: {waived}")] if waived else []
    return row(tag("code", name), severity(level), tag("td", title, *notes, class_="text"), fix or "\u2013")
