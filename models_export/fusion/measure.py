"""What a fusion gains over each modality alone, and what it loses where one is missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models_export.fusion.features import LABEL, Features
from models_export.fusion.recipe import Recipe
from models_export.fusion.stacking import CUTS, compare_judged, folds_of
from models_export.fusion.train import logits_of, streams_of, train
from models_export.measures.metrics import Scores, Truth, f1, macro_f1, sigmoid

FOLDS = 5
"""Of the rows of train, on which cuts are fitted: no cut sees a row that its network was trained on. One network each
is enough for a cut."""

SERVED = "text_expert"
"""The text expert's calibrated score over the lines: the pack without a fusion."""

MIN_GAIN = 0.0
"""The fusion is shipped where the whole 95% interval of its gain in macro-F1 over the best single modality lies above
this."""

Judged = tuple[Scores, Truth]


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to judge memes."""

    trained_without: tuple[str, ...] = ()
    """Streams hidden in training, and in judging."""
    judged_without: tuple[str, ...] = ()
    """Streams hidden in judging alone: what a fusion says where they are missing."""
    mod_drop: bool = True


def ways_of(recipe: Recipe) -> dict[str, Way]:
    """Name -> way: each stream alone, all of them with and without ModDrop, and with each stream missing."""
    streams = (*recipe.shape.words, *recipe.shape.media)
    found: dict[str, Way] = {}
    for name in streams:
        found[f"{name}_only"] = Way(trained_without=tuple(other for other in streams if other != name))
    for drop, ending in ((True, ""), (False, "_no_moddrop")):
        found[f"fusion{ending}"] = Way(mod_drop=drop)
        for name in streams:
            found[f"fusion{ending}_without_{name}"] = Way(judged_without=(name,), mod_drop=drop)
    return found


def measure(recipe: Recipe, features: Features, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """AUC and macro-F1 on dev, of each way, with 95% intervals and the gain over the best single modality; and the same
    by cross-validation on train, which has more rows.

    That is the one of the highest macro-F1 on the folds of train: dev chooses nothing. `helps`: see `MIN_GAIN`. Raises
    `RecipeError` for streams that the features lack, and ValueError where a side has not both classes.
    """
    rows = features.rows(_usable(recipe, features))
    dev = ~rows.train
    truth = rows.truth[:, rows.heads.index(LABEL)] == 1
    for side, chosen in (("train", rows.train), ("dev", dev)):
        if len(set(truth[chosen].tolist())) < 2:
            lacks = f"{int(truth[chosen].sum())} of {int(chosen.sum())} usable rows of {side} are {LABEL}"
            raise ValueError(f"{lacks}; expected some that are and some that are not")
    folds = folds_of(rows.groups[rows.train], FOLDS)
    fitted: dict[tuple[tuple[str, ...], bool], tuple[Any, list[Any]]] = {}
    judged: dict[str, Judged] = {}
    seen: dict[str, float] = {}
    unseen: dict[str, Judged] = {}
    for name, way in ways_of(recipe).items():
        progress(name)
        followed = recipe if way.mod_drop else replace(recipe, drop=0.0)
        shown = rows.without(*way.trained_without)
        key = (way.trained_without, way.mod_drop)
        if key not in fitted:
            fitted[key] = (train(followed, shown), [_without_fold(followed, shown, folds, at) for at in range(FOLDS)])
        whole, parts = fitted[key]
        # The cut belongs to the network as it was trained: nobody knows beforehand what a post will lack.
        known = _out_of_fold(shown, parts, folds)
        cut, seen[name] = _best_cut(known, truth[rows.train])
        if not way.judged_without:
            unseen[name] = (known, known > cut)
        asked = shown.without(*way.trained_without, *way.judged_without).rows(dev)
        scores = _scores(whole, asked)
        judged[name] = (scores, scores > cut)
    served = np.nan_to_num(rows.scores[f"ocr.{LABEL}"])
    cut, seen[SERVED] = _best_cut(served[rows.train], truth[rows.train])
    judged[SERVED] = (served[dev], served[dev] > cut)
    unseen[SERVED] = (served[rows.train], served[rows.train] > cut)
    single = [name for name in judged if name == SERVED or name.endswith("_only")]
    best = max(single, key=lambda name: seen[name])
    found = compare_judged(judged, truth[dev], rows.groups[dev], best)
    for name, (_, said) in judged.items():
        found[name] |= {"f1": round(f1(said, truth[dev]), 4), "train_folds_macro_f1": round(seen[name], 4)}
    return {
        "label": LABEL,
        "features": features.hash,
        "train": {"rows": int(rows.train.sum()), "hateful": int(truth[rows.train].sum())},
        "dev": {
            "rows": int(dev.sum()),
            "hateful": int(truth[dev].sum()),
            "groups": len(set(rows.groups[dev].tolist())),
        },
        "best_single": best,
        "judged_by": found,
        # One network each, each row by one that was not trained on it; cuts are the best ones, for all alike.
        "folds_of_train": compare_judged(unseen, truth[rows.train], rows.groups[rows.train], best),
        "helps": bool(found["fusion"]["macro_f1_gain"]["low"] > MIN_GAIN),
    }


def _usable(recipe: Recipe, features: Features) -> Truth:
    """Rows that have every stream: others say nothing of what is gained by one."""
    return np.all([features.weights[name] > 0 for name in streams_of(recipe, features)], axis=0)


def _without_fold(recipe: Recipe, features: Features, folds: NDArray[np.int64], fold: int) -> Any:
    rows = features.rows(np.flatnonzero(features.train)[folds != fold])
    return train(replace(recipe, ensemble=1), rows)


def _out_of_fold(features: Features, parts: list[Any], folds: NDArray[np.int64]) -> Scores:
    rows = features.rows(features.train)
    scores = np.zeros(len(folds))
    for fold, ensemble in enumerate(parts):
        scores[folds == fold] = _scores(ensemble, rows.rows(folds == fold))
    return scores


def _scores(ensemble: Any, features: Features) -> Scores:
    return sigmoid(logits_of(ensemble, features)[:, features.heads.index(LABEL)])


def _best_cut(scores: Scores, truth: Truth) -> tuple[float, float]:
    """(cut, macro-F1) of the best cut."""
    quality: Mapping[float, float] = {cut: macro_f1(scores > cut, truth) for cut in CUTS.tolist()}
    best = max(quality, key=lambda cut: quality[cut])
    return best, quality[best]
