# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard without a host: what it says of an environment, and of the arguments of a VM. On hosts: tests/takeover."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.module_utils._model.reserved_flags import VARIABLE, VARIABLES
from rendering import render

ROLES = Path(__file__).resolve().parents[2] / "roles"
GUARD = ROLES / "service" / "files" / "guard"
FLAGS = """-start_epmd false
-proto_dist {carrier}
-ssl_dist_optfile /etc/beam/n/ssl_dist.conf
-setcookie
-kernel inetrc '"/etc/beam/n/inetrc"'
-kernel inet_dist_use_interface {{10,0,0,1}}
-kernel inet_dist_listen_min 9100
-kernel inet_dist_listen_max 9100
"""
OURS = (
    "beam.smp -- -root / -- -home /h -- -start_epmd false -proto_dist inet_tls -ssl_dist_optfile /etc/beam/n/ssl_dist.conf -setcookie"
    ' -kernel inetrc "/etc/beam/n/inetrc" -kernel inet_dist_use_interface {10,0,0,1} -kernel inet_dist_listen_min 9100'
    " -kernel inet_dist_listen_max 9100 -eval net_kernel:allow(Allowed)"
)
NAMED = f"{OURS} -sname n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    flags = FLAGS.format(carrier="inet_tls")
    sum_ = hashlib.sha256(flags.encode()).hexdigest()
    (tmp_path / "vm.args").write_text(f"# Managed\n# sha256 of the lines below: {sum_}\n{flags}", encoding="utf-8")
    return tmp_path


def start(directory: Path, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        ["sh", str(GUARD), "start", "x.service", str(directory)],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_environment_that_was_planned_passes(directory: Path) -> None:
    assert start(directory, ERL_AFLAGS=f"-args_file {directory}/vm.args") == (0, "")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "was taken away"),
        ({"ERL_AFLAGS": ""}, "was taken away"),
        ({"ERL_AFLAGS": "-args_file {d}/vm.args -setcookie s3cret"}, "ERL_AFLAGS is set by"),
        ({"ERL_AFLAGS": "-args_file {d}/vm.args", "ERL_ZFLAGS": "-setcookie s3cret"}, "ERL_ZFLAGS is set by"),
        ({"ERL_AFLAGS": "-args_file {d}/vm.args", "ERL_FLAGS": "s3cret"}, "ERL_FLAGS is set by"),
        ({"ERL_AFLAGS": "-args_file {d}/vm.args", "ERL_OTP29_FLAGS": "s3cret"}, "ERL_OTP29_FLAGS is set by"),
        ({"ERL_AFLAGS": "-args_file {d}/vm.args", "ERL_INETRC": "/s3cret"}, "ERL_INETRC is set by"),
        ({"ERL_AFLAGS": "-args_file {d}/vm.args", "ERL_EPMD_PORT": "4370s3cret"}, "ERL_EPMD_PORT is set by"),
        ({"ERL_AFLAGS": "-args_file {d}/vm.args", "XDG_CONFIG_HOME": "/s3cret"}, "XDG_CONFIG_HOME is set by"),
    ],
)
def test_another_environment_is_refused_in_one_line_without_its_values(directory: Path, environment: dict[str, str], says: str) -> None:
    status, said = start(directory, **{name: value.replace("{d}", str(directory)) for name, value in environment.items()})
    assert status == 1 and says in said and said.count("\n") == 1 and "s3cret" not in said


@pytest.mark.parametrize("change", [lambda p: p.unlink(), lambda p: p.write_text(""), lambda p: p.write_text(p.read_text() + "-hidden\n")])
def test_flags_that_are_not_as_they_were_written_are_refused(directory: Path, change: Any) -> None:
    change(directory / "vm.args")
    status, said = start(directory, ERL_AFLAGS=f"-args_file {directory}/vm.args")
    assert status == 1 and said.startswith("beam guard: x.service is not started: ") and said.count("\n") == 1


