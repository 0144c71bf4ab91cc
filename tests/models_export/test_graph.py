from __future__ import annotations

from typing import Any, cast

import numpy as np
import onnxruntime
import pytest

from models_export.text_expert.graph import TABLE, write_graph
from models_export.text_expert.rounding import LEVELS, round_weights
from tests.models_export.tiny_expert import PLACES, WIDTH, logits_of, tiny_weights

FLOATS = ("head.weight", "characters.letters.weight")
"""Small enough to stay as they are."""

ROWS = ([0, 7, 8, 2], [0, 30, 2], [0, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 2], list(range(PLACES)))


def rounded(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights as the graph keeps them."""
    kept = dict(weights)
    for name, value in weights.items():
        if name == TABLE:
            kept[name] = round_weights(value, axis=1).restored()
        elif name.endswith(".weight") and value.ndim == 2 and "embeddings" not in name and name not in FLOATS:
            kept[name] = round_weights(value.T, axis=0).restored().T
    return kept


@pytest.fixture(scope="module")
def session() -> Any:
    model = write_graph(tiny_weights(), PLACES)
    return cast(Any, onnxruntime).InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def run(session: Any, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return session.run(["logits"], {"ids": ids, "mask": mask})[0]


def alone(session: Any, row: list[int]) -> np.ndarray:
    ids = np.array([row], np.int64)
    return run(session, ids, np.ones_like(ids))[0]


@pytest.mark.parametrize("row", ROWS, ids=len)
def test_the_graph_computes_the_encoder_with_rounded_weights(session: Any, row: list[int]) -> None:
    assert alone(session, row) == pytest.approx(logits_of(rounded(tiny_weights()), row), abs=2e-5)


def test_rounding_moves_the_logits_little(session: Any) -> None:
    for row in ROWS:
        assert alone(session, row) == pytest.approx(logits_of(tiny_weights(), row), abs=0.1)


def test_a_row_scores_the_same_alone_in_a_batch_and_at_any_padding(session: Any) -> None:
    ids = np.full((len(ROWS), PLACES), 1, np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(ROWS):
        ids[at, : len(row)], mask[at, : len(row)] = row, 1
    for found, row in zip(run(session, ids, mask), ROWS, strict=True):
        assert found == pytest.approx(alone(session, row), abs=1e-5)


def test_what_stands_in_the_padding_does_not_matter(session: Any) -> None:
    mask = np.array([[1, 1, 1, 0, 0]])
    assert run(session, np.array([[0, 9, 2, 1, 1]]), mask) == pytest.approx(
        run(session, np.array([[0, 9, 2, 33, 44]]), mask), abs=1e-6
    )


def test_embedding_and_logits_have_the_shapes_that_the_manifest_names(session: Any) -> None:
    ids = np.array([ROWS[0]] * 2, np.int64)
    logits, pooled = session.run(["logits", "pooled"], {"ids": ids, "mask": np.ones_like(ids)})
    assert (logits.shape, pooled.shape) == ((2, 3), (2, WIDTH))


def test_the_same_weights_give_the_same_bytes() -> None:
    first, second = (write_graph(tiny_weights(), PLACES).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


def test_a_rounded_matrix_is_within_half_a_step_of_the_first() -> None:
    matrix = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    for axis in (0, 1):
        kept = round_weights(matrix, axis)
        steps = np.abs(matrix).max(axis, keepdims=True) / LEVELS
        assert (np.abs(kept.restored() - matrix) <= steps / 2 + 1e-6).all()


def test_a_row_of_zeros_stays_zero() -> None:
    assert not round_weights(np.zeros((2, 3), np.float32), 1).restored().any()
