"""What an engine is: a loaded graph that turns named arrays into named arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

Device = Literal["cpu", "cuda", "tensorrt"]
DEVICES: tuple[Device, ...] = ("cpu", "cuda", "tensorrt")


class EngineError(Exception):
    """An engine cannot be made, or a run failed; the message names the graph and what is expected."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output of a graph. A dimension that may vary is None."""

    name: str
    dtype: str
    """As numpy names it: `int64`, `float32`."""
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """What engine calls cost. Add them up over time."""

    runs: int = 0
    rows: int = 0
    tokens: int = 0
    """Places of all rows, padding included."""
    seconds: float = 0.0
    """Summed over runs; runs side by side count each."""

    def __add__(self, other: EngineStatistics) -> EngineStatistics:
        return EngineStatistics(
            self.runs + other.runs,
            self.rows + other.rows,
            self.tokens + other.tokens,
            self.seconds + other.seconds,
        )


class Engine(Protocol):
    """A graph on a device. `run` may be called from several threads at once."""

    @property
    def provider(self) -> str:
        """What the graph runs on, as decisions show it."""
        ...

    @property
    def inputs(self) -> tuple[TensorSpec, ...]: ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]: ...

    def run(self, feeds: Mapping[str, NDArray[Any]], /) -> dict[str, NDArray[Any]]:
        """All outputs by name. Raises `EngineError`."""
        ...
