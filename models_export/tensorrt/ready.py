"""From a pack's ONNX file to the graph that TensorRT builds: plain operators, the precision in its types.

The network is strongly typed: TensorRT 11 has no flag for half precision any more, and TensorRT 10 does as it is told
with one. So half precision is cast into the graph before it is parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

from models_export.tensorrt.plain import plain
from processors.engines.profiles import Profile

Precision = Literal["fp32", "fp16"]

KEPT = (*DEFAULT_OP_BLOCK_LIST, "LayerNormalization", "InstanceNormalization", "ReduceMean", "Pow", "Sqrt", "ReduceSum")
"""Operators that stay in 32 bit: sums over hundreds of values, and squares of values over 256."""

LARGEST_HALF = 65_504
"""The largest finite number of 16 bits (IEEE 754)."""

ROWS = 2
"""Of the comparison: two show whether rows stay apart."""

MAX_MOVED: Mapping[Precision, float] = {"fp32": 1e-4, "fp16": 0.05}
"""How far an output may move, as a share of the largest value that it has: rounding, and not another computation."""


class NotReady(ValueError):
    """A graph that computes something else once it is made ready, or cannot be."""


@dataclass(frozen=True, slots=True)
class ReadyGraph:
    model: onnx.ModelProto
    moved: float
    """Largest difference of any output, as a share of the largest value of that output."""


def make_ready(file: Path, bucket: Profile, precision: Precision, *, seed: int = 0) -> ReadyGraph:
    """The graph of `file`, compared with it on the CPU over random inputs of the bucket's tuned shapes, two rows.

    Raises `NotReady` where they differ by more than rounding, and `plain.UnknownOperator`.
    """
    model = plain(onnx.load(file))
    feeds = random_feeds(model, bucket, seed)
    if precision == "fp16":
        # On a CPU neighbouring operators hand 32 bit to each other: what half precision cannot hold is looked for here.
        name, largest = _largest_inside(model, feeds)
        if not largest < LARGEST_HALF:
            raise NotReady(
                f"{file}: {name} reaches {largest:.3g}, and half precision ends at {LARGEST_HALF:,}: use fp32"
            )
        model = convert_float_to_float16(
            model, keep_io_types=True, op_block_list=list(KEPT), disable_shape_infer=not _has_shapes(model)
        )
    here, there = (_outputs(content, feeds) for content in (file.read_bytes(), model.SerializeToString()))
    moved = max(_moved(here[name], there[name]) for name in here)
    if not moved <= MAX_MOVED[precision]:
        raise NotReady(
            f"{file}: made ready for {precision}, its outputs move by {moved:.2g} of their largest value; expected at"
            f" most {MAX_MOVED[precision]:g}"
        )
    return ReadyGraph(model, moved)


def random_feeds(model: onnx.ModelProto, bucket: Profile, seed: int) -> dict[str, NDArray[Any]]:
    """Inputs of the bucket's tuned shapes, at most `ROWS` rows: floats in -1..1, ids of the tables that they look up,
    and masks whose last quarter is padding."""
    rng = np.random.default_rng(seed)
    feeds: dict[str, NDArray[Any]] = {}
    for value in model.graph.input:
        dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        found = bucket[value.name]
        shape = (max(found.least[0], min(found.best[0], ROWS)), *found.best[1:])
        if np.issubdtype(dtype, np.floating):
            feeds[value.name] = rng.uniform(-1, 1, shape).astype(dtype)
        elif "mask" in value.name:
            feeds[value.name] = np.ones(shape, dtype)
            feeds[value.name][:, -(-3 * shape[1] // 4) :] = 0
        else:
            feeds[value.name] = rng.integers(0, _entries(model, value.name), shape).astype(dtype)
    return feeds


def _entries(model: onnx.ModelProto, ids: str) -> int:
    """Of the shortest table that these ids look up."""
    tables = {node.input[0] for node in model.graph.node if node.op_type == "Gather" and node.input[1] == ids}
    return min((int(value.dims[0]) for value in model.graph.initializer if value.name in tables), default=1)


def _largest_inside(model: onnx.ModelProto, feeds: Mapping[str, NDArray[Any]]) -> tuple[str, float]:
    """(tensor, absolute value) of the largest number that would be kept in half precision."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    names = [name for node in model.graph.node if node.op_type not in KEPT for name in node.output if name]
    known = {value.name for value in model.graph.output}
    shown.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    values = _outputs(shown.SerializeToString(), feeds)
    sizes = {
        name: float(np.abs(values[name]).max(initial=0.0))
        for name in names
        if np.issubdtype(values[name].dtype, np.floating)
    }
    return max(sizes.items(), key=lambda item: item[1] if np.isfinite(item[1]) else np.inf, default=("", 0.0))


def _has_shapes(model: onnx.ModelProto) -> bool:
    """Whether shapes can be inferred, which is how the casts find their types."""
    try:
        onnx.shape_inference.infer_shapes(model, strict_mode=True)
    except onnx.shape_inference.InferenceError:
        return False
    return True


def _outputs(content: bytes, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    values: Any = session.run(names, dict(feeds))
    return dict(zip(names, values, strict=True))


def _moved(here: NDArray[Any], there: NDArray[Any]) -> float:
    if here.shape != there.shape or not np.isfinite(there).all():
        return float("inf")
    size = float(np.abs(here).max(initial=0.0)) or 1.0
    return float(np.abs(here.astype(np.float64) - there).max(initial=0.0)) / size
