# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files: who may read and write them, and what the certificates say."""

from __future__ import annotations

import pytest
from conftest import PRODUCT, Node

CLEAR = ("vm.args", "ssl_dist.conf", "inetrc", "allow.conf")


@pytest.mark.parametrize("name", CLEAR)
def test_only_root_writes_what_the_vm_evaluates(node: Node, name: str) -> None:
    file = node.host.file(f"{node.directory}/{name}")
    assert (file.user, file.group, oct(file.mode)) == ("root", "root", "0o644")


@pytest.mark.parametrize("path", ["/etc/beam", "{node.directory}"])
def test_folders_belong_to_root(node: Node, path: str) -> None:
    folder = node.host.file(path.format(node=node))
    assert folder.is_directory
    assert (folder.user, oct(folder.mode)) == ("root", "0o755")


@pytest.mark.parametrize("path", ["{node.directory}/tls/key.pem", "{node.home}/.erlang.cookie"])
def test_secrets_are_the_service_users_alone(node: Node, path: str) -> None:
    file = node.host.file(path.format(node=node))
    assert (file.user, oct(file.mode)) == (PRODUCT.user, "0o400")


def test_no_process_shows_the_cookie(node: Node) -> None:
    cookie = node.host.file(f"{node.home}/.erlang.cookie").content_string.strip()
    assert len(cookie) >= 32
    shown = node.host.check_output("ps axwwe -o comm,args; cat /proc/[0-9]*/environ | tr '\\0' '\\n'")
    assert "beam.smp" in shown
    assert cookie not in shown


def openssl(node: Node, *arguments: str) -> str:
    return node.host.check_output(" ".join(("openssl", *arguments)).replace("TLS", f"{node.directory}/tls"))


def test_the_certificate_is_signed_by_the_ca_that_the_node_trusts(node: Node) -> None:
    for purpose in ("sslserver", "sslclient"):
        assert openssl(node, f"verify -x509_strict -purpose {purpose} -CAfile TLS/ca.pem TLS/cert.pem").endswith(": OK")


def test_the_certificate_fits_the_key(node: Node) -> None:
    assert openssl(node, "x509 -in TLS/cert.pem -noout -pubkey") == openssl(node, "pkey -in TLS/key.pem -pubout")


def test_the_certificate_names_the_host_and_serves_both_sides(node: Node) -> None:
    text = openssl(node, "x509 -in TLS/cert.pem -noout -ext subjectAltName,extendedKeyUsage,basicConstraints")
    assert f"DNS:{node.name}" in text.replace(",", "").split()
    assert "TLS Web Server Authentication" in text and "TLS Web Client Authentication" in text
    assert "CA:TRUE" not in text


def test_keys_are_made_on_the_nodes(nodes: list[Node]) -> None:
    assert len({openssl(node, "x509 -in TLS/cert.pem -noout -pubkey") for node in nodes}) == len(nodes)


def test_all_nodes_trust_one_ca(nodes: list[Node]) -> None:
    assert len({node.host.file(f"{node.directory}/tls/ca.pem").content_string for node in nodes}) == 1


def test_the_unit_is_sandboxed(node: Node) -> None:
    line = node.host.run(f"systemd-analyze security --no-pager {PRODUCT.unit}").stdout.strip().splitlines()[-1]
    assert f"Overall exposure level for {PRODUCT.unit}" in line
    assert float(line.split(":")[1].split()[0]) <= 1.5, line


@pytest.mark.parametrize("unit", ["beam-firewall.service", "epmd.socket", PRODUCT.unit])
def test_the_units_run_and_will_run_again(node: Node, unit: str) -> None:
    assert node.host.service(unit).is_running
    assert node.host.service(unit).is_enabled


def test_no_unit_has_failed(node: Node) -> None:
    assert node.host.check_output("systemctl list-units --failed --no-legend --plain") == ""
