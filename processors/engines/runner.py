"""How many rows of different lengths go through one model: the shapes that the two runners share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from processors.engines.engine import EngineStatistics

Rows = Sequence[NDArray[np.int32]]
"""Token ids of each row, shape [tokens], not padded, at least one token each."""

RowModel = Callable[[NDArray[np.int64], NDArray[np.int64]], tuple[NDArray[Any], ...]]
"""(ids, mask), both [rows, tokens] -> arrays whose first axis is the rows. Called from several threads at once."""


class Runner(Protocol):
    """Runs rows so that what a row gives does not depend on the others."""

    def run(self, rows: Rows, /) -> tuple[tuple[NDArray[Any], ...], EngineStatistics]:
        """The model's outputs, their first axis in the order of `rows`, and what the calls cost.

        `rows` is not empty. Raises what the model raises.
        """
        ...
