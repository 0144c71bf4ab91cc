"""How far a pack's graph is from the network that was trained, in its own terms: probabilities and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertConfig, BertModel

from models_export.evaluation.scoring import LabelledText, PackScorer
from models_export.measures.calibrate import Calibration
from models_export.text_expert.export import Run
from models_export.text_expert.graph import EPSILON, HEAD_SIZE, SPELLING, TABLE, embedding_size
from models_export.text_expert.network import TextExpert

# Enough for a largest move that another sample would not exceed by much, and seconds to compute.
TEXTS = 300
MAX_MOVE = 0.1
"""Rounding weights to 8 bit moves probabilities by some hundredths; a graph that is wrong moves them by more."""


def rebuild(run: Run) -> TextExpert:
    """The trained network with its averaged weights in 32 bit, ready to predict."""
    weights = dict(run.weights)
    width = embedding_size(weights)
    layers = sum(name.endswith("attention.self.query.weight") for name in weights)
    config = BertConfig(
        vocab_size=len(weights[TABLE]),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // HEAD_SIZE,
        intermediate_size=len(weights["encoder.encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(weights["encoder.embeddings.position_embeddings.weight"]),
        layer_norm_eps=EPSILON,
    )
    weights["encoder.embeddings.word_embeddings.weight"] = weights.pop(TABLE)
    has_pooler = any(name.startswith("encoder.pooler.") for name in weights)
    encoder = BertModel(config, add_pooling_layer=has_pooler)
    network = TextExpert(encoder, len(weights["head.bias"]), weights[SPELLING].astype(np.uint8))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network.eval()


def compare(
    run: Run,
    scorer: PackScorer,
    texts: Sequence[LabelledText],
    calibration: Mapping[str, Calibration],
    thresholds: Mapping[str, float],
) -> dict[str, float]:
    """How probabilities move from network to graph, and the share of decisions (is it over its threshold?) that change.

    Raises ValueError where they differ by more than rounding explains.
    """
    network = rebuild(run)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # single rows are too little work to share, and waiting for each other costs more
    there = np.stack([_logits(network, rows) for rows in scorer.windows(texts)])
    torch.set_num_threads(threads)
    here = scorer.logits(texts, "comparison with the network")
    moves: list[NDArray[np.float64]] = []
    flips: list[NDArray[np.bool_]] = []
    for head in thresholds:
        column = scorer.heads.index(head)
        ours, theirs = calibration[head](here[:, column]), calibration[head](there[:, column])
        moves.append(np.abs(ours - theirs))
        flips.append((ours > thresholds[head]) != (theirs > thresholds[head]))
    result = {
        "texts": len(texts),
        "max_move": float(np.max(moves)),
        "mean_move": float(np.mean(moves)),
        "flips": float(np.mean(flips)),
    }
    if not result["max_move"] <= MAX_MOVE:
        raise ValueError(
            f"the graph's probabilities differ from the network's by up to {result['max_move']:.3f};"
            f" expected at most {MAX_MOVE}: the graph does not compute what was trained"
        )
    return result


def _logits(network: TextExpert, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
    """Logits of the highest window per head, window by window and without padding."""
    with torch.inference_mode():
        found = [
            network(torch.from_numpy(row.astype(np.int64))[None], torch.ones(1, len(row), dtype=torch.int64))
            for row in rows
        ]
    return torch.cat([logits for logits, _ in found]).amax(0).numpy()
