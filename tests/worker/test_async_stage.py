"""A stage that waits for others keeps its items apart: a slow one holds nobody up, and each fails alone."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from queue import Queue
from types import SimpleNamespace

import pytest

from processors.contract import Handle, ModalityError, Outcome, ProcessingError, TransientError
from schemas import Record, Stage, Status
from streams.topology import STAGES, URGENT
from streams.worker import async_stage as async_stage_module
from streams.worker.async_stage import AsyncStageRunner
from streams.worker.batcher import Work
from streams.worker.ledger import PartitionLedger
from tests.worker.parts import TOPICS, Notes, record_of, text_of, work_of

PATIENCE_S = 20.0


class Errands:
    """An asynchronous processor whose items do as their text says.

    `slow` waits until `hurry` is called; `down` is transient for as many calls as its digit says; `unread`, `invalid`
    and `poison` raise.
    """

    stage = Stage.FETCH

    def __init__(self, concurrency: int = 4) -> None:
        self.concurrency = concurrency
        self.begun: Queue[str] = Queue()
        self.events: list[tuple[str, str]] = []
        """("begun" or "ended", text), in their order: all on the loop's thread."""
        self.closed = False
        self._tries: Counter[str] = Counter()
        self._hurried: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def cost(self, record: Record, /) -> int:
        return 1

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Handle]:
        self._loop, self._hurried = asyncio.get_running_loop(), asyncio.Event()
        yield self._handle
        self.closed = True

    def hurry(self) -> None:
        assert self._loop is not None
        assert self._hurried is not None
        self._loop.call_soon_threadsafe(self._hurried.set)

    async def _handle(self, record: Record) -> Record:
        text = text_of(record)
        self.events.append(("begun", text))
        self.begun.put(text)
        try:
            return await self._do(text, record)
        finally:
            self.events.append(("ended", text))

    async def _do(self, text: str, record: Record) -> Record:
        self._tries[text] += 1
        if text.startswith("slow"):
            assert self._hurried is not None
            await self._hurried.wait()
        if text.startswith("down") and self._tries[text] <= int(text[4:]):
            raise TransientError("transient", "the host is away")
        if text == "unread":
            raise ModalityError("image", "no such host")
        if text == "invalid":
            raise ProcessingError("invalid_record", "no post")
        if text == "poison":
            raise ValueError("bad luck")
        return record

    def most_under_way(self, *prefixes: str) -> int:
        """How many items whose texts begin so were under way at once, at most."""
        most = now = 0
        for event, text in self.events:
            if text.startswith(prefixes):
                now += 1 if event == "begun" else -1
                most = max(most, now)
        return most


class Bench:
    """A runner with queues where its worker would be."""

    def __init__(self, processor: Errands) -> None:
        self.processor = processor
        self.delivered: Queue[tuple[Work, Outcome]] = Queue()
        self.skipped: Queue[list[Work]] = Queue()
        self.crashes: Queue[BaseException] = Queue()
        self.notes = Notes()
        self.runner = AsyncStageRunner(processor, self._deliver, self.skipped.put, self.notes, self.crashes.put)

    def _deliver(self, stage: Stage, results: list[tuple[Work, Outcome]]) -> None:
        assert stage is Stage.FETCH
        (result,) = results
        if text_of(result[0].record) == "undeliverable":
            raise RuntimeError("no way out")
        self.delivered.put(result)

    def come(self, count: int) -> dict[str, Outcome]:
        """The next outcomes, by their posts' texts."""
        found = [self.delivered.get(timeout=PATIENCE_S) for _ in range(count)]
        return {text_of(work.record): outcome for work, outcome in found}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(async_stage_module, "IN_PLACE_WAITS_S", (0.0, 0.0))
    made = Bench(Errands())
    yield made
    made.runner.stop(0.0)


def works(*texts: str, home: PartitionLedger | None = None, lane: str = "standard") -> list[Work]:
    home = home or PartitionLedger(TOPICS.stage(Stage.FETCH), 0)
    return [
        work_of(record_of(text, route=STAGES), home=home, offset=at, stage=Stage.FETCH, lane=lane)
        for at, text in enumerate(texts)
    ]


def test_a_slow_item_holds_nobody_up(bench: Bench) -> None:
    bench.runner.start()
    bench.runner.put(works("slow", "a", "b", "c"))
    assert set(bench.come(3)) == {"a", "b", "c"}
    bench.processor.hurry()
    assert set(bench.come(1)) == {"slow"}
    assert bench.notes.most_beside > 0


def test_items_that_came_before_the_start_are_not_forgotten(bench: Bench) -> None:
    bench.runner.put(works("a", "b"))
    bench.runner.start()
    assert set(bench.come(2)) == {"a", "b"}


def test_no_more_than_its_concurrency_are_under_way_and_urgent_ones_go_first(bench: Bench) -> None:
    bench.runner.put(works(*(f"slow-{number}" for number in range(4))))
    bench.runner.put(works("slow-urgent-0", "slow-urgent-1", lane=URGENT))
    bench.runner.start()
    begun = [bench.processor.begun.get(timeout=PATIENCE_S) for _ in range(4)]
    assert begun == ["slow-urgent-0", "slow-urgent-1", "slow-0", "slow-1"]
    bench.processor.hurry()
    assert len(bench.come(6)) == 6
    assert bench.processor.most_under_way("slow") == 4


