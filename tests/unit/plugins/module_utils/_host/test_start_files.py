# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VM reads when it starts, and who can change it: made-up files, and a real erl."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import process_hardening, start_files, units

Make = Callable[[str, str], str]


@pytest.fixture
def tmp_path(place_of_root: Path) -> Path:
    return place_of_root


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(name: str, text: str = "") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return made


def looked_at(monkeypatch: pytest.MonkeyPatch, arguments: str, directory: str = "", traces: tuple[str, ...] = (), **variables: str) -> set[str]:
    """The files that are looked at, of those that exist."""
    monkeypatch.setattr(start_files, "who", lambda path, inside="": {"evil"} if os.path.lexists(path) else set())
    found = start_files.describe(["beam.smp", *arguments.split()], variables, traces=traces, directory=directory)
    assert found is not None
    return {str(one["path"]) for one in found}


def test_configuration_and_what_it_includes(monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path) -> None:
    wanted = {
        make("sys.config", f'[{{kernel, [{{a, 1}}]}}, "{tmp_path}/second", "third.config"].\n'),
        make("second.config", "[]."),
        make("third.config", "[]."),
        make("other.config", '[{app, [{text, "no file"}]}].'),
    }
    assert looked_at(monkeypatch, f"-config {tmp_path}/sys {tmp_path}/other.config") == wanted


def test_a_configuration_that_is_not_understood_leaves_all_unknown(make: Make, tmp_path: Path) -> None:
    make("sys.config", "[{kernel, [")
    assert start_files.describe(["beam.smp", "-config", f"{tmp_path}/sys"], {}) is None
    assert start_files.describe([], {}) is None


def test_argument_files_of_variables_and_those_that_they_name(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    inner = make("inner.args", "-sname a")
    outer = make("outer.args", f"-kernel a b\n-args_file {inner}\n")
    assert looked_at(monkeypatch, "-root /none", ERL_ZFLAGS=f"-args_file {outer}") == {outer, inner}
    assert looked_at(monkeypatch, "-root /none", ERL_OTP27_FLAGS=f"-args_file '{inner}'") == {inner}
    assert looked_at(monkeypatch, "-root /none", ERL_OTHER=f"-args_file {outer}") == set()


def test_boot_file_code_and_names(monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path) -> None:
    boot, resolver, options, code = make("root/bin/x.boot", ""), make("inetrc", ""), make("dist.conf", ""), make("ebin/a.beam", "")
    arguments = f"-root {tmp_path}/root -boot x -kernel inetrc \"{resolver}\" -ssl_dist_optfile {options} -pa {tmp_path}/ebin relative"
    assert looked_at(monkeypatch, arguments) == {boot, resolver, options, os.path.dirname(code)}
    # init takes the one of the working directory first.
    own = make("work/x.boot", "")
    assert own in looked_at(monkeypatch, arguments, directory=f"{tmp_path}/work")
    libraries = make("libs/app/ebin/a.beam", "")
    assert looked_at(monkeypatch, "-noshell", ERL_LIBS=f"{tmp_path}/libs:relative") == {libraries.partition("/app/")[0]}


def test_the_files_of_a_release(monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path) -> None:
    names = ("COOKIE", "start_erl.data", "1.0/vm.args", "1.0/sys.config", "1.0/env.sh")
    wanted = {make("bin/app", ""), *(make(f"releases/{name}", "") for name in names)}
    make("lib/app-1.0/ebin/a.beam", "")
    assert looked_at(monkeypatch, f"-root {tmp_path}") == wanted
    (tmp_path / "releases/1.0/vm.args").unlink()
    (tmp_path / "releases/1.0/sys.config").unlink()
    assert looked_at(monkeypatch, f"-root {tmp_path}") == set(), "an installation of OTP has no such files"
    args = make("elsewhere/vm.args", "")
    assert looked_at(monkeypatch, "-noshell", RELEASE_VM_ARGS=args) == {args}


def test_files_of_products_say_so(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    env = make("rabbitmq-env.conf", "")
    monkeypatch.setitem(start_files.OF_PRODUCTS, "rabbitmq", (env,))
    monkeypatch.setattr(start_files, "who", lambda path, inside="": {"rabbitmq"})
    assert start_files.describe(["beam.smp"], {}, traces=("rabbitmq",)) == [{"path": env, "by": ["rabbitmq"], "product": True, "changed": False}]


def since(monkeypatch: pytest.MonkeyPatch, began: float, arguments: str = "", **more: Any) -> set[str]:
    """The files that changed since a VM began."""
    monkeypatch.setattr(start_files, "who", lambda path, inside="": set())
    found = start_files.describe(["beam.smp", *arguments.split()], more.pop("variables", {}), began=began, **more)
    assert found is not None and all(one["changed"] for one in found)
    return {str(one["path"]) for one in found}


def test_files_that_changed_since_the_vm_read_them(monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path) -> None:
    read = {make("sys.config", "[]."), make("x.args", ""), make("inetrc", ""), make("conf.d/a.conf", ""), make("env.conf", "")}
    ours = make("conf.d/b.conf", "# Managed by beam.cluster (role product).")
    monkeypatch.setitem(start_files.OF_PRODUCTS, "rabbitmq", (f"{tmp_path}/conf.d/*.conf", f"{tmp_path}/env.conf"))
    arguments = f"-config {tmp_path}/sys -args_file {tmp_path}/x.args -kernel inetrc \"{tmp_path}/inetrc\" -pa {tmp_path}"
    now = time.time()
    assert since(monkeypatch, now + 5, arguments, traces=("rabbitmq",)) == set()
    assert since(monkeypatch, now - 60, arguments, traces=("rabbitmq",)) == read, "no directory, and none of ours: planned-files compares those"
    assert ours not in since(monkeypatch, now - 60, arguments, traces=("rabbitmq",))
    # Whatever time somebody gave them: the inode knows when that was.
    for path in read:
        os.utime(path, (0, 0))
    assert since(monkeypatch, now - 60, arguments, traces=("rabbitmq",)) == read


def test_files_that_a_start_itself_writes(monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path) -> None:
    """A start script of relx writes vm.args and sys.config, mix release its copy of sys.config."""
    for name in ("home/sys.config", "root/tmp/sys.config"):
        make(name, "[].")
    arguments = f"-root {tmp_path}/root -home {tmp_path}/home -config {tmp_path}/home/sys {tmp_path}/root/tmp/sys"
    own = {f"{tmp_path}/home/sys.config", f"{tmp_path}/root/tmp/sys.config"}
    assert since(monkeypatch, time.time() - 60, arguments, user=os.geteuid()) == set()
    assert since(monkeypatch, time.time() - 60, arguments, user=os.geteuid() + 1) == own, "somebody else wrote them"
    written = make("t/sys.config", "[].")
    more: dict[str, Any] = {"variables": {"RELEASE_TMP": f"{tmp_path}/t"}}
    assert since(monkeypatch, time.time() - 60, f"-config {written}", user=os.geteuid()) == {written}
    assert since(monkeypatch, time.time() - 60, f"-config {written}", user=os.geteuid(), **more) == set()


def test_what_the_plan_reads_of_products_is_looked_at() -> None:
    yaml = pytest.importorskip("yaml")
    for path in (Path(__file__).resolve().parents[5] / "roles/product/products").glob("*/vars.yml"):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))["__beam_product"]
        assert {one["path"] for one in data.get("settings", ())} <= set(start_files.OF_PRODUCTS.get(data["kind"], ())), path


