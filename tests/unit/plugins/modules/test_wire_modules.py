# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules of the wire: their documentation says what their argument specs say, and they answer as documented."""

from __future__ import annotations

import importlib
import io
import json
import pathlib
import sys
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")
pytest.importorskip("ansible")

from ansible.module_utils import basic  # noqa: E402
from ansible.module_utils.testing import patch_module_args  # noqa: E402
from ansible_collections.beam.cluster.plugins.doc_fragments import connection  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._net import connection_options  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "module_utils" / "_net"))
from peers import NODE, Calling, Node, read_frame, server  # noqa: E402

PACKAGE = "ansible_collections.beam.cluster.plugins.modules."
MODULES = ["epmd_info", "dist_probe", "node_call", "node_members", "mesh_info", "link_info", "cookie", "certificate", "credentials_info"]


class Spec(Exception):
    """Raised by the module class of these tests with the argument spec that it was given."""


def documented(module: Any) -> Any:
    """The options of a module with those of its fragments."""
    data = yaml.safe_load(module.DOCUMENTATION)
    result = dict(data.get("options", {}))
    for name in data["extends_documentation_fragment"]:
        _namespace, _collection, fragment, *part = name.split(".")
        if fragment == "connection":
            result.update(yaml.safe_load(getattr(connection.ModuleDocFragment, part[0].upper() if part else "DOCUMENTATION"))["options"])
    return result


def compare(documentation: Any, spec: Any, where: Any) -> None:
    assert set(documentation) == set(spec), where
    for name, option in spec.items():
        said = documentation[name]
        place = f"{where}.{name}"
        for key in ("type", "elements", "default", "choices", "required"):
            assert said.get(key, "str" if key == "type" else None) == option.get(key, "str" if key == "type" else None), f"{place} {key}"
        assert said.get("description"), place
        compare(said.get("suboptions", {}), option.get("options", {}), place)


