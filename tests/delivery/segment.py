"""A worker process with the light chain, as `modstream worker` runs one with the real: settings from the environment,
stages from the arguments, `ready` on stdout, SIGTERM drains it. `LIGHT_CHAIN_REAL` names stages that are the real ones.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from commands.failures import sentence_of
from schemas import Stage
from streams.assembly import chain_of
from streams.logs import start_logging
from streams.settings import load_settings
from streams.worker import Versions, Worker
from tests.delivery.light_chain import light_chain


def main() -> int:
    stages = [Stage(name) for name in sys.argv[1:]]
    settings = load_settings(None, os.environ, {}).settings
    start_logging(settings.log)
    latch = os.environ.get("LIGHT_CHAIN_LATCH")
    real = [Stage(name) for name in os.environ.get("LIGHT_CHAIN_REAL", "").split()]
    light = light_chain([stage for stage in stages if stage not in real], Path(latch) if latch else None)
    processors = [*chain_of(settings, "test", real)[0], *light] if real else light
    worker = Worker(settings, stages, processors, Versions("test", "light@0", "light@0"))
    worker.stop_on_signals()
    try:
        worker.run(sys.stdout)
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        print(sentence, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