def test_files_of_a_unit_that_changed_since_it_started(monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path) -> None:
    monkeypatch.setattr(start_files, "who", lambda path, inside="": set())
    old, new, ours = make("a.conf", ""), make("b.conf", ""), make("zzz-beam.conf", "# Managed by beam.cluster (role service).")
    variables = make("unit.env", "")
    monkeypatch.setattr(start_files, "RUN", str(tmp_path))
    make("beam-guard-beam/files", "")
    unit = {"id": "beam.service", "fragment": old, "program": None, "drop_ins": [new, ours], "environment_files": [f"-{variables}"]}
    assert start_files.of_unit(unit, began=time.time() + 5) == []
    assert start_files.of_unit(unit, began=None) == []
    found = start_files.of_unit(unit, began=time.time() - 60)
    assert found is not None and {str(one["path"]) for one in found if one["changed"]} == {old, new, variables}


def test_who_can_change_a_file(monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path) -> None:
    path = make("a/b/file", "")
    owned = {f"{tmp_path}/a": frozenset({"alice"}), path: frozenset({"group adm"})}
    monkeypatch.setattr(start_files, "writers", lambda place: owned.get(place, frozenset()))
    assert start_files.who(path) == {"alice", "group adm"}
    assert start_files.who(f"{path}.missing") == set()
    unit = {"fragment": path, "program": None, "drop_ins": [], "environment_files": [f"-{tmp_path}/a/b/*"]}
    assert start_files.of_unit(unit) == [{"path": path, "by": ["alice", "group adm"], "changed": False}] * 2


