"""From the text expert's logits to calibrated probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.packs import Pack

DECIMALS = 3
"""Probabilities are rounded to this before anything is decided by them, so that the last bits of a device's arithmetic
decide nothing."""

_MAX_EXPONENT = 700.0
"""exp() of more overflows; the probability is 0 or 1 to the last bit long before."""


class Calibration:
    """probability = sigmoid((logit + bias) / temperature), for the labels that the pack has measured."""

    def __init__(self, pack: Pack) -> None:
        heads = pack.manifest.text.heads
        self.labels = pack.manifest.measured
        """The columns of what `window_probabilities` gives."""
        self._columns = [heads.index(label) for label in self.labels]
        self._heads = len(heads)
        parts = [pack.manifest.calibration[label] for label in self.labels]
        self._bias = np.array([part.bias for part in parts])
        self._temperature = np.array([part.temperature for part in parts])

    def window_probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """[windows, heads] -> [windows, labels], rounded. Raises as `exact`."""
        return np.round(self.exact(logits), DECIMALS)

    def exact(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """[windows, heads] -> [windows, labels], as they are.

        Raises ValueError for logits of another number of heads, as from another pack.
        """
        if logits.shape[1] != self._heads:
            raise ValueError(f"logits of {logits.shape[1]} heads; expected the {self._heads} of this worker's pack")
        scaled = (logits[:, self._columns].astype(np.float64) + self._bias) / self._temperature
        return 1.0 / (1.0 + np.exp(-np.clip(scaled, -_MAX_EXPONENT, _MAX_EXPONENT)))

    def post_probabilities(self, windows: NDArray[np.float64]) -> dict[str, float]:
        """A post's probability of each label: the highest of its windows'. A post is as bad as its worst part."""
        return dict(zip(self.labels, windows.max(axis=0).tolist(), strict=True))
