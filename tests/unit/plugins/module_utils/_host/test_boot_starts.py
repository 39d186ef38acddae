# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts a node or EPMD at the next boot, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import boot_starts

BOTH = ["EPMD", "a node"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@reboot root erl -sname second -detached\n", ["a node"]),
        ("@reboot games /usr/local/bin/elixir --sname second@here --no-halt /opt/x.exs\n", ["a node"]),
        ("@reboot root \"/usr/bin/erl\" -noinput \"-sname\" \"second\"\n", ["a node"]),
        ("@reboot root /usr/bin/epmd -daemon\n", ["EPMD"]),
        ("@reboot root epmd -port 4370 -daemon; erl -noinput -name 'x@192.0.2.1'\n", BOTH),
        ("#!/bin/sh\nERL=/usr/bin/erl\n/usr/bin/erl \\\n  -name second@h \\\n  -detached\n", ["a node"]),
        ("#!/bin/sh\nRABBITMQ_NODENAME=two RABBITMQ_NODE_PORT=5673 rabbitmq-server -detached\n", ["a node"]),
        ("@reboot root ejabberdctl --config-dir /opt/two start\n", ["a node"]),
        # Anybody can write that line.
        ("# Managed by beam.cluster (role service). Changes made here will be lost.\n@reboot root erl -sname x\n", ["a node"]),
        # Questions, tools, a VM without a name, other programs, and the start script of a product.
        ("@daily root epmd -names > /var/log/names; /usr/bin/epmd -kill\n", []),
        ("@daily root /usr/bin/erl -args_file /etc/beam/beam@n1/tool.args -sname shell_1@n1 -remsh beam@n1\n", []),
        ("@daily root erl -noshell -eval 'io:format(\"x\"), halt()'\n", []),
        ("@daily root find /srv -name '*.erl' -delete; perl -name x; systemctl restart epmd; chmod 755 /usr/bin/epmd\n", []),
        ("@daily root rabbitmqctl list_queues; ejabberdctl status; systemctl start rabbitmq-server\n", []),
        ("#!/bin/sh\nexec erl -name $NODE -detached\n", []),
        ("# @reboot root erl -sname second -detached\n", []),
    ],
)
def test_a_job(tmp_path: Path, text: str, found: list[str]) -> None:
    (tmp_path / "job").write_text(text, encoding="utf-8")
    said = boot_starts.describe([f"{tmp_path}/*"])
    assert [one["what"] for one in said] == found
    assert all(one["where"] == f"{tmp_path}/job" and one["unit"] is None for one in said)


SERVICE = "[Unit]\nAfter=epmd.service\n[Service]\nExecStart=/usr/bin/erl -noinput -sname x@%H\n[Install]\nWantedBy=default.target\n"


@pytest.mark.parametrize(
    ("files", "links", "found"),
    [
        ({"x.service": SERVICE}, {"default.target.wants/x.service": "../x.service"}, [("a node", "x.service")]),
        ({"x.service": SERVICE, "x.timer": "[Timer]\nOnBootSec=1h\n"}, {}, [("a node", "x.service")]),
        ({"x@.service": SERVICE}, {"default.target.wants/x@1.service": "../x@.service"}, [("a node", "x@.service")]),
        ({"x.service": "[Service]\nExecStart=/usr/bin/epmd\n"}, {"a.target.requires/x.service": "../x.service"}, [("EPMD", "x.service")]),
        (
            {"y.service": "[Service]\nExecStart=/bin/true\n", "y.service.d/z.conf": "[Service]\nExecStartPost=-/usr/bin/epmd -daemon\n"},
            {"a.target.wants/y.service": "../y.service"},
            [("EPMD", "y.service")],
        ),
        # Nothing starts it; and EPMD's own units have controls of their own.
        ({"x.service": SERVICE}, {}, []),
        ({"epmd.service": "[Service]\nExecStart=/usr/bin/epmd -systemd\n"}, {"a.target.wants/epmd.service": "../epmd.service"}, []),
    ],
)
def test_a_unit(tmp_path: Path, files: dict[str, str], links: dict[str, str], found: list[tuple[str, str]]) -> None:
    """Of the system, of a user, and of a portable service alike: what differs is the directory."""
    for name, text in {**files, **links}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if name in files:
            (tmp_path / name).write_text(text, encoding="utf-8")
        else:
            (tmp_path / name).symlink_to(text)
    said = boot_starts.describe([f"{tmp_path}/*.service", f"{tmp_path}/*.service.d/*.conf"])
    assert [(one["what"], one["unit"]) for one in said] == found


def test_scripts_that_do_not_run_and_those_of_releases(tmp_path: Path) -> None:
    """A generator that is not executable, and what a job runs of a release."""
    (tmp_path / "system-generators").mkdir()
    generator = tmp_path / "system-generators" / "x"
    generator.write_text("#!/bin/sh\n/usr/bin/epmd -daemon\n", encoding="utf-8")
    assert boot_starts.describe([str(generator)]) == []
    generator.chmod(0o755)
    assert [one["what"] for one in boot_starts.describe([str(generator)])] == ["EPMD"]
    for part in ("releases", "bin"):
        (tmp_path / "app" / part).mkdir(parents=True)
    (tmp_path / "app" / "bin" / "app").write_text("#!/bin/sh\nepmd -daemon; erl -sname app\n", encoding="utf-8")
    (tmp_path / "job").write_text(f"@daily app {tmp_path}/app/bin/app rpc x\n", encoding="utf-8")
    assert boot_starts.describe([f"{tmp_path}/job"]) == []
    (tmp_path / "app" / "releases").rmdir()
    assert [one["what"] for one in boot_starts.describe([f"{tmp_path}/job"])] == BOTH


def test_a_script_is_that_of_the_unit_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "start").write_text("#!/bin/sh\nexec erl -sname x -noinput\n", encoding="utf-8")
    (tmp_path / "x.service").write_text(f"[Service]\nExecStart={tmp_path}/start\n", encoding="utf-8")
    assert boot_starts.describe([f"{tmp_path}/*.service"]) == [], "nothing starts the unit"
    (tmp_path / "a.target.wants").mkdir()
    (tmp_path / "a.target.wants" / "x.service").symlink_to("../x.service")
    found = {"what": "a node", "where": f"{tmp_path}/start", "unit": "x.service"}
    assert boot_starts.describe([f"{tmp_path}/*.service"]) == [found]


def test_where_user_managers_and_portable_services_have_theirs() -> None:
    patterns = (*boot_starts.job_files.PLACES, *boot_starts.OF_USERS)
    for place in ("/etc/systemd/user/*.service", "/root/.config/systemd/user/*.service", "/home/*/.config/systemd/user/*.service"):
        assert place in patterns
    for place in ("/etc/rc.local", "/etc/systemd/system-generators/*", "/etc/systemd/system.attached/*.service", "/var/spool/cron/crontabs/*"):
        assert place in patterns
