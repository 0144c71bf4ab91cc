"""The thin shell: Faust agents that read, group and count. Everything they decide by is in the pure files beside this.

    sources -> observe (one agent a topic) -> insights.grouped, by group -> aggregate -> insights.state, insights

What Faust leaves open is settled here. It reads committed messages only within transactions of its own, and its
transactions log a failed commit and go on: so the consumer is told to read committed, and counting is made idempotent
instead. Its tables are per source partition: so all is grouped by its key first, and the table's changelog is
partitioned by the same key. It may commit before the changelog has what was counted: so a batch is acknowledged when
every message that came of it is delivered, and a failure ends the process without another commit.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import aiokafka
import faust
from aiokafka.partitioner import DefaultPartitioner
from faust.auth import SASLCredentials, SSLCredentials
from faust.tables.table import Table
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, EventT, StreamT
from faust.types.auth import CredentialsT
from faust.types.tuples import FutureMessage, RecordMetadata

from schemas import InvalidMessage, encode_insight
from streams.insights.batches import Batches
from streams.insights.groups import Source, decode_grouped, encode_grouped
from streams.insights.metrics import InsightMetrics
from streams.insights.observe import Message, Observer
from streams.insights.progress import Reading, told
from streams.insights.table import Aggregation, Placed
from streams.insights.topics import InsightTopics
from streams.kafka import MESSAGE_BYTES
from streams.settings import SecurityProtocol, SecuritySettings, Settings

log = logging.getLogger(__name__)

BATCH = 500
"""Messages that are counted together: a group's state is written once for them."""

WITHIN_S = 0.2
"""How long a batch waits to fill. Windows are minutes; this only has to be short beside their grace."""

TICK_S = 1.0
"""How often workers tell each other how far they have read, and so how soon after its grace a window is published."""

BUFFER = 4_096  # messages that wait for an agent; then the next ones wait in Kafka
COMMIT_INTERVAL_S = 2.0  # what a restart reads again; counting it twice is what cannot happen
REBALANCE_TIMEOUT_S = 60.0

Failed = Callable[[BaseException], None]
Events = Sequence[EventT[bytes]]


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
        self._sent: list[FutureMessage[Any]] = []

    def partition_for_key(self, key: bytes) -> int:
        if self.partitions is None:
            raise TypeError("a table without its number of partitions")
        return partition_of(key, self.partitions)

    def send_changelog(self, *args: Any, **kwargs: Any) -> FutureMessage[Any]:
        sent = super().send_changelog(*args, **kwargs)
        self._sent.append(sent)
        return sent

    async def delivered(self) -> None:
        """Wait until the changelog has every change so far. Raises what the producer says of one that it has not."""
        sent, self._sent = self._sent, []
        await asyncio.gather(*sent)


