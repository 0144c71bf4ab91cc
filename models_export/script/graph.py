"""The script network as an ONNX graph: normalisation folded into the convolutions, calibration into the last layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models_export.script.layers import FLOOR, LAYERS, padding
from models_export.script.letters import SCRIPTS

OPSET = 18
IR_VERSION = 10  # what ONNX Runtime 1.18 and later read
EPSILON = np.float32(1e-5)  # of batch normalisation
INPUT, OUTPUT = "lines", "logits"

Weights = Mapping[str, NDArray[np.float32]]
"""Parameters and running statistics of `ScriptNetwork` by name."""


def write_graph(weights: Weights, height: int, temperature: float) -> onnx.ModelProto:
    """lines float32 [lines, 1, height, width] -> logits float32 [lines, scripts], divided by the temperature."""
    constants: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def constant(name: str, value: Any) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    area = constant("area", np.array([2, 3], np.int64))
    centred = node("Sub", [INPUT, node("ReduceMean", [INPUT, area], "mean")], "centred")
    power = node("ReduceMean", [node("Mul", [centred, centred], "squared"), area], "power")
    spread = node("Sqrt", [node("Add", [power, constant("floor", np.float32(FLOOR))], "raised")], "spread")
    last = node("Div", [centred, spread], "normal")
    for at, (_, kernel, stride) in enumerate(LAYERS):
        matrix, bias = _folded(weights, 3 * at)
        rows, columns = padding(kernel)
        last = node(
            "Conv",
            [last, constant(f"conv{at}.weight", matrix), constant(f"conv{at}.bias", bias)],
            f"conv{at}",
            strides=list(stride),
            pads=[rows, columns, rows, columns],
        )
        last = node("Relu", [last], f"relu{at}")
    columns = node("Squeeze", [last, constant("height_axis", np.array([2], np.int64))], "columns")
    shares = constant("share.weight", weights["weight.weight"][..., 0])
    scores = node("Conv", [columns, shares, constant("share.bias", weights["weight.bias"])], "scores")
    weighted = node("Mul", [columns, node("Softmax", [scores], "shares", axis=-1)], "weighted")
    line = node("ReduceSum", [weighted, constant("width_axis", np.array([2], np.int64))], "line", keepdims=0)
    head = [constant(f"head.{kind}", weights[f"head.{kind}"] / np.float32(temperature)) for kind in ("weight", "bias")]
    node("Gemm", [line, *head], OUTPUT, transB=1)
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "script_expert",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["lines", 1, height, "width"])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["lines", len(SCRIPTS)])],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="modstream",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _folded(weights: Weights, at: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights and bias of layer `at`'s convolution with the normalisation behind it."""
    norm = f"layers.{at + 1}"
    scale = np.asarray(weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + EPSILON), np.float32)
    matrix = np.asarray(weights[f"layers.{at}.weight"] * scale[:, None, None, None], np.float32)
    return matrix, np.asarray(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale, np.float32)
