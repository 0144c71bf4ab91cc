"""The head as an ONNX graph, calibration folded into its last layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models_export.measures.calibrate import Calibration

OPSET = 18
IR_VERSION = 10  # what ONNX Runtime 1.18 and later read
FEATURES, CONFIDENCES, OUTPUT = "features", "confidences", "logits"

Weights = Mapping[str, NDArray[np.float32]]
"""Parameters and buffers of `AudioHead` by name."""


def write_graph(weights: Weights, calibrations: Sequence[Calibration]) -> onnx.ModelProto:
    """features float32 [segments, width], confidences float32 [segments] -> logits float32 [segments, labels].

    `calibrations`: of each label; the graph's logits are calibrated, and the sigmoid of one is a probability.
    """
    constants: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def constant(name: str, value: Any) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    heat = np.array([one.temperature for one in calibrations], np.float32)
    bias = np.array([one.bias for one in calibrations], np.float32)
    axis = constant("label_axis", np.array([1], np.int64))
    centred = node("Sub", [FEATURES, constant("centre", weights["centre"])], "centred")
    normal = node("Div", [centred, constant("spread", weights["spread"])], "normal")
    seen = node("Mul", [normal, node("Unsqueeze", [CONFIDENCES, axis], "shares")], "seen")
    parts = [constant(f"hidden.{kind}", weights[f"hidden.{kind}"]) for kind in ("weight", "bias")]
    hidden = node("Relu", [node("Gemm", [seen, *parts], "inner", transB=1)], "hidden")
    matrix = constant("head.weight", weights["head.weight"] / heat[:, None])
    node("Gemm", [hidden, matrix, constant("head.bias", (weights["head.bias"] + bias) / heat)], OUTPUT, transB=1)
    width, labels = len(weights["centre"]), len(weights["head.bias"])
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "audio_head",
            [
                helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["segments", width]),
                helper.make_tensor_value_info(CONFIDENCES, TensorProto.FLOAT, ["segments"]),
            ],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["segments", labels])],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="modstream",
    )
    onnx.checker.check_model(model, full_check=True)
    return model
