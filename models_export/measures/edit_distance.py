"""Edit distances: of texts by code points, of sequences by their members."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray


def distance(reference: str, read: str) -> int:
    """Levenshtein's distance: the fewest insertions, deletions and replacements of code points between them."""
    return int(_last_row(_code_points(reference), _code_points(read), np.arange(len(read) + 1))[-1])


def sequence_distance(reference: Sequence[Hashable], read: Sequence[Hashable]) -> int:
    """Levenshtein's distance, of words for instance."""
    numbers: dict[Hashable, int] = {}
    left, right = (
        np.array([numbers.setdefault(member, len(numbers)) for member in members], np.uint32)
        for members in (reference, read)
    )
    return int(_last_row(left, right, np.arange(len(right) + 1))[-1])


def distance_within(reference: str, read: str) -> int:
    """The distance of `reference` to whatever part of `read` is nearest to it; what stands before and after is free.

    (Sellers 1980, "The theory and computation of evolutionary distances".) For transcripts that leave out some of what
    is written: it says how well the transcribed part was read, and nothing about the rest.
    """
    row = np.zeros(len(read) + 1, np.int64)
    return int(_last_row(_code_points(reference), _code_points(read), row).min())


def _last_row(reference: NDArray[np.uint32], read: NDArray[np.uint32], row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Wagner and Fischer's table, row by row; `row` is the first, shape [len(read) + 1].

    Within a row each entry may come from its left neighbour at a cost of 1. That chain is a running minimum once each
    entry is counted from its own column on.
    """
    columns = np.arange(len(read) + 1)
    for number, member in enumerate(reference, 1):
        above = np.empty_like(row)
        above[0] = number
        above[1:] = np.minimum(row[1:] + 1, row[:-1] + (read != member))
        row = np.minimum.accumulate(above - columns) + columns
    return row


def _code_points(text: str) -> NDArray[np.uint32]:
    # A lone surrogate is no text, but it is a code point.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
