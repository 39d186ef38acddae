# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters to_erlang and from_erlang."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("ansible")

from ansible.errors import AnsibleFilterError  # noqa: E402
from ansible_collections.beam.cluster.plugins.filter.from_erlang import FilterModule as From  # noqa: E402
from ansible_collections.beam.cluster.plugins.filter.to_erlang import FilterModule as To  # noqa: E402

to_erlang = To().filters()["to_erlang"]
from_erlang = From().filters()["from_erlang"]


def test_there() -> None:
    assert to_erlang({"port": 5672, "user": "guest"}, strings="string", mappings="proplist") == '[{port,5672},{user,"guest"}]'
    assert to_erlang({"a": ["x", True, None]}) == '#{a => [<<"x">>,true,undefined]}'


def test_and_back() -> None:
    assert from_erlang("{versions, ['tlsv1.3', 'tlsv1.2']}") == ["versions", ["tlsv1.3", "tlsv1.2"]]
    assert from_erlang("{a,1}.\n{b,2}.\n", consult=True) == [["a", 1], ["b", 2]]


@pytest.mark.parametrize("call", [
    lambda: to_erlang(object()), lambda: to_erlang("x", strings="nonsense"), lambda: from_erlang("{a"),
    lambda: from_erlang("a.", consult=False) and from_erlang(5),
])
def test_errors(call: Any) -> None:
    with pytest.raises(AnsibleFilterError):
        call()
