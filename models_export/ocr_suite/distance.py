"""How far a reading is from a transcript: edit distances of code points, and order-free tokens.

Two views of a text are compared. *Strict*: NFKC, every run of white space one space, none at the ends; case counts.
*Lenient*: the same with case folded and no white space at all, since people who transcribe pictures write as they like
to, and a word broken over two lines is no word less.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def strict(text: str) -> str:
    """The strict view."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def lenient(text: str) -> str:
    """The lenient view. Folding the case can undo NFKC, which is why it is applied twice."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(folded.split())


def distance(reference: str, read: str) -> int:
    """Levenshtein's distance: the fewest insertions, deletions and replacements of code points between them."""
    row = np.arange(len(read) + 1)
    return int(_last_row(reference, read, row)[-1])


def distance_within(reference: str, read: str) -> int:
    """The distance of `reference` to whatever part of `read` is nearest to it; what stands before and after is free.

    (Sellers 1980, "The theory and computation of evolutionary distances".) For transcripts that leave out some of what
    is written: it says how well the transcribed part was read, and nothing about the rest.
    """
    row = np.zeros(len(read) + 1, np.int64)
    return int(_last_row(reference, read, row).min())


def _last_row(reference: str, read: str, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Wagner and Fischer's table, row by row; `row` is the first, shape [len(read) + 1].

    Within a row each entry may come from its left neighbour at a cost of 1. That chain is a running minimum once each
    entry is counted from its own column on.
    """
    letters = _code_points(read)
    columns = np.arange(len(read) + 1)
    for number, letter in enumerate(_code_points(reference), 1):
        above = np.empty_like(row)
        above[0] = number
        above[1:] = np.minimum(row[1:] + 1, row[:-1] + (letters != letter))
        row = np.minimum.accumulate(above - columns) + columns
    return row


def _code_points(text: str) -> NDArray[np.uint32]:
    # A lone surrogate is no text, but it is a code point.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def tokens(text: str) -> Counter[str]:
    """The words of a text, lower-cased, each as often as it is there.

    A word is a run of letters, marks and digits. Writing without spaces between words (Han, kana, Thai, Lao, Khmer,
    Burmese) counts by letters, with their marks.
    """
    return Counter(_words(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())))


_UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
"""How the Unicode names of letters begin that form words without spaces."""


def _words(text: str) -> Iterator[str]:
    word, unspaced = "", False
    for character in text:
        kind = unicodedata.category(character)[0]
        if kind == "M":
            word += character if word else ""
            continue
        alone = kind == "L" and unicodedata.name(character, "").startswith(_UNSPACED)
        if word and (alone or unspaced or kind not in "LN"):
            yield word
            word = ""
        if kind in "LN":
            word += character
        unspaced = alone
    if word:
        yield word
