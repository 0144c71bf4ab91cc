"""The shadow judges beside the chain, and whatever befalls it, the chain does not notice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from msgspec.structs import replace

from processors.chain import build_chain, run_chain
from processors.contract import AnyProcessor, BatchPolicy, Outcome
from schemas import Action, Decision, Record, Stage, decode_decision
from streams.metrics import WorkerMetrics
from streams.settings import ShadowSettings
from streams.worker.beside_reports import ShadowReporter
from streams.worker.shadow import BATCH, Shadow
from streams.worker.shadow_tally import Judged, Tally
from tests.ingested import post_of
from tests.two_packs import OPTIONS, Judges, ingested, write_judges
from tests.worker.parts import decision_on, record_of

WAIT_S = 30.0
TOPIC = "moderation.decisions.shadow"

TEXTS = ("you are all scum", "hello world", "the cat sat on the mat . " * 60, "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ᎦᏬᏂᎯᏍᏗ", "vermin")


class Sent:
    """A producer that keeps what it is given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.messages: list[tuple[str, bytes, bytes]] = []
        self.error = error

    def produce(self, topic: str, value: bytes, key: bytes, *, on_delivery: Callable[..., None]) -> None:
        if self.error is not None:
            raise self.error
        self.messages.append((topic, value, key))
        on_delivery(None, None)

    def poll(self, timeout: float) -> int:
        return 0

    def flush(self, timeout: float) -> int:
        return 0


class Fuse:
    """A fuse stage that does what a test wants."""

    stage = Stage.FUSE
    batching = BatchPolicy(max_items=1_000, max_cost=1_000, max_wait_s=0.0)

    def __init__(self, process: Callable[[Record], Outcome]) -> None:
        self._process = process

    def cost(self, record: Record, /) -> int:
        return 1

    def prepare(self, record: Record, /) -> Record:
        return record

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        return [self._process(record) for record in batch]


Begin = Callable[..., Shadow]


@pytest.fixture
def begin() -> Iterator[Begin]:
    begun: list[Shadow] = []

    def make(processors: Sequence[AnyProcessor], sent: Any = None, *, anew: bool = False, **settings: Any) -> Shadow:
        shadow = Shadow(
            processors,
            ShadowSettings(**settings),
            TOPIC,
            pack="p@1",
            policy="q@1",
            anew=anew,
            producer=lambda: sent if sent is not None else Sent(),
        )
        shadow.start()
        begun.append(shadow)
        return shadow

    yield make
    for shadow in begun:
        shadow.stop(WAIT_S)


def told(shadow: Shadow, posts: int) -> Tally:
    """What it has done once that many posts have come to an end."""
    found = Tally()
    for _ in range(3_000):
        found.add(shadow.tally())
        if found.posts.total() >= posts:
            return found
        threading.Event().wait(0.01)
    raise AssertionError(f"{found.posts} of {posts} posts came to an end")


def decided(record: Record, **changes: object) -> Record:
    return replace(record, decision=decision_on(record, **changes))


def judged(count: int = 1, size: int = 100) -> list[Judged]:
    records = [record_of(post_id=f"p-{at}", route=(Stage.FUSE,)) for at in range(count)]
    return [Judged(record, decision_on(record), size) for record in records]


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Judges:
    return write_judges(tmp_path_factory.mktemp("judges"))


def live_decisions(judges: Judges) -> list[Judged]:
    """Posts as the live pack has judged them, with their records as `fuse` got them."""
    records = ingested(*(post_of(text, post_id=f"p-{at}") for at, text in enumerate(TEXTS)))
    stages = build_chain(OPTIONS, judges.models())
    before = run_chain([processor for processor in stages if processor.stage is not Stage.FUSE], records)
    after = run_chain(stages, records)
    found: list[Judged] = []
    for encoded, fused in zip(before, after, strict=True):
        assert isinstance(encoded, Record)
        assert isinstance(fused, Record)
        assert fused.decision is not None
        found.append(Judged(encoded, fused.decision, 100))
    return found


def alone(judges: Judges, *, pack: bool, policy: bool) -> list[Decision]:
    """What the other pack or policy decides as the only one."""
    records = ingested(*(post_of(text, post_id=f"p-{at}") for at, text in enumerate(TEXTS)))
    outcomes = run_chain(build_chain(OPTIONS, judges.models(other_pack=pack, other_policy=policy)), records)
    return [timeless(outcome.decision) for outcome in outcomes if isinstance(outcome, Record) and outcome.decision]


def timeless(decision: Decision) -> Decision:
    return replace(decision, timings_ms={})


@pytest.mark.parametrize(("pack", "policy"), [(False, True), (True, False), (True, True)])
def test_the_shadow_decides_as_it_would_if_it_were_live(begin: Begin, judges: Judges, pack: bool, policy: bool) -> None:
    stages = (Stage.PACK, Stage.ENCODE, Stage.FUSE) if pack else (Stage.FUSE,)
    models = judges.models(other_pack=pack, other_policy=policy)
    sent = Sent()
    shadow = begin(build_chain(OPTIONS, models, stages=stages), sent, anew=pack)
    shadow.put(live_decisions(judges))
    tally = told(shadow, len(TEXTS))
    assert tally.posts == {"judged": len(TEXTS)}
    found = [timeless(decode_decision(value)) for _, value, _ in sent.messages]
    assert found == alone(judges, pack=pack, policy=policy)
    assert {topic for topic, _, _ in sent.messages} == {TOPIC}
    assert [key.decode() for _, _, key in sent.messages] == [decision.post_id for decision in found]
    if policy and not pack:
        assert tally.actions["block", "review"] == 2


