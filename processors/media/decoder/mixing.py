"""Two channels into one without losing what only their difference holds.

The mean of two channels of which one is the other upside down is silence, although listeners with headphones hear all
of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CANCELLED = 4.0
"""Times that the difference of the channels has more energy than their sum, from which on it is taken in its stead.
Recordings in stereo have most of theirs in the sum."""


def mono(stereo: NDArray[np.int16]) -> NDArray[np.int16]:
    """int16 [n] of int16 [n, 2]: their mean, or half of their difference where the mean cancels them."""
    left, right = stereo[:, 0].astype(np.int32), stereo[:, 1].astype(np.int32)
    both, apart = left + right, left - right
    chosen = apart if _energy(apart) > _CANCELLED * _energy(both) else both
    return (chosen >> 1).astype(np.int16)


def _energy(samples: NDArray[np.int32]) -> float:
    return float(np.square(samples, dtype=np.float64).sum())
