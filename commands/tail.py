"""`modstream tail`: what the chain publishes, as it comes."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

import orjson

from commands.arguments import CONNECTION, add_json, add_settings, count, seconds, settings_of
from commands.brief import line_of, object_of
from commands.failures import CommandFailed
from commands.terminal import put_json, put_line, say
from schemas import InvalidMessage
from streams.kafka import check_connection
from streams.reader import Read
from streams.tail import Followed, Tail, Wanted

EPILOG = """
Begins with what is published from now on, or with --from-beginning; says `tailing` on stderr once nothing can be
missed. Runs until --count messages were shown or --timeout is over, and fails when the time is over before the count is
reached. With --json: one message a line; a deleted post is {"post_id": …, "deleted": true}; a dead letter is an object
with headers, key and value_base64.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("what", choices=[str(followed) for followed in Followed], help="what to follow")
    add_json(parser, "print each message as JSON, a line each")
    parser.add_argument("--from-beginning", action="store_true", help="begin with the oldest message that is kept")
    parser.add_argument("--count", type=count, metavar="N", help="stop after this many messages")
    parser.add_argument("--timeout", type=seconds, metavar="S", help="stop after this many seconds")
    parser.add_argument("--post-id", metavar="ID", help="only what concerns this post")
    add_settings(parser, CONNECTION)
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    tail = Tail(settings, check_connection(settings.kafka), Followed(args.what), from_beginning=args.from_beginning)
    say(f"tailing {tail.topic} from {'its beginning' if args.from_beginning else 'now on'}")
    shown = 0
    try:
        for message in tail.messages(Wanted(args.post_id, args.count, args.timeout)):
            _show(message, Followed(args.what), as_json=args.json)
            sys.stdout.flush()
            shown += 1
    finally:
        tail.close()
    if args.count is not None and shown < args.count:
        raise CommandFailed(f"{shown} of {args.count} messages came within {args.timeout:g} s on {tail.topic}")
    return 0


def _show(message: Read, what: Followed, *, as_json: bool) -> None:
    try:
        if as_json:
            put_json(object_of(message, what))
        else:
            put_line(line_of(message, what))
    except (InvalidMessage, orjson.JSONDecodeError) as error:
        say(f"{message.topic}-{message.partition}:{message.offset} is no message of ours and is not shown: {error}")