def judge(directory: Path, words: str, carrier: str = "inet_tls") -> str:
    if carrier == "none":
        (directory / "vm.args").write_text("-proto_dist none\n-start_epmd false\n", encoding="utf-8")
    text = GUARD.read_text(encoding="utf-8")
    function = text[text.index("judge() {") : text.index("\n}\n", text.index("judge() {")) + 3]
    done = subprocess.run(
        ["sh", "-c", f"flags={directory}/vm.args\n{function}judge"],
        input="".join(f"{word}\n" for word in words.split()),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "early"),
        (NAMED, "flags"),
        (OURS, "flags"),
        (f"{NAMED} -setcookie word", "flags"),
        (f"{NAMED} -extra -proto_dist inet_tcp", "flags"),
        (NAMED.replace("-setcookie ", "") + " -setcookie word", "open -setcookie on its command line takes the place of the cookie file"),
        (f"{NAMED} -nocookie", "open -nocookie makes its cookie a known word"),
        (f"{NAMED} -ssl_dist_opt client_verify verify_none", "open -ssl_dist_opt overrides the TLS options"),
        (f"{NAMED} -proto_dist inet_tcp", "open -proto_dist has another value"),
        (f"{NAMED} -proto_dist inet_tls", "open -proto_dist is given twice"),
        (f"{NAMED} -kernel inet_dist_use_interface {{0,0,0,0}}", "open inet_dist_use_interface has another value"),
        (f"{NAMED} -kernel a b inet_dist_listen_min 1", "open inet_dist_listen_min has another value"),
        (f"{NAMED} -erl_epmd_port 9557", "open -erl_epmd_port is set"),
        (f"{NAMED} -kernel erl_epmd_node_listen_port 9557", "open erl_epmd_node_listen_port is set"),
        (f"{NAMED} -kernel inet_dist_listen_options [{{ip,{{0,0,0,0}}}}]", "open inet_dist_listen_options is set"),
        (f"{NAMED} -epmd_module mine", "open -epmd_module is set"),
        (f"{NAMED} -dist_listen false", "flags"),
        (NAMED.replace("net_kernel:allow(Allowed)", "x"), "open the list of nodes that may connect is missing"),
        ("beam.smp -- -noshell", "none"),
        ("beam.smp -- -sname tool -dist_listen false", "tool"),
        ("beam.smp -- -sname child -kernel inet_dist_use_interface {127,0,0,1}", "tool"),
        (f"{NAMED.replace('net_kernel:allow(Allowed)', 'x')} -hidden", "tool"),
    ],
)
def test_what_it_says_of_arguments(directory: Path, words: str, said: str) -> None:
    assert judge(directory, words) == said


@pytest.mark.parametrize("flag", ["-erl_epmd_port", "-kernel erl_epmd_node_listen_port"])
@pytest.mark.parametrize(("port", "said"), [("9100", "flags"), ("9101", "open {} has another value"), ("", "open {} is missing")])
def test_a_fixed_port(directory: Path, flag: str, port: str, said: str) -> None:
    """It is among the flags of a node without EPMD, in one of two ways."""
    with (directory / "vm.args").open("a", encoding="utf-8") as stream:
        stream.write(f"{flag} 9100\n")
    assert judge(directory, f"{NAMED} {flag} {port}" if port else NAMED) == said.format(flag.split()[-1])


def test_it_names_all_that_was_lost(directory: Path) -> None:
    said = judge(directory, "beam.smp -- -sname n -setcookie word")
    wanted = {"-proto_dist", "-ssl_dist_optfile", "inet_dist_use_interface", "inet_dist_listen_min", "inet_dist_listen_max"}
    assert set(said.removeprefix("open ").split(", ")) == {f"{flag} is missing" for flag in wanted}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("beam.smp -- -proto_dist none", "flags"),
        ("beam.smp -- -noshell", "none"),
        ("beam.smp -- -proto_dist none -sname n", "open it has a name, and is to have no distribution"),
    ],
)
def test_a_node_without_distribution(directory: Path, words: str, said: str) -> None:
    assert judge(directory, words, "none") == said


