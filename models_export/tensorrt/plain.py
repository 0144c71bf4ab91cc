"""A pack's graph in operators that TensorRT's parser has; what it computes stays the same.

The text expert is written for ONNX Runtime's CPU build: fused operators of `com.microsoft`, weights and tables in 8 bit
that are restored when the session loads, and a slice whose length depends on the letters of the batch. TensorRT fuses
for itself, has no 8-bit arithmetic but quantisation's, and no shape that depends on values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FUSED = "com.microsoft"
MASKED = -10_000.0
"""What ONNX Runtime adds to the score of a masked place by default."""
FOLDED = {"Cast": 1, "Mul": 2}
"""Operators that are computed here where all of their inputs are constants -> number of inputs."""
EIGHT_BIT = (TensorProto.INT8, TensorProto.UINT8)

Array = NDArray[Any]


class UnknownOperator(ValueError):
    """A graph has something that cannot be said in plain operators."""


def plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph without `com.microsoft`, 8-bit constants and lengths that depend on values.

    Raises `UnknownOperator` for a fused operator that is not one of the text expert's.
    """
    writer = _Writer(model)
    for node in model.graph.node:
        writer.take(node)
    return writer.finish()


class _Writer:
    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._constants = {value.name: value for value in model.graph.initializer}
        self._made = {name: node for node in model.graph.node for name in node.output}
        self._consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in model.graph.node:
            for name in node.input:
                self._consumers.setdefault(name, []).append(node)
        self._nodes: list[onnx.NodeProto] = []

    def take(self, node: onnx.NodeProto) -> None:
        known = {"Attention": self._attention, "SkipLayerNormalization": self._skip_norm, "BiasGelu": self._gelu}
        if node.domain == FUSED:
            if node.op_type not in known:
                raise UnknownOperator(
                    f"{node.name}: {FUSED}'s {node.op_type}; expected plain ONNX, or one of {', '.join(known)}"
                )
            known[node.op_type](node)
        elif len(node.input) == FOLDED.get(node.op_type) and all(name in self._constants for name in node.input):
            self._fold(node)
        elif node.op_type == "Slice" and self._is_trimming(node):
            self._add("Identity", [node.input[0]], node.output[0])
        else:
            self._nodes.append(node)

    def finish(self) -> onnx.ModelProto:
        for name, value in list(self._constants.items()):
            if value.data_type in EIGHT_BIT:
                self._widen(name, value)
        used = {name for node in self._nodes for name in node.input}
        graph = helper.make_graph(
            self._nodes,
            self._model.graph.name,
            list(self._model.graph.input),
            list(self._model.graph.output),
            [value for name, value in self._constants.items() if name in used],
        )
        opsets = [opset for opset in self._model.opset_import if opset.domain != FUSED]
        made = helper.make_model(
            graph, opset_imports=opsets, ir_version=self._model.ir_version, producer_name="modstream"
        )
        onnx.checker.check_model(made)
        return made

    def _add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def _constant(self, name: str, value: Array | np.float32) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def _fold(self, node: onnx.NodeProto) -> None:
        values = [numpy_helper.to_array(self._constants[name]) for name in node.input]
        if node.op_type == "Cast":
            result = values[0].astype(helper.tensor_dtype_to_np_dtype(int(helper.get_node_attr_value(node, "to") or 0)))
        else:
            result = values[0] * values[1]
        self._constant(node.output[0], result)

    def _is_trimming(self, node: onnx.NodeProto) -> bool:
        """Whether the slice cuts at a length that is the largest of some values, behind which all is padding."""
        return _reaches(self._made, node.input[2], "ReduceMax")

    def _widen(self, name: str, value: onnx.TensorProto) -> None:
        """A table of 8-bit integers as what its rows are cast to once they are gathered."""
        casts = [
            cast
            for gather in self._consumers.get(name, [])
            if gather.op_type == "Gather"
            for cast in self._consumers.get(gather.output[0], [])
        ]
        if not casts:
            return  # of a constant that was folded away
        targets = {int(helper.get_node_attr_value(cast, "to") or 0) if cast.op_type == "Cast" else 0 for cast in casts}
        if len(targets) != 1 or 0 in targets:
            raise UnknownOperator(f"{name}: 8-bit values that are not gathered and cast; expected a table of them")
        dtype = helper.tensor_dtype_to_np_dtype(targets.pop())
        self._constant(name, numpy_helper.to_array(value).astype(dtype))

    def _gelu(self, node: onnx.NodeProto) -> None:
        """x/2 * (1 + erf(x / sqrt 2)) of x = input + bias."""
        out = node.output[0]
        x = self._add("Add", node.input, f"{out}.in")
        scaled = self._add("Div", [x, self._constant("root_two", np.float32(math.sqrt(2)))], f"{out}.scaled")
        spread = self._add("Erf", [scaled], f"{out}.erf")
        risen = self._add("Add", [spread, self._constant("one_of_gelu", np.float32(1))], f"{out}.risen")
        half = self._add("Mul", [x, self._constant("half", np.float32(0.5))], f"{out}.half")
        self._add("Mul", [half, risen], out)

    def _skip_norm(self, node: onnx.NodeProto) -> None:
        """norm(input + skip + bias)."""
        _expect(node, attributes=("epsilon",), inputs=5)
        out = node.output[0]
        mapped, skipped, gain, offset, bias = node.input
        mapped = self._add("Add", [mapped, bias], f"{out}.mapped")
        total = self._add("Add", [mapped, skipped], f"{out}.total")
        epsilon = helper.get_node_attr_value(node, "epsilon")
        self._add("LayerNormalization", [total, gain, offset], out, axis=-1, epsilon=epsilon)

    def _attention(self, node: onnx.NodeProto) -> None:
        """softmax(q k' / sqrt size + mask) v of each head; the mask [rows, tokens] holds 1 for a token."""
        _expect(node, attributes=("num_heads",), inputs=4)
        out = node.output[0]
        states, matrix, bias, mask = node.input
        heads = int(helper.get_node_attr_value(node, "num_heads"))
        size = self._constants[matrix].dims[1] // 3 // heads
        joined = self._add("Add", [self._add("MatMul", [states, matrix], f"{out}.mapped"), bias], f"{out}.joined")
        apart = self._constant(f"heads_{heads}", np.array([0, 0, 3, heads, size], np.int64))
        joined = self._add("Reshape", [joined, apart], f"{out}.apart")
        joined = self._add("Transpose", [joined], f"{out}.turned", perm=[2, 0, 3, 1, 4])
        query, key, value = (
            self._add("Gather", [joined, self._constant(f"part_{at}", np.array(at, np.int64))], f"{out}.{at}", axis=0)
            for at in range(3)
        )
        key = self._add("Transpose", [key], f"{out}.key", perm=[0, 1, 3, 2])
        # Scaled before, not behind: half precision overflows at 65,504.
        scale = self._constant(f"scale_{size}", np.float32(1 / math.sqrt(size)))
        query = self._add("Mul", [query, scale], f"{out}.query")
        scores = self._add("MatMul", [query, key], f"{out}.scores")
        scores = self._add("Add", [scores, self._masked(mask)], f"{out}.seen")
        shares = self._add("Softmax", [scores], f"{out}.shares", axis=-1)
        read = self._add("MatMul", [shares, value], f"{out}.read")
        read = self._add("Transpose", [read], f"{out}.back", perm=[0, 2, 1, 3])
        self._add("Reshape", [read, self._constant(f"width_{heads * size}", _width(heads * size))], out)

    def _masked(self, mask: str) -> str:
        """float32 [rows, 1, 1, tokens]: 0 for a token, `MASKED` for padding; made once."""
        name = f"{mask}.masked"
        if not any(name in node.output for node in self._nodes):
            there = self._add("Cast", [mask], f"{mask}.there", to=TensorProto.FLOAT)
            axes = self._constant("mask_axes", np.array([1, 2], np.int64))
            there = self._add("Unsqueeze", [there, axes], f"{mask}.wide")
            away = self._add("Sub", [self._constant("all_there", np.float32(1)), there], f"{mask}.away")
            self._add("Mul", [away, self._constant("masked", np.float32(MASKED))], name)
        return name


def _width(size: int) -> Array:
    return np.array([0, 0, size], np.int64)


def _expect(node: onnx.NodeProto, *, attributes: tuple[str, ...], inputs: int) -> None:
    odd = sorted({found.name for found in node.attribute} - set(attributes))
    if odd or len([name for name in node.input if name]) != inputs:
        raise UnknownOperator(
            f"{node.name}: {node.op_type} with {len(node.input)} inputs and {', '.join(odd) or 'nothing'} besides;"
            f" expected {inputs} inputs and {', '.join(attributes)} alone"
        )


def _reaches(made: dict[str, onnx.NodeProto], name: str, kind: str) -> bool:
    """Whether a value follows from an operator of this kind, by way of casts and bounds alone."""
    node = made.get(name)
    if node is None:
        return False
    if node.op_type == kind:
        return True
    return node.op_type in ("Cast", "Max", "Min") and any(_reaches(made, source, kind) for source in node.input)
