# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in jobs that open a file of a node when they run, and those that do not."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import job_file_changes

HEADER = "# Managed by beam.cluster (role service). Changes made here will be lost.\n"


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("@reboot root chmod 0644 {}/tls/key.pem\n", "chmod"),
        ("@reboot root /usr/bin/chmod a+r {}/tls/key.pem\n", "chmod"),
        ("[Service]\nExecStart=/bin/chmod -R o=rX {}\n", "chmod"),
        ("#!/bin/sh\nchmod 644 {}/tls/*\n", "chmod"),
        ("#!/bin/sh\nchown games:games {}/tls/key.pem\n", "chown"),
        ("#!/bin/sh\nchown -Rv games {}\n", "chown"),
        ("#!/bin/sh\nsetfacl -m u:games:r {}/tls/key.pem\n", "setfacl"),
        ("@reboot root {}/script\n", "chmod"),
        ('#!/bin/sh\nchmod -R a+r "{}"\n', "chmod"),
        ("#!/bin/sh\nchmod 644 '{}'/tls/key.pem\n", "chmod"),
        ("#!/bin/sh\nchmod 644 {}/*/key.pem\n", "chmod"),
        ("#!/bin/sh\nchmod 644 {}/*/*.pem\n", "chmod"),
        ("#!/bin/sh\nchmod -R g+r {}/t*\n", "chmod"),
        ("#!/bin/sh\nDIR={}\nchmod -R a+r $DIR\n", "chmod"),
        ('#!/bin/sh\nDIR="{}/tls"\nchmod a+r "${DIR}/key.pem"\n', "chmod"),
        ("#!/bin/sh\ncd {} && chmod -R a+r .\n", "chmod"),
        ("#!/bin/sh\ncd {}/tls\nchmod a+r *.pem\n", "chmod"),
        ("#!/bin/sh\nchmod -R a+r \\\n  {}\n", "chmod"),
        ("[Service]\nExecStartPost=-/bin/chmod a+r {}/tls/key.pem\n", "chmod"),
        ("[Service]\nExecStart=/bin/sh -c 'chmod -R a+r {}'\n", "chmod"),
        ("0 4 * * * root find {} -type f -exec chmod 644 {{}} +\n", "chmod"),
        ("#!/bin/sh\nfind {} -name '*.pem' -print0 | xargs -0 chmod 644\n", "chmod"),
        ("#!/bin/sh\nfind {} -name '*.log' -o -name '*.pem' -exec chown games '{{}}' ';'\n", "chown"),
        ("#!/bin/sh\nfind {} -type f -exec chown root {{}} \\; -exec chmod 644 {{}} \\;\n", "chmod"),
        ("#!/bin/sh\nfind {} -name '*.log' -exec chmod 644 {{}} +\n", ""),
        ("#!/bin/sh\nfind {} -type d -exec chmod 755 {{}} +\n", ""),
        ("#!/bin/sh\nfind {} -maxdepth 1 -exec chmod 644 {{}} +\n", ""),
        ("#!/bin/sh\nfind {}/tls -type f -exec chmod 400 {{}} +\n", ""),
        ("#!/bin/sh\nfind {} -name '*.pem' | wc -l; chmod 644 /tmp/x\n", ""),
        ("#!/bin/sh\ncd /usr/share; chmod -R a+r .\n", ""),
        ("#!/bin/sh\nchmod a+r {}/*.pem {}/x/*\n", ""),
        ("@reboot root chmod 0400 {}/tls/key.pem\n", ""),
        ("@reboot root chmod go-rwx {}/tls/key.pem\n", ""),
        ("#!/bin/sh\nchown root {}/tls/key.pem\n", ""),
        ("#!/bin/sh\nchgrp games {}/tls/key.pem\n", ""),
        ("#!/bin/sh\nsetfacl -b {}/tls/key.pem\n", ""),
        # Of a directory alone, another control tells when that was done.
        ("#!/bin/sh\nchmod 0755 {}\n", ""),
        ("#!/bin/sh\nchmod 0644 {}/tls/key.pem.old\n", ""),
        ("#!/bin/sh\ntar czf /backup.tgz {}\n", ""),
        ("# chmod 0644 {}/tls/key.pem\n", ""),
        ("#!/bin/sh\nchmod 0644 /tmp/x; cat {}/tls/key.pem\n", ""),
        # Anybody can write that line.
        (f"{HEADER}ExecStart=/bin/chmod 0644 {{}}/tls/key.pem\n", "chmod"),
    ],
)
def test_what_a_job_does(text: str, does: str, tmp_path: Path) -> None:
    key = tmp_path / "tls" / "key.pem"
    key.parent.mkdir()
    key.touch(mode=0o400)
    key.chmod(0o400)
    (tmp_path / "script").write_text(f"#!/bin/sh\nchmod 0444 {key}\n")
    (tmp_path / "job").write_text(text.replace("{{}}", "{:}").replace("{}", str(tmp_path)).replace("{:}", "{}"))
    found = job_file_changes.describe([str(key)], [f"{tmp_path}/job"])
    place = tmp_path / ("script" if "/script" in text else "job")
    assert found == ([{"path": str(key), "does": does, "where": str(place)}] if does else [])


