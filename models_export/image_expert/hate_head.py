"""`python -m models_export.image_expert.hate_head --pack DIR --memes DIR --out FILE`: does a picture alone show `hate`?

Fits a logistic head with an L2 penalty on the image expert's pooled features of the labelled memes' train split, and
measures it on dev. A head is worth having only where it ranks as well as a head of the text expert must
(`calibrate.MIN_RANKING_QUALITY`), over the whole of its interval. Memes that show nearly the same picture stay
together, in folds and in the interval's samples.

With Open-NSFW's features, on 1,250 religious memes and 177 of dev: AUC 0.66 on dev, 95% interval 0.56 to 0.75, and 0.62
in cross-validation on train. So the embedded pack has no such head.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models_export.measures.calibrate import MIN_RANKING_QUALITY
from models_export.measures.metrics import Truth, ranking_quality
from processors.encode import ImageRunner, cut_out, open_image_expert
from processors.packs import load_pack
from processors.packs.image_part import ImageExpert

PENALTIES = (1e-5, 1e-4, 3e-4, 1e-3, 1e-2, 1e-1)
"""Inverse strengths to choose from; features are standardised first."""
FOLDS = 5
SAMPLES = 2_000
INTERVAL = (0.025, 0.975)
BATCH = 16

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Memes:
    """Labelled pictures and what the expert says of them."""

    ids: NDArray[np.str_]
    train: Truth
    hateful: Truth
    groups: NDArray[np.str_]
    """Memes of one group show nearly the same picture."""
    features: Features
    logits: Features


@dataclass(frozen=True)
class Finding:
    penalty: float
    cross_validated: float
    """AUC on train, of folds that the head was not fitted on."""
    dev: float
    low: float
    high: float
    """95% interval of the AUC on dev."""

    @property
    def worth_having(self) -> bool:
        return self.low >= MIN_RANKING_QUALITY


def read_memes(folder: Path, runner: ImageRunner, expert: ImageExpert) -> Memes:
    """Raises FileNotFoundError for a folder without `labels.jsonl`."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in (folder / "labels.jsonl").open(encoding="utf-8")]
    features: list[Features] = []
    logits: list[Features] = []
    for start in range(0, len(rows), BATCH):
        shown: list[NDArray[np.uint8]] = []
        for row in rows[start : start + BATCH]:
            with Image.open(folder / row["image"]) as opened:
                shown.append(cut_out(np.asarray(opened.convert("RGB")), expert.input))
        scores, _ = runner.run(shown)
        features += [one.features for one in scores]
        logits += [one.logits for one in scores]
    return Memes(
        ids=np.array([str(row["id"]) for row in rows]),
        train=np.array([row["split"] == "train" for row in rows]),
        hateful=np.array([row["label"] == 1 for row in rows]),
        groups=np.array([row["dup_group"] or f"alone:{row['id']}" for row in rows]),
        features=np.stack(features),
        logits=np.stack(logits),
    )


def fit_and_measure(memes: Memes, *, seed: int = 0) -> Finding:
    """The best penalty by cross-validation on train, measured on dev.

    Raises ValueError where a picture of dev is in train as well.
    """
    train, dev = memes.train, ~memes.train
    if shared := set(memes.groups[train]) & set(memes.groups[dev]):
        raise ValueError(f"{len(shared)} groups of equal pictures are in train and dev; expected each in one split")
    folds = GroupKFold(FOLDS)
    tried: list[tuple[float, float]] = []
    for penalty in PENALTIES:
        scores = cross_val_predict(
            _head(penalty),
            memes.features[train],
            memes.hateful[train],
            groups=memes.groups[train],
            cv=folds,
            method="decision_function",
        )
        tried.append((ranking_quality(scores, memes.hateful[train]), penalty))
    cross_validated, penalty = max(tried)
    head = _head(penalty).fit(memes.features[train], memes.hateful[train])
    scores = head.decision_function(memes.features[dev])
    low, high = interval(scores, memes.hateful[dev], memes.groups[dev], seed=seed)
    return Finding(penalty, cross_validated, ranking_quality(scores, memes.hateful[dev]), low, high)


def interval(
    scores: NDArray[np.float64], truth: Truth, groups: NDArray[np.str_], *, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of the AUC: whole groups are drawn, with replacement."""
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    drawn: list[float] = []
    for _ in range(SAMPLES):
        rows = np.concatenate([members[at] for at in random.integers(0, len(members), len(members))])
        drawn.append(ranking_quality(scores[rows], truth[rows]))
    low, high = np.nanquantile(drawn, INTERVAL)
    return float(low), float(high)


def _head(penalty: float) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=2_000))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models_export.image_expert.hate_head", description=__doc__)
    parser.add_argument("--pack", type=Path, required=True, help="folder of a pack with an image expert")
    parser.add_argument("--memes", type=Path, required=True, help="folder with labels.jsonl and the pictures it names")
    parser.add_argument("--out", type=Path, help="where to keep the features (npz)")
    given = parser.parse_args(arguments)
    pack = load_pack(given.pack)
    expert = pack.manifest.image
    if expert is None:
        print(f"models_export: {given.pack} has no image expert", file=sys.stderr)
        return 1
    _, runner = open_image_expert(pack, expert)
    memes = read_memes(given.memes, runner, expert)
    if given.out is not None:
        np.savez_compressed(given.out, **vars(memes))
    found = fit_and_measure(memes)
    print(
        f"hate from pictures: AUC {found.dev:.3f} on dev [{found.low:.3f}, {found.high:.3f}],"
        f" {found.cross_validated:.3f} cross-validated on train, penalty {found.penalty:g}:"
        f" {'worth' if found.worth_having else 'not worth'} having"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
