"""Kafka clients as modstream needs them: what order, delivery and partitioning rest on is fixed here, once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from schemas import MAX_MESSAGE_BYTES
from streams.codes import ALL_BROKERS_DOWN, AUTHENTICATION, SSL
from streams.settings import GroupProtocol, KafkaSettings

log = logging.getLogger(__name__)

MESSAGE_BYTES = MAX_MESSAGE_BYTES + 128 * 1024
"""Limit of a whole message: the largest value and room for its key and headers. Topics and clients have the same."""

CONNECT_TIMEOUT_S = 10.0
CONNECT_TRY_S = 1.0  # how soon a refusal is seen; a broker that is there answers within milliseconds
REFUSALS = frozenset({AUTHENTICATION, SSL})
PREFETCH_KIB = 32 * 1024  # a second's worth of the fastest chain; more would only be fetched again after a rebalance
FETCH_BACKOFF_MS = 20  # librdkafka waits 1 s before it fetches again once its queue was full: a stall per second


class Unreachable(Exception):
    """No broker answers, or it does not let us in; the message says which and what to check."""


def common_settings(kafka: KafkaSettings, purpose: str) -> dict[str, Any]:
    """What every client has. Raises `Unreachable` when no servers are set."""
    if kafka.bootstrap_servers is None:
        raise Unreachable(
            "no Kafka is configured: set MODSTREAM_KAFKA__BOOTSTRAP_SERVERS (host:port), or start a local one with"
            " `modstream broker`"
        )
    security = kafka.security
    found: dict[str, Any] = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "client.id": f"modstream-{purpose}",
        "security.protocol": security.protocol.value,
        "sasl.mechanism": security.sasl_mechanism.value if security.sasl_mechanism else None,
        "sasl.username": security.username,
        "sasl.password": security.password.reveal() if security.password else None,
        "ssl.ca.location": str(security.ca_file) if security.ca_file else None,
        "ssl.certificate.location": str(security.cert_file) if security.cert_file else None,
        "ssl.key.location": str(security.key_file) if security.key_file else None,
        # Retried for ever by librdkafka; the first second matters to a person who waits for a restart.
        "reconnect.backoff.max.ms": 1000,
    }
    return {name: value for name, value in found.items() if value is not None} | dict(kafka.extra)


def consumer_settings(kafka: KafkaSettings, group: str) -> dict[str, Any]:
    """A member of the chain's group: reads committed messages, commits nothing by itself, learns where topics end."""
    protocol = {
        GroupProtocol.CLASSIC: {
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": kafka.session_timeout_ms,
            "heartbeat.interval.ms": kafka.session_timeout_ms // 4,
        },
        # Each topic by itself, or a newcomer is given whole topics that happen to be idle (see the setting).
        GroupProtocol.CONSUMER: {"group.remote.assignor": "range"},
    }
    return {
        **common_settings(kafka, "worker"),
        **reader_settings(),
        "group.id": group,
        "group.protocol": kafka.group_protocol.value,
        **protocol[kafka.group_protocol],
        "max.poll.interval.ms": kafka.max_poll_interval_ms,
        "enable.partition.eof": True,
        "queued.max.messages.kbytes": PREFETCH_KIB,
        "fetch.queue.backoff.ms": FETCH_BACKOFF_MS,
    }


def reader_settings() -> dict[str, Any]:
    """What every reader has, member of a group or not."""
    return {
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "fetch.message.max.bytes": MESSAGE_BYTES,
        "receive.message.max.bytes": 100_000_000,
    }


def producer_settings(kafka: KafkaSettings, purpose: str = "worker") -> dict[str, Any]:
    """An idempotent producer that partitions as Java's and Faust's do, so that one key is one partition for all."""
    return {
        **common_settings(kafka, purpose),
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "message.max.bytes": MESSAGE_BYTES,
        "linger.ms": 5,
        "compression.type": "lz4",
    }


def check_connection(kafka: KafkaSettings, timeout_s: float = CONNECT_TIMEOUT_S) -> AdminClient:
    """A client that has spoken with a broker. Raises `Unreachable` with the cause: address, TLS or credentials; the
    last two at once, for no waiting mends them."""
    errors: list[KafkaError] = []
    settings: Any = {**common_settings(kafka, "admin"), "error_cb": errors.append, "log_level": 0}
    admin = AdminClient(settings)
    deadline_s = time.monotonic() + timeout_s
    while True:
        left_s = deadline_s - time.monotonic()
        try:
            admin.list_topics(timeout=min(CONNECT_TRY_S, max(0.0, left_s)))
            return admin
        except KafkaException as failure:
            admin.poll(0)  # the only place where the client says what went wrong with its connection
            refused = [error for error in errors if error.code() in REFUSALS]
            if refused or left_s <= CONNECT_TRY_S:
                # That all brokers are down is what follows from what was said before.
                said = refused or [error for error in errors if error.code() != ALL_BROKERS_DOWN] or errors
                raise Unreachable(_why(kafka, said[0] if said else error_of(failure))) from failure


def _why(kafka: KafkaSettings, error: KafkaError) -> str:
    security = kafka.security
    if error.code() == AUTHENTICATION:
        return (
            f"Kafka at {kafka.bootstrap_servers} refuses the user {security.username!r}: {error.str()}. Check"
            " MODSTREAM_KAFKA__SECURITY__USERNAME, __PASSWORD and __SASL_MECHANISM"
        )
    if error.code() == SSL:
        trusted = security.ca_file or "the system's own authorities"
        return (
            f"no secure connection to Kafka at {kafka.bootstrap_servers}: {error.str()}. Check"
            f" MODSTREAM_KAFKA__SECURITY__CA_FILE (now {trusted}), and whether this is a broker's TLS port"
        )
    return (
        f"no answer from Kafka at {kafka.bootstrap_servers} ({security.protocol.value}): {error.str()}. Check"
        " MODSTREAM_KAFKA__BOOTSTRAP_SERVERS and MODSTREAM_KAFKA__SECURITY__PROTOCOL"
    )


def new_consumer(settings: dict[str, Any], on_error: Callable[[KafkaError], None]) -> Consumer:
    """A consumer whose connection errors go to `on_error` and whose chatter goes to our log."""
    return Consumer({**settings, "error_cb": on_error}, logger=log)


def new_producer(settings: dict[str, Any]) -> Producer:
    return Producer(settings, logger=log)


def error_of(failure: KafkaException) -> KafkaError:
    """The KafkaError in an exception of the client."""
    error = failure.args[0]
    if not isinstance(error, KafkaError):
        raise TypeError(f"confluent_kafka raised {failure!r} without a KafkaError") from failure
    return error


def persist(call: Callable[[], object], timeout_s: float, between: Callable[[], None] = lambda: None) -> None:
    """Make a call again for as long as its failure is one that passes, up to `timeout_s`; `between` comes before each
    further try. Raises KafkaException for any other failure, and for the last."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            call()
            return
        except KafkaException as failure:
            error = error_of(failure)
            if not error.retriable() or error.txn_requires_abort() or time.monotonic() > deadline_s:
                raise
            between()
