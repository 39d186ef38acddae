# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real nodes of several releases of OTP on loopback, and the certificates that they need.

Each release is a directory tree made by mmdebstrap and kept in the cache; the host's own `erl` serves where its release is the one wanted.
Needs root for chroot.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

# OTP release -> Debian suite that carries it.
SUITES = {"23": "bullseye", "25": "bookworm", "27": "trixie", "29": "forky"}
PACKAGES = "erlang-base,erlang-ssl,erlang-crypto,erlang-public-key,erlang-asn1,erlang-runtime-tools,python3-minimal,libpython3-stdlib"

COOKIE = "loopback-tests-only-0123456789abcdef"


def cache() -> pathlib.Path:
    """Where trees are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "beam-cluster" / "otp"


def host_release() -> str | None:
    """The release of the host's own OTP, if it has TLS."""
    erl = shutil.which("erl")
    if erl is None:
        return None
    code = 'io:format("~s", [erlang:system_info(otp_release)]), case code:lib_dir(ssl) of {error, _} -> halt(1); _ -> halt(0) end.'
    done = subprocess.run([erl, "-noshell", "-eval", code], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout if done.returncode == 0 else None


def tree(release: str) -> pathlib.Path | None:
    """The directory tree of a release, made where it is not there yet; None for the host itself."""
    if release == host_release():
        return None
    suite = SUITES[release]
    root = cache() / suite
    if not (root / "usr/bin/erl").exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        command = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}"]
        if suite == "forky":
            command.append("--aptopt=Acquire::Check-Valid-Until \"false\"")
        subprocess.run(command + [suite, str(root)], check=True, timeout=900, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return root


def releases() -> list[str]:
    """The releases to test with: those named in BEAM_RELEASES (as 25,27), else those at hand."""
    named = os.environ.get("BEAM_RELEASES")
    if named:
        return named.split(",")
    here = host_release()
    return [release for release, suite in SUITES.items() if release == here or (cache() / suite / "usr/bin/erl").exists()]


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Pki:
    """A CA and certificates in one directory, made with openssl. Attribute `ca`; `pair(name)` gives certificate and key."""

    folder: pathlib.Path

    @property
    def ca(self) -> str:
        """The CA's certificate."""
        return str(self.folder / "ca.pem")

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def make_ca(self) -> Pki:
        """Make the CA."""
        self.folder.mkdir(parents=True)
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key")
        self._openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=Test CA", "-days", "30", "-out", "ca.pem",
                      "-addext", "keyUsage=critical,keyCertSign")
        (self.folder / "index.txt").write_text("")
        (self.folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
            "[p]\ncommonName=supplied\n"
        )
        return self

    def issue(
        self, name: str, *, sans: str = "DNS:localhost,DNS:127.0.0.1,IP:127.0.0.1,IP:::1,DNS:::1", usage: str = "serverAuth,clientAuth",
        expired: bool = False,
    ) -> Pki:
        """Make a key and a certificate for it."""
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.ec")
        self._openssl("pkcs8", "-topk8", "-nocrypt", "-in", f"{name}.ec", "-out", f"{name}.key")
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        (self.folder / "ext.cnf").write_text(
            f"basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage={usage}\nsubjectAltName={sans}\n"
        )
        self._openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-extfile", "ext.cnf",
                      "-startdate", "20200101000000Z", "-enddate", "20200201000000Z" if expired else "20491231000000Z",
                      "-in", f"{name}.csr", "-out", f"{name}.pem")
        return self

    def pair(self, name: str) -> dict[str, str]:
        """Certificate and key as the modules' options call them."""
        return {"certificate": str(self.folder / (f"{name}.pem")), "key": str(self.folder / (f"{name}.key"))}


