"""The thin shell: Faust agents that read, group and count. Everything they decide by is in the pure files beside this.

    sources -> observe (one agent a topic) -> insights.grouped, by group -> aggregate -> insights.state, insights

A batch is acknowledged when every message that came of it is delivered; one that fails never is, and ends the process.
"""

# Faust's own types are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, cast

from faust.types import TP, EventT
from faust.types.tuples import RecordMetadata

from schemas import InvalidMessage, encode_insight
from streams.insights.batches import Batches
from streams.insights.faust_app import CommittedConsumer, new_app, raw_topic, state_table
from streams.insights.groups import Source, decode_grouped, encode_grouped
from streams.insights.metrics import InsightMetrics
from streams.insights.observe import Message, Observer
from streams.insights.progress import Reading, told
from streams.insights.table import Aggregation, Placed
from streams.insights.topics import InsightTopics
from streams.settings import Settings

log = logging.getLogger(__name__)

BATCH = 500
"""Messages that are counted together: a group's state is written once for them."""

WITHIN_S = 0.2
"""How long a batch waits to fill. Windows are minutes; this only has to be short beside their grace."""

TICK_S = 1.0
"""How often workers tell each other how far they have read, and so how soon after its grace a window is published."""

Failed = Callable[[BaseException], None]
Events = Sequence[EventT[bytes]]


class Agents:
    """The app and its agents. `failed` is called once, with whatever an agent could not cope with; it hands on no more.

    `partitions`: of each source topic and of the grouped one, as they are.
    """

    def __init__(self, settings: Settings, partitions: dict[str, int], metrics: InsightMetrics, failed: Failed) -> None:
        topics = InsightTopics(settings)
        self.app = new_app(settings)
        self._partitions = partitions
        self._metrics = metrics
        self._failed = failed
        self._observer = Observer(settings.metrics)
        self._sources = topics.sources()
        self._readings: dict[TP, Reading] = defaultdict(Reading)
        count = partitions[topics.grouped]
        self._grouped_name, self._insights_name = topics.grouped, topics.insights
        self._table = state_table(self.app, topics.state, count)
        self._grouped_partitions = range(count)
        self._aggregation = Aggregation(settings.insights, self._table, self._table.partition_for_key, metrics)
        self._declare()

    def _declare(self) -> None:
        for topic, source in self._sources.items():
            self._agent(topic, f"observe-{source}", partial(self._observe, source))
        self._agent(self._grouped_name, "aggregate", self._count)
        self.app.timer(TICK_S, name="progress")(self._tell_progress)
        self.app.on_partitions_assigned.connect(cast("Any", self._on_assigned))

    def _agent(self, topic: str, name: str, work: Callable[[Events], Awaitable[None]]) -> None:
        batches = Batches[EventT[bytes]](partial(self._finish, work), BATCH, WITHIN_S)

        async def take(stream: Any) -> None:
            async for event in stream.noack().events():
                await batches.add(event)

        async def serve() -> None:
            await batches.serve()

        self.app.agent(raw_topic(self.app, topic), name=name)(take)
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
        if self.app.rebalancing or self.app.in_recovery:
            return
        consumer = cast("CommittedConsumer", self.app.consumer)
        now_ms = _now_ms()
        assigned = [tp for tp in consumer.assignment() if tp.topic in self._sources]
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
        """Before anything of the new share is read: what was read of the old one, and not committed, is read again."""
        self._aggregation.forget_watermarks()
        self._readings.clear()
        cast("CommittedConsumer", self.app.consumer).received.clear()

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
        message.value,
        tuple(cast("Any", message.headers) or ()) if source is Source.DEAD_LETTERS else (),
    )


def _timestamp_ms(event: EventT[bytes], now_ms: int) -> int:
    """Of the message, never in the future: posts are dated by their senders, and no window may stay open for ever."""
    return min(max(round(event.message.timestamp * 1000), 0), now_ms)


def _now_ms() -> int:
    return int(time.time() * 1000)
