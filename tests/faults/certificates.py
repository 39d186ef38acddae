# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of certificates, keys and trust anchors."""

from __future__ import annotations

from fault import ANCHORS, BESIDE, CERTIFICATE, KEY, Fault
from makers import FILES, SHELL, removed

_SAVE_TLS = FILES + "cp -p $tls/cert.pem $tls/key.pem $tls/ca.pem $saved/\n"
# With a new time: a node does not read a file again whose time is older than the last one that it read.
_RESTORE_TLS = FILES + "for file in cert key ca; do cp -p $saved/$file.pem $tls/$file.pem; touch $tls/$file.pem; done"
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


def _certificate(name: str, change: str, control: str, *names: str) -> Fault:
    """change: Python that sets since, until, names, purposes, usage, is_ca, digest or key."""
    return Fault(
        name=name,
        breaks=f"{_CERTIFY}python3 -W ignore $saved/certify.py $tls $(hostname) '{change}'",
        control=control,
        names=("cert.pem", *names),
        repair=_RESTORE_TLS,
        alters=CERTIFICATE,
    )


FAULTS = (
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
        name="a large archive with the key that everybody can read",
        breaks=FILES + "tar cf /var/backups/beam-fault.tar $tls /bin/bash /usr/bin/bash 2> /dev/null; chmod 0644 /var/backups/beam-fault.tar",
        control="key-readers",
        names=("/var/backups/beam-fault.tar holds a private key", "everybody"),
        repair="rm -f /var/backups/beam-fault.tar",
        alters=BESIDE,
    ),
    Fault(
        name="a copy of the key that everybody can read",
        breaks=FILES + "cp $tls/key.pem $tls/key.pem.bak; chmod 0644 $tls/key.pem.bak",
        control="key-readers",
        names=("key.pem.bak", "holds a private key", "everybody"),
        repair=FILES + "rm -f $tls/key.pem.bak",
        alters=BESIDE,
    ),
    Fault(
        name="a copy of the key in the temporary directory",
        breaks=FILES + "cp $tls/key.pem /tmp/backup; chmod 0644 /tmp/backup",
        control="key-readers",
        names=("/tmp/backup", "holds a private key", "everybody"),
        repair="rm -f /tmp/backup",
        alters=BESIDE,
    ),
    Fault(
        name="the key has mode 0644",
        breaks=FILES + "chmod 0644 $tls/key.pem",
        control="private-key",
        names=("key.pem", "0644"),
        repair=FILES + "chmod 0400 $tls/key.pem",
        alters=KEY,
    ),
    Fault(
        name="another name of the key in another directory",
        breaks=FILES + "ln $tls/key.pem /etc/fault-key",
        control="private-key",
        names=("key.pem has 1 more name (hard links)",),
        repair="rm -f /etc/fault-key",
        alters=KEY,
    ),
    Fault(
        name="a user who reads the key by an ACL",
        # As setfacl -m u:1:r writes it.
        breaks=FILES + "python3 -c 'import os, struct, sys; none = 2 ** 32 - 1; os.setxattr(sys.argv[1], \"system.posix_acl_access\", "
        "struct.pack(\"<I\", 2) + b\"\".join(struct.pack(\"<HHI\", *one) for one in "
        "((1, 4, none), (2, 4, 1), (4, 0, none), (16, 4, none), (32, 0, none))))' $tls/key.pem",
        control="private-key",
        names=("key.pem has mode 0440, not 0400",),
        repair=FILES + "python3 -c 'import os, sys; os.removexattr(sys.argv[1], \"system.posix_acl_access\")' $tls/key.pem; chmod 0400 $tls/key.pem",
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
    _certificate("an expired certificate", "since, until = now - 60 * DAY, now - 2 * DAY", "certificate-lifetime", "ended 2 days ago"),
    _certificate("a certificate that ends soon", "until = now + 2 * DAY", "certificate-lifetime", "ends in 2 days"),
    _certificate("a certificate that is not valid yet", "since = now + 2 * DAY", "certificate-lifetime", "not valid for another 2 days"),
    _certificate("a certificate of another host", 'names = ["db1"]', "certificate-names", "lacks DNS:n", "DNS:db1"),
    _certificate("a certificate of another member too", 'names = ["n1", "n2"]', "certificate-names", "DNS:n2, another member"),
    _certificate("a certificate with a wildcard", 'names = [host, "*.example.org"]', "certificate-names", "wildcard"),
    _certificate("a certificate with one more name", 'names = [host, "www.example.org"]', "certificate-names", "DNS:www.example.org"),
    _certificate("a certificate without names", "names = []", "certificate-names", "names no host"),
    _certificate("a certificate for servers only", "purposes = purposes[:1]", "certificate-purposes", "without clientAuth"),
    _certificate("a certificate for clients only", "purposes = purposes[1:]", "certificate-purposes", "without serverAuth"),
    _certificate("a certificate for mail", 'purposes = ["1.3.6.1.5.5.7.3.4"]', "certificate-purposes", "without serverAuth and clientAuth"),
    _certificate("a certificate that may not sign a handshake", "usage = False", "certificate-purposes", "without digitalSignature"),
    _certificate("a certificate that may sign others", "is_ca = True", "certificate-purposes", "may sign certificates"),
    _certificate(
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
        name="the directory of all nodes is open to everybody",
        breaks="chmod 0777 /etc/beam",
        control="private-key",
        names=("key.pem", "can be replaced by everybody"),
        repair="chmod 0755 /etc/beam",
        alters=BESIDE,
    ),
    Fault(
        name="a copy of the key in binary",
        breaks=FILES + "openssl pkey -in $directory/tls/key.pem -outform DER -out /opt/key.der; chmod 0644 /opt/key.der",
        control="key-readers",
        names=("/opt/key.der", "holds a private key", "everybody"),
        repair="rm -f /opt/key.der",
        alters=BESIDE,
    ),
    Fault(
        name="the directory of the CA on the node, its key encrypted",
        breaks=FILES + "install -d -m 0700 /root/ca; cp $directory/tls/ca.pem /root/ca/cert.pem; "
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:opensesame -out /root/ca/key.pem",
        control="ca-key",
        names=("/root/ca/key.pem", "beside the certificate of the CA"),
        repair="rm -rf /root/ca",
        alters=BESIDE,
    ),
    _certificate("a certificate for ten years", "until = since + 3650 * DAY", "certificate-validity", "is valid for 3650 days"),
    Fault(
        name="a certificate in ca.pem that this collection cannot read",
        breaks=FILES + "cp -p $directory/tls/ca.pem $saved/; printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n' "
        ">> $directory/tls/ca.pem",
        control="trust-anchors",
        names=("a certificate cannot be read",),
        repair=FILES + "cp -p $saved/ca.pem $directory/tls/; touch $directory/tls/ca.pem",
        alters=ANCHORS,
    ),
    Fault(
        name="a CA file that everybody can write",
        breaks=SHELL + "chmod 0666 $directory/tls/ca.pem",
        control="trust-file",
        names=("ca.pem", "0666"),
        repair=SHELL + "chmod 0644 $directory/tls/ca.pem",
        alters=ANCHORS,
    ),
    Fault(
        name="the key of another member",
        breaks=SHELL + 'cp -p $directory/tls/key.pem $saved/; printf "%s\\n" "$given" > $directory/tls/key.pem',
        given=("n2", "cat /etc/beam/beam@n2/tls/key.pem"),
        control="key-of-its-own",
        names=("has the same key as beam@n2 (n2)",),
        repair=SHELL + "cp -p $saved/key.pem $directory/tls/",
        alters=KEY,
    ),
    Fault(
        name="a copy of another member's key",
        breaks='printf "%s\\n" "$given" > /etc/beam/old.pem; chmod 0400 /etc/beam/old.pem',
        given=("n2", "cat /etc/beam/beam@n2/tls/key.pem"),
        control="key-of-its-own",
        names=("/etc/beam/old.pem is the private key of beam@n2",),
        repair="rm -f /etc/beam/old.pem",
        alters=BESIDE,
    ),
    removed("the key of the node is gone", "$directory/tls/key.pem", "private-key", KEY),
    removed("the certificate of the node is gone", "$directory/tls/cert.pem", "trust-file", CERTIFICATE),
    removed("the CA file of the node is gone", "$directory/tls/ca.pem", "trust-file", ANCHORS),
)
