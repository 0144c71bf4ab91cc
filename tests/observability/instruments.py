"""What the tests of this folder measure with."""

from __future__ import annotations

from typing import Protocol


class Sample(Protocol):
    """The value of one series, without its prefix: sample("outputs_total", topic="t"); None where there is none."""

    def __call__(self, name: str, **labels: str) -> float | None: ...


class SetClock:
    """A clock, in seconds, that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
