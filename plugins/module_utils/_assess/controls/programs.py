# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the programs that a node runs: their owner, their build, whether they are maintained and have known vulnerabilities.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import EEF_INSTALLING, EEF_RELEASES, SECURE_CODING
from .thresholds import OPENSSL_MIN, OTP_MAINTAINED, VULNERABILITIES_AGE_MAX

VULNERABILITIES_AGE = "advisories-age"
UNNEEDED = frozenset({"observer", "debugger", "wx", "et", "reltool", "common_test", "dialyzer", "megaco", "diameter"})
"""Applications of OTP that no release in operation needs."""

_SUPPORT = ("Erlang/OTP, supported releases", "https://github.com/erlang/otp/security/policy")

CONTROLS = (
    Control(
        "program-owner",
        "Only root can write the program and the OTP or release that a node runs, and no program there has setuid or capabilities",
        "A user who can write there runs code in the node after its next start, in spite of every other control. A VM with setuid or capabilities "
        "runs any user's code with these rights.",
        "Set owner root for the directories that the finding names: chown -R root. Use another directory for the node's data. Remove the rights: "
        "chmod u-s,g-s, setcap -r. For ports below 1024 set AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit.",
        "",
        (SECURE_CODING, EEF_RELEASES),
        "high",
        "files",
    ),
    Control(
        "package-files",
        "The programs and modules of OTP and of its products are those of their packages",
        "A program or module that was replaced on the disk is in force after the next start, and nothing else shows it: the running node agrees with "
        "its files. An application in a directory of a newer version takes the place of the packaged one.",
        "Install the package that the finding names again: apt-get install --reinstall PACKAGE. Remove files of no package. Then restart the node, "
        "and find out who changed them. For patches of your own, build a package.",
        "",
        (("deb-md5sums(5)", "https://manpages.debian.org/bookworm/dpkg-dev/deb-md5sums.5.en.html"), SECURE_CODING),
        "critical",
        "files",
    ),
    Control(
        "program-protections",
        "The VM's and EPMD's programs are built with PIE, RELRO and a stack that is not executable",
        "These protections make a flaw in native code hard to exploit.",
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
        "OpenSSL 1.1.1 and older get no public patches. OTP's application crypto uses it.",
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
        f"OTP maintains the releases {', '.join(map(str, OTP_MAINTAINED))}. Flaws in older releases are not fixed.",
        "Upgrade to a maintained release: run beam.cluster.upgrade_otp, or set beam_otp_root to an OTP of your own. Restart the node.",
        "otp",
        (_SUPPORT, EEF_INSTALLING),
        "high",
        "processes",
        audit_only=True,
    ),
    Control(
        "otp-same",
        "Nodes with one cookie and one OTP release run the same patch of it",
        "The node with the oldest patch still has flaws that are fixed on the others. An upgrade may be incomplete.",
        "Upgrade the hosts that the finding names, and restart their nodes.",
        "otp",
        (SECURE_CODING,),
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
        "observer, debugger and wx can show and change everything in a node. wx contains native code, which can have flaws.",
        "Remove the applications that the finding names from the release.",
        "",
        (EEF_RELEASES,),
        "low",
        "files",
        audit_only=True,
    ),
    Control(
        VULNERABILITIES_AGE,
        f"The table of known vulnerabilities is not older than {VULNERABILITIES_AGE_MAX} days",
        "Vulnerabilities that were published after the date of the table are not in the report. OTP published some in every month of 2026.",
        "Make a newer table with plugins/plugin_utils/derive_vulnerability_table.py, and set beam_advisories_file to it.",
        "",
        (("Known vulnerabilities, and how to make a newer table", "https://github.com/beam-cluster/beam.cluster/blob/main/docs/vulnerabilities.md"),
         ("Erlang Ecosystem Foundation CNA", "https://cna.erlef.org")),
        "medium",
        "vulnerabilities",
    ),
)
