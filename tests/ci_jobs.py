# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make test` and the longer targets run: the commands of each group, their time limits, the Debian releases and Pythons. run.py runs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """One command of the tests. `{results}` in it stands for the JUnit file that it may write."""

    name: str
    command: str
    minutes: int = 15
    has_lab: bool = False
    """Whether it starts hosts: one job at a time does."""


def scenario(name: str, minutes: int, suite: str = "") -> Job:
    """A molecule scenario; its verifier writes the JUnit file. `suite`: on hosts of another Debian, where its inventory asks for that."""
    words = f"LAB_SUITE={suite} " if suite else ""
    command = f"{words}BEAM_TEST_RESULTS={{results}} molecule test --scenario-name {name}"
    return Job(f"molecule-{name}{suite and '-'}{suite}", command, minutes, has_lab=True)


def lab(name: str, command: str, minutes: int, environment: str = "LAB_NEWEST_SUITE=forky") -> Job:
    """A command of pytest over a lab of its own, which is taken down at the end. Without a product its nodes run OTP 25, 27 and 29."""
    words = f"export {environment}; make lab && {command} --junitxml {{results}}"
    return Job(name, f"{words}; status=$?; make lab-down; exit $status", minutes, has_lab=True)


def takeover(name: str, product: str = "erlang") -> Job:
    """A service that is taken over and given back (tests/takeover/taken.py), in a lab of its own: it changes what is on its host."""
    return lab(f"takeover-{name}", "pytest tests/takeover/test_taken.py", 40, f"PRODUCT={product} TAKEN={name}")


# In this order, each as soon as it can run: what waits most, the labs, from the first minute on.
GROUPS: dict[str, list[Job]] = {
    "molecule": [scenario("default", 40), scenario("roles_alone", 40)],
    "lint": [
        Job("ansible-lint", "ansible-lint --offline"),
        Job("yamllint", "yamllint --strict ."),
        Job("ruff", "ruff check ."),
        Job("mypy", "mypy"),
        Job("mypy-tests", "mypy --config-file tests/mypy.ini"),
        Job("changelog", "antsibull-changelog lint"),
        Job("docs", 'antsibull-docs lint-collection-docs --plugin-docs "$ANSIBLE_COLLECTIONS_PATH/ansible_collections/beam/cluster"'),
        Job("galaxy", "tests/galaxy"),
        Job("shellcheck", "git grep -lE '^#!.*[/ ](ba)?sh( |$)' -- ':!*.j2' ':!*.md' | xargs shellcheck --severity=warning"),
    ],
    "sanity": [Job("sanity", "tests/sanity", 25)],
    "other-pythons": [
        Job("unit-oldest-python", "tests/unit_other_pythons bullseye {results}", 20),
        Job("unit-newest-python", "tests/unit_other_pythons forky {results}", 20),
    ],
    "unit": [
        Job("project", "pytest tests/project --junitxml {results}"),
        Job("unit", "pytest tests/unit -m 'not long' -n 2 --dist worksteal --junitxml {results}", 30),
        Job("roles", "pytest tests/roles -m 'not long' -n 2 --dist worksteal --junitxml {results}", 30),
    ],
}

# What takes longer than everybody's patience: runs that are killed, hosts that restart, a search for every secret.
ON_DEMAND: dict[str, list[Job]] = {
    "proof": [
        Job("long", "pytest tests/unit tests/roles -m long --junitxml {results}", 40),
        lab("proof", "pytest tests/lab --ignore-glob='*_killed_*' --ignore-glob='*_day_two*'", 120),
        lab(
            "takeover",
            "ansible-playbook -i molecule/inventory -i molecule/release/inventory.yml beam.cluster.site && pytest tests/takeover",
            150,
            "PRODUCT=release",
        ),
        takeover("rabbitmq-disk"),
        takeover("ejabberd-public"),
        takeover("release-443", "release"),
        takeover("otp-opt"),
    ],
    "report-page": [Job("report-page", "pytest tests/report_page --junitxml {results}", 30)],
    "killed": [lab("killed", "pytest tests/lab/test_killed_*.py", 240)],
    "daytwo": [lab(f"daytwo-{name}", "pytest -s tests/lab/test_day_two.py", 120, f"PRODUCT={name}") for name in ("rabbitmq", "ejabberd", "release")],
    "faults": [lab("faults", "pytest tests/faults", 300)],
    "shapes": [scenario("shapes", 150)],
    "products": [
        scenario("rabbitmq", 40),
        scenario("rabbitmq", 40, "bookworm"),
        scenario("rabbitmq", 40, "forky"),
        scenario("ejabberd", 40),
        scenario("ejabberd", 40, "bookworm"),
        scenario("release", 40),
    ],
}
