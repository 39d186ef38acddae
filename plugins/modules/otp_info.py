#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which OTP a host has, by its own word, and what that release is known to be vulnerable to."""

from __future__ import annotations

DOCUMENTATION = r"""
module: otp_info
short_description: Report a host's Erlang/OTP and its known vulnerabilities
version_added: "0.1.0"
description:
  - Runs C(erl), without distribution and without reading any C(.erlang), and asks for its release and for the applications that distribution
    over TLS needs. It starts these applications, so that a broken or missing OpenSSL shows here.
  - Lists the known vulnerabilities of this release that matter to a member, considering the distribution's patches.
  - Also reads the running VMs. A VM that was started before an upgrade, or from another installation, has the vulnerabilities of its own
    release. They are listed, too.
options:
  root:
    description:
      - The root directory of the OTP, as V(code:root_dir(\)) returns it.
      - By default that of the C(erl) in the search path.
    type: path
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Read the installed OTP
  beam.cluster.otp_info:
  register: otp

- name: Read an OTP that was built by hand
  beam.cluster.otp_info:
    root: /opt/otp-28/lib/erlang
  register: otp
"""

RETURN = r"""
found:
  description: Whether the host has an C(erl). If not, RV(otp) is not returned.
  type: bool
  returned: always
otp:
  description: The OTP, as C(erl) reports it.
  type: dict
  returned: when found
  contains:
    root:
      description: Its root directory.
      type: str
      sample: /usr/lib/erlang
    erl:
      description: Path of C(erl).
      type: str
      sample: /usr/bin/erl
    epmd:
      description: Path of the C(epmd) of this OTP.
      type: str
      sample: /usr/lib/erlang/bin/epmd
    epmd_systemd:
      description: Whether this C(epmd) supports socket activation by systemd.
      type: bool
    release:
      description: The major release.
      type: str
      sample: "27"
    version:
      description: The exact release, from its file C(OTP_VERSION).
      type: str
      sample: 27.3.4.1
    ssl:
      description: Whether the application ssl starts, with everything that distribution over TLS needs.
      type: bool
    ssl_error:
      description: Why ssl does not start; empty if it starts.
      type: str
    applications:
      description: Versions of the applications that distribution over TLS needs, without missing ones.
      type: dict
      sample: {asn1: 5.3.4.2, crypto: 5.5.3, kernel: 10.2.7.1, public_key: 1.17.1, ssl: 11.2.12.1}
    package:
      description: The distribution's package that contains C(erl); empty if there is none.
      type: dict
      sample: {name: erlang-base, version: 1:27.3.4.1+dfsg-1+deb13u4}
running:
  description: VMs that run another OTP than that of C(erl).
  type: list
  elements: dict
  returned: always
  contains:
    pid:
      description: Process ID.
      type: int
      sample: 1234
    unit:
      description: systemd unit of the process.
      type: str
      sample: rabbitmq-server.service
    root:
      description: The installation that it was started from, null if unknown.
      type: str
      sample: /usr/lib/erlang
    version:
      description: Its release, null if unknown because its files were replaced.
      type: str
      sample: 27.3.4.1
    package:
      description: The Debian package that it was started from; empty if there is none.
      type: dict
      sample: {name: erlang-base, version: 1:27.3.4.1+dfsg-1+deb13u3}
vulnerabilities:
  description: Known vulnerabilities of the release of C(erl) and of those in RV(running).
  type: list
  elements: dict
  returned: always
  contains:
    cve:
      description: CVE number.
      type: str
      sample: CVE-2026-89422
    severity:
      description: Severity for a member. One of V(low), V(medium), V(high), V(critical).
      type: str
      sample: high
    title:
      description: CVE number and what an attacker gains.
      type: str
    detail:
      description: The vulnerable release.
      type: str
      sample: OTP 25.2.3 (erlang-base 1:25.2.3+dfsg-1+deb12u4)
    fix:
      description: What to do.
      type: str
      sample: Upgrade to OTP 27.3.4.18 or newer.
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._assess import vulnerabilities
from ansible_collections.beam.cluster.plugins.module_utils._host import proc, vm

APPLICATIONS = ("kernel", "crypto", "asn1", "public_key", "ssl")

# One `key=value` line per answer. A missing application has an error tuple for a directory.
QUESTION = """
Say = fun(Key, Value) -> io:format("~ts=~ts~n", [Key, lists:flatten(Value)]) end,
Say("root", code:root_dir()),
Say("release", erlang:system_info(otp_release)),
[Say(Name, filename:basename(code:lib_dir(Name))) || Name <- [@APPLICATIONS@], is_list(code:lib_dir(Name))],
Say("ssl_error", case application:ensure_all_started(ssl) of {ok, _} -> ""; {error, Why} -> io_lib:format("~0p", [Why]) end),
halt().
""".replace("@APPLICATIONS@", ", ".join(APPLICATIONS))

# Somebody's flags for their own nodes are nothing to this question.
QUIET = {name: "" for name in ("ERL_AFLAGS", "ERL_FLAGS", "ERL_ZFLAGS", "ERL_LIBS")}


def ask(module: AnsibleModule, erl: str) -> dict[str, str]:
    """The answers to `QUESTION`, by their keys. Fails the module where `erl` does not run."""
    command = [erl, "-boot", "no_dot_erlang", "-noinput", "-eval", " ".join(QUESTION.split("\n"))]
    code, out, err = module.run_command(command, environ_update=QUIET, cwd="/")
    if code != 0:
        said = (err or out).strip()[:500]
        module.fail_json(msg=f"{erl} cannot be run: exit status {code}, {said}. Repair or reinstall Erlang/OTP on this host.", rc=code)
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def exact_version(root: str, release: str) -> str:
    """The text of `OTP_VERSION`, or the major release where there is no such file (an embedded system keeps none)."""
    try:
        with open(os.path.join(root, "releases", release, "OTP_VERSION"), encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return release


def owner(module: AnsibleModule, path: str) -> dict[str, str]:
    """Name and version of the Debian package that `path` belongs to; empty where it belongs to none."""
    query = module.get_bin_path("dpkg-query")
    if not query:
        return {}
    code, out, _err = module.run_command([query, "--search", os.path.realpath(path)])
    if code != 0:
        return {}
    name = out.split(":", 1)[0]
    version = module.run_command([query, "--show", "--showformat=${Version}", name], check_rc=True)[1]
    return {"name": name, "version": version}


def running(root: str, version: str, package: str) -> list[dict[str, object]]:
    """The virtual machines whose OTP is not the one of `root` with that version and that version of its package."""
    found: list[dict[str, object]] = []
    for process in proc.beam_processes():
        seen = vm.describe(process.pid) if process.process != "epmd" and not process.container else None
        if seen is None:
            continue
        owned = seen["package"] if isinstance(seen["package"], dict) else {}
        own = str(owned.get("started") or "")
        same = seen["otp_root"] is not None and os.path.realpath(str(seen["otp_root"])) == os.path.realpath(root)
        if same and seen["version"] == version and own in ("", package):
            continue
        found.append({
            "pid": process.pid, "unit": process.unit, "root": seen["otp_root"], "version": seen["version"],
            "package": {"name": owned["name"], "version": own} if own else {},
        })
    return found


def advisories(version: str, package: dict[str, str], where: str, fix: str) -> list[dict[str, str]]:
    """What a release is known to carry, as the module returns it. `where` names the process that runs it, empty for the files on disk."""
    by = f" ({package['name']} {package['version']})" if package else ""
    return [
        {
            "cve": each.cve,
            "severity": each.severity,
            "title": f"{each.cve}: {each.title}",
            "detail": f"OTP {version}{by}{where}",
            "fix": fix or f"Upgrade to OTP {each.fixed_in(version)} or newer, or to a package that carries its fix.",
        }
        for each in vulnerabilities.known_vulnerabilities(version, package.get("version", ""))
    ]


def advisories_of(processes: list[dict[str, object]], root: str) -> list[dict[str, str]]:
    """Those of virtual machines that run another OTP than the one on disk at `root`."""
    found: list[dict[str, str]] = []
    for one in processes:
        if one["version"] is None:
            continue
        package = one["package"] if isinstance(one["package"], dict) else {}
        fix = "Restart the node: run beam.cluster.site." if one["root"] == root else ""
        found += advisories(str(one["version"]), package, f", which pid {one['pid']} of {one['unit'] or 'no unit'} runs", fix)
    return found


def main() -> None:
    module = AnsibleModule(argument_spec={"root": {"type": "path"}}, supports_check_mode=True)
    root = module.params["root"]
    erl = os.path.join(root, "bin", "erl") if root else module.get_bin_path("erl")
    if not erl or not os.path.exists(erl):
        others = running("/nonexistent", "", "")
        module.exit_json(found=False, running=others, vulnerabilities=advisories_of(others, ""))

    answers = ask(module, erl)
    version = exact_version(answers["root"], answers["release"])
    package = owner(module, erl)
    epmd = os.path.join(answers["root"], "bin", "epmd")
    usage = module.run_command([epmd, "-help"])[2] if os.path.exists(epmd) else ""
    others = running(answers["root"], version, package.get("version", ""))
    module.exit_json(
        found=True,
        otp={
            "root": answers["root"],
            "erl": erl,
            "epmd": epmd,
            "epmd_systemd": "-systemd" in usage,
            "release": answers["release"],
            "version": version,
            "ssl": not answers["ssl_error"],
            "ssl_error": answers["ssl_error"],
            "applications": {name: answers[name].partition("-")[2] for name in APPLICATIONS if name in answers},
            "package": package,
        },
        running=others,
        vulnerabilities=advisories(version, package, "", "") + advisories_of(others, answers["root"]),
    )


if __name__ == "__main__":
    main()
