"""What a segment does with posts that are taken back from a canary and with its faults, and what a shadow is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from queue import Queue

import pytest
from msgspec.structs import replace

from processors.canary import LIVE, TakenBack
from processors.contract import Outcome, ProcessingError, TransientError
from processors.ingest.processor import TEXT_ROUTE
from schemas import Record, Stage, decode_record
from streams.metrics import WorkerMetrics
from streams.worker import stage as stage_module
from streams.worker.intake import take_in
from streams.worker.outcomes import Outcomes, Versions
from streams.worker.segment import Completion, Segment
from streams.worker.shadow_tally import Judged
from tests.worker.parts import AT_ONCE, TOPICS, Notes, decide, headers_of, record_message, record_of, work_of

WAIT_S = 30.0
OURS = Versions(code="1.0", pack="live@1", policy="live@2")
CANARY = Versions(code="1.0", pack="other@1", policy="other@2")


class Stands:
    """A stage that does as a function says."""

    batching = AT_ONCE

    def __init__(self, stage: Stage, make: Callable[[Record], Outcome]) -> None:
        self.stage = stage
        self.seen: list[str | None] = []
        self._make = make

    def cost(self, record: Record, /) -> int:
        return 1

    def prepare(self, record: Record, /) -> Record:
        return record

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        self.seen += [record.judge for record in batch]
        return [self._make(record) for record in batch]


def taken_back(record: Record) -> Outcome:
    return record if record.judge == LIVE else TakenBack(replace(record, judge=LIVE), "it failed")


def canarys(error: ProcessingError) -> ProcessingError:
    error.by_canary = True
    return error


Run = Callable[..., list[Completion]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`run(stages, record, at)`: what comes of a record that is put in at a stage."""
    monkeypatch.setattr(stage_module, "IN_PLACE_WAITS_S", (0.0, 0.0))
    begun: list[Segment] = []

    def go(
        stands: Sequence[Stands],
        record: Record,
        at: Stage,
        shadow: Callable[[list[Judged]], None] | None = None,
        canary: Versions = CANARY,
    ) -> list[Completion]:
        crashes: list[BaseException] = []
        segment = Segment(
            stands,
            Outcomes(TOPICS, OURS, 3, canary),
            Notes(),
            metrics=WorkerMetrics(),
            batching={},
            threads=1,
            on_crash=crashes.append,
            shadow=shadow,
        )
        segment.start()
        begun.append(segment)
        segment.put(at, "standard", [work_of(record, stage=at)])
        segment.completions.wait(WAIT_S)
        assert not crashes
        return segment.completions.drain()

    yield go
    for segment in begun:
        segment.stop(WAIT_S)


def test_a_post_that_is_taken_back_begins_anew_in_the_process_that_has_all_stages(run: Run) -> None:
    pack, encode, fuse = (
        Stands(Stage.PACK, lambda record: record),
        Stands(Stage.ENCODE, taken_back),
        Stands(Stage.FUSE, decide),
    )
    [done] = run([pack, encode, fuse], record_of(route=TEXT_ROUTE), Stage.PACK)
    assert [output.topic for output in done.outputs or ()] == [TOPICS.decisions, TOPICS.confidence]
    assert (pack.seen, encode.seen, fuse.seen) == ([None, LIVE], [None, LIVE], [LIVE])
    assert not done.our_failure


def test_it_crosses_the_topic_of_pack_where_that_runs_elsewhere(run: Run) -> None:
    [done] = run([Stands(Stage.FUSE, taken_back)], record_of(route=TEXT_ROUTE), Stage.FUSE)
    assert done.outputs is not None
    [output] = done.outputs
    assert output.topic == TOPICS.stage(Stage.PACK)
    assert decode_record(output.value or b"").judge == LIVE
    assert not done.our_failure, "what the canary fails on does not pause the chain"


