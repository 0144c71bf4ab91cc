"""A decoder: a process that decodes one item after the other until its input ends or it is killed.

Started by `DecoderPool` as `python -m processors.media.decoder.child '<limits as JSON>'`.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from processors.media.decoder.confinement import allow_processor_time, confine, deaf_to_signals
from processors.media.decoder.decoded import Decoded, DecoderLimits, Undecodable
from processors.media.decoder.protocol import Begun, Ready, Refused, read_item, write_decoded, write_reply

Decode = Callable[[bytes, DecoderLimits], Decoded]

_PIPE_BYTES = 1024 * 1024
"""Room in a pipe, where the system lets us choose: with 64 KiB, both sides wait for each other more than they work."""


def serve(limits: DecoderLimits, decode: Decode) -> None:
    """Answers items until there are no more."""
    items, replies = _take_pipes()
    deaf_to_signals()
    confine(limits.memory_mb)
    try:
        write_reply(replies, Ready())
        while (item := read_item(items)) is not None:
            allow_processor_time(limits.timeout_s)
            write_reply(replies, Begun())
            _answer(replies, item, limits, decode)
    except BrokenPipeError:
        pass  # nobody waits for the answer


def _answer(replies: BinaryIO, item: bytes, limits: DecoderLimits, decode: Decode) -> None:
    try:
        decoded = decode(item, limits)
    except Undecodable as error:
        write_reply(replies, Refused(error.reason))
    except MemoryError:
        reason = f"decoding took more than the {limits.memory_mb:,} MB of memory that a decoder may use"
        write_reply(replies, Refused(reason, spent=True))
    else:
        write_decoded(replies, decoded)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for ourselves: a library that prints something must not speak for us."""
    items, replies = os.dup(0), os.dup(1)
    for pipe in (items, replies):
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            try:
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            except OSError:  # the system's limit for a user's pipes is reached: slower, no less right
                break
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(items, "rb"), os.fdopen(replies, "wb")


def main() -> None:
    limits = msgspec.json.decode(sys.argv[1], type=DecoderLimits)
    serve(limits, _decoder(limits))


def _decoder(limits: DecoderLimits) -> Decode:
    """Loaded before the confinement: what the libraries take themselves is not held against an item. Who decodes
    pictures alone does not need those of video."""
    if limits.moving is None:
        from processors.media.decoder.picture import decode
    else:
        from processors.media.decoder.moving import decode
    return decode


if __name__ == "__main__":
    main()
