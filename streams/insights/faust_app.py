"""Faust as insights need it: what it leaves open is settled here.

It reads committed messages only within transactions of its own, and where one of those fails to begin, commit or abort
it logs that and goes on: so the consumer is told to read committed, and counting is made idempotent instead. After a
rebalance it goes back to what is committed, and nowhere where nothing is: so that goes to the beginning. Its tables
are per source partition: so all is grouped by its key first, and the table's changelog is partitioned by the same key.
It may commit before the changelog has what was counted: so the table tells when the changelog has it.
"""

# Faust's own types are partly unknown, and its interfaces lack what its classes have.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false, reportUnknownParameterType=false, reportIncompatibleMethodOverride=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import aiokafka
import faust
from aiokafka.partitioner import DefaultPartitioner
from faust.auth import SASLCredentials, SSLCredentials
from faust.tables.table import Table
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.auth import CredentialsT
from faust.types.tuples import FutureMessage

from streams.insights.topics import InsightTopics
from streams.kafka import MESSAGE_BYTES
from streams.settings import SecurityProtocol, SecuritySettings, Settings

BUFFER = 4_096  # messages that wait for an agent; then the next ones wait in Kafka
COMMIT_INTERVAL_S = 2.0  # what a restart reads again; counting it twice is what cannot happen
REBALANCE_TIMEOUT_S = 60.0


class CommittedThread(driver.AIOKafkaConsumerThread):
    """Its consumer reads committed messages; Faust sees to that only for `processing_guarantee="exactly_once"`."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001 (read when it starts, and no argument leads to it)
        return consumer

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Also where nothing is committed: there, aiokafka stays at what it had fetched before a rebalance, and Faust
        has thrown that away."""
        return await self.call_thread(self._seek_back)

    async def _seek_back(self) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        committed = await consumer.seek_to_committed()
        changelogs = self.app.tables.changelog_topics  # their positions are the recovery's
        fresh = [place for place, offset in committed.items() if not offset and place.topic not in changelogs]
        if fresh:
            await consumer.seek_to_beginning(*fresh)
        return committed


class CommittedConsumer(driver.Consumer):
    """Notes the last message of each partition that it has handed to the agents' queues."""

    def __init__(self, transport: Any, callback: Callable[[Any], Awaitable[None]], *args: Any, **kwargs: Any) -> None:
        self.received: dict[TP, int] = {}

        async def noted(message: Any) -> None:
            self.received[message.tp] = message.offset
            await callback(message)

        super().__init__(transport, noted, *args, **kwargs)

    def _new_consumer_thread(self) -> CommittedThread:
        return CommittedThread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(driver.Transport):
    Consumer = CommittedConsumer


_partitioner = DefaultPartitioner()


def partition_of(key: bytes, partitions: int) -> int:
    """Where clients put a key: as Java's do, and librdkafka's `murmur2_random`."""
    every = list(range(partitions))
    return _partitioner(key, every, every)


class DeliveredTable(Table[bytes, bytes]):
    """A table whose changelog is partitioned by its key, and that knows which changes are not in the changelog yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sent: list[FutureMessage] = []

    def partition_for_key(self, key: bytes) -> int:
        if self.partitions is None:
            raise TypeError("a table without its number of partitions")
        return partition_of(key, self.partitions)

    def send_changelog(self, *args: Any, **kwargs: Any) -> FutureMessage:
        sent = super().send_changelog(*args, **kwargs)
        self._sent.append(sent)
        return sent

    async def delivered(self) -> None:
        """Wait until the changelog has every change so far. Raises what the producer says of one that it has not."""
        sent, self._sent = self._sent, []
        await asyncio.gather(*sent)


class App(faust.App):
    """Writes no folder: its tables are in memory, and a container's root cannot be written."""

    def _create_directories(self) -> None:
        pass


def raw_topic(app: faust.App, name: str, **more: Any) -> Any:
    """A topic whose keys and values are bytes."""
    return app.topic(
        name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
        internal=True,
        maxsize=BUFFER,
        **more,
    )


def state_table(app: faust.App, name: str, partitions: int) -> DeliveredTable:
    """The table whose changelog is the topic `name`."""
    changelog = raw_topic(app, name, partitions=partitions, acks=False, compacting=True)
    table = app.Table("state", key_type=bytes, value_type=bytes, partitions=partitions, changelog_topic=changelog)
    return cast("DeliveredTable", table)


def new_app(settings: Settings) -> faust.App:
    """An app without agents, that belongs to the group of insights."""
    kafka, topics = settings.kafka, InsightTopics(settings)
    servers = (kafka.bootstrap_servers or "").split(",")
    credentials = _credentials(kafka.security)
    session_s = kafka.session_timeout_ms / 1000
    app = App(
        topics.group,
        broker=[f"kafka://{server}" for server in servers],
        broker_credentials=credentials,
        broker_client_id="modstream-insights",
        broker_session_timeout=session_s,
        broker_heartbeat_interval=session_s / 4,
        broker_rebalance_timeout=REBALANCE_TIMEOUT_S,
        broker_max_poll_interval=kafka.max_poll_interval_ms / 1000,
        broker_commit_interval=COMMIT_INTERVAL_S,
        producer_acks=-1,
        producer_compression_type="lz4",
        producer_max_request_size=MESSAGE_BYTES,
        store="memory://",
        Table=DeliveredTable,
        table_standby_replicas=0,
        # Topics are made by `streams.topics`, as all others are; Faust makes none.
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=True,
        stream_buffer_maxsize=BUFFER,
        web_enabled=False,
        autodiscover=False,
    )
    app.transport = CommittedTransport(app.conf.broker_consumer, app)
    return app


def _credentials(security: SecuritySettings) -> CredentialsT | None:
    encrypted = security.protocol in (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)
    context = _context(security) if encrypted else None
    if security.protocol in (SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL):
        return SASLCredentials(
            username=security.username,
            password=security.password.reveal() if security.password else None,
            mechanism=security.sasl_mechanism.value if security.sasl_mechanism else None,
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None


def _context(security: SecuritySettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(security.ca_file) if security.ca_file else None)
    if security.cert_file is not None and security.key_file is not None:
        context.load_cert_chain(str(security.cert_file), str(security.key_file))
    return context
