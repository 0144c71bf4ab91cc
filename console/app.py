"""The console as one web application: which address is whose, and what runs beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from console import letters, pages, posts, reviews
from console.access import Access
from console.feeds import Feeds
from console.figures import Figures
from console.following import PURPOSE, Follower
from console.guards import MAX_BODY_BYTES, dress, faults_as_json, host_is_ours, known_people, own_pages_only
from console.live import Live
from console.media import MediaDesk
from console.scraping import Workers
from console.site import KAFKA_THREADS, SITE, Site
from streams.dlq import DeadLetters
from streams.feedback import FeedbackSender
from streams.lag import lag_of
from streams.lookup import Lookup
from streams.media_objects import MediaObjects
from streams.settings import Settings
from streams.topics import TopicsError
from streams.topology import Topics

TICK_S = 1.0
"""How often the live figures are told."""

log = logging.getLogger(__name__)


def routes() -> list[web.RouteDef]:
    """Every address of the console."""
    return [
        web.get("/", pages.index),
        web.get("/assets/{path:.+}", pages.asset),
        web.get("/live", pages.alive),
        web.get("/ready", pages.alive),
        web.get("/api/session", pages.session),
        web.post("/api/login", pages.login),
        web.post("/api/logout", pages.logout),
        web.get("/api/live", pages.live, allow_head=False),  # a HEAD of it would not end either
        web.get("/api/state", pages.state),
        web.get("/api/history", pages.history),
        web.get("/api/decisions", pages.decisions),
        web.get("/api/flags", pages.flags),
        web.get("/api/posts/{post_id}", posts.post),
        web.get("/api/media/{token}", posts.media),
        web.post("/api/feedback", reviews.give),
        web.get("/api/dead-letters", letters.listed),
        web.get(r"/api/dead-letters/{partition:\d{1,9}}/{offset:\d{1,18}}", letters.one),
        web.post("/api/dead-letters/replay", letters.replay),
    ]


def web_app(site: Site) -> web.Application:
    """The application, without anything that runs beside it."""
    app = web.Application(
        client_max_size=MAX_BODY_BYTES,
        middlewares=[
            faults_as_json,
            host_is_ours(site.settings.console.host),
            own_pages_only,
            known_people(site.access),
        ],
    )
    app[SITE] = site
    app.on_response_prepare.append(dress)

    async def let_go(_: web.Application) -> None:
        site.live.close()  # else the end waits for pages that follow, and they do not end by themselves

    app.on_shutdown.append(let_go)
    app.add_routes(routes())
    return app


@contextlib.asynccontextmanager
async def running(settings: Settings, admin: AdminClient) -> AsyncGenerator[web.Application]:
    """The application with everything that feeds it, for as long as the context lasts.

    Raises `SettingsError`, `StoreError` and `TopicsError`.
    """
    console, topics = settings.console, Topics(settings.topics.prefix)
    access = Access(console)
    feeds = Feeds(console.keep)
    figures = Figures(console, topics, feeds)
    live = Live(console.max_streams)
    threads = ThreadPoolExecutor(KAFKA_THREADS, "console-kafka")
    follower = await asyncio.to_thread(
        Follower,
        settings,
        admin,
        asyncio.get_running_loop(),
        feeds.begin,
        lambda messages: live.rows(feeds.take(messages)),
    )
    async with Workers(console.workers) as workers, MediaObjects(settings) as objects:
        site = Site(
            settings=settings,
            topics=topics,
            access=access,
            feeds=feeds,
            figures=figures,
            live=live,
            lookup=Lookup(settings, admin, PURPOSE, console.search_messages),
            feedback=FeedbackSender(settings),
            media=MediaDesk(objects),
            dead_letters=lambda: DeadLetters(settings, admin),
            threads=threads,
            replaying=asyncio.Lock(),
        )

        async def scrape() -> None:
            figures.scraped(await workers.scrape())

        async def look() -> None:
            try:
                figures.lagged(await asyncio.to_thread(lag_of, settings, admin))
            except (KafkaException, TopicsError, TimeoutError) as error:
                log.warning("how far the chain is behind is not known now: %s", error)

        async def tick() -> None:
            live.tick(figures.tick())

        follower.start()
        rounds = [
            asyncio.create_task(_every(console.scrape_interval_s, scrape)),
            asyncio.create_task(_every(console.lag_interval_s, look)),
            asyncio.create_task(_every(TICK_S, tick)),
        ]
        try:
            yield web_app(site)
        finally:
            for task in rounds:
                task.cancel()
            await asyncio.gather(*rounds, return_exceptions=True)
            await follower.stop()
            threads.shutdown(wait=False, cancel_futures=True)


async def _every(interval_s: float, do: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """At a steady pace; a round that takes longer than the interval is followed at once by the next, never by two. A
    round that fails is logged and not the last: old figures would stand there as if they were of now."""
    loop = asyncio.get_running_loop()
    while True:
        began_s = loop.time()
        try:
            await do()
        except Exception:
            log.exception("a round of the live figures failed")
        await asyncio.sleep(max(0.0, began_s + interval_s - loop.time()))
