# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls as data: one entry for each question that makes a cluster hardened.

Private to this collection, pure. Each control has exactly one check, or is an attack (attacks.py); a test holds that, and another one that
docs/controls.md says the same.
"""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("info", "low", "medium", "high", "critical")

# What a control looks at. The first group is read on the host, the second is what happened when the protocol was spoken.
LOOKS_AT = ("listeners", "files", "unit", "processes", "firewall", "probes", "mesh", "attacks")

SANDBOX_EXPOSURE_MAX = 1.5
"""Highest overall exposure level of systemd-analyze security that passes; 10 is no sandbox at all."""

CERTIFICATE_DAYS_MIN = 7
"""Days that a certificate must still be valid for."""

Reference = tuple[str, str]
"""Title and URL."""


@dataclass(frozen=True)
class Control:
    """One question with a yes or no answer.

    remedy: what makes it pass on any BEAM host, as an imperative. role: the role of this collection that does it, empty where none does. references:
    where the rule comes from.
    """

    id: str
    title: str
    why: str
    remedy: str
    role: str
    references: tuple[Reference, ...]
    severity: str
    looks_at: str

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"{self.id}: unknown severity {self.severity!r}")
        if self.looks_at not in LOOKS_AT:
            raise ValueError(f"{self.id}: unknown subject {self.looks_at!r}")

    @property
    def fix(self) -> str:
        return f"{self.remedy} Role {self.role} does it." if self.role else self.remedy


_OTP = "https://www.erlang.org/doc"
_SYSTEMD = "https://www.freedesktop.org/software/systemd/man/latest"
TLS_GUIDE = ("Erlang/OTP, Using TLS for Erlang Distribution", f"{_OTP}/apps/ssl/ssl_distribution.html")
SECURE_CODING = ("Erlang/OTP Secure Coding Guidelines, DEP-001", f"{_OTP}/system/secure_coding.html")
PROTOCOL = ("Erlang/OTP, Distribution Protocol", f"{_OTP}/apps/erts/erl_dist_protocol.html")
DISTRIBUTED = ("Erlang/OTP, Distributed Erlang, Security", f"{_OTP}/system/distributed.html")
EPMD = ("epmd(1)", f"{_OTP}/apps/erts/epmd_cmd.html")
ERL = ("erl(1)", f"{_OTP}/apps/erts/erl_cmd.html")
KERNEL = ("kernel(6)", f"{_OTP}/apps/kernel/kernel_app.html")
NET_KERNEL = ("net_kernel:allow/1", f"{_OTP}/apps/kernel/net_kernel.html#allow/1")
NODES = ("erlang:nodes/0", f"{_OTP}/apps/erts/erlang.html#nodes/0")
UNIT = ("systemd.unit(5)", f"{_SYSTEMD}/systemd.unit.html")
EXEC = ("systemd.exec(5)", f"{_SYSTEMD}/systemd.exec.html")
ANALYZE = ("systemd-analyze(1)", f"{_SYSTEMD}/systemd-analyze.html")
DESIGN = ("Architecture of beam.cluster", "architecture.md")

CONTROLS = (
    Control(
        "epmd-listeners",
        "EPMD listens on loopback and the cluster address only, or not at all",
        "EPMD gives the names and ports of all nodes to everybody who asks, without authentication. Slow connections exhaust it.",
        "Set ListenStream= in epmd.socket (or ERL_EPMD_ADDRESS) to these addresses. Stop any other process on the port that the finding names.",
        "epmd",
        (SECURE_CODING, EPMD),
        "high",
        "listeners",
    ),
    Control(
        "distribution-listeners",
        "A node listens for its peers on its cluster address only, or not at all",
        "A peer that completes the handshake runs code as the node's user. A handshake that cannot start cannot be attacked.",
        "Set -kernel inet_dist_use_interface, inet_dist_listen_min and inet_dist_listen_max, and restart the node. Where flags are lost, find the "
        "drop-in or file that sets ERL_AFLAGS with systemctl cat. End a VM that was started by hand.",
        "distribution",
        (SECURE_CODING, KERNEL),
        "critical",
        "listeners",
    ),
    Control(
        "private-key",
        "The node's key belongs to its user, has mode 0400, and no other user can replace it",
        "Whoever reads the key can act as the node until the certificate ends.",
        "Set owner and mode of the key file. Take write permission on the directories above it from other users.",
        "pki",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "cookie-file",
        "The cookie file belongs to the node's user, has mode 0400, and no other user can replace it",
        "The cookie is the last proof in the handshake. Erlang refuses a cookie file that others can read.",
        "Set owner and mode of .erlang.cookie. Take write permission on the directories above it from other users.",
        "distribution",
        (DISTRIBUTED,),
        "critical",
        "files",
    ),
    Control(
        "options-file",
        "Files that the VM evaluates at start belong to root, and no other user can write or replace them",
        "The TLS options file is an Erlang expression that the VM evaluates. Whoever writes it, or replaces it, runs code in the node and can turn "
        "verification off.",
        "Set owner root and mode 0644. Let no other user own, or write, a directory above these files.",
        "distribution",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "unit-drop-in",
        "The unit runs with the drop-in, as its own user, and starts at boot",
        "Without the drop-in the node has other flags. A node that does not start at boot is missing after the next one.",
        "Write the drop-in, run systemctl daemon-reload, enable the unit and restart it. Rename a drop-in that sorts after it.",
        "service",
        (UNIT,),
        "high",
        "unit",
    ),
    Control(
        "unit-sandbox",
        f"systemd rates the unit's exposure {SANDBOX_EXPOSURE_MAX} or lower",
        "Code that an attacker runs in a node reaches as little of the host as the node needs.",
        "Set the sandbox directives of systemd.exec(5) in a drop-in. Remove directives of the unit that come later and override them.",
        "service",
        (ANALYZE, EXEC),
        "medium",
        "unit",
    ),
    Control(
        "core-dumps",
        "The node leaves no core dump",
        "A core dump holds the memory of the VM: the cookie, the TLS keys and the data.",
        "Set LimitCORE=0 in a drop-in and restart the node; a running process keeps its limit.",
        "service",
        (EXEC, ERL),
        "medium",
        "unit",
    ),
    Control(
        "running-process",
        "The running node is the one that the files describe",
        "A node keeps the options that it was started with. Files that changed since harden nothing.",
        "Restart the node.",
        "service",
        (DESIGN,),
        "high",
        "processes",
    ),
    Control(
        "running-vm",
        "The running VM is the OTP on disk",
        "An upgrade changes files. A node keeps the VM and the libraries that it has loaded, with their vulnerabilities, until it restarts.",
        "Restart the node. beam.cluster.site restarts such nodes one at a time.",
        "service",
        (("proc(5), /proc/PID/exe and /proc/PID/maps", "https://man7.org/linux/man-pages/man5/proc_pid_exe.5.html"),),
        "high",
        "processes",
    ),
    Control(
        "argument-list",
        "No cookie in any argument list",
        "Every user of the host can read it with ps.",
        "Remove -setcookie from vm.args, ERL_FLAGS and start scripts; the cookie file is enough. Give a script that insists on one a random "
        "word, and the VM -setcookie without a value beside it: then it reads the cookie file.",
        "",
        (ERL, ("proc(5)", "https://man7.org/linux/man-pages/man5/proc.5.html")),
        "critical",
        "processes",
    ),
    Control(
        "firewall-rules",
        "The firewall lets exactly the members reach EPMD and the distribution ports",
        "It protects a node from flaws in EPMD, TLS and the handshake. The OTP packages of Debian have some.",
        "Load the table inet beam_cluster: it accepts the members at these ports and drops every other packet to them, in both address families.",
        "firewall",
        (SECURE_CODING,),
        "critical",
        "firewall",
    ),
    Control(
        "firewall-boot",
        "The firewall is loaded before the node, at every boot",
        "If the listener starts before the rules, it is open to everybody in between.",
        "Enable beam-firewall.service, and let the node's unit have it in After= and Requires=.",
        "firewall",
        (UNIT,),
        "high",
        "firewall",
    ),
    Control(
        "mesh-connected",
        "Nodes connect to each other, over TLS where it is planned, and each proves its name",
        "Neither flags nor the state of a unit prove TLS: a flag given twice means plain TCP on OTP before 27.1. Only a connection does.",
        "Look up the code of the finding in docs/codes.md. It names the stage at which the connection ended.",
        "",
        (TLS_GUIDE, PROTOCOL),
        "critical",
        "probes",
    ),
    Control(
        "certificate-lifetime",
        f"Every certificate that a node shows is valid now and for {CERTIFICATE_DAYS_MIN} more days",
        "When it ends, no node can connect any more, and nothing warns before.",
        "Renew the certificate. A running node uses a new file within 120 seconds, if its modification time is new. Check the clocks.",
        "pki",
        (DESIGN,),
        "high",
        "probes",
    ),
    Control(
        "mesh-members",
        "Every node is connected to every other member, and to no other node",
        "Probes that reach all nodes do not prove that the nodes reach each other. A node that is no member runs code on all of them.",
        "For a missing node: read the log of the node that the finding names. For a node that is no member: stop it, then change the cookie and the "
        "certificates, because it has both.",
        "",
        (NODES,),
        "critical",
        "mesh",
    ),
    Control(
        "mesh-settings",
        "Every node runs with the planned parameters for lost connections",
        "Nodes that disagree about when a peer is lost split a cluster.",
        "Set beam_net_ticktime and the other variables of the cluster once for all. Remove the product's own settings that override them.",
        "distribution",
        (KERNEL,),
        "medium",
        "mesh",
    ),
    Control(
        "outside-epmd",
        "EPMD does not answer hosts outside the cluster",
        "An attacker asks for names and ports of the nodes first, and EPMD has no authentication.",
        "Drop packets from other hosts to EPMD's port, and bind EPMD to the cluster address.",
        "firewall",
        (SECURE_CODING,),
        "high",
        "attacks",
    ),
    Control(
        "outside-distribution-port",
        "Hosts outside the cluster do not reach a node's port",
        "Before authentication, each name costs the node an atom that is never freed, and silent connections keep its peers from connecting.",
        "Drop packets from other hosts to the port range, and set inet_dist_use_interface.",
        "firewall",
        (SECURE_CODING, PROTOCOL),
        "critical",
        "attacks",
    ),
    Control(
        "member-public-epmd",
        "EPMD does not answer on a public address, not even to a member",
        "What a member reaches over a public network, others on that network may reach, too.",
        "Bind EPMD to loopback and the cluster address.",
        "epmd",
        (SECURE_CODING,),
        "medium",
        "attacks",
    ),
    Control(
        "member-public-distribution-port",
        "A node does not listen on a public address, not even for a member",
        "What a member reaches over a public network, others on that network may reach, too.",
        "Set inet_dist_use_interface.",
        "distribution",
        (SECURE_CODING,),
        "high",
        "attacks",
    ),
    Control(
        "local-epmd",
        "EPMD does not answer other users of the host",
        "A user that reaches EPMD can register the name of a node that is down. Its peers then connect to that user's process.",
        "Reject connections over lo from other users than root and those of the nodes. beam_firewall_local_users lists exceptions.",
        "firewall",
        (SECURE_CODING, EPMD),
        "medium",
        "attacks",
    ),
    Control(
        "local-distribution-port",
        "Other users of the host do not reach a node's port",
        "Peers and the network's firewall see a member's host, whichever user connects.",
        "Reject connections over lo from other users than root and those of the nodes. beam_firewall_local_users lists exceptions.",
        "firewall",
        (SECURE_CODING,),
        "medium",
        "attacks",
    ),
    Control(
        "plaintext",
        "A plaintext handshake is refused",
        "In plain TCP everybody on the path reads and changes everything, and can guess the cookie from a recorded handshake.",
        "Give the VM -proto_dist inet_tls exactly once. Remove beam_tls: false.",
        "distribution",
        (TLS_GUIDE, PROTOCOL),
        "critical",
        "attacks",
    ),
    Control(
        "old-tls",
        "A TLS version that the cluster does not list is refused",
        "TLS 1.2 clients of OTP before July 2026 accept a server without a certificate (CVE-2026-55953), and its client certificates cross the "
        "network in the clear.",
        "Set beam_tls_versions: ['tlsv1.3']. While it lists TLS 1.2, there is nothing to test.",
        "distribution",
        (TLS_GUIDE,),
        "high",
        "attacks",
    ),
    Control(
        "no-certificate",
        "TLS without a client certificate is refused",
        "verify_peer alone lets clients without a certificate in on OTP 25 and older.",
        "Set {verify, verify_peer} and {fail_if_no_peer_cert, true} in the server's options of the TLS options file.",
        "distribution",
        (TLS_GUIDE,),
        "critical",
        "attacks",
    ),
    Control(
        "foreign-certificate",
        "A certificate of another CA is refused",
        "TLS does not bind a certificate to a node name: the CA alone decides which node is a member. So only the cluster's own may count.",
        "Set {verify, verify_peer}, and let cacertfile hold the cluster's own CA only.",
        "distribution",
        (TLS_GUIDE,),
        "critical",
        "attacks",
    ),
    Control(
        "expired-certificate",
        "An expired certificate of the cluster's CA is refused",
        "A host that left the cluster still has its key. The end date limits that.",
        "Set {verify, verify_peer}. Remove a verify_fun that accepts everything. Check the node's clock.",
        "distribution",
        (TLS_GUIDE,),
        "high",
        "attacks",
    ),
    Control(
        "other-name",
        "A member's certificate cannot claim another member's host",
        "TLS alone does not bind a node name: with any member's key one could take over the connections of all the others.",
        "Let the node call net_kernel:allow/1 with the names of the members. Another name on the same host stays possible.",
        "distribution",
        (NET_KERNEL,),
        "high",
        "attacks",
    ),
    Control(
        "wrong-cookie",
        "A member with a wrong cookie is refused",
        "The cookie is the second proof. It protects the cluster when a key is stolen or the CA signs a wrong certificate.",
        "Write a random cookie to .erlang.cookie, and start the node without -nocookie and -setcookie. The attack shows the cookie of -nocookie.",
        "distribution",
        (PROTOCOL,),
        "critical",
        "attacks",
    ),
)

NOTES = ("clock_ahead", "host_firewall_accepts", "one_network", "outside_tls", "shared_epmd", "stale_host")
"""Notes of other roles that a waiver may be about, beside controls and vulnerabilities (by their CVE)."""

BY_ID = {control.id: control for control in CONTROLS}
