# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that no seeded one of before was like: each is one change to a whole cluster, the control that has to say so, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import changes
import pytest
import whole_cluster as made
import without_plan
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_TESTED, PASSED

Change = Callable[[dict[str, Any]], object]


def account(**values: Any) -> Change:
    return lambda n2: n2["secrets"]["accounts"][0].update(values)


def copy_of_a_tool(*readers: str) -> Change:
    found = {"path": "/home/games/.erlang.cookie", "of": ["/var/lib/beam/beam@n2/.erlang.cookie"], "readers": list(readers), "unit": False}
    return lambda n2: n2["secrets"]["copies"].append({**found, "tool": True})


def unit(name: str, **values: Any) -> Change:
    return lambda n2: n2["units"][name].update(values)


def in_force(**values: Any) -> dict[str, Any]:
    """What beam@n2 has in force, with other facts."""
    return {"in_force": {**made.in_force([f"beam@{name}" for name in made.HOSTS], "beam@n2"), **values}}


BEAM, EPMD, FIREWALL = "beam.service", "epmd.service", "beam-firewall.service"
TYPE_DROP_IN = "/etc/systemd/system/service.d/all.conf"
ALTERED = {"path": "/usr/bin/x", "package": "erlang-base"}
LIBRARY = {"path": "/opt/x.so", "by": [], "elsewhere": True}
SHELL = {"address": "127.0.0.1", "port": 5555, "family": 4, "pid": 42, "process": "beam.smp", "unit": "beam.service", "user": "beam"}
VM = {"pid": 66, "process": "beam.smp", "user": "games", "unit": "x.service"}
PORT = {"address": "0.0.0.0", "port": 9779, "family": 4, "pid": 66, "process": "beam.smp", "unit": "x.service", "user": "games"}


def stray(**parameters: str) -> Change:
    """A VM without a name in its arguments, that listens at a port that they or its configuration name."""
    told = {**made.FLAGS, "name": None, "proto_dist": "inet_tcp", "kernel": parameters}
    return changes.both(lambda n2: n2["processes"].append({**VM, "flags": told}), lambda n2: n2["listeners"].append(PORT))


