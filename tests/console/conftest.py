from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from console.access import Access
from console.app import web_app
from console.events import Took
from console.feeds import Feeds
from console.figures import Figures
from console.following import Topic, taken
from console.live import Live
from console.media import MediaDesk
from console.site import Site
from schemas import Action, Decision, Feedback, Post, Source, Stage, Versions, encode_decision
from streams.lookup import Found
from streams.media_objects import Shown, ShownItem
from streams.reader import Read
from streams.settings import ConsoleSettings, Secret, Settings
from streams.topology import Topics

VIEWER, REVIEWER, OPERATOR = "viewer-token-0123456789", "reviewer-token-0123456", "operator-token-0123456"
TOKENS = f"{VIEWER}=vera:viewer,{REVIEWER}=rita:reviewer, {OPERATOR}=otto:operator"

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
SCRIPT = "<script>alert(1)</script>"
TOPICS = Topics()


def decision(post_id: str = "p-1", **changes: Any) -> Decision:
    made = Decision(
        decision_id=f"d-{post_id}",
        post_id=post_id,
        tenant="default",
        lang="en",
        source=Source(topic=TOPICS.stage(Stage.INGEST), partition=0, offset=3, timestamp_ms=1000),
        action=Action.REVIEW,
        confidence=0.9,
        labels={"abuse": 0.91, "hate": 0.2, "insult": 0.5, "sexual": 0.01},
        severity=2,
        modalities={},
        flags=("abuse",),
        versions=Versions(code="1", pack="tiny@1", policy="default@1", layers=("default",), engines={"text": "CPU"}),
        timings_ms={"ingest": 1.0, "encode": 7.5, "total": 9.0},
        decided_at=AT,
    )
    return msgspec.structs.replace(made, **changes)


def read(
    topic: str, value: bytes | None, key: str = "p-1", partition: int = 0, offset: int = 3, at_ms: int = 0
) -> Read:
    return Read(topic, partition, offset, at_ms, key.encode(), value, ())


def took(topic: Topic, value: bytes | None, offset: int, key: str = "p-1", at_ms: int = 0) -> Took:
    return taken(topic, read(topic, value, key, offset=offset, at_ms=at_ms))


Client = TestClient[Any, Any]


@dataclass
class Kafka:
    """Messages by topic, for a `Lookup`, and what was sent to it."""

    messages: list[Read] = field(default_factory=list[Read])
    sent: list[Feedback] = field(default_factory=list[Feedback])

    def at(self, topic: str, partition: int, offset: int) -> Read | None:
        return next(
            (one for one in self.messages if (one.topic, one.partition, one.offset) == (topic, partition, offset)), None
        )

    def last_of(self, topic: str, key: bytes, takes: Callable[[Read], bool] = lambda read: True) -> Found:
        return Found(tuple(one for one in self.messages if one.topic == topic and one.key == key and takes(one)), True)

    def all_of(self, topic: str, key: bytes) -> Found:
        return self.last_of(topic, key)

    def send(self, feedback: Feedback) -> None:
        self.sent.append(feedback)

    def replayed(self) -> dict[tuple[str, int], frozenset[int]]:
        return {(TOPICS.dead_letters, partition): frozenset() for partition in range(3)}


class Objects:
    """One picture for each item of a post."""

    async def of_post(self, post: Post) -> list[ShownItem]:
        picture = Shown(b"\x89PNG\r\n\x1a\n", "image/png", width=2, height=2)
        return [ShownItem(item.media_id, "image", type="image/png", pictures=(picture,)) for item in post.media]


@dataclass
class Console:
    """A console without a cluster, and who asks it."""

    site: Site
    kafka: Kafka

    def ask(self, method: str, path: str, *, token: str | None = None, **options: Any) -> Answer:
        """One request, with its answer whole."""

        async def scenario(client: Client) -> Answer:
            headers = {"X-Modstream": "1"} if method == "POST" else {}
            headers |= {} if token is None else {"Authorization": f"Bearer {token}"}
            headers |= options.pop("headers", {})
            async with client.request(method, path, headers=headers, **options) as response:
                return await Answer.of(response)

        return self.with_client(scenario)

    def with_client(self, scenario: Callable[[Client], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            async with TestClient(TestServer(web_app(self.site), host="127.0.0.1")) as client:
                return await scenario(client)

        return asyncio.run(run())


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    async def of(cls, response: ClientResponse) -> Answer:
        return cls(response.status, dict(response.headers), await response.read())

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


Make = Callable[..., Console]


@pytest.fixture
def make() -> Iterator[Make]:
    """A console with these settings."""
    threads = ThreadPoolExecutor(2)

    def make(**settings: Any) -> Console:
        console = ConsoleSettings(**settings)
        kafka = Kafka()
        feeds = Feeds(console.keep, clock=lambda: AT.timestamp())
        site = Site(
            settings=Settings(console=console),
            topics=TOPICS,
            access=Access(console),
            feeds=feeds,
            figures=Figures(console, TOPICS, feeds),
            live=Live(console.max_streams),
            lookup=cast("Any", kafka),
            feedback=cast("Any", kafka),
            media=MediaDesk(cast("Any", Objects())),
            dead_letters=lambda: cast("Any", kafka),
            threads=threads,
            replaying=asyncio.Lock(),
        )
        return Console(site, kafka)

    yield make
    threads.shutdown()


@pytest.fixture
def guarded(make: Make) -> Console:
    """A console that wants tokens, with one decided post in it."""
    return decided(make(tokens=Secret(TOKENS)))


@pytest.fixture
def console(make: Make) -> Console:
    """A console on loopback that everybody may use, with one decided post in it."""
    return decided(make())


def decided(console: Console, text: str = SCRIPT) -> Console:
    post = {
        "post_id": "p-1",
        "text": text,
        "media": [{"media_id": "m-1", "kind": "image", "data": "aGVsbG8="}],
    }
    made = encode_decision(decision())
    at_ms = int(AT.timestamp() * 1000)
    console.kafka.messages += [
        read(TOPICS.decisions, made, offset=5, at_ms=at_ms),
        read(TOPICS.stage(Stage.INGEST), msgspec.json.encode(post), offset=3),
    ]
    console.site.feeds.take([took("decisions", made, 5, at_ms=at_ms)])
    return console
