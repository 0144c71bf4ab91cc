"""From an expert's logits to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from processors.packs import Expert, Pack

DECIMALS = 3
"""Probabilities are rounded to this before anything is decided by them, so that the last bits of a device's arithmetic
decide nothing."""

_MAX_EXPONENT = 700.0
"""exp() of more overflows; the probability is 0 or 1 to the last bit long before."""


def probabilities(
    logits: NDArray[np.floating], bias: NDArray[np.float64], temperature: NDArray[np.float64]
) -> NDArray[np.float64]:
    """sigmoid((logit + bias) / temperature), not rounded: [..., heads], with bias and temperature [heads]."""
    scaled = (logits.astype(np.float64) + bias) / temperature
    return 1.0 / (1.0 + np.exp(-np.clip(scaled, -_MAX_EXPONENT, _MAX_EXPONENT)))


class Calibration:
    """`probabilities`, for heads that an expert was measured on."""

    def __init__(self, pack: Pack, expert: Expert = "text", heads: Sequence[str] | None = None) -> None:
        """`heads`: measured ones of the expert; by default its labels. A pack without such an expert has none."""
        part = pack.manifest.text if expert == "text" else pack.manifest.image
        columns = part.heads if part is not None else ()
        self._expert = expert
        self.heads = pack.labels_of(expert) if heads is None else tuple(heads)
        """The columns of what `exact` gives."""
        self._columns = [columns.index(head) for head in self.heads]
        self._width = len(columns)
        image = pack.manifest.image
        fitted = pack.manifest.calibration if expert == "text" else image.calibration if image is not None else {}
        self._bias = np.array([fitted[head].bias for head in self.heads])
        self._temperature = np.array([fitted[head].temperature for head in self.heads])

    def exact(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """[rows, the expert's heads] -> [rows, `heads`], not rounded.

        Raises ValueError for logits of another number of heads, as from another pack.
        """
        if logits.shape[1] != self._width:
            raise ValueError(
                f"{self._expert} logits of {logits.shape[1]} heads; expected the {self._width} of this worker's pack"
            )
        return probabilities(logits[:, self._columns], self._bias, self._temperature)
