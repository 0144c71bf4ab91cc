"""Splits: dealing a set that its authors published in one part, and keeping what is held out out of training."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models_export.datasets.fingerprints import Pair, content_key, near_pictures, near_texts, normalised
from models_export.datasets.manifest import HELD_OUT, Row, Split
from processors.media.known.hash_file import words_of
from processors.media.known.lists import PDQ_MIN_QUALITY

DEV_SHARE = 0.1
"""Of the items of each class, in a set that is ours to split."""

RANK: dict[Split, int] = {split: rank for rank, split in enumerate((*HELD_OUT, "train"))}


def near_rows(rows: Sequence[Row], sides: NDArray[np.int64]) -> Iterator[tuple[str, Pair]]:
    """`text` or `picture`, and a pair of rows of different sides that are nearly the same content.

    Pictures count by themselves. Texts count but between two items whose pictures are known to differ: one caption
    under two pictures is two memes, and sets have such pairs on purpose.
    """
    pictured = [_hash(row) for row in rows]
    shown = np.array([at for at, pdq in enumerate(pictured) if pdq is not None], np.int64)
    hashes = np.array([words_of(pdq) for pdq in pictured if pdq is not None], np.uint64).reshape(-1, 4)
    for one, other in near_pictures(hashes, sides[shown]):
        yield "picture", (int(shown[one]), int(shown[other]))
    for one, other in near_texts([normalised(row.text) for row in rows], sides):
        if pictured[one] is None or pictured[other] is None:
            yield "text", (one, other)


def placed(rows: Iterable[Row]) -> dict[str, Split]:
    """Key of a text -> `train` or `dev`, where these rows have it; `dev` where they have it in both."""
    found: dict[str, Split] = {}
    for row in rows:
        if row.text and row.split in ("train", "dev"):
            key = content_key(row.text)
            found[key] = "dev" if "dev" in (row.split, found.get(key)) else "train"
    return found


def deal(rows: Sequence[Row], elsewhere: Mapping[str, Split] | None = None) -> list[Row]:
    """The rows of one set that has a train part only, some of them now `dev`.

    A text that other sets have (`elsewhere`, as `placed` gives it) goes where it is there. The rest depends on the ids
    alone. What is nearly the same, or of one group, stays together; classes are dealt evenly.
    """
    known = elsewhere or {}
    groups = _grouped(rows)
    classes = [main_class(row) for row in rows]
    frequency = Counter(classes)
    by_class: dict[str, list[list[int]]] = defaultdict(list)
    for members in groups:
        # A group of several classes counts as the rarest it holds, so that rare classes stay in proportion.
        by_class[min({classes[at] for at in members}, key=lambda name: (frequency[name], name))].append(members)
    dev: set[int] = set()
    for found in by_class.values():
        wanted = DEV_SHARE * sum(map(len, found))
        taken = 0
        free: list[list[int]] = []
        for members in found:
            there = {known.get(content_key(rows[at].text)) for at in members}
            if "dev" in there:
                dev.update(members)
                taken += len(members)
            elif "train" not in there:
                free.append(members)
        for members in sorted(free, key=lambda members: _order(rows[members[0]].id)):
            if taken + len(members) / 2 <= wanted:
                dev.update(members)
                taken += len(members)
    return [replace(row, split="dev" if at in dev else "train", split_by="us") for at, row in enumerate(rows)]


def hold_out(rows: Sequence[Row]) -> list[Row]:
    """The rows, those of a less clean split excluded that are nearly the same as one of a cleaner split."""
    taking_part = [at for at, row in enumerate(rows) if row.split in RANK]
    ranks = np.array([RANK[rows[at].split] for at in taking_part], np.int64)
    found = list(rows)
    for what, pair in near_rows([rows[at] for at in taking_part], ranks):
        kept, gone = sorted(pair, key=lambda at: int(ranks[at]))
        like, at = rows[taking_part[kept]], taking_part[gone]
        if found[at].excluded is None:
            found[at] = replace(
                rows[at],
                split="excluded",
                excluded=f"{what} nearly as in {like.id} of {like.split}; was {rows[at].split}",
            )
    return found


def main_class(row: Row) -> str:
    """What a set mostly tells apart: hate where it is judged, else abuse."""
    said = row.labels.labels
    return next((f"{name} {said[name]}" for name in ("hate", "abuse") if name in said), "not judged")


def _grouped(rows: Sequence[Row]) -> list[list[int]]:
    """Places that belong together; each place is in one group."""
    parent = list(range(len(rows)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[str, int] = {}
    same = ((first.setdefault(row.group, at), at) for at, row in enumerate(rows) if row.group is not None)
    near = (pair for _, pair in near_rows(rows, np.arange(len(rows))))
    texts: dict[str, int] = {}
    # Captions that are the same stay together even under different pictures.
    captions = ((texts.setdefault(normalised(row.text), at), at) for at, row in enumerate(rows) if row.text)
    for one, other in _chained(same, near, captions):
        parent[root(other)] = root(one)
    groups: dict[int, list[int]] = defaultdict(list)
    for at in range(len(rows)):
        groups[root(at)].append(at)
    return list(groups.values())


def _chained(*found: Iterable[Pair]) -> Iterator[Pair]:
    for pairs in found:
        yield from pairs


def _hash(row: Row) -> str | None:
    """Of the item's first picture, where the hash says something."""
    return next((file.pdq for file in row.media if file.pdq and file.pdq_quality >= PDQ_MIN_QUALITY), None)


def _order(identity: str) -> str:
    return hashlib.sha256(f"deal:{identity}".encode()).hexdigest()


def splits_of(rows: Iterable[Row]) -> Counter[str]:
    """How many rows each split has."""
    return Counter(str(row.split) for row in rows)
