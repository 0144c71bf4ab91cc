"""`hatecheck`: HateCheck and Multilingual HateCheck. For measuring only: nothing is trained or chosen on them."""

from __future__ import annotations

from collections.abc import Sequence

from models_export.evaluation.hatecheck import ENGLISH, read_suites
from models_export.evaluation.judgement.figures import judged, share
from models_export.evaluation.judgement.prediction import Prediction, named
from models_export.evaluation.judgement.suite import Average, Cell, Item, Source, Suite, Table
from models_export.evaluation.labelled_media import SuiteError
from schemas import Post

NO_TARGET = "none"


def read(source: Source) -> list[Item]:
    suites = read_suites(source.data)
    if not suites:
        raise SuiteError(f"{source.data}: neither {ENGLISH} nor another suite; expected HateCheck below named/")
    return [
        Item(
            Post(post_id=case.id, text=case.text),
            {"lang": suite.lang, "suite": "HateCheck" if suite.lang == "en" else "Multilingual HateCheck"}
            | {"function": str(function), "target": str(target) or NO_TARGET},
            {"hate": int(hateful)},
        )
        for suite in suites
        for case, hateful, function, target in zip(
            suite.cases, suite.hateful, suite.functionality, suite.target, strict=True
        )
    ]


def own(predictions: Sequence[Prediction]) -> dict[str, Table]:
    """Accuracy, which is what the suites are read by, by function of either suite, and by function and language."""
    tables: dict[str, Table] = {}
    for suite, members in named(predictions, "suite").items():
        functions = named(members, "function")
        langs = named(members, "lang")
        tables[f"Accuracy by function: {suite}"] = {name: _accuracy(of) for name, of in functions.items()}
        if len(langs) > 1:
            tables[f"Accuracy by function and language: {suite}"] = {
                name: {lang: _accuracy([of for of in cases if of.groups["lang"] == lang])["accuracy"] for lang in langs}
                for name, cases in functions.items()
            }
    return tables


def _accuracy(predictions: Sequence[Prediction]) -> dict[str, Cell]:
    found = judged(predictions, "hate")
    if found is None:
        return {"cases": 0, "hateful": None, "accuracy": None}
    right = int((found.said == found.truth).sum())
    hateful = "yes" if found.truth.mean() > 0.5 else "no"
    return {"cases": len(found.truth), "hateful": hateful, "accuracy": share(right, len(found.truth))}


SUITE = Suite(
    name="hatecheck",
    about="Short cases, each a test of one function that a classifier of hate should have, in eleven languages. A case "
    "is called hateful where hate is over its threshold.",
    read=read,
    labels=("hate",),
    groups=("suite", "lang", "target", "function"),
    averages=(Average("hate, mean of languages", "hate", over="lang"),),
    own=own,
)
