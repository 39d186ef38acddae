# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A catalogue of what a hardened BEAM host should hold to, and which of our controls look at it. docs/controls.md shows it.

Private to this collection, pure. It was put together in November 2026 from OTP's Secure Coding Guidelines and SSL Hardening, the guides of the
EEF Security Working Group, RabbitMQ's production checklist and ejabberd's security guide. A test holds that every entry has controls
or a reason, and that every control is in an entry.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """What must hold. controls: ours that look at it. gap: what they do not see, or why there is none."""

    id: str
    holds: str
    controls: tuple[str, ...] = ()
    gap: str = ""

    def __post_init__(self) -> None:
        if not self.controls and not self.gap:
            raise ValueError(f"{self.id}: no control and no reason")


def _entry(name: str, holds: str, controls: str = "", gap: str = "") -> Entry:
    return Entry(name, holds, tuple(controls.split()), gap)


_TABLE = "vulnerabilities are reported one by one as advisories, by their CVE, and fail from a severity that the operator chooses"

ENTRIES = (
    _entry("EXP-01", "No node answers the plaintext handshake to an outsider", "plaintext"),
    _entry(
        "EXP-02",
        "No distribution port is reachable from outside the cluster",
        "outside-distribution-port member-public-distribution-port forwarded-ports",
    ),
    _entry("EXP-03", "EPMD answers nobody outside", "outside-epmd member-public-epmd"),
    _entry("EXP-04", "EPMD listens on loopback and the cluster address only", "epmd-listeners system-loopback"),
    _entry("EXP-05", "No EPMD where no local node needs it", "epmd-needed epmd-listeners"),
    _entry("EXP-06", "Distribution is bound to one cluster address", "distribution-listeners"),
    _entry("EXP-07", "The port range is pinned", "port-range distribution-listeners"),
    _entry("EXP-08", "A node without peers has no distribution, or on loopback only", "distribution-needed"),
    _entry("EXP-09", "Links lead to members only", "links mesh-members unplanned-nodes", "in an audit: who is a member only a plan says"),
    _entry("EXP-10", "Tiers are not joined by distribution", "cookie-products cookie-shared mesh-members"),
    _entry("EXP-11", "The host's firewall lets only members reach EPMD and the port range", "firewall-rules outside-epmd outside-distribution-port"),
    _entry("EXP-12", "The firewall is loaded at boot before the node", "firewall-boot"),
    _entry("EXP-13", "No other local user reaches EPMD or the port", "local-epmd local-distribution-port"),
    _entry("EXP-14", "EPMD runs without relaxed command check", "epmd-commands epmd-debug start-environment"),
    _entry("EXP-15", "No stale or foreign name is in EPMD", "epmd-names"),
    _entry("EXP-16", "IPv6 has no wider exposure than IPv4", "ipv6-exposure epmd-listeners distribution-listeners firewall-rules outside-epmd"),
    _entry(
        "EXP-17",
        "No other network shell in a node",
        "ssh-daemons remote-shells traced-processes boot-server boot-server-running",
        "in an audit: SSH servers, because only the node knows them",
    ),
    _entry("EXP-18", "Signs of scanning in the logs", gap="it is about what others did: it can neither pass nor fail, and logs are not read"),
    _entry("EXP-19", "The table of atoms has room", "atom-table", "in an audit: only the node knows"),
    _entry("TLS-01", "The running node speaks TLS", "plaintext mesh-connected distribution-listeners"),
    _entry("TLS-02", "The server needs a client certificate", "no-certificate"),
    _entry("TLS-03", "A certificate of another CA is refused", "foreign-certificate"),
    _entry("TLS-04", "The client side verifies", "tls-options options-verify"),
    _entry("TLS-05", "No option turns verification off: no verify_fun, no verify_none", "tls-options options-verify planned-files"),
    _entry("TLS-06", "The peer's name is checked", "other-name allow-list certificate-names", "in an audit: it needs a member's key"),
    _entry("TLS-07", "Old versions of TLS are refused", "old-tls tls-options"),
    _entry("TLS-08", "No weak cipher suite", "cipher-suites", "on the wire: read from the options, not tried suite by suite"),
    _entry("TLS-09", "No renegotiation by clients", "renegotiation", "on the wire: read from the options"),
    _entry("TLS-10", "Revocation is on", "revocation tls-options"),
    _entry("TLS-11", "The CRL is usable", "revocation-lists revoked-certificate", "in an audit: which CRLs a node needs is in its plan"),
    _entry("TLS-12", "Resumption does not pass by revocation", "session-resumption"),
    _entry("TLS-13", "No early data, no key log", "early-data key-log"),
    _entry(
        "TLS-14",
        "Tools of products use TLS and verify",
        "plaintext unplanned-nodes",
        "the options of tools that do not run: a node that refuses clear text refuses theirs",
    ),
    _entry("TLS-15", "All members are the same: no exception in clear text", "mesh-connected plaintext links"),
    _entry("TLS-16", "The options that run are those of the file", "tls-options planned-files options-running running-process running-code"),
    _entry(
        "TLS-17",
        "A post-quantum group is offered",
        gap="information only: OTP 25 to 27 have none, and the TLS library of the probe cannot choose groups",
    ),
    _entry("TLS-18", "No signature with SHA-1 or MD5 is accepted", "signature-algorithms", "on the wire: read from the options"),
    _entry("PKI-01", "The key is the node's user's, mode 0400, not replaceable", "private-key key-readers files-at-boot served-files"),
    _entry("PKI-02", "Options file, CA file and their directories are root's", "options-file trust-file"),
    _entry("PKI-03", "Every node has its own key", "key-of-its-own key-belongs"),
    _entry("PKI-04", "The certificate names the node's host", "certificate-names"),
    _entry("PKI-05", "The certificate has the right purposes and is no CA", "certificate-purposes"),
    _entry("PKI-06", "The certificate is valid, and not about to end", "certificate-lifetime expired-certificate"),
    _entry("PKI-07", "The CA is valid for longer than what it issued", "ca-lifetime"),
    _entry(
        "PKI-08",
        "Certificates are short-lived and renewed",
        "certificate-validity certificate-lifetime changeable-files",
        "whether a job renews them: it runs on the controller",
    ),
    _entry("PKI-09", "Keys and signatures are strong", "certificate-strength"),
    _entry("PKI-10", "The CA is the cluster's own", "trust-anchors"),
    _entry("PKI-11", "No CA is trusted that no member uses", "trust-anchors"),
    _entry("PKI-12", "The CA's key is on no node", "ca-key"),
    _entry("PKI-13", "The certificate that is shown is the one on disk", "certificate-served"),
    _entry("PKI-14", "Clocks are right, and a time service runs", "clock-skew system-time"),
    _entry("COO-01", "The cookie is no default and not published", "cookie-published known-cookie"),
    _entry("COO-02", "The cookie was not generated by OTP", "cookie-generated"),
    _entry("COO-03", "The cookie has 128 bits", "cookie-strength"),
    _entry("COO-04", "The cookie file is the node's user's, mode 0400", "cookie-file"),
    _entry("COO-05", "The cookie is in no argument list", "argument-list cookie-arguments"),
    _entry("COO-06", "The cookie is in no readable environment or unit file", "cookie-copies cookie-environment container-cookie"),
    _entry(
        "COO-07",
        "The cookie is not baked into an image or a release",
        "cookie-release cookie-copies",
        "layers of images: they are not on the host's file system as files",
    ),
    _entry("COO-08", "The cookie is not shared with another cluster", "cookie-shared cookie-products"),
    _entry("COO-09", "The cookie is the same on all members and has one source", "cookie-same cookie-environment"),
    _entry("COO-10", "No cookie of its own for a peer", "peer-cookies"),
    _entry("COO-11", "A wrong cookie is refused", "wrong-cookie"),
    _entry("COO-12", "The cookie is not in logs, crash dumps or histories", "cookie-copies crash-dumps"),
    _entry("COO-13", "The cookie is not old", "cookie-age"),
    _entry("COO-14", "The cookie is not the only protection", "plaintext outside-distribution-port no-certificate wrong-cookie"),
    _entry("VMX-01", "Own unprivileged user, not shared", "node-user epmd-user node-groups capabilities unit-drop-in"),
    _entry(
        "VMX-02",
        "Code, release and configuration are not the node's to write",
        "code-path program-owner package-files options-file start-files hosts-file",
    ),
    _entry("VMX-03", "Embedded mode", "embedded-mode"),
    _entry("VMX-04", "Nothing hidden adds code or flags at the start", "start-environment"),
    _entry("VMX-05", "Crash dumps are off or private", "crash-dump-settings crash-dumps"),
    _entry("VMX-06", "No core dumps", "core-dumps crash-dumps system-core-dumps system-swap"),
    _entry("VMX-07", "Programs are built with protections", "program-protections", "full RELRO and stack protectors: Debian builds OTP without them"),
    _entry("VMX-08", "The OpenSSL that is loaded is maintained", "openssl-maintained"),
    _entry("VMX-09", "Only applications that are needed", "release-applications"),
    _entry(
        "VMX-10",
        "A sandbox is in force",
        "unit-sandbox no-new-privileges capabilities system-calls container-privileges system-processes system-ptrace",
    ),
    _entry("VMX-11", "Logs are not open, and hold no debug output", "log-files ejabberd-log-level", "log levels of other products"),
    _entry("VMX-12", "Settings of lost connections are sane and equal", "mesh-settings partition-settings"),
    _entry("VMX-13", "Data is the node's user's only", "node-data"),
    _entry("VMX-14", "Nobody logs in as the node's user", "node-login"),
    _entry("VER-01", "OTP is maintained", "otp-maintained"),
    _entry("VER-02", "No known vulnerability in OTP", gap=_TABLE),
    _entry("VER-03", "No known vulnerability in Elixir and products", gap=_TABLE),
    _entry("VER-04", "The running VM is the installed one", "running-vm running-process"),
    _entry("VER-05", "One OTP patch in the cluster", "otp-same"),
    _entry("VER-06", "EPMD is as new as the VM", "epmd-running"),
    _entry("VER-07", "The table of vulnerabilities is younger than 30 days", "advisories-age"),
    _entry("PRD-01", "RabbitMQ: guest is not there, or on loopback only", "rabbitmq-guest rabbitmq-logins-running rabbitmq-passwords"),
    _entry("PRD-02", "RabbitMQ: no anonymous login", "rabbitmq-anonymous"),
    _entry("PRD-03", "RabbitMQ: ports of the distribution and of tools are closed", "outside-distribution-port firewall-rules unplanned-nodes"),
    _entry("PRD-04", "RabbitMQ: no management or metrics in clear text on a network", "rabbitmq-management client-ports"),
    _entry("PRD-05", "RabbitMQ: options between nodes verify", "options-verify tls-options"),
    _entry(
        "PRD-06",
        "ejabberd: files, log level, listeners",
        "ejabberd-files ejabberd-log-level ejabberd-api client-ports",
        "api_permissions: whom they let run which command. The listener of mod_http_api alone is looked at",
    ),
    _entry("PRD-07", "ejabberd: ports and interfaces of the distribution are set", "port-range distribution-listeners epmd-listeners"),
    _entry("PRD-08", "EMQX: cookie changed, options verify", "cookie-published options-verify"),
    _entry("PRD-09", "CouchDB: cookie changed, no node in clear text", "cookie-published plaintext"),
    _entry("PRD-10", "VerneMQ, MongooseIM, Riak: cookies and ports", "cookie-published port-range"),
    _entry("PRD-11", "Releases: distribution, cookie, remote shell", "cookie-release cookie-environment distribution-needed plaintext"),
    _entry("PRD-12", "Containers: no published ports, cookie from a file", "container-ports container-cookie container-privileges"),
    _entry("CLU-01", "Every member connects to every member with identity proven", "mesh-connected mesh-node member-addresses"),
    _entry("CLU-02", "The same settings on every member", "mesh-settings planned-files policy"),
    _entry("CLU-03", "A host that left can no longer connect", "allow-list wrong-cookie links revoked-certificate"),
    _entry("AUD-01", "Everything that could be tested was", "audit-coverage"),
    _entry("AUD-02", "Waivers have owner, reason and end, and are used", "waivers"),
)
