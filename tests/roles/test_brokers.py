# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VerneMQ and EMQX, rendered and not run: what their own scripts would start, with a plain `erl` in the product's place.

How their scripts put a command line together, what their settings are called and which options of TLS they become was read in VerneMQ 2.2.0 and
EMQX 5.8.2 to 6.0 and is written down here as data.
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.module_utils._model.reserved_flags import FLAGS
from rendering import render
from test_distribution_check_files import Authority

ROLES = Path(__file__).resolve().parents[2] / "roles"
PRODUCTS = ROLES / "product" / "products"
COOKIE = "k3pt-1n-the-f1le-and-n0where-else-1"
WORD = "drawn-at-random-on-the-host"
BROKERS = ("vernemq", "emqx")
ENVIRONMENT = {"PATH": os.environ["PATH"], "ERL_CRASH_DUMP_SECONDS": "0"}
ERL = shutil.which("erl") or "/usr/bin/erl"

# What VerneMQ's own env.sh brings a script that reads it: where things are, and settings made into a file of flags.
LIBRARY = """
RUNNER_BASE_DIR={home} APP_VSN=1 ERTS_PATH={home} RUNNER_PATCH_DIR={patches}
load_default_os_config() {{ VERNEMQ_ERL_CONFIG="-env OPERATORS own"; }}
check_config() {{ CONFIG_ARGS="-args_file {home}/generated.args -vm_args {home}/generated.args"; }}
"""

