"""A stage's thread settles what one process can settle, and tells of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import pytest

from processors.contract import BatchPolicy, Outcome, ProcessingError, TransientError
from schemas import Record, Stage
from streams.topology import STANDARD
from streams.worker import stage as stage_module
from streams.worker.batcher import Batcher, Work
from streams.worker.ledger import PartitionLedger
from streams.worker.stage import StageRunner
from tests.worker.parts import Notes, Scripted, text_of, works_of

Delivered = list[tuple[Work, Outcome]]


class Bench:
    """A runner with queues where its worker would be."""

    def __init__(self, processor: Scripted, pool: ThreadPoolExecutor | None = None, pool_size: int = 1) -> None:
        self.processor = processor
        self.delivered: Queue[Delivered] = Queue()
        self.skipped: Queue[list[Work]] = Queue()
        self.crashes: Queue[BaseException] = Queue()
        self.notes = Notes()
        self.runner = StageRunner(
            processor,
            STANDARD,
            Batcher(processor.batching),
            lambda _stage, results: self.delivered.put(results),
            self.skipped.put,
            self.notes,
            pool,
            pool_size,
            self.crashes.put,
        )

    def run(self, works: list[Work]) -> Delivered:
        self.runner.put(works)
        self.runner.start()
        found = self.delivered.get(timeout=10)
        self.runner.stop(10)
        return found


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "IN_PLACE_WAITS_S", (0.0, 0.0))


@pytest.fixture
def bench() -> Bench:
    return Bench(Scripted(Stage.PACK))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as threads:
        yield threads


def told(delivered: Delivered) -> list[str]:
    return [
        text_of(outcome) if isinstance(outcome, Record) else f"{outcome.cause}: {outcome.reason}"
        for _, outcome in delivered
    ]


def test_the_waits_in_place_are_under_a_second_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert len(stage_module.IN_PLACE_WAITS_S) == 2
    assert sum(stage_module.IN_PLACE_WAITS_S) <= 1.0


def test_a_batch_comes_out_in_its_order_with_the_time_it_took(bench: Bench) -> None:
    works = works_of("a", "b", "c")
    delivered = bench.run(works)
    assert [work for work, _ in delivered] == works
    assert told(delivered) == ["a", "b", "c"]
    assert all("pack" in outcome.timings_ms for _, outcome in delivered if isinstance(outcome, Record))


def test_what_has_begun_is_told_before_and_after(bench: Bench) -> None:
    bench.run(works_of("a", "poison", "down1"))
    (report,) = bench.notes.reports
    assert bench.notes.begun == [[0, 1, 2]]
    assert (report.items, report.finished, report.isolated, report.retried) == (3, 2, 1, 1)


def test_a_passing_fault_is_tried_twice_more_in_place_alone(bench: Bench) -> None:
    delivered = bench.run(works_of("a", "down2"))
    assert told(delivered) == ["a", "down2"]
    assert bench.processor.calls == [["a", "down2"], ["down2"], ["down2"]]
    assert bench.notes.reports[0].retried == 2


def test_a_fault_that_does_not_pass_is_handed_on_as_transient(bench: Bench) -> None:
    ((_, outcome),) = bench.run(works_of("down"))
    assert isinstance(outcome, TransientError)
    assert len(bench.processor.calls) == 3


def test_a_stage_that_is_stopping_does_not_wait_for_a_fault_to_pass(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_module, "IN_PLACE_WAITS_S", (3600.0, 3600.0))
    bench.runner._stopping.set()
    ((_, outcome),) = bench.run(works_of("down"))
    assert isinstance(outcome, TransientError)
    assert len(bench.processor.calls) == 1


def test_a_poison_harms_nothing_but_itself(bench: Bench) -> None:
    assert told(bench.run(works_of("a", "poison", "b", "unprepared"))) == [
        "a",
        "poison: ValueError: bad shape",
        "b",
        "poison: ZeroDivisionError: no tokens",
    ]


def test_an_unreadable_modality_goes_on_without_the_engine(bench: Bench) -> None:
    ((_, outcome),) = bench.run(works_of("unread"))
    assert isinstance(outcome, Record)
    assert outcome.modalities["image"].reason == "truncated JPEG"
    assert bench.processor.calls == []


def test_what_is_not_begun_of_a_revoked_partition_is_skipped(bench: Bench) -> None:
    revoked = PartitionLedger("moderation.posts", 1, revoked=True)
    theirs, ours = works_of("a", "b", home=revoked), works_of("c")
    delivered = bench.run([*theirs, *ours])
    assert bench.skipped.get(timeout=10) == theirs
    assert told(delivered) == ["c"]
    assert bench.notes.begun == [[0]]
    assert not theirs[0].ticket.started


def test_what_had_begun_in_an_earlier_stage_is_finished_though_revoked(bench: Bench) -> None:
    revoked = PartitionLedger("moderation.posts", 1, revoked=True)
    begun, fresh = works_of("a", "b", home=revoked)
    begun.ticket.begin(0.0)
    assert told(bench.run([begun, fresh])) == ["a"]
    assert bench.skipped.get(timeout=10) == [fresh]


def test_what_had_begun_in_an_earlier_stage_is_skipped_once_its_partition_is_gone(bench: Bench) -> None:
    """Somebody else does it; to hear a recording for nobody would hold up those behind it for minutes."""
    gone = PartitionLedger("moderation.asr.long", 1, revoked=True, forgotten=True)
    begun, ours = *works_of("a", home=gone), *works_of("b")
    begun.ticket.begin(0.0)
    assert told(bench.run([begun, ours])) == ["b"]
    assert bench.skipped.get(timeout=10) == [begun]


def test_a_batch_of_nothing_but_skipped_work_begins_nothing(bench: Bench) -> None:
    revoked = PartitionLedger("moderation.posts", 1, revoked=True)
    bench.runner.put(works_of("a", home=revoked))
    bench.runner.start()
    assert len(bench.skipped.get(timeout=10)) == 1
    bench.runner.stop(10)
    assert bench.notes.begun == []
    assert bench.delivered.empty()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_breaks_says_so_and_takes_its_notes_along(bench: Bench) -> None:
    bench.runner.put(works_of("exit"))
    bench.runner.start()
    assert isinstance(bench.crashes.get(timeout=10), SystemExit)
    bench.runner.stop(10)
    assert bench.notes.begun == [[0]]
    assert bench.notes.reports == []


def test_stopping_finishes_the_batch_under_way(bench: Bench) -> None:
    delivered = bench.run(works_of("a"))
    assert not bench.runner._thread.is_alive()
    assert told(delivered) == ["a"]


def test_a_large_batch_is_prepared_on_the_pool_in_order(pool: ThreadPoolExecutor) -> None:
    texts = [str(at) for at in range(60)]
    texts[17], texts[44] = "unprepared", "unread"
    delivered = Bench(Scripted(Stage.PACK), pool, 3).run(works_of(*texts))
    expected = ["poison: ZeroDivisionError: no tokens" if text == "unprepared" else text for text in texts]
    assert told(delivered) == expected


@pytest.mark.parametrize("count", [1, 15, 16, 17, 63, 64])
def test_no_item_is_lost_between_the_chunks_of_the_pool(pool: ThreadPoolExecutor, count: int) -> None:
    texts = [str(at) for at in range(count)]
    assert told(Bench(Scripted(Stage.PACK), pool, 3).run(works_of(*texts))) == texts


def test_a_batch_is_what_the_policy_lets_through() -> None:
    bench = Bench(Scripted(Stage.PACK, batching=BatchPolicy(max_items=2, max_cost=100, max_wait_s=0.0)))
    bench.runner.put(works_of("a", "b", "c"))
    bench.runner.start()
    batches = [bench.delivered.get(timeout=10), bench.delivered.get(timeout=10)]
    bench.runner.stop(10)
    assert [told(batch) for batch in batches] == [["a", "b"], ["c"]]


def test_a_verdict_of_the_processor_is_not_tried_again(bench: Bench) -> None:
    ((_, outcome),) = bench.run(works_of("poison"))
    assert isinstance(outcome, ProcessingError)
    assert not isinstance(outcome, TransientError)
    assert len(bench.processor.calls) == 1
