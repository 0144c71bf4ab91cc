"""What a line says: crops through the recognition graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from processors.ocr.crops import in_pieces
from processors.ocr.ctc import Reading, decode, mean_confidence
from processors.ocr.graph_config import RecognitionConfig
from processors.ocr.lanes import Lanes
from processors.ocr.metered import MeteredGraph
from processors.ocr.planes import PlaneTables

Pixels = NDArray[np.uint8]

BUCKET = 16
"""A crop is padded on the right to a multiple of this: at most 15 columns of some hundred are wasted, and lines of
about the same length share a run."""

MIN_WIDTH = 48

MAX_WIDTH = 1_600
"""A longer crop is read in pieces: some 100 Latin letters at 48 pixels of height, half of what PaddleOCR takes before
it squeezes the line. Memory grows with the width, by 18,710 probabilities for every 8 columns."""


class Recogniser:
    """Reads crops of one line each. A line reads the same alone and in any batch: how far it is padded depends on its
    own width alone."""

    def __init__(self, graph: MeteredGraph, config: RecognitionConfig, lanes: Lanes, *, max_columns: int) -> None:
        """`max_columns`: of all crops of one run together; a longer crop runs alone."""
        self.height = config.height
        self._graph = graph
        self._characters = config.characters
        self._lanes = lanes
        self._max_columns = max_columns
        # To -1..1 in every channel, as PP-OCR's recognisers were trained; padding is the middle.
        self._tables = PlaneTables.of(config.channels, 1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """`crops`: [height, width, 3], RGB. Raises `EngineError`."""
        lines = [in_pieces(crop, MAX_WIDTH) for crop in crops]
        readings = iter(self._read([piece for line in lines for piece in line]))
        return [_joined([next(readings) for _ in line]) for line in lines]

    def _read(self, crops: Sequence[Pixels]) -> list[Reading]:
        widths: dict[int, list[int]] = {}
        for at, crop in enumerate(crops):
            widths.setdefault(bucket_width(crop.shape[1]), []).append(at)
        runs = [
            (width, members[start : start + rows])
            for width, members in widths.items()
            for rows in (max(1, self._max_columns // width),)
            for start in range(0, len(members), rows)
        ]

        def run(job: tuple[int, list[int]]) -> list[Reading]:
            width, members = job
            return self._run([crops[at] for at in members], width)

        found = self._lanes.map(run, runs, cost=lambda job: job[0] * len(job[1]))
        readings = [Reading("", 0.0)] * len(crops)
        for (_, members), results in zip(runs, found, strict=True):
            for at, result in zip(members, results, strict=True):
                readings[at] = result
        return readings

    def _run(self, crops: Sequence[Pixels], width: int) -> list[Reading]:
        batch = np.zeros((len(crops), 3, self.height, width), np.float32)
        for planes, crop in zip(batch, crops, strict=True):
            self._tables.fill(planes, crop)
        return decode(self._graph.run(batch), self._characters)


def _joined(pieces: Sequence[Reading]) -> Reading:
    if len(pieces) == 1:
        return pieces[0]
    confidence = mean_confidence([(piece.text, piece.confidence) for piece in pieces])
    return Reading(" ".join(piece.text for piece in pieces if piece.text), confidence or 0.0)


def bucket_width(width: int) -> int:
    """What a crop of this width is padded to."""
    return max(MIN_WIDTH, -(-width // BUCKET) * BUCKET)
