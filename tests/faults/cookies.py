# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of cookies: weak, shared, copied, shown."""

from __future__ import annotations

from fault import BESIDE, COOKIE, MESH, Fault
from makers import CALL, FILES, RESTART, SHELL, STRAY, removed, unconfined

_SAVE_COOKIE = FILES + "cp -p $cookie $saved/\n"
_RESTORE_COOKIE = FILES + "cp -p $saved/.erlang.cookie $cookie"


def _cookie(name: str, make: str, control: str, *names: str) -> Fault:
    """make: a command that prints the cookie."""
    breaks = f"{_SAVE_COOKIE}{make} | tr -d '\\n' > $saved/new; cat $saved/new > $cookie"
    return Fault(name=name, breaks=breaks, control=control, names=(".erlang.cookie", *names), repair=_RESTORE_COOKIE, alters=COOKIE)


def _copy(name: str, path: str, text: str = "$(cat $cookie)", mode: str = "0644", after: str = "", names: tuple[str, ...] = ()) -> Fault:
    """A file with the cookie. after: what has to be done when it is written, and when it is removed."""
    lines = [f"test ! -e {path}", f"mkdir -p $(dirname {path})", f'printf "%s\\n" "{text}" > {path}', f"chmod {mode} {path}"]
    return Fault(
        name=name,
        breaks=FILES + "\n".join(lines) + f"\n{after}",
        control="cookie-copies",
        names=(path, "holds the cookie of", *names),
        repair=f"rm -f {path}\n{after}",
        alters=BESIDE,
    )


