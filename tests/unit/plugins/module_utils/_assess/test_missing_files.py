# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that the next start reads and that was removed: some control fails, and names the file."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED
from changes import Change, findings, flags, of_n2, verified, vm
from without_plan import audited

NODE = "/etc/beam/beam@n2"
HOME = "/var/lib/beam/beam@n2"


def gone(path: str) -> Change:
    def change(n2: dict[str, Any]) -> None:
        n2["files"] = [one for one in n2["files"] if one["path"] != path]
        n2["missing"].append(path)

    return change


def start_file(path: str) -> Change:
    return vm(start_files=[{"path": path, "by": [], "missing": True}])


def of_unit(path: str) -> Change:
    return lambda n2: n2["units"]["beam.service"].update(start_files=[{"path": path, "by": [], "missing": True}])


OF_OURS = [
    *((f"{NODE}/{name}", "options-file") for name in ("vm.args", "ssl_dist.conf", "inetrc", "allow.conf")),
    (f"{NODE}/tls/key.pem", "private-key"),
    (f"{NODE}/tls/cert.pem", "trust-file"),
    (f"{NODE}/tls/ca.pem", "trust-file"),
    (f"{HOME}/.erlang.cookie", "cookie-file"),
]


@pytest.mark.parametrize(("path", "control"), OF_OURS)
def test_verify_names_a_file_of_ours(path: str, control: str) -> None:
    status, said = of_n2(verified(gone(path)), control)
    assert status == {FAILED} and f"{path} does not exist" in said


@pytest.mark.parametrize(("path", "control"), [one for one in OF_OURS if not one[0].endswith(("vm.args", "inetrc", "allow.conf"))])
def test_an_audit_names_it_too(path: str, control: str) -> None:
    status, said = of_n2(audited(gone(path)), control)
    assert status == {FAILED} and f"{path} does not exist" in said


@pytest.mark.parametrize("change", [start_file("/opt/app/sys.config"), of_unit("/opt/app/sys.config")], ids=["named by a flag", "of the unit"])
def test_both_name_what_flags_variables_and_units_name(change: Change) -> None:
    for verdict in (verified(change), audited(change)):
        status, said = of_n2(verdict, "options-running")
        assert status == {FAILED} and "/opt/app/sys.config does not exist any more" in said
        assert "Restore the file, or remove the setting that names it, and restart the node" in said
    (found,) = verified(change).failures
    assert found.control == "options-running"


def test_a_file_of_ours_is_named_once() -> None:
    path = f"{NODE}/ssl_dist.conf"

    def both(n2: dict[str, Any]) -> None:
        gone(path)(n2)
        start_file(path)(n2)

    assert [one.control for one in verified(both).failures] == ["options-file"]


def test_a_cookie_that_comes_from_a_flag_needs_no_file() -> None:
    def change(n2: dict[str, Any]) -> None:
        gone(f"{HOME}/.erlang.cookie")(n2)
        flags(cookie="value")(n2)

    assert of_n2(audited(change), "cookie-file")[0] == {"not_applicable"}


def test_a_cookie_in_the_second_place_is_the_one() -> None:
    second = f"{HOME}/.config/erlang/.erlang.cookie"

    def change(n2: dict[str, Any]) -> None:
        n2["missing"].append(f"{HOME}/.erlang.cookie")
        for one in n2["files"]:
            if one["path"] == f"{HOME}/.erlang.cookie":
                one.update(path=second, mode="0644")

    (found,) = [one for one in findings(audited(change), "cookie-file") if one.hosts == ("n2",)]
    assert found.status == FAILED and f"{second} has mode 0644" in " ".join(found.details)


def test_a_changed_file_says_what_to_do() -> None:
    _status, said = of_n2(verified(vm(start_files=[{"path": "/etc/x", "by": [], "changed": True}])), "options-running")
    assert "restart the node. A restored file has a new time, too" in said


def test_an_option_file_that_is_gone_hides_no_other() -> None:
    path = f"{NODE}/ssl_dist.conf"
    assert of_n2(audited(gone(path)), "options-running")[0] == {"passed"}
