# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of cookies, keys, certificates and trust anchors at rest, on the nodes of the lab."""

from __future__ import annotations

from fault import ANCHORS, BESIDE, CERTIFICATE, COOKIE, KEY, Fault

# Directory and home of the host's node. What a fault replaces goes to $saved.
_NODE = """\
node=beam@$(hostname); directory=/etc/beam/$node; tls=$directory/tls; home=/var/lib/beam/$node; cookie=$home/.erlang.cookie
"""
_SAVE_TLS = _NODE + "cp -p $tls/cert.pem $tls/key.pem $tls/ca.pem $saved/\n"
# With a new time: a node does not read a file again whose time is older than the last one that it read.
_RESTORE_TLS = _NODE + "for file in cert key ca; do cp -p $saved/$file.pem $tls/$file.pem; touch $tls/$file.pem; done"
_SAVE_COOKIE = _NODE + "cp -p $cookie $saved/\n"
_RESTORE_COOKIE = _NODE + "cp -p $saved/.erlang.cookie $cookie"

# A certificate for a key of the node or another one, with the issuer's name and key identifier of the node's CA. Its signature is a throw-away CA's:
# the controls that read files do not need the CA's key.
_CERTIFY = (
    _SAVE_TLS
    + """\
cat > $saved/certify.py <<'END'
import datetime, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
tls, host = sys.argv[1:3]
DAY = datetime.timedelta(days=1)
now = datetime.datetime.utcnow().replace(microsecond=0)
key = serialization.load_pem_private_key(open(tls + "/key.pem", "rb").read(), None)
old = x509.load_pem_x509_certificate(open(tls + "/cert.pem", "rb").read())
# What is there, so that several faults are in one certificate.
def has(kind, get):
    try:
        return get(old.extensions.get_extension_for_class(kind).value)
    except x509.ExtensionNotFound:
        return []
since, until, digest = old.not_valid_before, old.not_valid_after, old.signature_hash_algorithm
names = has(x509.SubjectAlternativeName, lambda value: value.get_values_for_type(x509.DNSName))
purposes = has(x509.ExtendedKeyUsage, lambda value: [one.dotted_string for one in value])
usage = has(x509.KeyUsage, lambda value: value.digital_signature)
is_ca = has(x509.BasicConstraints, lambda value: value.ca)
exec(sys.argv[3])
signer = ec.generate_private_key(ec.SECP256R1())
made = x509.CertificateBuilder().subject_name(old.subject).issuer_name(old.issuer).public_key(key.public_key()).serial_number(4711)
made = made.not_valid_before(since).not_valid_after(until)
made = made.add_extension(x509.BasicConstraints(is_ca, None), True)
made = made.add_extension(x509.KeyUsage(usage, False, not usage, False, False, is_ca, False, False, False), True)
if names:
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
if purposes:
    made = made.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in purposes]), False)
try:
    made = made.add_extension(old.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value, False)
except x509.ExtensionNotFound:
    pass
pem = made.sign(signer, digest).public_bytes(serialization.Encoding.PEM)
open(tls + "/cert.pem", "wb").write(pem)
END
"""
)
_EVIL_CA = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj '/CN=evil CA' "
    "-addext basicConstraints=critical,CA:TRUE -keyout $saved/evil.key -out $saved/evil.pem 2>/dev/null\n"
)


def certificate(name: str, change: str, control: str, *names: str) -> Fault:
    """change: Python that sets since, until, names, purposes, usage, is_ca, digest or key."""
    return Fault(
        name=name,
        breaks=f"{_CERTIFY}python3 -W ignore $saved/certify.py $tls $(hostname) '{change}'",
        control=control,
        names=("cert.pem", *names),
        repair=_RESTORE_TLS,
        alters=CERTIFICATE,
    )


