# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run over a stock RabbitMQ cluster is killed after each change (killed.py). Between the runs its tools reach each broker that runs."""

from __future__ import annotations

from conftest import NODES, recap
from killed import Chain
from test_migrate import FULL_STOP, INVENTORY, MESSAGES, Stock, stock

__all__ = ["stock"]
ACTIVE = "systemctl --quiet is-active rabbitmq-server"
TOOL = "timeout 60 rabbitmqctl -q list_vhosts"


def mute(stock: Stock) -> list[str]:  # noqa: F811
    """The hosts whose broker runs while its tool does not reach it."""
    hosts = [host for host in NODES if stock.lab.tries(host, ACTIVE).returncode == 0]
    return [host for host in hosts if stock.lab.tries(host, TOOL).returncode != 0]


def test_the_first_run_over_a_running_cluster(stock: Stock) -> None:  # noqa: F811
    chain, unreached = Chain(), []
    while not chain.run(stock.lab, *INVENTORY, *FULL_STOP, playbook="playbooks/site.yml"):
        assert len(chain.killed) < 300
        if hosts := mute(stock):
            unreached.append(f"{chain.killed[-1]}: {', '.join(hosts)}")
            print(f"no tool: {unreached[-1]}", flush=True)
    print(f"killed {len(chain.killed)} times")
    for queue in ("kept-quorum", "kept-classic"):
        assert stock.client("drain", stock.addresses[1], queue, str(MESSAGES)) == {"got": MESSAGES, "missing": 0}
    assert stock.client("consume", stock.addresses[2], "kept-stream", "stream", str(MESSAGES)) == {"got": MESSAGES, "distinct": MESSAGES}
    again = stock.play()
    assert again.returncode == 0 and {counts["changed"] for counts in recap(again.stdout).values()} == {0}, again.stdout[-4000:]
    assert unreached == []