def test_urgent_items_do_not_wait_for_slow_ones_of_others(bench: Bench) -> None:
    """However many wait: the last slots are not for them."""
    bench.processor.concurrency = 16
    bench.runner.put(works(*(f"slow-{number}" for number in range(20))))
    bench.runner.start()
    begun = [bench.processor.begun.get(timeout=PATIENCE_S) for _ in range(14)]
    assert begun == [f"slow-{number}" for number in range(14)]
    for urgent in ("a", "b", "c"):
        bench.runner.put(works(urgent, lane=URGENT))
        assert set(bench.come(1)) == {urgent}
    bench.processor.hurry()
    assert len(bench.come(20)) == 20
    assert bench.processor.most_under_way("slow") == 14


def test_urgent_items_may_have_all_slots_and_others_have_one_at_least(bench: Bench) -> None:
    bench.processor.concurrency = 1
    bench.runner.put(works("a"))
    bench.runner.start()
    assert set(bench.come(1)) == {"a"}
    bench.processor.concurrency = 2
    bench.runner.put(works("slow-0", "slow-1", lane=URGENT))
    assert {bench.processor.begun.get(timeout=PATIENCE_S) for _ in range(3)} == {"a", "slow-0", "slow-1"}


def test_each_item_fails_alone_and_says_how(bench: Bench) -> None:
    bench.runner.start()
    bench.runner.put(works("a", "unread", "invalid", "poison"))
    found = bench.come(4)
    unread, invalid, poison = found["unread"], found["invalid"], found["poison"]
    assert isinstance(found["a"], Record)
    assert isinstance(unread, Record)
    assert (unread.modalities["image"].status, unread.modalities["image"].reason) == (Status.FAILED, "no such host")
    assert isinstance(invalid, ProcessingError)
    assert invalid.cause == "invalid_record"
    assert isinstance(poison, ProcessingError)
    assert (poison.cause, poison.reason) == ("poison", "ValueError: bad luck")
    bench.runner.stop(PATIENCE_S)
    assert sum(report.isolated for report in bench.notes.reports) == 1


def test_what_may_pass_is_tried_again_in_place_and_then_left_to_the_retry_topics(bench: Bench) -> None:
    bench.runner.start()
    bench.runner.put(works("down2", "down3"))
    found = bench.come(2)
    assert isinstance(found["down2"], Record)
    assert isinstance(found["down3"], TransientError)
    bench.runner.stop(PATIENCE_S)
    assert [report.retried for report in bench.notes.reports] == [2, 2]


def test_a_fault_that_took_long_to_show_is_not_tried_again_in_place(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_stage_module, "IN_PLACE_BUDGET_S", -1.0)
    bench.runner.start()
    bench.runner.put(works("down1"))
    assert isinstance(bench.come(1)["down1"], TransientError)


def test_the_time_of_an_item_is_its_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five seconds pass while `slow` is under way, with all of `a` before them and all of `b` after."""
    now_s = [100.0]
    monkeypatch.setattr(async_stage_module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    bench.runner.start()
    bench.runner.put(works("slow", "a"))
    found = bench.come(1)
    now_s[0] += 5.0
    bench.runner.put(works("b"))
    found |= bench.come(1)
    bench.processor.hurry()
    found |= bench.come(1)
    times_ms = {text: outcome.timings_ms["fetch"] for text, outcome in found.items() if isinstance(outcome, Record)}
    assert times_ms == {"a": 0.0, "b": 0.0, "slow": 5000.0}


def test_what_is_another_workers_now_is_not_begun(bench: Bench) -> None:
    home = PartitionLedger(TOPICS.stage(Stage.FETCH), 0)
    home.revoked = True
    bench.runner.put(works("a", home=home))
    bench.runner.start()
    assert [text_of(work.record) for work in bench.skipped.get(timeout=PATIENCE_S)] == ["a"]
    assert bench.processor.begun.empty()


def test_stopping_waits_for_what_is_under_way_and_begins_nothing_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.processor.concurrency = 1
    bench.runner.start()
    bench.runner.put(works("slow", "a"))
    assert bench.processor.begun.get(timeout=PATIENCE_S) == "slow"
    told = threading.Event()
    wake = bench.runner._wake

    def wake_and_tell() -> None:
        wake()
        told.set()

    monkeypatch.setattr(bench.runner, "_wake", wake_and_tell)
    with ThreadPoolExecutor(1) as threads:
        stopped = threads.submit(bench.runner.stop, PATIENCE_S)
        assert told.wait(PATIENCE_S)
        assert bench.processor.begun.empty()
        bench.processor.hurry()
        assert stopped.result(PATIENCE_S)
    # Its thread has ended: what has not begun by now never will.
    assert bench.processor.events == [("begun", "slow"), ("ended", "slow")]
    assert set(bench.come(1)) == {"slow"}
    assert bench.delivered.empty()
    assert bench.processor.closed
    assert bench.crashes.empty()


def test_stopping_lets_go_of_what_does_not_end(bench: Bench) -> None:
    bench.runner.start()
    bench.runner.put(works("slow"))
    assert bench.processor.begun.get(timeout=PATIENCE_S) == "slow"
    assert bench.runner.stop(0.0)
    assert bench.processor.closed
    assert bench.delivered.empty()


def test_a_runner_that_never_started_stops_at_once(bench: Bench) -> None:
    assert bench.runner.stop(0.0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_ours_ends_the_process(bench: Bench) -> None:
    bench.runner.start()
    bench.runner.put(works("undeliverable"))
    assert str(bench.crashes.get(timeout=PATIENCE_S)) == "no way out"
