# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where rules come from: title and URL of the documents that controls refer to.

Private to this collection, pure.
"""

from __future__ import annotations

Reference = tuple[str, str]
"""Title and URL."""

_OTP = "https://www.erlang.org/doc"
_SYSTEMD = "https://www.freedesktop.org/software/systemd/man/latest"
TLS_GUIDE = ("Erlang/OTP, Using TLS for Erlang Distribution", f"{_OTP}/apps/ssl/ssl_distribution.html")
SECURE_CODING = ("Erlang/OTP Secure Coding Guidelines, DEP-001", f"{_OTP}/system/secure_coding.html")
PROTOCOL = ("Erlang/OTP, Distribution Protocol", f"{_OTP}/apps/erts/erl_dist_protocol.html")
DISTRIBUTED = ("Erlang/OTP, Distributed Erlang, Security", f"{_OTP}/system/distributed.html")
EPMD = ("epmd(1)", f"{_OTP}/apps/erts/epmd_cmd.html")
ERL = ("erl(1)", f"{_OTP}/apps/erts/erl_cmd.html")
KERNEL = ("kernel(6)", f"{_OTP}/apps/kernel/kernel_app.html")
BOOT_SERVER = ("erl_boot_server(3)", f"{_OTP}/apps/kernel/erl_boot_server.html")
NET_KERNEL = ("net_kernel:allow/1", f"{_OTP}/apps/kernel/net_kernel.html#allow/1")
NODES = ("erlang:nodes/0", f"{_OTP}/apps/erts/erlang.html#nodes/0")
UNIT = ("systemd.unit(5)", f"{_SYSTEMD}/systemd.unit.html")
SYSUSERS = ("sysusers.d(5)", f"{_SYSTEMD}/sysusers.d.html")
TMPFILES = ("tmpfiles.d(5)", f"{_SYSTEMD}/tmpfiles.d.html")
EXEC = ("systemd.exec(5)", f"{_SYSTEMD}/systemd.exec.html")
ANALYZE = ("systemd-analyze(1)", f"{_SYSTEMD}/systemd-analyze.html")
CREATION = ("auth:create_cookie/1 in auth.erl", "https://github.com/erlang/otp/blob/OTP-27.3/lib/kernel/src/auth.erl")
LEAKED = ("erl-matter, leaked-cookies", "https://github.com/gteissier/erl-matter")
CRASH_DUMPS = ("Erlang/OTP, How to Interpret the Erlang Crash Dumps", f"{_OTP}/apps/erts/crash_dump.html")
TLS_HARDENING = ("Erlang/OTP, SSL Hardening", f"{_OTP}/apps/ssl/ssl_hardening.html")
PKIX = ("RFC 5280", "https://www.rfc-editor.org/rfc/rfc5280")
LOGIN = ("shadow(5)", "https://man7.org/linux/man-pages/man5/shadow.5.html")
_GUIDE = "https://github.com/erlef/security-wg/blob/main/docs/secure_coding_and_deployment_hardening"
EEF_DISTRIBUTION = ("EEF Security WG, Erlang distribution", f"{_GUIDE}/distribution.md")
EEF_CRASH_DUMPS = ("EEF Security WG, Crash dumps", f"{_GUIDE}/crash_dumps.md")
EEF_SANDBOXING = ("EEF Security WG, Sandboxing", f"{_GUIDE}/sandboxing.md")
EEF_INSTALLING = ("EEF Security WG, Installing Erlang and Elixir", f"{_GUIDE}/installing.md")
EEF_RELEASES = ("EEF Security WG, Releases", f"{_GUIDE}/releases.md")
EEF_ATOMS = ("EEF Security WG, Atom exhaustion", f"{_GUIDE}/atom_exhaustion.md")
PROC = ("proc(5)", "https://man7.org/linux/man-pages/man5/proc.5.html")
DESIGN = ("Architecture of beam.cluster", "architecture.md")