def test_what_both_said_is_counted() -> None:
    record = record_of()
    tally = Tally()
    live = decision_on(record, action=Action.BLOCK, flags=("abuse", "hate"), labels={"abuse": 0.9, "hate": 0.5})
    shadow = decision_on(record, action=Action.REVIEW, flags=("abuse", "threat"), labels={"abuse": 0.6, "sexual": 0.1})
    tally.compare(live, shadow)
    assert dict(tally.flags) == {("hate", "live"): 1, ("threat", "shadow"): 1}
    assert tally.shifts == [pytest.approx(0.3)]
    assert len(tally.actions) == 1


def test_a_shadow_that_raises_on_every_post_is_counted_and_goes_on(begin: Begin) -> None:
    def fail(record: Record) -> Outcome:
        raise ValueError("broken")

    shadow = begin([Fuse(fail)])
    shadow.put(judged(3))
    assert told(shadow, 3).posts == {"failed": 3}
    shadow.put(judged(2))
    assert told(shadow, 2).posts == {"failed": 2}
    assert shadow.running


def test_a_shadow_that_is_too_slow_skips_posts_and_nobody_waits_for_it(begin: Begin) -> None:
    begun, latch = threading.Event(), threading.Event()

    def wait(record: Record) -> Outcome:
        begun.set()
        assert latch.wait(WAIT_S)
        return decided(record)

    shadow = begin([Fuse(wait)], max_records=10)
    shadow.put(judged(1))
    assert begun.wait(WAIT_S)
    shadow.put(judged(25))  # returns although nothing is judged meanwhile
    assert shadow.waiting == 10
    assert shadow.tally().posts == {"skipped": 15}
    latch.set()
    assert told(shadow, 11).posts == {"judged": 11}


def test_large_posts_are_skipped_when_they_do_not_fit(begin: Begin) -> None:
    begun, latch = threading.Event(), threading.Event()

    def wait(record: Record) -> Outcome:
        begun.set()
        assert latch.wait(WAIT_S)
        return decided(record)

    shadow = begin([Fuse(wait)], max_bytes=1024 * 1024)
    shadow.put(judged(1))
    assert begun.wait(WAIT_S)
    shadow.put(judged(5, size=400 * 1024))
    assert (shadow.waiting, shadow.tally().posts) == (2, {"skipped": 3})
    latch.set()
    told(shadow, 3)
    shadow.put(judged(1, size=900 * 1024))
    assert told(shadow, 1).posts == {"judged": 1}, "there is room again"


def test_a_shadow_that_breaks_ends_alone_and_says_so(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    def leave(record: Record) -> Outcome:
        raise SystemExit("the interpreter is going down")

    shadow = begin([Fuse(leave)])
    shadow.put(judged(1))
    for _ in range(3_000):
        if not shadow.running:
            break
        threading.Event().wait(0.01)
    assert not shadow.running
    assert "the chain goes on without it" in caplog.text
    shadow.tally()
    shadow.put(judged(4))
    assert (shadow.waiting, shadow.tally().posts) == (0, {"skipped": 4})


@pytest.mark.parametrize("error", [BufferError("full"), KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT))])
def test_what_kafka_does_not_take_is_counted(begin: Begin, error: Exception) -> None:
    shadow = begin([Fuse(decided)], Sent(error))
    shadow.put(judged(3))
    assert told(shadow, 3).posts == {"unsent": 3}
    assert shadow.running


def test_a_share_of_the_posts_is_the_same_share_every_time(begin: Begin) -> None:
    seen: list[list[str]] = []
    for _ in range(2):
        sent = Sent()
        shadow = begin([Fuse(decided)], sent, share=0.3)
        shadow.put(judged(400))
        for _ in range(3_000):
            if not shadow.waiting and len(sent.messages) == sum(shadow_share()):
                break
            threading.Event().wait(0.01)
        seen.append([key.decode() for _, _, key in sent.messages])
    assert seen[0] == seen[1]
    assert 80 <= len(seen[0]) <= 160


def shadow_share() -> list[bool]:
    from processors.canary import place_of
    from streams.worker.shadow import SALT

    return [place_of(f"p-{at}", SALT) < 0.3 for at in range(400)]


def test_batches_are_small_so_that_it_stops_soon(begin: Begin) -> None:
    sizes: list[int] = []

    class Counting(Fuse):
        def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
            sizes.append(len(batch))
            return super().process(batch)

    shadow = begin([Counting(decided)])
    shadow.put(judged(200))
    told(shadow, 200)
    assert max(sizes) <= BATCH


def test_the_metrics_have_what_it_did(begin: Begin) -> None:
    shadow = begin([Fuse(lambda record: decided(record, action=Action.BLOCK, flags=("abuse",)))])
    metrics = WorkerMetrics()
    reporter = ShadowReporter(shadow)
    shadow.put(judged(3))

    def sample(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"modstream_{name}", labels)

    for _ in range(3_000):
        reporter.report(metrics)
        if sample("shadow_posts_total", outcome="judged") == 3:
            break
        threading.Event().wait(0.01)
    assert sample("shadow_actions_total", live="approve", shadow="block") == 3
    assert sample("shadow_flags_total", flag="abuse", by="shadow") == 3
    assert sample("shadow_label_shift_count") == 3
    assert sample("shadow_state", state="running") == 1
    assert sample("shadow_waiting_records") == 0
