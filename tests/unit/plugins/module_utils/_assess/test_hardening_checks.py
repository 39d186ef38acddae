# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of confinement, reach, TLS options in files, upkeep, products, the operating system: passed, failed by their fault alone, unknown."""

from __future__ import annotations

from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import between_hosts as inventory_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import client_ports as client_port_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import confinement as confinement_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import on_hosts as host_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import products as product_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import system as system_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import tls_options as tls_option_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import BY_ID
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, Verdict
from changes import (
    IN_TEST_HOST_CHECKS,
    Change,
    both,
    certificate,
    contained,
    epmd,
    file,
    findings,
    flags,
    gone,
    listener,
    process,
    product,
    release,
    side,
    system,
    verified,
    vm,
)
from without_plan import audited

CHECKED_HERE = {*host_checks.CHECKS, *inventory_checks.CHECKS} - IN_TEST_HOST_CHECKS - client_port_checks.CHECKS.keys()
OF_PROCESSES = [*confinement_checks.CHECKS, "epmd-user", "cookie-arguments", "cookie-environment", "cookie-release", "key-log"]
NOT_OF_OPTIONS = ("options-running", "partition-settings", "key-log")
OF_PRODUCTS = {control for control in product_checks.CHECKS if control.startswith(("rabbitmq", "ejabberd"))}


OLD = ["tlsv1.3", "tlsv1.2"]
GOOD = ["TLS_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"]
TLS12 = both(
    side("client", versions=OLD, ciphers=GOOD, algorithms=["ecdsa_sha256"]),
    side("server", versions=OLD, ciphers=GOOD, algorithms=["ecdsa_sha256"], client_renegotiation="false", reuse_sessions="false"),
)
EMBEDDED: dict[str, Any] = {"switches": ["embedded"], "applications": {"kernel": "10"}}
SERVER = {"pid": 7, "process": "erl_call", "user": "alice"}

ALTERED = {"path": "/usr/bin/epmd", "package": "erlang-base", "how": "no_link"}
JOINS = {"group": "docker", "where": "/usr/lib/sysusers.d/x.conf"}

