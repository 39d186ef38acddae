# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases start os_mon, by the files that they are started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import units

REL = '{release,{"shop","1.2.0"},{erts,"13.1"},[{kernel,"8.5"},%s{shop,"1.2.0"}]}.\n'


@pytest.mark.parametrize(
    ("version", "entry", "expected"),
    [("1.2.0", '{os_mon,"2.8",permanent},', True), ("1.2.0", "", False), ("1.1.0", '{os_mon,"2.8"},', False), ("1.2.0", '{my_os_mon,"2.8"},', False)],
)
def test_a_release_with_os_mon(tmp_path: Path, version: str, entry: str, expected: bool) -> None:
    (tmp_path / "releases" / "1.2.0").mkdir(parents=True)
    (tmp_path / "releases" / "1.2.0" / "shop.rel").write_text(REL % entry, encoding="utf-8")
    (tmp_path / "releases" / "start_erl.data").write_text(f"13.1 {version}\n", encoding="utf-8")
    start = f"ExecStart={{ path={tmp_path}/bin/shop ; argv[]={tmp_path}/bin/shop start ; ignore_errors=no ; }}"
    assert units.parse(f"Id=shop.service\nLoadState=loaded\n{start}\n")["shop.service"]["os_mon"] is expected


@pytest.mark.parametrize(
    ("runtime", "names", "lacks"),
    [(True, (), ["ssl", "public_key", "crypto", "asn1"]), (True, ("ssl", "public_key", "crypto", "asn1"), []), (False, (), [])],
)
def test_a_release_without_tls(tmp_path: Path, runtime: bool, names: tuple[str, ...], lacks: list[str]) -> None:
    """With the host's runtime it has the host's applications."""
    for folder in (*(f"lib/{name}-1/ebin" for name in names), *(["erts-13.1"] if runtime else [])):
        (tmp_path / folder).mkdir(parents=True)
    for name in names:
        (tmp_path / f"lib/{name}-1/ebin/{name}.app").touch()
    start = f"ExecStart={{ path={tmp_path}/bin/shop ; argv[]={tmp_path}/bin/shop start ; ignore_errors=no ; }}"
    assert units.parse(f"Id=shop.service\nLoadState=loaded\n{start}\n")["shop.service"]["lacks"] == lacks


def test_no_release() -> None:
    assert units.parse("Id=x.service\nLoadState=loaded\n")["x.service"]["os_mon"] is False