FAILS: list[tuple[str, Change, str]] = [
    # -- who acts as the user of a node ----------------------------------------------------------------------------------------------------------
    ("node-login", account(acting=[{"name": "games", "path": "/etc/sudoers.d/x"}]), "/etc/sudoers.d/x lets games run programs as beam"),
    ("node-login", account(acting=[{"name": "evil", "path": ""}]), "the account evil has the number of beam"),
    ("node-login", account(rights=["/etc/cron.d/x"]), "/etc/cron.d/x starts programs of beam outside of the unit"),
    ("node-login", account(rights=["/etc/doas.conf"]), "/etc/doas.conf lets beam run programs as another user with doas"),
    ("node-login", account(units=[{"name": "x.service", "path": "/run/systemd/transient/x.service"}]), "/run/systemd/transient/x.service starts"),
    ("node-login", account(rights=["/etc/rc.local"]), "/etc/rc.local starts programs of beam outside of the unit"),
    ("node-login", account(shell="/bin/bash"), "the user beam has the login shell /bin/bash: run usermod -s /usr/sbin/nologin beam"),
    ("node-login", account(shell=""), "the user beam has the login shell /bin/sh"),
    ("node-login", account(members=["games"]), "games is in the group of beam: run gpasswd -d games beam"),
    ("cookie-copies", copy_of_a_tool("games"), "/home/games/.erlang.cookie gives games the cookie of /var/lib/beam/beam@n2/.erlang.cookie: "),
    ("node-groups", changes.vm(groups=["beam", "staff"]), "is in the group staff"),
    ("node-login", account(acting=[{"name": "everybody", "path": "/usr/bin/x (setuid)"}]), "/usr/bin/x (setuid) gives everybody the cookie"),
    ("core-dumps", changes.system(core_pattern="|/opt/keep %p"), "gives every core dump to /opt/keep, whatever LimitCORE= says"),
    ("core-dumps", changes.system(core_pattern="|/tmp/systemd-coredump %P"), "gives every core dump to /tmp/systemd-coredump"),
    (
        "core-dumps",
        changes.system(sysctls_at_boot=[{"name": "kernel.core_pattern", "value": "|/opt/keep", "where": "/etc/sysctl.d/x.conf"}]),
        "/etc/sysctl.d/x.conf gives every core dump to /opt/keep at the next boot, whatever LimitCORE= says: remove kernel.core_pattern there",
    ),
    (
        "system-loopback",
        changes.system(sysctls_at_boot=[{"name": "net.ipv4.conf.eth0.route_localnet", "value": "0x2", "where": "/etc/sysctl.d/x.conf"}]),
        "/etc/sysctl.d/x.conf sets net.ipv4.conf.eth0.route_localnet to 0x2 at the next boot",
    ),
    ("node-groups", account(groups=["beam", "shadow"]), "the user beam is in the group shadow, and so is the next process of the node"),
    # -- what takes the place of a unit, or opens its sandbox ---------------------------------------------------------------------------------------
    ("firewall-boot", unit(FIREWALL, drop_ins=[TYPE_DROP_IN]), f"{FIREWALL} has the drop-in {TYPE_DROP_IN}"),
    ("unit-drop-in", unit("beam-guard-beam.service", drop_ins=[TYPE_DROP_IN]), f"has the drop-in {TYPE_DROP_IN}"),
    ("unit-drop-in", unit(BEAM, fragment="/run/systemd/generator.early/beam.service"), "is read from /run/systemd/generator.early/beam.service"),
    ("unit-drop-in", unit(BEAM, at_boot=False), "does not start beam.service: run systemctl set-default multi-user.target"),
    ("unit-sandbox", unit(BEAM, openings=["ReadWritePaths=/ in /etc/x.conf"]), "ReadWritePaths=/ in /etc/x.conf lets it out of its sandbox"),
    ("unit-sandbox", changes.vm(system_writable=True), "pid 42 does not run in the sandbox of its unit"),
    ("start-environment", unit(BEAM, commands=["ExecStartPost=/bin/sh in /etc/x.conf"]), "runs ExecStartPost=/bin/sh in /etc/x.conf"),
    # -- code -----------------------------------------------------------------------------------------------------------------------------------
    ("start-environment", changes.system(preloaded=["/opt/x.so"]), "/etc/ld.so.preload loads /opt/x.so"),
    ("start-environment", changes.vm(libraries=[LIBRARY]), "pid 42 has loaded the library /opt/x.so"),
    ("start-environment", changes.vm(libraries=[{**LIBRARY, "later": True}]), "the next process of the node loads /opt/x.so instead of the library"),
    ("files-at-boot", changes.system(tmpfiles=[{"path": "/etc/beam/x", "does": "mount", "where": "/etc/fstab"}]), "at the next boot (mount)"),
    ("files-at-boot", changes.system(tmpfiles=[{"path": "/etc/beam/x", "does": "cp", "where": "/etc/cron.d/x"}]), "when it runs (cp)"),
    (
        "files-at-boot", changes.system(tmpfiles=[{"path": "/etc/beam/x", "does": "unmounted", "where": "/etc/beam"}]),
        "/etc/beam/x is another file from the next boot on: what is mounted at /etc/beam is in no fstab. Run umount /etc/beam",
    ),
    ("start-environment", changes.process(runs=["-boot /opt/evil"]), "was started with -boot /opt/evil"),
    ("start-environment", changes.vm(shadowing=["/opt/bin/erl"]), "/opt/bin/erl is found before the program of the node's OTP"),
    ("program-owner", changes.vm(libraries=[{**LIBRARY, "by": ["games"]}]), "has loaded /opt/x.so, which games can change or replace"),
    *(
        ("package-files", changes.system(package_files={"compared": 9, "altered": [{**ALTERED, "how": how}]}), says)
        for how, says in (
            ("other", "/usr/bin/x is another file than the one of its package erlang-base. Install the package again (apt-get install --reinstall e"),
            ("no_link", "/usr/bin/x is a file, and in its package erlang-base a link"),
            ("elsewhere", "/usr/bin/x of the package erlang-base leads to a file of no package"),
            ("beside", "/usr/bin/x is beside the modules of the package erlang-base, and of no package. Remove it"),
            ("shadows", "/usr/bin/x is of no package, and has the name of an application of the package erlang-base"),
            ("new", "/usr/bin/x differs from the package erlang-base"),
        )
    ),
    # -- EPMD -----------------------------------------------------------------------------------------------------------------------------------
    ("unit-sandbox", unit(EPMD, openings=["BindPaths=/etc in /x.conf"]), "epmd.service: BindPaths=/etc in /x.conf lets it out of its sandbox"),
    ("start-environment", unit(EPMD, commands=["ExecStart=/opt/epmd in /x.conf"]), "epmd.service runs ExecStart=/opt/epmd in /x.conf: remove"),
    ("start-environment", unit(EPMD, environment_names=["LD_PRELOAD"]), "epmd.service gives its next process the variable LD_PRELOAD"),
    ("start-environment", lambda n2: n2["processes"][1].update(adding=["LD_AUDIT"]), "EPMD (pid 1077) was started with the variable LD_AUDIT"),
    ("epmd-user", lambda n2: n2["processes"][1].update(user="games"), "EPMD (pid 1077) runs as games, not as epmd: remove User= from"),
    ("epmd-listeners", unit("epmd.socket", enabled="masked", drop_ins=[]), "epmd.socket is masked: EPMD cannot start again"),
    ("epmd-listeners", unit(EPMD, load="masked"), "epmd.service is masked: EPMD cannot start again. Run systemctl unmask epmd.service"),
    ("epmd-listeners", unit(EPMD, enabled="masked-runtime"), "Run systemctl unmask --runtime epmd.service"),
    ("distribution-listeners", lambda n2: n2["listeners"].append(SHELL), "listens outside its port range on 127.0.0.1:5555"),
    # -- other VMs ------------------------------------------------------------------------------------------------------------------------------
    ("unplanned-nodes", stray(erl_epmd_node_listen_port="9779"), "a VM without a name (pid 66"),
    ("unplanned-nodes", stray(inet_dist_listen_min="9770", inet_dist_listen_max="9779"), "a VM without a name (pid 66"),
    # -- the firewall ---------------------------------------------------------------------------------------------------------------------------
    (
        "firewall-rules",
        lambda n2: n2["firewall"].update(rewriting=["table ip x, chain y gives packets another source address"]),
        "table ip x, chain y gives packets another source address, so that",
    ),
    ("firewall-boot", lambda n2: n2["firewall"].update(undoing=["/etc/rc.local"]), "/etc/rc.local removes or changes the table inet beam_cluster"),
    (
        "firewall-boot",
        lambda n2: n2["firewall"].update(waiting=["firewalld.service"]),
        "firewalld.service is enabled and does not run: its rules come into force at the next boot",
    ),
    (
        "firewall-boot",
        unit("nftables.service", drop_ins=["/etc/systemd/system/nftables.service.d/zz.conf"]),
        "nftables.service does not use /etc/systemd/system/nftables.service.d/zzz-beam.conf, and removes the table inet beam_cluster",
    ),
    ("firewall-boot", unit("nftables.service", need_daemon_reload=True), "nftables.service: systemd has not read its files since they changed"),
]

