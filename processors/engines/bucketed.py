"""Many rows a run, for graphs whose rows do not influence each other."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.engines.engine import EngineStatistics
from processors.engines.runner import RowModel, Rows

BUCKET_TOKENS = 16
"""Rows are padded to multiples of this: few shapes for an engine to prepare, and at most 15 wasted places a row."""


class BucketedRunner:
    """Pads every row to its own bucket, whatever its neighbours are, and runs each bucket by itself.

    A row thus has the same shape alone and in any batch; its number of neighbours is all that varies.
    """

    def __init__(
        self, model: RowModel, *, pad: int, max_tokens: int, max_rows: int = 64, bucket_tokens: int = BUCKET_TOKENS
    ) -> None:
        """`max_tokens`: the longest row, and what no row is padded beyond. `max_rows`: rows of one run; more go into
        several."""
        if min(max_tokens, max_rows, bucket_tokens) < 1:
            raise ValueError(
                f"max_tokens {max_tokens}, max_rows {max_rows}, bucket_tokens {bucket_tokens}; expected at least 1"
            )
        self._model = model
        self._pad = pad
        self._max_tokens = max_tokens
        self._max_rows = max_rows
        self._bucket_tokens = bucket_tokens

    def run(self, rows: Rows, /) -> tuple[tuple[NDArray[Any], ...], EngineStatistics]:
        buckets: dict[int, list[int]] = {}
        for index, row in enumerate(rows):
            buckets.setdefault(self._width(len(row)), []).append(index)
        outputs: list[NDArray[Any]] = []
        statistics = EngineStatistics()
        for width, members in buckets.items():
            for start in range(0, len(members), self._max_rows):
                chosen = members[start : start + self._max_rows]
                began = time.perf_counter()
                values = self._model(*self._padded([rows[index] for index in chosen], width))
                statistics += EngineStatistics(1, len(chosen), len(chosen) * width, time.perf_counter() - began)
                if not outputs:
                    outputs = [np.empty((len(rows), *value.shape[1:]), value.dtype) for value in values]
                for output, value in zip(outputs, values, strict=True):
                    output[chosen] = value
        return tuple(outputs), statistics

    def _width(self, tokens: int) -> int:
        return min(-(-tokens // self._bucket_tokens) * self._bucket_tokens, self._max_tokens)

    def _padded(self, rows: Rows, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        ids = np.full((len(rows), width), self._pad, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        return ids, mask
