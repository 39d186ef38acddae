# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""axe-core finds nothing on the page, in headless Chromium: light and dark, wide and as narrow as a phone, folded and open.

`make report-page` runs it. It needs chromium, and axe-core's axe.min.js in BEAM_AXE. Screenshots go to BEAM_SCREENSHOTS, where that is set.
"""

from __future__ import annotations

import functools
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "plugins" / "module_utils" / "_assess"))
import verdicts  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.formats import FORMATS  # noqa: E402

KINDS: dict[str, Callable[[], Any]] = {**verdicts.KINDS, "ring": lambda: verdicts.large(20, answer=verdicts.lost_pair)}
DARK = "@media (prefers-color-scheme: dark)"
WIDTHS = {"wide": 1200, "phone": 500}
"""Pixels. Headless Chromium makes no window narrower than 500."""

RUN = """
<pre id="axe"></pre><script>%s</script><script>
axe.run().then(found => {
  const bad = found.violations.map(one => [one.impact, one.id, one.nodes.length, one.nodes[0].html]);
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.getElementById("axe").textContent = JSON.stringify({bad: bad, passes: found.passes.length, wide: wide});
});</script></body>
"""


@functools.lru_cache(maxsize=1)
def axe() -> str:
    return Path(os.environ["BEAM_AXE"]).read_text(encoding="utf-8")


def page(kind: str, scheme: str, opened: bool) -> str:
    text = FORMATS["html"].text(verdicts.report(KINDS[kind]()))
    assert DARK in text
    text = text.replace(DARK, "@media all") if scheme == "dark" else text
    return text.replace("<details>", "<details open>") if opened else text


def chromium(*options: str) -> str:
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=60000", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


@pytest.mark.parametrize("opened", [False, True], ids=["folded", "open"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(kind: str, scheme: str, width: str, opened: bool, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(kind, scheme, opened).replace("</body>", RUN % axe().replace("</script", "<\\/script")), encoding="utf-8")
    told = chromium(f"--window-size={WIDTHS[width]},900", "--dump-dom", path.as_uri())
    found = json.loads(html.unescape(re.findall(r'<pre id="axe">(.*?)</pre>', told, re.DOTALL)[0]))
    assert found["bad"] == []
    assert found["passes"] > 30, "axe has looked at the page"
    assert found["wide"] <= 0, "the page itself does not scroll sideways"


@pytest.mark.skipif("BEAM_SCREENSHOTS" not in os.environ, reason="BEAM_SCREENSHOTS is not set")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_screenshots(kind: str, scheme: str, width: str, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(kind, scheme, False), encoding="utf-8")
    target = Path(os.environ["BEAM_SCREENSHOTS"]) / f"{kind}-{scheme}-{width}.png"
    chromium(f"--window-size={WIDTHS[width]},3000", f"--screenshot={target}", path.as_uri())
    assert target.stat().st_size > 10_000
