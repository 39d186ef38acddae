# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with the stock packages, before the hardening, while it holds, and after `beam_state: absent`, as its own programs show it."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import NODES, ROOT, Lab, recap

ABSENT = ("--extra-vars", "beam_state=absent")
NO_SECRETS = ("--extra-vars", "beam_cookie= beam_pki_ca_passphrase=")
ONLY_N2 = ("--extra-vars", "{beam_state: \"{{ {'n2': 'absent'}[inventory_hostname] | default('present') }}\"}")

# What every package that the roles bring comes with is stock.
PACKAGES = "erlang-base erlang-asn1 erlang-crypto erlang-public-key erlang-ssl nftables python3-cryptography"
INSTALL = "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends"

SNAPSHOT = r"""
export LC_ALL=C
for root in /etc /usr/lib/systemd /usr/local /var/lib; do
  find $root -xdev -path /var/lib/apt -prune -o -path /var/lib/dpkg -prune -o -printf 'file %p %M %u:%g %l\n'
  find $root -xdev -path /var/lib/apt -prune -o -path /var/lib/dpkg -prune -o -type f -printf '%p\0' |
    xargs -0 sha256sum | sed -E 's/^(\w+)  (.*)/content \2 \1/'
done | sort
dpkg-query -W -f='package ${Package} ${Version}\n'
systemctl list-unit-files --no-legend --no-pager | awk '{print "unit", $1, $2}'
systemctl list-units --all --type=service,socket --no-legend --no-pager --plain |
  awk '/^(epmd|beam|nftables|rabbitmq|ejabberd|shop|firewalld|ufw)/ {print "state", $1, $2, $3, $4}'
nft -s list ruleset | sed 's/^/nft /'
ss -Hltn | awk '{print "listens", $4}' | sort
getent passwd | sed 's/^/user /'
getent group | sed 's/^/group /'
"""

# What differs and is not ours: the host's own life, copies that the user tools keep of what was before, and whether anybody has asked EPMD since its
# socket was started.
NOISE = re.compile(
    r"(file|content) /(etc/(passwd|group|shadow|gshadow|subuid|subgid)-|etc/\.pwd\.lock|var/lib/systemd/(timers|timesync|random-seed|linger)\b)"
    r"|state epmd\.(service loaded (inactive dead|active running)|socket loaded active (listening|running))$"
)


@dataclass(frozen=True)
class Product:
    """What stands on the hosts before; `inventory` comes on top of the lab's, `differs` is what a product's own life leaves.

    `again` is the package that is installed anew, `holes` the controls that must fail where nothing was done, `prepare` a playbook that deploys.
    """

    packages: str
    again: str
    holes: frozenset[str]
    inventory: str = ""
    unit: str = ""
    differs: str = r"(?!)"
    edits: str = "true"
    prepare: str = ""


# Of every package that brings an EPMD.
HOLES = frozenset(
    {
        "epmd-listeners",
        "outside-epmd",
        "firewall-rules",
        "firewall-boot",
        "unit-drop-in",
        "core-dumps",
        "private-key",
        "options-file",
        "running-process",
    }
)

# What fails as long as a program runs whose files a package has replaced.
OF_PROGRAMS = {"running-vm", "options-running", "epmd-running"}

PRODUCTS = {
    "erlang": Product(PACKAGES, "erlang-base", HOLES),
    "rabbitmq": Product(
        f"{PACKAGES} rabbitmq-server",
        "rabbitmq-server",
        HOLES,
        "molecule/rabbitmq/inventory.yml",
        "rabbitmq-server",
        r"(file|content) /var/lib/rabbitmq/(mnesia|config|schema|\.config)\b",
        # A plain node that runs is another story: the hardening would find it in the middle of its life.
        "systemctl stop rabbitmq-server; echo '# an operator was here' >> /etc/rabbitmq/rabbitmq-env.conf;"
        " mkdir -p /etc/rabbitmq/conf.d; echo 'heartbeat = 30' > /etc/rabbitmq/conf.d/90-mine.conf;"
        " mkdir -p /etc/systemd/system/rabbitmq-server.service.d;"
        " printf '[Service]\nLimitNOFILE=70000\n' > /etc/systemd/system/rabbitmq-server.service.d/mine.conf; systemctl daemon-reload",
    ),
    "ejabberd": Product(
        f"{PACKAGES} ejabberd",
        "ejabberd",
        HOLES,
        "molecule/ejabberd/inventory.yml",
        "ejabberd",
        r"(file|content) /var/lib/ejabberd\b",
        # The package starts ejabberd@localhost, whose database no cluster can have.
        "systemctl stop ejabberd; rm -f /var/lib/ejabberd/*.D?? /var/lib/ejabberd/*.LOG; echo '# an operator was here' >> /etc/default/ejabberd;"
        " mkdir -p /etc/systemd/system/ejabberd.service.d;"
        " printf '[Service]\nLimitNOFILE=70000\n' > /etc/systemd/system/ejabberd.service.d/mine.conf; systemctl daemon-reload",
    ),
    "release": Product(
        PACKAGES,
        "erlang-base",
        HOLES,
        "molecule/release/inventory.yml",
        "shop",
        # The home stays, as the application has put something into it.
        r"file /var/lib/beam\b",
        "printf 'PORT=4000\n# an operator was here\n' > /etc/default/shop; mkdir -p /etc/systemd/system/shop.service.d;"
        " printf '[Service]\nLimitNOFILE=70000\n' > /etc/systemd/system/shop.service.d/mine.conf; systemctl daemon-reload",
        "molecule/release/prepare.yml",
    ),
}


