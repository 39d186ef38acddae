# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the unit of a release does before each start: whatever was deployed, it cannot undo how the node is connected."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.module_utils._model.reserved_flags import FLAGS
from rendering import render

ROLES = Path(__file__).resolve().parents[2] / "roles"
PRODUCTS = ROLES / "product" / "products"
REFUSED = list(FLAGS)


class Release:
    """A node's files and a deployed release, without a VM: what would be started is a script that shows what it was given."""

    def __init__(self, folder: Path, kind: str, mode: str = "cluster", product: str = "release") -> None:
        self.root = folder / "opt"
        self.version = self.root / "releases" / "1.0.0"
        self.home = folder / "home"
        self.directory = folder / "etc"
        self.script = self.directory / "release"
        for made in (self.version, self.root / "bin", self.root / "erts-15.2", self.root / "lib" / "ssl-11.2", self.home, self.directory):
            made.mkdir(parents=True)
        (self.root / "releases" / "start_erl.data").write_text("15.2 1.0.0", encoding="utf-8")
        mark = "cat releases/start_erl.data" if kind == "mix" else "RELEASE_ROOT_DIR=/x"
        (self.root / "bin" / "shop").write_text(f'#!/bin/sh\n# {mark}\necho "$*"; env\n', encoding="utf-8")
        (self.root / "bin" / "shop").chmod(0o755)
        (self.root / "bin" / "server").write_text("#!/bin/sh\nexec ./shop start\n", encoding="utf-8")
        (self.root / "bin" / "Shop.bat").write_text("releases/start_erl.data", encoding="utf-8")
        (self.version / "vm.args").write_text("# a comment -proto_dist\n+Q 65536\n-sname shop\n-setcookie s3cret\n-env A b\n", encoding="utf-8")
        if kind == "mix":
            (self.version / "elixir").touch()
            (self.version / "env.sh").write_text("# nothing\n", encoding="utf-8")
        values = {
            "__beam_node": {
                "node": "shop@n1", "user": getpass.getuser(), "unit": "shop.service", "home": str(self.home), "directory": str(self.directory)
            },
            "__beam_product_root": str(self.root),
            "__beam_product_data": yaml.safe_load((PRODUCTS / product / "vars.yml").read_text(encoding="utf-8"))["__beam_product"],
            "__beam_product_reserved_flags": REFUSED,
            "beam_plan": {"mode": mode, "name_type": "short"},
        }
        for name in ("release.sh", "release.env"):
            (self.directory / name.removesuffix(".sh")).write_text(render(PRODUCTS / "release" / "templates", name, values), encoding="utf-8")
        (self.directory / "placeholder.env").write_text("RELEASE_COOKIE=drawn\nRELX_COOKIE=drawn\n", encoding="utf-8")
        self.script.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "ERL_AFLAGS": "-args_file /etc/beam/shop@n1/vm.args", **environment}
        return subprocess.run([str(self.script), *arguments], env=environment, capture_output=True, text=True, timeout=30, check=False)

    def flags(self) -> list[str]:
        return (self.home / "release.args").read_text(encoding="utf-8").splitlines()[1:]


@pytest.mark.parametrize(("kind", "name"), [("mix", []), ("relx", ["-sname shop@n1"])])
def test_flags_are_the_releases_own_without_those_that_are_ours(tmp_path: Path, kind: str, name: list[str]) -> None:
    """mix release gets its name from the environment, relx reads it in this file."""
    release = Release(tmp_path, kind)
    done = release.run("prepare")
    assert done.returncode == 0, done.stderr
    assert release.flags() == ["+Q 65536", "-env A b", *name, f"-args_file {release.directory}/join.args"]
    assert "-sname" in done.stderr and "-setcookie" in done.stderr and "s3cret" not in done.stderr


@pytest.mark.parametrize("word", REFUSED)
@pytest.mark.parametrize("line", ["{}", "{} x", "+A 3 {} x", "-kernel {} x", "\t'{}' x", "-kernel\t{}\tx # why"])
def test_no_flag_that_is_ours_gets_through(tmp_path: Path, word: str, line: str) -> None:
    release = Release(tmp_path, "mix")
    (release.version / "vm.args").write_text(line.format(word) + "\n+K true\n", encoding="utf-8")
    assert release.run("prepare").returncode == 0
    # A flag of the operator's before it on its line stays.
    assert release.flags()[:-1] == ["+A 3"] * line.startswith("+A") + ["+K true"]