IN_FORCE: list[tuple[str, dict[str, Any], str]] = [
    ("running-code", {"code_from_nowhere": [{"module": "evil", "path": "nofile"}]}, "has loaded evil from nofile, no directory of its code path"),
    ("running-code", {"code_from_nowhere": [{"module": "evil", "path": ""}]}, "has loaded evil from no file"),
    ("running-code", {"added_code": ["/opt/evil"]}, "its code path has /opt/evil, which is neither in its OTP nor in its arguments"),
    ("tls-options", {"trusted": [made.CA_SHA256, "e1" * 32]}, f"trusts a CA that is not in {made.tls('n2')['ca']} any more (SHA-256 {'e1' * 32})"),
]


@pytest.mark.parametrize(("control", "values", "says"), IN_FORCE)
def test_what_a_node_has_in_force_fails(control: str, values: dict[str, Any], says: str) -> None:
    status, details = changes.of_n2(evaluate(made.evidence(mesh={"beam@n2": in_force(**values)})), control)
    assert status == {FAILED} and says in details


@pytest.mark.parametrize("place", ["/srv/old", None])
def test_revoked_certificates_that_are_looked_for_elsewhere(place: str | None) -> None:
    said = in_force()
    said["in_force"]["tls"]["server"]["crl_directory"] = place
    status, details = changes.of_n2(evaluate(made.evidence(mesh={"beam@n2": said})), "tls-options")
    assert status == {FAILED} and f"as server crl_cache looks for CRLs in {place or 'another place'}, not in /etc/beam/beam@n2/crl" in details


