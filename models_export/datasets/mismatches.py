"""Hard negatives: for a picture, words that belong to another one and speak of nearly the same.

A model that looks at words alone cannot tell them from the words that belong there.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_export.datasets.fingerprints import normalised

DIMENSIONS = 4_096
"""Of the hashed TF-IDF vectors: words that share one are rare among some ten thousand, and cost little."""

BLOCK = 8_192
"""Captions that are compared with each other, 130 MB of vectors; more are taken in blocks."""

STEP = 512
"""Captions compared at a time with a block."""

LEAST_NEAR = 0.1
"""Cosine below which two captions have no topic in common."""

MOST_NEAR = 0.9
"""Above it they say the same, and the pair would be none."""


@dataclass(frozen=True, slots=True)
class Caption:
    """The words of an item with a picture."""

    text: str
    hateful: bool | None
    group: str | None = None
    """Items of one group do not lend each other their words."""


def mismatched(captions: Sequence[Caption]) -> NDArray[np.int64]:
    """For each the place of the nearest caption that it may be paired with, -1 where there is none: shape [captions].

    Only benign words, or words of the other label, go to another picture: the pair's own label is not known then.
    """
    found = np.full(len(captions), -1, np.int64)
    for start in range(0, len(captions), BLOCK):
        block = captions[start : start + BLOCK]
        nearest = _nearest(block)
        found[start : start + len(block)] = np.where(nearest >= 0, nearest + start, -1)
    return found


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """Hashed TF-IDF of unit length, or zero for no words: [texts, DIMENSIONS]; tf is 1 + log, idf smoothed."""
    counts = np.zeros((len(texts), DIMENSIONS), np.float32)
    for at, text in enumerate(texts):
        for term, count in Counter(_terms(text)).items():
            counts[at, zlib.crc32(term.encode("utf-8", "surrogatepass")) % DIMENSIONS] += count
    frequency = np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1
    weighted = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * frequency
    length = np.linalg.norm(weighted, axis=1, keepdims=True)
    return (weighted / np.where(length > 0, length, 1)).astype(np.float32)


def _nearest(captions: Sequence[Caption]) -> NDArray[np.int64]:
    space = vectors([caption.text for caption in captions])
    hate = np.array([-1 if one.hateful is None else int(one.hateful) for one in captions])
    names = {group: number for number, group in enumerate({one.group for one in captions if one.group is not None})}
    group = np.array([-1 - at if one.group is None else names[one.group] for at, one in enumerate(captions)])
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(captions), STEP):
        rows = slice(start, start + STEP)
        near = space[rows] @ space.T
        benign = (hate == 0)[None, :]
        other = (hate[rows, None] == 0) & (hate == 1)[None, :]
        allowed = (benign | other) & (group[rows, None] != group[None, :]) & (near <= MOST_NEAR)
        near = np.where(allowed, near, -1.0)
        best = near.argmax(axis=1)
        found.append(np.where(near[np.arange(len(best)), best] >= LEAST_NEAR, best, -1))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _terms(text: str) -> Iterator[str]:
    """Words; of those in other than ASCII letters their pairs of characters too, for scripts without spaces."""
    for word in normalised(text).split():
        yield word
        if not word.isascii():
            yield from (word[at : at + 2] for at in range(len(word) - 1))