@pytest.mark.parametrize("product", sorted(folder.name for folder in (ROLES / "product" / "products").iterdir()))
def test_the_last_words_of_every_drop_in_are_the_environment_and_the_guard(product: str) -> None:
    data = yaml.safe_load((ROLES / "product" / "products" / product / "vars.yml").read_text(encoding="utf-8"))["__beam_product"]
    host = {"firewall": {"backend": "nftables"}, "epmd": {"listen": ["127.0.0.1", "10.0.0.1"]}}
    values = {
        "__beam_node": {"node": "x@n1", "name": "x", "unit": "x.service", "directory": "/etc/beam/x@n1", "ports": {"first": 9100, "last": 9109}},
        "__beam_service_product": data,
        "__beam_service_digest": "d",
        "beam_plan": {"hosts": {"n1": host}},
        "inventory_hostname": "n1",
        "beam_service_directives": ["EnvironmentFile=/etc/mine", "ExecStartPre="],
        "beam_service_restart_seconds": 5,
        "beam_service_crash_dump_directory": "",
    }
    lines = [line for line in render(ROLES / "service" / "templates", "node.service.conf", values).splitlines() if line and line[0] != "#"]
    assert lines[-2:] == ["EnvironmentFile=/etc/beam/x@n1/unit.env", "ExecStartPre=/etc/beam/guard start x.service /etc/beam/x@n1"]
    assert ("SocketBindAllow=tcp:9100-9109" in lines) == (product == "erlang")
    (unset,) = (line for line in lines if line.startswith("UnsetEnvironment="))
    names = unset.partition("=")[2].split()
    # What is taken out of the environment is refused by the guard if it comes back, and named by the plan before it is lost.
    guard = (ROLES / "service" / "files" / "guard").read_text(encoding="utf-8")
    (refused,) = re.findall(r"env \| sed -n 's/\^\\\((.*)\\\)=", guard)
    for name in names:
        assert re.fullmatch(refused.replace("\\|", "|"), name), name
        assert VARIABLE.fullmatch(name) or name in VARIABLES, name
    environment = render(ROLES / "service" / "templates", "unit.env", values).splitlines()
    assert "ERL_AFLAGS=-args_file /etc/beam/x@n1/vm.args" in environment and "ERL_EPMD_ADDRESS=127.0.0.1,10.0.0.1" in environment


def test_the_sum_of_the_flags_is_in_the_file(directory: Path) -> None:
    """As the role distribution renders it, on which the guard insists."""
    values = {
        "__beam_node": {
            "node": "x@n1", "directory": str(directory), "inet_tuple": "{10,0,0,1}", "ports": {"first": 1, "last": 2}, "hidden": False, "kernel": {}
        },
        "__beam_distribution_product": {"cookie_placeholder": True}, "__beam_distribution_off": False, "__beam_distribution_port": "",
        "beam_distribution_extra_args": ["+P 1000000"],
        "beam_plan": {"proto_dist": "inet_tls", "tls": True, "name_type": "short", "address_family": 4},
    }  # fmt: skip
    (directory / "vm.args").write_text(render(ROLES / "distribution" / "templates", "vm.args.with_sum", values), encoding="utf-8")
    assert start(directory, ERL_AFLAGS=f"-args_file {directory}/vm.args") == (0, "")


# What systemd says of the unit and of its watcher, and what it is asked to stop.
SYSTEMCTL = """#!/bin/sh
case $* in
*--property=Slice*) echo system.slice ;;
*ExecStart\\ *) echo "{{ path=/bin/bash ; argv[]=/bin/bash {guard} watch beam.service $(cat {root}/directory) ; ignore_errors=no ; pid=1 }}" ;;
*DropInPaths*)
    echo "DropInPaths=/etc/systemd/system/beam.service.d/zzz-beam.conf"
    echo "EnvironmentFiles=$(cat {root}/directory)/unit.env (ignore_errors=no)"
    touch {root}/asked
    echo "ExecStartPre={{ argv[]=/etc/beam/guard start beam.service $(cat {root}/directory) ; }}"
    ;;
*ActiveState*) echo active ;;
*stop*) echo "$*" >> {root}/stopped ;;
esac
"""