@pytest.mark.parametrize("name", MODULES)
def test_documentation_and_spec_agree(name: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(PACKAGE + name)

    def stop(**arguments: Any) -> None:
        assert arguments["supports_check_mode"]
        raise Spec(arguments["argument_spec"])

    monkeypatch.setattr(module, "AnsibleModule", stop)
    with pytest.raises(Spec) as spec:
        module.main()
    compare(documented(module), spec.value.args[0], name)


def test_the_fragment_and_its_twin_agree() -> None:
    compare(yaml.safe_load(connection.ModuleDocFragment.DOCUMENTATION)["options"], connection_options.connection_spec(), "connection")


def test_what_is_returned_of_a_target_is_said_with_the_same_words() -> None:
    speaking = [importlib.import_module(PACKAGE + name) for name in ("dist_probe", "node_call", "node_members", "mesh_info")]
    returned = [yaml.safe_load(module.RETURN)["targets"]["contains"] for module in speaking]
    common = set.intersection(*map(set, returned))
    assert {"node", "host", "port", "address", "name", "code", "category", "message", "milliseconds", "tls", "flags"} <= common
    # A probe makes no call; a node that was not asked for its creation tells it in the handshake all the same.
    for key in common - {"stage", "creation"}:
        assert all(said[key] == returned[0][key] for said in returned), key


CALLS = [
    (name, task["beam.cluster." + name]) for name in MODULES for task in yaml.safe_load(importlib.import_module(PACKAGE + name).EXAMPLES)
    if "beam.cluster." + name in task
]


@pytest.mark.parametrize("name, arguments", CALLS)
def test_examples_are_what_the_module_takes(name: Any, arguments: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(PACKAGE + name)
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", None, raising=False)
    accepted = []

    class Accepting(basic.AnsibleModule):
        def __init__(self, **spec: Any) -> None:
            super().__init__(**spec)
            accepted.append(self.params)
            raise Spec

    monkeypatch.setattr(module, "AnsibleModule", Accepting)
    with patch_module_args(arguments), pytest.raises(Spec):
        module.main()
    assert accepted


def run(module_name: Any, monkeypatch: pytest.MonkeyPatch, check: Any = False, **arguments: Any) -> Any:
    """Run a module in this process; gives its exit status and answer."""
    module = importlib.import_module(PACKAGE + module_name)
    out = io.TextIOWrapper(io.BytesIO(), write_through=True)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", None, raising=False)
    with patch_module_args(dict(arguments, _ansible_check_mode=check)), pytest.raises(SystemExit) as end:
        module.main()
    monkeypatch.undo()
    return end.value.code, json.loads(out.buffer.getvalue())


def common(port: Any, node: Any = NODE) -> Any:
    return {"targets": [{"node": node, "host": "127.0.0.1", "port": port}], "cookie": "a-cookie-for-tests", "name": "a@127.0.0.1", "timeout": 2}


def test_dist_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(Node()) as port:
        status, answer = run("dist_probe", monkeypatch, **common(port))
        assert (status, answer["changed"], answer["failed_targets"], answer["targets"][0]["code"]) == (0, False, [], "connected")
        status, answer = run("dist_probe", monkeypatch, check=True, **common(port))
        assert (status, answer["targets"][0]["ok"]) == (0, True)
        status, answer = run("dist_probe", monkeypatch, expect=["refused"], **common(port))
        assert status == 1 and "b@127.0.0.1 at 127.0.0.1: connected (stage done), expected refused" in answer["msg"]
        assert answer["failed_targets"] == answer["targets"] and not answer["targets"][0]["ok"]
        status, answer = run("dist_probe", monkeypatch, expect=["any"], **common(port, "c@127.0.0.1"))
        assert (status, answer["targets"][0]["code"]) == (0, "wrong_node")
        status, answer = run("dist_probe", monkeypatch, expect=["nonsense"], **common(port))
        assert (status, answer["msg"]) == (1, "expect: unknown code: nonsense")
        assert "a-cookie-for-tests" not in json.dumps(dict(answer, invocation=None))


def test_node_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(Calling()) as port:
        status, answer = run("node_call", monkeypatch, module="ok", function="f", args="[a, 1]", **common(port))
        assert (status, answer["changed"], answer["result"], answer["result_erlang"]) == (0, True, ["a", 1], "[a,1]")
        status, answer = run("node_call", monkeypatch, module="bad", function="f", read_only=True, **common(port))
        assert (status, answer["changed"], answer["targets"][0]["code"]) == (1, False, "call_failed")
        assert answer["targets"][0]["exception"] == {"class": "error", "reason": "undef", "stack": []}
        assert "call_failed (stage call). error: undef" in answer["msg"]
    # Nobody listens there any more: in check mode nothing is called.
    status, answer = run("node_call", monkeypatch, check=True, module="ok", function="f", **common(port))
    assert (status, answer["changed"], "targets" in answer) == (0, True, False)
    status, answer = run("node_call", monkeypatch, check=True, module="ok", function="f", read_only=True, **common(port))
    assert (status, answer["targets"][0]["code"]) == (1, "closed")


def test_mesh_info_without_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(Node(status="not_allowed")) as port:
        status, answer = run("mesh_info", monkeypatch, **common(port))
    assert (status, answer["whole"], answer["missing"], answer["targets"][0]["code"]) == (0, False, [], "not_allowed")
    status, answer = run("mesh_info", monkeypatch, check=True, relink=True, **common(port))
    assert (status, answer["changed"], answer["relinked"]) == (0, True, None)


def test_epmd_info(monkeypatch: pytest.MonkeyPatch) -> None:
    def registry(connection: Any) -> None:
        read_frame(connection)
        connection.sendall(b"\0\0\x11\x11name n1 at port 9100\n")

    with server(registry) as port:
        status, answer = run("epmd_info", monkeypatch, host="127.0.0.1", port=port)
        assert (status, answer["code"], answer["nodes"]) == (0, "connected", [{"name": "n1", "port": 9100}])
    status, answer = run("epmd_info", monkeypatch, hosts=["127.0.0.1"], port=port)
    assert (status, answer["targets"][0]["code"], "nodes" in answer) == (0, "epmd_closed", False)
    module = importlib.import_module(f"{PACKAGE}epmd_info")
    assert set(answer["targets"][0]) == set(yaml.safe_load(module.RETURN)["targets"]["contains"])


def test_link_info(monkeypatch: pytest.MonkeyPatch) -> None:
    status, answer = run("link_info", monkeypatch, ports=["9100-9101"], watch=0)
    assert (status, answer["changed"], answer["clear"]) == (0, False, [])
    status, answer = run("link_info", monkeypatch, ports=["nine"])
    assert (status, answer["msg"]) == (1, "ports: nine is neither a port nor a range such as 9100-9109")
