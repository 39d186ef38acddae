# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence of a cluster of three hosts where everything is as it should be. Plans and observations are plain data that a test may break."""

from __future__ import annotations

import copy
import datetime
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import Evidence, NodeView, advisory
from ansible_collections.beam.cluster.plugins.module_utils._assess.outsider_connectivity import ways
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import FULL, REACHES, Answer, Probe, Questions, Scope, Session
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import Target
from ansible_collections.beam.cluster.plugins.module_utils._assess.vulnerability_table import VulnerabilityTable
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from whole_crls import crl

NOW = 1_795_000_000.0
DAY = 86400
HOSTS = {"n1": "10.89.1.11", "n2": "10.89.1.12", "n3": "10.89.1.13"}
PUBLIC = {"n1": "10.89.2.11", "n2": "10.89.2.12", "n3": "10.89.2.13"}
MEMBERS = list(HOSTS.values())
PORTS = [[4369, 4369], [9100, 9100]]

# A table of today that knows of nothing.
TABLE = VulnerabilityTable(datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).date(), (), {})

Hosts = dict[str, dict[str, Any]]
SUM = "5a" * 32
"""sha256 of every file."""


def contents(target: Target) -> dict[str, dict[str, str]]:
    """What the files of each host are to contain, as the roles compute it."""
    return {name: {path: SUM for node in host.nodes for path in node.evaluated_files} for name, host in target.hosts.items()}


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
        "crl": True,
        "epmd_port": 4369,
        "probe_name": "beam_probe",
        "members": members,
        "addresses": list(HOSTS.values()),
        "hosts": hosts,
        "outsiders": ["outsider"],
        "advisories": [],
    }


def admission(family: int, sources: list[str] | None, **other: Any) -> dict[str, Any]:
    """One thing that our table lets in, as observe returns it."""
    return {
        "family": family,
        "sources": sources,
        "destinations": None,
        "ports": PORTS,
        "loopback": False,
        "certain": True,
        "rule": "ip saddr @members4 accept",
        **other,
    }


def table() -> dict[str, Any]:
    own = [admission(family, None, loopback=True, rule='iif "lo" accept') for family in (4, 6)]
    return {
        "members": MEMBERS,
        "own": MEMBERS[:1],
        "ports": PORTS,
        "dormant": False,
        "hooks": ["input", "output"],
        "admits": [admission(4, MEMBERS), *own],
        "as_in_file": True,
    }


def unit(**values: Any) -> dict[str, Any]:
    return {
        "load": "loaded",
        "active": "active",
        "enabled": "enabled",
        "user": "",
        "drop_ins": [],
        **{"need_daemon_reload": False, "start_files": [], "openings": [], "commands": [], "after": ["sysinit.target"]},
        "requires": ["system.slice"],
        "at_boot": True,
        "core_limit": "infinity",
        **values,
    }


CA_SHA256 = "ca" * 32
CA_SPKI = "5ca1ab1e" * 8


def ca_certificate(path: str, **values: Any) -> dict[str, Any]:
    """The CA's certificate in a file."""
    return {
        "path": path,
        "sha256": CA_SHA256,
        "subject": "CN=beam root",
        "issuer": "CN=beam root",
        "sans": [],
        "not_before": "2026-01-01T00:00:00Z",
        "not_after": "2036-01-01T00:00:00Z",
        "spki_sha256": CA_SPKI,
        "key_type": "EC P-256",
        "purposes": None,
        "usages": ["keyCertSign", "cRLSign"],
        "ca": True,
        "signature": "SHA-256",
        "key_id": "caca",
        "issuer_key_id": None,
        **values,
    }


