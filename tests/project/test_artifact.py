# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tar.gz that users install holds what they need, and nothing of the workshop."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Paths in an artifact built from the tracked files: what a release would hold."""
    work = tmp_path_factory.mktemp("artifact")
    source = work / "source"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if not (ROOT / name).exists():
            continue
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", str(work), str(source)], check=True, capture_output=True)
    (artifact,) = work.glob("beam-cluster-*.tar.gz")
    with tarfile.open(artifact) as archive:
        return {member.name for member in archive.getmembers() if member.isfile()}


def tracked(*patterns: str) -> list[str]:
    return [str(path.relative_to(ROOT)) for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.is_file()]


@pytest.mark.parametrize(
    "pattern",
    [
        "README.md",
        "LICENSE",
        "meta/runtime.yml",
        "roles/*/README.md",
        "roles/*/defaults/main.yml",
        "roles/*/meta/*.yml",
        "roles/*/templates/**/*.j2",
        "roles/*/**/*.yml",
        "plugins/**/*.py",
        "roles/*/files/*",
        "playbooks/*.yml",
        "docs/**/*.md",
        "docs/images/*.png",
        "docs/schemas/*.json",
        "changelogs/changelog.yaml",
    ],
)
def test_artifact_holds(members: set[str], pattern: str) -> None:
    wanted = tracked(pattern)
    assert wanted, f"nothing matches {pattern}"
    assert not set(wanted) - members


def test_artifact_leaves_the_workshop_at_home(members: set[str]) -> None:
    workshop = (".ci/", ".git/", ".github/", "tests/", "molecule/", "Makefile", ".venv/", ".cache/")
    assert not [name for name in members if name.startswith(workshop) or name.endswith((".pyc", ".tar.gz"))]


def test_metadata_says_where_it_comes_from() -> None:
    metadata = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    for key in ("repository", "documentation", "homepage", "issues"):
        assert metadata[key].startswith("https://"), key


def test_what_galaxy_does_not_have_stays_out(members: set[str]) -> None:
    assert not [name for name in members if name.startswith(("docs/examples/", "requirements"))]
