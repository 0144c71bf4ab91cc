"""`modstream score`: posts in, decisions out, by the same processors as the chain and without Kafka."""

from __future__ import annotations

import hashlib
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import orjson

from commands.arguments import MEDIA, MODEL, add_settings, settings_of
from commands.failures import CommandFailed
from commands.files import STDIN, opened
from commands.overlay import OverlayFolder
from commands.terminal import counted, say
from processors.chain import run_chain
from processors.contract import AnyProcessor, Outcome, ProcessingError
from processors.media.pictures import PictureReader
from processors.media.store import MediaStore
from schemas import (
    MAX_POST_BYTES,
    Cause,
    InvalidPost,
    Record,
    Source,
    decode_post,
    encode_decision,
)
from streams.assembly import chain_of
from streams.json_lines import Line, read_lines
from streams.topology import STAGES

BATCH_RECORDS = 512
BATCH_BYTES = 8 * 1024 * 1024
"""What is in memory at a time: enough posts to fill the stages' own batches, or a few of the largest."""

FILE_TOPIC = "file"
"""The topic of a decision's `source`, whose offset is the line's number; the first line is 1."""

PROGRESS_S = 5.0

EPILOG = """
Writes one JSON object a line, in the order of the input: a decision, or for a line that is no post
{"error": {"cause": …, "field": …, "reason": …}, "line": N}; such lines do not make the command fail.
--overlay writes every picture of the posts as LINE-MEDIA_ID-N.png, with the lines that were read in it (numbered, with
their confidence) and, in another colour, those that could not be.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("file", metavar="FILE", help="JSON Lines, one post a line; - is standard input")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here instead of to standard output")
    parser.add_argument(
        "--overlay", type=Path, metavar="DIR", help="write the posts' pictures to DIR, with the lines read in them"
    )
    add_settings(parser, (*MODEL, *MEDIA))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    with ExitStack() as stack:
        file = stack.enter_context(opened(args.file))
        out = sys.stdout.buffer
        if args.out is not None:
            if args.file != STDIN and args.out.exists() and args.out.samefile(args.file):
                raise CommandFailed(f"{args.out} is the input too: expected another file for --out")
            out = stack.enter_context(args.out.open("wb"))
        overlay = None
        if args.overlay is not None:
            overlay = OverlayFolder(args.overlay, PictureReader(MediaStore.open(settings.store.url)))
        processors, _ = chain_of(settings, version("modstream"), one_attempt=True)
        began_s = time.monotonic()
        lines, errors = _score(processors, file, out, overlay)
    took_s = time.monotonic() - began_s
    decisions = counted(lines - errors, "decision")
    say(f"{counted(lines, 'line')}: {decisions}, {counted(errors, 'error')}, in {took_s:.1f} s")
    if overlay is not None:
        say(f"{counted(overlay.written, 'picture')} written to {args.overlay}")
    return 0


def _score(
    processors: Sequence[AnyProcessor], file: BinaryIO, out: BinaryIO, overlay: OverlayFolder | None
) -> tuple[int, int]:
    """Write an object for each line; (lines, how many of them are errors)."""
    lines = errors = 0
    next_s = time.monotonic() + PROGRESS_S
    for batch in _batches(read_lines(file, MAX_POST_BYTES)):
        for result in score_lines(processors, batch, overlay):
            out.write(result + b"\n")
            errors += result.startswith(b'{"error"')
        lines += len(batch)
        out.flush()
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + PROGRESS_S
            say(f"{lines:,} lines so far")
    return lines, errors


def score_lines(
    processors: Sequence[AnyProcessor], lines: Sequence[Line], overlay: OverlayFolder | None
) -> list[bytes]:
    """The decision or the error of each line, as JSON; the pictures of those decided go to `overlay`."""
    results: list[bytes | None] = [None] * len(lines)
    records: list[Record] = []
    places: list[int] = []
    for at, line in enumerate(lines):
        try:
            records.append(record_of(line))
            places.append(at)
        except InvalidPost as error:
            results[at] = _error(line, ProcessingError(Cause.INVALID_POST, error.reason, error.field))
    for at, outcome in zip(places, run_chain(processors, records), strict=True):
        results[at] = _result(lines[at], outcome)
        if overlay is not None and isinstance(outcome, Record):
            overlay.write(lines[at].number, outcome)
    return [result for result in results if result is not None]


def record_of(line: Line) -> Record:
    """The record that a worker would make of the line. Raises InvalidPost."""
    if not line.is_whole:
        raise InvalidPost("$", f"{line.size:,} bytes, expected at most {MAX_POST_BYTES:,}")
    return Record(
        post=decode_post(line.value),
        # No clock: the same file gives the same sources.
        source=Source(topic=FILE_TOPIC, partition=0, offset=line.number, timestamp_ms=0),
        content_hash=hashlib.sha256(line.value).hexdigest(),
        received_ms=int(time.time() * 1000),
        route=STAGES,
    )


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line.value)
        if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _result(line: Line, outcome: Outcome) -> bytes:
    if isinstance(outcome, ProcessingError):
        return _error(line, outcome)
    if outcome.decision is None:
        raise TypeError(f"line {line.number} left the chain without a decision")
    return encode_decision(outcome.decision)


def _error(line: Line, error: ProcessingError) -> bytes:
    return orjson.dumps(
        {"error": {"cause": error.cause, "field": error.field, "reason": error.reason}, "line": line.number}
    )
