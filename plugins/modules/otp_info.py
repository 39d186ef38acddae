#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which OTP a host has, by its own word."""

from __future__ import annotations

DOCUMENTATION = r"""
module: otp_info
short_description: Report a host's Erlang/OTP
version_added: "0.1.0"
description:
  - Runs C(erl), without distribution and without reading any C(.erlang), and reads its release and the applications that distribution
    over TLS needs. It starts these applications, so that a broken or missing OpenSSL shows here.
  - The vulnerabilities of what the nodes run are in the report of the role P(beam.cluster.verify#role).
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
"""

import os

from ansible.module_utils.basic import AnsibleModule

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


def main() -> None:
    module = AnsibleModule(argument_spec={"root": {"type": "path"}}, supports_check_mode=True)
    root = module.params["root"]
    erl = os.path.join(root, "bin", "erl") if root else module.get_bin_path("erl")
    if not erl or not os.path.exists(erl):
        module.exit_json(found=False)

    answers = ask(module, erl)
    version = exact_version(answers["root"], answers["release"])
    package = owner(module, erl)
    epmd = os.path.join(answers["root"], "bin", "epmd")
    usage = module.run_command([epmd, "-help"])[2] if os.path.exists(epmd) else ""
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
    )


if __name__ == "__main__":
    main()
