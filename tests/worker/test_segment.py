"""A record goes from stage to stage in one process as far as that hosts them, and crosses a topic where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import pytest
from msgspec.structs import replace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from processors.ingest.processor import TEXT_ROUTE
from schemas import MAX_MESSAGE_BYTES, Record, Stage, decode_record
from streams.metrics import WorkerMetrics
from streams.telemetry import Tracing
from streams.topology import STAGES, URGENT, lanes_of
from streams.worker import outcomes as outcomes_module
from streams.worker import stage as stage_module
from streams.worker.batcher import Work
from streams.worker.ledger import PartitionLedger
from streams.worker.segment import Completion, Completions, Segment
from tests.worker.parts import (
    NOW_MS,
    OUTCOMES,
    Notes,
    Scripted,
    decide,
    decision_on,
    headers_of,
    pass_on,
    record_of,
    work_of,
    works_of,
)

Make = Callable[[Record], Record]


@dataclass
class Bench:
    """A segment, the processors in it and what has come out."""

    segment: Segment
    processors: dict[Stage, Scripted]
    metrics: WorkerMetrics
    crashes: list[BaseException]
    notes: Notes = field(default_factory=Notes)

    def run(self, works: Sequence[Work], stage: Stage = Stage.INGEST) -> list[Completion]:
        """One completion for each of the works, in the order of their offsets."""
        for lane in lanes_of(stage):
            self.segment.put(stage, lane, [work for work in works if work.lane == lane])
        found: list[Completion] = []
        while len(found) < len(works):
            assert not self.crashes, self.crashes
            self.segment.completions.wait(10)
            found += self.segment.completions.drain()
        return sorted(found, key=lambda completion: completion.ticket.offset)

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"modstream_{name}", labels)


Build = Callable[..., Bench]


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """`build(Stage.PACK, Stage.ENCODE)`: a running segment of these stages; `fuse` decides, the others pass on."""
    monkeypatch.setattr(stage_module, "IN_PLACE_WAITS_S", (0.0, 0.0))
    begun: list[Segment] = []

    def make(*stages: Stage, makes: dict[Stage, Make] | None = None, threads: int = 1) -> Bench:
        chosen = {Stage.FUSE: decide, **(makes or {})}
        processors = {stage: Scripted(stage, chosen.get(stage, pass_on)) for stage in stages}
        metrics, crashes, notes = WorkerMetrics(), list[BaseException](), Notes()
        segment = Segment(
            list(processors.values()),
            OUTCOMES,
            notes,
            metrics=metrics,
            batching={},
            threads=threads,
            on_crash=crashes.append,
        )
        segment.start()
        begun.append(segment)
        return Bench(segment, processors, metrics, crashes, notes)

    yield make
    for segment in begun:
        segment.stop(10)


def topics_of(completion: Completion) -> list[str]:
    return [output.topic for output in completion.outputs or ()]


def headers(completion: Completion) -> dict[str, str]:
    assert completion.outputs is not None
    return headers_of(completion.outputs[0])


def test_a_fused_chain_decides_without_a_topic_in_between(build: Build) -> None:
    bench = build(*TEXT_ROUTE)
    completions = bench.run(works_of("a", "b", "c"))
    assert [topics_of(completion) for completion in completions] == [
        ["moderation.decisions", "moderation.confidence"]
    ] * 3
    assert all(
        sorted(chain.from_iterable(processor.calls)) == ["a", "b", "c"] for processor in bench.processors.values()
    )


def test_a_decided_post_tells_the_metrics_what_it_was(build: Build) -> None:
    (completion,) = build(*STAGES).run([work_of(lane=URGENT)])
    decided = completion.decided
    assert decided is not None
    assert (decided.lane, decided.action, decided.tenant, decided.lang, decided.region) == (
        URGENT,
        "approve",
        "default",
        "en",
        None,
    )
    assert decided.published_ms == NOW_MS - 5


def test_a_record_whose_next_stage_is_elsewhere_crosses_its_topic(build: Build) -> None:
    bench = build(Stage.INGEST, Stage.PACK)
    (completion,) = bench.run([work_of(record_of("a"), lane=URGENT)])
    assert topics_of(completion) == ["moderation.encode.urgent"]
    assert completion.decided is None
    assert completion.outputs is not None
    crossed = decode_record(completion.outputs[0].value or b"")
    assert set(crossed.timings_ms) == {"ingest", "pack"}


def test_tries_are_counted_anew_behind_a_topic_and_go_on_within_a_process(build: Build) -> None:
    bench = build(Stage.INGEST, Stage.PACK)
    (crossed,) = bench.run([work_of(record_of("a", attempt=3))])
    assert crossed.outputs is not None
    assert decode_record(crossed.outputs[0].value or b"").attempt == 1

    def away(record: Record) -> Record:
        return replace(record, post=replace(record.post, text="down"))

    bench = build(Stage.INGEST, Stage.PACK, makes={Stage.INGEST: away})
    (failed,) = bench.run([work_of(record_of("a", attempt=3))])
    assert (headers(failed)["modstream-attempt"], headers(failed)["modstream-stage"]) == ("4", "ingest")


def test_a_segment_with_a_gap_hands_over_only_to_its_neighbours(build: Build) -> None:
    (completion,) = build(Stage.INGEST, Stage.ENCODE, Stage.FUSE).run([work_of()])
    assert topics_of(completion) == ["moderation.pack"]


def test_a_boundary_is_always_a_topic_also_within_one_process(build: Build) -> None:
    bench = build(*STAGES)
    (completion,) = bench.run([work_of(record_of(route=STAGES))])
    assert topics_of(completion) == ["moderation.fetch"]
    assert bench.processors[Stage.FETCH].calls == []


def test_a_route_skips_the_stages_that_are_not_needed(build: Build) -> None:
    bench = build(*STAGES)
    (completion,) = bench.run([work_of(record_of(route=(Stage.INGEST, Stage.FUSE)))])
    assert topics_of(completion)[0] == "moderation.decisions"
    assert bench.processors[Stage.PACK].calls == bench.processors[Stage.ENCODE].calls == []


def test_a_stage_may_change_what_is_left_of_the_route(build: Build) -> None:
    def text_only(record: Record) -> Record:
        return replace(record, route=(Stage.INGEST, Stage.FUSE))

    bench = build(*STAGES, makes={Stage.INGEST: text_only})
    (completion,) = bench.run([work_of()])
    assert topics_of(completion)[0] == "moderation.decisions"


@pytest.mark.parametrize("stage", STAGES)
def test_a_poison_is_a_dead_letter_of_the_message_as_received(build: Build, stage: Stage) -> None:
    bench = build(stage)
    works = works_of("a", "poison", "b", stage=stage, route=STAGES)
    completions = bench.run(works, stage)
    poisoned = completions[1]
    assert topics_of(poisoned) == ["moderation.dead-letters"]
    assert poisoned.outputs is not None
    assert poisoned.outputs[0].value == works[1].ticket.message.value
    assert (headers(poisoned)["modstream-stage"], headers(poisoned)["modstream-cause"]) == (stage.value, "poison")
    assert headers(poisoned)["modstream-reason"] == "ValueError: bad shape"
    assert [completion.our_failure for completion in completions] == [False, True, False]
    assert bench.sample("dead_letters_total", stage=stage.value, cause="poison") == 1


def test_an_item_whose_cost_cannot_be_told_is_poison_and_the_others_go_on(build: Build) -> None:
    completions = build(*STAGES).run(works_of("a", "priceless", "b"))
    assert [topics_of(completion)[0] for completion in completions] == [
        "moderation.decisions",
        "moderation.dead-letters",
        "moderation.decisions",
    ]
    assert headers(completions[1])["modstream-reason"] == "KeyError: 'no price'"


def test_an_item_whose_cost_breaks_in_a_later_stage_is_poison_of_that_stage(build: Build) -> None:
    def overprice(record: Record) -> Record:
        return replace(record, post=replace(record.post, text="priceless"))

    (completion,) = build(Stage.INGEST, Stage.PACK, makes={Stage.INGEST: overprice}).run([work_of()])
    assert headers(completion)["modstream-stage"] == "pack"


def test_a_fault_that_does_not_pass_is_tried_again_from_the_topic_it_came_from(build: Build) -> None:
    """Fused, `encode` failed, but the bytes at hand are those of the post."""

    def break_down(record: Record) -> Record:
        return replace(record, post=replace(record.post, text="down"))

    bench = build(*STAGES, makes={Stage.PACK: break_down})
    (completion,) = bench.run([work_of()])
    assert topics_of(completion) == ["moderation.retry.5s"]
    assert headers(completion)["modstream-stage"] == "ingest"
    assert headers(completion)["modstream-reason"] == "encode: the store is away"
    assert not completion.our_failure
    assert bench.sample("retries_total", stage="encode", delay="5s") == 1


def test_a_fault_that_outlasts_all_retries_is_a_dead_letter_and_our_failure(build: Build) -> None:
    bench = build(*STAGES)
    (completion,) = bench.run([work_of(record_of("down", attempt=4))])
    assert topics_of(completion) == ["moderation.dead-letters"]
    assert headers(completion)["modstream-attempt"] == "4"
    assert completion.our_failure
    assert bench.sample("dead_letters_total", stage="ingest", cause="retries_exhausted") == 1


def test_a_record_too_large_to_cross_is_a_dead_letter_but_no_failure_of_ours(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes_module, "MAX_MESSAGE_BYTES", 250)
    (completion,) = build(Stage.INGEST).run([work_of(record_of("x" * 300))])
    assert topics_of(completion) == ["moderation.dead-letters"]
    assert headers(completion)["modstream-cause"] == "too_large"
    assert not completion.our_failure


def test_a_decision_too_large_for_its_topic_is_a_dead_letter(build: Build) -> None:
    def verbose(record: Record) -> Record:
        return replace(record, decision=decision_on(record, not_assessed=("x" * MAX_MESSAGE_BYTES,)))

    (completion,) = build(*STAGES, makes={Stage.FUSE: verbose}).run([work_of()])
    assert topics_of(completion) == ["moderation.dead-letters"]
    assert headers(completion)["modstream-cause"] == "too_large"


def no_decision(record: Record) -> Record:
    return record


def no_text(record: Record) -> Record:
    return replace(record, content_hash="\ud800")


def no_way(record: Record) -> Record:
    return replace(record, route=(Stage.INGEST,))


@pytest.mark.parametrize(
    ("stages", "makes", "reason"),
    [
        (STAGES, {Stage.FUSE: no_decision}, "the record has no decision"),
        ((Stage.INGEST,), {Stage.INGEST: no_text}, "surrogates not allowed"),
        ((Stage.INGEST, Stage.PACK), {Stage.PACK: no_way}, "not in tuple"),
    ],
    ids=["no decision", "no UTF-8", "a route without the stage"],
)
def test_a_record_that_cannot_be_sent_on_is_poison_and_not_the_workers_end(
    build: Build, stages: tuple[Stage, ...], makes: dict[Stage, Make], reason: str
) -> None:
    bench = build(*stages, makes=makes)
    (completion,) = bench.run([work_of()])
    assert headers(completion)["modstream-cause"] == "poison"
    assert reason in headers(completion)["modstream-reason"]
    assert completion.our_failure
    assert bench.crashes == []


def test_work_of_a_revoked_partition_comes_back_without_outputs(build: Build) -> None:
    revoked = PartitionLedger("moderation.posts", 1, revoked=True)
    (completion,) = build(*STAGES).run(works_of("a", home=revoked))
    assert completion.outputs is None
    assert not completion.ticket.started


def test_many_posts_all_come_back_whatever_they_do(build: Build) -> None:
    kinds = ("fine", "poison", "unprepared", "unread", "priceless", "down", "down1", "fine")
    texts = [kinds[at % len(kinds)] for at in range(160)]
    completions = build(*STAGES, threads=3).run(works_of(*texts))
    expected = {
        "poison": "moderation.dead-letters",
        "unprepared": "moderation.dead-letters",
        "priceless": "moderation.dead-letters",
        "down": "moderation.retry.5s",
    }
    found = [topics_of(completion)[0] for completion, text in zip(completions, texts, strict=True) if text != "unread"]
    assert found == [expected.get(text, "moderation.decisions") for text in texts if text != "unread"]


# Traces


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(spans: InMemorySpanExporter) -> Tracing:
    return Tracing(1.0, [SimpleSpanProcessor(spans)])


def test_a_traced_record_takes_its_trace_along_and_names_its_stages(
    build: Build, tracing: Tracing, spans: InMemorySpanExporter
) -> None:
    work = work_of()
    work.span = tracing.start([], root=True)
    (completion,) = build(Stage.INGEST, Stage.PACK).run([work])
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" in headers(completion)["traceparent"]
    assert (span.attributes or {})["modstream.stages"] == ("ingest", "pack")


def test_a_traced_failure_is_an_error_and_its_dead_letter_names_the_trace(
    build: Build, tracing: Tracing, spans: InMemorySpanExporter
) -> None:
    work = work_of(record_of("poison"))
    work.span = tracing.start([], root=True)
    (completion,) = build(*STAGES).run([work])
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert span.status.status_code is StatusCode.ERROR
    assert f"{span.context.trace_id:032x}" in headers(completion)["modstream-traceparent"]


def test_a_traced_record_that_lost_its_route_still_ends_its_trace(
    build: Build, tracing: Tracing, spans: InMemorySpanExporter
) -> None:
    work = work_of()
    work.span = tracing.start([], root=True)
    build(Stage.INGEST, makes={Stage.INGEST: lambda record: replace(record, route=())}).run([work])
    assert len(spans.get_finished_spans()) == 1


# Completions


def test_completions_are_drained_in_order_and_once() -> None:
    completions = Completions()
    first, second, third = (Completion(work.ticket, [], None, False) for work in works_of("a", "b", "c"))
    completions.put([first, second])
    completions.put([third])
    assert completions.drain() == [first, second, third]
    assert completions.drain() == []


def test_whoever_waits_for_completions_is_woken_by_one() -> None:
    completions = Completions()
    (work,) = works_of("a")
    completions.put([Completion(work.ticket, None, None, False)])
    completions.wait(3600)
    assert len(completions.drain()) == 1