def certificate(name: str, **values: Any) -> dict[str, Any]:
    """A node's certificate in its file."""
    return {
        "path": tls(name)["certificate"],
        "sha256": hashlib.sha256(name.encode()).hexdigest(),
        "subject": f"CN=beam@{name}",
        "issuer": "CN=beam root",
        "sans": [f"DNS:{name}"],
        "not_before": "2026-10-30T00:00:00Z",
        "not_after": "2027-01-30T00:00:00Z",
        "spki_sha256": hashlib.sha256(f"key of {name}".encode()).hexdigest(),
        "key_type": "EC P-256",
        "purposes": ["serverAuth", "clientAuth"],
        "usages": ["digitalSignature"],
        "ca": False,
        "signature": "SHA-256",
        "key_id": None,
        "issuer_key_id": "caca",
        **values,
    }


ACCOUNT = {"user": "beam", "shell": "/usr/sbin/nologin", "password": False}


def secrets(name: str) -> dict[str, Any]:
    """What observe finds of secrets on a host."""
    cookie = f"/var/lib/beam/beam@{name}/.erlang.cookie"
    key = {"path": tls(name)["key"], "encrypted": False, "spki_sha256": certificate(name)["spki_sha256"], "readers": ["beam"]}
    return {
        "cookies": [{"path": cookie, "weaknesses": [], "valid": True, "mark": "ma4c"}],
        "copies": [],
        "keys": [key],
        "dumps": [],
        **{"exposed": [], "unsearched": []},
        "accounts": [{**ACCOUNT, **dict.fromkeys(("authorized_keys", "rights", "units", "acting", "groups", "members", "processes"), [])}],
    }


EPMD = {kind: f"/etc/systemd/system/epmd.{kind}.d/zzz-beam.conf" for kind in ("service", "socket")}
CALM: dict[str, Any] = {"undoing": [], "waiting": []}
"""Of a firewall that nothing changes at the next boot."""


def hardening(**values: Any) -> dict[str, Any]:
    """How a hardened process is confined."""
    names = ["certfile", "keyfile", "cacertfile", "versions", "verify"]
    side: dict[str, Any] = {"names": names, "values": {"verify": "verify_peer"}, "versions": ["tlsv1.3"], "ciphers": None, "algorithms": None}
    server = {**side, "names": [*names, "fail_if_no_peer_cert"], "values": {"verify": "verify_peer", "fail_if_no_peer_cert": "true"}}
    return {
        **{"no_new_privileges": True, "seccomp": 2, "capabilities": [], "switches": [], "variables": []},
        "cookie_in_environment": False,
        "crash_dump": "off",
        "kernel": {},
        "program": ["nx", "pie", "relro"],
        "replaceable_by": [],
        **{"start_files": [], "groups": ["beam"], "elsewhere": [], "privileged_programs": [], "libraries": []},
        **{"shadowing": [], "system_writable": False},
        **{"libcrypto": "3.5.1", "release_cookie": "none"},
        **{"replaced": False, "traced_by": "", "open_logs": [], "incoming": [9100], "outgoing": 1},
        "server": server,
        "client": side,
        "options_read": True,
        **values,
    }


def system(**values: Any) -> dict[str, Any]:
    """The operating system around hardened nodes."""
    return {
        **{"core_pattern": "|/lib/systemd/systemd-coredump %P", "suid_dumpable": 2, "ptrace_scope": 1},
        "hidepid": "invisible",
        "swaps": [],
        "clock_synchronized": True,
        "time_services": ["chronyd"],
        "service_users": {"beam": ["beam.service"]},
        **{"cookie_arguments": [], "tmpfiles": [], "sysusers": [], "served": []},
        **{"dist_hosts": [], "package_files": {"compared": 537, "altered": []}},
        **{"settings": {}, "forwards": [], "client_ports": {}, "route_localnet": [], "starts": [], "sysctls_at_boot": [], "preloaded": []},
        **values,
    }


FLAGS: dict[str, Any] = {"kernel": {}, "ssl_options": [], "args_files": [], "config_files": [], "cookie": "none", "arguments_read": True}
"""The flags of a VM that was started without any."""


