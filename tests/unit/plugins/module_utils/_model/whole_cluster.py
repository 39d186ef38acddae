# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence of a cluster of three hosts where everything is as it should be, as plain data that a test may break."""

from __future__ import annotations

import copy
from typing import Any, Callable

from ansible_collections.beam.cluster.plugins.module_utils._model import probes
from ansible_collections.beam.cluster.plugins.module_utils._model.findings import Evidence, addresses_of
from ansible_collections.beam.cluster.plugins.module_utils._model.probes import Answer, Probe

NOW = 1_795_000_000.0
DAY = 86400
HOSTS = {"n1": "10.89.1.11", "n2": "10.89.1.12", "n3": "10.89.1.13"}
PUBLIC = {"n1": "10.89.2.11", "n2": "10.89.2.12", "n3": "10.89.2.13"}

SHOW = """\
Environment=ERL_AFLAGS=-args_file\\x20/etc/beam/beam@{host}/vm.args BEAM_CLUSTER_DIGEST=d1ge57 ERL_EPMD_ADDRESS={address}
LimitCORE=0
After=beam-firewall.service epmd.socket network.target
Requires=beam-firewall.service system.slice
LoadState=loaded
ActiveState=active
UnitFileState=enabled
DropInPaths=/etc/systemd/system/beam.service.d/beam.conf
NeedDaemonReload=no
User=beam
"""
SECURITY = """\
  NAME                                                        DESCRIPTION                                             EXPOSURE
x PrivateNetwork=                                             Service has access to the host's network                     0.5

> Overall exposure level for beam.service: 1.3 OK
"""


def tls(host: str) -> dict[str, Any]:
    directory = f"/etc/beam/beam@{host}/tls"
    return {"ca": f"{directory}/ca.pem", "certificate": f"{directory}/cert.pem", "key": f"{directory}/key.pem", "versions": ["tlsv1.3"]}


COMMON = {"port": None, "hidden": False}
SETTINGS = {
    "net_ticktime": 60,
    "net_tickintensity": 4,
    "prevent_overlapping_partitions": True,
    "connect_all": True,
    "dist_auto_connect": "always",
}
TOLD = {"ticktime": 60, "tickintensity": 4, "prevent_overlapping_partitions": True, "connect_all": True, "auto_connect": "always"}


def plan() -> dict[str, Any]:
    members = [
        {
            "node": f"beam@{host}",
            "name": "beam",
            "host_part": host,
            "host": host,
            "address": address,
            "ports": {"first": 9100, "last": 9100},
            **COMMON,
        }
        for host, address in HOSTS.items()
    ]
    hosts = {
        host: {
            "in_run": True,
            "address": address,
            "addresses": [address],
            "nodes": [
                {
                    "node": f"beam@{host}",
                    "name": "beam",
                    "host_part": host,
                    "address": address,
                    "ports": {"first": 9100, "last": 9100},
                    "product": "erlang",
                    "kind": "erlang",
                    "unit": "beam.service",
                    "user": "beam",
                    "group": "beam",
                    "home": f"/var/lib/beam/beam@{host}",
                    "directory": f"/etc/beam/beam@{host}",
                    "kernel": dict(SETTINGS),
                    "tls": tls(host),
                    **COMMON,
                }
            ],
            "firewall": {"backend": "nftables", "ports": [[4369, 4369], [9100, 9100]], "own": [address]},
            "epmd": {"listen": ["127.0.0.1", "::1", address], "port": 4369},
        }
        for host, address in HOSTS.items()
    }
    return {
        "group": "beam",
        "name_type": "short",
        "mode": "cluster",
        "discovery": "epmd",
        "settings": dict(SETTINGS),
        "tls": True,
        "tls_versions": ["tlsv1.3"],
        "epmd_port": 4369,
        "members": members,
        "addresses": list(HOSTS.values()),
        "hosts": hosts,
        "outsiders": ["outsider"],
        "advisories": [],
    }