def test_a_directory_of_path_that_others_can_write(monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path) -> None:
    make("bin/sed", "")
    open_ = {f"{tmp_path}/bin": frozenset({"alice"}), "/usr/local/bin": frozenset({"group staff"})}
    monkeypatch.setattr(start_files, "writers", lambda place: open_.get(place, frozenset()))
    variables = {"PATH": f"{tmp_path}/bin:/usr/local/bin:/usr/bin:."}
    assert start_files.describe(["beam.smp", "-root", "/none"], variables) == [{"path": f"{tmp_path}/bin", "by": ["alice"]}]
    open_["/usr/local/bin"] = frozenset({"group staff", "everybody"})
    assert {"path": "/usr/local/bin", "by": ["everybody"]} in (start_files.describe(["beam.smp", "-root", "/none"], variables) or [])


def test_all_commands_of_a_unit_count_and_the_scripts_that_they_name(monkeypatch: pytest.MonkeyPatch, make: Make, tmp_path: Path) -> None:
    hook, script = make("hook", ""), make("script.sh", "")
    text = "\n".join(
        (
            "Id=beam.service",
            "ExecStart={ path=/bin/true ; argv[]=/bin/true ; ignore_errors=no ; start_time=[n/a] }",
            f"ExecStartPre={{ path={hook} ; argv[]={hook} --all ; ignore_errors=no ; start_time=[n/a] }}",
            f"ExecStop={{ path=/bin/sh ; argv[]=/bin/sh {script} ; ignore_errors=no ; start_time=[n/a] }}",
        )
    )
    monkeypatch.setattr(start_files, "who", lambda path, inside="": {"alice"} if path.startswith(str(tmp_path)) else set())
    found = units.parse(text)["beam.service"]["start_files"]
    assert found == [{"path": hook, "by": ["alice"], "changed": False}, {"path": script, "by": ["alice"], "changed": False}]


def test_a_crash_dump_is_read_by_the_group_that_may_enter_its_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    variables = {"ERL_CRASH_DUMP": f"{tmp_path}/erl_crash.dump".encode()}
    nobody: set[str] = set()
    cases = (({"alice"}, {"alice"}, "shared"), ({"alice"}, nobody, "private"), ({"everybody"}, nobody, "shared"), (nobody, {"bob"}, "private"))
    for entitled, group, found in cases:
        monkeypatch.setattr(process_hardening, "entering", lambda directory, now=entitled: set(now))
        monkeypatch.setattr(process_hardening, "members", lambda gid, now=group: frozenset(now))
        assert process_hardening.crash_dump(variables, "", "/proc/self") == found


@pytest.mark.skipif(shutil.which("erl") is None, reason="needs erl")
def test_a_real_vm_and_its_groups(tmp_path: Path, make: Make) -> None:
    args, configuration = make("inner.args", "-hidden\n"), make("sys.config", "[].")
    for path in (args, configuration):
        os.chmod(path, 0o666)
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "ERL_ZFLAGS": f"-args_file {args}", "ERL_CRASH_DUMP_SECONDS": "0"}
    command = ["erl", "-noinput", "-config", f"{tmp_path}/sys", "-eval", 'io:format("up~n").']
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as vm:
        try:
            assert vm.stdout is not None and vm.stdout.readline() == "up\n"
            until = time.monotonic() + 60
            said = process_hardening.describe(vm.pid)
            while said["start_files"] is None and time.monotonic() < until:
                time.sleep(0.2)
                said = process_hardening.describe(vm.pid)
            listed = said["start_files"]
            assert isinstance(listed, list) and {one["path"] for one in listed if one["by"]} >= {args, configuration}
            assert not [one["path"] for one in listed if one["changed"]]
            time.sleep(max(0.0, 2.5 - (time.time() - os.stat(args).st_ctime)))
            make("inner.args", "-hidden -sname x\n")
            listed = process_hardening.describe(vm.pid)["start_files"]
            assert isinstance(listed, list) and [one["path"] for one in listed if one["changed"]] == [args]
            assert said["groups"]
        finally:
            vm.kill()


# -- files that are gone ---------------------------------------------------------------------------------------------------------------------------


def missing(arguments: str, **variables: str) -> set[str]:
    found = start_files.describe(["beam.smp", *arguments.split()], variables, began=time.time())
    assert found is not None
    return {str(one["path"]) for one in found if one.get("missing")}


