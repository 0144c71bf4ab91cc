"""The text expert as an ONNX graph, written node by node from its weights.

Weights are kept as 8-bit integers and computed with as float32: `Cast` and `Mul` of constants, which ONNX Runtime folds
into float32 weights once, when it loads the graph. The embedding table stays 8-bit in memory too: only the rows that a
post needs are converted. So rows and padding do not influence each other, and two machines agree to about 1e-6.

Computing in 8 bit would take half the time, and was tried in every form that ONNX Runtime has. Wherever activations
are rounded, the last bit of a float now and then decides between two roundings; each such flip moves all that follows,
which flips more of them, and after twelve layers the result has moved by about the whole rounding error. A change by
1e-6 of the first layer norm, as another processor's exp() or order of summation may cause, then did this (400 dev
posts, six heads, probabilities; ms of one thread for a post of 29 tokens, on a busy machine):

    form                                    off fp32, mean / max   after 1e-6: max, share over 0.002    ms
    8-bit weights, computed in fp32               0.001 / 0.026                  0.000001      0%     18.2
    MatMulNBits, 8 bit, accuracy level 4          0.001 / 0.028                  0.023         8%     14.5
    int8, an activation scale per token           0.004 / 0.081                  0.085        31%      9.6
    dynamic int8 (a scale per tensor)             0.011 / 0.240                  0.118        27%      8.3
    fp32                                                                         0.000001      0%     18.3

The same post would be decided differently on another machine, which is what a moderation log must not show.

Attention, skip connection and activation are ONNX Runtime's fused operators (domain `com.microsoft`), which its plain
CPU build has had for years.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models_export.text_expert.rounding import Rounded, round_weights

OPSET = 18
FUSED = "com.microsoft"
FUSED_OPSET = 1
IR_VERSION = 10  # what ONNX Runtime 1.18 and later read
HEAD_SIZE = 32  # of every attention head of the MiniLM family
EPSILON = 1e-12  # of the backbone's layer norms

Weights = Mapping[str, NDArray[np.float32]]
"""Parameters of `TextExpert` by name, with the word embeddings as one table under `TABLE`."""

TABLE = "table"
SPELLING = "characters.table"
"""uint8, as `spelling.spelling_table` has it."""


class _Graph:
    """Nodes and constants while they are put together; every method returns the name of what it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: Any) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(
        self, kind: str, inputs: Sequence[str], name: str | None = None, domain: str = "", **attributes: Any
    ) -> str:
        name = name or self.name(kind.lower())
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def name(self, kind: str) -> str:
        return f"{kind}_{len(self.nodes)}"

    def restored(self, name: str, rounded: Rounded) -> str:
        """A rounded matrix as float32: constant, so computed once."""
        values = self.node("Cast", [self.constant(f"{name}.int8", rounded.values)], to=TensorProto.FLOAT)
        return self.node("Mul", [values, self.constant(f"{name}.scale", rounded.scales)])


def write_graph(weights: Weights, window_tokens: int) -> onnx.ModelProto:
    """ids, mask int64 [rows, tokens <= window_tokens] -> logits float32 [rows, heads], pooled float32 [rows, width]."""
    graph = _Graph()
    states = _embeddings(graph, weights, window_tokens)
    mask = graph.node("Cast", ["mask"], to=TensorProto.INT32)
    layer = 0
    while f"encoder.encoder.layer.{layer}.output.dense.weight" in weights:
        states = _layer(graph, weights, f"encoder.encoder.layer.{layer}.", states, mask)
        layer += 1
    _heads(graph, weights, states)
    heads, width = len(weights["head.bias"]), embedding_size(weights)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "text_expert",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"]) for name in ("ids", "mask")],
            [
                helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", heads]),
                helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["rows", width]),
            ],
            list(graph.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, FUSED_OPSET)],
        ir_version=IR_VERSION,
        producer_name="modstream",
    )
    onnx.checker.check_model(model)
    return model


def _embeddings(graph: _Graph, weights: Weights, window_tokens: int) -> str:
    part = "encoder.embeddings."
    table = round_weights(weights[TABLE], axis=1)
    values = graph.node("Gather", [graph.constant("pieces.int8", table.values), "ids"])
    scales = graph.node("Gather", [graph.constant("pieces.scale", table.scales), "ids"])
    words = graph.node("Mul", [graph.node("Cast", [values], to=TensorProto.FLOAT), scales])
    # A window is all of segment 0, whose embedding is therefore part of every place's.
    places = (
        weights[f"{part}position_embeddings.weight"][:window_tokens] + weights[f"{part}token_type_embeddings.weight"][0]
    )
    first = graph.constant("first", np.array([0], np.int64))
    length = graph.node("Shape", ["ids"], start=1, end=2)
    seen = graph.node("Slice", [graph.constant("places", places), first, length, first])
    return _norm(graph, weights, f"{part}LayerNorm", graph.node("Add", [words, seen]))


def _layer(graph: _Graph, weights: Weights, part: str, states: str, mask: str) -> str:
    names = [f"{part}attention.self.{name}" for name in ("query", "key", "value")]
    joined = np.concatenate([weights[f"{name}.weight"].T for name in names], axis=1)
    bias = np.concatenate([weights[f"{name}.bias"] for name in names])
    matrix = graph.restored(f"{part}attention.self", round_weights(joined, axis=0))
    read = graph.node(
        "Attention",
        [states, matrix, graph.constant(f"{part}attention.self.bias", bias), mask],
        domain=FUSED,
        num_heads=joined.shape[0] // HEAD_SIZE,
    )
    attended = _residual(graph, weights, f"{part}attention.output", read, states)
    inner = _linear(graph, weights, f"{part}intermediate.dense", attended)
    inner_bias = graph.constant(f"{part}intermediate.dense.bias", weights[f"{part}intermediate.dense.bias"])
    inner = graph.node("BiasGelu", [inner, inner_bias], domain=FUSED)
    return _residual(graph, weights, f"{part}output", inner, attended)


