"""Predictions to test figures and comparisons with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models_export.evaluation.judgement.prediction import Prediction
from models_export.measures.metrics import sigmoid
from schemas import Action


def prediction(name: str, hateful: int, chance: float, **fields: Any) -> Prediction:
    """About `hate`, with a threshold of 0.5 unless `fields` say more."""
    given: dict[str, Any] = {
        "suite": "tiny",
        "truth": {"hate": hateful},
        "probabilities": {"hate": chance},
        "thresholds": {"hate": 0.5},
        "action": Action.APPROVE,
    }
    given.update(fields)
    return Prediction(id=name, **given)


def world(rows: int, *, noise: float = 1.0, seed: int = 0, **fields: Any) -> list[Prediction]:
    """Items of which half are hateful, and a judge that is the worse the more noise it hears."""
    rng = np.random.default_rng(0)
    truth = rng.random(rows) < 0.5
    heard = 2.0 * (2 * truth - 1) + noise * np.random.default_rng(seed).normal(0, 2, rows)
    chances = sigmoid(heard).round(3).tolist()
    return [
        prediction(
            f"item-{at}",
            int(holds),
            chance,
            groups={"lang": ("en", "de", "fr")[at % 3]},
            action=Action.REVIEW if chance > 0.5 else Action.APPROVE,
            **fields,
        )
        for at, (holds, chance) in enumerate(zip(truth.tolist(), chances, strict=True))
    ]


def scores(predictions: Sequence[Prediction]) -> np.ndarray:
    return np.array([of.probabilities["hate"] for of in predictions])


def truths(predictions: Sequence[Prediction]) -> np.ndarray:
    return np.array([of.truth["hate"] == 1 for of in predictions])