@pytest.mark.parametrize(
    ("arguments", "variables", "name"),
    [
        ("-config {0}/sys", {}, "sys.config"),
        ("-config {0}/sys.config", {}, "sys.config"),
        ("-ssl_dist_optfile {0}/dist.conf", {}, "dist.conf"),
        ("-kernel inetrc '{0}/inetrc'", {}, "inetrc"),
        ("-boot {0}/start", {}, "start.boot"),
        ("-args_file {0}/x.args", {}, "x.args"),
        ("-root /none", {"ERL_ZFLAGS": "-args_file {0}/outer.args"}, "outer.args"),
        ("-root /none", {"RELEASE_VM_ARGS": "{0}/vm.args"}, "vm.args"),
    ],
)
def test_a_named_file_that_is_gone_is_named(make: Make, tmp_path: Path, arguments: str, variables: dict[str, str], name: str) -> None:
    path = make(name, "[]." if name.endswith(".config") else "")
    words, given = arguments.format(tmp_path), {key: value.format(tmp_path) for key, value in variables.items()}
    assert missing(words, **given) == set()
    os.unlink(path)
    assert missing(words, **given) == {path}


def test_a_file_that_an_argument_file_names_and_one_that_a_configuration_names(make: Make, tmp_path: Path) -> None:
    make("outer.args", f"-args_file {tmp_path}/inner.args")
    assert missing("-root /none", ERL_FLAGS=f"-args_file {tmp_path}/outer.args") == {f"{tmp_path}/inner.args"}
    make("sys.config", '["more"].')
    assert missing(f"-config {tmp_path}/sys") == {f"{tmp_path}/more.config"}


def test_what_a_start_script_of_a_release_wrote_and_removed_is_not_missing(tmp_path: Path) -> None:
    """Elixir's config providers can remove the configuration after the start."""
    assert missing(f"-root {tmp_path} -config {tmp_path}/tmp/app.runtime") == set()


def test_a_file_in_the_home_that_is_gone_is_named(tmp_path: Path) -> None:
    assert missing(f"-home {tmp_path} -config {tmp_path}/sys") == {f"{tmp_path}/sys.config"}
    assert missing("-root /none", HOME=str(tmp_path), RELEASE_TMP=f"{tmp_path}/run", RELEASE_VM_ARGS=f"{tmp_path}/run/vm.args") == set()


def test_directories_of_code_need_not_be_there(tmp_path: Path) -> None:
    assert missing(f"-pa {tmp_path}/none -boot start_clean", ERL_LIBS=f"{tmp_path}/none", RABBITMQ_CONFIG_FILE=f"{tmp_path}/none") == set()


def test_an_environment_file_and_a_unit_that_are_gone(make: Make, tmp_path: Path) -> None:
    unit, drop_in, present = make("a.service", ""), make("a.conf", ""), make("here.env", "")
    shown = {"fragment": unit, "drop_ins": [drop_in], "environment_files": [f"-{tmp_path}/optional.env", f"{tmp_path}/needed.env", present]}

    def gone() -> set[str]:
        return {str(one["path"]) for one in start_files.of_unit(shown) or () if one.get("missing")}

    assert gone() == {f"{tmp_path}/needed.env"}
    os.unlink(unit)
    os.unlink(drop_in)
    assert gone() == {f"{tmp_path}/needed.env", unit, drop_in}


def test_a_drop_in_that_was_removed_since_the_unit_started(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_files, "RUN", str(tmp_path))
    unit, ours, other = make("beam.service", ""), make("zzz-beam.conf", ""), make("aa.conf", "")
    shown = {"id": "beam.service", "fragment": unit, "drop_ins": [ours], "environment_files": []}

    def gone(began: float | None) -> object:
        found = start_files.of_unit(shown, began=began)
        return None if found is None else {str(one["path"]) for one in found if one.get("missing")}

    assert gone(time.time() + 9) is None, "which files it was started with is not known"
    assert gone(None) == set(), "it does not run"
    make("beam-guard-beam/files", f"{unit}\n{other}\n{ours}\n")
    assert gone(time.time() + 9) == set()
    os.unlink(other)
    assert gone(time.time() + 9) == {other}
    shown["drop_ins"] = []
    assert gone(time.time() + 9) == set(), "no guard of ours looks at it"
    shown |= {"id": "epmd.service", "drop_ins": [ours]}
    assert gone(time.time() + 9) == set(), "EPMD has our drop-in and no guard"


def test_a_file_of_a_directory_of_configuration_that_was_removed(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(make("conf.d/90-x.conf", ""))
    monkeypatch.setattr(start_files, "OF_PRODUCTS", {"rabbitmq": (f"{path.parent}/*.conf",)})

    def changed(began: float) -> list[str]:
        found = start_files.describe(["beam.smp", "-root", "/none"], {}, traces=("rabbitmq",), began=began)
        assert found is not None
        return [str(one["path"]) for one in found if one.get("changed")]

    long_ago = time.time() - 3600
    assert changed(long_ago) == [str(path)], "a new file is named itself"
    path.unlink()
    assert changed(long_ago) == [str(path.parent)]
    assert changed(time.time() + 60) == []