def host(name: str) -> dict[str, Any]:
    """What observe returns of a host."""
    address = HOSTS[name]

    def listener(where: str, port: int, process: str, unit: str) -> dict[str, Any]:
        pid = {"beam.smp": 42, "systemd": 1}.get(process, 77)
        return {"address": where, "port": port, "family": 4, "pid": pid, "process": process, "unit": unit, "user": "beam"}

    def file(path: str, mode: str, owner: str, replaceable_by: list[str]) -> dict[str, Any]:
        facts = {"path": path, "kind": "file", "mode": mode, "owner": owner, "group": owner, "replaceable_by": replaceable_by, "links": 1}
        return {**facts, "modified": NOW - 99 * DAY, "sha256": SUM if mode == "0644" else None}

    directory = f"/etc/beam/beam@{name}"
    return {
        **{"epoch": NOW, "skew_seconds": 0.0, "system": system(), "privileged": True, "init": "systemd", "obstacles": []},
        "addresses": [
            {"interface": "lo", "address": "127.0.0.1", "family": 4, "prefix": 8, "default_route": False},
            {"interface": "eth0", "address": address, "family": 4, "prefix": 24, "default_route": False},
            {"interface": "eth1", "address": PUBLIC[name], "family": 4, "prefix": 24, "default_route": True},
            {"interface": "docker0", "address": "172.17.0.1", "family": 4, "prefix": 16, "default_route": False},
            {"interface": "eth1", "address": "fe80::1", "family": 6, "prefix": 64, "default_route": False},
        ],
        "firewall": {"readable": True, "in_charge": "nftables", "drops_by_default": False, "rewriting": [], **CALM, "beam": table()},
        "listeners": [
            listener("127.0.0.1", 4369, "systemd", "epmd.socket"),
            listener("::1", 4369, "systemd", "epmd.socket"),
            listener(address, 4369, "systemd", "epmd.socket"),
            listener(address, 9100, "beam.smp", "beam.service"),
            listener("0.0.0.0", 22, "sshd", "ssh.service"),
        ],
        "processes": [
            {
                **{"pid": 42, "process": "beam.smp", "user": "beam", "unit": "beam.service"},
                "flags": {
                    **FLAGS,
                    "name": f"beam@{name}",
                    "long_names": True,
                    "proto_dist": "inet_tls",
                    "proto_dist_given": 1,
                    "ssl_options_file": f"{directory}/ssl_dist.conf",
                    "kernel": {"inet_dist_use_interface": "{10,89,1,11}", "inet_dist_listen_min": "9100", "inet_dist_listen_max": "9100"},
                },
                "traces": [],
                **{"digest": "d1ge57", "started": NOW - DAY, "adding": ["ERL_AFLAGS"], "runs": []},
                "core_limit": 0,
                "vm": {
                    "executable": "/usr/lib/erlang/erts-15.2.7/bin/beam.smp",
                    "otp_root": "/usr/lib/erlang",
                    "erts": "15.2.7",
                    "installed_erts": "15.2.7",
                    "version": "27.3.4.1",
                    "package": {"name": "erlang-base", "installed": "1:27.3.4.1+dfsg-1+deb13u4", "started": "1:27.3.4.1+dfsg-1+deb13u4"},
                    "replaced": [],
                },
                "hardening": hardening(),
            },
            {
                **{"pid": 1077, "process": "epmd", "user": "epmd", "unit": "epmd.service"},
                "flags": {"arguments_read": True},
                **{"traces": [], "runs": [], "adding": []},
                "core_limit": 0,
                "hardening": hardening(server=None, client=None),
            },
        ],
        "files": [
            {"path": directory, "kind": "directory", "mode": "0755", "owner": "root", "group": "root", "replaceable_by": []},
            file(f"{directory}/tls/key.pem", "0400", "beam", []),
            file(f"/var/lib/beam/beam@{name}/.erlang.cookie", "0400", "beam", ["beam"]),
            *({**file(tls(name)[one], "0444", "root", []), "modified": NOW - DAY} for one in ("certificate", "ca")),
            *(file(f"{directory}/{one}", "0644", "root", []) for one in ("vm.args", "ssl_dist.conf", "inetrc", "allow.conf")),
        ],
        "missing": [f"/var/lib/beam/beam@{name}/{one}" for one in (".erlang", ".config/erlang/.erlang")],
        "epmd_names": {"beam": 9100},
        "certificates": [certificate(name), ca_certificate(tls(name)["ca"])],
        "crls": [crl(name)],
        "secrets": secrets(name),
        "units": {
            "beam.service": unit(
                user="beam",
                drop_ins=["/etc/systemd/system/beam.service.d/zzz-beam.conf"],
                after=["beam-firewall.service", "epmd.socket", "network.target"],
                requires=["beam-firewall.service", "beam-guard-beam.service", "system.slice"],
                links=["requires/beam-guard-beam.service", "wants/beam-watch-beam.service"],
                core_limit="0",
                exposure=1.3,
                digest="d1ge57",
                environment_names=["BEAM_CLUSTER_DIGEST", "ERL_AFLAGS", "HOME"],
            ),
            "beam-watch-beam.service": unit(),
            "beam-guard-beam.service": unit(active="inactive"),
            "epmd.service": unit(user="epmd", core_limit="0", exposure=0.7, environment_names=["BEAM_CLUSTER_DIGEST"], drop_ins=[EPMD["service"]]),
            "epmd.socket": unit(after=["beam-firewall.service", "sysinit.target"], drop_ins=[EPMD["socket"]]),
            "beam-firewall.service": unit(),
            "nftables.service": unit(enabled="disabled", active="inactive", drop_ins=["/etc/systemd/system/nftables.service.d/zzz-beam.conf"]),
        },
    }


