"""What the tests of the worker are made of: messages, records, work, and a processor that fails as its posts ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from processors.contract import BatchPolicy, ModalityError, Outcome, TransientError
from processors.ingest.processor import TEXT_ROUTE
from schemas import Action, Decision, Post, Record, Source, Stage, encode_post, encode_record
from schemas import Versions as DecisionVersions
from streams.topology import STANDARD, Topics
from streams.worker.batcher import Work
from streams.worker.ledger import Header, Output, PartitionLedger
from streams.worker.outcomes import Outcomes, Received, Versions
from streams.worker.stage import BatchReport

NOW_MS = 1_795_316_080_000
POSTS = "moderation.posts"
TOPICS = Topics()
OUTCOMES = Outcomes(TOPICS, Versions(code="1.0", pack="embedded@1a2b", policy="default@3c4d"), max_retries=3)

AT_ONCE = BatchPolicy(max_items=64, max_cost=10_000, max_wait_s=0.0)


def message(
    value: bytes | None,
    *,
    topic: str = POSTS,
    partition: int = 0,
    offset: int = 7,
    key: bytes | None = b"p-1",
    headers: Sequence[Header] = (),
) -> Received:
    return Received(topic, partition, offset, NOW_MS - 5, key, value, tuple(headers))


def post_bytes(text: str = "hello", post_id: str = "p-1") -> bytes:
    return encode_post(Post(post_id=post_id, text=text))


def record_of(
    text: str = "hello", *, post_id: str = "p-1", attempt: int = 1, route: tuple[Stage, ...] = TEXT_ROUTE
) -> Record:
    return Record(
        post=Post(post_id=post_id, text=text),
        source=Source(topic=POSTS, partition=0, offset=7, timestamp_ms=NOW_MS - 5),
        content_hash="00" * 32,
        received_ms=NOW_MS,
        route=route,
        attempt=attempt,
    )


def record_message(record: Record, stage: Stage, headers: Sequence[Header] = ()) -> Received:
    """The record as it lies on the topic that feeds `stage`."""
    return message(encode_record(record), topic=TOPICS.stage(stage), offset=41, headers=headers)


def come_back(retry: Output, topic: str, offset: int = 90) -> Received:
    """A retry that has been republished to `topic`."""
    return message(retry.value, topic=topic, offset=offset, key=retry.key, headers=retry.headers or ())


def headers_of(output: Output) -> dict[str, str]:
    return {name: (value.decode() if isinstance(value, bytes) else value or "") for name, value in output.headers or ()}


def work_of(
    record: Record | None = None,
    *,
    home: PartitionLedger | None = None,
    offset: int = 7,
    cost: int = 1,
    lane: str = STANDARD,
    stage: Stage = Stage.INGEST,
    alone: bool = False,
) -> Work:
    """Work on a message of `home` (a partition of its own, if none is given)."""
    record = record or record_of()
    home = home or PartitionLedger(TOPICS.stage(stage, lane), 0)
    received = message(post_bytes(), topic=home.topic, partition=home.partition, offset=offset)
    work = Work(home.admit(offset, 1, 0.0, received), record, stage, lane, alone=alone)
    work.cost = cost
    return work


def works_of(
    *texts: str,
    home: PartitionLedger | None = None,
    stage: Stage = Stage.INGEST,
    route: tuple[Stage, ...] = TEXT_ROUTE,
) -> list[Work]:
    """Work on posts with these texts, at the first offsets of one partition."""
    home = home or PartitionLedger(TOPICS.stage(stage), 0)
    return [
        work_of(record_of(text, post_id=f"p-{at}", route=route), home=home, offset=at, stage=stage)
        for at, text in enumerate(texts)
    ]


def text_of(record: Record) -> str:
    return record.post.text or ""


def decision_on(record: Record, **changes: object) -> Decision:
    decision = Decision(
        decision_id="d-1",
        post_id=record.post.post_id,
        tenant=record.post.tenant,
        lang="en",
        source=record.source,
        action=Action.APPROVE,
        confidence=1,
        labels={},
        severity=0,
        modalities={},
        versions=DecisionVersions(code="1.0", pack="embedded@1a2b", policy="default@3c4d", layers=("default",)),
        decided_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
    )
    return replace(decision, **changes)


def pass_on(record: Record) -> Record:
    return replace(record, modalities={**record.modalities})


def decide(record: Record) -> Record:
    return replace(record, decision=decision_on(record))


class Scripted:
    """A processor whose items fail as their text says; `make` is what it does with the others.

    `poison` raises and takes its batch along; `down` is transient, for as many calls as the digit after it says (for
    ever without one); `unread` cannot be read in `prepare`, `unprepared` breaks it; `priceless` has no cost.
    """

    def __init__(
        self,
        stage: Stage = Stage.INGEST,
        make: Callable[[Record], Record] = pass_on,
        batching: BatchPolicy = AT_ONCE,
    ) -> None:
        self.stage = stage
        self.batching = batching
        self.calls: list[list[str]] = []
        self._make = make
        self._tries: Counter[str] = Counter()

    def cost(self, record: Record, /) -> int:
        if text_of(record) == "priceless":
            raise KeyError("no price")
        return 1

    def prepare(self, record: Record, /) -> Record:
        if text_of(record) == "unread":
            raise ModalityError("image", "truncated JPEG")
        if text_of(record) == "unprepared":
            raise ZeroDivisionError("no tokens")
        return record

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        texts = [text_of(record) for record in batch]
        self.calls.append(texts)
        if "poison" in texts:
            raise ValueError("bad shape")
        if "exit" in texts:
            raise SystemExit("the interpreter is going down")
        return [self._one(record) for record in batch]

    def _one(self, record: Record) -> Outcome:
        text = text_of(record)
        if text.startswith("down"):
            self._tries[text] += 1
            if self._tries[text] <= int(text[4:] or 1_000):
                return TransientError("transient", "the store is away")
        return self._make(record)


class Notes:
    """A stage's observer that remembers."""

    def __init__(self) -> None:
        self.begun: list[list[int]] = []
        self.reports: list[BatchReport] = []
        self.most_beside = 0

    def entered(self, stage: Stage, lane: str, works: Sequence[Work], *, beside: Sequence[Work] = ()) -> int:
        self.begun.append([work.ticket.offset for work in works])
        self.most_beside = max(self.most_beside, len(beside))
        return len(self.begun)

    def left(self, batch: int, report: BatchReport, *, beside: Sequence[Work] = ()) -> None:
        assert batch <= len(self.begun)
        self.reports.append(report)
