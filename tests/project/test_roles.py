# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every role promises, whatever it does: its inputs are documented, its names are its own, its shape is readable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
TASK_FILES = sorted(path for role in ROLES for path in role.rglob("*.yml") if "tasks" in path.parts)

# Variables of the whole cluster: their defaults and their documentation stand once, in the plan.
CLUSTER_WIDE = re.compile(r"beam_(?!(otp|firewall|pki|epmd|distribution|service|product|verify|audit|plan)_)|beam_pki_crl$")
INCLUDES = {
    "ansible.builtin.include_tasks",
    "ansible.builtin.import_tasks",
    "ansible.builtin.include_role",
    "ansible.builtin.import_role",
}


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)


class Loader(yaml.SafeLoader):
    """Reads Ansible's own tags (!unsafe, !vault) as the plain text behind them."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: loader.construct_scalar(node))


def tasks_of(path: Path) -> Iterator[dict[str, Any]]:
    pending = list(load(path) or [])
    while pending:
        task = pending.pop(0)
        yield task
        # A play of a playbook has tasks.
        for part in ("block", "rescue", "always", "tasks"):
            pending[:0] = task.get(part, [])


def specs_of(role: Path) -> dict[str, dict[str, Any]]:
    specs = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    return {entry: spec.get("options", {}) for entry, spec in specs.items()}


def undescribed(options: dict[str, dict[str, Any]], prefix: str = "") -> Iterator[str]:
    for name, option in options.items():
        if not option.get("description"):
            yield prefix + name
        yield from undescribed(option.get("options", {}), f"{prefix}{name}.")


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_has_what_a_reader_opens_first(role: Path) -> None:
    for wanted in ("README.md", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml"):
        assert (role / wanted).is_file(), f"{role.name} lacks {wanted}"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_and_argument_specs_are_equal(role: Path) -> None:
    path = role / "defaults" / "main.yml"
    defaults = (load(path) or {}) if path.exists() else {}
    documented: dict[str, object] = {}
    for options in specs_of(role).values():
        for name, option in options.items():
            if "default" in option and not (role.name == "plan" and CLUSTER_WIDE.match(name)):
                documented[name] = option["default"]
    assert defaults == documented


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_option_is_described(role: Path) -> None:
    missing = [f"{entry}: {name}" for entry, options in specs_of(role).items() for name in undescribed(options)]
    assert not missing


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_entry_point_has_its_tasks(role: Path) -> None:
    for entry in specs_of(role):
        assert (role / "tasks" / f"{entry}.yml").is_file(), f"{role.name}: entry point {entry} has no tasks"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_carry_the_roles_own_prefix(role: Path) -> None:
    path = role / "defaults" / "main.yml"
    names = list((load(path) or {}) if path.exists() else {})
    strangers = [name for name in names if not name.startswith(f"beam_{role.name}_")]
    assert not strangers, f"{strangers}: a default of the whole cluster stands in the plan, never in a role"


@pytest.mark.parametrize("path", TASK_FILES, ids=lambda path: str(path.relative_to(ROOT / "roles")))
def test_task_names_and_variables(path: Path) -> None:
    for task in tasks_of(path):
        name = task.get("name", "")
        # A role's main.yml has no prefix: Ansible shows the role's name before it, and ansible-lint asks for a capital letter.
        prefix = "" if path.name == "main.yml" else f"{path.stem} | "
        assert name.startswith(prefix), f"{path}: '{name}' does not start with '{prefix}'"
        assert name.removeprefix(prefix)[:1].isupper(), f"{path}: '{name}' has no capital letter"
        assert " | " not in name.removeprefix(prefix), f"{path}: '{name}' has two prefixes"
        registered = [task["register"]] if "register" in task else []
        facts = task.get("ansible.builtin.set_fact", {})
        registered += [fact for fact in facts if fact != "cacheable"]
        registered += list(task.get("vars", {})) if not any(key in task for key in INCLUDES) else []
        loop_var = task.get("loop_control", {}).get("loop_var")
        registered += [loop_var] if loop_var else []
        wrong = [variable for variable in registered if not variable.startswith("__beam_") and variable not in ("beam_plan", "beam_audit_result")]
        assert not wrong, f"{path}: {name}: {wrong} should start with __beam_"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_main_is_a_table_of_contents(role: Path) -> None:
    for task in load(role / "tasks" / "main.yml"):
        assert INCLUDES & set(task), f"{role.name}: '{task.get('name')}' does work in main.yml; give it a file with a name"


def test_the_plan_reports_wrong_types_itself() -> None:
    """Ansible's validation of the role plan would stop at the first role, without the plan's other errors."""
    seen = 0
    for path in (*TASK_FILES, *sorted((ROOT / "playbooks").glob("*.yml"))):
        for task in tasks_of(path):
            called: dict[str, Any] = next((task[key] for key in INCLUDES & set(task) if isinstance(task[key], dict)), {})
            if called.get("name") == "beam.cluster.plan" and "tasks_from" not in called:
                seen += 1
                assert called.get("rolespec_validate") is False, f"{path}: {task['name']}"
    assert seen >= 10, "this test would see none"


@pytest.mark.parametrize("path", TASK_FILES, ids=lambda path: str(path.relative_to(ROOT / "roles")))
def test_nothing_is_swept_under_the_rug(path: Path) -> None:
    for task in tasks_of(path):
        assert "ignore_errors" not in task, f"{path}: {task['name']}"
        assert task.get("failed_when") is not False, f"{path}: {task['name']}"
        unqualified = [key for key in task if key in {"shell", "command", "copy", "template", "file", "apt", "set_fact"}]
        assert not unqualified, f"{path}: {task['name']}: {unqualified} wants its full name"


def test_every_private_variable_is_set_somewhere() -> None:
    """A name that nobody sets reads as nothing behind `default`, and fails in the one run that comes to it."""
    used: set[str] = set()
    made: set[str] = set()
    for path in (path for role in ROLES for path in role.rglob("*") if path.suffix in {".yml", ".j2"}):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"\b__beam_\w+", text))
        made |= set(re.findall(r"(__beam_\w+)'?:", text))
        made |= set(re.findall(r"(?:register|loop_var|index_var|name): (__beam_\w+)", text))
    assert len(used) > 100, "this test would see none"
    assert not used - made


PRODUCT_FILES = sorted(path for path in (ROOT / "roles/product/products").glob("*/*.yml") if path.name != "vars.yml")


@pytest.mark.parametrize("path", [*TASK_FILES, *PRODUCT_FILES], ids=lambda path: str(path.relative_to(ROOT / "roles")))
def test_every_command_says_why_it_failed(path: Path) -> None:
    """Ansible's own say `non-zero return code`; an `until` that never comes true says `Unknown error`."""
    tasks = list(tasks_of(path))
    for task, following in zip(tasks, [*tasks[1:], {}]):
        without = {"ansible.builtin.command", "ansible.builtin.shell", "ansible.builtin.script", "ansible.builtin.raw"} & set(task)
        assert not without, f"{path}: {task['name']}: use beam.cluster.run_command"
        until = str(task.get("until", ""))
        if until and not re.fullmatch(r"\w+ is (success|finished)", until):
            assert f"{task['register']}.attempts >= {task['retries']} or " in until, f"{path}: {task['name']}: its last attempt has no message"
            assert "ansible.builtin.assert" in following, f"{path}: {task['name']}: the next task must have the message"


