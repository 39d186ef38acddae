# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as a user meets it: real inventories, real ansible-playbook, one process for each play."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

COOKIE = "q7Zk2mXv9RbT4wLc8NsY1hGd6JfP3eUa"
PASSPHRASE = "correct horse battery staple"


class Lab:
    """Fake hosts that are all this machine: their cluster addresses 'come late'. Each run is one ansible-playbook in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hosts: dict[str, dict[str, Any]] = {f"n{number}": {"beam_address": f"10.0.0.{number}"} for number in (1, 2, 3)}
        self.everywhere: dict[str, Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "beam_address_late": True,
            # An EPMD or a node that somebody runs on this machine is none of theirs.
            "beam_plan_preflight": False,
        }
        self.group: dict[str, Any] = {"beam_cookie": COOKIE, "beam_pki_ca_passphrase": PASSPHRASE}
        self.password: str | None = None

    def run(self, play: str, *arguments: str, expect: int = 0, **environment: str) -> str:
        inventory = self.directory / "inventory"
        (inventory / "group_vars").mkdir(parents=True, exist_ok=True)
        children = {"beam": {"hosts": self.hosts}, "outsiders": {"hosts": {"stranger": {}}}}
        (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": children, "vars": self.everywhere}}), encoding="utf-8")
        (inventory / "group_vars" / "beam.yml").write_text(
            yaml.safe_dump(self.group) if isinstance(self.group, dict) else self.group, encoding="utf-8"
        )
        (self.directory / "play.yml").write_text(textwrap.dedent(play), encoding="utf-8")
        done = subprocess.run(
            ["ansible-playbook", "-i", "inventory", *arguments, "play.yml"],
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "ANSIBLE_INJECT_FACT_VARS": "false", "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_NOCOLOR": "true", **environment},
        )
        output = done.stdout + done.stderr
        assert done.returncode == expect, output
        return output

    def plans(self) -> dict[str, Any]:
        """What SAVE wrote: each host's beam_plan."""
        files = sorted((self.directory / "plans").glob("*.json"))
        return {host: plan for path in files for host, plan in json.loads(path.read_text(encoding="utf-8")).items()}


def noted(plan: dict[str, Any]) -> list[tuple[str, str]]:
    """What the plan has found, but for nodes that other tests have on this machine meanwhile."""
    return [(finding["control"], finding["host"]) for finding in plan["advisories"] if finding["control"] != "shared_epmd"]


# As our playbooks call it: the plan itself reports wrong types and choices, with everything else.
ROLE = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: beam.cluster.plan
        rolespec_validate: false
"""
# Without the observation of the hosts, which is most of a run: for what the inventory alone decides.
UNOBSERVED = """
- hosts: all
  gather_facts: false
  tasks:
    - beam.cluster.plan:
      register: planned
      run_once: true
    - ansible.builtin.set_fact:
        beam_plan: "{{ planned.plan }}"
      run_once: true
"""
# One file for all hosts of a batch: a task costs time on each host.
SAVE = """
    - ansible.builtin.copy:
        content: "{{ dict(ansible_play_batch | zip(ansible_play_batch | map('extract', hostvars, 'beam_plan'))) | ansible.builtin.to_json }}"
        dest: "{{ playbook_dir }}/plans/{{ inventory_hostname }}.json"
        mode: "0644"
      run_once: true
      check_mode: false
      changed_when: false
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    (tmp_path / "plans").mkdir()
    return Lab(tmp_path)


def rules(output: str) -> set[tuple[str, str]]:
    """Host and rule of every numbered line of the error text."""
    found = set()
    for line in re.findall(r"^\s*\d+\. (.*)$", output, re.MULTILINE):
        match = re.match(r"(.*?) ?\((\w+)\): .* Fix: ", line)
        assert match, line
        found.add((match.group(1), match.group(2)))
    return found


