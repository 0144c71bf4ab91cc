"""`modstream broker`: a local Kafka in the foreground, until a signal ends it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from streams.broker.errors import BrokerError
from streams.broker.local import LocalBroker


class StopRequested(BaseException):
    """SIGTERM or SIGINT came. Not an Exception: nothing on the way may take it for a fault."""


def run_broker(data: Path, port: int, out: TextIO) -> int:
    """Run a broker until SIGTERM or SIGINT; print `ready 127.0.0.1:PORT` to `out` when it accepts clients.

    What a person should know goes to stderr. Must be called from the main thread, as signal handlers are.

    Returns:
        The exit code: 0 where a signal ended it, 1 where it could not start or ended by itself.
    """
    try:
        with _signals_stop_it(), LocalBroker(data, port, progress=_tell) as broker:
            print(f"ready {broker.bootstrap_servers}", file=out, flush=True)
            failure = broker.wait()
    except StopRequested:
        return 0
    except BrokerError as error:
        failure = str(error)
    _tell(failure)
    return 1


def _tell(message: str) -> None:
    sys.stderr.write(f"{message}\n")


@contextmanager
def _signals_stop_it() -> Generator[None]:
    """Raise StopRequested in the main thread at the first signal; those after it do not disturb the stopping."""
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
