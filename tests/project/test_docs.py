# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links between the pages lead somewhere, the pages use the words of the glossary, and each rule of the plan is explained."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "roles").glob("*/README.md")])
SPECS = sorted([*(ROOT / "roles").glob("*/meta/argument_specs.yml"), *(ROOT / "roles").glob("*/defaults/main.yml")])
TASKS = sorted(
    path
    for folder in ("playbooks", "roles")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".yml", ".j2"} and not {"meta", "defaults"} & set(path.parts)
)
# Generated from the controls and the codes.
GENERATED = {ROOT / "docs" / "controls.md", ROOT / "docs" / "codes.md"}
# Words that the glossary of docs/architecture.md has replaced. The page itself lists them.
RETIRED = re.compile(
    r"\b(strangers?|carriers?|foresight|knocks?|whoever|whom|(?<!certificate )authority|authorities|dry run|in the clear|taken? away|"
    r"put out of force|(?:is|are) to be without|judged?|brings?|brought)\b",
    re.IGNORECASE,
)


def prose(path: Path) -> str:
    """The text without identifiers: code blocks, code spans, markup of ansible-doc, keys and link targets are left out."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`|\b[CVOPM]\([^)\n]*\)", "", text)
    text = re.sub(r"^\s*[\w-]+:(?= |$)", "", text, flags=re.MULTILINE)
    return re.sub(r"\]\([^)]*\)|<[^>]*>", "", text)


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-") for heading in headings}


def links(path: Path) -> list[str]:
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")) if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        name, _sep, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}: no such heading"


def test_guides_that_messages_name_are_there() -> None:
    named = {
        (path, guide)
        for folder in ("plugins", "roles", "playbooks")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in (".py", ".yml", ".j2", "")
        for guide in re.findall(r"docs/\w[\w/]*\.md", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert sorted(f"{path.relative_to(ROOT)}: {guide}" for path, guide in named if not (ROOT / guide).is_file()) == []


def test_every_guide_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    named = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert not set((ROOT / "docs").rglob("*.md")) - named - {index}


def test_every_module_and_filter_is_in_the_index() -> None:
    tables = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").partition("## Modules\n")[2]
    named = set(re.findall(r"`(?:beam\.cluster\.)?(\w+)`", tables))
    assert not {path.stem for room in ("modules", "filter") for path in (ROOT / "plugins" / room).glob("*.py")} - named


@pytest.mark.parametrize("path", [path for path in [*PAGES, *SPECS] if path not in GENERATED], ids=lambda path: str(path.relative_to(ROOT)))
def test_words_of_the_glossary(path: Path) -> None:
    text = prose(path)
    if path.name == "architecture.md":
        text = re.sub(r"### Words that are not used any more.*?(?=\n## )", "", text, flags=re.DOTALL)
    found = sorted({match.group(0) for match in RETIRED.finditer(text)})
    assert not found, f"{path.name}: {found}; docs/architecture.md says which words to use"


@cache
def everything() -> str:
    """The text of all code, without the pages."""
    folders = ("plugins", "roles", "playbooks", "molecule", "tests")
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".yml", ".j2", ".escript", ""))
    return "\n".join(path.read_text(encoding="utf-8", errors="ignore") for path in paths if path.is_file())


def rules() -> set[str]:
    """The rules of the plan: the third argument of `problems.add`, where it is written out."""
    found = set()
    for path in (ROOT / "plugins" / "module_utils" / "_plan").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "add" and len(call.args) > 3:
                rule = call.args[2]
                found |= {rule.value} if isinstance(rule, ast.Constant) and isinstance(rule.value, str) else set()
    return found


def test_every_rule_of_the_plan_is_explained() -> None:
    page = (ROOT / "roles" / "plan" / "README.md").read_text(encoding="utf-8")
    assert len(rules()) > 40, "this test would see none"
    assert not sorted(rule for rule in rules() if f"`{rule}`" not in page)


@pytest.mark.parametrize("path", TASKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tasks_and_templates_use_the_words_of_the_glossary(path: Path) -> None:
    """Names, messages and comments: each line is text for somebody who reads the run or the file on the host."""
    found = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if RETIRED.search(line)]
    assert found == []


NOT_OURS = re.compile(r"tls_alert_\w+|dns_cluster|passphrase_unreadable|dist_bind_address")
"""Names of other programs, and names that are put together in code."""
NO_VARIABLES = {"beam_plan", "beam_probe", "beam_cluster", "beam_pki", "beam_audit_result", "beam_adress"}
"""Facts, the name of probes, the nftables table, a tag, and a misspelt variable."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_that_a_page_gives_exist(page: Path) -> None:
    """Variables, rules, codes and keys (`word_word`), and what `beam.cluster.` names: a reader types or greps them."""
    text = page.read_text(encoding="utf-8")
    words = set(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)`", text))
    variables = set(re.findall(r"(?<!\w)beam_[a-z_]+\b", text)) - NO_VARIABLES
    specified = {name for path in SPECS for name in re.findall(r"^\s+(beam_[a-z_]+):", path.read_text(encoding="utf-8"), re.MULTILINE)}
    names = set(re.findall(r"\bbeam\.cluster\.(\w+)", text)) - {"git"}
    known = {path.stem for folder in ("playbooks", "plugins/modules", "plugins/filter") for path in (ROOT / folder).glob("*.*")}
    known |= {path.name for path in (ROOT / "roles").iterdir()}
    code = everything()
    assert page.name == "CHANGELOG.md" or sorted(word for word in words if word not in code and not NOT_OURS.fullmatch(word)) == []
    assert page.name == "CHANGELOG.md" or sorted(variables - specified) == []
    assert sorted(names - known) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tasks_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`([a-z_]+ \| [^`]+)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if f"name: {name}\n" not in everything()] == []
