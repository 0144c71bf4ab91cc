"""The bare loop: batches in input order, as each stage's policy allows; whoever fails leaves, the others go on."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.chain import run_chain
from processors.contract import BatchPolicy, Handle, ModalityError, Outcome, ProcessingError, TransientError
from schemas import Record, Stage, Status
from tests.ingested import post_of, received

POLICY = BatchPolicy(max_items=3, max_cost=10, max_wait_s=0.0)


@dataclass
class Scripted:
    """A stage that notes its batches, and does to a post what the post's text says."""

    stage: Stage = Stage.PACK
    batching: BatchPolicy = POLICY
    batches: list[list[str]] = field(default_factory=list[list[str]])

    def cost(self, record: Record, /) -> int:
        return len(record.post.text or "")

    def prepare(self, record: Record, /) -> Record:
        match record.post.text:
            case "refuse":
                raise ProcessingError("too_large", "refused")
            case "mute":
                raise ModalityError("text", "muted")
            case "crash":
                raise KeyError("crashed")
            case _:
                return record

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        self.batches.append([record.post.text or "" for record in batch])
        if any(record.post.text == "poison" for record in batch):
            raise RuntimeError("poisoned")
        return [
            TransientError("transient", "later") if record.post.text == "later" else replace(record, attempt=2)
            for record in batch
        ]


def records(texts: Sequence[str]) -> list[Record]:
    return [received(post_of(text, post_id=f"p-{place}")) for place, text in enumerate(texts)]


@given(st.lists(st.integers(1, 14).map("x".__mul__), max_size=30))
def test_batches_keep_the_order_and_stay_within_items_and_cost(texts: list[str]) -> None:
    stage = Scripted()
    outcomes = run_chain([stage], records(texts))
    assert [outcome.post.text for outcome in outcomes if isinstance(outcome, Record)] == texts
    assert [text for batch in stage.batches for text in batch] == texts
    for batch, following in itertools.zip_longest(stage.batches, stage.batches[1:]):
        assert len(batch) <= 3
        assert len(batch) == 1 or sum(map(len, batch)) <= 10
        if following is not None:  # no batch ends before it must
            assert len(batch) == 3 or sum(map(len, batch)) + len(following[0]) > 10


def test_errors_stay_with_their_record_and_the_others_go_on() -> None:
    texts = ["a", "refuse", "poison", "b", "later", "crash", "mute", "c"]
    second = Scripted(stage=Stage.ENCODE)
    outcomes = run_chain([Scripted(), second], records(texts))
    found = dict(zip(texts, outcomes, strict=True))
    causes = {text: outcome.cause for text, outcome in found.items() if isinstance(outcome, ProcessingError)}
    assert causes == {"refuse": "too_large", "poison": "poison", "later": "transient", "crash": "poison"}
    assert "RuntimeError: poisoned" in str(found["poison"])
    assert [text for batch in second.batches for text in batch] == ["a", "b", "c"]
    muted = found["mute"]
    assert isinstance(muted, Record)
    assert (muted.modalities["text"].status, muted.modalities["text"].reason) == (Status.FAILED, "muted")


def test_a_stage_is_skipped_where_the_route_does_not_name_it() -> None:
    stage = Scripted(stage=Stage.OCR)
    [record] = records(["a"])
    assert run_chain([stage], [record]) == [record]
    assert stage.batches == []


def test_a_record_gets_the_time_of_its_batch_by_stage() -> None:
    [outcome] = run_chain([Scripted(), Scripted(stage=Stage.ENCODE)], records(["a"]))
    assert isinstance(outcome, Record)
    assert outcome.timings_ms.keys() == {"pack", "encode"}
    assert all(took >= 0 for took in outcome.timings_ms.values())


def test_no_records_give_no_outcomes() -> None:
    assert run_chain([Scripted()], []) == []


@dataclass
class Errands:
    """An asynchronous stage: each item lets all others begin before it ends."""

    stage: Stage = Stage.FETCH
    concurrency: int = 3
    under_way: int = 0
    most: int = 0

    def cost(self, record: Record, /) -> int:
        return 1

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Handle]:
        yield self._handle

    async def _handle(self, record: Record) -> Record:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        match record.post.text:
            case "refuse":
                raise ProcessingError("too_large", "refused")
            case "mute":
                raise ModalityError("image", "muted")
            case "crash":
                raise KeyError("crashed")
            case _:
                return replace(record, attempt=3)


def test_an_asynchronous_stage_runs_its_items_side_by_side_and_keeps_their_order() -> None:
    stage = Errands()
    texts = ["a", "refuse", "b", "mute", "crash", "c", "d"]
    fetched = [replace(record, route=(Stage.FETCH,)) for record in records(texts)]
    a, refused, b, muted, crashed, *_ = run_chain([stage], fetched)
    assert stage.most == stage.concurrency
    assert isinstance(a, Record)
    assert isinstance(b, Record)
    assert (a.post.text, b.post.text, a.attempt) == ("a", "b", 3)
    assert "fetch" in a.timings_ms
    assert isinstance(muted, Record)
    assert muted.modalities["image"].status is Status.FAILED
    assert isinstance(refused, ProcessingError)
    assert isinstance(crashed, ProcessingError)
    assert (refused.cause, crashed.cause) == ("too_large", "poison")


def test_the_bare_loop_also_runs_where_an_event_loop_is_running() -> None:
    async def notebook() -> Sequence[Outcome]:
        return run_chain([Errands()], [replace(record, route=(Stage.FETCH,)) for record in records(["a"])])

    (outcome,) = asyncio.run(notebook())
    assert isinstance(outcome, Record)
