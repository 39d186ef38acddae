# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls as data: what "hardened" means, one entry per question, and the attacks that must be refused.

Private to this collection. C(findings.py) holds one check per control; a unit test keeps the two lists equal, and another keeps
docs/controls.md equal to C(catalogue()).
"""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("info", "low", "medium", "high", "critical")

# What a control looks at. The first group is read on the host, the second is what happened when somebody spoke the protocol.
LOOKS_AT = ("listeners", "files", "unit", "processes", "firewall", "probes", "mesh", "attacks")

SANDBOX_EXPOSURE_MAX = 1.5
"""Highest overall exposure level of C(systemd-analyze security) that passes; 10 is no sandbox at all."""

CERTIFICATE_DAYS_MIN = 7
"""Days that a certificate must still be good for."""

PORTS_PER_WINDOW_MAX = 16
"""Ports of one window that an attack knocks at: the registered one is proven first, wide windows are sampled from the low end."""


@dataclass(frozen=True)
class Control:
    """One question with a yes or no answer.

    C(fix) says what makes it pass; C(source) is where the rule comes from, so that a reader can disagree with it knowingly.
    """

    id: str
    title: str
    why: str
    fix: str
    source: str
    severity: str
    looks_at: str

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"{self.id}: unknown severity {self.severity!r}")
        if self.looks_at not in LOOKS_AT:
            raise ValueError(f"{self.id}: unknown subject {self.looks_at!r}")


@dataclass(frozen=True)
class Attack:
    """One thing that must be refused. Its control has the same id.

    C(vantage) is C(outside) (a host that is no member), C(member) (a member's own address, key and cookie) or C(user) (another user of the
    target's own host). C(network) is which addresses of the target are attacked: C(cluster), C(public) (every other address of that host),
    C(any), or C(own) (loopback and the cluster address).
    C(aim) is C(epmd) or C(node). C(present) says what the attacker shows: see C(probes.target()).
    C(stage) is the stage of the connection that has to say no and C(refused) the only codes that prove it did: a connection that
    ends anywhere else before says nothing about that stage and counts as not tested, one that gets past it has succeeded.
    """

    id: str
    vantage: str
    network: str
    aim: str
    present: str
    stage: str
    refused: frozenset[str]


NOT_REACHED = frozenset({"closed", "filtered", "unreachable", "epmd_closed", "epmd_filtered", "epmd_unreachable"})
"""Nothing accepted the connection."""

ATTACKS = (
    Attack("outside-epmd", "outside", "any", "epmd", "names", "connect", NOT_REACHED),
    Attack("outside-window", "outside", "any", "node", "nothing", "connect", NOT_REACHED),
    Attack("member-public-epmd", "member", "public", "epmd", "names", "connect", NOT_REACHED),
    Attack("member-public-window", "member", "public", "node", "nothing", "connect", NOT_REACHED),
    Attack("local-epmd", "user", "own", "epmd", "user_names", "connect", NOT_REACHED),
    Attack("local-window", "user", "own", "node", "user_nothing", "connect", NOT_REACHED),
    Attack("plaintext", "member", "cluster", "node", "plaintext", "tls", frozenset({"plaintext_on_tls"})),
    # No such version; or, where a product wants it listed (late_tls_options_before), no suite of it.
    Attack(
        "old-tls",
        "member",
        "cluster",
        "node",
        "old_tls",
        "tls",
        frozenset({"tls_alert_protocol_version", "tls_alert_insufficient_security"}),
    ),
    # TLS 1.3 has an alert of its own for it, TLS 1.2 has not.
    Attack(
        "no-certificate",
        "member",
        "cluster",
        "node",
        "no_certificate",
        "tls",
        frozenset({"tls_alert_certificate_required", "tls_alert_handshake_failure"}),
    ),
    Attack("foreign-certificate", "member", "cluster", "node", "foreign_certificate", "tls", frozenset({"tls_alert_unknown_ca"})),
    Attack("expired-certificate", "member", "cluster", "node", "expired_certificate", "tls", frozenset({"tls_alert_certificate_expired"})),
    # An allow list that is bound to certificates closes the connection without a word.
    Attack("other-name", "member", "cluster", "node", "other_name", "status", frozenset({"not_allowed", "dropped_status"})),
    Attack("wrong-cookie", "member", "cluster", "node", "public_cookie", "ack", frozenset({"cookie_refused_theirs"})),
)

_TLS_GUIDE = "Erlang/OTP, Using TLS for Erlang Distribution"
_DEP_001 = "Erlang/OTP Secure Coding Guide, DEP-001"
_PROTOCOL = "Erlang/OTP, Distribution Protocol"

CONTROLS = (
    Control(
        "epmd-listeners",
        "EPMD listens on loopback and the cluster address only, or not at all",
        "EPMD tells anybody who asks the names and ports of all nodes, and keeps slow connections open until it can take no more.",
        "role epmd: binds epmd.socket to these addresses, or keeps it from running where no node needs it. Another process on the port "
        "is named in the finding: stop it.",
        f"{_DEP_001}; epmd(1)",
        "high",
        "listeners",
    ),
    Control(
        "distribution-listeners",
        "A node listens for its peers on its cluster address only, or not at all",
        "Whoever completes the handshake runs code as the node's user. The best handshake is the one that cannot be begun.",
        "role distribution: sets inet_dist_use_interface and the port window. A node that was not restarted since still has its old listener. "
        "Where flags are lost: systemctl cat of the unit shows the drop-in or file that sets ERL_AFLAGS; a VM started by hand is to be ended.",
        f"{_DEP_001}; kernel application, inet_dist_use_interface",
        "critical",
        "listeners",
    ),
    Control(
        "private-key",
        "The node's key belongs to its user, mode 0400",
        "Who reads the key is the node, for as long as the certificate lasts.",
        "role pki: makes the key on the node with that owner and mode.",
        f"{_TLS_GUIDE}",
        "critical",
        "files",
    ),
    Control(
        "cookie-file",
        "The cookie file belongs to the node's user, mode 0400",
        "The cookie is the last proof that the handshake asks for. Erlang itself refuses a cookie file that others can read.",
        "role distribution: writes the cookie file.",
        "Erlang/OTP, Distributed Erlang, Security",
        "critical",
        "files",
    ),
    Control(
        "options-file",
        "What the VM evaluates at start belongs to root and nobody else can write it",
        "The TLS options file is an Erlang expression that the VM evaluates: who writes it runs code in the node and can turn verification off.",
        "role distribution: writes these files root:root 0644.",
        f"{_TLS_GUIDE}; ssl_dist_sup.erl",
        "critical",
        "files",
    ),
    Control(
        "unit-drop-in",
        "The unit runs with the drop-in, as its own user, and starts at boot",
        "Without the drop-in the flags of a node come from whoever started it. A node that does not start at boot was proven for nothing.",
        "role service: writes the drop-in, reloads systemd and enables the unit. A drop-in that comes later in the alphabet is to be renamed.",
        "systemd.unit(5), drop-in directories",
        "high",
        "unit",
    ),
    Control(
        "unit-sandbox",
        f"systemd rates the unit's exposure {SANDBOX_EXPOSURE_MAX} or lower",
        "A node that is broken into should reach as little of its host as a node needs.",
        "role service: the sandbox in the drop-in. A directive of the unit's own that comes later wins over it.",
        "systemd-analyze(1), security; systemd.exec(5), sandboxing",
        "medium",
        "unit",
    ),
    Control(
        "core-dumps",
        "The node leaves no core dump",
        "A core holds the whole memory of the VM: the cookie, the TLS keys and the data.",
        "role service: LimitCORE=0 in the drop-in; the running process keeps the limit that it was started with.",
        "systemd.exec(5), LimitCORE; erl(1), crash dumps",
        "medium",
        "unit",
    ),
    Control(
        "running-process",
        "The running node is the one that the files describe",
        "Files that nobody has read yet harden nothing: a node keeps the options that it was started with.",
        "role service: restarts the node when its process does not carry the digest of the files.",
        "design of this collection",
        "high",
        "processes",
    ),
    Control(
        "argument-list",
        "No cookie in any argument list",
        "Every user of the host can read it in ps.",
        "Take -setcookie out of vm.args, ERL_FLAGS and start scripts; the cookie file is enough. "
        "A script that insists on one gets a word that was drawn at random. A -setcookie without a value beside it has the VM take the cookie file.",
        "Erlang/OTP, erl(1), -setcookie; proc(5)",
        "critical",
        "processes",
    ),
    Control(
        "firewall-rules",
        "Exactly the members may reach EPMD and the window",
        "It is what protects a node from flaws in front of TLS and the cookie, and Debian's OTPs carry some.",
        "role firewall: replaces its table in one transaction.",
        _DEP_001,
        "critical",
        "firewall",
    ),
    Control(
        "firewall-boot",
        "The firewall is loaded before the node, at every boot",
        "A rule that comes after the listener leaves a door open for the seconds that a scanner needs.",
        "role firewall: enables beam-firewall.service; role service: the node requires it.",
        "systemd.unit(5), Before and Requires",
        "high",
        "firewall",
    ),
    Control(
        "mesh-connected",
        "Every node connects to every node, over TLS where it is planned, and each proves who it is",
        "A VM that says it speaks TLS may not: a flag given twice means plain TCP on OTP before 27.1 while ps shows TLS. Only the wire tells.",
        "The finding names the pair, the stage and the code; the documentation of beam.cluster.dist_probe says what each code means.",
        f"{_TLS_GUIDE}; {_PROTOCOL}",
        "critical",
        "probes",
    ),
    Control(
        "certificate-lifetime",
        f"Every certificate on the wire is good for {CERTIFICATE_DAYS_MIN} more days",
        "On the day it expires no node can come back from a restart, and nothing says so before.",
        "role pki: renews when less than a third of the lifetime is left. Nodes serve a new file within 120 seconds.",
        "design of this collection",
        "high",
        "probes",
    ),
    Control(
        "mesh-whole",
        "Every node has every other node in its own nodes(), hidden ones in nodes(hidden)",
        "That a probe reaches all nodes does not prove that the nodes reach each other: each has its own options, names and routes.",
        "The finding names who misses whom. Look at the log of the node that misses the other.",
        "Erlang/OTP, erlang:nodes/0",
        "critical",
        "mesh",
    ),
    Control(
        "mesh-settings",
        "Every node runs with the partition strategy that was planned",
        "Nodes that disagree about when a peer is lost tear a cluster apart: one half gives up what the other still counts on.",
        "The variables beam_net_ticktime and its neighbours, the same for all. Look for a product's own settings that win over them.",
        "Erlang/OTP, kernel(6), net_ticktime, prevent_overlapping_partitions, connect_all, dist_auto_connect",
        "medium",
        "mesh",
    ),
    Control(
        "outside-epmd",
        "EPMD answers nobody outside the cluster",
        "Names and ports of all nodes are what an attacker asks for first, and EPMD has no authentication.",
        "role firewall for the cluster network, role epmd for every other.",
        _DEP_001,
        "high",
        "attacks",
    ),
    Control(
        "outside-window",
        "Nobody outside the cluster reaches a node's port",
        "A name costs the node an atom for ever, and a few silent connections stall its peers, all before any authentication.",
        "role firewall for the cluster network, role distribution for every other.",
        f"{_DEP_001}; inet_tls_dist.erl",
        "critical",
        "attacks",
    ),
    Control(
        "member-public-epmd",
        "EPMD does not answer on a public address, not even to a member",
        "What a member can reach over the public network crosses that network, and others may sit on it.",
        "role epmd: loopback and cluster address only.",
        _DEP_001,
        "medium",
        "attacks",
    ),
    Control(
        "member-public-window",
        "A node is not reached on a public address, not even by a member",
        "What a member can reach over the public network crosses that network, and others may sit on it.",
        "role distribution: inet_dist_use_interface.",
        _DEP_001,
        "high",
        "attacks",
    ),
    Control(
        "local-epmd",
        "EPMD answers no other user of the host",
        "Whoever reaches it can register the name of a node that is down, and peers then connect to the impostor.",
        "role firewall: root and the users of the nodes only; beam_firewall_local_users lists others.",
        f"{_DEP_001}; epmd(1)",
        "medium",
        "attacks",
    ),
    Control(
        "local-window",
        "No other user of the host reaches a node's port",
        "To the other nodes and to the firewall of the network every user of a member looks like the member.",
        "role firewall: root and the users of the nodes only; beam_firewall_local_users lists others.",
        _DEP_001,
        "medium",
        "attacks",
    ),
    Control(
        "plaintext",
        "A plaintext handshake is refused",
        "In plain TCP everybody on the path reads and changes everything, and a recorded challenge can be guessed at offline.",
        "role distribution: -proto_dist inet_tls, once. A flag given twice is the usual reason on OTP before 27.1; beam_tls: false is the other.",
        f"{_TLS_GUIDE}; {_PROTOCOL}",
        "critical",
        "attacks",
    ),
    Control(
        "old-tls",
        "A TLS version that the cluster does not list is refused",
        "TLS 1.2 clients of OTPs before July 2026 accept a server without a certificate (CVE-2026-55953), and its client "
        "certificates cross the network in the clear.",
        "beam_tls_versions: ['tlsv1.3'], and role distribution writes it. While 1.2 is listed, there is nothing to test here.",
        f"{_TLS_GUIDE}; CVE-2026-55953",
        "high",
        "attacks",
    ),
    Control(
        "no-certificate",
        "TLS without a client certificate is refused",
        "verify_peer alone lets clients without a certificate in on OTP 25 and older.",
        "role distribution: verify_peer and fail_if_no_peer_cert in the server's options.",
        f"{_TLS_GUIDE}",
        "critical",
        "attacks",
    ),
    Control(
        "foreign-certificate",
        "A certificate of another authority is refused",
        "A node binds no name to a certificate at the handshake, so the authority is the membership: it must be this cluster's own.",
        "role distribution: verify_peer with the cluster's own CA only.",
        f"{_TLS_GUIDE}",
        "critical",
        "attacks",
    ),
    Control(
        "expired-certificate",
        "An expired certificate of the cluster's authority is refused",
        "A member that was removed long ago still has its key. The end date is the limit that nobody has to remember.",
        "role distribution: verify_peer. Look for a verify_fun that accepts everything, and at the node's clock.",
        f"{_TLS_GUIDE}",
        "high",
        "attacks",
    ),
    Control(
        "other-name",
        "A member's certificate cannot claim another member's host",
        "TLS alone binds no node name: with any member's key one could take over the links of all the others.",
        "role distribution: net_kernel:allow/1 with the members. What is left is another name on the same host.",
        "inet_tls_dist.erl, allowed_nodes; net_kernel:allow/1",
        "high",
        "attacks",
    ),
    Control(
        "wrong-cookie",
        "A member with a wrong cookie is refused",
        "It is the second proof: it holds when a key is stolen, or when the authority signs what it should not.",
        "role distribution: a cookie of the cluster's own. The attack shows the cookie that a node started with -nocookie has.",
        _PROTOCOL,
        "critical",
        "attacks",
    ),
)

NOTES = ("clock_ahead", "host_firewall_accepts", "one_network", "outside_tls", "shared_epmd", "stale_host")
"""Notes of other roles that a waiver may be about, beside controls and vulnerabilities (by their CVE)."""

BY_ID = {control.id: control for control in CONTROLS}
ATTACK_BY_ID = {attack.id: attack for attack in ATTACKS}

_HEADER = """\
# Controls

What `beam.cluster.verify` asks of a cluster. This page is generated from `plugins/module_utils/_model/controls.py`; a test holds the two equal.

A control passes, fails, or was not tested. A failed control fails the play after everything has been reported. One that was not tested fails
it too, unless it is waived; see `beam_waivers` in the [README of the role](../roles/verify/README.md).
"""


def catalogue() -> str:
    """docs/controls.md, as Markdown."""
    lines = [_HEADER, "| Control | Severity | Looks at | What must hold |", "| --- | --- | --- | --- |"]
    lines += [f"| [{c.id}](#{c.id}) | {c.severity} | {c.looks_at} | {c.title} |" for c in CONTROLS]
    for control in CONTROLS:
        lines += ["", f"## {control.id}", "", f"**{control.title}.** Severity {control.severity}.", "", control.why, ""]
        lines += [f"* Looks at: {control.looks_at}", f"* What makes it pass: {control.fix}", f"* Source: {control.source}"]
        attack = ATTACK_BY_ID.get(control.id)
        if attack:
            where = {
                "outside": "a host outside the cluster",
                "member": "every member, with that member's key and cookie",
                "user": "the user nobody of each host",
            }[attack.vantage]
            address = {
                "any": "every address",
                "public": "every address but the cluster's",
                "cluster": "the cluster address",
                "own": "loopback and the cluster address",
            }[attack.network]
            codes = ", ".join(f"`{code}`" for code in sorted(attack.refused))
            lines += [f"* Attacked from: {where}, at {address} of each node", f"* Counts as refused: {codes}"]
    return "\n".join(lines) + "\n"