def _cookie(name: str, make: str, control: str, *names: str) -> Fault:
    """make: a command that prints the cookie."""
    breaks = f"{_SAVE_COOKIE}{make} | tr -d '\\n' > $saved/new; cat $saved/new > $cookie"
    return Fault(name=name, breaks=breaks, control=control, names=(".erlang.cookie", *names), repair=_RESTORE_COOKIE, alters=COOKIE)


def _copy(name: str, path: str, text: str = "$(cat $cookie)", mode: str = "0644", after: str = "", names: tuple[str, ...] = ()) -> Fault:
    """A file with the cookie. after: what has to be done when it is written, and when it is removed."""
    lines = [f"test ! -e {path}", f"mkdir -p $(dirname {path})", f'printf "%s\\n" "{text}" > {path}', f"chmod {mode} {path}"]
    return Fault(
        name=name,
        breaks=_NODE + "\n".join(lines) + f"\n{after}",
        control="cookie-copies",
        names=(path, "holds the cookie of", *names),
        repair=f"rm -f {path}\n{after}",
        alters=BESIDE,
    )


_MAKE_OTP = "(export HOME=$(mktemp -d); erl -noinput -boot start_clean -eval 'auth:init([]), halt().'; cat $HOME/.erlang.cookie; rm -rf $HOME)"
_RANDOM = "python3 -c 'import secrets, string; print(\"\".join(secrets.choice({alphabet}) for _ in range({length})))'"

