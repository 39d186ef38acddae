# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's variables as values, and the collection's own data."""

from __future__ import annotations

import datetime

import pytest
from ansible.template import Templar, trust_as_template
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import CLUSTER, HOST, MISSING, SECRET, Unreadable
from ansible_collections.beam.cluster.plugins.plugin_utils import _inputs


def view(variables: dict[str, object]) -> dict[str, object]:
    return _inputs.own_view(Templar(variables=variables), variables)


def test_what_a_host_sees_of_itself() -> None:
    variables = {
        "number": 9100,
        "beam_ports": trust_as_template("{{ number }}-{{ number + 9 }}"),
        "beam_address": trust_as_template("{{ nowhere }}"),
        "beam_cookie": "secret",
        "beam_pki_ca_passphrase": "secret",
        "beam_my_passphrase": "secret",
        "other": "x",
    }
    seen = view(variables)
    assert "secret" not in str(seen)
    assert seen["inputs"] == {"beam_ports": "9100-9109"}
    assert seen["names"] == ["beam_address", "beam_cookie", "beam_my_passphrase", "beam_pki_ca_passphrase", "beam_ports"]
    assert _inputs.own_value(seen, "beam_ports") == "9100-9109"
    assert _inputs.own_value(seen, "beam_product") is MISSING
    assert _inputs.own_value(seen, "beam_address") == Unreadable(seen["errors"]["beam_address"])  # type: ignore[index]


def test_untrusted_text_is_no_template() -> None:
    variables: dict[str, object] = {"beam_ports": "{{ 1 + 1 }}"}
    assert _inputs.value_of(Templar(variables=variables), variables, "beam_ports") == "{{ 1 + 1 }}"


@pytest.mark.parametrize(
    "value,plain",
    [
        ((1, [2, "x"]), [1, [2, "x"]]),
        ({"a": (1,), 2: None}, {"a": [1], "2": None}),
        (datetime.date(2027, 1, 31), "2027-01-31"),
        (True, True),
        (1.5, 1.5),
    ],
)
def test_plain_values(value: object, plain: object) -> None:
    assert _inputs.plain(value) == plain


def test_all_roles_say_what_they_know() -> None:
    known, defaults = _inputs.specs()
    assert {*CLUSTER, *HOST, *SECRET, "beam_plan", "beam_plan_requires", "beam_plan_preflight"} <= known
    assert all(name.startswith("beam_") for name in known)
    assert not any("cookie" in name or "passphrase" in name for name in set(defaults) - {"beam_audit_try_known_cookies"})
    for name in ("beam_group", "beam_mode", "beam_discovery", "beam_tls_versions", "beam_ports", "beam_product", "beam_pki_backdate"):
        assert name in defaults


def test_every_product_has_what_the_plan_needs() -> None:
    products = _inputs.products()
    assert "erlang" in products
    for data in products.values():
        assert {"kind", "unit", "user", "home"} <= set(data.raw)
