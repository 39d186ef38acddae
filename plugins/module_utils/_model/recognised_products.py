# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The products that run on Erlang/OTP and that are recognised on a host, also those that no role configures.

Private to this collection, pure. What the roles need to know of a product they configure is in roles/product/products/<product>/vars.yml.
"""

from __future__ import annotations

from typing import NamedTuple


class KnownProduct(NamedTuple):
    """A product by its name in reports and in the table of vulnerabilities.

    shown: as its authors write it. application: the OTP application that shows it. unit: that of its packages, "" where it has none.
    has_records: whether records of its vulnerabilities are read, so that its version is.
    """

    name: str
    shown: str
    application: str
    unit: str = ""
    has_records: bool = False


KNOWN = (
    KnownProduct("mongooseim", "MongooseIM", "mongooseim", "mongooseim"),
    KnownProduct("rabbitmq", "RabbitMQ", "rabbit", "rabbitmq-server", has_records=True),
    KnownProduct("ejabberd", "ejabberd", "ejabberd", "ejabberd", has_records=True),
    KnownProduct("couchdb", "CouchDB", "couch", "couchdb", has_records=True),
    KnownProduct("emqx", "EMQX", "emqx", "emqx", has_records=True),
    KnownProduct("vernemq", "VerneMQ", "vmq_server", "vernemq", has_records=True),
    KnownProduct("riak", "Riak", "riak_kv", "riak"),
    KnownProduct("livebook", "Livebook", "livebook", "livebook"),
    KnownProduct("phoenix", "Phoenix", "phoenix"),
)
"""The first of those that a VM shows counts: MongooseIM brings parts of ejabberd, and Livebook of Phoenix."""

BY_NAME = {product.name: product for product in KNOWN}
