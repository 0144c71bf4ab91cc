"""The chain as data: its stages, their topics, and where a record goes next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Priority, Stage
from streams import topology
from streams.topology import (
    CHAIN,
    LANES,
    RETRY_DELAYS_S,
    STAGES,
    STANDARD,
    URGENT,
    Topics,
    lane_of,
    next_stage,
    stays_here,
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


def test_every_topic_has_the_prefix() -> None:
    assert all(name.startswith("eu.") for name in Topics("eu.").all())


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_reads_one_topic_per_lane_that_feeds_it_alone(stage: Stage) -> None:
    inputs = TOPICS.inputs([stage])
    assert sorted(inputs.values()) == sorted((stage, lane) for lane in LANES)
    others = TOPICS.inputs(other for other in STAGES if other is not stage)
    assert others.keys().isdisjoint(inputs)


def test_the_retry_stage_reads_every_delay() -> None:
    assert TOPICS.inputs([Stage.RETRY]) == dict.fromkeys(TOPICS.retries(), (Stage.RETRY, STANDARD))


def test_delays_rise() -> None:
    assert list(RETRY_DELAYS_S.values()) == sorted(RETRY_DELAYS_S.values())


def test_every_topic_that_is_read_or_written_is_among_all_and_once() -> None:
    found = TOPICS.all()
    assert len(found) == len(set(found))
    written = {TOPICS.stage(stage, lane) for stage in STAGES for lane in LANES} | set(TOPICS.retries())
    written |= {TOPICS.decisions, TOPICS.confidence, TOPICS.flags, TOPICS.feedback, TOPICS.dead_letters}
    assert set(found) == written
    assert set(TOPICS.inputs((*STAGES, Stage.RETRY))) < set(found)


@given(st.lists(st.sampled_from(list(Stage)), unique=True, min_size=1))
def test_next_stage_walks_any_route_from_its_beginning_to_its_end(route: list[Stage]) -> None:
    record = record_of(route=tuple(route))
    walked = [route[0]]
    while (following := next_stage(record, walked[-1])) is not None:
        walked.append(following)
    assert walked == route


@given(st.sets(st.sampled_from(STAGES)), st.sets(st.sampled_from(STAGES)))
def test_a_record_stays_where_its_next_stage_is_hosted_unless_that_is_a_boundary(
    hosted: set[Stage], boundaries: set[Stage]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topology, "BOUNDARIES", frozenset(boundaries))
        for stage in STAGES:
            assert stays_here(stage, hosted) is (stage in hosted and stage not in boundaries)


@given(st.sets(st.sampled_from(STAGES), min_size=1))
def test_a_post_meets_every_stage_once_however_the_chain_is_cut(cut: set[Stage]) -> None:
    """One process has the stages of `cut`, another one the others; the record goes between them by topic."""
    record = record_of(route=STAGES)
    segments = (cut, set(STAGES) - cut)
    feeds = {name: stage for name, (stage, lane) in TOPICS.inputs(STAGES).items() if lane == STANDARD}
    met: list[Stage] = []
    topic: str | None = TOPICS.stage(Stage.INGEST)
    while topic is not None:
        stage: Stage | None = feeds[topic]
        topic = None
        hosted = next(segment for segment in segments if stage in segment)
        while stage is not None:
            met.append(stage)
            stage = next_stage(record, stage)
            if stage is not None and not stays_here(stage, hosted):
                topic, stage = TOPICS.stage(stage), None
    assert tuple(met) == STAGES


def test_only_urgent_posts_take_the_urgent_lane() -> None:
    assert {priority: lane_of(priority) for priority in Priority} == {
        Priority.STANDARD: STANDARD,
        Priority.HIGH: STANDARD,
        Priority.URGENT: URGENT,
    }
