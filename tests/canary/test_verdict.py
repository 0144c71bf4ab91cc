"""The verdict on a canary is a function of counts, and errs on the side of waiting."""

from __future__ import annotations

import math
from array import array
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.canary import Point, Side, Verdict, judged_points, verdict_of
from streams.canary.intervals import difference, quantile, same_mix, wilson
from streams.settings import CanarySettings

SETTINGS = CanarySettings()
MIX = {"approve": 0.9, "review": 0.08, "block": 0.02}


def side(
    posts: int,
    *,
    failed: int = 0,
    slower: float = 1.0,
    mix: dict[str, float] = MIX,
    reviewed: int = 0,
    agreed: int = 0,
) -> Side:
    rng = np.random.default_rng(posts)
    return Side(
        "p@1 q@1",
        actions=Counter({action: round(posts * share) for action, share in mix.items()}),
        totals_ms=array("d", (rng.lognormal(4, 0.5, posts) * slower).tolist()),
        failures=Counter({"taken_back": failed} if failed else {}),
        reviewed=reviewed,
        agreed=agreed,
    )


def points(canary: Side, live: Side, settings: CanarySettings = SETTINGS) -> dict[str, Point]:
    return {point.name: point for point in judged_points(canary, live, settings)}


def verdict(canary: Side, live: Side) -> Verdict:
    return verdict_of(judged_points(canary, live, SETTINGS))


def test_a_canary_that_does_as_the_live_pack_does_is_promoted() -> None:
    assert verdict(side(1_000), side(19_000)) is Verdict.PROMOTE


def test_too_few_posts_are_waited_for() -> None:
    found = points(side(100), side(1_900))
    assert found["posts"].verdict is Verdict.HOLD
    assert found["posts"].why == "100 decisions of the canary, fewer than 500"
    assert verdict(side(100), side(1_900)) is Verdict.HOLD


@pytest.mark.parametrize(("failed", "expected"), [(0, "promote"), (10, "promote"), (28, "hold"), (80, "roll_back")])
def test_errors_beyond_the_limit_roll_back_once_they_are_surely_beyond(failed: int, expected: str) -> None:
    assert points(side(1_000, failed=failed), side(19_000))["errors"].verdict == expected


def test_a_canary_that_fails_on_everything_is_rolled_back_before_there_are_many_posts() -> None:
    assert verdict(side(0, failed=30), side(600)) is Verdict.ROLL_BACK


def test_errors_that_befall_both_alike_are_not_the_canarys() -> None:
    assert points(side(1_000, failed=80), side(19_000, failed=1_520))["errors"].verdict is Verdict.PROMOTE


@pytest.mark.parametrize(("slower", "expected"), [(1.0, "promote"), (1.2, "promote"), (2.0, "roll_back")])
def test_latency_is_compared_by_its_95th_percentile(slower: float, expected: str) -> None:
    point = points(side(2_000, slower=slower), side(19_000))["latency"]
    assert point.verdict == expected
    assert point.low is not None
    assert point.value is not None
    assert point.low <= point.value


def test_few_slow_posts_are_waited_with() -> None:
    assert points(side(25, slower=1.6), side(19_000))["latency"].verdict is Verdict.HOLD


def test_another_mix_of_actions_rolls_back() -> None:
    shifted = {"approve": 0.7, "review": 0.25, "block": 0.05}
    point = points(side(1_000, mix=shifted), side(19_000))["actions"]
    assert point.verdict is Verdict.ROLL_BACK
    assert point.value == pytest.approx(0.2)
    assert "approve 70.0% for 90.0%" in point.why


def test_a_mix_that_chance_explains_is_waited_with() -> None:
    assert points(side(20, mix={"approve": 0.8, "review": 0.2}), side(400))["actions"].verdict is Verdict.HOLD


def test_a_mix_that_may_change_is_promoted_within_its_limit() -> None:
    shifted = {"approve": 0.7, "review": 0.25, "block": 0.05}
    meant = CanarySettings(max_mix_shift=0.25)
    assert points(side(1_000, mix=shifted), side(19_000), meant)["actions"].verdict is Verdict.PROMOTE


@pytest.mark.parametrize(("agreed", "expected"), [(280, "promote"), (255, "hold"), (180, "roll_back")])
def test_people_who_agree_less_roll_back(agreed: int, expected: str) -> None:
    point = points(side(1_000, reviewed=300, agreed=agreed), side(19_000, reviewed=3_000, agreed=2_760))["agreement"]
    assert point.verdict == expected


def test_little_feedback_is_left_out_and_does_not_stop_a_promotion() -> None:
    point = points(side(1_000, reviewed=5, agreed=0), side(19_000, reviewed=90, agreed=90))["agreement"]
    assert point.verdict is None
    assert point.why == "left out: 5 and 90 reviewed, expected 30 of each"
    assert verdict(side(1_000, reviewed=5), side(19_000, reviewed=90)) is Verdict.PROMOTE


def test_without_any_decision_one_waits() -> None:
    assert verdict(side(0), side(0)) is Verdict.HOLD


def test_one_point_that_speaks_for_rolling_back_outweighs_all_others() -> None:
    made = [
        Point(str(at), each, "") for at, each in enumerate((Verdict.PROMOTE, Verdict.HOLD, None, Verdict.ROLL_BACK))
    ]
    assert verdict_of(made) is Verdict.ROLL_BACK
    assert verdict_of(made[:3]) is Verdict.HOLD
    assert verdict_of(made[:1]) is Verdict.PROMOTE


def test_the_interval_of_a_share_is_wilsons() -> None:
    # Newcombe (Statistics in Medicine 17, 1998), table I: 81/263, 15/148, 0/20 and 1/29.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # The same author's comparison of two shares: 56/70 less 48/80, method 10.
    found, interval = difference(56, 70, 48, 80)
    assert found == pytest.approx(0.2)
    assert interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_interval_of_a_quantile_holds_it_19_times_in_20() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        _, (low, high) = quantile(rng.exponential(1.0, 300), 0.95)
        held += low <= -math.log(0.05) <= high
    assert held >= 0.92 * 400


def test_the_test_of_two_mixes_is_pearsons() -> None:
    # chi-square of [[10, 20], [20, 10]] is 6.667 with 1 degree of freedom, p = 0.00982; of three kinds it is exp(-x/2).
    assert same_mix({"a": 10, "b": 20}, {"a": 20, "b": 10}) == pytest.approx(0.009823, abs=1e-6)
    assert same_mix({"a": 10, "b": 20, "c": 30}, {"a": 30, "b": 20, "c": 10}) == pytest.approx(math.exp(-10), rel=1e-9)
    assert same_mix({"a": 5}, {"a": 9}) == 1.0


counts = st.fixed_dictionaries({action: st.integers(0, 500) for action in MIX})


@given(counts, counts, st.integers(0, 50), st.integers(0, 50))
def test_any_counts_have_a_verdict(first: dict[str, int], second: dict[str, int], failed: int, others: int) -> None:
    def made(actions: dict[str, int], failures: int) -> Side:
        total = sum(actions.values())
        return Side(
            "p q", Counter(actions), array("d", [5.0] * total), Counter(poison=failures), total, actions["approve"]
        )

    found = judged_points(made(first, failed), made(second, others), SETTINGS)
    assert verdict_of(found) in Verdict
    assert all(point.why for point in found)