def test_a_ca_file_that_changed_a_moment_ago_is_read_soon() -> None:
    seen = made.hosts()
    next(entry for entry in seen["n2"]["files"] if entry["path"] == made.tls("n2")["ca"])["modified"] = made.NOW - 5
    verdict = evaluate(made.evidence(seen=seen, mesh={"beam@n2": in_force(trusted=["e1" * 32])}))
    assert changes.of_n2(verdict, "tls-options")[0] == {PASSED}


@pytest.mark.parametrize(("control", "change", "says"), FAILS)
def test_a_broken_host_fails(control: str, change: Change, says: str) -> None:
    statuses, details = changes.of_n2(changes.verified(change), control)
    assert FAILED in statuses
    assert says in details


GOOD: list[tuple[str, Change]] = [
    ("node-login", account(units=[{"name": "beam.service", "path": "/etc/systemd/system/beam.service"}])),
    ("firewall-boot", unit(FIREWALL, drop_ins=["/usr/lib/systemd/system/service.d/10-timeout-abort.conf"])),
    ("unit-drop-in", unit(BEAM, fragment="/etc/systemd/system/beam.service")),
    ("firewall-boot", unit("nftables.service", load="not-found", drop_ins=[])),
    ("firewall-boot", unit("nftables.service", load="masked", drop_ins=[])),
    ("cookie-copies", copy_of_a_tool()),
    ("cookie-copies", copy_of_a_tool("beam")),
    ("node-login", account(shell="/bin/false")),
    # dpkg writes these files while it works.
    ("changeable-files", lambda n2: n2.update(obstacles=[{"path": "/var/lib/dpkg/updates", "reason": "interrupted"}])),
    # A VM with a name of its own, or with none at all, and a port that is no peer's: a web server in Erlang.
    ("unplanned-nodes", stray()),
    ("unplanned-nodes", stray(inet_dist_listen_min="1024", inet_dist_listen_max="1030")),
]


@pytest.mark.parametrize("traces", [[], ["rabbitmq"], ["release"]])
@pytest.mark.parametrize(
    "change",
    [
        changes.process(runs=["-boot /opt/app/start", "-config /opt/app/sys", "-pa /opt/app/ebin"]),
        changes.vm(libraries=[LIBRARY]),
        unit(BEAM, commands=["ExecStartPre=/opt/app/migrate in /etc/x.conf"]),
    ],
)
def test_what_a_node_of_no_plan_starts_with_is_its_owners(change: Change, traces: list[str]) -> None:
    verdict = without_plan.audited(changes.both(changes.process(traces=traces), change))
    assert changes.of_n2(verdict, "start-environment")[0] == {PASSED}


