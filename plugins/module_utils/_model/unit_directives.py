# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directives of systemd that an operator's unit and the sandbox of the role service both speak of: one table.

Private to this collection. What our drop-in sets is in roles/service/templates/node.service.conf.j2. Source: systemd.exec(5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

SWITCHED_OFF = ("no", "false", "off", "0")


@dataclass(frozen=True)
class Directive:
    """ours: what the sandbox sets, where an operator's other value says that the service needs what it takes away; needs: these values, where none
    is given all but yes and ours. unusable: why a hardened node does not start with it, or is not behind the firewall; mended: what to do, where it
    is not to remove it; added: what beam_service_directives must have with it, or why that is not enough. read: its value is read from the operator's
    files; it holds no secret. allowed: the plan looks for it in beam_service_directives."""

    ours: str = ""
    needs: tuple[str, ...] = ()
    unusable: str = ""
    mended: str = "remove it there"
    added: str = ""
    read: bool = True
    allowed: bool = True


def _switch(name: str, *more: str) -> Directive:
    return Directive(f"{name}=yes", (*SWITCHED_OFF, *more))


def _unusable(reason: str, mended: str = Directive.mended) -> Directive:
    return Directive(unusable=reason, mended=mended, allowed=False)


_ONLY_READ, _ONLY_ALLOWED = Directive(allowed=False), Directive(read=False)
_NETWORK, _NOT_FOUND = "the host's address and firewall are not in that network", "the node would not find its flags in /etc/beam"
_SWITCHES = (
    "LockPersonality", "MemoryDenyWriteExecute", "PrivateDevices", "PrivateTmp", "ProtectClock", "ProtectControlGroups",
    "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RemoveIPC", "RestrictRealtime", "RestrictSUIDSGID",
)  # fmt: skip

DIRECTIVES: Mapping[str, Directive] = {
    **{name: _switch(name) for name in _SWITCHES},
    "AmbientCapabilities": Directive(),
    "BindPaths": _ONLY_ALLOWED,
    "CapabilityBoundingSet": _ONLY_ALLOWED,
    "DeviceAllow": Directive("PrivateDevices=yes", added=" and 'PrivateDevices=no'"),
    "DevicePolicy": _ONLY_ALLOWED,
    "DynamicUser": _unusable(
        "the account that owns the cookie and the key would exist only while the unit runs", "remove it there, create an account, and set User= to it"
    ),
    "ExecPaths": _ONLY_ALLOWED,
    "IPAddressAllow": Directive(),
    "IPAddressDeny": Directive(),
    "InaccessiblePaths": _unusable(_NOT_FOUND),
    "LimitCORE": Directive("LimitCORE=0"),
    "NetworkNamespacePath": _unusable(_NETWORK),
    "NoNewPrivileges": replace(_switch("NoNewPrivileges"), added=" (with systemd 252, of Debian 12, the sandbox's filters set it all the same)"),
    "NoExecPaths": _unusable(
        "systemd could not run /etc/beam/guard", "remove it there, or add 'ExecPaths=/etc/beam' to beam_service_directives"
    ),
    "PermissionsStartOnly": _ONLY_READ,
    "PrivateNetwork": _unusable(_NETWORK),
    "ProcSubset": Directive("ProcSubset=pid", ("all",)),
    "ProtectHome": _switch("ProtectHome", "read-only", "tmpfs"),
    "ProtectProc": Directive("ProtectProc=invisible", ("default",)),
    "ReadWritePaths": _ONLY_ALLOWED,
    "Restart": _ONLY_READ,
    "RestrictNamespaces": Directive("RestrictNamespaces=yes"),
    "RootDirectory": _unusable(_NOT_FOUND),
    "RootImage": _unusable(_NOT_FOUND),
    "SocketBindAllow": Directive(),
    "SocketBindDeny": Directive(),
    "TemporaryFileSystem": _unusable(_NOT_FOUND),
    "UMask": Directive(),
}  # fmt: skip

READ = frozenset(name for name, one in DIRECTIVES.items() if one.read)
ALLOWED = frozenset(name for name, one in DIRECTIVES.items() if one.allowed)
OVERRIDDEN = {name: one for name, one in DIRECTIVES.items() if one.ours}
UNUSABLE = {name: one for name, one in DIRECTIVES.items() if one.unusable}