def _linear(graph: _Graph, weights: Weights, name: str, states: str) -> str:
    """The linear map without its bias, which a fused operator behind it adds."""
    return graph.node("MatMul", [states, graph.restored(name, round_weights(weights[f"{name}.weight"].T, axis=0))])


def _residual(graph: _Graph, weights: Weights, part: str, states: str, skipped: str) -> str:
    """norm(dense(states) + skipped)."""
    gain, offset = (
        graph.constant(f"{part}.LayerNorm.{kind}", weights[f"{part}.LayerNorm.{kind}"]) for kind in ("weight", "bias")
    )
    bias = graph.constant(f"{part}.dense.bias", weights[f"{part}.dense.bias"])
    mapped = _linear(graph, weights, f"{part}.dense", states)
    return graph.node("SkipLayerNormalization", [mapped, skipped, gain, offset, bias], domain=FUSED, epsilon=EPSILON)


def _norm(graph: _Graph, weights: Weights, name: str, states: str) -> str:
    gain, offset = (graph.constant(f"{name}.{kind}", weights[f"{name}.{kind}"]) for kind in ("weight", "bias"))
    return graph.node("LayerNormalization", [states, gain, offset], axis=-1, epsilon=EPSILON)


def _heads(graph: _Graph, weights: Weights, states: str) -> None:
    """Mean over the tokens (padding counts as nothing); a linear head per label over that and the characters."""
    tokens = graph.constant("token_axis", np.array([1], np.int64))
    present = graph.node("Cast", ["mask"], to=TensorProto.FLOAT)
    total = graph.node("Squeeze", [graph.node("MatMul", [graph.node("Unsqueeze", [present, tokens]), states]), tokens])
    count = graph.node("ReduceSum", [present, tokens], keepdims=1)
    pooled = graph.node("Div", [total, count], name="pooled")
    seen = graph.node("Concat", [pooled, _characters(graph, weights)], axis=1)
    matrix = graph.constant("head.weight", weights["head.weight"])
    graph.node("Gemm", [seen, matrix, graph.constant("head.bias", weights["head.bias"])], name="logits", transB=1)


def _characters(graph: _Graph, weights: Weights) -> str:
    """`network.CharacterBranch`: the pieces' characters joined without gaps, through filters of several spans."""
    table = graph.constant("characters.table", weights[SPELLING])
    spelt = graph.node("Cast", [graph.node("Gather", [table, "ids"])], to=TensorProto.INT64)
    letters = graph.constant("letter_axis", np.array([2], np.int64))
    spelt = graph.node("Mul", [spelt, graph.node("Unsqueeze", ["mask", letters])])
    codes = graph.node("Reshape", [spelt, graph.constant("row_of_codes", np.array([0, -1], np.int64))])
    there = graph.node("Cast", [graph.node("Cast", [codes], to=TensorProto.BOOL)], to=TensorProto.FLOAT)
    # The earlier a character, the higher its key; places without one have 0, so that they come last.
    length = graph.node("Shape", [codes], start=1, end=2)
    scalar = graph.constant("scalar", np.array([], np.int64))
    count = graph.node("Reshape", [length, scalar])
    zero, one = graph.constant("zero", np.array(0, np.int64)), graph.constant("one", np.array(1, np.int64))
    falling = graph.node("Range", [count, zero, graph.node("Neg", [one])])
    keys = graph.node("Mul", [there, graph.node("Cast", [falling], to=TensorProto.FLOAT)])
    order = graph.name("order")
    graph.nodes.append(helper.make_node("TopK", [keys, length], [graph.name("sorted"), order], axis=1))
    joined = graph.node("GatherElements", [codes, order], axis=1)
    # Behind the longest row's last character there is nothing to read.
    axis = graph.constant("code_axis", np.array([1], np.int64))
    first = graph.constant("first", np.array([0], np.int64))
    counts = graph.node("ReduceSum", [there, axis], keepdims=0)
    most = graph.node("Cast", [graph.node("ReduceMax", [counts], keepdims=1)], to=TensorProto.INT64)
    end = graph.node("Max", [most, graph.constant("least", np.array([1], np.int64))])
    joined = graph.node("Slice", [joined, first, end, axis])
    letter = graph.node("Gather", [_constant(graph, weights, "characters.letters.weight"), joined])
    seen = graph.node("Transpose", [letter], perm=[0, 2, 1])
    there = graph.node("Cast", [graph.node("Cast", [joined], to=TensorProto.BOOL)], to=TensorProto.FLOAT)
    there = graph.node("Unsqueeze", [there, axis])
    highest: list[str] = []
    filter_at = 0
    while f"characters.filters.{filter_at}.weight" in weights:
        name = f"characters.filters.{filter_at}"
        span = weights[f"{name}.weight"].shape[2]
        read = graph.node(
            "Conv",
            [seen, _constant(graph, weights, f"{name}.weight"), _constant(graph, weights, f"{name}.bias")],
            pads=[span // 2, span // 2],
        )
        read = graph.node("Mul", [graph.node("Relu", [read]), there])
        highest.append(graph.node("ReduceMax", [read, letters], keepdims=0))
        filter_at += 1
    return graph.node("Concat", highest, axis=1)


def _constant(graph: _Graph, weights: Weights, name: str) -> str:
    return graph.constant(name, weights[name])


def embedding_size(weights: Weights) -> int:
    """The width of `pooled`."""
    return int(weights[TABLE].shape[1])