BROKEN: list[tuple[str, Change, str]] = [
    ("hosts-file", system(dist_hosts=["/var/lib/beam/.hosts.erlang"]), "/var/lib/beam/.hosts.erlang exists"),
    ("epmd-user", lambda n2: n2["processes"][1].update(user="root"), "EPMD (pid 1077) runs as root"),
    ("epmd-user", lambda n2: n2["processes"][1].update(user="beam"), "EPMD (pid 1077) runs as beam, which runs a node, too"),
    ("no-new-privileges", vm(no_new_privileges=False), "pid 42 (beam.smp) can gain privileges"),
    ("no-new-privileges", epmd(no_new_privileges=False), "pid 1077 (epmd) can gain privileges"),
    ("capabilities", vm(capabilities=["net_bind_service", "sys_admin"]), "has the capabilities sys_admin"),
    ("capabilities", epmd(capabilities=["chown", "kill", "setuid", "setgid", "setpcap", "mknod"]), "setpcap and 1 more"),
    ("system-calls", vm(seccomp=0), "pid 42 (beam.smp) runs without a filter"),
    ("crash-dump-settings", vm(crash_dump="default"), "neither ERL_CRASH_DUMP_SECONDS=0 nor ERL_CRASH_DUMP is set"),
    ("crash-dump-settings", vm(crash_dump="shared"), "a directory that other users can enter"),
    ("start-files", vm(start_files=[{"path": "/opt/app/vm.args", "by": ["beam"]}]), "/opt/app/vm.args can be changed or replaced by beam"),
    (
        "start-files",
        lambda n2: n2["units"]["beam.service"].update(start_files=[{"path": "/opt/start", "by": ["everybody"]}]),
        "/opt/start can be changed or replaced by everybody",
    ),
    ("node-groups", vm(groups=["beam", "docker", "shadow"]), "is in the group docker, shadow"),
    ("node-groups", epmd(groups=["disk"]), "pid 1077 (epmd) is in the group disk"),
    ("files-at-boot", system(tmpfiles=[{"path": "/k", "does": "ACL", "where": "/etc/x.conf"}]), "/etc/x.conf changes /k at the next boot (ACL)"),
    ("system-loopback", system(route_localnet=["docker0", "eth0"]), "net.ipv4.conf.eth0.route_localnet is not 0"),
    ("system-loopback", system(route_localnet=["all"]), "net.ipv4.conf.all.route_localnet is not 0"),
    ("package-files", system(package_files={"compared": 9, "altered": [ALTERED]}), "/usr/bin/epmd is a file, and in its package erlang-base a link"),
    ("files-at-boot", system(tmpfiles=[{"path": "/k", "does": "chmod", "where": "/etc/rc.local"}]), "/etc/rc.local changes /k when it runs (chmod)"),
    ("files-at-boot", system(sysusers=[{**JOINS, "user": "alice"}]), "x.conf puts alice into the group docker at the next boot"),
    ("node-groups", system(sysusers=[{**JOINS, "user": "beam"}]), "x.conf puts the user beam into the group docker at the next boot"),
    (
        "served-files",
        system(served=[{"path": "/etc/beam/k", "server": "NFS", "directory": "/etc", "where": "/etc/exports"}]),
        "/etc/exports lets NFS give /etc to other hosts, and /etc/beam/k with it",
    ),
    ("cookie-arguments", system(cookie_arguments=[SERVER]), "pid 7 (erl_call, user alice) shows a node's cookie in its arguments"),
    ("cookie-arguments", system(cookie_arguments=[{**SERVER, "where": "environment"}]), "alice) shows a node's cookie in its environment"),
    ("cookie-environment", vm(cookie_in_environment=True, variables=["RELEASE_COOKIE"]), "holds its cookie in its environment (RELEASE_COOKIE)"),
    ("cookie-environment", vm(cookie_in_environment=None, variables=["EMQX_NODE__COOKIE"]), "has the variable EMQX_NODE__COOKIE"),
    ("cookie-release", vm(release_cookie="used"), "runs with the cookie in releases/COOKIE"),
    ("key-log", vm(variables=["SSLKEYLOGFILE"]), "has the variable SSLKEYLOGFILE"),
    ("key-log", side("server", keep_secrets="true"), "keep_secrets is set for the server"),
    ("epmd-commands", epmd(switches=["relaxed_command_check"]), "runs with -relaxed_command_check"),
    ("epmd-commands", epmd(variables=["ERL_EPMD_RELAXED_COMMAND_CHECK"]), "runs with ERL_EPMD_RELAXED_COMMAND_CHECK"),
    ("epmd-debug", epmd(switches=["debug"]), "runs in debug mode"),
    ("traced-processes", vm(traced_by="gdb (pid 77)"), "pid 42 (beam.smp) is traced by gdb (pid 77)"),
    ("traced-processes", epmd(traced_by="strace (pid 78)"), "is traced by strace (pid 78)"),
    (
        "options-running",
        vm(start_files=[{"path": "/etc/rabbitmq/rabbitmq.conf", "by": [], "changed": True}]),
        "/etc/rabbitmq/rabbitmq.conf was changed after pid 42 started",
    ),
    (
        "options-running",
        lambda n2: n2["units"]["beam.service"].update(start_files=[{"path": "/etc/default/x", "by": [], "changed": True}]),
        "/etc/default/x was changed after beam.service started",
    ),
    ("trust-file", file("/ca.pem", owner="beam"), "ca.pem belongs to beam, not to root"),
    ("trust-file", file("/ca.pem", mode="0664"), "no bit of 0022"),
    ("trust-file", file("/cert.pem", replaceable_by=["everybody"]), "cert.pem can be replaced by everybody"),
    ("clock-skew", lambda n2: n2.update(skew_seconds=-61.0), "61 seconds behind the controller's"),
    (
        "certificate-validity",
        both(certificate(not_after="2028-01-30T00:00:00Z"), side("server", crl_check="true"), side("client", crl_check="peer")),
        "is valid for 457 days",
    ),
]
"""Faults that a verification finds, too."""