@dataclass(frozen=True)
class Stock:
    """A lab of one product, and how each host was before."""

    lab: Lab
    product: Product
    before: dict[str, list[str]]
    verified: dict[str, dict[str, set[str]]]
    """What the proof has said before the hardening: host -> status -> controls."""

    def play(self, *arguments: str, **more: str) -> str:
        done = self.lab.play(*self.on_top, *arguments, **more)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return done.stdout

    @property
    def on_top(self) -> tuple[str, ...]:
        return ("-i", str(ROOT / self.product.inventory)) if self.product.inventory else ()

    def differences(self, host: str) -> list[str]:
        """The lines that are there and were not, and the other way round; shown as they are, but for the product's own life."""
        changes = [
            line
            for line in difflib.unified_diff(self.before[host], snapshot(self.lab, host), "before", "after", lineterm="", n=0)
            if line[:2] not in ("--", "++", "@@")
        ]
        shown = [line for line in changes if not re.match(self.product.differs, line[1:])]
        print(f"{host}: {len(changes)} lines differ, {len(changes) - len(shown)} of them in the product's data", *shown[:60], sep="\n  ")
        return self.quiet(shown, 1)

    def quiet(self, lines: list[str], start: int = 0) -> list[str]:
        """Without what differs and is not ours; a line's text begins at `start`."""
        return [line for line in lines if not NOISE.match(line[start:]) and not re.match(self.product.differs, line[start:])]


def snapshot(lab: Lab, host: str) -> list[str]:
    return lab.on(host, SNAPSHOT).splitlines()


def report(lab: Lab) -> dict[str, Any]:
    """The last one, as a program reads it."""
    return json.loads((Path(lab.variable("n1", "beam_verify_report_dir")) / "beam.json").read_text(encoding="utf-8"))


def verdicts(lab: Lab) -> dict[str, dict[str, set[str]]]:
    """What the last report says: host -> status -> controls."""
    found: dict[str, dict[str, set[str]]] = {host: {"passed": set(), "failed": set(), "not_tested": set()} for host in NODES}
    for finding in report(lab)["findings"]:
        for host in set(finding["hosts"]) & set(found):
            found[host].setdefault(finding["status"], set()).add(finding["control"])
    return found


@pytest.fixture(scope="module", params=PRODUCTS)
def stock(request: pytest.FixtureRequest) -> Iterator[Stock]:
    """Stock packages, and what an operator has done to them; then the hardening."""
    product = PRODUCTS[request.param]
    stock = Stock(Lab(f"{os.environ.get('LAB_PREFIX', 'beam-')}stock-"), product, {}, {})
    stock.play(playbook="molecule/default/create.yml")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: stock.lab.on(host, f"{INSTALL} {product.packages}", timeout=600), NODES))
    if product.prepare:
        stock.play(playbook=product.prepare)
    assert stock.lab.play(*stock.on_top, playbook="playbooks/verify.yml").returncode != 0
    stock.verified.update(verdicts(stock.lab))
    for host in NODES:
        stock.lab.on(host, f"echo 'MINE=kept' >> /etc/environment; {product.edits}")
        stock.before[host] = snapshot(stock.lab, host)
    stock.play()
    yield stock
    stock.lab.play(*stock.on_top, playbook="molecule/default/destroy.yml")


def test_the_proof_names_each_hole_of_the_stock_packages(stock: Stock) -> None:
    for host in NODES:
        print(host, stock.verified[host])
        assert stock.verified[host]["failed"] >= stock.product.holes, host
        assert not stock.verified[host]["passed"] & stock.product.holes, host


def test_a_package_that_is_installed_anew_leaves_the_hardening_whole(stock: Stock) -> None:
    """Where its files are those of the running program, that one has to be restarted: verify says so, and a run does it."""
    for host in NODES:
        stock.lab.on(host, f"DEBIAN_FRONTEND=noninteractive apt-get -qqy install --reinstall {stock.product.again}", timeout=400)
    done = stock.lab.play(*stock.on_top, playbook="playbooks/verify.yml")
    for host, found in verdicts(stock.lab).items():
        print(host, found["failed"], found["not_tested"])
        assert found["failed"] <= OF_PROGRAMS and not found["not_tested"], done.stdout[-4000:]
    stock.play()