def hosts() -> Hosts:
    return {name: host(name) for name in HOSTS}


TLS = {
    "version": "tlsv1.3",
    "cipher": "TLS_AES_256_GCM_SHA384",
}


def peer(name: str, **values: Any) -> dict[str, Any]:
    """The certificate that a node shows."""
    shown = ("subject", "issuer", "sans", "not_before", "not_after", "key_type", "purposes", "sha256")
    return {**{key: value for key, value in certificate(name).items() if key in shown}, **values}


HARDENED = {
    "outside-epmd": ("epmd_filtered", "epmd"),
    "outside-distribution-port": ("filtered", "connect"),
    "member-public-epmd": ("epmd_closed", "epmd"),
    "member-public-distribution-port": ("closed", "connect"),
    "local-epmd": ("epmd_closed", "epmd"),
    "local-distribution-port": ("closed", "connect"),
    "plaintext": ("plaintext_on_tls", "status"),
    "old-tls": ("tls_alert_protocol_version", "tls"),
    "no-certificate": ("tls_alert_certificate_required", "tls"),
    "foreign-certificate": ("tls_alert_unknown_ca", "tls"),
    "expired-certificate": ("tls_alert_certificate_expired", "tls"),
    "revoked-certificate": ("tls_alert_certificate_revoked", "tls"),
    "other-name": ("dropped_status", "status"),
    "wrong-cookie": ("cookie_refused_theirs", "ack"),
}


def session(**values: Any) -> Session | None:
    """TLS to a hardened node, with other facts where a test gives some."""
    return Session.parse({**copy.deepcopy(TLS), "peer": peer("n2"), **values})


def hardened(probe: Probe) -> Answer:
    """What a hardened node answers."""
    if probe.control == REACHES:
        return Answer(probe, "epmd_closed", "epmd")
    if probe.attack is None:
        return Answer(probe, "connected", "done", 4.2, 9100, session(peer=peer(probe.host)))
    code, stage = HARDENED[probe.attack.id]
    return Answer(probe, code, stage, 1.0, probe.port)


