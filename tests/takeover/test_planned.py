# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All situations of a product at once on a host of the lab: the plan names each with its place, in one run, and has touched nothing.

LAB_PREFIX=... pytest tests/takeover/test_planned.py        (the lab's hosts may be bare)
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from planned import PLANNED, Planned
from planned_settings import SET
from planned_usage import USED

ROOT = Path(__file__).resolve().parents[2]
PREFIX = os.environ.get("LAB_PREFIX", "beam-")
HOST = os.environ.get("TAKEOVER_HOST", "n1")
SITUATIONS = [*PLANNED, *USED, *SET]
WATCHED = "/etc /usr/lib/systemd /var/lib/beam /run/systemd/system"


def on(command: str, text: str = "") -> str:
    done = subprocess.run(
        [str(ROOT / "molecule/lab/podman"), "exec", "-i", PREFIX + HOST, "sh", "-c", command],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def state() -> str:
    """Everything that a run could have changed: files with their times, the firewall, what runs."""
    files = f"find {WATCHED} -xdev -printf '%p %T@ %m %U %s\\n' 2>/dev/null | sort"
    return on(f"{files}; nft list ruleset 2>/dev/null; systemctl list-units --no-legend --state=active '*.service'")


@functools.cache
def planned(product: str) -> tuple[dict[str, Any], bool]:
    """The result of the plan with all situations of a product on the host, and whether the host is as before."""
    situations = [one for one in SITUATIONS if one.product == product]
    files = {path: text for one in situations for path, text in one.files.items()}
    kept = on(f"tar -cf /root/takeover.tar {' '.join(files) or '/etc/hostname'} 2>/dev/null; tar -tf /root/takeover.tar").split()
    variables = {"beam_node_name": f"shop@{HOST}"} if product == "release" else {}
    variables.update((name, value) for one in situations for name, value in one.variables.items())
    cluster = {"beam_product": product.partition("-")[0], **{name: value for one in situations for name, value in one.cluster.items()}}
    try:
        for path, text in files.items():
            on(f"mkdir -p {Path(path).parent}; cat > {path}", text)
        for one in situations:
            on(f"{one.run or ':'}\nsystemctl daemon-reload")
        before = state()
        return run(variables, cluster), state() == before
    finally:
        for one in situations:
            on(f"{one.undo or ':'}")
        on(f"rm -f {' '.join(files)}; tar -C / -xf /root/takeover.tar; rm /root/takeover.tar; systemctl daemon-reload")
        assert kept is not None


def run(variables: dict[str, Any], cluster: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "more.json").write_text(json.dumps({"all": {"hosts": {HOST: variables}}}), encoding="utf-8")
        (Path(folder) / "vars.json").write_text(json.dumps({**cluster, "takeover_result": f"{folder}/result.json"}), encoding="utf-8")
        inventories = ["-i", str(ROOT / "molecule/inventory"), "-i", f"{folder}/more.json"]
        command = ["ansible-playbook", "--limit", HOST, *inventories, "-e", f"@{folder}/vars.json", str(ROOT / "tests/takeover/plan.yml")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        assert (Path(folder) / "result.json").exists(), done.stdout[-4000:] + done.stderr[-2000:]
        return dict(json.loads((Path(folder) / "result.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("situation", SITUATIONS, ids=[one.name for one in SITUATIONS])
def test_the_plan_names_it_and_touches_nothing(situation: Planned) -> None:
    result, untouched = planned(situation.product)
    assert untouched, "the host is not as it was"
    if not situation.rule:
        assert result["errors"] == []
        key, value = situation.plan
        assert not key or value in result["hosts"][HOST]["nodes"][0]["product_data"][key]
        control, words = situation.advisory
        assert not control or [one for one in result["advisories"] if one["control"] == control and words in one["detail"]], result["advisories"]
        return
    named = [error for error in result["errors"] if error["rule"] == situation.rule and situation.says in error["message"]]
    assert named, [(error["rule"], error["message"]) for error in result["errors"]]
    assert named[0]["fix"] and (situation.cluster or HOST in named[0]["host"])
