# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The style of the page: light and dark as the reader's system says, narrow screens, paper.

Private to this collection. The colours of text have a contrast of at least 4.5 to 1 on their ground (WCAG 2.2, 1.4.3), in both schemes.
"""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --panel: #f4f6f8; --text: #1b1f24; --soft: #4f5863; --line: #c9d1d9; --good: #11632a;
 --bad: #b3121d; --warn: #7a4b00; --good-ground: #e6f4ea; --bad-ground: #fdecec; --warn-ground: #fdf3e0; --link: #0550ae; }
@media (prefers-color-scheme: dark) {
 :root { --ground: #12161b; --panel: #1b2128; --text: #e6eaef; --soft: #a3adb8; --line: #3a434d;
  --good: #6fd08c; --bad: #ff8f8f; --warn: #f0b75e; --good-ground: #14301f; --bad-ground: #3d1a1c; --warn-ground: #37290f; --link: #8ab8ff; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1.5rem 1.25rem 4rem; color: var(--text);
 background: var(--ground); }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
p, ul, ol { margin: .4rem 0; }
ul, ol { padding-left: 1.3rem; }
code { font: .93em ui-monospace, monospace; overflow-wrap: anywhere; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; background: var(--ground); padding: .5rem; }
.banner { border: 1px solid var(--line); border-left: .6rem solid var(--good); border-radius: .4rem; padding: 1rem 1.25rem;
 background: var(--good-ground); }
.banner.failed { border-left-color: var(--bad); background: var(--bad-ground); }
.banner p { margin: .5rem 0 0; overflow-wrap: anywhere; }
.banner .score { font-weight: 600; }
nav ul { display: flex; flex-wrap: wrap; gap: .4rem 1.25rem; list-style: none; padding: 0; margin: 1rem 0 0; }
nav a { display: inline-block; padding: .2rem 0; }
.card { border: 1px solid var(--line); border-left: .35rem solid var(--bad); border-radius: .4rem; padding: .8rem 1rem; margin: .75rem 0;
 overflow-wrap: anywhere; }
.card.waived, .card.not_tested { border-left-color: var(--warn); }
.card .fix { background: var(--panel); border-radius: .3rem; padding: .5rem .75rem; margin: .6rem 0 0; }
.card details { margin: .6rem 0 0; }
.status { font-weight: 600; white-space: nowrap; }
.passed, .refused { color: var(--good); }
.failed, .succeeded { color: var(--bad); }
.not_tested, .waived { color: var(--warn); }
.not_applicable { color: var(--soft); font-weight: 400; }
.banner.failed, .banner.passed, .card { color: var(--text); }
.severity { font-size: .85em; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .5rem; color: var(--soft); white-space: nowrap; }
.severity.critical, .severity.high { color: var(--bad); }
.severity.medium { color: var(--warn); }
.controls .severity { color: var(--soft); }
.soft { color: var(--soft); }
.badges { font-weight: 400; }
.wide { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .93em; }
th, td { text-align: left; vertical-align: top; padding: .3rem .65rem; border: 1px solid var(--line); }
thead th { background: var(--panel); }
tbody th { font-weight: 600; }
td.number { text-align: right; white-space: nowrap; }
th, td.mark { white-space: nowrap; }
td.text, th.text { min-width: 16rem; white-space: normal; overflow-wrap: anywhere; }
table.signs td { padding: .15rem .4rem; text-align: center; }
td.fold { padding: 0 .65rem .2rem; border-top: 0; }
tr.counts > * { border-bottom: 0; }
summary { cursor: pointer; padding: .2rem 0; }
details > :not(summary) { margin-left: 1.1rem; }
.controls > details { border-bottom: 1px solid var(--line); }
.controls > details > div { padding-bottom: .75rem; }
pre { font: .85em/1.35 ui-monospace, monospace; margin: .5rem 0; }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--text); }
svg .soft { fill: var(--soft); }
svg .box { fill: var(--panel); stroke: var(--line); }
svg .wall { fill: none; stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 7 5; }
svg .link { fill: none; stroke-width: 2; stroke: var(--good); }
svg .link.thin { stroke-width: 1; opacity: .5; }
svg .link.failed { stroke: var(--bad); stroke-dasharray: 6 4; stroke-width: 2.5; opacity: 1; }
svg .link.not_tested { stroke: var(--soft); stroke-dasharray: 2 4; }
svg .dot { fill: var(--good); }
svg .dot.failed { fill: var(--bad); }
svg .dot.not_tested, svg .dot.waived { fill: var(--warn); }
svg text.passed, svg text.refused { fill: var(--good); }
svg text.failed, svg text.succeeded { fill: var(--bad); }
svg text.not_tested, svg text.waived { fill: var(--warn); }
svg .head { fill: var(--bad); }
svg .stop { font-size: 18px; font-weight: 700; }
svg .plate { fill: var(--ground); }
svg text.label { font-size: 12px; }
svg .tile.passed { fill: var(--good-ground); stroke: var(--good); }
svg .tile.failed { fill: var(--bad-ground); stroke: var(--bad); stroke-width: 2; }
svg .tile.not_tested, svg .tile.waived { fill: var(--warn-ground); stroke: var(--warn); }
svg .tile.not_applicable { fill: var(--panel); stroke: var(--line); }
footer { margin-top: 3rem; color: var(--soft); font-size: .9em; }
@media (max-width: 40rem) {
 body { font-size: 16px; padding: .75rem .75rem 3rem; }
 h1 { font-size: 1.35rem; }
 .picture svg { min-width: 36rem; }
 .banner { padding: .75rem; }
 th, td { padding: .25rem .45rem; }
 details > :not(summary) { margin-left: .4rem; }
}
@page { size: A4; margin: 14mm; }
@media print {
 :root { color-scheme: light; --ground: #fff; --panel: #f4f6f8; --text: #000; --soft: #444; --line: #999; --good: #11632a; --bad: #b3121d;
  --warn: #7a4b00; --good-ground: #fff; --bad-ground: #fff; --warn-ground: #fff; --link: #000; }
 body { font-size: 10pt; max-width: none; padding: 0; }
 nav, .skip { display: none; }
 h2, h3 { break-after: avoid; }
 .wide { overflow: visible; }
 table { font-size: 8pt; }
 tr, li { break-inside: avoid; }
 th, td.mark, .status { white-space: normal; }
 td.text, th.text { min-width: 0; }
 svg { max-height: 12cm; }
 .print-open :not(.card) > details:not([open])::details-content { content-visibility: visible; block-size: auto; }
}
"""