def test_every_host_gets_the_plan_also_in_check_mode(lab: Lab) -> None:
    # A date is no JSON: the host's own view of it has been text on its way.
    lab.group["beam_waivers"] = [{"control": "one_network", "owner": "operations", "reason": "a lab", "until": datetime.date(2027, 1, 31)}]
    output = lab.run(ROLE + SAVE, "--check", "-vvv")
    plans = lab.plans()
    assert set(plans) == {"n1", "n2", "n3", "stranger"}
    assert plans["n1"] == plans["n3"] == plans["stranger"]
    (waiver,) = plans["n1"]["waivers"]
    assert (waiver["control"], waiver["owner"], waiver["reason"], waiver["until"]) == ("one_network", "operations", "a lab", "2027-01-31")
    assert [member["node"] for member in plans["n1"]["members"]] == ["beam@n1", "beam@n2", "beam@n3"]
    assert plans["n1"]["ca_dir"] == f"{lab.directory}/pki/inventory/beam"
    assert COOKIE not in output and PASSPHRASE not in output
    assert not re.search(r"changed=[1-9]", output)


def test_all_mistakes_at_once_and_no_secret(lab: Lab) -> None:
    lab.hosts["n1"].update(beam_ports="9109-9100", beam_adress="10.0.0.1")
    lab.hosts["n2"].update(beam_address="nowhere", beam_colour="red")
    lab.hosts["n3"].update(beam_node_name="beam@n3.example.com", beam_cookie=COOKIE[::-1])
    lab.group["beam_mode"] = "of"
    lab.group["beam_pki_ca_passphrase"] = "tooshort--"
    output = lab.run(UNOBSERVED, "-vvv", expect=2)
    # n2 has no address and n1 no port range, so that n3 is the only node left: nobody to disagree with its long name.
    assert rules(output) == {
        ("n1, beam_ports", "port_range_reversed"),
        ("n1, beam_adress", "near_miss"),
        ("n2, beam_address", "address_format"),
        ("n3, beam_cookie", "differs"),
        ("beam_mode", "choice"),
        ("n1, n2, n3, beam_pki_ca_passphrase", "passphrase_short"),
    }
    assert "knows no variable beam_colour" in output
    assert COOKIE not in output and COOKIE[::-1] not in output and "tooshort--" not in output


