"""The chain as data: its stages, their topics, and where a record goes next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas import Priority, Stage
from streams import topology
from streams.topology import (
    CHAIN,
    LANES,
    LONG,
    RETRY_DELAYS_S,
    STAGES,
    STANDARD,
    URGENT,
    Topics,
    lane_of,
    lanes_of,
    next_lane,
    next_stage,
    stays_here,
    without_a_lane,
)
from tests.worker.parts import record_of

TOPICS = Topics()


def test_the_chain_is_ingest_to_fuse_and_names_no_stage_twice() -> None:
    assert (STAGES[0], STAGES[-1]) == (Stage.INGEST, Stage.FUSE)
    assert len(set(STAGES)) == len(CHAIN)
    assert Stage.RETRY not in STAGES  # it stands beside the chain


def test_the_stages_are_in_the_order_in_which_a_post_meets_them() -> None:
    order = list(Stage)
    assert list(STAGES) == sorted(STAGES, key=order.index)


def test_topics_have_their_published_names() -> None:
    assert TOPICS.stage(Stage.INGEST) == "moderation.posts"
    assert TOPICS.stage(Stage.INGEST, URGENT) == "moderation.posts.urgent"
    assert TOPICS.stage(Stage.ENCODE) == "moderation.encode"
    assert TOPICS.stage(Stage.ENCODE, URGENT) == "moderation.encode.urgent"
    assert [name for name in TOPICS.inputs(STAGES) if "long" in name] == ["moderation.ocr.long", "moderation.asr.long"]
    assert TOPICS.retries() == {
        "moderation.retry.5s": 5.0,
        "moderation.retry.1m": 60.0,
        "moderation.retry.10m": 600.0,
    }
    assert (TOPICS.decisions, TOPICS.confidence, TOPICS.flags, TOPICS.feedback, TOPICS.dead_letters) == (
        "moderation.decisions",
        "moderation.confidence",
        "moderation.flags",
        "moderation.feedback",
        "moderation.dead-letters",
    )
    assert (TOPICS.insights, TOPICS.shadow) == ("moderation.insights", "moderation.decisions.shadow")


def test_every_topic_has_the_prefix() -> None:
    assert all(name.startswith("eu.") for name in Topics("eu.").all())


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_reads_one_topic_per_lane_that_feeds_it_alone(stage: Stage) -> None:
    inputs = TOPICS.inputs([stage])
    assert list(inputs.values()) == [(stage, lane) for lane in lanes_of(stage)]
    others = TOPICS.inputs(other for other in STAGES if other is not stage)
    assert others.keys().isdisjoint(inputs)


def test_the_retry_stage_reads_every_delay() -> None:
    assert TOPICS.inputs([Stage.RETRY]) == dict.fromkeys(TOPICS.retries(), (Stage.RETRY, STANDARD))


def test_delays_rise() -> None:
    assert list(RETRY_DELAYS_S.values()) == sorted(RETRY_DELAYS_S.values())


def test_every_topic_that_is_read_or_written_is_among_all_and_once() -> None:
    found = TOPICS.all()
    assert len(found) == len(set(found))
    written = {TOPICS.stage(stage, lane) for stage in STAGES for lane in lanes_of(stage)} | set(TOPICS.retries())
    written |= {TOPICS.decisions, TOPICS.confidence, TOPICS.flags, TOPICS.feedback, TOPICS.dead_letters}
    written |= {TOPICS.insights, TOPICS.shadow}
    assert set(found) == written
    assert set(TOPICS.inputs((*STAGES, Stage.RETRY))) < set(found)


@given(st.lists(st.sampled_from(list(Stage)), unique=True, min_size=1))
def test_next_stage_walks_any_route_from_its_beginning_to_its_end(route: list[Stage]) -> None:
    record = record_of(route=tuple(route))
    walked = [route[0]]
    while (following := next_stage(record, walked[-1])) is not None:
        walked.append(following)
    assert walked == route


@pytest.mark.parametrize("lane", LANES)
def test_a_worker_reads_the_topics_of_its_lanes_alone(lane: str) -> None:
    found = TOPICS.inputs((*STAGES, Stage.RETRY), [lane])
    assert {lane} == {read for _, read in found.values()}
    assert sum(len(TOPICS.inputs((*STAGES, Stage.RETRY), [each])) for each in LANES) == len(
        TOPICS.inputs((*STAGES, Stage.RETRY))
    )


def test_a_stage_without_any_of_a_workers_lanes_is_told() -> None:
    assert without_a_lane([Stage.OCR, Stage.ASR], [LONG]) == ()
    assert without_a_lane([Stage.OCR, Stage.PACK, Stage.RETRY], [LONG]) == (Stage.PACK, Stage.RETRY)
    assert without_a_lane((*STAGES, Stage.RETRY), [STANDARD]) == ()
    assert without_a_lane([Stage.ENCODE, Stage.RETRY], [URGENT, LONG]) == (Stage.RETRY,)


@given(st.sets(st.sampled_from(STAGES)), st.sets(st.sampled_from(STAGES)))
def test_a_record_stays_where_its_next_stage_is_hosted_unless_that_is_a_boundary(
    stages: set[Stage], boundaries: set[Stage]
) -> None:
    hosted = {(stage, STANDARD) for stage in stages}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topology, "BOUNDARIES", frozenset(boundaries))
        for stage in STAGES:
            assert stays_here(stage, STANDARD, STANDARD, hosted) is (stage in stages and stage not in boundaries)


@pytest.mark.parametrize("stage", STAGES)
def test_from_lane_to_lane_there_is_always_a_topic(stage: Stage) -> None:
    hosted = [(each, lane) for each in STAGES for lane in lanes_of(each)]
    crossings = [(lane, before) for lane in lanes_of(stage) for before in LANES if lane != before]
    assert not any(stays_here(stage, lane, before, hosted) for lane, before in crossings)


@pytest.mark.parametrize(("priority", "lane"), [("standard", STANDARD), ("high", STANDARD), ("urgent", URGENT)])
def test_long_media_are_read_and_heard_in_their_own_lane_and_judged_in_that_of_their_post(
    priority: str, lane: str
) -> None:
    record = record_of(route=STAGES)
    record = replace(record, long=True, post=replace(record.post, priority=Priority(priority)))
    came = [lane]
    for stage in STAGES[1:]:
        came.append(next_lane(record, stage, came[-1]))
    assert dict(zip(STAGES, came, strict=True)) == {
        stage: LONG if stage in (Stage.OCR, Stage.ASR) else lane for stage in STAGES
    }


@given(st.sampled_from(STAGES), st.sampled_from((STANDARD, URGENT)), st.sampled_from(list(Priority)))
def test_a_short_post_stays_in_the_lane_that_it_was_published_to(stage: Stage, lane: str, priority: Priority) -> None:
    record = record_of(route=STAGES)
    assert next_lane(replace(record, post=replace(record.post, priority=priority)), stage, lane) == lane


@given(st.sets(st.sampled_from(STAGES), min_size=1), st.booleans(), st.sampled_from((STANDARD, URGENT)))
def test_a_post_meets_every_stage_once_however_the_chain_is_cut(cut: set[Stage], long: bool, posted: str) -> None:
    """One process has the stages of `cut`, another one the others; the record goes between them by topic."""
    record = record_of(route=STAGES)
    priority = Priority.URGENT if posted == URGENT else Priority.STANDARD
    record = replace(record, long=long, post=replace(record.post, priority=priority))
    feeds = TOPICS.inputs(STAGES)
    segments = [set(TOPICS.inputs(stages).values()) for stages in (cut, set(STAGES) - cut)]
    met: list[Stage] = []
    topic: str | None = TOPICS.stage(Stage.INGEST, posted)
    while topic is not None:
        stage, lane = feeds[topic]
        topic = None
        hosted = next(segment for segment in segments if (stage, lane) in segment)
        while True:
            met.append(stage)
            following = next_stage(record, stage)
            if following is None:
                break
            before, lane = lane, next_lane(record, following, lane)
            if not stays_here(following, lane, before, hosted):
                topic = TOPICS.stage(following, lane)
                break
            stage = following
    assert tuple(met) == STAGES


def test_only_urgent_posts_take_the_urgent_lane() -> None:
    assert {priority: lane_of(priority) for priority in Priority} == {
        Priority.STANDARD: STANDARD,
        Priority.HIGH: STANDARD,
        Priority.URGENT: URGENT,
    }
