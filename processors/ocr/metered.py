"""A graph of one input and one output on an engine, with an account of what it did."""

from __future__ import annotations

import threading
import time

import numpy as np
from numpy.typing import NDArray

from processors.engines import Engine, EngineError, EngineStatistics


class MeteredGraph:
    """Pictures in, numbers out. Safe to call from several threads."""

    def __init__(self, graph: str, engine: Engine) -> None:
        """`graph`: what metrics call it. Raises `EngineError` for a graph of another kind."""
        self.graph = graph
        self.engine = engine
        if len(engine.inputs) != 1 or len(engine.outputs) != 1:
            found = f"{len(engine.inputs)} inputs and {len(engine.outputs)} outputs"
            raise EngineError(f"the {graph} graph has {found}; expected one of each, as PaddleOCR exports it")
        self._input = engine.inputs[0]
        if self._input.dtype != "float32" or len(self._input.shape) != 4 or self._input.shape[1] not in (3, None):
            found = f"{self._input.dtype} of shape {list(self._input.shape)}"
            raise EngineError(f"the {graph} graph takes {found}; expected float32 [pictures, 3, height, width]")
        self._output = engine.outputs[0].name
        self._statistics = EngineStatistics()
        self._lock = threading.Lock()

    @property
    def statistics(self) -> EngineStatistics:
        """What the engine has done since the start. `tokens` are pixels here."""
        with self._lock:
            return self._statistics

    def run(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """`pictures`: [pictures, 3, height, width]. Raises `EngineError`."""
        began = time.perf_counter()
        output = self.engine.run({self._input.name: pictures})[self._output]
        count, _, height, width = pictures.shape
        ran = EngineStatistics(1, count, count * height * width, time.perf_counter() - began)
        with self._lock:
            self._statistics += ran
        return output
