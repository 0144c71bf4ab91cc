"""TensorRT as an engine, without ONNX Runtime between: a file that was built ahead for this GPU, or an error."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.engines.engine import EngineError, TensorSpec
from processors.engines.engine_card import REBUILD, EngineTensor, read_engine
from processors.engines.profiles import choose
from processors.engines.tensorrt_library import Context, Library, load_library

PROVIDER = "TensorRT"
"""Not ONNX Runtime's `TensorrtExecutionProvider`: decisions tell the two apart."""


class TensorRtEngine:
    """One engine file; every thread that runs it has a context, a stream and buffers of its own.

    Not run on hardware: what a GPU is needed for has only been checked against the library's interface.
    """

    def __init__(self, graph: Path, engine: Path, *, library: Library | None = None) -> None:
        """`graph`: the pack's ONNX, which `engine` must have been built from.

        Raises `EngineError` where TensorRT, a GPU or the file is missing, and where the file was built from another
        graph, with another TensorRT or for another GPU: there is no falling back.
        """
        library = library or load_library()
        content, self._card = read_engine(engine, graph, library)
        self._file = engine
        self._plan = library.open(content)
        if self._plan.profiles != len(self._card.profiles):
            raise EngineError(
                f"{engine}: {self._plan.profiles} buckets; expected {len(self._card.profiles)}, as its card says:"
                f" {REBUILD}"
            )
        self._inputs = tuple(map(_spec, self._card.inputs))
        self._outputs = tuple(map(_spec, self._card.outputs))
        names = (tuple(spec.name for spec in self._inputs), tuple(spec.name for spec in self._outputs))
        if (set(self._plan.inputs), set(self._plan.outputs)) != (set(names[0]), set(names[1])):
            found = ", ".join((*self._plan.inputs, *self._plan.outputs))
            raise EngineError(f"{engine}: its tensors are {found}; expected those of its card: {REBUILD}")
        self._contexts = threading.local()

    @property
    def provider(self) -> str:
        return PROVIDER

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._outputs

    def run(self, feeds: Mapping[str, NDArray[Any]], /) -> dict[str, NDArray[Any]]:
        arrays = {spec.name: self._fed(spec, feeds) for spec in self._inputs}
        context: Context | None = getattr(self._contexts, "own", None)
        if context is None:
            context = self._contexts.own = self._plan.context()
        try:
            profile = choose(self._card.profiles, {name: array.shape for name, array in arrays.items()})
            found = context.run(profile, arrays)
        except EngineError as error:
            raise EngineError(f"{self._file.name}: {error}") from error
        return {spec.name: found[spec.name] for spec in self._outputs}

    def _fed(self, spec: TensorSpec, feeds: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        array = feeds.get(spec.name)
        if array is None:
            raise EngineError(f"{self._file.name}: no input {spec.name!r}; expected it among the feeds")
        if array.dtype != np.dtype(spec.dtype):
            raise EngineError(f"{self._file.name}: input {spec.name!r} is {array.dtype}; expected {spec.dtype}")
        return np.ascontiguousarray(array)


def _spec(tensor: EngineTensor) -> TensorSpec:
    return TensorSpec(tensor.name, tensor.dtype, tensor.shape)