WRITTEN_DOWN = ("beam.service", "a b.conf", 'c\\"d.conf', "e.conf", "unit.env")


def recorded(tmp_path: Path, state: str, status: int = 0, silent: str = "") -> str:
    """What the guard has written down of a unit in a state; one of its optional files is not there. silent: what systemd does not say."""
    text = GUARD.read_text(encoding="utf-8")
    functions = text[text.index("unit_files() {") : text.index("\n}\n", text.index("record() {")) + 3]
    for name in WRITTEN_DOWN:
        (tmp_path / name).touch()
    shown = f"EnvironmentFiles={tmp_path}/none.env (ignore_errors=yes)\nEnvironmentFiles={tmp_path}/unit.env (ignore_errors=no)\n"
    # As systemd 252 to 262 print it.
    drop_ins = f'"{tmp_path}/a b.conf" {tmp_path}/none.conf "{tmp_path}/c\\\\\\"d.conf" {tmp_path}/e.conf'
    answers = {"ActiveState": state, "FragmentPath": f"{tmp_path}/beam.service", "DropInPaths": drop_ins, "EnvironmentFiles": shown.strip()}
    said = {name: "return 1" if name == silent else f"printf '%s\\n' '{text}'" for name, text in answers.items()}
    cases = " ".join(f"*{name}*) {command} ;;" for name, command in said.items())
    systemctl = f"systemctl() {{ case $* in {cases} esac; }}"
    run = tmp_path / "run"
    run.mkdir(exist_ok=True)
    environment = {**os.environ, "RUNTIME_DIRECTORY": str(run)}
    done = subprocess.run(["sh", "-c", f"unit=beam.service\n{systemctl}\n{functions}record"], env=environment, timeout=30, check=False)
    assert done.returncode == status
    return (run / "files").read_text(encoding="utf-8") if (run / "files").exists() else ""


def test_it_writes_down_the_files_of_a_unit_that_starts(tmp_path: Path) -> None:
    assert recorded(tmp_path, "active") == ""
    assert recorded(tmp_path, "inactive").splitlines() == [f"{tmp_path}/{name}" for name in WRITTEN_DOWN]
    (tmp_path / "run/files").write_text("kept", encoding="utf-8")
    assert recorded(tmp_path, "active") == "kept", "systemctl start of a unit that runs"
    assert recorded(tmp_path, "activating") != "kept"


@pytest.mark.parametrize("silent", ["FragmentPath", "DropInPaths", "EnvironmentFiles"])
def test_half_an_answer_of_systemd_is_no_list(tmp_path: Path, silent: str) -> None:
    assert recorded(tmp_path, "inactive", status=1, silent=silent) == ""


