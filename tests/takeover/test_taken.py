# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on one host is taken over, works as before and passes the verification; `beam_state: absent` gives everything back.

    LAB_PREFIX=... TAKEN=rabbitmq-disk pytest tests/takeover/test_taken.py        (a lab of that product: PRODUCT=release make lab for release-443)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from runs import Cluster, changed, on
from taken import TAKEN, Taken

NAME = os.environ.get("TAKEN", "")
if not NAME:
    pytest.skip("TAKEN names what is taken over", allow_module_level=True)
HOST = TAKEN[NAME].host

SNAPSHOT = r"""
export LC_ALL=C
for root in /etc /usr/lib/systemd /usr/local /var/lib TREES; do
  find $root -path /var/lib/apt -prune -o -path /var/lib/dpkg -prune -o -printf 'file %p %M %u:%g %l\n'
  find $root -path /var/lib/apt -prune -o -path /var/lib/dpkg -prune -o -type f -printf '%p\0' |
    xargs -0 sha256sum | sed -E 's/^(\w+)  (.*)/content \2 \1/'
done | sort
systemctl list-unit-files --no-legend --no-pager | awk '{print "unit", $1, $2}'
nft -s list ruleset | sed 's/^/nft /'
getent passwd | sed 's/^/user /'
getent group | sed 's/^/group /'
[ -z "UNIT" ] || systemctl show --property=AmbientCapabilities,CapabilityBoundingSet,ReadWritePaths,EnvironmentFiles UNIT
"""
NOISE = re.compile(
    r"(file|content) /(etc/(passwd|group|shadow|gshadow|subuid|subgid)-|etc/\.pwd\.lock|var/lib/systemd/(timers|timesync|random-seed|linger)\b)"
)


@dataclass
class Story:
    """What was done in the fixture, and how the host was before."""

    taken: Taken
    cluster: Cluster
    before: list[str] = field(default_factory=list)
    outputs: list[tuple[int, str]] = field(default_factory=list)

    def snapshot(self) -> list[str]:
        script = SNAPSHOT.replace("TREES", self.taken.trees).replace("UNIT", self.taken.unit)
        return [line for line in on(HOST, script).splitlines() if not NOISE.match(line) and not re.match(self.taken.differs, line)]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    taken = TAKEN[NAME]
    # The scenario of RabbitMQ wants one Debian on all hosts of the lab; one host has one.
    scenario = taken.product if taken.product == "release" else ""
    story = Story(taken, Cluster(tmp_path_factory.mktemp("site"), [HOST], scenario, taken.variables))
    on(HOST, f"set -e\n{taken.prepare}", 600)
    on(HOST, taken.works)
    story.before = story.snapshot()
    yield story


def run(story: Story, *more: str) -> str:
    done = story.cluster.site(*more)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_it_is_taken_over_and_works(story: Story) -> None:
    output = run(story, "--extra-vars", "beam_full_stop=true")
    assert "PASSED" in output
    on(HOST, story.taken.works)


def test_a_second_run_changes_nothing(story: Story) -> None:
    assert changed(run(story)) == []


def test_it_works_after_a_restart(story: Story) -> None:
    if story.taken.unit:
        on(HOST, f"systemctl restart {story.taken.unit}")
    on(HOST, story.taken.works)


def test_absent_gives_everything_back(story: Story) -> None:
    run(story, "--extra-vars", "beam_state=absent")
    after = story.snapshot()
    print(*(f"- {line}" for line in story.before if line not in after), sep="\n")
    print(*(f"+ {line}" for line in after if line not in story.before), sep="\n")
    assert after == story.before
    if story.taken.unit:
        on(HOST, f"systemctl start {story.taken.unit}")
    on(HOST, story.taken.works)
