"""What makes two texts, or two pictures, the same content or nearly so.

Texts: MinHash over shingles of characters (Broder 1997, On the resemblance and containment of documents), banded so
that nearly equal ones meet (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3); whoever meets is
compared for certain. Pictures: PDQ hashes.
"""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5
"""Characters: two letters changed in a sentence of 100 leave a similarity of about 0.8."""

NEAR = 0.9
"""Jaccard similarity of the shingles from which texts are nearly the same."""

NEAR_BITS = 31
"""Bits of 256 in which PDQ hashes of nearly the same picture differ at most, as PDQ's authors advise."""

BANDS, BAND_ROWS = 8, 6
"""Two texts of similarity 0.9 meet with probability 1 - (1 - 0.9^6)^8 = 0.998, of 0.5 with 0.12."""

MOST_COMPARED = 20
"""Of the texts of one side that share a band, those that the others are compared with."""

CHUNK = 20_000
"""Texts whose shingles are in memory together: some 20 million numbers."""

MATRIX = 1 << 23
"""Pairs of pictures compared together."""

_NAMES_AND_LINKS = re.compile(r"https?://\S+|www\.\S+|@\w+")

Pair = tuple[int, int]


class _Kept(dict[int, str]):
    """Code point -> itself, or a space for punctuation and what cannot be seen. Marks and symbols stay: vowel signs are
    marks, and an emoji can be the whole message."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = " " if unicodedata.category(character)[0] in "PZC" else character
        return self[code]


_KEPT = _Kept()


def content_key(text: str) -> str:
    """SHA-256 of the text after NFKC, without case, with white space collapsed."""
    return hashlib.sha256(_plain(text).encode("utf-8", "surrogatepass")).hexdigest()


def normalised(text: str) -> str:
    """What is compared for likeness: without user names, links and punctuation, unless that is all that it says."""
    plain = _plain(text)
    return " ".join(_NAMES_AND_LINKS.sub(" ", plain).translate(_KEPT).split()) or plain


def similarity(one: str, other: str) -> float:
    """Jaccard similarity, 0..1, of the shingles of two normalised texts."""
    return jaccard(shingles(one), shingles(other))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Of two sets that are not empty, 0..1."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def shingles(text: str) -> frozenset[str]:
    """Every `SHINGLE` characters in a row; a shorter text is its only one."""
    return frozenset(text[at : at + SHINGLE] for at in range(max(1, len(text) - SHINGLE + 1)))


def near_texts(texts: Sequence[str], sides: NDArray[np.int64]) -> Iterator[Pair]:
    """Pairs of places, each once, of normalised texts that are nearly the same and stand on different sides.

    Every text that is nearly the same as one of another side is in a pair (but for the chance in `BANDS`); not every
    pair is given where more than `MOST_COMPARED` of a side are alike. Empty texts are left out.
    """
    places = np.flatnonzero([bool(text) for text in texts])
    if not len(places):
        return
    worded = [text for text in texts if text]
    parts = [_signatures(worded[start : start + CHUNK]) for start in range(0, len(worded), CHUNK)]
    signatures = np.concatenate(parts)
    seen: set[Pair] = set()
    for band in range(BANDS):
        keys = _banded(signatures[:, band * BAND_ROWS : (band + 1) * BAND_ROWS])
        for bucket in _buckets(keys):
            for pair in _met(places[bucket], sides):
                if pair not in seen:
                    seen.add(pair)
                    if similarity(texts[pair[0]], texts[pair[1]]) >= NEAR:
                        yield pair


def near_pictures(hashes: NDArray[np.uint64], sides: NDArray[np.int64]) -> Iterator[Pair]:
    """Pairs of places, the smaller first, of PDQ hashes [n, 4] within `NEAR_BITS` that stand on different sides."""
    if not len(hashes):
        return
    values, counts = np.unique(sides, return_counts=True)
    # Pairs of one side are not asked for: the largest side is compared with the others alone.
    few = sides != values[counts.argmax()] if counts.max() > 1 else np.ones(len(sides), np.bool_)
    rows = np.flatnonzero(few)
    step = max(1, MATRIX // len(hashes))
    for start in range(0, len(rows), step):
        these = rows[start : start + step]
        bits = np.zeros((len(these), len(hashes)), np.uint16)
        for word in range(hashes.shape[1]):
            bits += np.bitwise_count(hashes[these, None, word] ^ hashes[None, :, word])
        for at, other in zip(*np.nonzero(bits <= NEAR_BITS), strict=True):
            one, two = int(these[at]), int(other)
            twice = bool(few[two])  # its own row gives this pair too
            if sides[one] != sides[two] and (one < two or not twice):
                yield min(one, two), max(one, two)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    """[texts, BANDS * BAND_ROWS]."""
    padded = [text.ljust(SHINGLE, "\0") for text in texts]
    codes = np.frombuffer("".join(padded).encode(_UTF32, "surrogatepass"), np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in padded])
    windows = sum(
        (codes[at : len(codes) - SHINGLE + 1 + at] * np.uint64(_PRIME**at % 2**64) for at in range(SHINGLE)),
        start=np.zeros(len(codes) - SHINGLE + 1, np.uint64),
    )
    inside = np.ones(len(codes), np.bool_)
    ends = np.cumsum(lengths)
    for back in range(1, SHINGLE):
        inside[ends - back] = False  # these windows reach into the next text
    hashed = _mixed(windows[inside[: len(windows)]])
    starts = np.concatenate([[0], np.cumsum(lengths - SHINGLE + 1)[:-1]])
    columns = [np.minimum.reduceat(hashed * a + b, starts) >> np.uint64(32) for a, b in _PERMUTATIONS]
    return np.stack(columns, axis=1).astype(np.uint32)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _banded(rows: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """One number for the rows of a band, [texts]."""
    key = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        key = _mixed(key * np.uint64(_PRIME) + column)
    return key


def _buckets(keys: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """Places that share a key, where more than one does."""
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    bounds = np.concatenate([[0], edges, [len(keys)]])
    for at in np.flatnonzero(np.diff(bounds) > 1):
        yield order[bounds[at] : bounds[at + 1]]


def _met(places: NDArray[np.int64], sides: NDArray[np.int64]) -> Iterator[Pair]:
    """Pairs of different sides: everyone with the first few of each side, or of all where each is a side of its own."""
    mine = sides[places]
    distinct = np.unique(mine)
    if len(distinct) == 1:
        return
    first = (
        places[:MOST_COMPARED]
        if len(distinct) == len(places)
        else np.concatenate([places[mine == side][:MOST_COMPARED] for side in distinct])
    )
    for one in first.tolist():
        for other in places.tolist():
            if sides[one] != sides[other]:
                yield min(one, other), max(one, other)


_UTF32 = f"utf-32-{'le' if sys.byteorder == 'little' else 'be'}"
_PRIME = 1_099_511_628_211
"""FNV's."""
_random = np.random.default_rng(0)
_PERMUTATIONS = [
    (np.uint64(a | 1), np.uint64(b)) for a, b in _random.integers(0, 2**63, (BANDS * BAND_ROWS, 2), np.int64).tolist()
]
"""Odd multiplier and offset of each hash, fixed so that two runs find the same."""
