"""`modstream insights`: windowed aggregates over the decisions."""

from __future__ import annotations

import importlib.util
import logging
import sys
from argparse import ArgumentParser, Namespace

from commands.arguments import CONNECTION, add_settings, settings_of
from commands.failures import CommandFailed
from streams.logs import start_logging

EPILOG = """
Reads decisions, confidences, flags and dead letters (and posts, for floods), and publishes what they come to in each
window to the topic of insights. Several may run: they share the work. Prints `ready` when it has its share; serves
/live, /ready and /metrics; ends on Ctrl-C or SIGTERM. Needs the extra `modstream[insights]`.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors only")
    add_settings(parser, (*CONNECTION, "insights.window_s", "insights.grace_s", "http.host", "http.port"))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    if importlib.util.find_spec("faust") is None:
        raise CommandFailed(
            "insights need Faust: install modstream[insights] (on Linux on aarch64, Faust has no wheel and is not"
            " part of it)"
        )
    from streams.insights.run import run_insights

    start_logging(settings.log)
    level = settings.log.level.number
    logging.getLogger("streams").setLevel(max(level, logging.WARNING) if args.quiet else level)
    logging.getLogger().setLevel(logging.ERROR)  # Faust tells of every partition
    return run_insights(settings, sys.stdout)
