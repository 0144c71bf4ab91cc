"""A loop around confluent-kafka with nothing but transactions: what this machine and this broker give at best.

`python -m benchmarks.subjects.bare_loop json|record`, settings from the environment as a worker's. `json` decodes JSON
and encodes it again; `record` does to each post what a worker's ingest does: validate, wrap in a record, encode.
SIGTERM ends it.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import msgspec
from confluent_kafka import Consumer, Message, Producer

from schemas import Record, Source, Stage, decode_post, encode_record
from streams.kafka import consumer_settings, producer_settings
from streams.settings import load_settings
from streams.topology import STAGES, Topics

COMMIT_EVERY_S = 0.1
"""A transaction stops this loop, and does not stop a worker's stages: so it takes fewer of them."""
MESSAGES = 1000
CALL_S = 30.0

Work = Callable[[Message], bytes]


def pass_json(message: Message) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(message.value() or b""))


def pass_record(message: Message) -> bytes:
    value = message.value() or b""
    return encode_record(
        Record(
            post=decode_post(value),
            source=Source(
                topic=message.topic() or "",
                partition=message.partition() or 0,
                offset=message.offset() or 0,
                timestamp_ms=message.timestamp()[1],
            ),
            content_hash=hashlib.sha256(value).hexdigest(),
            received_ms=int(time.time() * 1000),
            route=STAGES,
        )
    )


WORK: dict[str, Work] = {"json": pass_json, "record": pass_record}


def main(kind: str) -> None:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    settings = load_settings(None, os.environ, {}).settings
    topics = Topics(settings.topics.prefix)
    producer = Producer({**producer_settings(settings.kafka), "transactional.id": settings.group})
    producer.init_transactions(CALL_S)
    consumer = Consumer({**consumer_settings(settings.kafka, settings.group), "enable.partition.eof": False})
    consumer.subscribe([topics.stage(Stage.INGEST)])
    try:
        while not stopping.is_set():
            _transaction(consumer, producer, topics.stage(STAGES[1]), WORK[kind])
    finally:
        consumer.close()


def _transaction(consumer: Consumer, producer: Producer, target: str, work: Work) -> None:
    due = time.monotonic() + COMMIT_EVERY_S
    begun = False
    while (left := due - time.monotonic()) > 0:
        messages = consumer.consume(MESSAGES, left)
        if messages and not begun:
            producer.begin_transaction()
            begun = True
        for message in messages:
            while True:
                try:
                    producer.produce(target, work(message), message.key())
                    break
                except BufferError:
                    producer.poll(0.01)
        producer.poll(0)
    if begun:
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), CALL_S
        )
        producer.commit_transaction(CALL_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
