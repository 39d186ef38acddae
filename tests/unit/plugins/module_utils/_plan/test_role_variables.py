# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every variable of every role is judged by the plan."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls.thresholds import CERTIFICATE_LIFETIME_MAX
from ansible_collections.beam.cluster.plugins.module_utils._plan import role_variables
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import READABLE, SECRET, Unreadable
from ansible_collections.beam.cluster.plugins.plugin_utils import _inputs
from test_any_json import NASTY

OPTIONS = _inputs.role_options()
BAD: dict[str, tuple[object, ...]] = {
    "int": ("ninety", "1.5", True, [1], {}, "", 10**5000),
    "float": ("soon", True, [1], {}, "nan", float("inf")),
    "str": ([], {}, ["x"]),
    "path": ([], {}, ["x"]),
    "bool": ("perhaps", 2, [], {}, ""),
    "list": ({}, 7, True),
    "dict": ([], "x"),
}


def rules(name: str, value: object) -> list[str]:
    return [wrong.rule for wrong in role_variables.validate(OPTIONS[name], value)]


def test_no_variable_is_forgotten() -> None:
    known = _inputs.specs()[0] - {"beam_plan"}
    assert known <= {*OPTIONS, *READABLE, *SECRET}
    assert set(role_variables.RANGES) | set(role_variables._FORMS) <= set(OPTIONS)
    assert {option.type for option in OPTIONS.values()} <= set(role_variables._TYPES)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_the_default_is_good_and_other_types_are_not(name: str) -> None:
    assert rules(name, _inputs.specs()[1][name]) == []
    for value in (None, *BAD[OPTIONS[name].type]):
        assert rules(name, value), value
    if OPTIONS[name].choices:
        assert rules(name, "no such choice") == ["choice"]


def test_a_certificate_that_the_plan_allows_passes_its_control() -> None:
    longest = role_variables.RANGES["beam_pki_days"][1] + role_variables.BACKDATE_MAX / 86400
    assert longest <= CERTIFICATE_LIFETIME_MAX


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_nothing_else_is_raised(name: str) -> None:
    for value in NASTY:
        for wrong in role_variables.validate(OPTIONS[name], value):
            assert wrong.message.endswith(".") and wrong.fix.endswith(".")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("beam_pki_days", 0, ["range"]),
        ("beam_pki_days", "90", []),
        ("beam_pki_days", 365, []),
        ("beam_pki_days", 366, ["range"]),
        ("beam_pki_ca_days", 3650, []),
        ("beam_pki_backdate", "30d", []),
        ("beam_pki_backdate", "30d1s", ["format"]),
        ("beam_pki_key_size", 1024, ["range"]),
        ("beam_verify_timeout", 0, ["range"]),
        ("beam_verify_timeout", "2.5", []),
        ("beam_verify_report_formats", ["html", "sarif"], []),
        ("beam_verify_report_formats", "html,csv", []),
        ("beam_verify_report_formats", [], []),
        ("beam_verify_report_formats", ["html", "pdf"], ["choice"]),
        ("beam_service_directives", ["A=b", {"A": "b"}], ["type"]),
        ("beam_firewall_local_users", ["root; x"], ["format"]),
        ("beam_otp_root", "opt/otp", ["format"]),
        ("beam_service_crash_dump_directory", "/var/crash\n", ["format"]),
        ("beam_otp_root", "/opt/otp 27", ["format"]),
        ("beam_otp_root", "/opt/otp%27", ["format"]),
        ("beam_otp_root", "/opt/$OTP", ["format"]),
        ("beam_otp_root", "/opt/otp-27.3_1+x@y:z,w/", []),
        ("beam_service_crash_dump_directory", "/srv/crash dumps", ["format"]),
        ("beam_service_crash_dump_directory", "/srv/100%", ["format"]),
        ("beam_distribution_extra_args", ["+P 1000000", "-kernel logger_level info"], []),
        ("beam_distribution_extra_args", ["-mnesia dir '\"/srv/x\"'", '-env A "b c"'], []),
        ("beam_distribution_extra_args", ["-env A 'b"], ["format"]),
        ("beam_distribution_extra_args", ['-mnesia dir "/srv/x'], ["format"]),
        ("beam_distribution_extra_args", ["+P 1000000 \\"], ["format"]),
        ("beam_distribution_extra_args", ["# +P 1000000"], ["format"]),
        ("beam_service_directives", ["MemoryMax=4G", "Environment=A=b", "ExecStop=", "SocketBindAllow=tcp:9568"], []),
        ("beam_service_directives", ["MemoryMax 4G"], ["directive_format"]),
        ("beam_service_directives", ["[Service]"], ["directive_format"]),
        ("beam_service_directives", ["MemoryMax=4G\nNice=5"], ["directive_format"]),
        ("beam_service_directives", ["memory_max=4G"], ["directive_format"]),
        ("beam_service_directives", ["MemoryMax=4G \\"], ["directive_format"]),
        ("beam_service_directives", [f"{name}=" for name in ("Environment", "EnvironmentFile", "ExecStartPre", "UnsetEnvironment", "ReadWritePaths")],
         ["directive_refused"] * 5),
        ("beam_service_directives", ["User=root", "Group=x", "DynamicUser=yes", "RootDirectory=/srv/root"], ["directive_refused"] * 4),
        ("beam_service_directives", ["After=x.service", "StartLimitIntervalSec=0", "WantedBy=x.target"], ["directive_refused"] * 3),
        ("beam_service_directives", ["Environment=\"ERL_AFLAGS=-kernel shell_history enabled\""], ["directive_refused"]),
        ("beam_service_directives", ["Environment=A=b ERL_EPMD_PORT=4370"], ["directive_refused"]),
        ("beam_service_directives", ["Environment=ELIXIR_ERL_OPTIONS=-proto_dist inet_tcp"], ["directive_refused"]),
        ("beam_service_directives", ["ExecStart=", "ExecStart=/opt/x/bin/x foreground -setcookie hunter2"], ["directive_refused"]),
        ("beam_verify_cut_links", "yes", []),
        ("beam_otp_packages", "erlang", []),
        ("beam_otp_root", Unreadable("'nowhere' is undefined"), ["undefined"]),
        ("beam_otp_root", Unreadable("'beam_plan' is undefined"), []),
    ],
)
def test_values(name: str, value: object, expected: list[str]) -> None:
    assert rules(name, value) == expected


@pytest.mark.parametrize("line", ["Environment=ERL_AFLAGS=hunter2", "hunter2 = x", "ExecStart=/x -setcookie hunter2", "User=hunter2"])
def test_a_directive_is_refused_by_its_name(line: str) -> None:
    (wrong,) = role_variables.validate(OPTIONS["beam_service_directives"], ["Nice=5", line])
    assert "hunter2" not in wrong.message + wrong.fix and "entry 2" in wrong.message and wrong.fix.endswith(".")


def test_no_element_of_a_list_is_shown() -> None:
    (wrong,) = role_variables.validate(OPTIONS["beam_service_directives"], [{"Environment": "SECRET=hunter2"}])
    assert "hunter2" not in wrong.message
