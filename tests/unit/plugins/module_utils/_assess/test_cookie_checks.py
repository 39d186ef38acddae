# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control of cookies at rest is seen failing, by exactly the fault that it is about, and names it without the cookie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import cookies as cookie_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, OtherClusters, Verdict

Change = Callable[[dict[str, Any]], object]
COOKIE = "/var/lib/beam/beam@n2/.erlang.cookie"


def broken(change: Change) -> Verdict:
    seen = made.hosts()
    change(seen["n2"])
    return evaluate(made.evidence(seen=seen))


def cookie(**values: Any) -> Change:
    return lambda n2: n2["secrets"]["cookies"][0].update(values)


def add(part: str, **values: Any) -> Change:
    return lambda n2: n2["secrets"][part].append(values)


def account(**values: Any) -> Change:
    return lambda n2: n2["secrets"]["accounts"][0].update(values)


def other_service(n2: dict[str, Any]) -> None:
    """A node of another cluster on the host."""
    flags = {**n2["processes"][0]["flags"], "name": "shop@n2"}
    n2["processes"].append({**n2["processes"][0], "pid": 78, "unit": "shop.service", "user": "shop", "home": "/srv/shop", "flags": flags})
    n2["secrets"]["cookies"].append({"path": "/srv/shop/.erlang.cookie", "weaknesses": [], "valid": True, "mark": "ma4c"})