def test_the_present_owner_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    (tmp_path / "job").write_text(f"#!/bin/sh\nchown {getpass.getuser()} {tmp_path}/key\n")
    assert job_file_changes.describe([f"{tmp_path}/key"], [f"{tmp_path}/job"]) == []


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("@reboot root cp /opt/other.pem {}/tls/key.pem\n", "cp"),
        ("@reboot root cp -f /opt/old/key.pem {}/tls/\n", "cp"),
        ("@reboot root install -m 0644 -o games /opt/key.pem -t {}/tls\n", "install"),
        ("[Service]\nExecStartPre=/bin/ln -sf /opt/other.pem {}/tls/key.pem\n", "ln"),
        ("#!/bin/sh\nmv {}/tls/key.pem /srv/key.pem\n", "mv"),
        ("#!/bin/sh\nrm -rf {}\n", "rm"),
        ("#!/bin/sh\nrm -f {}/tls/*.pem\n", "rm"),
        ("#!/bin/sh\nsed -i s/peer/none/ {}/tls/key.pem\n", "sed"),
        ("#!/bin/sh\necho x | tee -a {}/tls/key.pem >/dev/null\n", "tee"),
        ("#!/bin/sh\necho more >> {}/tls/key.pem\n", ">"),
        ("#!/bin/sh\nDIR={}/tls\ncat /opt/x > \"$DIR/key.pem\"\n", ">"),
        ("@reboot root cp /opt/other.pem {}/tls/other.pem\n", ""),
        ("@reboot root cp {}/tls/key.pem /opt/key.pem\n", ""),
        ("#!/bin/sh\nrm -f {}/tls\n", ""),
        ("#!/bin/sh\nsed -n 1p {}/tls/key.pem\n", ""),
        ("#!/bin/sh\ngrep -q x {}/tls/key.pem 2>/dev/null\n", ""),
        ("#!/bin/sh\n[ -e {}/tls/key.pem ] || exit 1\n", ""),
        ("[Service]\nExecStart=/usr/sbin/nft -f {}/tls/key.pem\n", ""),
    ],
)
def test_what_a_job_replaces_or_removes(text: str, does: str, tmp_path: Path) -> None:
    key = tmp_path / "tls" / "key.pem"
    key.parent.mkdir()
    key.touch(mode=0o400)
    (tmp_path / "job").write_text(text.format(tmp_path))
    found = job_file_changes.describe([str(key)], [str(tmp_path / "job")])
    assert found == ([{"path": str(key), "does": does, "where": str(tmp_path / "job")}] if does else [])


def test_a_directory_is_not_replaced_by_what_is_written_into_it(tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    (tmp_path / "job").write_text(f"cp /opt/x.service {tmp_path}/units\ncp /opt/x.service {tmp_path}/units/\necho x > {tmp_path}/units/x.service\n")
    assert job_file_changes.describe([str(tmp_path / "units")], [str(tmp_path / "job")]) == []