@dataclass
class Node:
    """A running node."""

    name: str
    process: subprocess.Popen[bytes]
    log: pathlib.Path

    def stop(self) -> None:
        """End it, hard."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)


@dataclass
class Lab:
    """An EPMD of its own and the nodes registered there."""

    folder: pathlib.Path
    epmd_port: int = field(default_factory=free_port)
    nodes: list[Node] = field(default_factory=list)
    _epmd: subprocess.Popen[bytes] | None = None

    def start(self) -> Lab:
        """Start EPMD."""
        self.folder.mkdir(parents=True, exist_ok=True)
        epmd = shutil.which("epmd")
        if epmd is None:
            root = next(root for root in map(tree, ("27", "25", "29")) if root is not None)
            command: list[str] = ["chroot", str(root), "epmd"]
        else:
            command = [epmd]
        self._epmd = subprocess.Popen(command + ["-port", str(self.epmd_port), "-address", "127.0.0.1"], stderr=subprocess.DEVNULL)
        wait_for(lambda: _listens(self.epmd_port))
        return self

    def stop(self) -> None:
        """End everything that was started here."""
        for node in self.nodes:
            node.stop()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(timeout=10)

    def erl(self, release: str, arguments: Sequence[str], *, environment: dict[str, str] | None = None, log: pathlib.Path | None = None,
            program: str = "erl") -> subprocess.Popen[bytes]:
        """Start a program of a release's OTP with the lab's cookie and EPMD."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        cookie = home / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(COOKIE)
            cookie.chmod(0o400)
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "ERL_EPMD_PORT": str(self.epmd_port), "ERL_CRASH_DUMP_SECONDS": "0", "LANG": "C.UTF-8"}
        env.update(environment or {})
        root = tree(release)
        command = [program, *arguments]
        if root is not None:
            inside = root / str(self.folder).lstrip("/")
            inside.mkdir(parents=True, exist_ok=True)
            # The name of this host has to have an address there, too: erl_call of OTP 23 crashes where it has none.
            script = ('for d in proc dev; do mount --rbind /$d "$1/$d"; done; mount --bind "$2" "$1/$2"; touch "$1/etc/hosts"; '
                      'mount --bind /etc/hosts "$1/etc/hosts"; root=$1; shift 2; exec chroot "$root" "$@"')
            command = ["unshare", "--mount", "sh", "-c", script, "sh", str(root), str(self.folder), *command]
        output = open(log, "wb") if log is not None else subprocess.DEVNULL
        try:
            return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        finally:
            if log is not None:
                output.close()  # type: ignore[union-attr]

    def family(self, ipv6: bool) -> list[str]:
        """Arguments for a node that is to find other nodes by IPv6 on loopback, whatever the hosts file calls localhost; none for IPv4."""
        if not ipv6:
            return []
        file = self.folder / "inetrc"
        file.write_text('{host, {0,0,0,0,0,0,0,1}, ["localhost"]}.\n{lookup, [file]}.\n')
        return ["-kernel", "inetrc", f'"{file}"']

    def node(
        self, release: str, name: str, *, tls: str | None = None, ipv6: bool = False, arguments: Sequence[str] = (), wait: bool = True,
    ) -> Node:
        """Start a node and wait until it is registered and has evaluated its arguments. `tls`: text of the option file; None for TCP."""
        carrier = ("inet6_" if ipv6 else "inet_") + ("tls" if tls is not None else "tcp")
        long_name = "." in name.partition("@")[2] or ":" in name.partition("@")[2]
        words = ["-noinput", "-name" if long_name else "-sname", name, "-start_epmd", "false", "-proto_dist", carrier,
                 "-kernel", "inet_dist_use_interface", "{0,0,0,0,0,0,0,1}" if ipv6 else "{127,0,0,1}",
                 *self.family(ipv6)]
        short = name.partition("@")[0]
        if tls is not None:
            optfile = self.folder / (f"{short}.conf")
            optfile.write_text(tls)
            words += ["-ssl_dist_optfile", str(optfile)]
        log = self.folder / (f"{short}.log")
        # Who connects before the last -eval has run meets a node that is half set up.
        started = self.folder / f"{short}.started"
        started.unlink(missing_ok=True)
        last = ["-eval", f'ok = file:write_file("{started}", []).']
        node = Node(name, self.erl(release, [*words, *arguments, *last], log=log), log)
        self.nodes.append(node)
        if wait:
            wait_for(
                lambda: started.exists() and short in self.names(), lambda: f"{name} did not come up:\n{log.read_text(errors='replace')[-2000:]}"
            )
        return node

    def names(self) -> dict[str, int]:
        """What is registered, read by hand: this must not rest on the code under test."""
        with socket.create_connection(("127.0.0.1", self.epmd_port), timeout=5) as sock:
            sock.sendall(b"\0\1n")
            data = b""
            while True:
                part = sock.recv(65536)
                if not part:
                    break
                data += part
        found = {}
        for line in data[4:].decode().splitlines():
            words = line.split(" ")
            found[words[1]] = int(words[-1])
        return found


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_for(condition, problem=lambda: "waited in vain", seconds: float = 30) -> None:  # type: ignore[no-untyped-def]
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(problem())
        time.sleep(0.05)


def stanza(pki: Pki, pair: str | None = "node", *, ca: Pki | None = None, versions: str = "'tlsv1.3'", verify: str = "verify_peer") -> str:
    """TLS options of one side: a pair of certificate and key of `pki`, or none; the CA of `ca`, which is that of `pki` where it is not given."""
    own = '{{certfile,"{certificate}"}},{{keyfile,"{key}"}},'.format(**pki.pair(pair)) if pair else ""
    return f'{own}{{cacertfile,"{(ca or pki).ca}"}},{{verify,{verify}}},{{versions,[{versions}]}}'


def option_file(
    pki: Pki, pair: str = "node", *, versions: str = "'tlsv1.3'", verify: str = "verify_peer", fail: str = "true", client: str | None = None,
) -> str:
    """A server's and client's TLS options as nodes want them; `client` is a stanza for a client that differs."""
    common = stanza(pki, pair, versions=versions, verify=verify)
    return f"[{{server,[{common},{{fail_if_no_peer_cert,{fail}}}]}},{{client,[{client or common}]}}].\n"