FAULTS = (
    # -- cookies ----------------------------------------------------------------------------------------------------------------------------------
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
        breaks=_NODE
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
    _copy("cookie in a cron table", "/etc/cron.d/beam", "* * * * * root erl_call -c $(cat $cookie) -n x"),
    _copy("cookie in releases/COOKIE", "/opt/shop/releases/COOKIE"),
    _copy("cookie in sys.config", "/opt/shop/releases/1.0.0/sys.config", "[{kernel, [{cookie, '$(cat $cookie)'}]}]."),
    _copy("cookie in vm.args", "/opt/shop/releases/1.0.0/vm.args", "-setcookie $(cat $cookie)"),
    _copy("cookie in a directory of the node", "/etc/beam/beam@n1/old.args", "-setcookie $(cat $cookie)"),
    _copy("cookie in the temporary directory", "/tmp/cookie"),
    _copy("cookie in a history", "/home/alice/.bash_history", "erl -sname x -setcookie $(cat $cookie)"),
    _copy("cookie in a crash dump", "/tmp/erl_crash.dump.1", "=erl_crash_dump:0.5\n$(cat $cookie)"),
    Fault(
        name="a crash dump that everybody can read",
        breaks="printf '=erl_crash_dump:0.5\\n' > /tmp/erl_crash.dump; chmod 0644 /tmp/erl_crash.dump",
        control="crash-dumps",
        names=("/tmp/erl_crash.dump", "everybody"),
        repair="rm -f /tmp/erl_crash.dump",
        alters=BESIDE,
    ),
    Fault(
        name="data in the home that everybody can read",
        breaks=_NODE + "mkdir $home/mnesia; echo data > $home/mnesia/passwd.DCD; chmod -R go+rX $home; chmod 0400 $cookie",
        control="node-data",
        names=("mnesia/passwd.DCD", "everybody"),
        repair=_NODE + "rm -rf $home/mnesia; chmod 0700 $home",
        alters=BESIDE,
    ),
    Fault(
        name="a password for the node's user",
        breaks="echo beam:opensesame | chpasswd",
        control="node-login",
        names=("beam", "password"),
        repair="usermod -p '!' beam",
        alters=BESIDE,
    ),
    Fault(
        name="an SSH key for the node's user",
        breaks="mkdir -p ~beam/.ssh; echo 'ssh-ed25519 AAAA x' > ~beam/.ssh/authorized_keys",
        control="node-login",
        names=("authorized_keys", "SSH"),
        repair="rm -rf ~beam/.ssh",
        alters=BESIDE,
    ),
    Fault(
        name="an SSH key for the node's user where the configuration of sshd says",
        breaks="mkdir -p /etc/ssh/sshd_config.d /etc/ssh/keys; echo 'AuthorizedKeysFile /etc/ssh/keys/%u' > /etc/ssh/sshd_config.d/90-fault.conf\n"
        "echo 'ssh-ed25519 AAAA x' > /etc/ssh/keys/beam",
        control="node-login",
        names=("/etc/ssh/keys/beam lets SSH log in as beam",),
        repair="rm -rf /etc/ssh/sshd_config.d/90-fault.conf /etc/ssh/keys",
        alters=BESIDE,
    ),
    Fault(
        name="the home of the node is open to everybody",
        breaks=_NODE + "chmod 0777 $home",
        control="cookie-file",
        names=(".erlang.cookie", "can be replaced by everybody"),
        repair=_NODE + "chmod 0700 $home",
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
        name="a crash dump in the home that everybody can read",
        breaks=_NODE + "echo =erl_crash_dump:0.5 > $home/erl_crash.dump; chmod 0644 $home/erl_crash.dump; chmod 0755 $home",
        control="crash-dumps",
        names=("erl_crash.dump", "everybody"),
        repair=_NODE + "rm -f $home/erl_crash.dump; chmod 0700 $home",
        alters=BESIDE,
    ),
    Fault(
        name="a core dump in the home that everybody can read",
        breaks=_NODE + "echo memory > $home/core.1234; chmod 0644 $home/core.1234; chmod 0755 $home",
        control="crash-dumps",
        names=("core.1234", "everybody"),
        repair=_NODE + "rm -f $home/core.1234; chmod 0700 $home",
        alters=BESIDE,
    ),
    Fault(
        name="a core dump of a node that systemd-coredump kept",
        breaks="core=core.beam\\x2esmp.0.0123456789abcdef0123456789abcdef.77.1700000000000000; mkdir -p /var/lib/systemd/coredump; "
        "echo memory > /var/lib/systemd/coredump/$core; chmod 0644 /var/lib/systemd/coredump/$core",
        control="crash-dumps",
        names=("/var/lib/systemd/coredump/core.beam", "everybody"),
        repair="rm -f /var/lib/systemd/coredump/core.beam*.0.0123456789abcdef*",
        alters=BESIDE,
    ),
    # -- keys -------------------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="the key of a CA on the node, in clear",
        breaks=_SAVE_TLS + _EVIL_CA + "cat $saved/evil.pem >> $tls/ca.pem; cp $saved/evil.key /etc/beam/ca-key.pem; chmod 0644 /etc/beam/ca-key.pem",
        control="ca-key",
        names=("/etc/beam/ca-key.pem", "is the private key of the CA CN=evil CA", "everybody"),
        repair=_RESTORE_TLS + "; rm -f /etc/beam/ca-key.pem",
        alters=KEY,
    ),
    Fault(
        name="an encrypted key on the node",
        breaks="openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:opensesame -out /etc/beam/old-ca.pem",
        control="ca-key",
        names=("/etc/beam/old-ca.pem", "encrypted private key"),
        repair="rm -f /etc/beam/old-ca.pem",
        alters=BESIDE,
    ),
    Fault(
        name="a copy of the key that everybody can read",
        breaks=_NODE + "cp $tls/key.pem $tls/key.pem.bak; chmod 0644 $tls/key.pem.bak",
        control="key-readers",
        names=("key.pem.bak", "is a private key", "everybody"),
        repair=_NODE + "rm -f $tls/key.pem.bak",
        alters=BESIDE,
    ),
    Fault(
        name="a copy of the key in the temporary directory",
        breaks=_NODE + "cp $tls/key.pem /tmp/backup; chmod 0644 /tmp/backup",
        control="key-readers",
        names=("/tmp/backup", "is a private key", "everybody"),
        repair="rm -f /tmp/backup",
        alters=BESIDE,
    ),
    Fault(
        name="the key has mode 0644",
        breaks=_NODE + "chmod 0644 $tls/key.pem",
        control="private-key",
        names=("key.pem", "0644"),
        repair=_NODE + "chmod 0400 $tls/key.pem",
        alters=KEY,
    ),
    Fault(
        name="a key that does not belong to the certificate",
        breaks=_SAVE_TLS + "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 > $saved/k; cat $saved/k > $tls/key.pem",
        control="key-belongs",
        names=("key.pem", "is not the key of the certificate", "cert.pem"),
        repair=_RESTORE_TLS,
        alters=KEY,
    ),
    # -- trust anchors ----------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a second CA in ca.pem",
        breaks=_SAVE_TLS + _EVIL_CA + "cat $saved/evil.pem >> $tls/ca.pem; rm $saved/evil.key",
        control="trust-anchors",
        names=("ca.pem", "CN=evil CA", "SHA-256", "no CA of this cluster"),
        repair=_RESTORE_TLS,
        host="n3",
        alters=ANCHORS,
    ),
    Fault(
        name="another CA instead of the cluster's",
        breaks=_SAVE_TLS + _EVIL_CA + "cat $saved/evil.pem > $tls/ca.pem; rm $saved/evil.key",
        control="trust-anchors",
        names=("ca.pem", "CN=evil CA", "lacks"),
        repair=_RESTORE_TLS,
        alters=ANCHORS,
    ),
    Fault(
        name="all CAs of the system in ca.pem",
        breaks=_SAVE_TLS
        + "for at in 1 2 3; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 900 -subj /CN=public-$at "
        + "-keyout /dev/null 2>/dev/null; done >> $tls/ca.pem",
        control="trust-anchors",
        names=("CN=public-1", "CN=public-2", "CN=public-3"),
        repair=_RESTORE_TLS,
        alters=ANCHORS,
    ),
    Fault(
        name="the node's own certificate in ca.pem",
        breaks=_SAVE_TLS + "cat $tls/cert.pem >> $tls/ca.pem",
        control="trust-anchors",
        names=("ca.pem", "CN=beam@n"),
        repair=_RESTORE_TLS,
        alters=ANCHORS,
    ),
    Fault(
        name="a CA that ends soon",
        breaks=_SAVE_TLS
        + "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj '/CN=short CA' "
        + "-addext basicConstraints=critical,CA:TRUE -keyout /dev/null 2>/dev/null >> $tls/ca.pem",
        control="ca-lifetime",
        names=("CN=short CA", "ca.pem", "ends in"),
        repair=_RESTORE_TLS,
        alters=ANCHORS,
    ),
    # -- certificates -----------------------------------------------------------------------------------------------------------------------------
    certificate("an expired certificate", "since, until = now - 60 * DAY, now - 2 * DAY", "certificate-lifetime", "ended 2 days ago"),
    certificate("a certificate that ends soon", "until = now + 2 * DAY", "certificate-lifetime", "ends in 2 days"),
    certificate("a certificate that is not valid yet", "since = now + 2 * DAY", "certificate-lifetime", "not valid for another 2 days"),
    certificate("a certificate of another host", 'names = ["db1"]', "certificate-names", "lacks DNS:n", "DNS:db1"),
    certificate("a certificate of another member too", 'names = ["n1", "n2"]', "certificate-names", "DNS:n2, another member"),
    certificate("a certificate with a wildcard", 'names = [host, "*.example.org"]', "certificate-names", "wildcard"),
    certificate("a certificate with one more name", 'names = [host, "www.example.org"]', "certificate-names", "DNS:www.example.org"),
    certificate("a certificate without names", "names = []", "certificate-names", "names no host"),
    certificate("a certificate for servers only", "purposes = purposes[:1]", "certificate-purposes", "without clientAuth"),
    certificate("a certificate for clients only", "purposes = purposes[1:]", "certificate-purposes", "without serverAuth"),
    certificate("a certificate for mail", 'purposes = ["1.3.6.1.5.5.7.3.4"]', "certificate-purposes", "without serverAuth and clientAuth"),
    certificate("a certificate that may not sign a handshake", "usage = False", "certificate-purposes", "without digitalSignature"),
    certificate("a certificate that may sign others", "is_ca = True", "certificate-purposes", "may sign certificates"),
    certificate(
        "an RSA key of 1024 bits",
        'key = rsa.generate_private_key(65537, 1024); open(tls + "/key.pem", "wb").write(key.private_bytes(serialization.Encoding.PEM, '
        "serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))",
        "certificate-strength",
        "RSA 1024",
    ),
    Fault(
        name="a renewed certificate that is never served",
        breaks=_CERTIFY + "python3 -W ignore $saved/certify.py $tls $(hostname) 'until = now + 80 * DAY'; touch -d 2020-01-01 $tls/cert.pem",
        control="certificate-served",
        names=("cert.pem holds", "older than the running node", "run touch on"),
        repair=_RESTORE_TLS,
        alters=KEY,
    ),
    Fault(
        name="the option file can be written by everybody",
        breaks=_NODE + "chmod 0666 $directory/ssl_dist.conf",
        control="options-file",
        names=("ssl_dist.conf", "0666"),
        repair=_NODE + "chmod 0644 $directory/ssl_dist.conf",
        alters=BESIDE,
    ),
    # -- directories ------------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="the node's user owns the directory of its files",
        breaks=_NODE + "chown beam $directory",
        control="options-file",
        names=("can be replaced by beam",),
        repair=_NODE + "chown root $directory",
        alters=BESIDE,
    ),
    Fault(
        name="the directory of all nodes is open to everybody",
        breaks="chmod 0777 /etc/beam",
        control="private-key",
        names=("key.pem", "can be replaced by everybody"),
        repair="chmod 0755 /etc/beam",
        alters=BESIDE,
    ),
    # -- copies elsewhere ---------------------------------------------------------------------------------------------------------------------------
    Fault(
        name="a copy of the cookie in a directory of data",
        breaks=_NODE + "mkdir -p /srv/data/old; cp $home/.erlang.cookie /srv/data/old/cookie; chmod 0644 /srv/data/old/cookie",
        control="cookie-copies",
        names=("/srv/data/old/cookie", "holds the cookie of"),
        repair="rm -rf /srv/data/old",
        alters=BESIDE,
    ),
    Fault(
        name="a packed backup of the node's home",
        breaks=_NODE + "tar -czf /opt/home.tar.gz -C $home .erlang.cookie; chmod 0644 /opt/home.tar.gz",
        control="cookie-copies",
        names=("/opt/home.tar.gz", "holds the cookie of"),
        repair="rm -f /opt/home.tar.gz",
        alters=BESIDE,
    ),
    Fault(
        name="a copy of the key in binary",
        breaks=_NODE + "openssl pkey -in $directory/tls/key.pem -outform DER -out /opt/key.der; chmod 0644 /opt/key.der",
        control="key-readers",
        names=("/opt/key.der", "is a private key", "everybody"),
        repair="rm -f /opt/key.der",
        alters=BESIDE,
    ),
    Fault(
        name="the directory of the CA on the node, its key encrypted",
        breaks=_NODE + "install -d -m 0700 /root/ca; cp $directory/tls/ca.pem /root/ca/cert.pem; "
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:opensesame -out /root/ca/key.pem",
        control="ca-key",
        names=("/root/ca/key.pem", "beside the certificate of the CA"),
        repair="rm -rf /root/ca",
        alters=BESIDE,
    ),
    certificate("a certificate for ten years", "until = since + 3650 * DAY", "certificate-validity", "is valid for 3650 days"),
    Fault(
        name="a certificate in ca.pem that this collection cannot read",
        breaks=_NODE + "cp -p $directory/tls/ca.pem $saved/; printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n' "
        ">> $directory/tls/ca.pem",
        control="trust-anchors",
        names=("a certificate cannot be read",),
        repair=_NODE + "cp -p $saved/ca.pem $directory/tls/; touch $directory/tls/ca.pem",
        alters=ANCHORS,
    ),
)
