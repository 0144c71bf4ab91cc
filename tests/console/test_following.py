"""Following the topics, whatever happens to the thread that does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, cast

import pytest

from console import following
from console.events import Took
from console.following import Follower
from schemas import encode_decision
from streams.reader import Read
from streams.settings import Settings
from tests.console.conftest import TOPICS, decision, read


class OneDecision:
    """A reader of a topic with one decision in it."""

    def __init__(self, *_: object) -> None:
        self._left = [read(TOPICS.decisions, encode_decision(decision()), offset=0)]

    def read(self, timeout_s: float) -> list[Read]:
        del timeout_s
        left, self._left = self._left, []
        return left

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def test_a_fault_of_ours_does_not_end_the_following(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(following, "Reader", OneDecision)
    monkeypatch.setattr(following, "AGAIN_S", 0.01)
    monkeypatch.setattr(following, "places_of", lambda admin, topics: [(topic, 0) for topic in topics])
    for name in ("first_offsets", "end_offsets"):
        monkeypatch.setattr(following, name, lambda admin, places: dict.fromkeys(places, 0))

    async def scenario() -> list[str]:
        came: asyncio.Queue[str] = asyncio.Queue()
        faults = [ZeroDivisionError("once")]

        def deliver(messages: Sequence[Took]) -> None:
            if faults:
                raise faults.pop()
            came.put_nowait(messages[0].post_id)

        begun: list[int | None] = []
        loop = asyncio.get_running_loop()
        follower = Follower(Settings(), cast("Any", None), loop, begun.append, deliver)
        follower.start()
        try:
            return [await asyncio.wait_for(came.get(), 10)]
        finally:
            await follower.stop()

    assert asyncio.run(scenario()) == ["p-1"]
    assert "ZeroDivisionError: once" in caplog.text