def test_who_has_tools_on_a_host_of_no_plan_is_its_owners_choice() -> None:
    audited = without_plan.audited(changes.both(copy_of_a_tool("games"), account(shell="/bin/bash", members=["games"])))
    assert [changes.of_n2(audited, control)[0] for control in ("cookie-copies", "node-login")] == [{PASSED}, {PASSED}]


RABBITMQ = ("rabbitmq", [
    ("rabbitmq-guest", {"loopback_users": "none"}, "rabbitmq.conf has loopback_users = none"),
    ("rabbitmq-anonymous", {"anonymous_login_user": "admin"}, "a client without credentials gets the rights of admin"),
    ("rabbitmq-passwords", {"known_logins": "admin in /x.json"}, "the user admin in /x.json is created with a password that everybody knows"),
])
EJABBERD = ("ejabberd", [
    ("ejabberd-files", {"open": "/etc/ejabberd/ejabberd.yml"}, "its mode lets every user read /etc/ejabberd/ejabberd.yml"),
    ("ejabberd-log-level", {"loglevel": "debug"}, "loglevel is debug"),
])


@pytest.mark.parametrize(
    ("product", "control", "settings", "says"), [(product, *case) for product, cases in (RABBITMQ, EJABBERD) for case in cases]
)
def test_the_settings_of_a_planned_product(product: str, control: str, settings: dict[str, str], says: str) -> None:
    plan = made.plan()
    for one in plan["hosts"]["n2"]["nodes"]:
        one["kind"] = product
    statuses = []
    for found in (settings, {}, None):
        seen = made.hosts()
        seen["n2"]["system"]["settings"] = {} if found is None else {product: found}
        status, details = changes.of_n2(evaluate(made.evidence(of=plan, seen=seen)), control)
        statuses.append(status)
        assert found is not settings or says in details
    assert statuses == [{FAILED}, {PASSED}, {NOT_TESTED}]


@pytest.mark.parametrize(
    ("said", "status", "says"),
    [
        ({}, PASSED, ""),
        ({"anonymous": "guest", "known_passwords": ["guest"]}, PASSED, ""),
        ({"guest_everywhere": True}, FAILED, "its user guest may connect from every host"),
        ({"guest_everywhere": True, "anonymous": "guest"}, FAILED, "a client without credentials gets the rights of guest"),
        ({"guest_everywhere": True, "known_passwords": ["guest"]}, FAILED, "its user guest has a password that everybody knows"),
        ({"anonymous": "admin"}, FAILED, "a client without credentials gets the rights of admin"),
        ({"known_passwords": ["admin"]}, FAILED, "its user admin has a password that everybody knows: run rabbitmqctl change_password admin"),
        ({"guest_everywhere": None}, NOT_TESTED, "did not say from where its user guest connects"),
        ({"anonymous": None}, NOT_TESTED, ""),
        ({"known_passwords": None}, NOT_TESTED, ""),
        (None, NOT_TESTED, ""),
    ],
)
def test_logins_of_a_running_rabbitmq(said: dict[str, Any] | None, status: str, says: str) -> None:
    plan = made.plan()
    for one in plan["hosts"]["n2"]["nodes"]:
        one["kind"] = "rabbitmq"
    given = None if said is None else {"guest_everywhere": False, "anonymous": "none", "known_passwords": [], **said}
    found, details = changes.of_n2(evaluate(made.evidence(of=plan, mesh={"beam@n2": in_force(rabbitmq=given)})), "rabbitmq-logins-running")
    assert found == {status} and says in details


def test_other_nodes_have_no_logins_of_rabbitmq() -> None:
    assert changes.of_n2(evaluate(made.evidence()), "rabbitmq-logins-running")[0] == set()


@pytest.mark.parametrize(("control", "change"), GOOD)
def test_what_is_no_fault_passes(control: str, change: Change) -> None:
    assert changes.of_n2(changes.verified(change), control)[0] == {PASSED}
