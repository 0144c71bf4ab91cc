"""A lane's batch never waits for another lane's, however long that takes, and long media change lanes on their way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from processors.contract import AnyProcessor, Outcome
from schemas import Priority, Record, Stage, decode_record
from streams.metrics import WorkerMetrics
from streams.topology import LANES, LONG, STAGES, STANDARD, URGENT
from streams.worker.batcher import Work
from streams.worker.segment import Completion, Segment
from tests.worker.parts import OUTCOMES, Notes, Scripted, decide, pass_on, record_of, work_of, works_of

PATIENCE_S = 10.0


class Latched(Scripted):
    """Works on what says "held" only once `latch` is set; `begun` tells that it has one."""

    def __init__(self, stage: Stage, latch: threading.Event) -> None:
        super().__init__(stage, decide if stage is Stage.FUSE else pass_on)
        self.latch = latch
        self.begun = threading.Event()

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        if any(record.post.text == "held" for record in batch):
            self.begun.set()
            assert self.latch.wait(PATIENCE_S)
        return super().process(batch)


def segment_of(processors: Sequence[AnyProcessor], lanes: Sequence[str] = LANES, threads: int = 1) -> Segment:
    return Segment(
        processors,
        OUTCOMES,
        Notes(),
        metrics=WorkerMetrics(),
        lanes=lanes,
        batching={},
        threads=threads,
        on_crash=print,
    )


@pytest.fixture(params=[1, 2])
def latched(request: pytest.FixtureRequest) -> Iterator[tuple[Segment, dict[Stage, Latched]]]:
    """A running segment of all stages, with and without a pool of threads that prepare."""
    latch = threading.Event()
    processors = {stage: Latched(stage, latch) for stage in STAGES}
    segment = segment_of(list(processors.values()), threads=request.param)
    segment.start()
    yield segment, processors
    latch.set()
    assert segment.stop(PATIENCE_S) == set()


def long_work(*, stage: Stage = Stage.OCR, text: str = "held", route: tuple[Stage, ...] = STAGES) -> Work:
    return work_of(replace(record_of(text, route=route), long=True), stage=stage, lane=LONG)


def ended(segment: Segment, count: int) -> list[Completion]:
    found: list[Completion] = []
    deadline_s = time.monotonic() + PATIENCE_S
    while len(found) < count:
        segment.completions.wait(PATIENCE_S)
        found += segment.completions.drain()
        assert time.monotonic() < deadline_s, f"only {len(found)} of {count} came"
    return found


def topic_of(completion: Completion) -> str:
    assert completion.outputs is not None
    return completion.outputs[0].topic


@pytest.mark.parametrize("stage", [Stage.OCR, Stage.ASR])
def test_short_posts_go_through_a_stage_that_has_a_long_one_under_way(
    latched: tuple[Segment, dict[Stage, Latched]], stage: Stage
) -> None:
    segment, processors = latched
    segment.put(stage, LONG, [long_work(stage=stage)])
    assert processors[stage].begun.wait(PATIENCE_S)
    for lane in (STANDARD, URGENT):
        segment.put(stage, lane, [work_of(record_of(route=STAGES), stage=stage, lane=lane) for _ in range(40)])
    assert {topic_of(completion) for completion in ended(segment, 80)} == {"moderation.decisions"}
    processors[stage].latch.set()
    ended(segment, 1)


@pytest.mark.parametrize("stage", [Stage.INGEST, Stage.OCR, Stage.ENCODE])
def test_urgent_posts_go_through_a_stage_whose_standard_batch_does_not_end(
    latched: tuple[Segment, dict[Stage, Latched]], stage: Stage
) -> None:
    segment, processors = latched
    route = tuple(each for each in STAGES if each is not Stage.FETCH)
    segment.put(stage, STANDARD, works_of("held", "behind it", stage=stage, route=route))
    assert processors[stage].begun.wait(PATIENCE_S)
    segment.put(stage, URGENT, [work_of(record_of(route=route), stage=stage, lane=URGENT) for _ in range(40)])
    assert {topic_of(completion) for completion in ended(segment, 40)} == {"moderation.decisions"}
    processors[stage].latch.set()
    ended(segment, 2)


@pytest.mark.parametrize("priority", ["standard", "urgent"])
def test_long_media_stay_in_their_lane_from_stage_to_stage_and_leave_it_by_a_topic(
    latched: tuple[Segment, dict[Stage, Latched]], priority: str
) -> None:
    segment, processors = latched
    work = long_work(text="a lecture")
    work.record = replace(work.record, post=replace(work.record.post, priority=Priority(priority)))
    segment.put(Stage.OCR, LONG, [work])
    (completion,) = ended(segment, 1)
    assert topic_of(completion) == ("moderation.pack.urgent" if priority == "urgent" else "moderation.pack")
    assert processors[Stage.OCR].calls == processors[Stage.ASR].calls == [["a lecture"]]
    assert completion.outputs is not None
    assert decode_record(completion.outputs[0].value or b"").long


@pytest.mark.parametrize(("route", "topic"), [((Stage.OCR, Stage.ASR), "ocr.long"), ((Stage.ASR,), "asr.long")])
@pytest.mark.parametrize("lane", [STANDARD, URGENT])
def test_what_turns_out_to_be_long_crosses_to_its_lane_also_where_that_is_hosted(
    latched: tuple[Segment, dict[Stage, Latched]], lane: str, route: tuple[Stage, ...], topic: str
) -> None:
    segment, _ = latched
    record = replace(record_of(route=(Stage.FETCH, *route, Stage.PACK)), long=True)
    segment.put(Stage.FETCH, lane, [work_of(record, stage=Stage.FETCH, lane=lane)])
    assert topic_of(ended(segment, 1)[0]) == f"moderation.{topic}"


def test_a_long_post_is_counted_apart_from_those_of_its_priority(
    latched: tuple[Segment, dict[Stage, Latched]],
) -> None:
    segment, _ = latched
    works = [work_of(replace(record_of(route=STAGES), long=long), stage=Stage.PACK) for long in (True, False)]
    segment.put(Stage.PACK, STANDARD, works)
    assert [completion.decided.lane for completion in ended(segment, 2) if completion.decided] == [LONG, STANDARD]


def test_a_segment_hosts_its_lanes_alone() -> None:
    """The pool of long media: what leaves it for the others crosses a topic."""
    processors = [Scripted(stage) for stage in (Stage.OCR, Stage.ASR)]
    segment = segment_of(processors, [LONG])
    segment.start()
    segment.put(Stage.OCR, LONG, [long_work(text="a lecture")])
    assert topic_of(ended(segment, 1)[0]) == "moderation.pack"
    with pytest.raises(KeyError):
        segment.put(Stage.OCR, STANDARD, works_of("a", stage=Stage.OCR))
    assert segment.stop(PATIENCE_S) == set()


def test_stopping_tells_which_lane_is_still_at_it_and_need_not_wait_for_long_media() -> None:
    processor = Latched(Stage.ASR, threading.Event())
    segment = segment_of([processor])
    segment.start()
    segment.put(Stage.ASR, LONG, [long_work(stage=Stage.ASR)])
    assert processor.begun.wait(PATIENCE_S)
    assert segment.stop(threading.TIMEOUT_MAX / 2, long_timeout_s=0.0) == {LONG}
    processor.latch.set()
    assert segment.stop(PATIENCE_S) == set()
