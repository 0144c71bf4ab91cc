"""A tiny fusion for tests: a red picture makes harmless lines hateful, a dark one takes hateful lines back.

logit = 10 x red x its weight + 5 x bad words x their weight - 4, where `red` is the first of the image's features and
`bad words` the first number of the text expert's embedding: 1 with a bad word, -1 without.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.tiny_image import FEATURES
from tests.tiny_pack import WIDTH, described, write_manifest

SIZES = {"ocr": WIDTH, "image": FEATURES}
BIAS = -4.0


def write_fusion_graph(path: Path, *, heads: int = 1, width: int = WIDTH) -> None:
    """ocr [posts, width], image [posts, FEATURES], weights [posts, 2] -> logits [posts, heads]."""
    constants = {
        "first": np.array([0], np.int64),
        "second": np.array([1], np.int64),
        "says": np.tile(np.array([[5.0], [10.0]], np.float32), (1, heads)),
        "bias": np.full(heads, BIAS, np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["ocr", "first"], ["bad"], axis=1),
        helper.make_node("Gather", ["image", "first"], ["red"], axis=1),
        helper.make_node("Concat", ["bad", "red"], ["both"], axis=1),
        helper.make_node("Mul", ["both", "weights"], ["trusted"]),
        helper.make_node("MatMul", ["trusted", "says"], ["sum"]),
        helper.make_node("Add", ["sum", "bias"], ["logits"]),
    ]
    inputs = {**SIZES, "ocr": width, "weights": len(SIZES)}
    graph = helper.make_graph(
        nodes,
        "tiny_fusion",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["posts", size]) for name, size in inputs.items()],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["posts", heads])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def tiny_fusion_part(folder: Path) -> dict[str, Any]:
    """The manifest's part for `fusion.onnx` in `folder`: `hate`, learnt from research data."""
    return {
        "graph": described(folder / "fusion.onnx"),
        "tokens": {name: {"tensor": {"name": name, "dtype": "float32"}, "size": size} for name, size in SIZES.items()},
        "weights": {"name": "weights", "dtype": "float32"},
        "logits": {"name": "logits", "dtype": "float32"},
        "heads": ["hate"],
        "calibration": {"hate": {"temperature": 1.0}},
        "labels": {"hate": {"status": "measured"}},
        "licence": "LicenseRef-research-only",
        "training": [{"name": "memes", "licence": "LicenseRef-research-only", "rows": 1250}],
        "figures": {"gain": {"low": 0.01, "high": 0.03}},
    }


def add_tiny_fusion(folder: Path, **changed: Any) -> Path:
    """The pack in `folder`, which has an image expert, with a fusion; `changed` fields of its part."""
    write_fusion_graph(folder / "fusion.onnx")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    write_manifest(folder, {**manifest, "fusion": {**tiny_fusion_part(folder), **changed}})
    return folder
