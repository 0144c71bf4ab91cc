"""The lines of a file, whatever is in them: one message each, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple


class Line(NamedTuple):
    """A line without its line feed. `number` counts from 1; `size` is its length in bytes."""

    number: int
    value: bytes
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether `value` holds all of the line."""
        return len(self.value) == self.size


def read_lines(file: BinaryIO, max_bytes: int) -> Iterator[Line]:
    """Every line of `file`; of one that is longer than `max_bytes`, only so much is kept.

    Empty lines are lines. A line feed at the very end begins none; a carriage return before a line feed belongs to it.
    """
    limit = max_bytes + len(b"\r\n")
    number = 0
    while first := file.readline(limit):
        number += 1
        last, more = first, 0
        while last and not last.endswith(b"\n"):
            last = file.readline(limit)
            more += len(last)
        if more:
            yield Line(number, first[:max_bytes], len(first) + more - last.endswith(b"\n"))
        else:
            value = first.removesuffix(b"\n").removesuffix(b"\r") if first.endswith(b"\n") else first
            yield Line(number, value[:max_bytes], len(value))
