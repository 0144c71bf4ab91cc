"""A small fusion and rows to train it on: whether a row is hateful hangs on words and picture together."""

from __future__ import annotations

import numpy as np

from models_export.fusion.features import LABEL, Features
from models_export.fusion.recipe import Losses, Recipe, Shape, Stage

SIZES = {"ocr": 6, "image": 5}


def tiny_recipe(*stages: Stage, drop: float = 0.25, ensemble: int = 1) -> Recipe:
    return Recipe(
        schema="fusion-recipe/1",
        seed=3,
        shape=Shape(
            words=("ocr",),
            media=("image",),
            width=16,
            attention_heads=2,
            latents=3,
            resampler_layers=1,
            layers=2,
            dropout=0.0,
        ),
        losses=Losses(contrastive=True, temperature=0.2, hard_negatives=1, balance="uncertainty"),
        drop=drop,
        batch=32,
        weight_decay=0.0,
        ensemble=ensemble,
        stages=stages or (Stage(name="A", epochs=25, learning_rate=1e-2),),
    )


def tiny_features(rows: int = 240, *, interaction: bool = True) -> Features:
    """Hateful is a row whose first word and first picture numbers have the same sign; without `interaction`, whose
    first word number is above 0. A quarter of the rows is dev."""
    random = np.random.default_rng(1)
    tokens = {name: random.normal(size=(rows, 1, size)).astype(np.float32) for name, size in SIZES.items()}
    words, picture = (np.sign(tokens[name][:, 0, 0]) for name in ("ocr", "image"))
    for name, sign in (("ocr", words), ("image", picture)):
        tokens[name][:, 0, 0] = 2 * sign
    truth = words == (picture if interaction else 1)
    return Features(
        ids=np.arange(rows).astype(str),
        groups=np.array([f"g{at // 2}" for at in range(rows)]),
        train=np.arange(rows) % 8 < 6,
        heads=(LABEL,),
        truth=truth[:, None].astype(np.float32),
        tokens=tokens,
        weights={name: np.ones(rows, np.float32) for name in SIZES},
        scores={f"ocr.{LABEL}": random.random(rows)},
    )
