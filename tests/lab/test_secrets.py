# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real cookie, passphrase and keys of the lab, searched for wherever a run could have left them."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from conftest import NODES, ROOT, Lab

# A key is looked for by its secret number: what stands before it is the same in every such key, what comes after is public.
KEY = "sed '1d;$d' /etc/beam/*/tls/key.pem | tr -d '\\n' | cut -c49-90"


@pytest.fixture(scope="module")
def secrets(lab: Lab) -> dict[str, str]:
    found = {name: lab.variable("n1", name) for name in ("beam_cookie", "beam_pki_ca_passphrase")}
    found |= {f"key of {host}": lab.on(host, KEY).strip() for host in NODES}
    ca_key = Path(lab.variable("n1", "beam_pki_ca_dir")) / "root" / "key.pem"
    found["key of the CA"] = "".join(ca_key.read_text().splitlines()[1:-1])[-120:-60]
    assert all(len(secret) >= 32 for secret in found.values()), sorted(found)
    return found


def forms(secret: str) -> list[bytes]:
    return [secret.encode(), base64.b64encode(secret.encode()).rstrip(b"=")]


def leaks(text: bytes, secrets: dict[str, str]) -> list[str]:
    return [name for name, secret in secrets.items() for form in forms(secret) if form in text]


def test_the_search_finds_what_is_there(secrets: dict[str, str]) -> None:
    planted = f"noise {secrets['beam_cookie']} noise".encode()
    assert leaks(planted, secrets) == ["beam_cookie"]


@pytest.mark.parametrize("change", [("--extra-vars", "beam_ports=9140-9142"), (), ("--check", "--diff")], ids=["change", "back", "check"])
def test_a_run_with_vvvv_shows_no_secret(lab: Lab, secrets: dict[str, str], change: tuple[str, ...]) -> None:
    done = lab.play("-vvvv", "--diff", *change, timeout=1200)
    assert done.returncode == 0, done.stdout[-4000:]
    found = leaks((done.stdout + done.stderr).encode(), secrets)
    assert not found


@pytest.mark.parametrize("host", [*NODES, "outsider"])
def test_hosts_hold_them_nowhere_else(lab: Lab, secrets: dict[str, str], host: str) -> None:
    """Journal, processes, and every file but those that are meant to hold a secret."""
    held = r"! -path '/etc/beam/*/tls/key.pem' ! -name .erlang.cookie"
    for name, secret in secrets.items():
        # The pattern goes in on standard input: an argument of grep would find itself in ps.
        script = (
            "umask 077; p=/run/pattern; cat > $p; "
            "{ journalctl --no-pager -q; ps axww -o args; cat /proc/[0-9]*/environ; } 2>/dev/null | grep -acFf $p; "
            f"find / -xdev -type f {held} ! -path $p -size -50M ! -path '/proc/*' ! -path '/usr/*' -print0 | xargs -0 grep -laFf $p; rm -f $p"
        )
        done = subprocess.run(
            [str(ROOT / "molecule/lab/podman"), "exec", "-i", lab.prefix + host, "bash", "-c", script],
            input="\n".join(form.decode() for form in forms(secret)) + "\n",
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.stdout.split("\n")[0] == "0", f"{name} in journal, process list or environment of {host}"
        assert not done.stdout.split("\n")[1:-1], f"{name} in files of {host}"


def test_controller_holds_them_nowhere_else(lab: Lab, secrets: dict[str, str]) -> None:
    places = [Path.home() / ".ansible", Path("/tmp"), ROOT]
    held = {Path(lab.variable("n1", "lab_directory"))}
    for place in places:
        for path in place.rglob("*") if place.exists() else ():
            if path.is_symlink() or not path.is_file() or path.stat().st_size > 50_000_000 or held & set(path.parents):
                continue
            # A name of its own: pytest shows what an assertion calls, and with it the secrets.
            found = leaks(path.read_bytes(), secrets)
            assert not found, path
