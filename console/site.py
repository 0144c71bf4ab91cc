"""What the handlers share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from aiohttp import web

from console.access import Access
from console.feeds import Feeds
from console.figures import Figures
from console.live import Live
from console.media import MediaDesk
from streams.dlq import DeadLetters
from streams.feedback import FeedbackSender
from streams.lookup import Lookup
from streams.settings import Settings
from streams.topology import Topics

P = ParamSpec("P")
R = TypeVar("R")

KAFKA_THREADS = 8
"""Searches at the same time; each is a consumer."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """One console."""

    settings: Settings
    topics: Topics
    access: Access
    feeds: Feeds
    figures: Figures
    live: Live
    lookup: Lookup
    feedback: FeedbackSender
    media: MediaDesk
    dead_letters: Callable[[], DeadLetters]
    """Those that are there now; blocks."""
    threads: ThreadPoolExecutor
    replaying: asyncio.Lock
    """One replay at a time: a second one would end the first."""

    async def in_thread(self, do: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What blocks on Kafka, beside the loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, lambda: do(*args, **kwargs))


SITE = web.AppKey("site", Site)
