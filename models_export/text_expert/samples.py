"""Training samples: rows of the pool through the same packing as serving, drawn in batches of similar length."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models_export.text_expert.noise import add_noise
from processors.pack.layout import TextLayout
from processors.pack.tokens import FieldTokenizer
from processors.pack.windows import cut_windows

# Sorting a stretch of this many batches by length wastes little padding and still mixes sets.
STRETCH = 50
MAX_ROWS_PER_SET = 9000  # more of one set teaches its annotators' habits, not the language's


@dataclass(frozen=True, slots=True)
class Batch:
    """ids, mask int64 [rows, tokens]; targets float32 [rows, heads] with NaN where not judged."""

    ids: np.ndarray
    mask: np.ndarray
    targets: np.ndarray


class Samples:
    """Rows with their targets, drawn at random by weight. What batch n holds depends on the seed and n alone."""

    def __init__(self, rows: pd.DataFrame, targets: np.ndarray, layout: TextLayout, tokenizer: FieldTokenizer) -> None:
        self._rows = rows
        self._targets = targets
        self._layout = layout
        self._tokenizer = tokenizer
        self._texts = rows["text"].tolist()
        self._contexts = rows["context"].tolist()
        self._langs = rows["lang"].tolist()
        self._weights = row_weights(rows, targets)

    def pack(self, at: int, *, noisy: random.Random | None = None, tagged: bool = True) -> list[int]:
        """Token ids of row `at`: its first window."""
        text = self._texts[at]
        fields = {"text": add_noise(text, noisy) if noisy else text}
        if self._contexts[at]:
            fields["parent"] = self._contexts[at]
        windows, _ = cut_windows(self._layout, self._langs[at] if tagged else None, self._tokenizer(fields))
        return windows[0].ids if windows else [self._layout.bos, self._layout.eos]

    def batches(self, seed: int, first: int, size: int, *, noise: float, untagged: float) -> Iterator[Batch]:
        """Batches `first`, `first + 1`, … without end: `noise` and `untagged` are shares of the samples."""
        stretch, skip = divmod(first, STRETCH)
        while True:
            chooser = np.random.default_rng((seed, stretch))
            chosen = chooser.choice(len(self._texts), STRETCH * size, p=self._weights)
            rng = random.Random(f"{seed}/{stretch}")
            packed = [
                self.pack(at, noisy=rng if rng.random() < noise else None, tagged=rng.random() >= untagged)
                for at in chosen.tolist()
            ]
            by_length = sorted(range(len(packed)), key=lambda at: len(packed[at]))
            order = [by_length[start : start + size] for start in range(0, len(packed), size)]
            rng.shuffle(order)
            for group in order[skip:]:
                ids, mask = pad([packed[at] for at in group], self._layout.pad)
                yield Batch(ids, mask, self._targets[chosen[group]])
            stretch, skip = stretch + 1, 0


def pad(rows: list[list[int]], pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Token ids and attention mask, int64 [rows, longest]."""
    ids = np.full((len(rows), max(map(len, rows))), pad_id, np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    return ids, mask


def row_weights(rows: pd.DataFrame, targets: np.ndarray) -> np.ndarray:
    """Drawing probability per row: sets capped, and the rarer class of each set lifted to the root of its odds.

    The sets' shares of abuse (4% to 92%) are their collectors' choice, not the world's; full balancing would repeat the
    few rows of a rare class too often.
    """
    weights = np.ones(len(rows))
    groups = rows["dataset"].to_numpy()
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        first = targets[inside, 0]
        if not np.isnan(first).all():
            share = np.nanmean(first)
            weights[inside[first == 1]] = share**-0.5
            weights[inside[first == 0]] = (1 - share) ** -0.5
        weights[inside] *= min(len(inside), MAX_ROWS_PER_SET) / weights[inside].sum()
    return weights / weights.sum()