BROKEN_IN_AUDITS: list[tuple[str, Change, str]] = [
    ("node-user", system(service_users={"beam": ["beam.service", "web.service"]}), "web.service runs as the user beam, too"),
    ("remote-shells", both(vm(switches=["remsh"]), process(started=made.NOW - 3 * made.DAY)), "is a remote shell and 72 hours old"),
    ("node-user", both(process(user="root"), lambda n2: n2["units"]["beam.service"].update(user="")), "pid 42 runs as root"),
    ("epmd-needed", lambda n2: n2.update(epmd_names={}, processes=[]), "and names no node"),
    ("port-range", flags(kernel={"inet_dist_use_interface": "{10,89,1,12}"}), "pid 42 runs without inet_dist_listen_min"),
    ("port-range", flags(kernel={"inet_dist_listen_min": "9100", "inet_dist_listen_max": "9999"}), "its range 9100-9999 has more than 100 ports"),
    ("port-range", flags(kernel={"inet_dist_listen_min": "9100"}), "its range 9100-65535"),
    ("distribution-needed", vm(incoming=[], outgoing=0), "and no peer of another host is connected"),
    ("ipv6-exposure", both(listener(5672, "10.89.1.12"), listener(5672, "::")), "listens on every IPv6 address, and on 10.89.1.12 only over IPv4"),
    ("options-verify", side("client", verify="verify_none"), "as client verify is verify_none, not verify_peer"),
    ("options-verify", side("server", without="verify"), "as server verify is not set"),
    ("options-verify", side("server", without="fail_if_no_peer_cert"), "fail_if_no_peer_cert is not true"),
    ("options-verify", side("client", verify_fun="a term"), "as client verify_fun is set"),
    ("options-verify", side("server", partial_chain="a term"), "as server partial_chain is set: a function of its own decides which CA counts"),
    ("options-verify", side("client", cacerts="a term"), "as client cacerts is set: it trusts CAs beside those of the CA file"),
    ("options-verify", side("client", server_name_indication="disable"), "as client server_name_indication is set: the name in the peer's"),
    ("options-verify", side("client", customize_hostname_check="a term"), "as client customize_hostname_check is set"),
    ("options-verify", side("server", psk_identity="a term"), "as server psk_identity is set: a shared key"),
    ("options-verify", side("server", user_lookup_fun="a term"), "as server user_lookup_fun is set"),
    ("options-verify", side("client", without="cacertfile"), "as client cacertfile is not set"),
    ("options-verify", vm(server=None, client=None), "as client verify is not set"),
    ("options-verify", flags(ssl_options=["client_verify_fun"]), "-ssl_dist_opt client_verify_fun stands beside its option file"),
    ("options-running", file("ssl_dist.conf", modified=made.NOW), "ssl_dist.conf was changed after the node started"),
    ("cipher-suites", both(TLS12, side("server", ciphers=["AES256-SHA"])), "as server ciphers has AES256-SHA"),
    ("cipher-suites", both(TLS12, side("server", ciphers=["ECDHE-RSA-AES256-SHA384"])), "ECDHE-RSA-AES256-SHA384"),
    ("cipher-suites", both(TLS12, side("client", ciphers=["TLS_ECDHE_anon_WITH_AES_128_GCM_SHA256"])), "as client ciphers has TLS_ECDHE_anon"),
    ("cipher-suites", both(TLS12, side("server", ciphers=None)), "it takes OTP's own suites for TLS 1.2"),
    ("signature-algorithms", both(TLS12, side("server", algorithms=["sha_rsa"])), "as server signature_algs has sha_rsa"),
    ("signature-algorithms", both(TLS12, side("server", algorithms=["rsa_pkcs1_sha1"])), "rsa_pkcs1_sha1"),
    (
        "signature-algorithms",
        both(TLS12, side("client", algorithms=None), lambda n2: n2["processes"][0]["vm"].update(version="25.2.3")),
        "accepts SHA-1",
    ),
    ("renegotiation", both(TLS12, side("server", client_renegotiation="true")), "client_renegotiation is not false"),
    ("renegotiation", side("client", secure_renegotiate="false"), "as client secure_renegotiate is false"),
    ("boot-server", vm(kernel={"start_boot_server": "true"}), "pid 42 runs with start_boot_server true"),
    ("boot-server", flags(kernel={"start_boot_server": "true"}), "pid 42 runs with start_boot_server true"),
    ("revocation", certificate(not_after="2027-11-29T00:00:00Z"), "valid for 395 days, and no CRL is checked"),
    ("session-resumption", both(TLS12, side("server", reuse_sessions="true")), "reuse_sessions is not false"),
    ("session-resumption", side("server", session_tickets="stateless"), "session_tickets is stateless"),
    ("early-data", side("server", early_data="enabled"), "as server early_data is set"),
    ("partition-settings", vm(kernel={"prevent_overlapping_partitions": "false"}), "prevent_overlapping_partitions is false"),
    (
        "partition-settings",
        flags(kernel={"inet_dist_listen_min": "9100", "inet_dist_listen_max": "9100", "net_ticktime": "3600"}),
        "is 3600, not 8 to",
    ),
    ("cookie-age", file(".erlang.cookie", modified=made.NOW - 400 * made.DAY), "is 400 days old"),
    ("program-owner", vm(replaceable_by=["app"]), "can be replaced by app"),
    ("program-owner", vm(privileged_programs=["/opt/beam.smp (setuid)"]), "runs an OTP with /opt/beam.smp (setuid)"),
    ("program-protections", vm(program=["nx", "relro"]), "pid 42 (beam.smp) was built without PIE"),
    ("program-protections", epmd(program=["pie"]), "without a stack that is not executable"),
    ("openssl-maintained", vm(libcrypto="1.1.1w"), "has loaded OpenSSL 1.1.1w"),
    ("otp-maintained", lambda n2: n2["processes"][0]["vm"].update(version="24.3.4", package=None), "runs OTP 24.3.4. The maintained releases are 27"),
    ("epmd-running", epmd(replaced=True), "runs a program that is no longer the file on disk"),
    ("embedded-mode", release(**{**EMBEDDED, "switches": []}), "runs without -mode embedded"),
    ("release-applications", release(switches=["embedded"], applications={"wx": "2.4", "kernel": "10"}), "its release contains wx"),
    ("log-files", vm(open_logs=["/var/log/app/app.log"]), "writes /var/log/app/app.log, which every user can read"),
    ("otp-same", lambda n2: n2["processes"][0]["vm"].update(version="27.3.1"), "runs OTP 27.3.1, older than beam@n1 (27.3.4.1)"),
    ("cookie-products", product("rabbitmq"), "has the same cookie as beam@n1 (ejabberd)"),
    ("rabbitmq-guest", product("rabbitmq", loopback_users="none", anonymous_login_user="none"), "loopback_users = none: guest may connect"),
    ("rabbitmq-guest", product("rabbitmq", **{"loopback_users.guest": "false", "anonymous_login_user": "none"}), "loopback_users.guest = false"),
    ("rabbitmq-passwords", product("rabbitmq", known_logins="guest in /d.json; bob in /r.conf"), "the user bob in /r.conf is created with a"),
    ("rabbitmq-passwords", product("rabbitmq", known_logins="guest in /d.json", loopback_users="none"), "the user guest in /d.json is created"),
    ("rabbitmq-anonymous", product("rabbitmq", anonymous_login_user="admin"), "gets the rights of admin"),
    ("ejabberd-files", product("ejabberd", open="/etc/ejabberd/ejabberd.yml"), "its mode lets every user read /etc/ejabberd/ejabberd.yml"),
    ("ejabberd-log-level", product("ejabberd", loglevel="5"), "loglevel is 5"),
    ("container-privileges", contained(capabilities=["chown", "sys_admin"]), "in a container has the capability sys_admin"),
    ("container-cookie", contained(variables=["RELEASE_COOKIE"]), "in a container has the variable RELEASE_COOKIE"),
    ("container-ports", both(contained(), listener(9200, process="docker-proxy", pid=98)), "is published: 0.0.0.0:9200 (docker-proxy"),
    ("system-core-dumps", system(suid_dumpable=1), "fs.suid_dumpable is 1"),
    ("system-core-dumps", system(core_pattern="/tmp/core.%p"), "kernel.core_pattern is /tmp/core.%p"),
    ("system-core-dumps", system(core_pattern="|/usr/share/apport/apport -p%p -c%c"), "gives every core dump to /usr/share/apport/apport"),
    ("system-ptrace", system(ptrace_scope=0), "ptrace_scope is 0"),
    ("system-processes", system(hidepid="0"), "/proc is mounted without hidepid"),
    ("system-swap", system(swaps=[{"name": "/dev/sda2", "protected": False}]), "/dev/sda2 is a swap area in clear text"),
    ("system-time", system(clock_synchronized=False, time_services=[]), "its clock is not synchronized, and no time service runs"),
]


