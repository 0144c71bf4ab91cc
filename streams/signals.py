"""SIGTERM and SIGINT as an exception, for commands that hold things open in `with` blocks."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class StopRequested(BaseException):
    """SIGTERM or SIGINT came. Not an Exception: nothing on the way may take it for a fault."""


@contextmanager
def stop_on_signals() -> Generator[None]:
    """Raise `StopRequested` in the main thread at the first signal; later ones do not disturb the stopping."""
    requested = False

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        nonlocal requested
        if not requested:
            requested = True
            raise StopRequested

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
