"""Weights as 8-bit integers: a quarter of the bytes for a change of about 1/254 of each row's largest value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = 127  # of either sign; -128 is unused, so that zero is exact and both signs have the same range


@dataclass(frozen=True, slots=True)
class Rounded:
    """values int8 [rows, columns], scales float32 that broadcast against them: the matrix is `values * scales`."""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]

    def restored(self) -> NDArray[np.float32]:
        return self.values.astype(np.float32) * self.scales


def round_weights(matrix: NDArray[np.float32], axis: int) -> Rounded:
    """Round a matrix with one scale per slice: `axis` is the axis along which values share a scale.

    An embedding table [pieces, width] takes axis 1 (a scale per piece), a linear map [in, out] axis 0 (per output).
    """
    scales = np.abs(matrix).max(axis, keepdims=True).astype(np.float32) / LEVELS
    scales[scales == 0] = 1.0
    values = np.clip(np.rint(matrix / scales), -LEVELS, LEVELS).astype(np.int8)
    return Rounded(values, scales)
