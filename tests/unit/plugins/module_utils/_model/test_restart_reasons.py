# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a node has to be restarted, and why not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model import restart_reasons
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation

NODE = {"node": "beam@n1", "name": "beam", "unit": "beam.service"}
EMULATOR = "/usr/lib/erlang/erts-15.2.7/bin/beam.smp"


def process(**changes: Any) -> dict[str, Any]:
    vm = {"executable": EMULATOR, "otp_root": "/usr/lib/erlang", "erts": "15.2.7", "installed_erts": changes.pop("installed_erts", "15.2.7")}
    vm.update(replaced=changes.pop("replaced", []), package=changes.pop("package", None))
    return {"pid": 7, "process": "beam.smp", "unit": "beam.service", "node": "beam@n1", "digest": "new", "vm": vm, **changes}


def observed(*processes: dict[str, Any], active: str = "active", load: str = "loaded") -> dict[str, Any]:
    return {"units": {"beam.service": {"active": active, "load": load}}, "processes": list(processes)}


PACKAGE = {"name": "erlang-base", "installed": "1:27-2", "started": "1:27-1"}
REASONS = [
    ([process()], "", []),
    ([process(digest="old")], "", ["other files or directives"]),
    ([process(digest=None)], "", ["other files or directives"]),
    ([process(replaced=[EMULATOR])], "", [f"pid 7 runs {EMULATOR}, which is no longer the file on disk"]),
    ([process(package=PACKAGE)], "", ["pid 7 runs erlang-base 1:27-1, and 1:27-2 is installed"]),
    ([process(package=dict(PACKAGE, started=None))], "", []),
    ([process(installed_erts="15.2.8")], "", ["pid 7 runs ERTS 15.2.7, and /usr/lib/erlang has ERTS 15.2.8 now"]),
    ([process(installed_erts=None)], "", []),
    ([process(digest="old", replaced=[EMULATOR])], "", ["other files", "no longer the file"]),
    ([process()], "refused", ["does not accept the cookie"]),
    ([process()], "unreachable", []),
    ([process(vm=None)], "", []),
    ([process(unit="other.service")], "", ["no virtual machine runs in beam.service"]),
    ([process(process="epmd", digest="old"), process()], "", []),
]


@pytest.mark.parametrize(("processes", "cookie", "says"), REASONS)
def test_reasons(processes: list[dict[str, Any]], cookie: str, says: list[str]) -> None:
    seen = Observation.parse("n1", observed(*processes))
    found = restart_reasons.restart_reasons(NODE["unit"], seen.processes, "new", cookie)
    assert len(found) == len(says)
    for reason, part in zip(found, says):
        assert part in reason


def test_many_files_are_counted() -> None:
    seen = Observation.parse("n1", observed(process(replaced=[f"/lib/{number}.so" for number in range(9)])))
    assert seen.processes is not None
    (problem,) = restart_reasons.vm_problems(seen.processes[0])
    assert "/lib/4.so and 4 more, which" in problem


@pytest.mark.parametrize(("seen", "state"), [
    (observed(process()), (False, True, True)),
    (observed(process(digest="old")), (False, True, False)),
    (observed(active="inactive"), (False, False, False)),
    (observed(active="inactive", load="not-found"), (True, False, False)),
    ({"units": {}, "processes": []}, (True, False, False)),
])
def test_states(seen: dict[str, Any], state: tuple[bool, bool, bool]) -> None:
    (found,) = restart_reasons.states(Observation.parse("n1", seen), [NODE], {"beam@n1": "new"}, {})
    assert (found["missing"], found["runs"], found["current"]) == state
    assert found["host"] == "n1" and found["node"] == NODE and bool(found["reasons"]) == (found["runs"] and not found["current"])


def test_what_the_module_cookie_has_seen() -> None:
    (found,) = restart_reasons.states(Observation.parse("n1", observed(process())), [NODE], {"beam@n1": "new"}, {"beam@n1": {"state": "refused"}})
    assert found["reasons"] == ["it does not accept the cookie in its cookie file"]


@pytest.mark.parametrize(("requested", "restarts"), [((), False), ("all", True), (["beam@n1"], True), (["beam@n2"], False), ("beam@n1", False)])
def test_a_restart_on_request(requested: object, restarts: bool) -> None:
    (found,) = restart_reasons.states(Observation.parse("n1", observed(process())), [NODE], {"beam@n1": "new"}, {}, requested)
    assert found["current"] is not restarts and (found["reasons"] == ["beam_service_restart asks for it"]) is restarts
    (stopped,) = restart_reasons.states(Observation.parse("n1", observed(active="inactive")), [NODE], {"beam@n1": "new"}, {}, requested)
    assert not stopped["reasons"]


@pytest.mark.parametrize(("postponed", "asked"), [(False, False), (True, True)])
def test_a_name_that_stays_allowed_restarts_a_node_only_where_restarts_were_asked_for(postponed: bool, asked: bool) -> None:
    seen = Observation.parse("n1", observed(process()))
    (found,) = restart_reasons.states(seen, [NODE], {"beam@n1": "new"}, {}, (), {"beam@n1": ["beam@n5", "beam@n4"]}, postponed)
    said = "it lets beam@n4, beam@n5 connect by name, which are no members"
    assert found["current"] is not asked and found["reasons"] == ([said] if asked else []) and found["postponed"] == ([] if asked else [said])
    seen = Observation.parse("n1", observed(active="inactive"))
    (stopped,) = restart_reasons.states(seen, [NODE], {"beam@n1": "new"}, {}, (), {"beam@n1": ["beam@n4"]}, True)
    assert not stopped["reasons"] and not stopped["postponed"]


def test_outside_of_the_window_a_node_waits() -> None:
    seen = Observation.parse("n1", observed(process(digest="old")))
    states = restart_reasons.states(seen, [NODE], {"beam@n1": "new"}, {}, restart_from="Sat 02:00 UTC")
    assert [(one["waits"], one["current"], one["reasons"]) for one in states] == [(True, False, [])]
    assert "beam_restart_window, Sat 02:00 UTC" in states[0]["postponed"][0]
    (current,) = restart_reasons.states(Observation.parse("n1", observed(process())), [NODE], {"beam@n1": "new"}, {}, restart_from="Sat 02:00 UTC")
    assert (current["waits"], current["current"], current["postponed"]) == (False, True, [])


def test_packages_that_are_upgraded_are_a_reason() -> None:
    upgrades = [f"erlang-{name}=2" for name in ("base", "ssl", "asn1", "crypto", "tools", "xmerl")]
    (found,) = restart_reasons.states(Observation.parse("n1", observed(process())), [NODE], {"beam@n1": "new"}, {}, upgrades=upgrades)
    assert found["reasons"] == ["this run upgrades erlang-asn1, erlang-base, erlang-crypto, erlang-ssl, erlang-tools and 1 more packages"]