def test_loops_go_in_an_order() -> None:
    """difference(), union(), intersect() and unique() of a loop may give its items in any order, by the hash of a text."""
    loops = [(path, task) for path in TASK_FILES for task in tasks_of(path) if isinstance(task.get("loop"), str)]
    assert len(loops) > 50, "this test would see none"
    for path, task in loops:
        text = re.sub(r"range\(.*\)", "", task["loop"], flags=re.DOTALL)
        assert not re.search(r"\| *(difference|union|intersect|symmetric_difference)\(", text) or re.search(r"\| *sort\b", text), (
            f"{path}: {task['name']}: sort the items, or use reject('in', ...)"
        )


INSTALLERS = ("ansible.builtin.apt", "ansible.builtin.package")


@pytest.mark.parametrize("path", [*TASK_FILES, *PRODUCT_FILES], ids=lambda path: str(path.relative_to(ROOT / "roles")))
def test_an_installation_restarts_no_service_out_of_turn(path: Path) -> None:
    """needrestart does so after each run of apt where its configuration says `restart = 'a'`: all members of a cluster at once."""
    for task in tasks_of(path):
        if any("name" in (task.get(module) or {}) for module in INSTALLERS):
            assert task.get("environment") == {"NEEDRESTART_SUSPEND": "1"}, task["name"]


def test_packages_come_by_one_file_that_waits_and_removes_none() -> None:
    """apt waits for unattended-upgrades, and does not make room for a package by removing one of the operator's (esl-erlang for erlang-base)."""
    files = (*TASK_FILES, *PRODUCT_FILES)
    tasks = [(path.name, task, task[name]) for path in files for task in tasks_of(path) for name in INSTALLERS if name in task]
    assert {name for name, _task, given in tasks if "name" in given} == {"install_packages.yml", "upgrade_packages.yml"}
    for name, task, given in tasks:
        assert given.get("lock_timeout") == "{{ __beam_otp_lock_seconds }}", (name, task["name"])
        assert "name" not in given or (given.get("fail_on_autoremove") is True and "allow_downgrade" not in given), (name, task["name"])


@pytest.mark.parametrize("path", TASK_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_runs_in_check_mode_only_reads(path: Path) -> None:
    """The keyword may be true, or false where a task only reads; else it falls back on that of the play, which ansible_check_mode does not show."""
    for task in tasks_of(path):
        keyword = task.get("check_mode")
        assert keyword in (None, False, True) or str(keyword).endswith("else omit }}"), task["name"]
        if keyword is False:
            assert "ansible_check_mode" not in str({name: value for name, value in task.items() if "." in name}), task["name"]


def strings_of(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from strings_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings_of(part)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("path", sorted((ROOT / "roles").rglob("*.yml")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_line_break_in_a_template_is_one(path: Path) -> None:
    """Ansible takes \\n in a template for two characters, unless YAML has made a line break of it before: in double quotes."""
    templates = [part for text in strings_of(load(path)) for part in re.findall(r"\{[{%].*?[%}]\}", text, re.DOTALL)]
    assert [part for part in templates if re.search(r"\\[nrt]", part)] == []


def test_tasks_that_tests_name_exist() -> None:
    """A test of the lab waits for a task by its name: after a rename it would wait for nothing."""
    known = {
        form
        for path in (*TASK_FILES, *PRODUCT_FILES)
        for task in tasks_of(path)
        for form in (task.get("name", ""), f"{path.relative_to(ROOT / 'roles').parts[0]} : {task.get('name', '')}")
    }
    named = [
        (path.relative_to(ROOT), name)
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for name in re.findall(r"[\"']((?:[a-z]+ : )?[a-z_]+ \| [A-Z][^\"'\n]*)", path.read_text(encoding="utf-8"))
    ]
    assert len(named) >= 10, "this test would see none"
    assert not [(str(path), name) for path, name in named if not any(one.startswith(name) for one in known)]
