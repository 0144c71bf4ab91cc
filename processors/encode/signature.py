"""Whether a graph has the inputs and outputs that a manifest says."""

from __future__ import annotations

from collections.abc import Iterator

from processors.engines import TensorSpec
from processors.packs.parts import Tensor

Shape = tuple[int | None, ...]
"""A dimension that may vary is None."""


def compare(field: str, tensor: Tensor, shape: Shape, found: tuple[TensorSpec, ...]) -> Iterator[tuple[str, str]]:
    """(field of the manifest, problem) for everything in which the graph's tensor of that name differs.

    A dimension that the graph leaves open fits anything; a fixed one must be what is needed.
    """
    spec = next((spec for spec in found if spec.name == tensor.name), None)
    if spec is None:
        yield f"{field}.name", f"the graph has no {tensor.name!r}; expected one of {[spec.name for spec in found]}"
        return
    if spec.dtype != tensor.dtype:
        yield f"{field}.dtype", f"{tensor.dtype}, but the graph has {spec.dtype}"
    fits = len(spec.shape) == len(shape) and all(
        there is None or there == needed for there, needed in zip(spec.shape, shape, strict=True)
    )
    if not fits:
        yield field, f"the graph has shape {_show(spec.shape)}; expected {_show(shape)}"


def only(field: str, named: set[str], found: tuple[TensorSpec, ...]) -> Iterator[tuple[str, str]]:
    """A problem for each input of the graph that the manifest does not name: nobody would fill it."""
    for spec in found:
        if spec.name not in named:
            yield field, f"the graph has a further input {spec.name!r}; expected only {sorted(named)}"


def _show(shape: Shape) -> str:
    return f"[{', '.join('any' if size is None else str(size) for size in shape)}]"
