# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OTP is upgraded by apt, one member at a time: packages of a higher version in a local repository; docs/upgrade_otp.md."""

from __future__ import annotations

from conftest import NODES, Lab, recap
from test_renew import pids, status

UPGRADE = "playbooks/upgrade_otp.yml"
# The installed packages with another version and new files, as a repository.
REPOSITORY = r"""
set -e
mkdir -p /var/tmp/newer && cd /var/tmp/newer && rm -f *.deb Packages /etc/apt/sources.list.d/newer.list
old=$(dpkg-query --show --showformat='${Version}' erlang-base)
apt-get -qq update
apt-get -qq download $(dpkg-query --show --showformat='${Package}=${Version}\n' 'erlang-*' | grep "=$old$") >/dev/null 2>&1
for deb in *.deb; do
    dpkg-deb --raw-extract "$deb" tree
    sed -i "s/$old/$old+next/g" tree/DEBIAN/control
    rm "$deb"
    dpkg-deb -Zgzip -z1 --build tree "new_$deb" >/dev/null
    rm -r tree
    { dpkg-deb --field "new_$deb"; echo "Filename: ./new_$deb"; echo "Size: $(stat --format=%s "new_$deb")"; \
      echo "SHA256: $(sha256sum "new_$deb" | cut -d' ' -f1)"; echo; } >> Packages
done
echo 'deb [trusted=yes] file:/var/tmp/newer ./' > /etc/apt/sources.list.d/newer.list
apt-get -qq update
"""


def test_one_member_after_the_other_gets_the_new_otp_and_runs_it(lab: Lab) -> None:
    for host in NODES:
        lab.on(host, REPOSITORY, timeout=900)
    before = pids(lab)

    predicted = lab.play("--check", playbook=UPGRADE)
    assert predicted.returncode == 0, predicted.stdout[-4000:]
    assert predicted.stdout.count("has to be restarted: this run upgrades erlang-") >= len(NODES), predicted.stdout[-4000:]
    assert pids(lab) == before and not any("+next" in lab.on(host, "dpkg-query --show erlang-base") for host in NODES)

    lab.on("n2", "systemctl stop beam")
    refused = lab.play(playbook=UPGRADE)
    assert refused.returncode != 0 and "beam@n2 does not run" in refused.stdout, refused.stdout[-4000:]
    assert not any("+next" in lab.on(host, "dpkg-query --show erlang-base") for host in NODES)
    lab.on("n2", "systemctl start beam")

    done = lab.play(playbook=UPGRADE)
    assert done.returncode == 0 and "PASSED" in done.stdout, done.stdout[-6000:]
    assert all(new != old for new, old in zip(pids(lab), before))
    assert all("+next" in lab.on(host, "dpkg-query --show erlang-base") for host in NODES)
    assert status(lab)["attention"] == []

    after = pids(lab)
    again = lab.play(playbook=UPGRADE)
    assert again.returncode == 0 and all(counts["changed"] == 0 for counts in recap(again.stdout).values()), again.stdout[-4000:]
    site = lab.play()
    assert site.returncode == 0 and all(counts["changed"] == 0 for counts in recap(site.stdout).values()), site.stdout[-4000:]
    assert pids(lab) == after
