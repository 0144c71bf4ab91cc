"""The state of now, from what was measured."""

from __future__ import annotations

from typing import Any

import pytest

from console.exposition import RECORDS
from console.feeds import Feeds
from console.figures import LAG_STALE, Figures
from console.scraping import Round
from streams.settings import ConsoleSettings
from tests.console.conftest import TOPICS


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def figures(clock: Clock, **settings: Any) -> Figures:
    return Figures(ConsoleSettings(**settings), TOPICS, Feeds(100), clock)


@pytest.mark.parametrize(("window_s", "interval_s"), [(10, 1.0), (10, 10.0), (1, 60.0)])
def test_there_is_a_rate_however_seldom_the_workers_are_asked(window_s: float, interval_s: float) -> None:
    clock = Clock()
    found = figures(clock, rate_window_s=window_s, scrape_interval_s=interval_s)
    for at in range(3):
        found.scraped(Round({"a": {(RECORDS, "encode"): 100.0 * at}}, expected=1))
        clock.now_s += interval_s + 0.01  # a round is never earlier than its interval
    (encode,) = (stage for stage in found.state()["stages"] if stage["stage"] == "encode")
    assert encode["records_per_s"] == pytest.approx(100 / (interval_s + 0.01))


def test_a_cluster_that_does_not_answer_is_said_not_to_and_its_lag_is_nobodys_guess() -> None:
    clock = Clock()
    found = figures(clock, lag_interval_s=2)
    assert found.state()["kafka_answers"] is None
    found.lagged([])
    assert found.state()["kafka_answers"] is True
    clock.now_s += 2 * LAG_STALE + 0.1
    assert found.state()["kafka_answers"] is False
    assert {stage["lag_messages"] for stage in found.state()["stages"]} == {None}
    found.lagged([])
    assert found.state()["kafka_answers"] is True


def test_a_cluster_that_never_answers_is_said_not_to() -> None:
    clock = Clock()
    found = figures(clock, lag_interval_s=2)
    clock.now_s += 2 * LAG_STALE + 0.1
    assert found.state()["kafka_answers"] is False
