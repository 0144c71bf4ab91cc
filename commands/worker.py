"""`modstream worker`: one segment of the chain in this process."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from commands.arguments import WORKER, add_settings, settings_of
from schemas import Stage
from streams.logs import start_logging
from streams.topology import STAGES
from streams.worker.run import run_worker

HOSTABLE = (*STAGES, Stage.RETRY)
ALL = "all"

EPILOG = f"""
STAGE is {ALL}, or some of {", ".join(HOSTABLE)}. A record crosses a topic only where its next stage is not in the
same worker. Prints `ready` when it has joined the group and its models are loaded; serves /live, /ready and /metrics;
finishes what it has begun on Ctrl-C or SIGTERM.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG

    def stage(name: str) -> str:
        if name != ALL and name not in HOSTABLE:
            parser.error(f"there is no stage {name!r}: expected {ALL}, or some of {', '.join(HOSTABLE)}")
        return name

    parser.add_argument("stages", nargs="+", type=stage, metavar="STAGE", help=f"{ALL}, or stages by name")
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors only")
    add_settings(parser, WORKER)
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    start_logging(settings.log, quiet=args.quiet)
    return run_worker(settings, stages_of(args.stages), None, sys.stdout)


def stages_of(names: list[str]) -> tuple[Stage, ...]:
    """The stages named, in the chain's order, each once."""
    return HOSTABLE if ALL in names else tuple(stage for stage in HOSTABLE if stage in names)
