"""`memes`: memes with their pictures through the whole chain, as posted and with one modality withheld.

Everything that is written in a meme is read by the chain's own OCR. Each meme is a bundle of three posts: as it is,
with the picture's content withheld from the experts, and with its text withheld.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models_export.evaluation.judgement.prediction import Prediction, named
from models_export.evaluation.judgement.running import IMAGE, OCR
from models_export.evaluation.judgement.suite import Cell, Item, Source, Suite, Table
from models_export.evaluation.labelled_media import TENANT, SuiteError
from models_export.fusion.features import Meme, read_memes
from models_export.fusion.stacking import Rows, compare, compare_judged
from models_export.measures.bootstrap import Estimate
from models_export.measures.metrics import Scores, ranking_quality
from schemas import Media, Post, Status

MEMES = Path("memes/religious")

LABEL = "hate"

WHOLE, WORDS, PICTURE = "as posted", "words alone", "picture alone"
WITHOUT = {WHOLE: frozenset[str](), WORDS: frozenset({IMAGE}), PICTURE: frozenset({OCR})}
HIGHEST = "higher of both"
"""What a chain without a fusion says: the higher probability of the two alone."""


def read(source: Source) -> list[Item]:
    try:
        memes = read_memes(source.data / MEMES)
    except (OSError, ValueError) as error:
        raise SuiteError(str(error)) from None
    dev = [meme for meme in memes if not meme.train and meme.path.is_file()]
    if not dev:
        raise SuiteError(f"{source.data / MEMES}: no dev memes whose picture is there; expected some")
    dev.sort(key=lambda meme: (meme.hateful, meme.id))
    return [_item(meme, shown) for meme in dev for shown in WITHOUT]


def _item(meme: Meme, shown: str) -> Item:
    picture = Media(media_id="meme", kind="image", uri=meme.path.resolve().as_uri())
    return Item(
        Post(post_id=f"{meme.id}+{shown}", tenant=TENANT, media=(picture,)),
        {"shown": shown, "meme": meme.id, "dup_group": meme.group},
        {LABEL: int(meme.hateful)},
        without=WITHOUT[shown],
        bundle=meme.id,
    )


def own(predictions: Sequence[Prediction]) -> dict[str, Table]:
    ways = named(predictions, "shown")
    # Memes that every way has judged or found nothing in; what failed in one is no fair comparison.
    decided = [
        {of.groups["meme"] for of in ways.get(shown, []) if of.error is None and Status.FAILED not in _read(of)}
        for shown in WITHOUT
    ]
    common = sorted(set.intersection(*decided))
    if not common:
        return {}
    by_way = {shown: {of.groups["meme"]: of for of in ways[shown]} for shown in WITHOUT}
    whole = [by_way[WHOLE][meme] for meme in common]
    truth = np.array([of.truth[LABEL] == 1 for of in whole])
    groups = np.array([of.groups["dup_group"] for of in whole])
    scores = {shown: np.array([_score(by_way[shown][meme]) for meme in common]) for shown in WITHOUT}
    scores[HIGHEST] = np.maximum(scores[WORDS], scores[PICTURE])
    served = {name: _thresholds(by_way, name, common) for name in scores}
    said = {name: (values, values > served[name]) for name, values in scores.items()}
    tables: dict[str, Table] = {"Memes": {"compared": _counts(by_way, common, groups)}}
    if 0 < truth.sum() < len(truth):
        single = max((WORDS, PICTURE), key=lambda name: ranking_quality(scores[name], truth))
        best = f"against {single}"
        tables["At the served threshold"] = _table(compare_judged(said, truth, groups, single), best)
        fitted = compare(
            Rows(truth, groups, scores),
            {name: lambda _, asked, of=name: asked.inputs[of] for name in scores},
            single,
        )
        tables["At the cut of the best macro-F1 on other memes"] = _table(fitted, best)
        tables["What it costs to drop a modality"] = _dropped(fitted)
    return tables


def _read(of: Prediction) -> set[Status]:
    """What became of the modalities that the meme was to be judged by: the others are withheld, and so have failed."""
    withheld = WITHOUT[of.groups["shown"]]
    return {said.status for name, said in of.modalities.items() if name not in withheld}


def _score(of: Prediction) -> float:
    """0 where there was nothing to judge: nothing is said of it."""
    return of.probabilities.get(LABEL, 0.0)


def _thresholds(by_way: Mapping[str, Mapping[str, Prediction]], name: str, memes: Sequence[str]) -> Scores:
    ways = by_way[WHOLE if name == HIGHEST else name]
    return np.array([ways[meme].thresholds.get(LABEL, 1.0) for meme in memes])


def _counts(
    by_way: Mapping[str, Mapping[str, Prediction]], memes: Sequence[str], groups: NDArray[np.str_]
) -> dict[str, Cell]:
    """Of a meme that is not assessed in one way, 0 is all there is to compare: so many are."""
    return {
        "memes": len(memes),
        "hateful": sum(by_way[WHOLE][meme].truth[LABEL] for meme in memes),
        "groups of near-duplicates": len(set(groups.tolist())),
        **{
            f"assessed, {shown}": sum(LABEL in ways[meme].probabilities for meme in memes)
            for shown, ways in by_way.items()
        },
    }


def _table(found: Mapping[str, Mapping[str, Mapping[str, float]]], gain: str) -> Table:
    return {
        name: {
            "macro-F1": Estimate(**of["macro_f1"]),
            "ROC-AUC": Estimate(**of["auc"]),
            f"macro-F1 {gain}": _between(of["macro_f1_gain"]),
            f"ROC-AUC {gain}": _between(of["auc_gain"]),
        }
        for name, of in found.items()
    }


def _between(ends: Mapping[str, float]) -> str:
    return f"{ends['low']:+.3f} to {ends['high']:+.3f}"


def _dropped(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Table:
    """Relative: of the macro-F1 as posted, the share that is lost."""
    whole = found[WHOLE]["macro_f1"]["value"]
    return {
        what: {
            "macro-F1": found[left]["macro_f1"]["value"],
            "relative cost": 1 - found[left]["macro_f1"]["value"] / whole if whole else None,
        }
        for what, left in (("the text (OCR)", PICTURE), ("the picture's content", WORDS))
    }


SUITE = Suite(
    name="memes",
    about="Memes about religion with their pictures through OCR, the experts and fusion, and the same memes with the "
    "words or the picture's content withheld. Intervals resample groups of near-duplicates. The labels are noisy, and "
    "memes have no sound. What is withheld counts as not read, so that the policy sends it to review: the actions of "
    "those two ways mean nothing.",
    read=read,
    labels=(LABEL,),
    groups=("shown",),
    core=("shown", WHOLE),
    together="dup_group",
    own=own,
)
