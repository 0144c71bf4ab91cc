"""A worker process with the light chain, as `modstream worker` runs one with the real: settings from the environment,
stages from the arguments, `ready` on stdout, SIGTERM drains it."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from schemas import Stage
from streams.settings import load_settings
from streams.worker import Broken, Fenced, IdentityTaken, Versions, Worker
from tests.delivery.light_chain import light_chain


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stages = [Stage(name) for name in sys.argv[1:]]
    settings = load_settings(None, os.environ, {}).settings
    latch = os.environ.get("LIGHT_CHAIN_LATCH")
    worker = Worker(
        settings, stages, light_chain(stages, Path(latch) if latch else None), Versions("test", "light@0", "light@0")
    )
    worker.stop_on_signals()
    try:
        worker.run(sys.stdout)
    except (Broken, Fenced, IdentityTaken) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
