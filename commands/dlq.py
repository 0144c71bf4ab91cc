"""`modstream dlq`: list, show and replay dead letters."""

from __future__ import annotations

import heapq
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from commands.arguments import CONNECTION, add_json, add_settings, count, settings_of
from commands.brief import KEY_COLUMNS, REASON_COLUMNS, dead_letter_object, text_of, why_dead
from commands.failures import CommandFailed
from commands.terminal import counted, cut, printable, put_columns, put_json, put_line, put_table, say
from schemas import Cause, Stage
from streams.access import connect, dlq_grants
from streams.dlq import DeadLetters, Selection, summary_of
from streams.reader import Read
from streams.topology import STAGES

DEFAULT_LIMIT = 100
SHOWN_CHARS = 2_000
"""Of a value, for a person; --json has all of it."""

MAX_NAMED = 10
"""Of dead letters that cannot be replayed."""

WHICH = "post id, or TOPIC-PARTITION:OFFSET of the dead letter or of the message that became one"

REPLAY_EPILOG = """
Each dead letter goes back, byte for byte, to the topic that it came from, as a first attempt; its own headers stay.
What was replayed is remembered by the group GROUP.dlq (for as long as the cluster keeps the offsets of an idle group,
7 days by default) and is not replayed again unless --again says so.
"""


def configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the latest dead letters", description="The latest dead letters.")
    listing.add_argument(
        "--limit", type=count, default=DEFAULT_LIMIT, metavar="N", help="show the latest N (default: %(default)s)"
    )
    listing.set_defaults(run=run_list)
    showing = actions.add_parser(
        "show", help="dead letters in full", description="Dead letters in full: headers, key and value."
    )
    showing.add_argument("which", nargs="+", metavar="WHICH", help=WHICH)
    showing.set_defaults(run=run_show)
    replaying = actions.add_parser(
        "replay",
        help="put dead letters back where they came from",
        description="Put dead letters back where they came from, each once.",
        epilog=REPLAY_EPILOG,
    )
    replaying.add_argument("which", nargs="*", metavar="WHICH", help=WHICH)
    replaying.add_argument("--all", action="store_true", help="all of them, or with --cause and --stage all such")
    replaying.add_argument("--dry-run", action="store_true", help="only say how many there are for each topic")
    replaying.add_argument("--again", action="store_true", help="also those that were replayed before")
    replaying.set_defaults(run=run_replay)
    for action in (listing, replaying):
        action.add_argument("--cause", choices=[str(cause) for cause in Cause], help="only those with this cause")
        stages = [str(stage) for stage in (*STAGES, Stage.RETRY)]
        action.add_argument("--stage", choices=stages, help="only those of this stage")
    for action in (listing, showing, replaying):
        add_json(action, "print JSON, one object a line")
        add_settings(action, CONNECTION)


def run_list(args: Namespace) -> int:
    letters = _dead_letters(args)
    selection = Selection(cause=args.cause, stage=args.stage)
    known = letters.replayed()
    found = _Counted(letters.read(selection))
    # Without their values, and no more than are shown: there may be millions of them.
    rows = ({**summary_of(letter), "replayed": letter.offset in known[letter.place]} for letter in found)
    latest = heapq.nlargest(args.limit, rows, key=lambda row: (row["at_ms"], row["place"]))[::-1]
    if args.json:
        for row in latest:
            put_json(row)
    elif latest:
        put_table(("DEAD LETTER", "AT", "STAGE", "CAUSE", "KEY", "REPLAYED", "REASON"), [_row(row) for row in latest])
    say(
        counted(found.count, "dead letter")
        + (f", the latest {len(latest)} are shown" if found.count > len(latest) else "")
    )
    return 0


def run_show(args: Namespace) -> int:
    letters = _dead_letters(args)
    found = _Counted(letters.read(Selection.of(args.which, letters.topics)))
    for letter in found:
        if args.json:
            put_json(dead_letter_object(letter))
        else:
            _show(letter)
    if not found.count:
        raise CommandFailed(
            f"no dead letter matches {', '.join(args.which)}: `modstream dlq list` shows those there are"
        )
    return 0


def run_replay(args: Namespace) -> int:
    if bool(args.which) == args.all:
        raise CommandFailed("expected either dead letters to replay, or --all")
    letters = _dead_letters(args)
    selection = Selection.of(args.which, letters.topics, args.cause, args.stage)
    replay = letters.replay(selection, again=args.again, dry_run=args.dry_run)
    count = replay.by_topic.total()
    if args.json:
        counts = {"replayed": count, "by_topic": replay.by_topic, "before": replay.before, "homeless": replay.homeless}
        put_json({**counts, "dry_run": args.dry_run})
    for topic, number in sorted(replay.by_topic.items()):
        say(f"{number:,} {'would go' if args.dry_run else 'went'} back to {topic}")
    if replay.before:
        say(f"{counted(replay.before, 'dead letter')} replayed before and left alone (--again replays them again)")
    for place in replay.homeless[:MAX_NAMED]:
        say(f"{place} cannot be replayed: its header modstream-topic names no topic of the chain")
    if args.which and not (count or replay.before or replay.homeless):
        raise CommandFailed(
            f"no dead letter matches {', '.join(args.which)}: `modstream dlq list` shows those there are"
        )
    say(f"{counted(count, 'dead letter')} {'would be replayed' if args.dry_run else 'replayed'}")
    return 1 if replay.homeless else 0


class _Counted:
    """An iterator that knows how many it gave."""

    def __init__(self, letters: Iterator[Read]) -> None:
        self._letters = letters
        self.count = 0

    def __iter__(self) -> Iterator[Read]:
        for letter in self._letters:
            self.count += 1
            yield letter


def _dead_letters(args: Namespace) -> DeadLetters:
    settings = settings_of(args)
    return DeadLetters(settings, connect(settings, dlq_grants(settings)))


def _row(row: Mapping[str, Any]) -> tuple[object, ...]:
    reason = f"{row['field']}: {row['reason']}" if row["field"] else row["reason"]
    return (
        row["place"],
        _time(row["at_ms"]),
        row["stage"],
        row["cause"],
        cut(printable(row["key"] or "–"), KEY_COLUMNS),
        "yes" if row["replayed"] else "no",
        cut(printable(reason or "–"), REASON_COLUMNS),
    )


def _show(letter: Read) -> None:
    origin = letter.origin
    put_columns(
        [
            ("dead letter", f"{letter.topic}-{letter.partition}:{letter.offset}"),
            ("came from", f"{origin.topic}-{origin.partition}:{origin.offset}"),
            ("at", _time(letter.timestamp_ms)),
            ("why", why_dead(letter)),
            ("key", text_of(letter.key) or "–"),
            *((name, text_of(value)) for name, value in letter.headers),
        ]
    )
    value = text_of(letter.value)
    if value is None:
        put_line("no value: a delete")
    else:
        left = len(value) - SHOWN_CHARS
        put_line(
            printable(value[:SHOWN_CHARS]) + (f"… and {left:,} characters more (--json has all)" if left > 0 else "")
        )
    put_line("")


def _time(timestamp_ms: int) -> str:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(sep=" ", timespec="seconds")
