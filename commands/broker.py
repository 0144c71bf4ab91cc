"""`modstream broker`: a local single-node Apache Kafka in the foreground."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from commands.arguments import add_settings, settings_of
from streams.broker import run_broker
from streams.local import KAFKA_FOLDER, KAFKA_PORT

DESCRIPTION = """
Prints `ready 127.0.0.1:PORT` on a line of its own when it accepts clients, and runs until Ctrl-C or SIGTERM.
It listens on this machine's loopback only, and has no password.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = DESCRIPTION
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help=f"folder for all its data (default: {KAFKA_FOLDER} in state_dir)"
    )
    parser.add_argument(
        "--port", type=int, default=KAFKA_PORT, metavar="N", help="port; 0 takes a free one (default: %(default)s)"
    )
    add_settings(parser, ("state_dir",))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    data: Path = args.data or settings_of(args).state_dir / KAFKA_FOLDER
    return run_broker(data, args.port, sys.stdout)