def test_the_comparison_sees_the_hardening(stock: Stock) -> None:
    """The rest of this file proves nothing where it would not."""
    for host in NODES:
        seen = "\n".join(stock.differences(host))
        for part in ("+file /etc/beam/firewall.nft", "+nft table inet beam_cluster", "+unit beam-firewall.service", "-listens *:4369"):
            assert part in seen, host
        assert re.search(r"^\+listens \S+:9100$", seen, re.MULTILINE), host


def test_a_dry_run_changes_nothing(stock: Stock) -> None:
    hardened = {host: stock.quiet(snapshot(stock.lab, host)) for host in NODES}
    output = stock.play("--check", "--diff", *ABSENT)
    assert all(counts["changed"] > 10 for counts in recap(output).values()), output[-2000:]
    assert {host: stock.quiet(snapshot(stock.lab, host)) for host in NODES} == hardened


def test_one_host_leaves_and_the_others_stay_a_cluster(stock: Stock) -> None:
    """The others forget it in the same run, and prove themselves without it. Its node is left stopped."""
    if stock.product.inventory:
        pytest.skip("who leaves a product's cluster is a matter of its own tools")
    stock.play(*ONLY_N2)
    assert {member["node"] for member in report(stock.lab)["members"]} == {"beam@n1", "beam@n3"}
    assert stock.differences("n2") == []
    address = stock.lab.variable("n2", "beam_address")
    for host in ("n1", "n3"):
        assert address not in stock.lab.on(host, "nft list table inet beam_cluster; cat /etc/beam/beam@*/allow.conf /etc/beam/beam@*/inetrc")


# Every change of: is our table loaded, does the hardened node listen.
WATCH = r"""
while [ ! -e /run/watched ]; do
  table=open; nft list table inet beam_cluster >/dev/null 2>&1 && table=closed
  node=down; [ -z "$(ss -Hltn 'sport = :9100')" ] || node=up
  now="$table $node"
  [ "$now" = "$last" ] || echo "$(date +%s.%N) $now" >> /run/watch
  last=$now
  sleep 0.05
done
"""


def test_all_hosts_go_back_and_the_doors_open_last(stock: Stock) -> None:
    """Without any secret. No door opens anywhere before the last node is down everywhere."""
    for host in NODES:
        stock.lab.on(host, "rm -f /run/watch /run/watched")
        stock.lab.write(host, "/run/watcher", WATCH)
        stock.lab.on(host, "systemd-run --quiet --unit=watcher bash /run/watcher; sleep 0.5")
    output = stock.play(*ABSENT, *NO_SECRETS)
    assert "is a member and not in this run" not in output
    watched = {host: [line.split() for line in stock.lab.on(host, "touch /run/watched; sleep 0.3; cat /run/watch").splitlines()] for host in NODES}
    for host in NODES:
        stock.lab.on(host, "systemctl stop watcher.service 2>/dev/null; rm -f /run/watch /run/watched /run/watcher")
    # Of a host that had left before there is one line, and it is open from the first.
    steps = {host: lines for host, lines in watched.items() if len(lines) > 1}
    assert len(steps) >= 2, watched
    for lines in steps.values():
        assert [line[1:] for line in lines] == [["closed", "up"], ["closed", "down"], ["open", "down"]], watched
    assert max(float(lines[1][0]) for lines in steps.values()) < min(float(lines[2][0]) for lines in steps.values()), watched
    for host in NODES:
        assert stock.differences(host) == [], host


def test_a_second_run_changes_nothing(stock: Stock) -> None:
    counted = recap(stock.play(*ABSENT, *NO_SECRETS))
    assert {counts["changed"] for counts in counted.values()} == {0}, counted


def test_a_node_that_was_started_since_is_left_alone(stock: Stock) -> None:
    unit = stock.product.unit
    if not unit:
        pytest.skip("the bare node has no unit of its own any more")
    stock.lab.on("n2", f"systemctl start --no-block {unit}")
    stock.play(*ABSENT, *NO_SECRETS, "--limit", "n2")
    assert stock.lab.tries("n2", f"systemctl is-active {unit}").stdout.strip() in ("active", "activating")
    stock.lab.on("n2", f"systemctl stop {unit}")


def test_a_run_for_one_host_names_the_members_that_still_list_it(stock: Stock) -> None:
    """And what is absent can be present again."""
    stock.play()
    output = stock.play(*ONLY_N2, *NO_SECRETS, "--limit", "n2")
    assert set(recap(output)) == {"n2"}
    assert re.search(r"n1 is a member and not in this run.*n2 leaves", output), output[-3000:]
    # Those that stay still look for it: they knock at the stock EPMD, and systemd starts it.
    assert [line for line in stock.differences("n2") if not line[1:].startswith("state epmd.")] == []