def requests(questions: Questions, outsiders: list[str]) -> list[Probe]:
    made = []
    for node in questions.target.running:
        made += questions.connects(node.node) + questions.attacks(node.host, node.node)
    for outsider in outsiders:
        attacks = questions.attacks(outsider)
        made += [*attacks, *ways(outsider, attacks)]
    return made


def options(node: str, **other: Any) -> dict[str, Any]:
    """TLS options as a hardened node has them in force."""
    files = tls(node.partition("@")[2])
    paths = {"cacertfile": files["ca"], "certfile": files["certificate"], "keyfile": files["key"]}
    known = {"verify": "verify_peer", "versions": ["tlsv1.3"], "crl_check": "peer", "crl_cache": None, **paths, **other}
    return {**known, "names": sorted(known), "crl_directory": f"/etc/beam/{node}/crl"}


def in_force(nodes: list[str], node: str, tls: bool = True) -> dict[str, Any]:
    """What a hardened node says that it has in force."""
    over = "tls" if tls else "tcp"
    sides = {"server": options(node, fail_if_no_peer_cert=True), "client": options(node)}
    return {
        "tls": sides if tls else {"server": None, "client": None},
        "allowed": [*nodes, *(f"beam_probe@{name.partition('@')[2]}" for name in nodes), *([] if tls else [node.partition("@")[2]])],
        "other_cookies": [],
        "links": [
            {"node": peer, "address": HOSTS.get(peer.partition("@")[2], "10.89.1.12"), "port": 9100, "protocol": over, "hidden": False}
            for peer in nodes if peer != node
        ],
        **{name: [] for name in ("replaceable_code", "added_code", "foreign_code", "code_from_nowhere", "trusted")},
        "names": {"first": "file", "pinned": {part: [HOSTS.get(part, "10.89.1.12")] for part in (name.partition("@")[2] for name in nodes)}},
        **{"ssh_daemons": 0, "atoms": [22000, 1048576], "boot_server": False},
    }


def view(nodes: list[str], node: str, tls: bool = True, **other: Any) -> dict[str, Any]:
    """What mesh_info returns of a node that sees all others."""
    said = {"visible": [peer for peer in nodes if peer != node], "hidden": [], "global_groups": [], "in_force": in_force(nodes, node, tls)}
    return {"node": node, "code": "connected", **said, **TOLD, **other}


def evidence(
    *,
    of: dict[str, Any] | None = None,
    seen: Hosts | None = None,
    answer: Callable[[Probe], Answer | None] = hardened,
    mesh: Mapping[str, dict[str, Any] | None] | None = None,
    advisories: Mapping[str, list[dict[str, Any]]] | None = None,
    outsiders: list[str] | None = None,
    scope: Scope = FULL,
    **other: Any,
) -> Evidence:
    """seen: by host, as observe returns it. mesh: by node, what is other than a whole mesh; None for a node that was not asked."""
    planned = of or plan()
    target = Target.from_plan(planned, contents(Target.from_plan(planned)))
    raw = hosts() if seen is None else seen
    outside = ["outsider"] if outsiders is None else outsiders
    views = {node.node: view([other.node for other in target.reachable(node.node)], node.node, bool(target.tls)) for node in target.members}
    for member in target.members:
        views[member.node]["in_force"]["names"]["pinned"] = {one.host_part: [one.address] for one in target.reachable(member.node)}
    for node, values in (mesh or {}).items():
        if values is None:
            del views[node]
        else:
            views[node].update(values)
    given = Evidence(
        target=target,
        seen={name: Observation.parse(name, own) for name, own in raw.items() if own},
        answers=[],
        views={node: NodeView.parse(own) for node, own in views.items()},
        outsiders=outside,
        epoch=NOW,
        advisories=[advisory(entry, name) for name, entries in (advisories or {}).items() for entry in entries],
        scope=scope,
        **{"links": {host: [] for host in raw}, "table": TABLE, **other},
    )
    return replace(given, answers=[one for one in map(answer, requests(given.questions, outside)) if one is not None])
