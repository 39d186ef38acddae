# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit looks at the second of a kind, too: another EPMD, the key of the client, the CA file of the server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, PASSED
from changes import Change, both, listener, of_n2
from without_plan import audited

FILE = {"kind": "file", "mode": "0400", "owner": "beam", "group": "beam", "replaceable_by": [], "links": 1}


def second(kind: str, path: str, **values: Any) -> Change:
    """A second file of a kind in the TLS options of n2."""

    def change(n2: dict[str, Any]) -> None:
        n2["processes"][0]["tls_files"][kind].append(path)
        n2["files"].append({**FILE, "path": path, **values})

    return change


@pytest.mark.parametrize(
    ("control", "change", "says"),
    [
        ("private-key", second("keys", "/data/client.pem", mode="0644"), "/data/client.pem has mode 0644"),
        ("private-key", second("keys", "/data/client.pem", owner="mallory"), "/data/client.pem belongs to mallory, not to beam"),
        ("trust-file", second("authorities", "/data/ca.pem", mode="0666", owner="root"), "/data/ca.pem has mode 0666"),
        ("trust-file", second("certificates", "/data/cert.pem", mode="0644"), "/data/cert.pem belongs to beam, not to root"),
        ("epmd-listeners", listener(4370, process="epmd", pid=1077), "listens on every network of the host: 0.0.0.0:4370 (epmd"),
        ("epmd-listeners", listener(4370, "::", process="epmd", pid=1077), "listens on every network of the host: [::]:4370 (epmd"),
    ],
)
def test_a_second_one_fails_its_control(control: str, change: Change, says: str) -> None:
    status, said = of_n2(audited(change), control)
    assert status == {FAILED} and says in said


@pytest.mark.parametrize(
    ("control", "change"),
    [
        ("private-key", second("keys", "/data/client.pem")),
        ("trust-file", both(second("authorities", "/data/ca.pem", mode="0644", owner="root"))),
        ("epmd-listeners", listener(4370, "127.0.0.1", process="epmd", pid=1077)),
    ],
)
def test_a_good_one_passes(control: str, change: Change) -> None:
    assert of_n2(audited(change), control)[0] == {PASSED}