@pytest.mark.parametrize(
    ("text", "kept", "said"),
    [
        ("-setcookie\n  s3cret\n+K true\n", ["+K true"], "line 1: -setcookie"),
        ("+P 5000 # no -name here\n", ["+P 5000"], ""),
        ("+P 5000 -name x\n  +A 3\n", ["+P 5000", "+A 3"], "line 1: -name"),
        ("-kernel a 1 inet_dist_listen_min 9 b 2\n", ["-kernel a 1 b 2"], "line 1: inet_dist_listen_min"),
        ("-kernel inet_dist_listen_min\n 9\n", [], "line 1: inet_dist_listen_min"),
        ("-env A 'x  # y'\n", ["-env A 'x  # y'"], ""),
        ("-eval 'io:format(\"a b\")' # why\n", ["-eval 'io:format(\"a b\")'"], ""),
        ("-heart\n-smp\n", ["-heart", "-smp"], ""),
    ],
)
def test_a_flag_is_left_out_with_its_values_and_named_with_its_line(tmp_path: Path, text: str, kept: list[str], said: str) -> None:
    release = Release(tmp_path, "mix")
    (release.version / "vm.args").write_text(text, encoding="utf-8")
    done = release.run("prepare")
    assert release.flags()[:-1] == kept
    assert said in done.stderr and "s3cret" not in done.stderr


