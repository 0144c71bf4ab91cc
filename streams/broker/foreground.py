"""`modstream broker`: a local Kafka in the foreground, until a signal ends it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from streams.broker.errors import BrokerError
from streams.broker.local import LocalBroker
from streams.signals import StopRequested, stop_on_signals


def run_broker(data: Path, port: int, out: TextIO) -> int:
    """Run a broker until SIGTERM or SIGINT; print `ready 127.0.0.1:PORT` to `out` when it accepts clients.

    What a person should know goes to stderr. Must be called from the main thread, as signal handlers are.

    Returns:
        The exit code: 0 where a signal ended it, 1 where it could not start or ended by itself.
    """
    try:
        with stop_on_signals(), LocalBroker(data, port, progress=_tell) as broker:
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
