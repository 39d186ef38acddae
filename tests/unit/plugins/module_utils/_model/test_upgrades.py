# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade of OTP changes, and what speaks against it before anything is touched."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.upgrades import Change, of_otp, simulated, upgrade

SIMULATED = """\
NOTE: This is only a simulation!
Inst erlang-base [1:27.3.4.1+dfsg-1+deb13u4] (1:27.3.4.2+dfsg-1 Debian:13.2/stable [amd64]) []
Inst erlang-ssl [1:27.3.4.1+dfsg-1+deb13u4] (1:27.3.4.2+dfsg-1 Debian:13.2/stable [amd64])
Inst libncurses7 (6.6-1 Debian:13.2/stable [amd64])
Remv rabbitmq-server [4.0.5-6]
Conf erlang-base (1:27.3.4.2+dfsg-1 Debian:13.2/stable [amd64])
"""
NOW, NEXT = "1:27.3.4.1+dfsg-1", "1:27.3.4.2+dfsg-1"
TABLE = [["3.10", 25], ["4.0.4", 27], ["4.3.6", 28]]


def host(to: str | None = NEXT, product: str = "", **more: Any) -> dict[str, Any]:
    """A host whose erlang-base changes to a version; product: 'NOW' or 'NOW to NEXT' of rabbitmq-server."""
    now, _to, then = product.partition(" to ")
    since = more.pop("now", NOW)
    changes = [{"name": "erlang-base", "installed": since, "candidate": to}] if to else []
    changes += [{"name": "rabbitmq-server", "installed": now, "candidate": then}] if then else []
    packages = {
        "changes": changes,
        "removed": more.pop("removed", []),
        "held": more.pop("held", []),
        "error": more.pop("error", ""),
        "vm": more.pop("vm", "erlang-base"),
        "versions": {"erlang-base": since, **({"rabbitmq-server": now} if now else {})},
        "owners": {"node.service": "rabbitmq-server"} if now else {},
    }
    node = {"node": "beam@n1", "unit": "node.service", "product": "rabbitmq", "product_data": {"otp_releases": TABLE}}
    return {"packages": packages, "nodes": [node], "units": {"node.service": {"active": "active"}}, "sans": {"beam@n1": ["DNS:n1"]}, **more}


def rules(*outside: str, **hosts: dict[str, Any]) -> list[str]:
    return [text.split("(", 1)[1].split(")")[0] for text in upgrade(hosts, outside)["blockers"]]


def test_packages_of_otp_and_of_the_products_unless_they_are_on_hold() -> None:
    rows = ["erlang-base\tii ", "erlang-ssl\thi ", "erlang-doc\trc ", "rabbitmq-server\tii ", "perl-base\tii ", "erlangen\tii ", "esl-erlang\tii "]
    assert of_otp(rows, ["rabbitmq-server"]) == (["erlang-base", "esl-erlang", "rabbitmq-server"], ["erlang-ssl"])


def test_what_apt_would_do() -> None:
    changes, removed = simulated(SIMULATED)
    assert changes[0] == Change("erlang-base", "1:27.3.4.1+dfsg-1+deb13u4", NEXT)
    assert [str(one) for one in changes][1:] == [f"erlang-ssl 1:27.3.4.1+dfsg-1+deb13u4 to {NEXT}", "libncurses7 6.6-1 (new)"]
    assert removed == ["rabbitmq-server"]


def test_an_upgrade_that_nothing_speaks_against() -> None:
    found = upgrade({"n1": host(), "n2": host(to=None)}, [])
    assert found["blockers"] == []
    assert found["packages"] == {"n1": [f"erlang-base={NEXT}"], "n2": []}
    assert found["changes"]["n1"] == [f"erlang-base {NOW} to {NEXT}"]


@pytest.mark.parametrize(
    ("rule", "one"),
    [
        ("packages", host(to=None, error="E: Unable to correct problems, you have held broken packages")),
        ("packages_removed", host(removed=["rabbitmq-server"])),
        ("node_stopped", host(units={"node.service": {"active": "failed"}})),
        ("node_stopped", host(units={})),
        ("certificate_san", host(sans={"beam@n1": []})),
        ("product_series", host(product="4.0.5-6 to 4.1.2-1")),
        ("product_otp", host(to="1:28.1+dfsg-1", product="4.0.5-6")),
        ("release_distance", host(to="1:30.0+dfsg-1")),
    ],
)
def test_each_trap_is_refused_and_says_what_to_do(rule: str, one: dict[str, Any]) -> None:
    assert rules(n1=one) == [rule]
    assert "Fix: " in upgrade({"n1": one}, [])["blockers"][0]


def test_a_product_that_already_runs_on_an_unsupported_release_may_be_patched() -> None:
    assert rules(n1=host(now="1:29.0+dfsg-1", to="1:29.0.3+dfsg-1", product="4.0.5-6")) == []


def test_a_product_that_is_upgraded_with_otp_counts_as_it_will_be() -> None:
    assert rules(n1=host(to="1:28.1+dfsg-1", product="4.3.5-1 to 4.3.6-1")) == []


def test_an_operator_who_lists_packages_may_change_the_series() -> None:
    assert rules(n1=host(product="4.0.5-6 to 4.1.2-1", explicit=True)) == []


def test_releases_are_compared_across_hosts_as_they_run_at_once() -> None:
    old = host(now="1:25.2.3+dfsg-1", to=None)
    assert rules(n1=host(), n3=old) == []
    assert rules(n1=host(to="1:28.1+dfsg-1"), n3=old) == ["release_distance"]


@pytest.mark.parametrize(
    ("to", "found"), [("1:25.2.3+dfsg-1+deb12u3", []), ("1:27.3.4+dfsg-1", []), ("1:24.3+dfsg-1", ["release_distance"])]
)
def test_a_cluster_that_is_further_apart_gets_patches_and_may_come_closer(to: str, found: list[str]) -> None:
    assert rules(n1=host(now="1:29.0+dfsg-1", to=None), n2=host(to=None), n3=host(now="1:25.2.3+dfsg-1", to=to)) == found


def test_a_member_outside_the_run_matters_for_another_major_release_only() -> None:
    assert rules("n3", n1=host()) == []
    assert rules("n3", n1=host(to="1:28.1+dfsg-1")) == ["outside_run"]


def test_without_changes_only_errors_of_apt_are_reported() -> None:
    assert rules(n1=host(to=None, units={}, sans={"beam@n1": []})) == []


def test_an_otp_that_is_no_package_is_not_upgraded() -> None:
    assert rules(n1=host(to=None, vm="")) == []


def test_outside_of_the_window_it_is_refused() -> None:
    assert "(restart_window)" in upgrade({"n1": host()}, [], "Sat 2026-11-28 02:00 UTC")["blockers"][0]
    assert upgrade({"n1": host(to=None)}, [], "Sat 2026-11-28 02:00 UTC")["blockers"] == []
