"""From bytes to a graph's input: channel order, scale, mean and deviation in one step.

A channel has 256 values, so that (value * scale - mean) / std is a table; looking up writes straight into the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processors.ocr.graph_config import ChannelOrder


@dataclass(frozen=True, slots=True, eq=False)
class PlaneTables:
    """For each channel of the graph's input, in its order: the channel of an RGB picture, and the table."""

    channels: tuple[int, int, int]
    tables: NDArray[np.float32]
    """Shape [3, 256]."""

    @classmethod
    def of(
        cls,
        order: ChannelOrder,
        scale: float,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
    ) -> PlaneTables:
        values = np.arange(256, dtype=np.float64) * scale
        tables = np.stack([(values - centre) / spread for centre, spread in zip(mean, std, strict=True)])
        return cls((2, 1, 0) if order == "BGR" else (0, 1, 2), tables.astype(np.float32))

    def fill(self, planes: NDArray[np.float32], pixels: NDArray[np.uint8]) -> None:
        """`pixels` [height, width, 3] into the left of `planes` [3, height, width or more], which lie in memory row
        by row."""
        width = pixels.shape[1]
        for plane, channel, table in zip(planes, self.channels, self.tables, strict=True):
            cv2.LUT(np.ascontiguousarray(pixels[:, :, channel]), table, plane[:, :width])
