#!/bin/sh
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# remote_shell.sh NODE
# The remote shell of docs/remote_shell.md, on a terminal, asked one question; and who listens on the host before it and while it is open.
set -eu
node=$1
host=${node#*@}
case $host in *[.:]*) flag=-name ;; *) flag=-sname ;; esac
listeners() { ss -Hltn | awk '{print $4}' | sort -u; }

cd /
before=$(listeners)
asked=$(mktemp)
trap 'rm -f "$asked"' EXIT
(sleep 6 && printf 'io:format("here: ~s~n", [node()]).\r' && sleep 4) |
    timeout 40 script -qec "runuser -u beam -- env HOME=/var/lib/beam/$node TERM=xterm \
        erl -args_file /etc/beam/$node/tool.args $flag shell_$$@$host -remsh $node" /dev/null >"$asked" &
sleep 8
while_open=$(listeners)
# Its process: a shell that has ended by now would open nothing either.
pgrep -f "shell_$$@" >/dev/null
wait
grep -a "^here: $node" "$asked"
[ "$before" = "$while_open" ] || { echo "opened: $while_open"; exit 1; }
