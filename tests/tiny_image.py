"""A tiny image expert for tests: red pictures are `sexual`, blue ones `violence`, and the features are the mean colour.

`leaky=True` takes the mean colour of the whole batch away: then neighbours really move a picture's scores.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.tiny_pack import described, write_manifest

SIDE = 16
HEADS = ("sexual", "violence")
FEATURES = 3


def write_image_graph(path: Path, *, leaky: bool = False, heads: int = len(HEADS)) -> None:
    """pictures [pictures, 3, SIDE, SIDE] of about -1..1 -> logits [pictures, heads], features [pictures, 3]."""
    weights = np.array([[6.0, -3.0], [-3.0, -3.0], [-3.0, 6.0]], np.float32)[:, :heads]
    nodes = [helper.make_node("ReduceMean", ["pictures"], ["colour"], axes=[2, 3], keepdims=0)]
    if leaky:
        nodes.append(helper.make_node("ReduceMean", ["colour"], ["usual"], axes=[0], keepdims=1))
        nodes.append(helper.make_node("Sub", ["colour", "usual"], ["features"]))
    else:
        nodes.append(helper.make_node("Identity", ["colour"], ["features"]))
    nodes.append(helper.make_node("MatMul", ["features", "weights"], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "tiny_image",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["pictures", 3, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["pictures", heads]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["pictures", FEATURES]),
        ],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def tiny_image_part(folder: Path) -> dict[str, Any]:
    """The manifest's part for `image.onnx` in `folder`; only `sexual` counts as measured."""
    return {
        "graph": described(folder / "image.onnx"),
        "input": {
            "tensor": {"name": "pictures", "dtype": "float32"},
            "layout": "nchw",
            "channels": "rgb",
            "resize": 20,
            "size": SIDE,
            "mean": [127.5, 127.5, 127.5],
            "std": [127.5, 127.5, 127.5],
        },
        "logits": {"name": "logits", "dtype": "float32"},
        "features": {"name": "features", "dtype": "float32"},
        "features_size": FEATURES,
        "heads": list(HEADS),
        "calibration": {"sexual": {"temperature": 1.0}},
        "thresholds": {"sexual": 0.8},
        "labels": {
            "sexual": {"status": "measured", "dev": {"negatives": {}}},
            "violence": {"status": "not_assessed", "note": "nothing to measure it on"},
        },
        "origin": {"name": "mean colour", "licence": "CC0-1.0"},
    }


def add_tiny_image(folder: Path, *, leaky: bool = False) -> Path:
    """The pack in `folder`, with an image expert."""
    write_image_graph(folder / "image.onnx", leaky=leaky)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    write_manifest(folder, {**manifest, "image": tiny_image_part(folder)})
    return folder
