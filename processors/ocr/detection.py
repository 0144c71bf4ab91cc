"""Where text is: pictures through the detection graph."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from processors.engines import EngineError
from processors.ocr.boxes import Region, text_regions
from processors.ocr.graph_config import DetectionConfig
from processors.ocr.lanes import Lanes
from processors.ocr.metered import MeteredGraph
from processors.ocr.planes import PlaneTables

Pixels = NDArray[np.uint8]
"""A picture, shape [height, width, 3], RGB."""

STRIDE = 32
"""The network halves the sides five times: they must be multiples of this."""


SMALL_SIDE = 448
MAX_ENLARGED = 2.5
"""Pictures with a shorter long side than this, in pixels, are enlarged to it, so many times at most: in tiny ones the
detector misses half of the words. Of 58 words and sentences in close boxes 12 to 300 pixels high 38 were read as they
are, and 52 so."""


def detection_size(width: int, height: int, side: int) -> tuple[int, int]:
    """(width, height) at which lines of a picture are looked for: the long side at most about `side`, both sides the
    nearest multiples of STRIDE. As PaddleOCR's `DetResizeForTest` with `limit_type: max`, but for tiny pictures."""
    long = max(width, height)
    ratio = min(side / long, min(max(SMALL_SIDE / long, 1.0), MAX_ENLARGED))
    return _strides(int(width * ratio)), _strides(int(height * ratio))


def detection_input(picture: Pixels, side: int) -> Pixels:
    """The picture at its detection size."""
    height, width = picture.shape[:2]
    size = detection_size(width, height, side)
    resized = picture if size == (width, height) else cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


class Detector:
    """Finds lines. A picture's lines are the same alone and in any batch: it has only pictures of its own size beside
    it, and no padding."""

    def __init__(self, graph: MeteredGraph, config: DetectionConfig, lanes: Lanes, *, max_rows: int) -> None:
        """`max_rows`: pictures of one run."""
        self._graph = graph
        self._config = config
        self._lanes = lanes
        self._max_rows = max_rows
        self._tables = PlaneTables.of(config.channels, config.scale, config.mean, config.std)

    def detect(self, inputs: Sequence[Pixels]) -> list[list[Region]]:
        """The lines of each picture, in pixels of the input. Raises `EngineError`."""
        sizes: dict[tuple[int, ...], list[int]] = {}
        for at, pixels in enumerate(inputs):
            sizes.setdefault(pixels.shape, []).append(at)
        runs = [
            members[start : start + self._max_rows]
            for members in sizes.values()
            for start in range(0, len(members), self._max_rows)
        ]

        def run(members: Sequence[int]) -> list[list[Region]]:
            return self._run([inputs[at] for at in members])

        found = self._lanes.map(run, runs, cost=lambda members: len(members) * inputs[members[0]].size)
        regions: list[list[Region]] = [[] for _ in inputs]
        for members, results in zip(runs, found, strict=True):
            for at, result in zip(members, results, strict=True):
                regions[at] = result
        return regions

    def _run(self, inputs: Sequence[Pixels]) -> list[list[Region]]:
        height, width = inputs[0].shape[:2]
        batch = np.empty((len(inputs), 3, height, width), np.float32)
        for row, pixels in zip(batch, inputs, strict=True):
            self._tables.fill(row, pixels)
        maps = self._graph.run(batch)
        if not np.isfinite(maps).all():  # no mark would be above the threshold, and whatever is written approved
            raise EngineError("the detection graph's output is not finite; expected probabilities")
        return [text_regions(probabilities[0], self._config) for probabilities in maps]


def _strides(side: int) -> int:
    return max(STRIDE, round(side / STRIDE) * STRIDE)
