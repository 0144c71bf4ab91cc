"""`modstream up`: the whole chain on this machine, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from commands.arguments import TOPICS, WORKER, add_settings, given, settings_of
from commands.terminal import put_line, say
from streams.local import (
    KAFKA_FOLDER,
    LocalKafka,
    WorkerProcess,
    http_port,
    kafka_port,
    stop_timeout_s,
)
from streams.settings import Settings, catalogue
from streams.signals import StopRequested, stop_on_signals

LOOK_S = 0.5
"""How often it is looked whether everything still runs."""

EPILOG = """
Starts what is missing, prints where it can be reached, and runs until Ctrl-C or SIGTERM. Posts and decisions of a local
Kafka are there again at the next start.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help=f"folder of the local Kafka (default: {KAFKA_FOLDER} in state_dir)"
    )
    parser.add_argument(
        "--port",
        type=int,
        metavar="N",
        help="port of the local Kafka; 0 takes a free one (default: 9092 if it is free)",
    )
    add_settings(parser, (*WORKER, *TOPICS))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    data: Path = args.data or settings.state_dir / KAFKA_FOLDER
    try:
        with stop_on_signals():
            _run(args, settings, data)
    except StopRequested:
        say("stopped")
    return 0


def _run(args: Namespace, settings: Settings, data: Path) -> None:
    kafka = LocalKafka(settings, data, kafka_port(args.port), say)
    with kafka as settings:
        servers = str(settings.kafka.bootstrap_servers)
        port = http_port(settings)
        command = worker_command(args, {"kafka.bootstrap_servers": servers, "http.port": str(port)})
        say("starting the worker")
        with WorkerProcess(command, stop_timeout_s(settings)) as worker:
            worker.wait_ready()
            put_line(f"bootstrap servers: {servers}")
            put_line(f"worker: http://{settings.http.host}:{port}/ready /live /metrics")
            sys.stdout.flush()
            say(f"publish:  modstream publish examples/posts.jsonl --bootstrap-servers {servers}")
            say(f"watch:    modstream tail decisions --bootstrap-servers {servers}")
            say("Ctrl-C stops it")
            while True:
                time.sleep(LOOK_S)
                worker.check()
                kafka.check()


def worker_command(args: Namespace, overrides: Mapping[str, str]) -> list[str]:
    """The command line of a worker with all stages and the settings of this command, but for `overrides`."""
    flags = {**{name: value for name, value in given(args).items() if name in WORKER}, **overrides}
    config = [] if args.config is None else [f"--config={args.config}"]
    return [
        sys.executable,
        # Python would look for modules in the working folder first; what lies there is the user's.
        *("-P", "-m", "commands"),
        *("worker", "all", "--quiet"),
        *config,
        *(f"{catalogue()[name].flag}={value}" for name, value in flags.items()),
    ]
