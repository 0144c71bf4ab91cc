"""A trained fusion as ONNX, and as the part of a pack."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models_export.fusion.features import Features
from models_export.fusion.network import Ensemble
from models_export.fusion.train import logits_of
from processors.engines import OnnxEngine

OPSET = 17
"""LayerNormalization is an operator from here on, and every runtime that the packs name reads it."""

WEIGHTS, LOGITS = "weights", "logits"
GRAPH_FILE = "fusion.onnx"

MAX_MOVE = 1e-4
"""How far a logit of the graph may be from the network's: a twentieth of what a decision may move by."""


class ParityError(ValueError):
    """The graph does not give what the network gives."""


class _Pooled(nn.Module):
    """One token a stream, given flat: what the embedded fusion is served."""

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__()
        self.ensemble = ensemble
        self.streams: Sequence[str] = ensemble.networks[0].streams

    def forward(self, *given: Tensor) -> Tensor:
        tokens = {name: values[:, None, :] for name, values in zip(self.streams, given[:-1], strict=True)}
        return self.ensemble(tokens, given[-1])


def export(ensemble: Ensemble, sizes: Mapping[str, int], path: Path) -> None:
    """Writes the graph: an input of shape [posts, size] for each stream, named after it, `weights` [posts, streams] ->
    `logits` [posts, heads]; float32."""
    pooled = _Pooled(ensemble).eval()
    given = (*(torch.randn(2, sizes[name]) for name in pooled.streams), torch.ones(2, len(pooled.streams)))
    names = [*pooled.streams, WEIGHTS]
    torch.onnx.export(
        pooled,
        given,
        str(path),
        input_names=names,
        output_names=[LOGITS],
        dynamic_axes={name: {0: "posts"} for name in (*names, LOGITS)},
        opset_version=OPSET,
        dynamo=False,
    )


def check_parity(ensemble: Ensemble, features: Features, path: Path) -> float:
    """The largest difference of a logit on these rows, each alone as it is served. Raises `ParityError` for more than
    `MAX_MOVE`."""
    wanted = logits_of(ensemble, features)
    move = float(np.abs(graph_logits(path, ensemble.networks[0].streams, features) - wanted).max(initial=0.0))
    if not move <= MAX_MOVE:
        raise ParityError(f"{path}: a logit is {move:.2g} from the network's; expected at most {MAX_MOVE:g}")
    return move


def graph_logits(path: Path, streams: Sequence[str], features: Features) -> NDArray[np.float64]:
    """Shape [rows, heads], a row a run."""
    engine = OnnxEngine(path)
    found: list[NDArray[np.float64]] = []
    for at in range(len(features.ids)):
        feeds: dict[str, NDArray[Any]] = {name: features.tokens[name][at].astype(np.float32) for name in streams}
        feeds[WEIGHTS] = np.array([[features.weights[name][at] for name in streams]], np.float32)
        found.append(engine.run(feeds)[LOGITS][0].astype(np.float64))
    return np.stack(found)


def pack_part(
    folder: Path,
    ensemble: Ensemble,
    sizes: Mapping[str, int],
    *,
    labels: Mapping[str, Mapping[str, Any]],
    calibration: Mapping[str, Mapping[str, float]],
    licence: str,
    training: Sequence[Mapping[str, Any]],
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest's `fusion` for the `GRAPH_FILE` in a pack's folder. `labels`: head -> card, in the heads' order."""
    content = (folder / GRAPH_FILE).read_bytes()
    return {
        "graph": {"path": GRAPH_FILE, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
        "tokens": {
            name: {"tensor": {"name": name, "dtype": "float32"}, "size": sizes[name]}
            for name in ensemble.networks[0].streams
        },
        "weights": {"name": WEIGHTS, "dtype": "float32"},
        "logits": {"name": LOGITS, "dtype": "float32"},
        "heads": list(labels),
        "calibration": dict(calibration),
        "labels": dict(labels),
        "licence": licence,
        "training": list(training),
        "figures": dict(figures),
    }
