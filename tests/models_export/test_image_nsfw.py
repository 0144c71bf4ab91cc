"""A trace as Keras writes it becomes a small graph with the same numbers, and goes into a pack."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from models_export.image_expert.nsfw import SIDE, UnknownGraph, largest_difference, rewrite
from models_export.image_expert.pack_part import GRAPH_FILE, main
from models_export.packing.card import CARD_FILE
from processors.packs import load_pack
from tests.models_export.test_card import manifest as card_manifest
from tests.tiny_pack import MEASURED, described, tiny_manifest, write_manifest, write_tiny_pack

WIDTH = 4


class _Trace:
    """Nodes as in the wheel's graph: channels last, float-to-float casts, batch norms spelled out."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(2)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, *shape: int, low: float = -0.5, high: float = 0.5) -> str:
        return self.fixed(self.random.uniform(low, high, shape).astype(np.float32))

    def fixed(self, value: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def convolution(self, source: str, channels: tuple[int, int], kernel: int, stride: int = 1) -> str:
        pad = 1 if kernel == 3 else 0
        limit = 1 / (channels[1] * kernel * kernel)  # so that log-odds stay far from where a softmax has no digits left
        weights = self.constant(*channels, kernel, kernel, low=-limit, high=limit)
        first = self.node("Transpose", source, perm=[0, 3, 1, 2])
        found = self.node("Conv", first, weights, strides=[stride] * 2, pads=[pad] * 4, kernel_shape=[kernel] * 2)
        last = self.node("Cast", self.node("Transpose", found, perm=[0, 2, 3, 1]), to=TensorProto.FLOAT)
        return self.node("Add", last, self.constant(1, 1, 1, channels[0]))

    def norm(self, source: str) -> str:
        shape = (1, 1, 1, WIDTH)
        moved = self.node("Sub", source, self.constant(*shape))
        scaled = self.node("Mul", moved, self.constant(*shape, low=0.5, high=1.5))
        return self.node("Add", scaled, self.constant(*shape))


def write_trace(path: Path, *, classes: int = 2, odd: bool = False) -> Path:
    trace = _Trace()
    pads = trace.fixed(np.array([0, 3, 3, 0, 0, 3, 3, 0], np.int64))
    shown = trace.node("Pad", "input_0", pads, mode="constant")
    states = trace.node("Relu", trace.norm(trace.convolution(shown, (WIDTH, 3), 7, 2)))
    more = trace.fixed(np.array([0, 0, 0, 0, 0, 0, 1, 1], np.int64))
    padded = trace.node("Pad", trace.node("Transpose", states, perm=[0, 3, 1, 2]), more, mode="edge")
    pooled = trace.node("MaxPool", padded, kernel_shape=[3, 3], strides=[2, 2])
    states = trace.node("Transpose", pooled, perm=[0, 2, 3, 1])
    if odd:
        states = trace.node("Sigmoid", states)
    # A block whose skip connection has a convolution, and one without.
    aside = trace.norm(trace.convolution(states, (WIDTH, WIDTH), 1))
    states = trace.node("Relu", trace.node("Add", trace.norm(trace.convolution(states, (WIDTH, WIDTH), 3)), aside))
    states = trace.node("Relu", trace.node("Add", states, trace.norm(trace.convolution(states, (WIDTH, WIDTH), 3))))
    features = trace.node("ReduceMean", states, axes=[1, 2], keepdims=0)
    last = trace.node(
        "Add",
        trace.node("MatMul", features, trace.constant(WIDTH, classes, low=-0.2, high=0.2)),
        trace.constant(classes),
    )
    trace.node("Softmax", last, axis=-1)
    graph = helper.make_graph(
        trace.nodes,
        "trace",
        [helper.make_tensor_value_info("input_0", TensorProto.FLOAT, ["batch", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info(trace.nodes[-1].output[0], TensorProto.FLOAT, ["batch", classes])],
        trace.constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_the_rewritten_graph_gives_the_same_log_odds_with_fewer_nodes(tmp_path: Path) -> None:
    old = onnx.load(write_trace(tmp_path / "trace.onnx"))
    new = rewrite(old)
    assert largest_difference(old, new) < 1e-4
    found = Counter(node.op_type for node in new.graph.node)
    assert found == {"Conv": 4, "Relu": 3, "Add": 2, "MaxPool": 1, "ReduceMean": 1, "Gemm": 1}
    assert [output.name for output in new.graph.output] == ["logits", "features"]


def test_a_difference_is_seen(tmp_path: Path) -> None:
    old = onnx.load(write_trace(tmp_path / "trace.onnx"))
    new = rewrite(old)
    bias = next(part for part in new.graph.initializer if part.name == "last.bias")
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32(0.5), bias.name))
    assert largest_difference(old, new) == pytest.approx(0.5, abs=1e-3)


def test_another_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownGraph, match="is a Sigmoid that is not expected there"):
        rewrite(onnx.load(write_trace(tmp_path / "odd.onnx", odd=True)))
    with pytest.raises(UnknownGraph, match="is a MatMul that is not expected there"):
        rewrite(onnx.load(write_trace(tmp_path / "three.onnx", classes=3)))


def test_it_goes_into_a_pack_whose_other_parts_stay(tmp_path: Path) -> None:
    folder = write_tiny_pack(tmp_path / "pack")
    shown = card_manifest()
    before = tiny_manifest(folder) | {name: shown[name] for name in ("figures", "training", "languages")}
    before["figures"]["heads"] = dict.fromkeys(MEASURED, before["figures"]["heads"]["abuse"])
    write_manifest(folder, before)
    (folder / CARD_FILE).touch()
    negatives = tmp_path / "negatives"
    negatives.mkdir()
    for shade in (0, 128, 255):
        Image.new("RGB", (40, 30), (shade, shade, shade)).save(negatives / f"{shade}.png")
    trace = write_trace(tmp_path / "trace.onnx")
    assert main([str(trace), "--pack", str(folder), "--negatives", f"greys={negatives}"]) == 0
    after = json.loads((folder / "manifest.json").read_text())
    part = after.pop("image")
    assert after == before
    assert part["graph"] == described(folder / GRAPH_FILE)
    assert part["labels"]["sexual"]["dev"]["negatives"]["greys"]["pictures"] == 3
    assert load_pack(folder).labels_of("image") == ("sexual",)
    assert "| greys | 3 |" in (folder / CARD_FILE).read_text()


def test_a_file_that_is_missing_is_one_clear_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.onnx"), "--pack", str(tmp_path)]) == 1
    assert "none.onnx" in capsys.readouterr().err
