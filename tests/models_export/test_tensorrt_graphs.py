"""What TensorRT is given computes what the pack's graph does, in operators that TensorRT has."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from models_export.tensorrt.plain import UnknownOperator, plain
from models_export.tensorrt.ready import NotReady, make_ready, random_feeds
from models_export.text_expert.graph import write_graph
from processors.engines.profiles import ShapeRange
from tests.models_export.tiny_expert import PLACES, tiny_weights

BUCKET = {name: ShapeRange(least=(1, 1), best=(8, PLACES - 4), most=(8, PLACES)) for name in ("ids", "mask")}


@pytest.fixture(scope="module")
def expert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("expert") / "text.onnx"
    onnx.save(write_graph(tiny_weights(), PLACES), path)
    return path


def run(model: onnx.ModelProto, feeds: dict[str, Any]) -> list[Any]:
    session = cast(Any, onnxruntime).InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["logits", "pooled"], feeds)


def test_the_text_expert_is_the_same_without_fused_operators_and_8_bit_weights(expert: Path) -> None:
    model = onnx.load(expert)
    made = plain(model)
    feeds = random_feeds(model, BUCKET, seed=1)
    for here, there in zip(run(model, feeds), run(made, feeds), strict=True):
        np.testing.assert_allclose(there, here, atol=2e-5)


def test_nothing_is_left_that_tensorrt_has_no_operator_type_or_shape_for(expert: Path) -> None:
    made = plain(onnx.load(expert))
    assert {node.domain for node in made.graph.node} == {""}
    assert not {value.data_type for value in made.graph.initializer} & {TensorProto.INT8, TensorProto.UINT8}
    assert not [node for node in made.graph.node if node.op_type == "Slice" and "max" in node.input[2]]
    assert [value.name for value in made.graph.output] == ["logits", "pooled"]


def test_half_precision_is_in_the_types_and_inputs_and_outputs_keep_theirs(expert: Path) -> None:
    ready = make_ready(expert, BUCKET, "fp16")
    kinds = {value.name: value.data_type for value in ready.model.graph.initializer}
    assert {kind for name, kind in kinds.items() if ".dense" in name and "LayerNorm" not in name} == {
        TensorProto.FLOAT16
    }
    assert {value.type.tensor_type.elem_type for value in ready.model.graph.output} == {TensorProto.FLOAT}
    assert 0 < ready.moved < 0.02


def test_in_32_bit_nothing_moves_but_the_order_of_sums(expert: Path) -> None:
    assert make_ready(expert, BUCKET, "fp32").moved < 1e-5


def test_inputs_look_up_every_table_within_its_bounds_and_end_in_padding(expert: Path) -> None:
    feeds = random_feeds(onnx.load(expert), BUCKET, seed=0)
    assert feeds["ids"].shape == (2, PLACES - 4)
    assert 8 < feeds["ids"].max() < 50
    assert feeds["mask"][0, 0] == 1
    assert feeds["mask"][0, -1] == 0


def graph_of(path: Path, *nodes: onnx.NodeProto) -> Path:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 4]) for name in ("x", "y")]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(
        helper.make_model(helper.make_graph(list(nodes), "g", ends[:1], ends[1:]), opset_imports=opsets, ir_version=10),
        path,
    )
    return path


X = {"x": ShapeRange(least=(1, 4), best=(4, 4), most=(4, 4))}


def test_a_graph_of_plain_operators_stays_as_it_is(tmp_path: Path) -> None:
    path = graph_of(tmp_path / "g.onnx", helper.make_node("Tanh", ["x"], ["y"]))
    assert [node.op_type for node in plain(onnx.load(path)).graph.node] == ["Tanh"]


def test_a_fused_operator_that_is_not_known_is_named(tmp_path: Path) -> None:
    path = graph_of(tmp_path / "g.onnx", helper.make_node("FastGelu", ["x"], ["y"], name="odd", domain="com.microsoft"))
    with pytest.raises(UnknownOperator, match=r"odd: com\.microsoft's FastGelu; expected plain ONNX"):
        make_ready(path, X, "fp32")


def test_a_graph_that_half_precision_breaks_is_refused(tmp_path: Path) -> None:
    # exp(80 x) ends half precision at x = 0.14, and single precision not before 1.1.
    small = onnx.numpy_helper.from_array(np.array(80.0, np.float32), "c")
    nodes = [
        helper.make_node("Mul", ["x", "c"], ["a"]),
        helper.make_node("Exp", ["a"], ["b"]),
        helper.make_node("Log", ["b"], ["y"]),
    ]
    path = graph_of(tmp_path / "g.onnx", *nodes)
    model = onnx.load(path)
    model.graph.initializer.append(small)
    onnx.save(model, path)
    assert make_ready(path, X, "fp32").moved < 1e-4
    with pytest.raises(NotReady, match=r"b reaches .*, and half precision ends at 65,504: use fp32"):
        make_ready(path, X, "fp16")
