"""From settings to a running insights worker."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import Any, TextIO, cast

from streams.health import Health, HealthServer, Ready
from streams.insights.agents import Agents
from streams.insights.metrics import InsightMetrics
from streams.insights.topics import InsightTopics
from streams.kafka import check_connection
from streams.settings import Settings
from streams.topics import TopicsError, create_topics, require_topics

log = logging.getLogger(__name__)

BEAT_S = 1.0


def run_insights(settings: Settings, out: TextIO) -> int:
    """Count until SIGTERM or SIGINT; prints `ready` to `out` when it has its share of the partitions and their state.

    Returns 0, or 1 after a failure that was told on stderr. Raises `Unreachable` and `TopicsError` before it begins,
    and `SettingsError` where its health cannot be served.
    """
    topics = InsightTopics(settings)
    admin = check_connection(settings.kafka)
    sources = require_topics(admin, (*topics.sources(), topics.insights))
    create_topics(admin, topics.planned())
    between = require_topics(admin, (topics.grouped, topics.state))
    if between[topics.grouped] != between[topics.state]:
        raise TopicsError(
            f"{topics.grouped} has {between[topics.grouped]} partitions and {topics.state} {between[topics.state]}:"
            " expected as many; delete both while no insights run, they are made anew"
        )
    health, metrics = Health(settings.worker.ticket_age_limit_s), InsightMetrics()
    with HealthServer(health, metrics.registry, settings.http) as server:
        log.info("health and metrics at http://%s:%d", server.host, server.port)
        error = asyncio.run(_serve(settings, sources | between, health, metrics, out))
    if error is None:
        return 0
    sys.stderr.write(f"modstream: insights ended: {type(error).__name__}: {error}; what was read is read again\n")
    sys.stderr.flush()
    # As a kill would, which counting is made for: an ordinary end would wait for Faust's threads, and let it commit.
    os._exit(1)


async def _serve(
    settings: Settings, partitions: dict[str, int], health: Health, metrics: InsightMetrics, out: TextIO
) -> BaseException | None:
    """Run the agents until a signal; returns what went wrong, if anything did."""
    ended: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    def end(error: BaseException | None = None) -> None:
        if not ended.done():
            ended.set_result(error)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    agents = Agents(settings, partitions, metrics, end)
    app = agents.app

    async def recovered(_app: object, **_: object) -> None:
        for condition, reason in _READY.items():
            health.set(condition, True, reason)
        if not told.is_set():
            told.set()
            out.write("ready\n")
            out.flush()

    told = asyncio.Event()
    app.on_rebalance_complete.connect(cast("Any", recovered))  # pyright: ignore[reportUnknownMemberType] (untyped)
    app.finalize()
    starting = asyncio.ensure_future(app.start())
    starting.add_done_callback(
        lambda done: end(done.exception()) if not done.cancelled() and done.exception() else None
    )
    while not ended.done():
        health.beat()
        if app.crashed:
            end(app.crash_reason or RuntimeError("Faust stopped"))
        await asyncio.wait({ended}, timeout=BEAT_S)
    error = ended.result()
    if error is None:
        health.set(Ready.SERVING, False, "shutting down")
        await app.stop()
    return error


_READY = {
    Ready.JOINED: "joined",
    Ready.MODELS: "needs none",
    Ready.BROKER: "answers",
}