FAULTS: dict[str, tuple[Change, set[str], str]] = {
    "beam": (cookie(weaknesses=["published", "guessable"]), {"cookie-published", "cookie-strength"}, f"the cookie in {COOKIE} is a default"),
    "made by OTP": (cookie(weaknesses=["generated", "guessable"]), {"cookie-generated", "cookie-strength"}, "made by Erlang/OTP"),
    "short": (cookie(weaknesses=["guessable"]), {"cookie-strength"}, "less than 128 bits"),
    "no cookie": (
        cookie(weaknesses=None, valid=False, mark=None),
        {"cookie-published", "cookie-generated", "cookie-strength", "cookie-same", "cookie-shared"},
        "does not hold a cookie",
    ),
    "another one": (cookie(mark="07e4"), {"cookie-same"}, f"{COOKIE} holds another cookie than beam@n1, beam@n3"),
    "shared": (other_service, {"cookie-shared"}, "shop@n2 (pid 78, shop.service, user shop) is no member"),
    "in a drop-in": (
        add("copies", path="/etc/systemd/system/beam.service.d/zz.conf", of=[COOKIE], readers=[], unit=True),
        {"cookie-copies"},
        "/etc/systemd/system/beam.service.d/zz.conf holds the cookie of",
    ),
    "in a history": (
        add("copies", path="/home/alice/.bash_history", of=[COOKIE], readers=["alice"], unit=False),
        {"cookie-copies"},
        "/home/alice/.bash_history holds the cookie of /var/lib/beam/beam@n2/.erlang.cookie, and can be read by alice",
    ),
    "crash dump": (add("dumps", path="/var/lib/beam/erl_crash.dump", readers=["everybody"]), {"crash-dumps"}, "can be read by everybody"),
    "open data": (add("exposed", path="/var/lib/beam/beam@n2/a.DCD", readers=["everybody"]), {"node-data"}, "a.DCD can be read by everybody"),
    "password": (account(password=True), {"node-login"}, "the user beam has a password"),
    "cron": (account(rights=["/var/spool/cron/crontabs/beam"]), {"node-login"}, "crontabs/beam starts programs of beam outside of the unit"),
    "sudo": (account(rights=["/etc/sudoers.d/beam"]), {"node-login"}, "/etc/sudoers.d/beam lets beam run programs as another user with sudo"),
    "a shell": (
        account(processes=[
            {"pid": 70, "process": "beam.smp", "unit": "beam.service"}, {"pid": 71, "process": "tmux: server", "unit": "session-3.scope"},
            {"pid": 72, "process": "bash", "unit": "session-3.scope"},
        ]),
        {"node-login"},
        "tmux: server (pid 71), bash (pid 72) in session-3.scope runs as beam, with its cookie and its key, outside of the sandbox: end it",
    ),
    "ssh": (account(authorized_keys=["/var/lib/beam/.ssh/authorized_keys"]), {"node-login"}, "authorized_keys lets SSH log in as beam"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_fails_its_controls_alone_and_is_named(name: str) -> None:
    change, controls, says = FAULTS[name]
    verdict = broken(change)
    assert {found.control for found in verdict.failures} == controls
    details = [detail for found in verdict.failures if found.status == FAILED for detail in found.details]
    assert any(says in detail for detail in details), details


def test_every_control_of_cookies_fails_above() -> None:
    assert {control for _change, controls, _says in FAULTS.values() for control in controls} == set(cookie_checks.CONTROLS)


@pytest.mark.parametrize("change", [lambda n2: n2.update(secrets=None), lambda n2: n2["secrets"].update(dict.fromkeys(n2["secrets"]))])
def test_what_was_not_looked_at_is_not_tested(change: Change) -> None:
    verdict = broken(change)
    assert {found.control for found in verdict.failures if found.control in cookie_checks.CONTROLS} == set(cookie_checks.CONTROLS)
    assert {found.status for found in verdict.failures} == {NOT_TESTED}


def test_a_search_that_ended_early_passes_nothing() -> None:
    verdict = broken(lambda n2: n2.update(unknown={"secrets": "the search for copies ended after 20000 files"}))
    searched = ("cookie-copies", "crash-dumps", "node-data")
    assert {(found.control, found.status) for found in verdict.failures} == {(name, NOT_TESTED) for name in searched}


@pytest.mark.parametrize(("readers", "tested"), [(["everybody"], False), (["beam"], True)])
def test_what_cannot_be_unpacked_is_not_tested(readers: list[str], tested: bool) -> None:
    verdict = broken(add("unsearched", path="/srv/old.7z", readers=readers, form="7z"))
    found = [(one.control, one.status, one.details) for one in verdict.failures]
    said = "/srv/old.7z (7z) could not be unpacked, and everybody can read it: remove it, give it mode 0600, or pack it another way"
    assert found == ([] if tested else [("cookie-copies", NOT_TESTED, (said,))])


@pytest.mark.parametrize(
    ("kind", "unit", "good"), [("release", "nginx.service", True), ("release", "session-3.scope", False), ("erlang", "nginx.service", False)]
)
def test_a_release_may_share_its_user_with_a_service(kind: str, unit: str, good: bool) -> None:
    seen, plan = made.hosts(), made.plan()
    seen["n2"]["secrets"]["accounts"][0]["processes"] = [{"pid": 71, "process": "nginx", "unit": unit}]
    for host in plan["hosts"].values():
        for node in host["nodes"]:
            node["kind"] = kind
    found = [one for one in evaluate(made.evidence(seen=seen, of=plan)).findings if one.control == "node-login" and one.subject == "n2"]
    assert [one.status == FAILED for one in found] == [not good]


def test_a_weak_cookie_is_not_searched_for() -> None:
    verdict = broken(cookie(weaknesses=["published"]))
    (found,) = (one for one in verdict.findings if one.control == "cookie-copies" and "n2" in one.hosts)
    assert found.status == NOT_APPLICABLE


def test_files_that_only_the_nodes_user_can_read_are_no_copies() -> None:
    own = add("copies", path="/var/lib/beam/beam@n2/vm.args", of=[COOKIE], readers=["beam"], unit=False)
    assert broken(own).ok
    assert broken(add("dumps", path="/var/lib/beam/beam@n2/erl_crash.dump", readers=["beam"])).ok


@pytest.mark.parametrize(("hidden", "unit"), [(True, "check.service"), (False, "session-3.scope")])
def test_tools_of_operators_have_the_cookie_too(hidden: bool, unit: str) -> None:
    def change(n2: dict[str, Any]) -> None:
        other_service(n2)
        n2["processes"][-1].update(unit=unit, flags={**n2["processes"][-1]["flags"], "hidden": hidden})

    assert broken(change).ok


@pytest.mark.parametrize(("user", "bad"), [("rabbitmq", True), ("beam", False), ("root", False)])
def test_a_service_that_gets_its_name_at_runtime(user: str, bad: bool) -> None:
    def change(n2: dict[str, Any]) -> None:
        other_service(n2)
        n2["processes"][-1].update(user=user, flags={**n2["processes"][-1]["flags"], "name": None})

    assert broken(change).ok is not bad


def test_what_could_not_be_compared_is_said() -> None:
    verdict = evaluate(replace(made.evidence(), others=OtherClusters({"07e4": ("d1",)}, ("d2",))))
    (found,) = (one for one in verdict.findings if one.control == "cookie-shared" and "n2" in one.hosts)
    assert found.status == PASSED and "it was not compared with that of d2, which this run cannot read" in found.details[0]


def test_standalone_hosts_may_have_cookies_of_their_own() -> None:
    of = made.plan()
    of["mode"] = "standalone"
    seen = made.hosts()
    seen["n2"]["secrets"]["cookies"][0]["mark"] = "07e4"
    found = {one.status for one in evaluate(made.evidence(of=of, seen=seen)).findings if one.control == "cookie-same"}
    assert found == {NOT_APPLICABLE}


def test_no_mark_is_in_any_finding() -> None:
    seen = made.hosts()
    for name, own in seen.items():
        own["secrets"]["cookies"][0]["mark"] = f"mark-of-{name}"
    verdict = evaluate(made.evidence(seen=seen))
    assert {one.status for one in verdict.findings if one.control == "cookie-same"} == {PASSED, FAILED}
    assert "mark-of-" not in repr(verdict)
