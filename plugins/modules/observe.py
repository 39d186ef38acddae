#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host and changes nothing. The action plugin of the same name adds what only the controller knows."""

from __future__ import annotations

DOCUMENTATION = r"""
module: observe
short_description: Read the facts of a host that matter for a BEAM cluster
version_added: "0.1.0"
description:
  - Reads addresses, clock, Erlang/OTP, firewalls, systemd units, listeners, BEAM processes, and this collection's own files and certificates.
    It changes nothing. It opens one connection, to the EPMD of the host itself, to ask for the registered names.
  - It needs only Python, works on bare hosts, and needs no privilege. Without root it does not see the owners of other users' sockets, the
    environment of their processes, and the firewall's rules.
  - An unknown fact is null, never an empty list. RV(unknown) gives the reason.
  - It returns a fixed list of facts, no argument list, no secret and no content of a file. Of an operator's settings it returns the names, and
    values only of those named in O(nodes).
  - Text that local users of the host can choose is safe to print. Characters that are not printable are returned as V(\\xNN).
options:
  units:
    description:
      - Further systemd units to read, besides those of the firewalls, EPMD and BEAM processes, and those with a drop-in of this collection.
      - The sandbox of all services is rated, except of the firewalls' and EPMD's.
    type: list
    elements: str
    default: []
  files:
    description:
      - Further files to read, besides this collection's own. The content of files is never returned. Of certificates (C(*.pem), C(*.crt),
        C(*.cer)) the public fields are returned.
    type: list
    elements: path
    default: []
  find_secrets:
    description:
      - Evaluate the cookies of O(files) and of the host's VMs, search the host for copies of them that other users can read, and list private
        keys, crash dumps and accounts. Returned as RV(secrets).
      - The search covers unit and configuration files, homes, releases, logs and temporary directories, and for 15 seconds more all directories,
        the least deep ones first. It reads the first 64 MiB of each file.
    type: bool
    default: false
    version_added: 0.2.0
  run_key:
    description: A random key of this run. Cookies of several hosts are compared by a hash under this key.
    type: str
    version_added: 0.2.0
  epmd_port:
    description: Port of EPMD on this host.
    type: int
    default: 4369
  nodes:
    description:
      - The nodes that are planned for this host, of which the operator's own settings are read. Without it the action plugin makes the list from
        the host's variables.
      - Each has C(unit), C(files) (the product's, each with C(path), a pattern, and C(syntax), one of V(shell), V(arguments), V(variables),
        V(conf), V(yaml), V(terms)), C(values) (names of settings whose values are returned), C(names) (of these the name alone is returned),
        C(moved) (names of settings that name a further file, with its syntax), C(database) (a file of the product; the node names in it are
        returned), and C(home).
    type: list
    elements: dict
  users:
    description: Accounts to look for. Without it the action plugin makes the list from the host's variables.
    type: list
    elements: str
  otp_root: {type: str, description: "Directory of the host's Erlang/OTP, empty to search for it. By default the variable C(beam_otp_root)."}
  writes:
    description: Files that a run would write, looked at for RV(obstacles). Without it the action plugin makes the list from the host's variables.
    type: list
    elements: str
    version_added: 0.2.0
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
  - beam.cluster.attributes.action
attributes:
  platform:
    platforms: linux
seealso:
  - module: beam.cluster.plan
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Read the hosts
  beam.cluster.observe:
  register: observed

- name: Show the listeners on EPMD's port
  ansible.builtin.debug:
    var: observed.epmd
"""