# The module that each product's own tool calls. This one says what it was called with, and ends as it is told.
FAKE = """-module({module}).
-export([{function}/1]).
{function}({words}) -> io:format("fine ~tp~n", [Words]), ok;
{function}({status}) -> {{error, 3}};
{function}({odd}) -> {{error, unknown}}.
"""
CLAUSES = {
    "vernemq": {"words": '["vmq-admin", "show" | Words]', "status": '["vmq-admin", "status"]', "odd": '["vmq-admin" | _]'},
    "emqx": {"words": '["show" | Words]', "status": '["status"]', "odd": "_"},
}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Broker:
    """A node's files as the roles render them, with the fixed port that spares an epmd; and what the product's script starts."""

    def __init__(self, folder: Path, product: str, tls: bool = True) -> None:
        self.product = product
        self.data = yaml.safe_load((PRODUCTS / product / "vars.yml").read_text(encoding="utf-8"))["__beam_product"]
        self.home, self.directory, self.patches = folder / "home", folder / "etc", folder / "ebin"
        for made in (self.home, self.patches, self.directory):
            made.mkdir()
        self.authority = Authority(self.directory / "tls")
        self.authority.issue("127.0.0.1")
        self.node, self.port = f"{self.data['name']}@127.0.0.1", free_port()
        tls_paths = {name: f"{self.directory}/tls/{file}.pem" for name, file in (("ca", "ca"), ("certificate", "cert"), ("key", "key"))}
        self.values: dict[str, Any] = {
            "__beam_product_placeholder_cookie": WORD,
            "__beam_node": {
                "node": self.node, "host_part": "127.0.0.1", "address": "127.0.0.1", "inet_tuple": "{127,0,0,1}", "user": getpass.getuser(),
                "home": str(self.home), "directory": str(self.directory), "ports": {"first": self.port, "last": self.port}, "hidden": False,
                "kernel": {"prevent_overlapping_partitions": False, "net_ticktime": 60}, "tls": tls_paths if tls else None,
            },
            "__beam_distribution_product": self.data, "__beam_product_data": self.data, "__beam_product_erl": ERL,
            "__beam_distribution_off": False, "__beam_distribution_late_tls_options": False,
            "__beam_distribution_port": f"-erl_epmd_port {self.port}",
            "__beam_distribution_members": [{"node": self.node, "host_part": "127.0.0.1"}], "__beam_product_members": [{"node": self.node}],
            "beam_distribution_extra_args": [],
            "beam_plan": {
                "probe_name": "beam_probe",
                "proto_dist": "inet_tls" if tls else "inet_tcp", "tls": tls, "tls_versions": ["tlsv1.3"], "crl": False,
                "name_type": "ip", "address_family": "4", "members": [],
            },
        }  # fmt: skip
        for name in ("vm.args", "tool.args", "inetrc", "allow.conf", *(["ssl_dist.conf"] if tls else [])):
            self.render(ROLES / "distribution" / "templates", name)
        for name in ("peers.conf", "join.args", "ctl.sh"):
            self.render(PRODUCTS / "erlang" / "templates", name)
        if product == "vernemq":
            self.render(PRODUCTS / product / "templates", "vernemq.sh")
        self.settings = self.render(PRODUCTS / product / "templates", {"vernemq": "vernemq.conf", "emqx": "emqx.env"}[product])
        self.ctl = self.directory / "ctl"
        self.ctl.chmod(0o755)
        cookie = self.home / ".erlang.cookie"
        cookie.write_text(COOKIE + "\n", encoding="utf-8")
        cookie.chmod(0o400)
        calls = self.data["calls"]
        source = folder / f"{calls['module']}.erl"
        source.write_text(FAKE.format(**calls | CLAUSES[product]), encoding="utf-8")
        subprocess.run(["erlc", "-o", str(self.patches), str(source)], check=True, timeout=60)

    def render(self, templates: Path, name: str) -> str:
        text = render(templates, name, self.values)
        (self.directory / name.removesuffix(".sh")).write_text(text, encoding="utf-8")
        return text

    def unit(self) -> dict[str, str]:
        """What the unit's files with an environment say."""
        placeholder = f"EMQX_NODE__COOKIE={WORD}"
        pairs = (line.partition("=") for line in [placeholder, *self.settings.splitlines()] if re.match("[A-Z0-9_]+=", line))
        return {name: "".join(shlex.split(value)) if value[:1] in "'\"" else value for name, _equals, value in pairs}

    def command(self, own: str | None = None) -> list[str]:
        """What the product's own start script makes of its settings: EMQX's flags from EPMD_ARGS, or `own`."""
        generated = self.home / "generated.args"
        if self.product == "vernemq":
            settings = last_values(self.settings)
            generated.write_text(f"-setcookie {settings['distributed_cookie']}\n-name {settings['nodename']}\n+A 64\n", encoding="utf-8")
            (self.home / "env.sh").write_text(LIBRARY.format(home=self.home, patches=self.patches), encoding="utf-8")
            # In place of the release's VM, whose boot file there is none of.
            (self.home / "erlexec").write_text(f'#!/bin/sh\nunset ROOTDIR BINDIR EMU PROGNAME\nshift 2\nexec {ERL} "$@"\n', encoding="utf-8")
            (self.home / "erlexec").chmod(0o755)
            script = self.directory / "vernemq"
            script.write_text(script.read_text(encoding="utf-8").replace("/usr/lib/vernemq/lib/env.sh", f"{self.home}/env.sh"), encoding="utf-8")
            script.chmod(0o755)
            assert "ExecStart=/etc/beam/{node}/vernemq" in self.data["directives"]
            return [str(script)]
        unit = self.unit()
        generated.write_text(
            f"+spp true\n-kernel net_ticktime {unit['EMQX_NODE__DIST_NET_TICKTIME'].rstrip('s')}\n"
            f"-kernel inet_dist_connect_options {unit['EMQX_NODE__DIST_CONNECT_OPTIONS']}\n-kernel prevent_overlapping_partitions false\n"
            f"-setcookie {unit['EMQX_NODE__COOKIE']}\n-name {unit['EMQX_NODE__NAME']}\n", encoding="utf-8"
        )  # fmt: skip
        assert unit["EMQX_CLUSTER__PROTO_DIST"] == "inet_tcp", "with inet_tls the script adds an option file"
        flags = (own or unit["EPMD_ARGS"]).split()
        return [
            ERL, "-noinput", "-noshell", "+Bd", "-args_file", str(generated), "-setcookie", unit["EMQX_NODE__COOKIE"], *flags,
            "-pa", str(self.patches), "--", "foreground", "-ekka_proto_dist", unit["EMQX_CLUSTER__PROTO_DIST"], "-emqx_data_dir", str(self.home),
        ]  # fmt: skip

    def start(self, own: str | None = None) -> subprocess.Popen[bytes]:
        environment = ENVIRONMENT | {"HOME": str(self.home), "ERL_AFLAGS": f"-args_file {self.directory}/vm.args"}
        process = subprocess.Popen(self.command(own), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 90
        while process.poll() is None and time.monotonic() < end:
            with socket.socket() as dialled:
                if dialled.connect_ex(("127.0.0.1", self.port)) == 0:
                    return process
            time.sleep(0.2)
        process.kill()
        raise AssertionError("it does not listen")

    def dial(self, *flags: str, cookie: str | None = None) -> str:
        """What a `erl` on this host, by a name that may connect, gets from the node: `pong` or `pang`."""
        given = ["-setcookie", cookie] if cookie else []
        ask = f"logger:set_primary_config(level, none), io:format(\"~s\", [net_adm:ping('{self.node}')]), halt()."
        done = subprocess.run(
            [ERL, "-noinput", "-kernel", "net_setuptime", "3", "-name", "beam_probe@127.0.0.1", *given, *flags, "-eval", ask],
            env=ENVIRONMENT | {"HOME": str(self.home)}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.stdout

    def tool(self) -> list[str]:
        """The flags of a tool, as words, without a cookie."""
        text = (self.directory / "tool.args").read_text(encoding="utf-8")
        return shlex.split(re.sub(r"(?m)^(#.*|-setcookie.*)$", "", text))


def last_values(text: str) -> dict[str, str]:
    """As cuttlefish and VerneMQ's scripts read the file: the last value of a setting counts."""
    pairs = (line.partition("=") for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _equals, value in pairs}


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    return Broker(tmp_path, request.param)


@pytest.fixture
def running(broker: Broker) -> Iterator[tuple[Broker, subprocess.Popen[bytes]]]:
    process = broker.start()
    yield broker, process
    process.kill()
    process.wait()


def test_it_boots_and_only_who_has_key_and_cookie_gets_in(running: tuple[Broker, subprocess.Popen[bytes]]) -> None:
    broker, process = running
    clear = ["-erl_epmd_port", str(broker.port), "-start_epmd", "false", "-dist_listen", "false", "-hidden"]
    assert broker.dial(*broker.tool()) == "pong"
    assert broker.dial(*broker.tool(), cookie=COOKIE) == "pong"
    assert broker.dial(*broker.tool(), cookie=WORD) == "pang", "the word on the command line is no cookie"
    assert broker.dial(*clear, cookie=COOKIE) == "pang", "clear text"
    foreign = Authority(broker.home / "theirs")
    foreign.issue("127.0.0.1")
    options, theirs = (broker.directory / "ssl_dist.conf").read_text(encoding="utf-8"), broker.home / "ssl_dist.conf"
    flags = [word.replace(str(broker.directory / "ssl_dist.conf"), str(theirs)) for word in broker.tool()]
    theirs.write_text(re.sub(f"{broker.directory}/tls/(cert|key)", rf"{foreign.folder}/\1", options), encoding="utf-8")
    assert broker.dial(*flags, cookie=COOKIE) == "pang", "a certificate of another authority"
    theirs.write_text("[{server, []}, {client, [{verify, verify_none}, {versions, ['tlsv1.3']}]}].", encoding="utf-8")
    assert broker.dial(*flags, cookie=COOKIE) == "pang", "no certificate"

    shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert COOKIE.encode() not in shown and shown.count(b"-setcookie") >= 2
    assert b"peers.conf" in shown, "it does not join"


def test_its_tool_calls_what_the_products_own_calls(running: tuple[Broker, subprocess.Popen[bytes]]) -> None:
    broker, _other = running

    def ctl(*words: str) -> tuple[int, str, str]:
        environment = ENVIRONMENT | {"ERL_FLAGS": "-name x", "ERL_ZFLAGS": "-setcookie x", "HOME": "/nonexistent"}
        done = subprocess.run([str(broker.ctl), *words], env=environment, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    assert ctl("show", "a b", "--x='1'", "$HOME", "-name", "ö") == (0, 'fine ["a b","--x=\'1\'","$HOME","-name","ö"]\n', "")
    assert ctl("status") == (3, "", "")
    assert ctl("else") == (1, "", "{error,unknown}\n")
    (broker.home / ".erlang.cookie").chmod(0o600)
    (broker.home / ".erlang.cookie").write_text(WORD, encoding="utf-8")
    (broker.home / ".erlang.cookie").chmod(0o400)
    status, said, complaint = ctl("show")
    assert (status, said) == (1, "") and "nodedown" in complaint


def test_our_own_files_are_not_taken_for_an_operators_flags(broker: Broker) -> None:
    """The plan looks for flags that undo its own in all that the unit reads, comments too."""
    words = set(re.split(r"[\s\"'={};]+", "\n".join([broker.settings, *broker.data["directives"]])))
    assert words and not words & (set(FLAGS) - {"-args_file"})


def test_nothing_of_it_holds_the_cookie(broker: Broker) -> None:
    for path in broker.directory.rglob("*"):
        assert not path.is_file() or COOKIE not in path.read_text(encoding="utf-8"), path


def test_emqx_repeats_the_settings_of_the_node(tmp_path: Path) -> None:
    """Its start script writes such flags whatever its settings are, behind ours, and of two it cannot be foretold which one counts."""
    broker = Broker(tmp_path, "emqx")
    process = broker.start()
    asked = f"[erpc:call('{broker.node}', application, get_env, [kernel, Key]) || Key <- [net_ticktime, inet_dist_connect_options]]"
    done = subprocess.run(
        [ERL, "-noinput", "-name", "asks@127.0.0.1", *broker.tool(), "-eval", f'io:format("~0p", [{asked}]), halt().'],
        env=ENVIRONMENT | {"HOME": str(broker.home)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    process.kill()
    process.wait()
    assert done.stdout.startswith("[{ok,60},{ok,[{ip,{127,0,0,1}}")


def test_emqx_own_carrier_beside_ours_is_clear_text_before_otp_27_1(tmp_path: Path) -> None:
    """Why an EMQX that does not take EPMD_ARGS is refused: nothing but the wire shows it."""
    ask = "io:format(erlang:system_info(otp_release)), halt()."
    release = subprocess.run([ERL, "-noinput", "-eval", ask], capture_output=True, text=True, timeout=60, check=True)
    if int(release.stdout) >= 27:
        pytest.skip("fixed in OTP 27.1")
    broker = Broker(tmp_path, "emqx")
    process = broker.start("-start_epmd false -proto_dist ekka")
    clear = ["-erl_epmd_port", str(broker.port), "-start_epmd", "false", "-dist_listen", "false", "-hidden"]
    answer = broker.dial(*clear, cookie=COOKIE)
    shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.kill()
    process.wait()
    assert answer == "pong" and b"inet_tls" in shown


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ('EPMD_ARGS="${EPMD_ARGS:-"-start_epmd false -epmd_module ekka_epmd -proto_dist ekka"}"', 0),
        ('EPMD_ARGS="-start_epmd false -epmd_module ekka_epmd -proto_dist ekka"', 1),
        ('    ERL_FLAGS="${ERL_FLAGS:-} $EPMD_ARGS -setcookie $COOKIE" \\', 1),
    ],
)
def test_an_emqx_that_insists_on_its_own_carrier_is_found(tmp_path: Path, line: str, status: int) -> None:
    (tmp_path / "emqx").write_text(line + "\n", encoding="utf-8")
    looks = yaml.safe_load((PRODUCTS / "emqx" / "install.yml").read_text(encoding="utf-8"))[0]["beam.cluster.run_command"]["argv"]
    assert subprocess.run([*looks[:-1], str(tmp_path / "emqx")], check=False).returncode == status


# What VerneMQ's schema knows, of what is set; and what EMQX's knows, as names of environment variables.
KNOWN = {
    "vernemq": {
        "nodename", "distributed_cookie", "outgoing_connect_options", "listener.vmq.$name", "listener.vmqs.$name",
        *(f"listener.vmqs.$name.{key}" for key in ("cafile", "certfile", "keyfile", "require_certificate", "tls_version", "ciphers")),
    },
    "emqx": {
        "HOME", "EPMD_ARGS", "EMQX_NODE__NAME", "EMQX_NODE__COOKIE", "EMQX_CLUSTER__PROTO_DIST",
        *(f"EMQX_NODE__{key}" for key in ("CRASH_DUMP_SECONDS", "DIST_BIND_ADDRESS", "DIST_CONNECT_OPTIONS", "DIST_NET_TICKTIME")),
        *(f"EMQX_RPC__{key}" for key in ("PROTOCOL", "PORT_DISCOVERY", "SERVER_PORT", "LISTEN_ADDRESS", "IPV6_ONLY", "INSECURE_FALLBACK")),
        *(f"EMQX_RPC__{key}" for key in ("CACERTFILE", "CERTFILE", "KEYFILE", "TLS_VERSIONS")),
    },
}  # fmt: skip


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("product", BROKERS)
def test_only_settings_that_it_knows(tmp_path: Path, product: str, tls: bool) -> None:
    broker = Broker(tmp_path, product, tls)
    given = set(broker.unit()) if product == "emqx" else {name.replace("clustering", "$name") for name in last_values(broker.settings)}
    assert given <= KNOWN[product]
    assert tls == any("cafile" in name.lower() or "cacertfile" in name.lower() for name in given)


def test_what_an_operator_has_said_to_vernemq_stays_and_does_not_count(tmp_path: Path) -> None:
    stock = "nodename = VerneMQ@127.0.0.9\ndistributed_cookie = vmq\nlistener.tcp.default = 0.0.0.0:1883\nlistener.vmq.clustering = 0.0.0.0:44053\n"
    broker = Broker(tmp_path, "vernemq")
    settings = last_values(stock + broker.settings)
    assert (settings["nodename"], settings["distributed_cookie"], settings["listener.tcp.default"]) == (broker.node, WORD, "0.0.0.0:1883")
    assert settings["listener.vmq.clustering"] == "127.0.0.1:24053", "the one in clear text is for nobody"
    ports = {int(settings[f"listener.{kind}.clustering"].rpartition(":")[2]) for kind in ("vmq", "vmqs")}
    assert broker.data["peer_ports"] == [f"{min(ports)}-{max(ports)}"]


def test_emqx_second_channel_is_behind_the_firewall(tmp_path: Path) -> None:
    broker = Broker(tmp_path, "emqx")
    assert broker.data["peer_ports"] == [broker.unit()["EMQX_RPC__SERVER_PORT"]]
    assert broker.unit()["EMQX_RPC__LISTEN_ADDRESS"] == "127.0.0.1"


# The options that the second channel's listener and whoever dials it get from the settings. VerneMQ's listener leaves tls_version = undefined out and
# takes ['tlsv1.2'] in its place. gen_rpc: verify_peer, fail_if_no_peer_cert and server_name_indication are its own defaults.
def second_channel(broker: Broker) -> tuple[str, str]:
    if broker.product == "vernemq":
        said = last_values(broker.settings)
        keys = ("cafile", "certfile", "keyfile", "require_certificate", "ciphers", "tls_version")
        listener = {key: said[f"listener.vmqs.clustering.{key}"] for key in keys}
        verified = listener["require_certificate"] == "on"
        assert listener["tls_version"] == "undefined"
        server = (
            f'[{{cacertfile, "{listener["cafile"]}"}}, {{certfile, "{listener["certfile"]}"}}, {{keyfile, "{listener["keyfile"]}"}}, {{depth, 1}}, '
            f'{{ciphers, "{listener["ciphers"]}"}}, {{verify, {"verify_peer" if verified else "verify_none"}}}, '
            f"{{fail_if_no_peer_cert, {str(verified).lower()}}}, {{versions, ['tlsv1.2']}}]"
        )
        return server, said["outgoing_connect_options"].replace("{send_timeout, 0}", "{send_timeout, 5000}")
    unit = broker.unit()
    common = ", ".join(f'{{{key.lower()}, "{unit[f"EMQX_RPC__{key}"]}"}}' for key in ("CACERTFILE", "CERTFILE", "KEYFILE"))
    versions = unit["EMQX_RPC__TLS_VERSIONS"].replace('"', "'")
    common += f", {{verify, verify_peer}}, {{versions, {versions}}}"
    assert unit["EMQX_RPC__PROTOCOL"] == "ssl" and unit["EMQX_RPC__INSECURE_FALLBACK"] == "false"
    return f"[{common}, {{fail_if_no_peer_cert, true}}]", f"[{common}, {{server_name_indication, disable}}]"


# A client's connect may return before the server has judged it, hence the read.
HANDSHAKE = """
logger:set_primary_config(level, none), {{ok, _}} = application:ensure_all_started(ssl),
{{ok, Listen}} = ssl:listen(0, [binary, {{active, false}}, {{ip, {{127,0,0,1}}}} | {server}]), {{ok, {{_, Port}}}} = ssl:sockname(Listen),
spawn(fun() ->
    {{ok, Socket}} = ssl:transport_accept(Listen), {{ok, Session}} = ssl:handshake(Socket), ssl:send(Session, <<"in">>), timer:sleep(3000)
end),
Dialled = try {module}:connect({{127,0,0,1}}, Port, lists:usort([binary, {{active, false}} | {client}]), 5000)
          catch _:badarg -> {{error, badarg}} end,
io:format("~0p", [case Dialled of
    {{ok, Open}} -> element(1, {module}:recv(Open, 2, 2000));
    {{error, badarg}} -> badarg;
    _ -> error
end]), halt().
"""


def handshake(server: str, client: str, module: str = "ssl") -> str:
    text = HANDSHAKE.format(server=server, client=client, module=module).replace("\n", " ")
    return subprocess.run([ERL, "-noinput", "-eval", text], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False).stdout


def test_members_reach_each_others_second_channel_and_nobody_else(broker: Broker) -> None:
    server, client = second_channel(broker)
    assert handshake(server, client) == "ok"
    assert handshake(server, "[{verify, verify_none}]") == "error", "without a certificate"
    foreign = Authority(broker.home / "theirs")
    foreign.issue("127.0.0.1")
    theirs = re.sub(f"{broker.directory}/tls/(cert|key|ca)", rf"{foreign.folder}/\1", client)
    assert handshake(server, theirs.replace(f"{foreign.folder}/ca", f"{broker.directory}/tls/ca")) == "error", "a stranger's certificate"
    assert handshake(re.sub(f"{broker.directory}/tls/(cert|key)", rf"{foreign.folder}/\1", server), client) == "error", "a stranger's listener"


def test_vernemq_dials_nobody_in_clear_text(tmp_path: Path) -> None:
    """It takes from its peer whether that one speaks TLS: one that says no is not dialled with these options."""
    server, client = second_channel(Broker(tmp_path, "vernemq"))
    assert handshake(server, client, "gen_tcp") == "badarg"