_MAKE_OTP = "(export HOME=$(mktemp -d); erl -noinput -boot start_clean -eval 'auth:init([]), halt().'; cat $HOME/.erlang.cookie; rm -rf $HOME)"
_RANDOM = "python3 -c 'import secrets, string; print(\"\".join(secrets.choice({alphabet}) for _ in range({length})))'"
# The hosts have the library, and not the program.
_ZSTD = (
    "import ctypes, sys; data = open(sys.argv[1], \"rb\").read(); room = ctypes.create_string_buffer(4096); zstd = ctypes.CDLL(\"libzstd.so.1\"); "
    "size = zstd.ZSTD_compress(room, 4096, data, len(data), 3); open(sys.argv[2], \"wb\").write(room.raw[:size])"
)
_GIT = "import sys, zlib; data = open(sys.argv[1], \"rb\").read(); open(sys.argv[2], \"wb\").write(zlib.compress(b\"blob %d\\0\" % len(data) + data))"
FAULTS = (
    Fault(
        name="a cookie file of another user with the cookie of the node",
        breaks=f"{FILES}install -d -m 0700 -o games /home/fault-games; install -m 0400 -o games $cookie /home/fault-games/.erlang.cookie",
        control="cookie-copies",
        names=("/home/fault-games/.erlang.cookie gives games the cookie of",),
        repair="rm -rf /home/fault-games",
        alters=BESIDE,
    ),
    _cookie("cookie of the examples: beam", "echo beam", "cookie-published", "is a default"),
    _cookie("cookie of RabbitMQ's examples", "echo XRAYRABBITMQCLUSTER", "cookie-published", "is a default"),
    _cookie("cookie of CouchDB", "echo monster", "cookie-published", "is a default"),
    _cookie("cookie of EMQX", "echo emqxsecretcookie", "cookie-published", "is a default"),
    _cookie("cookie of VerneMQ", "echo vmq", "cookie-published", "is a default"),
    _cookie("cookie of FreeSWITCH", "echo ClueCon", "cookie-published", "is a default"),
    _cookie("long cookie in a published list", "echo 588a30cfed89e04a2f1f6f3a8d63f94e", "cookie-published", "was published"),
    _cookie("cookie made by OTP", _MAKE_OTP, "cookie-generated", "was made by Erlang/OTP"),
    _cookie("twenty random capital letters", _RANDOM.format(alphabet="string.ascii_uppercase", length=20), "cookie-strength", "128 bits"),
    _cookie("thirty-two random digits", _RANDOM.format(alphabet="string.digits", length=32), "cookie-strength", "128 bits"),
    _cookie("a piece repeated", "echo 9c1f7ab39c1f7ab39c1f7ab39c1f7ab39c1f7ab3", "cookie-strength", "128 bits"),
    _cookie("another cookie than the other members'", "openssl rand -hex 32", "cookie-same", "holds another cookie than beam@n2, beam@n3"),
    Fault(
        name="a node of another cluster with the same cookie",
        breaks=FILES
        + "mkdir -p /srv/other; cp $cookie /srv/other/.erlang.cookie; chown -R games /srv/other; chmod 0400 /srv/other/.erlang.cookie\n"
        + "systemd-run --quiet --unit=other-cluster --uid=games -E HOME=/srv/other erl -noinput -sname other -start_epmd false -erl_epmd_port 9999 "
        + "-kernel inet_dist_use_interface '{127,0,0,1}'; sleep 3",
        control="cookie-shared",
        names=("other", "other-cluster.service", "games", "/srv/other/.erlang.cookie"),
        repair="systemctl stop other-cluster; rm -rf /srv/other",
        alters=BESIDE,
    ),
    _copy(
        "cookie in an idle drop-in",
        "/etc/systemd/system/beam.service.d/zz.conf",
        "[Service]\nEnvironment=\\\"ERL_FLAGS=-setcookie $(cat $cookie)\\\"",
        after="systemctl daemon-reload",
        names=("systemctl show",),
    ),
    _copy(
        "cookie in a drop-in that root alone can read",
        "/etc/systemd/system/beam.service.d/aa.conf",
        "[Service]\nEnvironment=X=$(cat $cookie)",
        "0600",
        after="systemctl daemon-reload",
        names=("systemctl show",),
    ),
    _copy("cookie in a unit of another service", "/etc/systemd/system/backup.service", "[Service]\nExecStart=/bin/true $(cat $cookie)"),
    _copy("cookie in /etc/default", "/etc/default/beam", "RELEASE_COOKIE=$(cat $cookie)"),
    _copy("cookie in a profile", "/etc/profile.d/erlang.sh", "export ERL_AFLAGS='-setcookie $(cat $cookie)'"),
    _copy("cookie in a cron table", "/etc/cron.d/beam", "0 0 1 1 * root erl_call -c $(cat $cookie) -n x"),
    _copy("cookie in releases/COOKIE", "/opt/shop/releases/COOKIE"),
    _copy("cookie in sys.config", "/opt/shop/releases/1.0.0/sys.config", "[{kernel, [{cookie, '$(cat $cookie)'}]}]."),
    _copy("cookie in vm.args", "/opt/shop/releases/1.0.0/vm.args", "-setcookie $(cat $cookie)"),
    _copy("cookie in a directory of the node", "/etc/beam/beam@n1/old.args", "-setcookie $(cat $cookie)"),
    _copy("cookie in the temporary directory", "/tmp/cookie"),
    _copy("cookie in a history", "/home/alice/.bash_history", "erl -sname x -setcookie $(cat $cookie)"),
    _copy("cookie in a crash dump", "/tmp/erl_crash.dump.1", "=erl_crash_dump:0.5\n$(cat $cookie)"),
    Fault(
        name="the home of the node is open to everybody",
        breaks=FILES + "chmod 0777 $home",
        control="cookie-file",
        names=(".erlang.cookie", "can be replaced by everybody"),
        repair=FILES + "chmod 0700 $home",
        alters=BESIDE,
    ),
    Fault(
        name="the cookie can be read by the group",
        breaks=_SAVE_COOKIE + "chmod 0440 $cookie",
        control="cookie-file",
        names=(".erlang.cookie", "0440"),
        repair=_RESTORE_COOKIE,
        alters=COOKIE,
    ),
    Fault(
        name="a copy of the cookie in a directory of data",
        breaks=FILES + "mkdir -p /srv/data/old; cp $home/.erlang.cookie /srv/data/old/cookie; chmod 0644 /srv/data/old/cookie",
        control="cookie-copies",
        names=("/srv/data/old/cookie", "holds the cookie of"),
        repair="rm -rf /srv/data/old",
        alters=BESIDE,
    ),
    Fault(
        name="the cookie in the journal, which a group can read",
        breaks=FILES + "usermod -a -G systemd-journal games; logger -t sudo \"COMMAND=/usr/bin/erl -setcookie $(cat $cookie)\"; journalctl --sync",
        control="cookie-copies",
        names=("/log/journal/", "holds the cookie of", "journalctl --vacuum-time=1s"),
        # rsyslog, where there is one, has written it to its files as well.
        repair="gpasswd -d games systemd-journal; journalctl --rotate; journalctl --vacuum-time=1s\n"
        "grep -ls -- ' -setcookie ' /var/log/*log | xargs -r sed -i '/ -setcookie /d'",
        alters=BESIDE,
    ),
    Fault(
        name="a packed backup of the node's home",
        breaks=FILES + "tar -czf /opt/home.tar.gz -C $home .erlang.cookie; chmod 0644 /opt/home.tar.gz",
        control="cookie-copies",
        names=("/opt/home.tar.gz", "holds the cookie of"),
        repair="rm -f /opt/home.tar.gz",
        alters=BESIDE,
    ),
    _copy("cookie in a directory of its own for backups", "/backup/2026/n1/cookie"),
    _copy("cookie deep in a home", "/home/alice/copies/etc/beam/n1/cookie"),
    _copy("cookie in a log of a web server", "/var/log/nginx/access.log.1", "GET /?cookie=$(cat $cookie)"),
    Fault(
        name="a backup of the node's home that is packed with zstd",
        breaks=FILES + f"python3 -c '{_ZSTD}' $cookie /srv/home.zst; chmod 0644 /srv/home.zst",
        control="cookie-copies",
        names=("/srv/home.zst", "holds the cookie of"),
        repair="rm -f /srv/home.zst",
        alters=BESIDE,
    ),
    Fault(
        name="the cookie in an object of git",
        breaks=FILES + f"mkdir -p /srv/configuration/.git/objects/ab; python3 -c '{_GIT}' $cookie /srv/configuration/.git/objects/ab/cd; "
        "chmod -R a+rX /srv/configuration",
        control="cookie-copies",
        names=("/srv/configuration/.git/objects/ab/cd", "holds the cookie of"),
        repair="rm -rf /srv/configuration",
        alters=BESIDE,
    ),
    unconfined(
        "the cookie in the environment of the node",
        "Environment=RELEASE_COOKIE='\"$(cat $home/.erlang.cookie)\"'",
        "cookie-environment",
        "holds its cookie in its environment",
    ),
    Fault(
        name="the cookie in the arguments of a program",
        breaks=SHELL + "systemd-run --quiet --collect --unit=cookie-shown python3 -c 'import time; time.sleep(3600)' $(cat $home/.erlang.cookie)",
        control="cookie-arguments",
        names=("python3", "shows a node's cookie"),
        repair="systemctl stop cookie-shown",
        alters=BESIDE,
    ),
    Fault(
        name="the cookie in the environment of a program",
        breaks=SHELL + "systemd-run --quiet --collect --unit=cookie-kept -E ERL_COOKIE=$(cat $home/.erlang.cookie) sleep 3600",
        control="cookie-arguments",
        names=("sleep", "shows a node's cookie in its environment"),
        repair="systemctl stop cookie-kept",
        alters=BESIDE,
    ),
    Fault(
        name="the cookie of -nocookie in the running node",
        breaks=CALL + "call 'erlang:set_cookie(nocookie).'",
        control="wrong-cookie",
        names=("-> beam@n",),
        repair=RESTART,
        alters=MESH,
    ),
    Fault(
        name="a VM with its cookie in its arguments",
        breaks=STRAY + "stray cookied root -sname cookied -setcookie abcdef -start_epmd false -erl_epmd_port 9781",
        control="argument-list",
        names=("cookied", "shows its cookie"),
        repair=STRAY + "strays_end cookied",
        alters=BESIDE,
    ),
    removed("the cookie file of the node is gone", "$home/.erlang.cookie", "cookie-file", COOKIE),
)
