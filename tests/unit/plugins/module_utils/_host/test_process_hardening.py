# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How processes are confined: made-up files where the answer is known, and real programs and processes of this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import elf, process_hardening, system, tls_options
from ansible_collections.beam.cluster.plugins.module_utils._model.confinement_facts import FileOptions, Hardening, SystemFacts

COOKIE = b"0123456789abcdefghijklmnopqrstuvwxyz"


# -- processes --------------------------------------------------------------------------------------------------------------------------------


def test_this_process_is_described_and_typed() -> None:
    said = process_hardening.describe(os.getpid())
    facts = Hardening.parse(json.loads(json.dumps(said)))
    assert facts is not None and facts.no_new_privileges is not None and facts.seccomp is not None
    assert facts.switches == frozenset() and facts.server is None
    assert facts.replaced is False and facts.incoming == frozenset()


def test_a_process_that_has_ended_is_unknown_in_every_part() -> None:
    said = process_hardening.describe(4194303)
    assert {key for key, value in said.items() if value is not None} == set()


TRACED = """
import ctypes, subprocess, sys
libc = ctypes.CDLL(None)
libc.ptrace.argtypes = [ctypes.c_long] * 4
child = subprocess.Popen(["sleep", "60"])
print(child.pid, libc.ptrace(0x4206, child.pid, 0, 0), flush=True)
sys.stdin.read()
child.kill()
"""


def test_the_program_that_traces_a_process_has_a_name() -> None:
    assert process_hardening.describe(os.getpid())["traced_by"] == ""
    with subprocess.Popen([sys.executable, "-c", TRACED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tracer:
        assert tracer.stdin and tracer.stdout
        pid, failed = map(int, tracer.stdout.readline().split())
        said = process_hardening.describe(pid)["traced_by"]
        tracer.stdin.close()
    assert failed or str(said).startswith("python") and str(said).endswith(f"(pid {tracer.pid})")


def test_capabilities_have_names() -> None:
    assert process_hardening.capability_names(0) == []
    several = 1 << 10 | 1 << 21 | 1 << 40 | 1 << 41
    assert process_hardening.capability_names(several) == ["net_bind_service", "sys_admin", "checkpoint_restore", "cap_41"]
    assert len(process_hardening._CAPABILITIES) == 41, "CAP_LAST_CAP of Linux 5.9 and newer is 40"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("beam.smp -- -remsh a@b", ["remsh"]),
        ("beam.smp -- -mode embedded", ["embedded"]),
        ("beam.smp -- -mode interactive", []),
        ("epmd -relaxed_command_check -d -d", ["debug", "relaxed_command_check"]),
        ("epmd -daemon", []),
        ("beam.smp -extra -d", []),
    ],
)
def test_switches(arguments: str, found: list[str]) -> None:
    assert process_hardening.switches(arguments.split()) == found


@pytest.mark.parametrize(
    ("values", "cookie", "found"),
    [([b"a", b"x" + COOKIE], COOKIE, True), ([b"a"], COOKIE, False), ([b"beam"], b"beam", None)],
)
def test_the_cookie_in_an_environment(values: list[bytes], cookie: bytes, found: bool | None) -> None:
    assert process_hardening.in_environment(values, cookie) is found


def test_the_cookie_in_arguments() -> None:
    assert process_hardening.holds_one(b"erl_call\0-c\0" + COOKIE, [COOKIE])
    assert not process_hardening.holds_one(b"erl_call\0-c\0beam", [b"beam"])


def test_where_a_crash_dump_goes(tmp_path: Path) -> None:
    private, shared = tmp_path / "private", tmp_path / "shared"
    private.mkdir(mode=0o700)
    shared.mkdir()
    shared.chmod(0o755)
    cases: list[tuple[dict[str, bytes], str | None]] = [
        ({}, "default"),
        ({"ERL_CRASH_DUMP_SECONDS": b"0"}, "off"),
        ({"ERL_CRASH_DUMP_SECONDS": b"30"}, "default"),
        ({"ERL_CRASH_DUMP_BYTES": b"0"}, "off"),
        ({"ERL_CRASH_DUMP": b"/dev/null"}, "off"),
        ({"ERL_CRASH_DUMP": f"{private}/d".encode()}, "private"),
        ({"ERL_CRASH_DUMP": f"{shared}/d".encode()}, "shared"),
        ({"ERL_CRASH_DUMP": b"/nowhere/at/all/d"}, None),
    ]
    assert [process_hardening.crash_dump(variables, "", "/proc/self") for variables, _found in cases] == [found for _variables, found in cases]


def test_parameters_in_configuration_files(tmp_path: Path) -> None:
    text = "%{net_ticktime, 1}\n[{kernel, [{inet_dist_listen_min, 9100}, {net_ticktime, 60}, {connect_all, false}]},\n {app, [{password, \"x\"}]}].\n"
    (tmp_path / "sys.config").write_text(text)
    found = process_hardening.configured(["beam.smp", "--", "-config", f"{tmp_path}/sys"], "")
    assert found == {"inet_dist_listen_min": "9100", "net_ticktime": "60", "connect_all": "false"}
    assert process_hardening.configured(["beam.smp", "--", "-config", f"{tmp_path}/gone"], "") is None


