"""A production worker with one stage that computes nothing: `python -m benchmarks.subjects.worker STAGE [WAIT ITEMS]`.

Settings from the environment, `ready` on stdout, SIGTERM drains, as `modstream worker`. With WAIT, each batch of at
most ITEMS records takes WAIT seconds: a stage that waits for something slow.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence

from processors.contract import BatchPolicy, Outcome
from schemas import Record, Stage
from streams.settings import load_settings
from streams.worker import Versions, Worker

BATCH = 1000
"""Records in a batch of the stage that does nothing: about one poll of the worker."""


class PassOn:
    """Hands records on as they are."""

    def __init__(self, stage: Stage, wait_s: float = 0.0, items: int = BATCH) -> None:
        self.stage = stage
        self.batching = BatchPolicy(max_items=items, max_cost=items, max_wait_s=0.0)
        self._wait_s = wait_s

    def cost(self, record: Record, /) -> int:
        return 1

    def prepare(self, record: Record, /) -> Record:
        return record

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        if self._wait_s:
            time.sleep(self._wait_s)  # what is measured: the time of something that takes no CPU
        return batch


def main(arguments: Sequence[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stage, wait_s, items = (*arguments, "0", str(BATCH))[:3]
    settings = load_settings(None, os.environ, {}).settings
    processor = PassOn(Stage(stage), float(wait_s), int(items))
    worker = Worker(settings, [processor.stage], [processor], Versions("benchmark", None, None))
    worker.stop_on_signals()
    worker.run(sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