def test_relx_fills_in_variables_itself(tmp_path: Path) -> None:
    release = Release(tmp_path, "relx")
    (release.version / "vm.args.src").write_text("-sname ${NAME}\n+P ${PROCESSES}\n", encoding="utf-8")
    assert release.run("prepare").returncode == 0
    assert (release.home / "release.args.src").read_text(encoding="utf-8").splitlines()[1] == "+P ${PROCESSES}"
    (release.version / "vm.args.src").unlink()
    assert release.run("prepare").returncode == 0
    assert not (release.home / "release.args.src").exists(), "what the release before had is gone"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("export RELEASE_NODE=other@127.0.0.1", "sets RELEASE_NODE and so undoes"),
        ('RELEASE_DISTRIBUTION="name"', "sets RELEASE_DISTRIBUTION and"),
        ("export RELEASE_COOKIE=s3cret", "sets RELEASE_COOKIE and"),
        ('export ERL_AFLAGS="-proto_dist inet6_tcp"', "sets ERL_AFLAGS and"),
        ("export ERL_ZFLAGS='-name x@y'", "sets ERL_ZFLAGS and"),
        ("unset ERL_AFLAGS", "sets ERL_AFLAGS and"),
        ("export ELIXIR_ERL_OPTIONS='+fnu -proto_dist inet_tcp'", "ELIXIR_ERL_OPTIONS (-proto_dist)"),
        ("RELEASE_NODE=x; RELEASE_VM_ARGS=y", "sets RELEASE_NODE RELEASE_VM_ARGS and"),
        ("HOME=/tmp", "sets HOME and"),
        ("exit 7", ""),
        ("false", ""),
    ],
)
def test_an_environment_that_undoes_ours_is_refused_by_name(tmp_path: Path, line: str, said: str) -> None:
    release = Release(tmp_path, "mix")
    with open(release.version / "env.sh", "a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    done = release.run("prepare")
    assert done.returncode != 0
    assert said in done.stderr and "s3cret" not in done.stderr
    assert not (release.home / "release.args").exists()


@pytest.mark.parametrize(
    "line",
    [
        "export ELIXIR_ERL_OPTIONS='+fnu'",
        'export RELEASE_NODE="${RELEASE_NODE:-shop@$(hostname)}"',
        "export DNS_CLUSTER_QUERY=$NOT_SET.internal",
        "case $RELEASE_COMMAND in start*) ulimit -n 1024 ;; esac",
    ],
)
def test_an_environment_of_the_applications_own_is_let_be(tmp_path: Path, line: str) -> None:
    release = Release(tmp_path, "mix")
    (release.version / "env.sh").write_text(line + "\n", encoding="utf-8")
    assert release.run("prepare").returncode == 0, release.run("prepare").stderr


def test_what_cannot_be_hardened_says_so(tmp_path: Path) -> None:
    release = Release(tmp_path, "mix")
    (release.root / "lib" / "ssl-11.2").rmdir()
    done = release.run("prepare")
    assert done.returncode == 1 and "has no ssl" in done.stderr
    (release.root / "erts-15.2").rmdir()
    assert release.run("prepare").returncode == 0, "it uses the host's"

    (release.root / "bin" / "shop").unlink()
    done = release.run("prepare")
    assert done.returncode == 1 and "there is no release in" in done.stderr


@pytest.mark.parametrize(("kind", "status"), [("mix", 0), ("relx", 1)])
def test_without_distribution(tmp_path: Path, kind: str, status: int) -> None:
    release = Release(tmp_path, kind, mode="off")
    done = release.run("prepare")
    assert done.returncode == status
    assert status == 0 or "cannot do without a name" in done.stderr
    assert "RELEASE_DISTRIBUTION=none" in (release.directory / "release.env").read_text(encoding="utf-8")


def test_a_tool_gets_a_tools_flags_and_no_cookie(tmp_path: Path) -> None:
    release = Release(tmp_path, "mix")
    done = release.run("rpc", "1 + 1", ERL_FLAGS="-name x", ERL_ZFLAGS="-name y", RELEASE_COOKIE="s3cret", RELEASE_NODE="other@n1")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "rpc 1 + 1"
    wanted = {f"ERL_AFLAGS=-args_file {release.directory}/tool.args", "RELEASE_NODE=shop@n1", f"HOME={release.home}"}
    assert wanted | {"RELEASE_COOKIE=drawn"} <= set(said)
    assert not any(line.startswith(("ERL_FLAGS=", "ERL_ZFLAGS=")) or "s3cret" in line for line in said)


@pytest.mark.parametrize("command", ["start", "start_iex", "daemon", "daemon_iex", "foreground", "console"])
def test_a_tool_starts_no_second_node(tmp_path: Path, command: str) -> None:
    done = Release(tmp_path, "mix").run(command)
    assert done.returncode == 1 and "systemctl start shop.service" in done.stderr


# As CouchDB 3 ships it, without its comments (rel/overlay/etc/vm.args); older ones have a -setcookie monster.
COUCHDB = """# a comment
-name couchdb@127.0.0.1
-setcookie monster
-kernel inet_dist_use_interface {127,0,0,1}
-kernel prevent_overlapping_partitions false
-kernel error_logger silent
-sasl sasl_error_logger false
+A 16
+Bd -noinput
-ssl session_lifetime 300
# -proto_dist couch
"""


def test_couchdb_keeps_its_own_flags_and_gets_its_name_from_us(tmp_path: Path) -> None:
    """Rendered, not run: what is left of its flags, and that a plain erl boots with them."""
    release = Release(tmp_path, "relx", product="couchdb")
    (release.root / "etc").mkdir()
    (release.root / "etc" / "vm.args").write_text(COUCHDB, encoding="utf-8")
    assert release.run("prepare").returncode == 0
    kept = ["-kernel error_logger silent", "-sasl sasl_error_logger false", "+A 16", "+Bd", "-noinput", "-ssl session_lifetime 300"]
    assert release.flags() == [*kept, "-sname shop@n1", f"-args_file {release.directory}/join.args"]
    assert f"COUCHDB_ARGS_FILE={release.home}/release.args" in (release.directory / "release.env").read_text(encoding="utf-8").splitlines()
    done = release.run("anything")
    assert done.returncode == 1 and "no tool" in done.stderr

    (release.directory / "join.args").write_text("# nobody\n", encoding="utf-8")
    booted = subprocess.run(
        ["erl", "-args_file", str(release.home / "release.args"), "-kernel", "start_distribution", "false", "-eval", "io:format(\"up\"), halt()."],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (booted.returncode, booted.stdout) == (0, "up"), booted.stderr


@pytest.mark.parametrize("line", ["exit 0", "exit 3", "exec true", "false", "export RELEASE_NODE=other@n1; exit 0", "(exit 1) || exec echo HOME"])
def test_a_file_that_ends_the_script_before_its_end(tmp_path: Path, line: str) -> None:
    """What it has set until then cannot be seen, and the release's own script would end there, too."""
    release = Release(tmp_path, "mix")
    (release.version / "env.sh").write_text(f"A=1\n{line}\n", encoding="utf-8")
    done = release.run("prepare")
    assert done.returncode == 1 and f"{release.version}/env.sh ends the script" in done.stderr, done


def test_a_file_that_returns(tmp_path: Path) -> None:
    release = Release(tmp_path, "mix")
    (release.version / "env.sh").write_text("return 0\nexit 1\n", encoding="utf-8")
    assert release.run("prepare").returncode == 0
    (release.version / "env.sh").write_text("export RELEASE_NODE=other@n1\nreturn 0\n", encoding="utf-8")
    assert "RELEASE_NODE" in release.run("prepare").stderr