def test_the_cookie_of_a_release(tmp_path: Path) -> None:
    assert process_hardening.release_cookie(str(tmp_path), COOKIE) == "none"
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases/COOKIE").write_bytes(COOKIE + b"\n")
    assert [process_hardening.release_cookie(str(tmp_path), cookie) for cookie in (COOKIE, b"x", None)] == ["used", "other", None]


# -- programs ---------------------------------------------------------------------------------------------------------------------------------


def test_protections_of_a_real_program() -> None:
    found = elf.protections(os.path.realpath(sys.executable))
    assert found is not None and {"nx", "relro"} <= set(found)


def test_what_is_no_program_has_no_protections(tmp_path: Path) -> None:
    for text in (b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(60)):
        (tmp_path / "p").write_bytes(text)
        assert elf.protections(str(tmp_path / "p")) in (None, [])
    assert elf.protections(str(tmp_path / "gone")) is None


@pytest.mark.skipif(not shutil.which("gcc"), reason="there is no compiler")
@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("-no-pie -Wl,-z,norelro -z execstack -fno-stack-protector", set()),
        ("-pie -fPIE -Wl,-z,relro,-z,now", {"pie", "relro", "now", "nx"}),
        ("-pie -fPIE -Wl,-z,relro,-z,lazy", {"pie", "relro", "nx"}),
        ("-no-pie -fstack-protector-all -Wl,-z,norelro", {"nx", "canary"}),
    ],
)
def test_protections_of_programs_that_were_built_so(flags: str, found: set[str], tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text("int main(void) { return 0; }\n")
    subprocess.run(["gcc", *flags.split(), "-o", str(tmp_path / "p"), str(tmp_path / "p.c")], check=True)
    assert set(elf.protections(str(tmp_path / "p")) or ()) == found


# -- TLS options ------------------------------------------------------------------------------------------------------------------------------

OPTIONS = """
[{server, [{certfile, "/c.pem"}, {verify, verify_peer}, {verify, verify_none}, {fail_if_no_peer_cert, true}, {versions, ['tlsv1.3', 'tlsv1.2']},
  {ciphers, "ECDHE-RSA-AES256-GCM-SHA384:AES256-SHA"}, {signature_algs, [{sha512, rsa}, rsa_pss_rsae_sha256]}, {password, "hunter2"}]},
 {client, [{verify, verify_none}, {ciphers, ["TLS_AES_256_GCM_SHA384"]}, keep_secrets]}].
"""


def test_options_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "ssl_dist.conf").write_text(OPTIONS)
    said = json.loads(json.dumps(tls_options.options_of(["beam.smp", "--", "-ssl_dist_optfile", f"{tmp_path}/ssl_dist.conf"], "")))
    assert said["options_read"] is True and "hunter2" not in repr(said)
    server, client = FileOptions.parse(said["server"]), FileOptions.parse(said["client"])
    assert server is not None and client is not None
    assert server.values == {"verify": "verify_none", "fail_if_no_peer_cert": "true"}, "of two the last one counts"
    assert {"password", "certfile"} <= server.names
    assert server.versions == ("tlsv1.3", "tlsv1.2")
    assert server.ciphers == ("ECDHE-RSA-AES256-GCM-SHA384", "AES256-SHA")
    assert server.algorithms == ("sha512_rsa", "rsa_pss_rsae_sha256")
    assert client.values == {"verify": "verify_none", "keep_secrets": "true"} and client.ciphers == ("TLS_AES_256_GCM_SHA384",)
    assert server.speaks_old_tls and not client.speaks_old_tls


def test_options_of_flags() -> None:
    arguments = "beam.smp -- -ssl_dist_opt server_verify verify_peer client_verify verify_none -ssl_dist_opt server_certfile /c.pem".split()
    said = tls_options.options_of(arguments, "")
    server, client = FileOptions.parse(said["server"]), FileOptions.parse(said["client"])
    assert server is not None and client is not None
    assert (server.values["verify"], client.values["verify"], "certfile" in server.names) == ("verify_peer", "verify_none", True)


@pytest.mark.parametrize(("given", "counts"), [("true false", "false"), ("false true", "true")])
def test_of_two_flags_the_last_one_counts(given: str, counts: str) -> None:
    first, last = given.split()
    for arguments in (
        ["beam.smp", "--", "-ssl_dist_opt", "server_fail_if_no_peer_cert", first, "server_fail_if_no_peer_cert", last],
        ["beam.smp", "--", "-ssl_dist_opt", "server_fail_if_no_peer_cert", first, "-ssl_dist_opt", "server_fail_if_no_peer_cert", last],
    ):
        server = FileOptions.parse(tls_options.options_of(arguments, "")["server"])
        assert server is not None and server.values == {"fail_if_no_peer_cert": counts}


