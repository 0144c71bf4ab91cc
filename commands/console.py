"""`modstream console`: the page for operators and reviewers, beside a chain that runs elsewhere."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace

from commands.arguments import CONNECTION, CONSOLE, add_settings, settings_of
from commands.terminal import put_line
from console.serve import serve
from streams.logs import start_logging

EPILOG = """
Serves one page: what the chain does now, what it decided and why, feedback on decisions, dead letters. Prints `ready`
and where it is when it answers; runs until Ctrl-C or SIGTERM. It listens on loopback; anywhere else, console.tokens
(MODSTREAM_CONSOLE__TOKENS) must say who may come in, and as what. Rates and latencies are those of the workers that
console.workers names; decisions, lag and dead letters come from the cluster.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_settings(parser, (*CONNECTION, "store.url", *CONSOLE))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    start_logging(settings.log, quiet=True)

    def ready(port: int) -> None:
        put_line(f"console: http://{url_host(settings.console.host)}:{port}")
        put_line("ready")
        sys.stdout.flush()

    asyncio.run(serve(settings, ready))
    return 0


def url_host(host: str) -> str:
    """A host as it stands in an address."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