def host(name: str) -> dict[str, Any]:
    address = HOSTS[name]

    def listener(where: str, port: int, process: str, unit: str) -> dict[str, Any]:
        return {"address": where, "port": port, "family": 4, "pid": 42, "process": process, "unit": unit, "user": "beam"}

    def file(path: str, mode: str, owner: str) -> dict[str, Any]:
        return {"path": path, "mode": mode, "owner": owner, "group": owner}

    directory = f"/etc/beam/beam@{name}"
    return {
        "observed": {
            "epoch": NOW,
            "privileged": True,
            "addresses": [
                {"interface": "lo", "address": "127.0.0.1", "family": 4, "prefix": 8, "default_route": False},
                {"interface": "eth0", "address": address, "family": 4, "prefix": 24, "default_route": False},
                {"interface": "eth1", "address": PUBLIC[name], "family": 4, "prefix": 24, "default_route": True},
                {"interface": "docker0", "address": "172.17.0.1", "family": 4, "prefix": 16, "default_route": False},
                {"interface": "eth1", "address": "fe80::1", "family": 6, "prefix": 64, "default_route": False},
            ],
            "firewall": {"nft": True, "beam": {"members": list(HOSTS.values()), "ports": [[4369, 4369], [9100, 9100]]}},
            "listeners": [
                listener("127.0.0.1", 4369, "systemd", "epmd.socket"),
                listener("::1", 4369, "systemd", "epmd.socket"),
                listener(address, 4369, "systemd", "epmd.socket"),
                listener(address, 9100, "beam.smp", "beam.service"),
                listener("0.0.0.0", 22, "sshd", "ssh.service"),
            ],
            "processes": [
                {
                    "pid": 42,
                    "user": "beam",
                    "unit": "beam.service",
                    "node": f"beam@{name}",
                    "argv": ["beam.smp", "--", "-name", f"beam@{name}"],
                    "digest": "d1ge57",
                }
            ],
            "files": [
                file(f"{directory}/tls/key.pem", "0400", "beam"),
                file(f"/var/lib/beam/beam@{name}/.erlang.cookie", "0400", "beam"),
                file(f"{directory}/vm.args", "0644", "root"),
                file(f"{directory}/ssl_dist.conf", "0644", "root"),
                file(f"{directory}/inetrc", "0644", "root"),
                file(f"{directory}/allow.conf", "0644", "root"),
            ],
        },
        "units": {
            "beam.service": {"show": SHOW.format(host=name, address=address), "security": SECURITY},
            "epmd.socket": {"show": "ActiveState=active\nAfter=beam-firewall.service sysinit.target\n"},
            "beam-firewall.service": {"show": "ActiveState=active\nUnitFileState=enabled\n"},
        },
        "advisories": [],
    }


TLS = {
    "version": "tlsv1.3",
    "cipher": "TLS_AES_256_GCM_SHA384",
    "peer": {"subject": "CN=x", "sans": ["DNS:x"], "not_after": "2027-01-30T00:00:00Z"},
}

HARDENED = {
    "outside-epmd": ("epmd_filtered", "epmd"),
    "outside-window": ("filtered", "connect"),
    "member-public-epmd": ("epmd_closed", "epmd"),
    "member-public-window": ("closed", "connect"),
    "local-epmd": ("epmd_closed", "epmd"),
    "local-window": ("closed", "connect"),
    "plaintext": ("plaintext_on_tls", "status"),
    "old-tls": ("tls_alert_protocol_version", "tls"),
    "no-certificate": ("tls_alert_certificate_required", "tls"),
    "foreign-certificate": ("tls_alert_unknown_ca", "tls"),
    "expired-certificate": ("tls_alert_certificate_expired", "tls"),
    "other-name": ("dropped_status", "status"),
    "wrong-cookie": ("cookie_refused_theirs", "ack"),
}


def hardened(probe: Probe) -> Answer:
    """What a hardened node answers."""
    attack = probes.attack_of(probe)
    if attack is None:
        return Answer(probe, "connected", "done", 4.2, 9100, copy.deepcopy(TLS))
    code, stage = HARDENED[attack.id]
    return Answer(probe, code, stage, 1.0, probe.port)


def requests(of: dict[str, Any], hosts: dict[str, Any]) -> list[Probe]:
    addresses = addresses_of(hosts)
    made = []
    for member in of["members"]:
        if probes.in_run(of, member):
            made += probes.connect_probes(of, member["node"])
            made += probes.attack_probes(of, member["host"], member["node"], addresses)
    for outsider in of["outsiders"]:
        made += probes.attack_probes(of, outsider, "", addresses)
    return made


def evidence(
    *, of: dict[str, Any] | None = None, hosts: dict[str, Any] | None = None, answer: Callable[[Probe], Answer | None] = hardened, **other: Any
) -> Evidence:
    of = of or plan()
    hosts = hosts if hosts is not None else {name: host(name) for name in HOSTS}
    nodes = [member["node"] for member in of["members"]]
    mesh = {node: {"code": "connected", "visible": [peer for peer in nodes if peer != node], "hidden": [], **TOLD} for node in nodes}
    answers = [made for made in map(answer, requests(of, hosts)) if made is not None]
    values: dict[str, Any] = {"plan": of, "hosts": hosts, "answers": answers, "mesh": mesh, "outsiders": ["outsider"], "epoch": NOW}
    return Evidence(**{**values, **other})
