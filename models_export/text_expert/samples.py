"""Training samples: rows of the pool and sentences of our own through the same packing as serving, drawn in batches of
similar length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models_export.text_expert.functional.drawing import Functional
from models_export.text_expert.heads import functional_targets
from models_export.text_expert.noise import add_noise
from processors.pack.layout import TextLayout
from processors.pack.tokens import FieldTokenizer
from processors.pack.windows import cut_windows

# Sorting a stretch of this many batches by length wastes little padding and still mixes sets.
STRETCH = 50


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the samples, 0..1 each."""

    noise: float
    """With spelling noise."""
    untagged: float
    """Without their language tag."""
    functional: float
    """Sentences of our own."""


@dataclass(frozen=True, slots=True)
class Balance:
    """How much of the samples a (language, set) group makes: min(rows, cap) ** power."""

    cap: int
    power: float


@dataclass(frozen=True, slots=True)
class Batch:
    """ids, mask int64 [rows, tokens]; targets float32 [rows, heads] with NaN where not judged."""

    ids: np.ndarray
    mask: np.ndarray
    targets: np.ndarray


class Samples:
    """Rows with their targets, drawn at random by weight. What batch n holds depends on the seed and n alone."""

    def __init__(
        self,
        rows: pd.DataFrame,
        targets: np.ndarray,
        columns: Sequence[int],
        layout: TextLayout,
        tokenizer: FieldTokenizer,
        *,
        balance: Balance,
        functional: Functional,
    ) -> None:
        """`targets`: float32 [rows, len(HEADS)]; `columns`: those of them that batches have."""
        self._targets = targets[:, columns]
        self._columns = columns
        self._layout = layout
        self._tokenizer = tokenizer
        self._functional = functional
        self._texts = rows["text"].tolist()
        self._contexts = rows["context"].tolist()
        self._langs = rows["lang"].tolist()
        self._weights = row_weights(rows, targets, balance)

    def batches(self, seed: int, first: int, size: int, shares: Shares) -> Iterator[Batch]:
        """Batches `first`, `first + 1`, … without end."""
        stretch, skip = divmod(first, STRETCH)
        while True:
            chooser = np.random.default_rng((seed, stretch))
            chosen = chooser.choice(len(self._texts), STRETCH * size, p=self._weights)
            rng = random.Random(f"{seed}/{stretch}")
            drawn = [self._sample(at, rng, shares) for at in chosen.tolist()]
            by_length = sorted(range(len(drawn)), key=lambda at: len(drawn[at][0]))
            order = [by_length[start : start + size] for start in range(0, len(drawn), size)]
            rng.shuffle(order)
            for group in order[skip:]:
                ids, mask = pad([drawn[at][0] for at in group], self._layout.pad)
                yield Batch(ids, mask, np.stack([drawn[at][1] for at in group]))
            stretch, skip = stretch + 1, 0

    def _sample(self, at: int, rng: random.Random, shares: Shares) -> tuple[list[int], np.ndarray]:
        """Token ids of a first window, and its targets."""
        if rng.random() < shares.functional:
            drawn = self._functional.draw(rng)
            text, parent, lang, wanted = drawn.text, "", drawn.lang, functional_targets(drawn)[self._columns]
        else:
            text, parent, lang, wanted = self._texts[at], self._contexts[at], self._langs[at], self._targets[at]
        fields = {"text": add_noise(text, rng) if rng.random() < shares.noise else text}
        if parent:
            fields["parent"] = parent
        tag = None if rng.random() < shares.untagged else lang
        windows, _ = cut_windows(self._layout, tag, self._tokenizer(fields))
        return windows[0].ids if windows else [self._layout.bos, self._layout.eos], wanted


def pad(rows: list[list[int]], pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Token ids and attention mask, int64 [rows, longest]."""
    ids = np.full((len(rows), max(map(len, rows))), pad_id, np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    return ids, mask


def row_weights(rows: pd.DataFrame, targets: np.ndarray, balance: Balance) -> np.ndarray:
    """Drawing probability per row: (language, set) groups balanced, and the rarer class of each lifted to the root of
    its odds.

    The sets' shares of abuse (4% to 92%) are their collectors' choice, not the world's; full balancing would repeat the
    few rows of a rare class too often.
    """
    weights = np.ones(len(rows))
    groups = (rows["lang"] + "/" + rows["dataset"]).to_numpy()
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        first = targets[inside, 0]
        if not np.isnan(first).all():
            share = np.nanmean(first)
            weights[inside[first == 1]] = share**-0.5
            weights[inside[first == 0]] = (1 - share) ** -0.5
        weights[inside] *= min(len(inside), balance.cap) ** balance.power / weights[inside].sum()
    return weights / weights.sum()
