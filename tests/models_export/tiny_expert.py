"""A BERT-like expert of a few weights, and the same computation in numpy."""

from __future__ import annotations

import math

import numpy as np

from models_export.text_expert.graph import EPSILON, HEAD_SIZE, SPELLING, TABLE
from models_export.text_expert.spelling import CODES, LETTERS

WIDTH = 2 * HEAD_SIZE
INNER = 96
LAYERS = 2
PLACES = 40
LETTER_WIDTH, FILTERS, SPANS = 4, 5, (3, 5, 7)


def tiny_weights(pieces: int = 50, heads: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights under the names of `models_export.text_expert.network.TextExpert`."""
    rng = np.random.default_rng(seed)

    def values(*shape: int, scale: float = 0.2, around: float = 0.0) -> np.ndarray:
        return (around + scale * rng.normal(size=shape)).astype(np.float32)

    weights = {
        TABLE: values(pieces, WIDTH, scale=1.0),
        "encoder.embeddings.position_embeddings.weight": values(PLACES, WIDTH),
        "encoder.embeddings.token_type_embeddings.weight": values(2, WIDTH),
        SPELLING: _spelling(pieces, rng),
        "characters.letters.weight": values(CODES, LETTER_WIDTH, scale=1.0),
        "head.weight": values(heads, WIDTH + FILTERS * len(SPANS)),
        "head.bias": values(heads),
    }

    weights["characters.letters.weight"][0] = 0.0
    for at, span in enumerate(SPANS):
        weights[f"characters.filters.{at}.weight"] = values(FILTERS, LETTER_WIDTH, span)
        weights[f"characters.filters.{at}.bias"] = values(FILTERS)

    def norm(name: str) -> None:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = values(WIDTH, around=1.0), values(WIDTH)

    def dense(name: str, inputs: int, outputs: int) -> None:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = values(outputs, inputs), values(outputs)

    norm("encoder.embeddings.LayerNorm")
    for layer in range(LAYERS):
        part = f"encoder.encoder.layer.{layer}."
        for name in ("query", "key", "value"):
            dense(f"{part}attention.self.{name}", WIDTH, WIDTH)
        dense(f"{part}attention.output.dense", WIDTH, WIDTH)
        norm(f"{part}attention.output.LayerNorm")
        dense(f"{part}intermediate.dense", WIDTH, INNER)
        dense(f"{part}output.dense", INNER, WIDTH)
        norm(f"{part}output.LayerNorm")
    return weights


def logits_of(weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """Logits [heads] of one row, in float64 and without any rounding."""

    def norm(name: str, states: np.ndarray) -> np.ndarray:
        centred = states - states.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def dense(name: str, states: np.ndarray) -> np.ndarray:
        return states @ weights[f"{name}.weight"].T.astype(np.float64) + weights[f"{name}.bias"]

    def split(states: np.ndarray) -> np.ndarray:
        return states.reshape(len(ids), -1, HEAD_SIZE).transpose(1, 0, 2)

    part = "encoder.embeddings."
    places = (
        weights[f"{part}position_embeddings.weight"][: len(ids)] + weights[f"{part}token_type_embeddings.weight"][0]
    )
    states = norm(f"{part}LayerNorm", weights[TABLE][ids].astype(np.float64) + places)
    for layer in range(LAYERS):
        part = f"encoder.encoder.layer.{layer}."
        query, key, value = (split(dense(f"{part}attention.self.{name}", states)) for name in ("query", "key", "value"))
        weight = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(HEAD_SIZE))
        read = (weight / weight.sum(-1, keepdims=True)) @ value
        read = read.transpose(1, 0, 2).reshape(len(ids), -1)
        attended = norm(f"{part}attention.output.LayerNorm", dense(f"{part}attention.output.dense", read) + states)
        inner = dense(f"{part}intermediate.dense", attended)
        inner = inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))) / 2
        states = norm(f"{part}output.LayerNorm", dense(f"{part}output.dense", inner) + attended)
    return dense("head", np.concatenate([states.mean(0), _spelt(weights, ids)]))


def _spelling(pieces: int, rng: np.random.Generator) -> np.ndarray:
    """Pieces of no to all characters."""
    table = rng.integers(1, CODES, (pieces, LETTERS)).astype(np.uint8)
    table[np.arange(LETTERS)[None] >= rng.integers(0, LETTERS + 1, pieces)[:, None]] = 0
    return table


def _spelt(weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The highest value of each filter over the pieces' characters, without the gaps between them; at least 0."""
    codes = [code for piece in weights[SPELLING][ids].tolist() for code in piece if code]
    highest: list[np.ndarray] = []
    for at, span in enumerate(SPANS):
        matrix, bias = weights[f"characters.filters.{at}.weight"], weights[f"characters.filters.{at}.bias"]
        around = [0] * (span // 2)
        letters = weights["characters.letters.weight"][[*around, *codes, *around]].astype(np.float64)
        read = [np.tensordot(matrix, letters[start : start + span].T, 2) + bias for start in range(len(codes))]
        highest.append(np.maximum(0, np.max(read, axis=0)) if read else np.zeros(FILTERS))
    return np.concatenate(highest)
