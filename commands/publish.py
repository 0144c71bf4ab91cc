"""`modstream publish`: posts from JSON Lines to the input topics, with every delivery confirmed."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from dataclasses import asdict

from commands.arguments import CONNECTION, add_json, add_settings, settings_of
from commands.failures import CommandFailed
from commands.files import opened
from commands.terminal import put_json, say
from schemas import Stage
from streams.json_lines import read_lines
from streams.kafka import MESSAGE_BYTES, check_connection
from streams.publish import Summary, publish
from streams.topics import require_topics
from streams.topology import Topics

PROGRESS_S = 2.0
"""How often it is said how far it is: what is over sooner needs no progress."""

EPILOG = """
Lines are sent as they are: the chain answers what is no post with a dead letter. The key is the post_id where there is
one, and urgent posts take the urgent lane. Fails when a single message was not confirmed.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("file", nargs="?", metavar="FILE", help="JSON Lines, one post a line; - is standard input")
    parser.add_argument(
        "--delete",
        action="append",
        default=[],
        metavar="POST_ID",
        help="delete this post (after FILE, if there is one); may be repeated",
    )
    add_json(parser, "print the summary as JSON")
    add_settings(parser, CONNECTION)
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    if args.file is None and not args.delete:
        raise CommandFailed("nothing to publish: expected FILE, or - for standard input, or --delete POST_ID")
    settings = settings_of(args)
    with ExitStack() as stack:
        lines = () if args.file is None else read_lines(stack.enter_context(opened(args.file)), MESSAGE_BYTES)
        topics = Topics(settings.topics.prefix)
        require_topics(check_connection(settings.kafka), topics.inputs([Stage.INGEST]))
        summary = publish(settings, lines, deletes=args.delete, progress=Progress())
    if args.json:
        put_json({**asdict(summary), "per_second": round(summary.per_second, 1)})
    for error in summary.errors:
        say(f"not published: {error}")
    say(
        f"{summary.sent:,} published, {summary.failed:,} failed, in {summary.seconds:.1f} s"
        f" ({summary.per_second:,.0f} a second)"
    )
    return 1 if summary.failed else 0


class Progress:
    """Says every few seconds how far it is."""

    def __init__(self) -> None:
        self._next_s = time.monotonic() + PROGRESS_S

    def __call__(self, summary: Summary) -> None:
        if time.monotonic() >= self._next_s:
            self._next_s += PROGRESS_S
            say(f"{summary.sent:,} published, {summary.failed:,} failed so far")