def test_a_vaulted_cookie(lab: Lab) -> None:
    (lab.directory / "password").write_text("vault", encoding="utf-8")
    vaulted = subprocess.run(
        ["ansible-vault", "encrypt_string", "--vault-password-file", "password", "--name", "beam_cookie", COOKIE],
        cwd=lab.directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    lab.group = f"beam_pki_ca_passphrase: {PASSPHRASE}\n{vaulted}"  # type: ignore[assignment]
    lab.run(UNOBSERVED + SAVE, "--vault-password-file", "password")
    assert COOKIE not in json.dumps(lab.plans())
    (lab.directory / "password").write_text("wrong", encoding="utf-8")
    output = lab.run(UNOBSERVED, "--vault-password-file", "password", expect=2)
    assert rules(output) == {("n1, n2, n3, beam_cookie", "cookie_unreadable")}


def test_a_cookie_whose_template_fails(lab: Lab) -> None:
    lab.group["beam_cookie"] = "{{ vault_cookie }}"
    output = lab.run(UNOBSERVED, expect=2)
    assert rules(output) == {("n1, n2, n3, beam_cookie", "cookie_unreadable")}
    assert "'vault_cookie' is undefined" in output


def test_a_hosts_own_value_that_its_peers_cannot_see(lab: Lab) -> None:
    play = """
    - hosts: beam
      gather_facts: false
      vars:
        numbers: {n1: 9101, n2: 9102, n3: 9103}
        beam_ports: "{{ numbers[inventory_hostname] }}"
      roles:
        - beam.cluster.plan
    """
    assert rules(lab.run(play, expect=2)) == {("n1, n2, n3, beam_ports", "invisible_to_peers")}


def test_constants_of_the_play_and_of_the_role_count_for_all(lab: Lab) -> None:
    lab.group.clear()
    play = f"""
    - hosts: beam
      gather_facts: false
      vars:
        beam_ports: 9200-9203
        beam_cookie: {COOKIE}
      roles:
        - role: beam.cluster.plan
          vars:
            beam_tls_versions: [tlsv1.2, tlsv1.3]
            beam_pki_ca_passphrase: {PASSPHRASE}
    """
    output = lab.run(textwrap.dedent(play) + "  tasks:\n" + SAVE, "--limit", "n2", "-vvv")
    plan = lab.plans()["n2"]
    assert [member["ports"]["last"] for member in plan["members"]] == [9203] * 3
    assert plan["tls_versions"] == ["tlsv1.3", "tlsv1.2"]
    assert COOKIE not in output and PASSPHRASE not in output


def test_a_variable_that_only_a_play_defines_under_an_inventory_value(lab: Lab) -> None:
    lab.hosts["n2"]["beam_address"] = "{{ net }}.2"
    play = """
    - hosts: beam
      gather_facts: false
      vars:
        net: 10.0.0
      roles:
        - beam.cluster.plan
    """
    assert rules(lab.run(play, expect=2)) == {("n2, beam_address", "invisible_to_peers")}


def test_limit_names_the_hosts_that_are_stale(lab: Lab) -> None:
    lab.run(ROLE + SAVE, "--limit", "n2")
    plan = lab.plans()["n2"]
    assert {host: part["in_run"] for host, part in plan["hosts"].items()} == {"n1": False, "n2": True, "n3": False}
    assert noted(plan) == [("stale_host", "n1"), ("stale_host", "n3")]


def test_serial_is_not_limit(lab: Lab) -> None:
    del lab.hosts["n3"]
    lab.run(ROLE.replace("gather_facts", "serial: 1\n  gather_facts") + SAVE)
    for host, plan in lab.plans().items():
        assert noted(plan) == [], host
        assert all(part["in_run"] for part in plan["hosts"].values())
    assert set(lab.plans()) == {"n1", "n2", "stranger"}


def test_a_strategy_that_ignores_run_once_is_refused(lab: Lab) -> None:
    """Whoever says it, a play or the environment. Which strategies these are is tested in test_run_rules.py."""
    output = lab.run(UNOBSERVED.replace("gather_facts", "strategy: free\n  check_mode: true\n  gather_facts"), expect=2)
    assert rules(output) == {("strategy", "strategy_not_linear"), ("check_mode", "check_mode_of_play")}
    assert rules(lab.run(UNOBSERVED, expect=2, ANSIBLE_STRATEGY="ansible.builtin.host_pinned")) == {("strategy", "strategy_not_linear")}


def test_an_unreachable_host_is_not_in_the_run(lab: Lab) -> None:
    lab.hosts["n3"].update(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
    del lab.hosts["n2"]
    lab.run(ROLE.replace("all", "beam") + SAVE, expect=4)
    plan = lab.plans()["n1"]
    assert not plan["hosts"]["n3"]["in_run"]
    assert [finding["host"] for finding in plan["advisories"] if finding["control"] == "stale_host"] == ["n3"]


def test_a_cookie_that_is_made_anew_at_each_look(lab: Lab) -> None:
    """Tasks would write one and compare with another."""
    lab.hosts = {"n1": lab.hosts["n1"]}
    lab.group["beam_cookie"] = "{{ lookup('ansible.builtin.password', '/dev/null', length=64, chars=['ascii_letters', 'digits']) }}"
    assert rules(lab.run(UNOBSERVED, expect=2)) == {("n1, beam_cookie", "unstable")}


def test_a_role_that_includes_the_plan_names_its_secrets(lab: Lab) -> None:
    lab.group.clear()
    play = """
    - hosts: beam
      gather_facts: false
      tasks:
        - ansible.builtin.include_role:
            name: beam.cluster.plan
          vars:
            beam_plan_requires: []
          when: beam_plan is not defined
        - ansible.builtin.include_role:
            name: beam.cluster.plan
          when: beam_plan is not defined
    """
    lab.run(textwrap.dedent(play) + SAVE, "--limit", "n1")
    assert lab.plans()["n1"]["requires"] == []


def test_an_old_plan_does_not_come_back_from_the_fact_cache(lab: Lab) -> None:
    cache = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(lab.directory / "facts")}
    lab.run(ROLE, "--limit", "n1", expect=0, **cache)
    check = "- hosts: beam\n  gather_facts: false\n  tasks:\n    - ansible.builtin.assert:\n        that: beam_plan is not defined\n"
    lab.run(check, "--limit", "n1", expect=0, **cache)
    for path in (lab.directory / "facts").glob("*"):
        assert COOKIE not in path.read_text(encoding="utf-8")


def test_the_passphrase_is_tried_on_the_key_that_is_there(lab: Lab) -> None:
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    ec = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
    root = lab.directory / "inventory" / "pki" / "beam" / "root"
    root.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())

    def save(passphrase: str) -> None:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
        (root / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))

    save("another passphrase")
    output = lab.run(UNOBSERVED, "-vvv", expect=2)
    assert rules(output) == {("beam_pki_ca_passphrase", "passphrase_wrong")}
    assert PASSPHRASE not in output
    lab.group["beam_pki_ca_passphrase_old"] = "yet another passphrase"
    output = lab.run(UNOBSERVED, "-vvv", expect=2)
    assert rules(output) == {("beam_pki_ca_passphrase_old", "passphrase_old_wrong")} and "yet another passphrase" not in output
    lab.group["beam_pki_ca_passphrase_old"] = "another passphrase"
    output = lab.run(UNOBSERVED, "-vvv")
    assert "another passphrase" not in output
    # It lies where versions before 0.2.0 have put it, inside the inventory directory.
    assert f"mv {lab.directory}/inventory/pki/beam {lab.directory}/pki/inventory/beam" in " ".join(output.split())


