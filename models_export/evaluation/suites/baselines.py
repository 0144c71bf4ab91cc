"""What would be said without a model of language: of everything the same, or by its words and letters alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models_export.evaluation.judgement.suite import Item, Judgement, Source
from models_export.evaluation.suites.pool import permissive_only, pool_module, pool_rows
from models_export.measures.calibrate import DECIMALS, NotAssessable, choose_threshold, fitting_half

LABELS = ("abuse", "hate")

TRAINING_ROWS = 30_000
"""Of the rows that the pack may have been trained on: enough for words, and some ten seconds of a core."""

FEATURES = 2**18
GRAMS = (2, 5)
"""Letters within words, so that languages without spaces have features too."""


def baselines(source: Source, items: Sequence[Item]) -> dict[str, list[Judgement]]:
    """`majority` says of every item what most training rows are, `tfidf` is a logistic regression on hashed n-grams of
    letters. Both know what the pack's training may know, and the threshold is chosen on the same half of dev. Of
    a label that the rows do not show enough of, `tfidf` says nothing, and nor does `majority` where no row has it."""
    rows = pool_rows(source)
    if permissive_only(source):
        rows = rows[rows["permissive"]]
    training, dev = rows[rows["split"] == "train"], rows[rows["split"] == "dev"]
    dev = dev[fitting_half(dev["id"])]
    texts = [item.post.text or "" for item in items]
    majority: list[dict[str, float]] = [{} for _ in items]
    tfidf: list[dict[str, float]] = [{} for _ in items]
    thresholds: dict[str, float] = {}
    text_features = pool_module("sklearn.feature_extraction.text")
    linear = pool_module("sklearn.linear_model")
    vectors = text_features.HashingVectorizer(
        analyzer="char_wb", ngram_range=GRAMS, n_features=FEATURES, alternate_sign=False
    )
    weighing = text_features.TfidfTransformer(sublinear_tf=True)
    here = None
    for label in LABELS:
        known = training[training[label].notna()]
        known = known.sample(min(TRAINING_ROWS, len(known)), random_state=0)
        truth = known[label].to_numpy(int)
        if not len(truth):
            continue
        for said in majority:
            said[label] = float(np.round(truth.mean(), DECIMALS))
        if truth.min() == truth.max():
            continue
        model = linear.LogisticRegression(C=4.0, solver="liblinear")
        model.fit(weighing.fit_transform(vectors.transform(known["text"])), truth)
        fitting = dev[dev[label].notna()]
        if not len(fitting):
            continue
        scores = model.predict_proba(weighing.transform(vectors.transform(fitting["text"])))[:, 1].round(DECIMALS)
        pairs = (fitting["lang"] + "/" + fitting["dataset"]).to_numpy(str)
        try:
            thresholds[label] = choose_threshold(scores, fitting[label].to_numpy(int) == 1, pairs)
        except NotAssessable:
            continue
        here = vectors.transform(texts) if here is None else here
        for at, score in enumerate(model.predict_proba(weighing.transform(here))[:, 1].round(DECIMALS).tolist()):
            tfidf[at][label] = score
    return {
        "majority": [Judgement(found, dict.fromkeys(LABELS, 0.5)) for found in majority],
        "tfidf": [Judgement(found, thresholds) for found in tfidf],
    }
