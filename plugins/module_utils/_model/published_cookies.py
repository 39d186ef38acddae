# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cookies that everybody knows: defaults of products, words of examples, what leaked. No cookie and no passphrase may be one of them.

Private to this collection. Which of them an audit tries is in `_assess/audit_default_cookies.py`. Of what leaked: the first 12 hexadecimal digits of
the SHA-256 of each, enough to recognise one, and the list is no dictionary for an attacker. Source: the list leaked-cookies of
https://github.com/gteissier/erl-matter (commit ab793cd).
"""

from __future__ import annotations

import hashlib
import re

# Defaults of products and examples that people forgot to change, and what people type to get on with it.
KNOWN = frozenset(
    """
    admin beam bitnami cephcookie changeit changeme chef chocolate-chip cluecon cookie couchdb couchdb_cookie default defaultcookie demo dummy
    ejabberd ejabberd-cookie elixir emqx emqxsecretcookie emqx_dist_cookie emqx50elixir erlang erlang-cookie erlang_cookie example
    foobar guest hello hidden kazoo leofs monster my-cookie mycookie mysecretcookie nocookie openstack passw0rd password phoenix
    rabbit rabbitmq rabbitmq-cookie rabbitmqcookie release riak riak_control secret secretcookie secret-cookie secret_cookie
    supersecret supersecretcookie swordfish test this-is-a-secret thisisasecret verysecret vernemq vmq wombat xrayrabbitmqcluster
    """.split()
)

SOURCE = "https://github.com/gteissier/erl-matter"
_DIGITS = 12
_SUMS = frozenset(
    """
    010b9951c009 03fb94180aa0 0510eddd7811 057ba03d6c44 080c63fd3065 0889113e04d3 08fdae20f529 092c79e8f80e 0989411d200e 0d2ce8d783ee
    0fbca522c787 1064b87a944a 12f2ec4a9da9 15107ec978bd 16accdf4ccc0 172dd4a03660 185b0211b846 189759fab162 1982c6f1ccaa 1d261d11ba6b
    1dadff8a7623 1e23765bce0f 1f3f0d50aca1 1f943b0208bd 24c422e681f1 2500d0ed4d0e 25bf8e1a2393 264ed8e51e68 2689367b205c 2a97516c354b
    2bb80d537b1d 2bd806c97f0e 2c26b46b68ff 2c70e12b7a06 2cf24dba5fb0 2e54b2aad8f8 2f1c0e9830e1 31824edca337 31e06f7d89fe 32cdb6191962
    33306c089e48 33ec35c4e3dd 34dfb9419691 363e1d96bde1 36fea14a7af8 39030da7976d 3abd72ec6352 3be7a505483c 3f650dce81c6 40119d322f51
    40c891642d2a 411b0496da5e 41e574f3ba0d 42e5e6a02fc0 43649a3f7803 45a5cc7f4000 47537f6684e3 4b9e99d2bd5e 4ce66ffe862d 4f9db7f8e506
    50304fca6fc6 5312fb609f60 533f8ab28abf 53569915061c 53aae7b29d45 5803587e6791 58b06ac1ddd4 59d2015f0df2 5b573cffcebc 5e2ff5fc6b48
    5e8818d1dd19 5e884898da28 5fdf0cb414dc 652c7dc687d9 657c5dd8a65b 65f1b8bf91b9 67c42efffc97 67d1d0bc5960 68c1db9c61a1 68ca891fdb63
    6bc0f9c4ecb0 6ca5cab77e70 6d5074b4bf2b 6fa648d615a5 7013126e3202 715dc8493c36 71db908083b0 72ea014e6be4 7522d0cfe10e 76a35072df72
    782fb94673d5 7a2d09b1ea4f 7a4d3d7864db 7a94e79d7bdb 7b59a0cf4ac4 7bc48ebdf87a 7cb5d3e0cf22 7de97367c9cd 7e97f37cc0dd 81b637d8fcd2
    81f8201fa3ca 84a1c33e7fc6 851e43bd44a2 85ef8ee38af1 8636296f2c01 864dcf181101 8c6976e5b541 8caa01231cc2 8cbc38f3e2e3 8d969eef6eca
    8f434346648f 8fbefc95205d 9032ff384d8d 90b45ec6854f 9107e869ee58 92dd62e902c7 935a561ca172 9729612864ba 9834876dcfb0 9b977298c5ec
    9c478bf63e95 9cfeca8f0e1f 9f4675440454 9f86d081884c 9f96621bced9 a04926ab9b0b a172cedcae47 a441b15fe9a3 a56e71f94e65 a886d6dfdf28
    ac739dccd121 ac9165c81c24 ad0f385688b3 ade099751d2e af3a1bb312bf b1145009ac0c b240ab0526a3 b454d46ea082 b5a2c9625061 b6aba560e761
    b6e6da2c87fd b7fb217694ae b828326f542e ba3bb907bc5b ba7816bf8f01 baecf584cf0f bb4ef13a3904 bb9949b64da1 bcf8cfb64c53 beaafa510bcc
    c057cb6dad44 c074a3ae335a c0a497761b17 c31a690b528b c35b0e2c4359 c3a594cf24de c44051a28a3e c6052bd7c79d c636e2ea2ff0 ca12f31b8cbf
    ca978112ca1b cdb8cde8ab8d cfbce5ff331c d2b80cb169fa d37d96b42ad4 d407da7de861 d4f471fde87b d74ff0ee8da3 d7e83e28a04b d7eb994dcef8
    d9fb92e3bbe6 da4f29f3233f da5511d2baa8 da7dddfdd8ba db46012bc6cc dbf82b4ca0d0 dd0587df52c6 ddfa91f746dd dea377cac0fb e0c146e3d964
    e12e115acf45 e196e186b414 e208a002b6bd e661d8c283d3 e7422679b0e4 e761f8e53dbd ea3d5e5a5c62 eae2f7d3a8da ec6e46d0f3e5 ee17b5652f6a
    ee507c76f196 ee7c7c054168 ef118710ef4f efa1f375d761 f1513cea7533 f2376a272ec7 f40d8bb75a78 f59ac0828b9a f75778f7425b f93e89ecfab1
    fb86fb757d12 fb9aee93fe98 fbe01a3d8ed2 fdc51e668db4 fea010e80ce4 ff5c2cf0f1ec
    """.split()
)


def is_leaked(cookie: bytes) -> bool:
    return hashlib.sha256(cookie).hexdigest()[:_DIGITS] in _SUMS


def _folded(value: str) -> str:
    return re.sub(r"[^a-z0-9]", "", value.lower())


_KNOWN_FOLDED = {_folded(known) for known in KNOWN}


def is_known(value: str) -> bool:
    """A known default, also in other letter case, with other punctuation, with digits after it, or written several times over."""
    folded = _folded(value).rstrip("0123456789") or _folded(value)
    if folded in _KNOWN_FOLDED:
        return True
    return any(len(known) > 2 and not folded.replace(known, "") for known in _KNOWN_FOLDED)
