# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of RabbitMQ, run on a host of the lab with Debian's own pika. Prints one JSON document.

client.py publish ADDRESS QUEUE TYPE COUNT      declares the queue and publishes with confirms
client.py consume ADDRESS QUEUE TYPE COUNT      takes and acknowledges that many messages
client.py drain ADDRESS QUEUE COUNT             takes all there is; how many of the first that many are not among it
client.py steady SECONDS QUEUE ADDRESS...       publishes to a quorum queue until it is interrupted or the time is over, to
                                                whichever node answers
"""

from __future__ import annotations

import json
import signal
import sys
import time

import pika

REPLICAS = 3


def connect(address):
    credentials = pika.PlainCredentials("tester", "tester-of-queues")
    connection = pika.BlockingConnection(
        pika.ConnectionParameters(address, credentials=credentials, socket_timeout=3, stack_timeout=5, blocked_connection_timeout=10)
    )
    return connection, connection.channel()


def declare(channel, queue, kind):
    arguments = {"x-queue-type": kind}
    if kind != "classic":
        arguments["x-quorum-initial-group-size" if kind == "quorum" else "x-initial-cluster-size"] = REPLICAS
    channel.queue_declare(queue, durable=True, arguments=arguments)


def publish(address, queue, kind, count):
    connection, channel = connect(address)
    declare(channel, queue, kind)
    channel.confirm_delivery()
    for number in range(int(count)):
        channel.basic_publish("", queue, f"message {number}".encode(), pika.BasicProperties(delivery_mode=2), mandatory=True)
    connection.close()
    return {"confirmed": int(count)}


def consume(address, queue, kind, count):
    connection, channel = connect(address)
    channel.basic_qos(prefetch_count=100)
    arguments = {"x-stream-offset": "first"} if kind == "stream" else {}
    got = []
    for method, _properties, body in channel.consume(queue, arguments=arguments, inactivity_timeout=20):
        if method is None:
            break
        channel.basic_ack(method.delivery_tag)
        got.append(body.decode())
        if len(got) == int(count):
            break
    connection.close()
    return {"got": len(got), "distinct": len(set(got))}


def drain(address, queue, count):
    connection, channel = connect(address)
    channel.basic_qos(prefetch_count=500)
    got = []
    for method, _properties, body in channel.consume(queue, inactivity_timeout=5):
        if method is None:
            break
        channel.basic_ack(method.delivery_tag)
        got.append(body.decode())
    connection.close()
    return {"got": len(got), "missing": len({f"message {number}" for number in range(int(count))} - set(got))}


def steady(seconds, queue, *addresses):
    """Each message again until a node has confirmed it; the longest time between two confirmations is what users felt."""
    end = time.monotonic() + float(seconds)
    confirmed, longest, last, turn, connections, link = 0, 0.0, time.monotonic(), 0, 0, None
    stopped = []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    while time.monotonic() < end and not stopped:
        try:
            if link is None:
                link = connect(addresses[turn % len(addresses)])
                declare(link[1], queue, "quorum")
                link[1].confirm_delivery()
                connections += 1
            link[1].basic_publish("", queue, f"message {confirmed}".encode(), pika.BasicProperties(delivery_mode=2), mandatory=True)
        except (pika.exceptions.AMQPError, OSError):
            link, turn = None, turn + 1
            time.sleep(0.1)
            continue
        now = time.monotonic()
        confirmed, longest, last = confirmed + 1, max(longest, now - last), now
        time.sleep(0.02)
    return {"confirmed": confirmed, "longest": round(longest, 2), "reconnects": connections - 1}


print(json.dumps({"publish": publish, "consume": consume, "drain": drain, "steady": steady}[sys.argv[1]](*sys.argv[2:])))
