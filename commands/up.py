"""`modstream up`: the whole chain on this machine and its console, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from commands.arguments import CONNECTION, CONSOLE, TOPICS, WORKER, add_settings, given, settings_of
from commands.console import url_host
from commands.terminal import put_line, say
from streams.local import (
    KAFKA_FOLDER,
    ChainFailed,
    LocalKafka,
    WorkerProcess,
    console_port,
    http_port,
    kafka_port,
    stop_timeout_s,
)
from streams.settings import Settings, catalogue
from streams.signals import StopRequested, stop_on_signals

LOOK_S = 0.5
"""How often it is looked whether everything still runs."""

CONSOLE_STOP_S = 10.0
"""The console has nothing to finish."""

CONSOLE_READY_S = 30.0
"""For the console, which loads no models, once the worker is ready."""

EPILOG = """
Starts what is missing, prints where it can be reached, and runs until Ctrl-C or SIGTERM. Posts and decisions of a local
Kafka are there again at the next start. Where the console cannot be had, that is said, and the chain runs without it.
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
    add_settings(parser, (*WORKER, *TOPICS, *CONSOLE))
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
        console = console_port(settings)
        page = f"http://{url_host(settings.console.host)}:{console}"
        workers = ",".join((*settings.console.workers, f"http://{url_host(settings.http.host)}:{port}"))
        overrides = {"kafka.bootstrap_servers": servers, "console.port": str(console), "console.workers": workers}
        say("starting the worker")
        with (
            WorkerProcess(command, stop_timeout_s(settings)) as worker,
            WorkerProcess(console_command(args, overrides), CONSOLE_STOP_S, name="console") as beside,
        ):
            worker.wait_ready()
            put_line(f"bootstrap servers: {servers}")
            put_line(f"worker: http://{settings.http.host}:{port}/ready /live /metrics")
            console_runs = _still(lambda: beside.wait_ready(CONSOLE_READY_S))
            if console_runs:
                put_line(f"console: {page}")
            sys.stdout.flush()
            say(f"publish:  modstream publish examples/posts.jsonl --bootstrap-servers {servers}")
            say(f"watch:    modstream tail decisions --bootstrap-servers {servers}")
            say("Ctrl-C stops it")
            while True:
                time.sleep(LOOK_S)
                worker.check()
                kafka.check()
                console_runs = console_runs and _still(beside.check)


def _still(check: Callable[[], None]) -> bool:
    """Whether the console is there; that it is not is said, and no more: posts are decided without it."""
    try:
        check()
    except ChainFailed as failure:
        say(f"{failure}; the chain goes on without it")
        return False
    return True


def worker_command(args: Namespace, overrides: Mapping[str, str]) -> list[str]:
    """The command line of a worker with all stages and the settings of this command, but for `overrides`."""
    return _command(args, ("worker", "all", "--quiet"), WORKER, overrides)


def console_command(args: Namespace, overrides: Mapping[str, str]) -> list[str]:
    """The same of the console."""
    return _command(args, ("console",), (*CONNECTION, "store.url", *CONSOLE), overrides)


def _command(args: Namespace, words: Sequence[str], names: Collection[str], overrides: Mapping[str, str]) -> list[str]:
    flags = {**{name: value for name, value in given(args).items() if name in names}, **overrides}
    config = [] if args.config is None else [f"--config={args.config}"]
    return [
        sys.executable,
        # Python would look for modules in the working folder first; what lies there is the user's.
        *("-P", "-m", "commands"),
        *words,
        *config,
        *(f"{catalogue()[name].flag}={value}" for name, value in flags.items()),
    ]
