# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of running processes that are older than their files."""

from __future__ import annotations

from fault import BESIDE, LIVE, NODE, Fault
from makers import DROP_INS, LOADED, RESTART, SHELL

FAULTS = (
    Fault(
        name="a node that is older than its files",
        breaks=f"cp -p {DROP_INS}/zzz-beam.conf $saved/\n"
        f"sed -i 's/CLUSTER_DIGEST=../CLUSTER_DIGEST=00/' {DROP_INS}/zzz-beam.conf; systemctl daemon-reload",
        control="running-process",
        names=("was started before its files were last changed",),
        repair=f"cp -p $saved/zzz-beam.conf {DROP_INS}/; systemctl daemon-reload",
        alters=BESIDE,
    ),
    Fault(
        name="a program that traces the node",
        # PTRACE_SEIZE: the node goes on.
        breaks="""pid=$(systemctl show --value -p MainPID beam); [ $pid != 0 ]
systemd-run --quiet --collect --unit=tracer python3 -c "
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
if libc.ptrace(0x4206, $pid, 0, 0):
    raise OSError(ctypes.get_errno(), 'ptrace')
time.sleep(7200)"
sleep 2; grep -q '^TracerPid:.[1-9]' /proc/$pid/status""",
        control="traced-processes",
        names=("is traced by python3 (pid",),
        repair="systemctl stop tracer",
        alters=BESIDE,
    ),
    Fault(
        name="a program that traces one thread of the node",
        breaks="""pid=$(systemctl show --value -p MainPID beam); [ $pid != 0 ]; thread=$(ls /proc/$pid/task | grep -vx $pid | tail -n 1)
systemd-run --quiet --collect --unit=tracer-of-thread python3 -c "
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
if libc.ptrace(0x4206, $thread, 0, 0):
    raise OSError(ctypes.get_errno(), 'ptrace')
time.sleep(7200)"
sleep 2; grep -q '^TracerPid:.[1-9]' /proc/$pid/task/$thread/status""",
        control="traced-processes",
        names=("is traced by python3 (pid",),
        repair="systemctl stop tracer-of-thread",
        alters=BESIDE,
    ),
    Fault(
        name="a VM whose program was replaced on the disk",
        breaks="vm=$(ls /usr/lib/erlang/erts-*/bin/beam.smp); cp -p $vm $vm.new; mv $vm.new $vm",
        control="running-vm",
        names=("beam.smp",),
        repair=RESTART,
        alters=LIVE,
    ),
    Fault(
        name="another CA file in the mounts of the node",
        breaks=f"{SHELL}install -m 0644 $directory/tls/ca.pem /opt/ca.pem; "
        f"printf '[Service]\\nBindReadOnlyPaths=/opt/ca.pem:%s\\n' $directory/tls/ca.pem > {DROP_INS}/aa-mounts.conf; {LOADED}",
        control="running-process",
        names=("sees another", "tls/ca.pem than the host"),
        repair=f"rm -f {DROP_INS}/aa-mounts.conf; {LOADED}; rm -f /opt/ca.pem",
        alters=NODE,
    ),
    Fault(
        name="another OTP in the mounts of the node",
        breaks=f"{SHELL}cp -a /usr/lib/erlang/lib /opt/fault-otp; "
        f"printf '[Service]\nBindReadOnlyPaths=/opt/fault-otp:/usr/lib/erlang/lib\n' > {DROP_INS}/aa-otp.conf; {LOADED}",
        control="running-process",
        names=("sees another /usr/lib/erlang/lib", "than the host"),
        repair=f"rm -f {DROP_INS}/aa-otp.conf; {LOADED}; rm -rf /opt/fault-otp",
        alters=NODE,
    ),
)