def test_where_the_ca_lies_for_each_kind_of_inventory(lab: Lab) -> None:
    more = lab.directory / "more"
    more.mkdir()
    (more / "hosts").write_text("[web]\nw1\n", encoding="utf-8")
    run = lab.run
    play = UNOBSERVED.replace("all", "n1") + SAVE
    for arguments, place in (
        (["-i", "more"], "pki/inventory/beam"),
        (["-i", "inventory/hosts.yml"], "pki/inventory/beam"),
    ):
        run(play, *arguments)
        assert lab.plans()["n1"]["ca_dir"] == f"{lab.directory}/{place}"
    (more / "hosts").write_text("[beam]\nn4 beam_address=10.0.0.4 ansible_connection=local\n", encoding="utf-8")
    assert rules(run(UNOBSERVED, "-i", "more", expect=2)) == {("beam_pki_ca_dir", "ca_dir_ambiguous")}


def test_members_without_a_group(lab: Lab) -> None:
    play = UNOBSERVED.replace("all", "n1:n2") + SAVE + """
  vars:
    beam_members:
      - {node: beam@n1, address: 10.0.0.1}
      - {node: beam@n2, address: 10.0.0.2, ports: 9200-9201}
      - {node: beam@elsewhere, address: 10.0.0.4}
"""
    lab.run(play)
    plan = lab.plans()["n2"]
    assert [(member["node"], member["host"]) for member in plan["members"]] == [("beam@elsewhere", None), ("beam@n1", "n1"), ("beam@n2", "n2")]
    assert plan["addresses"] == ["10.0.0.1", "10.0.0.2", "10.0.0.4"]


def test_a_host_can_go_without_any_secret_and_without_the_others(lab: Lab) -> None:
    """As with `-e beam_state=absent --limit n2`, where nobody remembers the passphrase; and for one host of a cluster by its own variables."""
    lab.group = {}
    lab.run(UNOBSERVED + SAVE, "--limit", "n2", "-e", "beam_state=absent")
    assert set(lab.plans()["n2"]["departing"]) == {"n1", "n2", "n3"}
    assert lab.plans()["n2"]["members"] == []
    lab.hosts["n2"] = {"beam_state": "absent"}
    lab.run(UNOBSERVED + SAVE, "--limit", "n2")
    assert set(lab.plans()["n2"]["departing"]) == {"n2"}
    output = lab.run(UNOBSERVED, "--limit", "n1,n2", expect=2)
    assert {rule for _host, rule in rules(output)} == {"cookie_missing", "passphrase_missing"}


def test_a_group_that_is_a_list_is_a_problem(lab: Lab) -> None:
    lab.everywhere["beam_group"] = ["beam"]
    assert ("n1, n2, n3, stranger, beam_group", "type") in rules(lab.run(UNOBSERVED, expect=2))


def test_an_unquoted_off_is_explained(lab: Lab) -> None:
    lab.group = "beam_mode: off\n"  # type: ignore[assignment]
    output = lab.run(UNOBSERVED, expect=2)
    assert rules(output) == {("beam_mode", "choice")}
    assert 'quote it: "off".' in output


def test_variables_of_other_roles_are_validated(lab: Lab) -> None:
    lab.group.update(beam_pki_days="ninety", beam_verify_timeout="soon")
    lab.hosts["n2"]["beam_otp_root"] = "{{ ansible_facts.nothing.here }}"
    output = lab.run(UNOBSERVED, expect=2)
    assert rules(output) == {
        ("n1, n2, n3, beam_pki_days", "type"),
        ("n1, n2, n3, beam_verify_timeout", "type"),
        ("n2, beam_otp_root", "undefined"),
    }
