"""The rows that tell what a window's score rests on: the window without a stretch, and a stretch without the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.encode.stretches import Stretch
from schemas import Window

Row = NDArray[np.int32]
"""Token ids, shape [tokens]."""


def without(window: Window, stretch: Stretch) -> Row:
    """The window as it would be had the stretch not been posted."""
    return np.delete(window.ids, stretch.tokens)


def alone(window: Window, stretch: Stretch) -> Row:
    """The stretch behind its field's marker, in a window that shows nothing else."""
    return _only(window, stretch, window.ids[list(stretch.tokens)])


def nothing(window: Window, stretch: Stretch) -> Row:
    """The same window without the stretch: the field's marker and no text."""
    return _only(window, stretch, window.ids[:0])


def _only(window: Window, stretch: Stretch, tokens: Row) -> Row:
    if window.places is None:
        raise ValueError("a window without places has no stretches")
    shown = window.places[:, 0] >= 0
    first = int(shown.argmax())
    # Before the first field stand the beginning, the language and the field's marker; after the last the end.
    before = np.flatnonzero(~shown[: stretch.tokens[0]])
    return np.concatenate([window.ids[: first - 1], window.ids[[before[-1]]], tokens, window.ids[-1:]])
