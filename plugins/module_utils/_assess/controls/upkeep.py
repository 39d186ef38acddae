# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of upkeep: age and lifetime of secrets, programs that are maintained, files of a node that only root may change.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import DISTRIBUTED, EEF_DISTRIBUTION, EEF_INSTALLING, EEF_RELEASES, EPMD, PKIX, SECURE_CODING, TLS_GUIDE, Control

OTP_MAINTAINED = (27, 28, 29)
"""Releases of OTP that get patches, as of November 2026. OTP maintains the latest three."""

OPENSSL_MIN = (3, 0)
COOKIE_DAYS_MAX = 365
CERTIFICATE_LIFETIME_MAX = 398
"""Days. The limit of browsers for certificates of servers."""

CLOCK_SECONDS_MAX = 60
UNNEEDED = frozenset({"observer", "debugger", "wx", "et", "reltool", "common_test", "dialyzer", "megaco", "diameter"})
"""Applications of OTP that no release in operation needs."""

_SUPPORT = ("Erlang/OTP, supported releases", "https://github.com/erlang/otp/security/policy")
_BASELINE = ("CA/Browser Forum, Baseline Requirements, 6.3.2", "https://cabforum.org/working-groups/server/baseline-requirements/documents/")

CONTROLS = (
    Control(
        "trust-file",
        "The CA file and the certificate of a node belong to root, and no other user can write or replace them",
        "A user that writes the CA file decides which nodes are members.",
        "Set owner root and mode 0644 or 0444 for both. Take write permission on the directories above them from other users.",
        "pki",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "clock-skew",
        f"The clock of a host differs from the controller's by {CLOCK_SECONDS_MAX} seconds or less",
        "Certificates are valid by the clock of the host that checks them: one that is slow refuses new ones, and accepts those that ended.",
        "Set the clock, and install a time service, for example systemd-timesyncd or chrony.",
        "",
        (PKIX,),
        "medium",
        "system",
    ),
    Control(
        "certificate-validity",
        f"A node's certificate is issued for {CERTIFICATE_LIFETIME_MAX} days or fewer",
        "A key that is never renewed works for years after it was copied.",
        "Issue the certificate with a shorter lifetime (beam_pki_days), and renew it by a job: run beam.cluster.renew.",
        "pki",
        (_BASELINE, PKIX),
        "low",
        "files",
    ),
    Control(
        "cookie-age",
        f"The cookie is not older than {COOKIE_DAYS_MAX} days",
        "A cookie leaks with backups, hosts that left, and people that left. A new one ends that.",
        "Run beam.cluster.rotate_cookie, or write a new random cookie to .erlang.cookie of all members and restart them.",
        "distribution",
        (DISTRIBUTED,),
        "low",
        "files",
        audit_only=True,
    ),
    Control(
        "cookie-products",
        "Nodes of different products do not have one cookie",
        "With one cookie, a flaw in the one product gives access to the nodes of the other: two tiers are one cluster to Erlang.",
        "Give each cluster a cookie of its own: set beam_cookie for each group, and run beam.cluster.rotate_cookie.",
        "distribution",
        (EEF_DISTRIBUTION, DISTRIBUTED),
        "high",
        "files",
        audit_only=True,
    ),
    Control(
        "program-owner",
        "Only root can write the program and the OTP or release that a node runs, and no program there gives rights to others",
        "A user that writes there runs code in the node after its next start, past every other control. A VM with setuid or capabilities runs any "
        "code for every user, with these rights.",
        "Let root own the directories that the finding names: chown -R root. Give the node another directory for its data. Remove the rights: chmod "
        "u-s,g-s, setcap -r; for low ports set AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit.",
        "",
        (SECURE_CODING, EEF_RELEASES),
        "high",
        "files",
    ),
    Control(
        "program-protections",
        "The VM's and EPMD's programs are built with PIE, RELRO and a stack that is not executable",
        "These make a flaw in native code hard to use.",
        "Use the OTP of the distribution, or build it with CFLAGS=-fstack-protector-strong -fPIE and LDFLAGS='-pie -Wl,-z,relro,-z,now'.",
        "otp",
        (EEF_INSTALLING,),
        "medium",
        "processes",
        audit_only=True,
    ),
    Control(
        "openssl-maintained",
        f"The OpenSSL that a node has loaded is {'.'.join(map(str, OPENSSL_MIN))} or newer",
        "OpenSSL 1.1.1 and older get no public patches. The application crypto computes with it.",
        "Install a maintained OpenSSL and build OTP with it, or use the OTP of a supported distribution. Restart the node.",
        "otp",
        (("OpenSSL, Release strategy", "https://www.openssl.org/policies/releasestrat.html"), EEF_INSTALLING),
        "high",
        "processes",
        audit_only=True,
    ),
    Control(
        "otp-maintained",
        "The OTP that a node runs gets patches: from its distribution, or upstream",
        f"OTP maintains the releases {', '.join(map(str, OTP_MAINTAINED))}. A flaw in an older one stays.",
        "Install a maintained release (beam_otp_release), and restart the node.",
        "otp",
        (_SUPPORT, EEF_INSTALLING),
        "high",
        "processes",
        audit_only=True,
    ),
    Control(
        "otp-same",
        "Nodes with one cookie and one OTP release run the same patch of it",
        "The node with the oldest patch has the flaws that the others do not have any more. An upgrade may have been left half done.",
        "Upgrade the hosts that the finding names, and restart their nodes.",
        "otp",
        (SECURE_CODING,),
        "medium",
        "processes",
        audit_only=True,
    ),
    Control(
        "epmd-running",
        "The running EPMD is the program on disk",
        "An upgrade changes files. EPMD keeps running with the flaws of the old one, often for years.",
        "Restart it: systemctl restart epmd.service.",
        "epmd",
        (EPMD,),
        "medium",
        "processes",
        audit_only=True,
    ),
    Control(
        "embedded-mode",
        "A release runs in embedded mode",
        "In interactive mode a node loads a module at its first call, from every directory of its code path.",
        "Start the release with -mode embedded (RELEASE_MODE=embedded).",
        "",
        (SECURE_CODING, EEF_RELEASES),
        "low",
        "processes",
        audit_only=True,
    ),
    Control(
        "release-applications",
        "A release contains no application for development",
        "observer, debugger and wx show and change everything in a node. wx has native code, with flaws of its own.",
        "Remove the applications that the finding names from the release.",
        "",
        (EEF_RELEASES,),
        "low",
        "files",
        audit_only=True,
    ),
    Control(
        "log-files",
        "Not every user of a host can read the log files of a node",
        "Logs hold names, addresses, user data, and sometimes state with secrets.",
        "Set mode 0640 for the logs, or 0750 for their directory, and UMask=0027 in the unit.",
        "service",
        (SECURE_CODING,),
        "medium",
        "files",
        audit_only=True,
    ),
)