class Agents:
    """The app and its agents. `failed` is called once, with whatever an agent could not cope with; it hands on no more.

    `partitions`: of each source topic and of the grouped one, as they are.
    """

    def __init__(self, settings: Settings, partitions: dict[str, int], metrics: InsightMetrics, failed: Failed) -> None:
        topics = InsightTopics(settings)
        self.app = _app(settings)
        self._partitions = partitions
        self._metrics = metrics
        self._failed = failed
        self._observer = Observer(settings.metrics)
        self._sources = topics.sources()
        self._readings: dict[TP, Reading] = defaultdict(Reading)
        count = partitions[topics.grouped]
        self._grouped_name, self._insights_name = topics.grouped, topics.insights
        self._table = cast(
            "DeliveredTable",
            self.app.Table(
                "state",
                key_type=bytes,
                value_type=bytes,
                partitions=count,
                changelog_topic=_topic(self.app, topics.state, partitions=count, acks=False, compacting=True),
            ),
        )
        self._grouped_partitions = range(count)
        self._aggregation = Aggregation(settings.insights, self._table, self._table.partition_for_key, metrics)
        self._declare()

    def _declare(self) -> None:
        for topic, source in self._sources.items():
            self._agent(topic, f"observe-{source}", partial(self._observe, source))
        self._agent(self._grouped_name, "aggregate", self._count)
        self.app.timer(TICK_S, name="progress")(self._tell_progress)
        self.app.on_partitions_assigned.connect(self._on_assigned)

    def _agent(self, topic: str, name: str, work: Callable[[Events], Awaitable[None]]) -> None:
        batches = Batches[EventT[bytes]](partial(self._finish, work), BATCH, WITHIN_S)

        async def take(stream: StreamT[bytes]) -> None:
            async for event in stream.noack().events():
                await batches.add(event)

        async def serve() -> None:
            await batches.serve()

        self.app.agent(_topic(self.app, topic), name=name)(take)
        self.app.task(serve)

    async def _finish(self, work: Callable[[Events], Awaitable[None]], events: Events) -> None:
        """Do the work of a batch, then acknowledge it. One that failed must not be: nothing goes on after it."""
        # What was read before a rebalance is read again by whoever has its partition now.
        current = [event for event in events if event.message.generation_id == self.app.consumer_generation_id]
        try:
            await work(current)
        except Exception as error:  # noqa: BLE001 (whatever it is: it is reported, and the process ends)
            self._failed(error)
            await asyncio.Event().wait()
        for event in current:
            event.ack()

    async def _observe(self, source: Source, events: Events) -> None:
        """Hand on what the messages add to which groups; returns when Kafka has it."""
        now_ms, invalid = _now_ms(), 0
        sent: list[Awaitable[object]] = []
        for event in events:
            message = _message(source, event, now_ms)
            try:
                observed = self._observer.observe(message)
            except InvalidMessage as error:
                invalid += 1
                log.info("%s-%d:%d is left out: %s", source, message.partition, message.offset, error.field)
                continue
            for group, seen in observed:
                sent.append(await self._send(self._grouped_name, group.encode(), encode_grouped(seen)))
        await asyncio.gather(*sent)
        for event in events:
            self._readings[event.message.tp].read(event.message.offset, _timestamp_ms(event, now_ms), now_ms)
        self._metrics.read(source, len(events), invalid)

    async def _count(self, events: Events) -> None:
        batch: list[Placed] = [
            (event.message.partition, event.message.key, decode_grouped(cast("bytes", event.message.value)))
            for event in events
        ]
        insights, states = self._aggregation.fold(batch)
        await asyncio.gather(
            *[
                await self._send(self._insights_name, insight.key.encode(), encode_insight(insight))
                for insight in insights
            ]
        )
        for key, state in states.items():
            self._table[key] = state
        await self._table.delivered()
        for insight in insights:
            self._metrics.published(insight)

    async def _tell_progress(self) -> None:
        """To every partition of the grouped observations: how far the partitions are read that this worker has."""
        if self.app.rebalancing or self.app.tables.recovery.in_recovery:
            return
        consumer = cast("CommittedConsumer", self.app.consumer)
        now_ms = _now_ms()
        assigned = [tp for tp in consumer.assignment() if tp.topic in self._sources]
        for tp in self._readings.keys() - set(assigned):
            del self._readings[tp]
        for tp in assigned:
            position = await consumer.position(tp)
            if position is not None:
                self._readings[tp].look(position, consumer.highwater(tp), consumer.received.get(tp), now_ms)
        for topic, source in self._sources.items():
            readings = {tp.partition: self._readings[tp] for tp in assigned if tp.topic == topic}
            message = encode_grouped(told(source, self._partitions[topic], readings))
            for partition in self._grouped_partitions:
                await self._send(self._grouped_name, None, message, partition)

    async def _on_assigned(self, _app: object, _assigned: object = None, **_: object) -> None:
        self._aggregation.forget_watermarks()

    async def _send(
        self, topic: str, key: bytes | None, value: bytes, partition: int | None = None
    ) -> Awaitable[RecordMetadata]:
        """What is returned is done when Kafka has it."""
        producer = await self.app.maybe_start_producer()
        return await producer.send(topic, key, value, partition, None, None)


def _message(source: Source, event: EventT[bytes], now_ms: int) -> Message:
    message = event.message
    return Message(
        source,
        message.partition,
        message.offset,
        _timestamp_ms(event, now_ms),
        cast("bytes | None", message.value),
        tuple(cast("Any", message.headers) or ()) if source is Source.DEAD_LETTERS else (),
    )


def _timestamp_ms(event: EventT[bytes], now_ms: int) -> int:
    """Of the message, never in the future: posts are dated by their senders, and no window may stay open for ever."""
    return min(max(round(event.message.timestamp * 1000), 0), now_ms)


def _now_ms() -> int:
    return int(time.time() * 1000)


def _topic(app: faust.App, name: str, **more: Any) -> Any:
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


def _app(settings: Settings) -> faust.App:
    kafka, topics = settings.kafka, InsightTopics(settings)
    servers = (kafka.bootstrap_servers or "").split(",")
    credentials = _credentials(kafka.security)
    session_s = kafka.session_timeout_ms / 1000
    app = faust.App(
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