RETURN = r"""
epoch: {type: float, returned: success, description: "The host's clock, in seconds since 1970-01-01T00:00:00Z."}
skew_seconds: {type: float, returned: success, description: "The host's clock minus the controller's, in seconds, 0 within the round trip."}
python: {type: str, returned: success, description: "Version of the Python that ran on the host."}
interpreter: {type: dict, returned: success, description: "Path of this Python, C(executable), and whether it can import C(cryptography)."}
privileged: {type: bool, returned: success, description: "Whether it ran as root."}
hostname: {type: str, returned: success, description: "The host's own name."}
init: {type: str, returned: success, description: "V(systemd), or the name of the first process if it is another."}
systemd: {type: int, returned: success, description: "The major version of systemd, null if it is not known."}
links: {type: dict, returned: success, description: "Where those of the O(writes) lie in truth that lead through a link."}
obstacles: {type: list, elements: dict, returned: success, description: "What keeps a run from writing its files, C(path) and C(reason)."}
distribution: {type: dict, returned: success, description: "C(id), C(version_id), C(codename) and C(like), the words of C(ID_LIKE)."}
ipv6: {type: bool, returned: success, description: "Whether the kernel has IPv6."}
unprivileged_port: {description: "The first port that needs no capability, null if it cannot be read.", returned: success, type: int}
accounts: {type: list, elements: dict, returned: success, description: "Those of the O(users) that exist. C(sudo): rules that name them."}
settings:
  description: >-
    What an operator's files set for the O(nodes), that this collection sets as well - C(unit), C(path), C(line), C(kind) (V(flag), V(variable),
    V(directive), V(shell) and others), C(name), and C(value), null where it may not be returned. Without files and blocks of ours.
  returned: success
  type: list
  elements: dict
profiles: {type: list, elements: dict, returned: success, description: "AppArmor: C(unit), C(profile), C(path), C(local), C(allows) our files."}
companions: {type: list, elements: dict, returned: success, description: "Of units of VMs, C(unit), C(program), C(reason), C(path)."}
cookies_of_other_users: {type: list, elements: dict, returned: success, description: "Cookie files of other users: C(unit), C(path), C(owner)."}
home_files: {type: list, elements: dict, returned: success, description: "Files in homes of today that the new home lacks: C(unit), C(path)."}
databases: {description: "Databases of products, C(path), and C(names) of nodes in it.", returned: success, type: list, elements: dict}
addresses:
  description: Every address of the host, null if the kernel does not list them all.
  returned: success
  type: list
  elements: dict
  contains:
    interface: {type: str, description: "Name of the interface."}
    address: {type: str, description: "The address."}
    family: {type: int, description: "4 or 6."}
    prefix: {type: int, description: "Length of the network's prefix."}
    default_route: {type: bool, description: "Whether the interface carries a default route of this family."}
otp:
  description: Erlang/OTP as installed, and as apt offers it.
  returned: success
  type: dict
  contains:
    installed: {type: bool, description: "Whether an OTP is installed."}
    release: {type: str, description: "Major release.", sample: "27"}
    version: {type: str, description: "Full version.", sample: "27.3.4.1"}
    root: {type: str, description: "Directory of the installation."}
    erl: {type: str, description: "Path of C(erl)."}
    ssl: {type: bool, description: "Whether the application C(ssl) is installed."}
    foreign: {type: bool, description: "Whether C(erl) in the search path is of another maker than the distribution."}
    missing: {type: list, elements: str, description: "Applications that TLS needs and that this OTP does not have."}
    candidate: {type: str, description: "The version of C(erlang-base) that apt would install."}
    candidate_release: {type: str, description: "Its major release."}
otp_roots:
  description: Each installation of Erlang/OTP - the host's own, and those that the BEAM processes were started from.
  returned: success
  type: list
  elements: dict
  contains:
    root: {type: str, description: "Its directory, as the process sees it."}
    release: {type: str, description: "Major release, null if it cannot be read.", sample: "27"}
    version: {type: str, description: "Full version, null if there is no file C(OTP_VERSION), as in releases of their own.", sample: "27.3.4.1"}
    pids: {type: list, elements: int, description: "The processes that run from it."}
    container: {type: bool, description: "Whether it is in a container on this host."}
    applications: {type: dict, description: "Version of each OTP application in it, null if a process of the host itself runs from it."}
    package: {type: dict, description: "C(name) and C(installed) version of its Debian package, null as RV(otp_roots[].applications)."}
firewall:
  description: The active firewall, and the packets that this collection's own table accepts.
  returned: success
  type: dict
  contains:
    nft: {type: bool, description: "Whether C(nft) is installed."}
    readable: {type: bool, description: "Whether the ruleset could be read. If not, nothing is known about it."}
    masquerades: {type: list, elements: str, description: "Tables that give forwarded packets an address of the host, such as V(ip nat)."}
    rewriting: {type: list, elements: str, description: "Rules of other tables that give packets another source, or lead them to C(lo)."}
    undoing: {type: list, elements: str, description: "Files that remove or change this collection's table when something runs them."}
    loads: {type: list, elements: dict, description: "What C(nftables.service) loads by files of others: C(directive), C(file), C(where)."}
    waiting: {type: list, elements: str, description: "Units of other firewalls that do not run now and will at the next boot. Null without systemd."}
    drops_by_default: {type: bool, description: "Whether a table of another owner drops what no rule matches. Null if no ruleset can be read."}
    in_charge: {type: str, description: "V(firewalld), V(ufw), V(nftables) or V(none)."}
    at_boot: {type: bool, description: "Whether the unit that loads our table is enabled. Null without systemd."}
    beam:
      description: Our table, null if it is not loaded or cannot be read (see C(readable)).
      type: dict
      contains:
        members: {type: list, elements: str, description: "Elements of its sets of addresses."}
        own: {type: list, elements: str, description: "Elements of its sets of the host's own addresses."}
        ports: {type: list, elements: list, description: "Pairs of first and last port that it protects."}
        dormant: {type: bool, description: "Whether the table has the flag C(dormant), so that the kernel does not use it."}
        hooks: {type: list, elements: str, description: "The hooks of its base chains.", sample: [input, output]}
        as_in_file: {type: bool, description: "Whether the loaded table is the one that its file loads. Null if they could not be compared."}
        admits:
          description:
            - All TCP packets that the table accepts, computed from its rules. It drops packets that match no entry. Null if the rules are too
              complex to compute.
          type: list
          elements: dict
          contains:
            family: {type: int, description: "4 or 6."}
            sources: {type: list, elements: str, description: "Accepted source addresses, networks and ranges (V(10.0.0.1-10.0.0.9)), null for all."}
            destinations: {type: list, elements: str, description: "Accepted destination addresses, in the same form."}
            ports: {type: list, elements: list, description: "Pairs of first and last port."}
            loopback: {type: bool, description: "Whether the entry is for packets over the interface C(lo) only."}
            certain: {type: bool, description: "Whether all conditions of the rule were understood. If not, it may accept less."}
            rule: {type: str, description: "The rule."}
ephemeral_ports:
  description: The ports that the kernel uses for outgoing connections, null if they cannot be read.
  returned: success
  type: dict
  contains:
    range: {type: list, elements: int, description: "First and last.", sample: [32768, 60999]}
    reserved: {type: list, elements: list, description: "Pairs of first and last that are excluded."}
listeners:
  description: Every listening TCP socket, with its owner if known. Null if the kernel's table cannot be read.
  returned: success
  type: list
  elements: dict
  contains:
    address: {type: str, description: "Bound address."}
    port: {type: int, description: "Its port."}
    family: {type: int, description: "4 or 6."}
    pid: {type: int, description: "Process ID of the owner."}
    process: {type: str, description: "Name of that process."}
    unit: {type: str, description: "systemd unit that it belongs to."}
    user: {type: str, description: "User it runs as."}
processes:
  description: BEAM VMs and EPMDs of this host.
  returned: success
  type: list
  elements: dict
  contains:
    pid: {type: int, description: "Process ID."}
    process: {type: str, description: "V(beam.smp), V(beam) or V(epmd)."}
    user: {type: str, description: "User it runs as."}
    unit: {type: str, description: "systemd unit that it belongs to."}
    node: {type: str, description: "Node name from the command line."}
    flags:
      description: The flags of its command line that concern the distribution. The command line itself is not returned.
      type: dict
      contains:
        name: {type: str, description: "Value of C(-name) or C(-sname)."}
        long_names: {type: bool, description: "Whether it was C(-name)."}
        hidden: {type: bool, description: "Whether C(-hidden) is given."}
        proto_dist: {type: str, description: "Last value of C(-proto_dist), V(inet_tcp) without one."}
        proto_dist_given: {type: int, description: "How often C(-proto_dist) is given. OTP before 27.1 ignores it if it is given twice."}
        ssl_options_file: {type: str, description: "Value of C(-ssl_dist_optfile)."}
        ssl_options: {type: list, elements: str, description: "Names of the options in C(-ssl_dist_opt), without their values."}
        args_files: {type: list, elements: str, description: "Argument files, named on the command line or in the C(ERL_*FLAGS) of its environment."}
        config_files: {type: list, elements: str, description: "Values of C(-config)."}
        kernel: {type: dict, description: "Parameters of the application kernel that concern the distribution."}
        fixed_port: {type: str, description: "Value of C(-erl_epmd_port)."}
        listens: {type: bool, description: "Whether it listens for peers, V(false) with C(-dist_listen false)."}
        cookie:
          description:
            - Cookies on the command line. V(none). V(ignored), only words that the VM ignores and that are not the cookie, so that it reads the
              cookie file. V(unknown), such words, but the cookie file could not be read. V(value), a word is the cookie of the node.
          type: str
        arguments_read: {type: bool, description: "Whether the command line could be read."}
    digest: {type: str, description: "Digest of the configuration that it was started with, from its environment."}
    started: {type: float, description: "Start time, in seconds since 1970."}
    core_limit: {type: int, description: "Its soft limit of core dumps in bytes, V(-1) for none."}
    home: {type: str, description: "Its home directory."}
    root: {type: str, description: "Root directory of its Erlang/OTP."}
    container: {type: bool, description: "Whether it runs in a container on this host."}
    own_network: {type: bool, description: "Whether it is in another network namespace than the host."}
    adding:
      description: >-
        Names of the variables in its environment that add flags, code or commands to a VM, such as C(ERL_ZFLAGS), C(ERL_LIBS), C(HEART_COMMAND).
        Null if its environment could not be read.
      type: list
      elements: str
    runs:
      description: >-
        Flags of its command line that run code, with their module, for example C(-s rabbit). Of C(-eval) only the flag. Without those of this
        collection's argument files.
      type: list
      elements: str
    traces: {type: list, elements: str, description: "Products that its start modules or library directories show.", sample: [rabbitmq]}
    tls_files: {type: dict, description: "Files of its TLS options - C(keys), C(certificates), C(authorities). Null if there are none."}
    writes: {type: list, elements: str, description: "Directories of the files that it has open to write. Null if they cannot be read."}
    hardening:
      description: How the process is confined and was started. No value of a variable and no content of a file. What is not known is null.
      type: dict
      contains:
        no_new_privileges: {type: bool, description: "Whether it can gain no privileges (C(NoNewPrivs))."}
        seccomp: {type: int, description: "Mode of its filter of system calls, V(2) for one."}
        capabilities: {type: list, elements: str, description: "Its effective capabilities; C(groups) are its groups."}
        start_files: {type: list, elements: dict, description: "What it reads at start and others can change (C(by)), or has C(changed) since."}
        libraries: {type: list, elements: dict, description: "Loaded libraries that others can replace (C(by)), or from C(elsewhere)."}
        system_writable: {type: bool, description: "Whether it sees C(/usr) as writable."}
        crash_dump: {type: str, description: "Where a crash dump would go - V(off), V(private), V(shared) or V(default)."}
        server: {type: dict, description: "Known TLS options of the distribution as server, with the C(names) of all; C(client) is the same."}
    vm:
      description: The OTP that it runs, which is not always the one on disk. Null for EPMD, and if the module may not read it.
      type: dict
      contains:
        executable: {type: str, description: "Path of the program.", sample: /usr/lib/erlang/erts-15.2.7/bin/beam.smp}
        otp_root: {type: str, description: "The installation that it belongs to, null if the path does not show it.", sample: /usr/lib/erlang}
        erts: {type: str, description: "Version of its ERTS.", sample: 15.2.7}
        installed_erts: {type: str, description: "ERTS version that a start would use now, null if unknown.", sample: 15.2.7}
        version: {type: str, description: "Version of the OTP that runs. Null if its files were replaced and it is not known.", sample: 27.3.4.1}
        package:
          description: >-
            C(name) of its Debian package, the C(installed) version, and the version with which it was C(started), from dpkg's log. Null if no
            package contains it.
          type: dict
        replaced: {type: list, elements: str, description: "Its program and libraries that were deleted or replaced since it was started."}
        applications: {type: dict, description: "Version of each application that it can load. Null if their directories changed after its start."}
        products: {type: list, elements: dict, description: "C(name), C(version) and C(package) of Elixir, RabbitMQ, ... that it can load."}
contained: {description: "BEAM processes in containers on this host, as RV(processes).", returned: success, type: list, elements: dict}
units:
  description: systemd's view of each unit, by name. Null if systemd does not answer.
  returned: success
  type: dict
  contains:
    id: {type: str, description: "Its own name, if it has several."}
    load: {type: str, description: "V(loaded), V(not-found), V(masked)."}
    active: {type: str, description: "State of the unit."}
    sub: {type: str, description: "State in detail."}
    enabled: {type: str, description: "Whether it starts at boot."}
    fragment: {type: str, description: "The unit's file."}
    drop_ins: {type: list, elements: str, description: "The drop-ins, in the order in which systemd reads them."}
    need_daemon_reload: {type: bool, description: "Whether files changed since systemd read them."}
    main_pid: {type: int, description: "Main process, 0 for none."}
    runs: {type: list, elements: str, description: "Flags in its command that run code in a VM, as RV(processes[].runs)."}
    start_files: {type: list, elements: dict, description: "Its files that others can change (C(by)), or that have C(changed) since it started."}
    openings: {type: list, elements: str, description: "What drop-ins of others add to the sandbox of a unit with this collection's drop-in."}
    commands: {type: list, elements: str, description: "What drop-ins of others let such a unit run."}
    at_boot: {type: bool, description: "Whether the host's default target leads to it."}
    leads_to: {type: list, elements: str, description: "Where its program and working directory lie in truth, as far as links lead there."}
    os_mon: {type: bool, description: "Whether its release starts os_mon."}
    links: {type: list, elements: str, description: "Units that it needs by links beside it, as C(requires/NAME) and C(wants/NAME)."}
    ours: {type: bool, description: "Whether the unit's file was installed by this collection."}
    program: {type: str, description: "Path of the program that it starts."}
    release: {type: str, description: "Directory of the Erlang release that it starts in the foreground, empty for none."}
    working_directory: {type: str, description: "C(WorkingDirectory)."}
    writable: {type: list, elements: str, description: "C(ReadWritePaths), and the directories that systemd makes for the unit."}
    user: {type: str, description: "User of the unit, empty for root, null for a unit without processes (a target)."}
    takes_sockets: {type: bool, description: "Whether its program takes its sockets from systemd (C(-systemd) of EPMD), null for no program."}
    core_limit: {type: str, description: "C(LimitCORE)."}
    umask: {type: str, description: "C(UMask)."}
    group: {type: str, description: "C(Group), empty for the user's own."}
    made_by: {type: str, description: "V(mix) or V(relx), the tool that made its release, empty for none."}
    lacks: {type: list, elements: str, description: "Applications that TLS needs and that its release does not have."}
    after: {type: list, elements: str, description: "Units that it starts after."}
    requires: {type: list, elements: str, description: "Units that it requires."}
    exposure: {type: float, description: "Overall exposure level of C(systemd-analyze security), 0 to 10. Null if it was not rated."}
    environment_names: {type: list, elements: str, description: "Names of its variables, those of its files too. Null if a file cannot be read."}
    environment_files: {type: list, elements: str, description: "Its environment files in their order, C(-) before one that may be missing."}
    digest: {type: str, description: "Digest of the configuration that a process would get if it started now."}
files:
  description: This collection's files and those in O(files).
  returned: success
  type: list
  elements: dict
  contains:
    path: {type: str, description: "The path."}
    kind: {type: str, description: "V(file), V(directory), V(link) or V(other)."}
    mode: {type: str, description: "Permission bits.", sample: "0644"}
    owner: {type: str, description: "Its user."}
    group: {type: str, description: "Its group."}
    size: {type: int, description: "Size in bytes."}
    modified: {type: float, description: "Time of its last change, in seconds since 1970-01-01T00:00:00Z."}
    links: {type: int, description: "How many names a regular file has."}
    sha256: {type: str, description: "SHA-256 of a file that everybody may read."}
    replaceable_by: {type: list, elements: str, description: "Users other than root who can replace it. Null if a directory cannot be read."}
    replaceable_through: {type: list, elements: str, description: "Those directories."}
missing:
  {returned: success, type: list, elements: str, description: "The O(files) that do not exist. One that is neither here nor in RV(files) is hidden."}
certificates:
  description: The certificates in RV(files) (C(path)), several of one file in their order.
  returned: success
  type: list
  elements: dict
  contains:
    sha256: {type: str, description: "Fingerprint."}
    issuer: {type: str, description: "Its issuer."}
    subject: {type: str, description: "Its subject."}
    sans: {type: list, elements: str, description: "Its alternative names."}
    not_before: {type: str, description: "Start of the validity.", sample: "2026-01-31T00:00:00Z"}
    not_after: {type: str, description: "End of the validity."}
    spki_sha256: {type: str, description: "SHA-256 of its public key (SubjectPublicKeyInfo)."}
    key_type: {type: str, description: "Type of its key.", sample: EC P-256}
    purposes: {type: list, elements: str, description: "Its extended key usages, null if it has none."}
    usages: {type: list, elements: str, description: "Its key usages, null if it has none."}
    ca: {type: bool, description: "Whether it may sign certificates."}
    signature: {type: str, description: "Hash of its signature.", sample: SHA-256}
    key_id: {type: str, description: "Identifier of its key, hexadecimal."}
    issuer_key_id: {type: str, description: "Identifier of its issuer's key, hexadecimal."}
crls: {type: list, elements: dict, returned: success, description: "The nodes' CRLs - C(path), C(issuer), dates, how many are C(revoked)."}
secrets:
  description: Cookies and private keys on the host, null without O(find_secrets). It contains neither a cookie, nor its length, nor a key.
  returned: success
  type: dict
  contains:
    cookies:
      description: The cookie files. C(weaknesses) contains V(published), V(generated) by Erlang/OTP, V(guessable), or is null if the file cannot be
        read. C(mark) is a hash of the cookie under O(run_key).
      type: list
      elements: dict
    copies:
      description: Files with the cookie of one of these cookie files (C(of)) that others can read (C(readers)), or that belong to a C(unit).
        C(tool) is the cookie file of another user, who alone can read it.
      type: list
      elements: dict
    unsearched: {type: list, elements: dict, description: "Files that others can read (C(readers)), whose C(form) could not be unpacked."}
    keys: {type: list, elements: dict, description: "Private keys - the SHA-256 of their public key (C(spki_sha256)), and their C(readers)."}
    dumps: {type: list, elements: dict, description: "Crash dumps, and who can read them (C(readers))."}
    exposed: {type: list, elements: dict, description: "Files in the homes of nodes that other users can read (C(readers)), at most 20."}
    accounts:
      description: The users that own cookie files or run VMs. C(password) is whether one is set. C(authorized_keys) are the files that let SSH in.
        C(rights) are files that start programs as the user or let it act as another, C(units) and C(processes) run as it, C(acting) users act as it,
        C(groups) its groups, C(members) other users in the group of its name.
      type: list
      elements: dict
system:
  description: The operating system around the nodes. A part that could not be read is null.
  returned: success
  type: dict
  contains:
    core_pattern: {type: str, description: "C(kernel.core_pattern)."}
    ptrace_scope: {type: int, description: "C(kernel.yama.ptrace_scope), V(0) without Yama."}
    route_localnet: {type: list, elements: str, description: "Interfaces over which other hosts reach C(127.0.0.0/8), V(all) among them."}
    sysctls_at_boot: {type: list, elements: dict, description: "Settings of the kernel at the next boot: C(name), C(value), C(where)."}
    package_files: {type: dict, description: "Files of OTP C(compared) with their packages, and those C(altered): C(path), C(package), C(how)."}
    preloaded: {type: list, elements: str, description: "Libraries that the loader puts into every program (C(/etc/ld.so.preload))."}
    swaps: {type: list, elements: dict, description: "Swap areas (C(name)), and whether each is C(protected) by encryption or in memory."}
    clock_synchronized: {type: bool, description: "Whether the kernel says that its clock is synchronized."}
    service_users: {type: dict, description: "The units that run processes of the users of VMs, by user."}
    cookie_arguments: {type: list, elements: dict, description: "Processes with a node's cookie in C(where); with O(find_secrets)."}
    starts: {type: list, elements: dict, description: "What starts a node or EPMD at the next boot (O(find_secrets)): C(what), C(where), C(unit)."}
    sysusers: {type: list, elements: dict, description: "Lines of sysusers.d (C(where)) that put a C(user) into a C(group) of nodes, or their users."}
    served: {type: list, elements: dict, description: "Files (C(path)) that a C(server) gives to other hosts: C(directory), C(where) it says so."}
    tmpfiles: {type: list, elements: dict, description: "Lines of tmpfiles.d (C(where)) that open or replace a C(path) of a node: what it C(does)."}
    forwards: {type: list, elements: dict, description: "What leads connections to EPMD or a port of a VM: C(by), C(where), C(address), C(port)."}
    client_ports: {type: dict, description: "Ports of products for clients (C(ports)), by product; what was not read of it (C(unread))."}
    settings: {type: dict, description: "Known settings of RabbitMQ and ejabberd from their configuration files, by product."}
epmd:
  {type: dict, returned: success, description: "Addresses where EPMD's port is open (C(listening)), C(owner_unit), C(owner_user), C(owner_process)."}
epmd_names:
  {returned: success, type: dict, sample: {beam: 9100}, description: "Ports by name (before the @) that EPMD names. Null if EPMD does not answer."}
unknown: {type: dict, returned: success, description: "Why a part of this result is null or incomplete, by the part's name."}
own:
  description: The host's view of this collection's variables - values without secrets (C(inputs)), C(names), templates that fail
    (C(errors)), and errors in variables of single roles, without their values (C(wrong)).
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host.observation import epmd_address, observe
from ansible_collections.beam.cluster.plugins.module_utils._host.operator_settings import Question
from ansible_collections.beam.cluster.plugins.module_utils._net.epmd_names import own_names
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import EPMD_PORT
from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import WireError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
            "epmd_port": {"type": "int", "default": EPMD_PORT},
            "nodes": {"type": "list", "elements": "dict"},
            "users": {"type": "list", "elements": "str"},
            "otp_root": {"type": "str"},
            "writes": {"type": "list", "elements": "str"},
            "find_secrets": {"type": "bool", "default": False},
            "run_key": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    port = module.params["epmd_port"]
    seen = observe(
        module.params["units"],
        module.params["files"],
        port,
        nodes=[Question.parse(node) for node in module.params["nodes"] or ()],
        users=module.params["users"] or (),
        otp_root=module.params["otp_root"] or "",
        writes=module.params["writes"] or (),
        find_secrets=module.params["find_secrets"],
        run_key=module.params["run_key"],
    )
    address = epmd_address(seen)
    seen["epmd_names"] = None
    if address is None:
        seen["unknown"]["epmd_names"] = f"nothing listens on port {port}"
    else:
        try:
            seen["epmd_names"] = own_names(address, port)
        except WireError as error:
            seen["unknown"]["epmd_names"] = f"EPMD at {address} did not answer: {error.code}"
    module.exit_json(changed=False, **seen)


if __name__ == "__main__":
    main()
