"""Greedy CTC decoding (Graves et al., ICML 2006), as PaddleOCR's `CTCLabelDecode` does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.engines import EngineError

BLANK = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A line as read."""

    text: str
    confidence: float
    """Mean of the characters' probabilities, 0..1; 0 where nothing was read."""


def decode(probabilities: NDArray[np.float32], characters: Sequence[str]) -> list[Reading]:
    """The readings of [lines, steps, classes]: at each step the likeliest class, repetitions counted once, blanks not
    at all. A character's probability is that of the first of its steps. Raises `EngineError` for what is no number."""
    classes = probabilities.argmax(axis=-1)
    # The classes are many (18,710): taking these probabilities costs less than a second pass for the maximum.
    likeliest = np.take_along_axis(probabilities, classes[:, :, None], axis=-1)[:, :, 0]
    if not np.isfinite(likeliest).all():
        raise EngineError("the recognition graph's output is not finite; expected probabilities")
    new = classes != BLANK
    new[:, 1:] &= classes[:, 1:] != classes[:, :-1]
    readings: list[Reading] = []
    for row, values, chosen in zip(classes, likeliest, new, strict=True):
        text = "".join([characters[int(at)] for at in row[chosen]])
        readings.append(Reading(text, float(values[chosen].mean(dtype=np.float64)) if text else 0.0))
    return readings


def mean_confidence(lines: Sequence[tuple[str, float]]) -> float | None:
    """Of (text, confidence): the mean by number of characters; None without any."""
    characters = sum(len(text) for text, _ in lines)
    return sum(len(text) * confidence for text, confidence in lines) / characters if characters else None