def test_retries_and_dead_letters_name_what_ran(run: Run) -> None:
    passing = Stands(Stage.ENCODE, lambda _: canarys(TransientError("transient", "away")))
    [done] = run([passing], record_of(route=TEXT_ROUTE), Stage.ENCODE)
    headers = headers_of((done.outputs or [])[0])
    assert (headers["modstream-pack"], headers["modstream-policy"]) == ("other@1", "other@2")

    given_up = Stands(Stage.ENCODE, lambda _: canarys(TransientError("transient", "away")))
    [done] = run([given_up], record_of(route=TEXT_ROUTE, attempt=9), Stage.ENCODE)
    headers = headers_of((done.outputs or [])[0])
    assert (headers["modstream-cause"], headers["modstream-pack"]) == ("retries_exhausted", "other@1")

    live = Stands(Stage.ENCODE, lambda _: ProcessingError("poison", "no"))
    [done] = run([live], record_of(route=TEXT_ROUTE), Stage.ENCODE)
    assert headers_of((done.outputs or [])[0])["modstream-pack"] == "live@1"


def test_a_shadow_is_shown_each_decision_with_the_record_that_it_was_made_of(run: Run) -> None:
    shown: Queue[list[Judged]] = Queue()
    [done] = run([Stands(Stage.FUSE, decide)], record_of(route=TEXT_ROUTE), Stage.FUSE, shown.put)
    assert done.outputs
    [judged] = shown.get(timeout=WAIT_S)
    assert judged.record.decision is None
    assert judged.decision.post_id == judged.record.post.post_id


@pytest.mark.parametrize("of_canary", [Versions("1.0", "other@1", "other@2"), Versions("1.0", "live@1", "other@2")])
def test_a_shadow_is_not_shown_what_a_canary_decided_be_it_a_policy_alone(run: Run, of_canary: Versions) -> None:
    shown: Queue[list[Judged]] = Queue()
    judges = {"canarys": of_canary, "lives": OURS, "taken-back": OURS}

    def make(record: Record) -> Outcome:
        ran = judges[record.post.post_id]
        found = decide(record)
        assert found.decision is not None
        versions = replace(found.decision.versions, pack=str(ran.pack), policy=str(ran.policy))
        return replace(found, decision=replace(found.decision, versions=versions))

    for name in judges:
        record = replace(record_of(post_id=name, route=TEXT_ROUTE), judge=LIVE if name == "taken-back" else None)
        run([Stands(Stage.FUSE, make)], record, Stage.FUSE, shown.put, of_canary)
    assert [judged.decision.post_id for _ in range(2) for judged in shown.get(timeout=WAIT_S)] == [
        "lives",
        "taken-back",
    ]


def test_a_canary_that_is_what_is_live_hides_nothing_from_the_shadow(run: Run) -> None:
    shown: Queue[list[Judged]] = Queue()

    def make(record: Record) -> Outcome:
        found = decide(record)
        assert found.decision is not None
        versions = replace(found.decision.versions, pack=str(OURS.pack), policy=str(OURS.policy))
        return replace(found, decision=replace(found.decision, versions=versions))

    run([Stands(Stage.FUSE, make)], record_of(route=TEXT_ROUTE), Stage.FUSE, shown.put, OURS)
    assert len(shown.get(timeout=WAIT_S)) == 1


def test_a_shadow_is_not_shown_what_has_no_decision(run: Run) -> None:
    shown: Queue[list[Judged]] = Queue()

    def make(record: Record) -> Outcome:
        return decide(record) if record.post.post_id == "last" else ProcessingError("poison", "no")

    for name in ("first", "last"):
        run([Stands(Stage.FUSE, make)], record_of(post_id=name, route=TEXT_ROUTE), Stage.FUSE, shown.put)
    [judged] = shown.get(timeout=WAIT_S)
    assert judged.decision.post_id == "last"


def test_windows_of_a_canary_that_a_worker_does_not_know_go_back_for_the_live_pack() -> None:
    """As while workers are started anew, one after the other."""
    record = replace(record_of(route=TEXT_ROUTE), judge="other@1 other@2")
    message = record_message(record, Stage.ENCODE, [("modstream-attempt", b"3"), ("traceparent", b"00-1")])
    alone = Outcomes(TOPICS, OURS, 3)
    found = take_in(message, Stage.ENCODE, "standard", alone, 0)
    assert isinstance(found, list)
    [output] = found
    assert (output.topic, output.key) == (TOPICS.stage(Stage.PACK), message.key)
    assert decode_record(output.value or b"").judge == LIVE
    assert output.headers == [("traceparent", b"00-1")]
    known = take_in(message, Stage.ENCODE, "standard", Outcomes(TOPICS, OURS, 3, CANARY), 0)
    assert isinstance(known, Record)
