# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS options of the distribution in an option file and in flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import tls_options
from ansible_collections.beam.cluster.plugins.module_utils._model.confinement_facts import FileOptions

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
