# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The passphrase of the CA's key: lost, and the cluster moves to a new CA (docs/lost_ca.md); then changed (docs/rekey_ca_passphrase.md)."""

from __future__ import annotations

from pathlib import Path

from conftest import Lab, recap
from test_renew import pids
from test_rotate_ca import ROTATE, issuers, settled, watch

REKEY = "playbooks/rekey_ca_passphrase.yml"
OTHER = "another passphrase for the lab"


def test_a_lost_passphrase_and_a_new_one(lab: Lab, tmp_path: Path) -> None:
    ca_dir, own = Path(lab.variable("n1", "beam_pki_ca_dir")), lab.variable("n1", "beam_pki_ca_passphrase")
    other, old = tmp_path / "other.yml", tmp_path / "old.yml"
    other.write_text(f"beam_pki_ca_passphrase: {OTHER}\n")
    before, issued = watch(lab), issuers(lab)
    (ca_dir / "root" / "key.pem").rename(ca_dir / "root" / "key.pem.lost")
    moved = lab.play("--extra-vars", f"@{other}", playbook=ROTATE)
    assert moved.returncode == 0, moved.stdout[-4000:]
    assert issuers(lab) != issued
    settled(lab, before)

    # The lab's own passphrase again: the key has the other one until this run.
    old.write_text("beam_pki_ca_passphrase_old: this one was never right\n")
    refused = lab.play("--extra-vars", f"@{old}", playbook=REKEY)
    assert refused.returncode != 0 and "passphrase_old_wrong" in refused.stdout, refused.stdout[-4000:]
    old.write_text(f"beam_pki_ca_passphrase_old: {OTHER}\n")
    for arguments, changed in ((("--check",), 1), (("-vvv", "--diff"), 1), ((), 0)):
        done = lab.play("--extra-vars", f"@{old}", *arguments, playbook=REKEY)
        assert done.returncode == 0 and sum(counts["changed"] for counts in recap(done.stdout).values()) == changed, done.stdout[-4000:]
        assert own not in done.stdout + done.stderr and OTHER not in done.stdout + done.stderr
    assert pids(lab) == before
