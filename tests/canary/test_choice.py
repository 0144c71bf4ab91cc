"""Which posts a canary gets is settled by their id and the salt alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.canary import place_of
from schemas import Stage
from streams.settings import CanarySettings
from streams.worker.canary import CanaryWatch

IDS = [f"post-{at}" for at in range(5_000)]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
@pytest.mark.parametrize("salt", ["canary-1", "canary-2", "x"])
def test_a_share_of_the_posts_is_within_four_standard_deviations_of_what_chance_would_give(
    share: float, salt: str
) -> None:
    taken = sum(place_of(post_id, salt) < share for post_id in IDS)
    assert abs(taken - share * len(IDS)) <= 4 * math.sqrt(len(IDS) * share * (1 - share))


def test_places_are_even_over_the_whole_range() -> None:
    counts = [0] * 20
    for post_id in IDS:
        counts[int(place_of(post_id, "canary-1") * 20)] += 1
    chi_square = sum((count - 250) ** 2 / 250 for count in counts)
    assert chi_square < 43.8, "19 degrees of freedom: one even spread in a thousand is above"


def test_the_place_of_a_post_is_the_same_for_ever() -> None:
    # Written down, not computed: an in-flight post must keep its judge when modstream is upgraded.
    assert [round(place_of(post_id, "canary-1"), 6) for post_id in ("p-1", "p-2", "ü")] == [0.90884, 0.81009, 0.40925]


def test_another_salt_chooses_other_posts() -> None:
    first = {post_id for post_id in IDS if place_of(post_id, "canary-1") < 0.05}
    second = {post_id for post_id in IDS if place_of(post_id, "canary-2") < 0.05}
    assert len(first & second) < 30, "about 12 in both, as of two draws that know nothing of each other"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_has_the_posts_of_a_smaller_one(post_id: str, one: float, other: float) -> None:
    place = place_of(post_id, "s")
    assert 0 <= place < 1
    assert place < max(one, other) or not place < min(one, other)


def watch(clock: list[float], **settings: float) -> CanaryWatch:
    return CanaryWatch(CanarySettings(share=1.0, **settings), "other@1 other@2", clock=lambda: clock[0])  # pyright: ignore[reportArgumentType]


def test_a_canary_that_fails_too_often_is_not_chosen_any_more() -> None:
    clock = [0.0]
    found = watch(clock, min_failures=5, max_error_ratio=0.1)
    found.judged(Stage.ENCODE, 40, 4)
    assert found.takes("p-1")
    found.judged(Stage.ENCODE, 10, 1)
    assert found.off
    assert not found.takes("p-1")
    clock[0] = 10_000.0
    assert not found.takes("p-1"), "it does not come back by itself"


def test_single_failures_among_many_posts_do_not_switch_it_off() -> None:
    found = watch([0.0], min_failures=5, max_error_ratio=0.1)
    for _ in range(100):
        found.judged(Stage.FUSE, 100, 1)
    assert found.takes("p-1")
    assert found.counts() == {(Stage.FUSE, "judged"): 9_900, (Stage.FUSE, "taken_back"): 100}


def test_failures_are_counted_by_stage_so_that_stages_that_work_do_not_hide_one_that_does_not() -> None:
    found = watch([0.0], min_failures=5, max_error_ratio=0.5)
    for _ in range(5):
        found.judged(Stage.PACK, 1, 0)
        found.judged(Stage.ENCODE, 1, 0)
        found.judged(Stage.FUSE, 1, 1)
    assert found.off


def test_failures_older_than_the_window_do_not_count() -> None:
    clock = [0.0]
    found = watch(clock, min_failures=5, max_error_ratio=0.1, window_s=60)
    found.judged(Stage.FUSE, 10, 4)
    clock[0] = 61.0
    found.judged(Stage.FUSE, 10, 1)
    assert not found.off


def test_the_log_says_once_what_was_switched_off_and_why(caplog: pytest.LogCaptureFixture) -> None:
    found = watch([0.0], min_failures=1, max_error_ratio=0.1)
    for _ in range(3):
        found.judged(Stage.FUSE, 4, 4, "ValueError")
    assert [record.getMessage() for record in caplog.records] == [
        "the canary (other@1 other@2) fails at fuse on more than 0.1 of its posts (the last time: ValueError): it is "
        "switched off in this worker until a restart, and the live pack and policy judge all posts"
    ]