@pytest.mark.parametrize(("control", "change", "says"), BROKEN)
def test_a_broken_host_fails_exactly_that_control(control: str, change: Change, says: str) -> None:
    (found,) = verified(change).failures
    assert (found.control, found.status, found.hosts) == (control, FAILED, ("n2",))
    assert says in " ".join(found.details)


@pytest.mark.parametrize(("control", "change", "says"), [*BROKEN, *BROKEN_IN_AUDITS])
def test_an_audit_finds_it_too(control: str, change: Change, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if control == "cookie-products":
        whole = made.host
        monkeypatch.setattr(made, "host", lambda name: _with_traces(whole(name), "ejabberd" if name == "n1" else ""))
    found = [one for one in findings(audited(change), control) if one.status == FAILED and one.hosts == ("n2",)]
    assert found, control
    assert says in " ".join(detail for one in found for detail in one.details)


def _with_traces(host: dict[str, Any], traces: str) -> dict[str, Any]:
    host["processes"][0]["traces"] = [traces] if traces else []
    return host


def test_every_control_has_a_fault() -> None:
    assert {control for control, _change, _says in [*BROKEN, *BROKEN_IN_AUDITS]} == CHECKED_HERE


def test_what_no_role_sets_is_looked_at_in_audits_only() -> None:
    in_verify = {control for control, _change, _says in BROKEN}
    only_audits = {control for control in CHECKED_HERE if BY_ID[control].audit_only}
    assert in_verify.isdisjoint(only_audits)
    assert CHECKED_HERE - only_audits - in_verify == {"epmd-needed", "port-range", "node-user", "program-owner"} | OF_PRODUCTS
    assert {one.control for one in evaluate(made.evidence()).findings}.isdisjoint(only_audits)


def test_each_passes_on_hardened_hosts() -> None:
    verdict = audited(lambda n2: None)
    status = {control: {one.status for one in findings(verdict, control)} for control in CHECKED_HERE}
    without = {"embedded-mode", "release-applications", "cookie-products"}
    without |= {control for control in CHECKED_HERE if control.startswith("container-")}
    assert {control for control, found in status.items() if found != {PASSED}} == without | OF_PRODUCTS
    assert all(status[control] == {NOT_APPLICABLE} for control in without | OF_PRODUCTS)


PASSING: list[tuple[str, Change]] = [
    ("embedded-mode", release(**EMBEDDED)),
    ("release-applications", release(**EMBEDDED)),
    ("cookie-products", product("rabbitmq")),
    ("rabbitmq-guest", product("rabbitmq")),
    ("rabbitmq-passwords", product("rabbitmq", known_logins="guest in /d.json")),
    ("rabbitmq-anonymous", product("rabbitmq", anonymous_login_user="none", loopback_users="none")),
    ("ejabberd-files", product("ejabberd")),
    ("ejabberd-log-level", product("ejabberd", loglevel="info")),
    ("container-privileges", contained()),
    ("container-cookie", contained()),
    ("container-ports", both(contained(), listener(9200, "127.0.0.1", process="docker-proxy"))),
    ("cipher-suites", TLS12),
    ("signature-algorithms", TLS12),
    ("renegotiation", TLS12),
    ("session-resumption", TLS12),
    # RabbitMQ before 3.12.7 lists TLS 1.2 without a suite of it.
    ("renegotiation", side("server", versions=OLD, ciphers=["TLS_AES_256_GCM_SHA384"])),
    ("revocation", both(side("server", crl_check="true"), side("client", crl_check="true"), certificate(not_after="2028-01-30T00:00:00Z"))),
    ("options-verify", side("client", server_name_indication="n1.example")),
    ("partition-settings", both(product("rabbitmq"), vm(kernel={"prevent_overlapping_partitions": "false"}))),
    ("port-range", flags(kernel={}, fixed_port="9100")),
    ("port-range", both(flags(kernel={}), vm(kernel={"inet_dist_listen_min": "9100", "inet_dist_listen_max": "9100"}))),
    ("distribution-needed", both(vm(incoming=[], outgoing=0), lambda n2: n2["listeners"][3].update(address="127.0.0.1"))),
    ("otp-maintained", lambda n2: n2["processes"][0]["vm"].update(version="25.2.3")),
    ("otp-same", lambda n2: n2["processes"][0]["vm"].update(version="25.2.3")),
    ("openssl-maintained", vm(libcrypto="")),
    ("system-time", system(clock_synchronized=True, time_services=[])),
    ("system-loopback", system(route_localnet=["docker0", "podman1"])),
    ("system-swap", system(swaps=[{"name": "/dev/zram0", "protected": True}])),
    ("remote-shells", both(vm(switches=["remsh"]), process(started=made.NOW - 3600))),
]


@pytest.mark.parametrize(("control", "change"), PASSING)
def test_what_is_as_it_should_be_passes(control: str, change: Change) -> None:
    assert {one.status for one in findings(audited(change), control) if one.hosts == ("n2",)} == {PASSED}


@pytest.mark.parametrize(
    ("by", "digest", "status"),
    [
        ("beam", "of our unit", PASSED),
        ("group beam", "of our unit", PASSED),
        ("everybody", "of our unit", FAILED),
        ("operator", "of our unit", FAILED),
        # Another unit does not write it anew.
        ("beam", None, FAILED),
    ],
)
def test_what_the_unit_of_a_release_writes_at_each_start_is_its_users(by: str, digest: str | None, status: str) -> None:
    seen = made.hosts()
    vm(start_files=[{"path": "/var/lib/beam/beam@n2/release.args", "by": [by]}])(seen["n2"])
    seen["n2"]["processes"][0]["digest"] = digest
    found = [one.status for one in findings(evaluate(made.evidence(seen=seen)), "start-files") if one.hosts == ("n2",)]
    assert found == [status]


@pytest.mark.parametrize(("name", "flag"), [("rabbitmq", "-s rabbit"), ("ejabberd", "-s ejabberd"), ("release", "-s elixir")])
def test_what_a_discovered_product_starts_with_is_its_own(name: str, flag: str) -> None:
    def started(traces: list[str]) -> Verdict:
        return audited(process(traces=traces, runs=[flag]))

    (known,) = [one for one in findings(started([name]), "start-environment") if one.hosts == ("n2",)]
    (bare,) = [one for one in findings(started([]), "start-environment") if one.hosts == ("n2",)]
    assert (known.status, bare.status) == (PASSED, FAILED)


def test_what_stands_in_the_argument_files_of_a_release_is_not_its_start_script() -> None:
    verdict = audited(process(traces=["release"], runs=["-eval in /opt/shop/releases/1.0/vm.args"]))
    (found,) = [one for one in findings(verdict, "start-environment") if one.hosts == ("n2",)]
    assert found.status == FAILED and "was started with -eval, from /opt/shop/releases/1.0/vm.args" in found.details[0]


def nothing(*names: str) -> Change:
    return vm(**dict.fromkeys(names))


_OLD = both(TLS12, side("server", algorithms=None), lambda n2: n2["processes"][0]["vm"].update(version=None))


@pytest.mark.parametrize("control", OF_PROCESSES)
def test_a_tool_that_ended_meanwhile_is_no_gap(control: str) -> None:
    def change(n2: dict[str, Any]) -> None:
        n2["processes"].append({**n2["processes"][0], "pid": 4242, "hardening": dict.fromkeys(made.hardening())})

    found = [one for one in findings(verified(change), control) if one.hosts == ("n2",)]
    assert {one.status for one in found} == {PASSED}


UNKNOWN: list[tuple[str, Change]] = [
    *((control, process(hardening=None)) for control in OF_PROCESSES if control not in ("node-user", "epmd-user", "cookie-arguments")),
    *((control, gone("processes")) for control in ("node-user", "epmd-user", "epmd-commands", "epmd-debug", "remote-shells")),
    ("node-user", gone("system")),
    ("cookie-arguments", gone("system")),
    ("cookie-arguments", system(cookie_arguments=None)),
    ("files-at-boot", system(tmpfiles=None)),
    ("served-files", system(served=None)),
    ("files-at-boot", system(sysusers=None)),
    ("cookie-arguments", lambda n2: n2.update(privileged=False)),
    ("cookie-environment", nothing("variables")),
    ("no-new-privileges", nothing("no_new_privileges")),
    ("start-files", nothing("start_files")),
    ("start-files", lambda n2: n2["units"]["beam.service"].update(start_files=None)),
    ("start-files", gone("processes")),
    ("node-groups", nothing("groups")),
    ("node-groups", epmd(groups=None)),
    ("capabilities", nothing("capabilities")),
    ("system-calls", nothing("seccomp")),
    ("traced-processes", nothing("traced_by")),
    ("crash-dump-settings", nothing("crash_dump")),
    ("cookie-release", nothing("release_cookie")),
    ("key-log", nothing("variables")),
    ("epmd-needed", lambda n2: n2.update(epmd_names=None)),
    ("epmd-needed", gone("listeners")),
    ("epmd-needed", both(lambda n2: n2.update(listeners=[]), listener(4370, process="epmd", pid=1077))),
    ("epmd-commands", epmd(switches=None)),
    ("epmd-debug", epmd(switches=None)),
    ("ipv6-exposure", gone("listeners")),
    ("port-range", flags(arguments_read=False, kernel={})),
    ("port-range", both(flags(kernel={}, config_files=["/x"]), vm(kernel=None))),
    ("distribution-needed", nothing("incoming")),
    ("distribution-needed", gone("listeners")),
    ("remote-shells", vm(switches=None)),
    *((control, gone("system")) for control in (*system_checks.CHECKS, "hosts-file") if control != "clock-skew"),
    ("hosts-file", system(dist_hosts=None)),
    ("clock-skew", lambda n2: n2.update(skew_seconds=None)),
    ("system-core-dumps", system(core_pattern=None)),
    ("system-ptrace", system(ptrace_scope=None)),
    ("system-processes", system(hidepid=None)),
    ("system-loopback", system(route_localnet=None)),
    ("system-loopback", system(sysctls_at_boot=None)),
    ("system-swap", system(swaps=None)),
    ("system-swap", system(swaps=[{"name": "/dev/sda2", "protected": None}])),
    ("system-time", system(clock_synchronized=None, time_services=None)),
    *((control, vm(options_read=False)) for control in tls_option_checks.CHECKS if control not in NOT_OF_OPTIONS),
    ("options-running", gone("files")),
    ("partition-settings", vm(kernel=None)),
    ("boot-server", vm(kernel=None)),
    ("boot-server", flags(arguments_read=False)),
    ("cipher-suites", both(TLS12, side("server", ciphers=["a term"]))),
    ("signature-algorithms", _OLD),
    ("revocation", gone("certificates")),
    ("trust-file", gone("files")),
    ("certificate-validity", gone("certificates")),
    ("cookie-age", gone("files")),
    ("package-files", system(package_files=None)),
    ("program-owner", nothing("replaceable_by")),
    ("program-owner", nothing("privileged_programs")),
    ("program-protections", nothing("program")),
    ("openssl-maintained", nothing("libcrypto")),
    ("log-files", nothing("open_logs")),
    ("otp-maintained", lambda n2: n2["processes"][0]["vm"].update(version=None)),
    ("otp-same", lambda n2: n2["processes"][0]["vm"].update(version=None)),
    ("otp-same", gone("secrets")),
    ("cookie-products", gone("secrets")),
    ("epmd-running", epmd(replaced=None)),
    ("embedded-mode", release(switches=None)),
    ("release-applications", release()),
    *((control, lambda n2: n2["processes"][0].update(traces=["rabbitmq"])) for control in ("rabbitmq-guest", "rabbitmq-anonymous")),
    *((control, lambda n2: n2["processes"][0].update(traces=["ejabberd"])) for control in ("ejabberd-files", "ejabberd-log-level")),
    *((control, product("rabbitmq", unread="/etc/rabbitmq/rabbitmq.conf")) for control in ("rabbitmq-guest", "rabbitmq-passwords")),
    ("rabbitmq-anonymous", product("rabbitmq", unread="/etc/rabbitmq/advanced.config")),
    ("container-privileges", contained(capabilities=None)),
    ("container-cookie", contained(variables=None)),
    ("container-ports", gone("listeners")),
]


@pytest.mark.parametrize(("control", "change"), UNKNOWN)
def test_what_could_not_be_looked_at_is_not_tested(control: str, change: Change) -> None:
    found = [one for one in findings(audited(change), control) if one.hosts == ("n2",)]
    # A fault that others see too is a failure: what counts is that nothing is passed for this node or host alone.
    assert NOT_TESTED in {one.status for one in found}


def test_every_control_has_been_unknown() -> None:
    assert {control for control, _change in UNKNOWN} == CHECKED_HERE


@pytest.mark.parametrize("control", sorted(CHECKED_HERE))
def test_a_host_that_was_not_observed_passes_nothing(control: str) -> None:
    verdict = evaluate(made.evidence(seen={**made.hosts(), "n2": {}}))
    assert {one.status for one in findings(verdict, control) if one.hosts == ("n2",)} <= {NOT_TESTED}