def test_no_start_depends_on_what_it_writes_down(tmp_path: Path) -> None:
    """A full file system: half a list is none, and an old one is gone."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/files").write_text("old", encoding="utf-8")
    (tmp_path / "run/files.new").symlink_to("/dev/full")
    assert recorded(tmp_path, "inactive", status=1) == ""
    assert "    record || :\n" in GUARD.read_text(encoding="utf-8")


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Path]:
    """A watcher of a unit that does not run yet, in a systemd and a tree of control groups of its own. Yields their root."""
    guard = tmp_path / "guard"
    text = GUARD.read_text(encoding="utf-8")
    assert "PATH=/usr/sbin" in text and " /sys/fs/cgroup " in text
    guard.write_text(text.replace("PATH=/usr/sbin", f"PATH={tmp_path}:/usr/sbin").replace(" /sys/fs/cgroup ", f" {tmp_path} "), encoding="utf-8")
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(SYSTEMCTL.format(guard=guard, root=tmp_path), encoding="utf-8")
    systemctl.chmod(0o755)
    (tmp_path / "directory").write_text(str(tmp_path / "old"), encoding="utf-8")
    (tmp_path / "run").mkdir()
    process = subprocess.Popen(
        ["bash", str(guard), "watch", "beam.service", str(tmp_path / "old")], env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path / "run")},
    )
    yield tmp_path
    process.kill()
    process.wait()


def runs(watcher: Path) -> None:
    """The unit starts, the watcher looks at it, and it stops. Again, where the watcher has not seen that it had stopped before."""
    group, asked = watcher / "system.slice" / "beam.service", watcher / "asked"
    asked.unlink(missing_ok=True)
    for _turn in range(100):
        group.mkdir(parents=True)
        (group / "cgroup.procs").write_text("", encoding="ascii")
        time.sleep(0.6)
        (group / "cgroup.procs").unlink()
        group.rmdir()
        time.sleep(0.2)
        if asked.exists():
            return
    raise AssertionError("the watcher did not look at the unit")


def test_a_watcher_looks_at_each_start_with_what_its_unit_says_then(watcher: Path) -> None:
    """A restart of the node does not restart its watcher, and the run that restarts it may have given it another name."""
    runs(watcher)
    assert not (watcher / "stopped").exists()
    (watcher / "directory").write_text(str(watcher / "new"), encoding="utf-8")
    runs(watcher)
    assert not (watcher / "stopped").exists()


def test_a_watcher_stops_a_unit_without_its_drop_in(watcher: Path) -> None:
    runs(watcher)
    systemctl = watcher / "systemctl"
    systemctl.write_text(systemctl.read_text(encoding="utf-8").replace("zzz-beam", "other"), encoding="utf-8")
    runs(watcher)
    assert "stop -- beam.service" in (watcher / "stopped").read_text(encoding="utf-8")


def test_a_script_with_the_name_of_a_vm_that_becomes_one_is_looked_at_again(watcher: Path) -> None:
    """`exec` keeps the number of the process: what was said of the script is not true of the VM."""
    systemctl = watcher / "systemctl"
    systemctl.write_text(systemctl.read_text(encoding="utf-8").replace("echo active", "echo activating"), encoding="utf-8")
    (watcher / "old").mkdir()
    (watcher / "old" / "vm.args").write_text(FLAGS.format(carrier="inet_tls"), encoding="utf-8")
    for name, then in (("beam_run", f"sleep 2; exec {watcher}/beam.smp -sname open"), ("beam.smp", "sleep 60")):
        (watcher / name).write_text(f"#!/bin/sh\n{then}\n", encoding="utf-8")
        (watcher / name).chmod(0o755)
    group = watcher / "system.slice" / "beam.service"
    group.mkdir(parents=True)
    with subprocess.Popen([watcher / "beam_run"]) as process:
        (group / "cgroup.procs").write_text(f"{process.pid}\n", encoding="ascii")
        try:
            assert process.wait(40) == -signal.SIGKILL
        finally:
            process.kill()
    assert "stop -- beam.service" in (watcher / "stopped").read_text(encoding="utf-8")


def test_a_proc_that_hides_processes_hides_none_from_the_watcher() -> None:
    """With hidepid and gid= root sees processes of others only as CAP_SYS_PTRACE. Nothing else of the guard looks at one."""
    functions = re.split(r"^(\w+)\(\) \{$", GUARD.read_text(encoding="utf-8"), flags=re.MULTILINE)
    looking = [name for name, body in zip(functions[1::2], functions[2::2]) if "/proc/" in body]
    assert looking == ["scan"]
    unit = (ROLES / "service" / "templates" / "watch.service.j2").read_text(encoding="utf-8")
    assert re.search(r"^CapabilityBoundingSet=.*\bCAP_SYS_PTRACE\b", unit, re.MULTILINE) and "ProtectProc=" not in unit