@pytest.mark.parametrize("before", [True, False])
def test_flags_beside_a_file_are_not_taken_for_what_is_in_force(before: bool, tmp_path: Path) -> None:
    """OTP 25 does not take them, OTP 27 and 29 take those that the file does not set: what the file says is true of all."""
    (tmp_path / "f").write_text("[{server, [{verify, verify_none}]}, {client, []}].")
    file, more = ["-ssl_dist_optfile", f"{tmp_path}/f"], ["-ssl_dist_opt", "server_verify", "verify_peer", "client_cacertfile", "/ca.pem"]
    said = tls_options.options_of(["beam.smp", "--", *(more + file if before else file + more)], "")
    server, client = FileOptions.parse(said["server"]), FileOptions.parse(said["client"])
    assert server is not None and client is not None
    assert server.values == {"verify": "verify_none"} and client.names == frozenset()


@pytest.mark.parametrize("text", ["[{server, [{verify_fun, fun() -> ok end}]}].", "no terms", ""])
def test_a_file_with_more_than_literal_terms_is_not_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text(text)
    assert tls_options.options_of(["b", "-ssl_dist_optfile", f"{tmp_path}/f"], "") == {"server": None, "client": None, "options_read": False}


# -- the operating system ---------------------------------------------------------------------------------------------------------------------


def test_this_machine_is_described_and_typed(tmp_path: Path) -> None:
    (tmp_path / ".hosts.erlang").write_text("'n1'.\n")
    said = system.describe([str(tmp_path)], ["root"], [])
    facts = SystemFacts.parse(json.loads(json.dumps(said)))
    assert facts is not None and facts.core_pattern is not None and facts.ptrace_scope is not None and facts.swaps is not None
    assert facts.dist_hosts == (f"{tmp_path}/.hosts.erlang",)
    assert facts.cookie_arguments == ()
    assert system.describe([], [], None)["cookie_arguments"] is None


def until_shown(child: subprocess.Popen[bytes], file: str) -> None:
    """Wait until the kernel shows what the program was started with: Popen returns a little earlier (execve(2) closes descriptors first)."""
    until = time.monotonic() + 30
    while COOKIE not in Path(f"/proc/{child.pid}/{file}").read_bytes() and time.monotonic() < until:
        time.sleep(0.01)


def test_a_process_with_a_cookie_in_its_arguments_is_found(tmp_path: Path) -> None:
    (tmp_path / ".erlang.cookie").write_bytes(COOKIE)
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", COOKIE.decode()], stdin=subprocess.PIPE)
    until_shown(child, "cmdline")
    try:
        exposed = system.describe([], [], [f"{tmp_path}/.erlang.cookie"])["cookie_arguments"]
        assert isinstance(exposed, list) and child.pid in [one["pid"] for one in exposed]
        assert COOKIE.decode() not in repr(exposed)
    finally:
        child.communicate()


@pytest.mark.parametrize(("name", "found"), [("sleep", True), ("beam.smp", False)])
def test_a_process_with_a_cookie_in_its_environment_is_found(tmp_path: Path, name: str, found: bool) -> None:
    """Of a node cookie-environment tells."""
    (tmp_path / ".erlang.cookie").write_bytes(COOKIE)
    shutil.copy("/bin/sleep", tmp_path / name)
    child = subprocess.Popen([str(tmp_path / name), "60"], env={"ERL_COOKIE": COOKIE.decode()})
    until_shown(child, "environ")
    try:
        exposed = system.describe([], [], [f"{tmp_path}/.erlang.cookie"])["cookie_arguments"]
        assert isinstance(exposed, list)
        assert [one["where"] for one in exposed if one["pid"] == child.pid] == (["environment"] if found else [])
        assert COOKIE.decode() not in repr(exposed)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        ("proc /proc proc rw,nosuid 0 0\n", "0"),
        ("proc /proc proc rw,hidepid=invisible,gid=4 0 0\n", "invisible"),
        ("tmpfs /proc/x tmpfs rw 0 0\n", None),
        (None, None),
    ],
)
def test_hidepid(mounts: str | None, found: str | None) -> None:
    assert system.hidepid(mounts) == found


def test_interfaces_over_which_loopback_is_reached(tmp_path: Path) -> None:
    for name, value in (("all", "0"), ("lo", "1"), ("eth0", "1"), ("eth1", "0"), ("eth2", "2"), ("eth3", "-1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "route_localnet").write_text(f"{value}\n")
    assert system.route_localnet(str(tmp_path)) == ["eth0", "eth2", "eth3"]
    assert system.route_localnet(f"{tmp_path}/none") is None


def test_swap_areas() -> None:
    header = "Filename\tType\tSize\tUsed\tPriority\n"
    assert system.swaps(header) == []
    assert system.swaps(f"{header}/dev/zram0 partition 1 0 100\n/swapfile file 1 0 -2\n") == [
        {"name": "/dev/zram0", "protected": True},
        {"name": "/swapfile", "protected": False},
    ]
    assert system.swaps(None) is None


def test_the_clock_is_asked_and_not_set() -> None:
    assert system.clock_synchronized() in (True, False, None)
