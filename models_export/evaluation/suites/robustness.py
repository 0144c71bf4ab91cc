"""`robustness`: the same texts after typos, leetspeak, spacing and look-alike letters. How much do decisions move?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from models_export.evaluation.judgement.figures import judged, share
from models_export.evaluation.judgement.prediction import Prediction, named
from models_export.evaluation.judgement.suite import Cell, Item, Source, Suite, Table
from models_export.evaluation.labelled_media import evenly
from models_export.evaluation.suites import text
from models_export.evaluation.suites.obfuscation import EDITS, edited
from models_export.measures import confusion
from models_export.measures.bootstrap import Estimate, estimate
from schemas import Action

PLAIN = "none"
LABELS = ("abuse", "hate")

TEXTS = 600
"""Of the dev rows, evenly spread over languages and sets: each is posted once for every edit."""


def read(source: Source) -> list[Item]:
    """The rows of the suite `text` whose sets the pack was trained for."""
    items = [item for item in text.read(source) if item.groups["seen"] == text.TRAINED]
    return variants(evenly(items, TEXTS))


def variants(items: Sequence[Item]) -> list[Item]:
    """Every text as it is and after each edit."""
    return [_variant(item, name) for item in items for name in (PLAIN, *EDITS)]


def _variant(item: Item, name: str) -> Item:
    post = item.post
    written = post.text or ""
    changed = written if name == PLAIN else edited(written, name, post.post_id)
    groups = {
        "edit": name,
        "same": post.post_id,
        "lang": item.groups["lang"],
        "pair": item.groups["pair"],
        "changed": "no" if changed == written else "yes",
    }
    truth = {label: value for label, value in item.truth.items() if label in LABELS}
    return Item(replace(post, post_id=f"{post.post_id}+{name}", text=changed), groups, truth, bundle=post.post_id)


def own(predictions: Sequence[Prediction]) -> dict[str, Table]:
    plain = {of.groups["same"]: of for of in predictions if of.groups["edit"] == PLAIN}
    tables: dict[str, Table] = {}
    for label in LABELS:
        rows: dict[str, Mapping[str, Cell]] = {}
        for name, members in named(predictions, "edit").items():
            pairs = [
                (plain[of.groups["same"]], of)
                for of in members
                if name != PLAIN and of.groups["changed"] == "yes" and of.groups["same"] in plain
            ]
            if pairs:
                rows[name] = moved(pairs, label)
        tables[f"What moves: {label}"] = rows
    return tables


def moved(pairs: Sequence[tuple[Prediction, Prediction]], label: str) -> dict[str, Cell]:
    """Of pairs of a text as it was and as it is after an edit; those that the edit left as they are, are not asked."""
    both = [pair for pair in pairs if all(of.says(label) is not None for of in pair)]
    before, after = [one for one, _ in both], [other for _, other in both]
    flips = [one.says(label) != other.says(label) for one, other in both]
    lost = [one for one, other in both if one.says(label) and not other.says(label)]
    said = sum(bool(of.says(label)) for of in before)
    distances = [abs(one.probabilities[label] - other.probabilities[label]) for one, other in both]
    decided = [pair for pair in pairs if all(of.action is not None for of in pair)]
    # Nothing to read any more is the surest way to be approved, so that what has no probability counts here.
    left_alone = [other for one, other in decided if one.action is not Action.APPROVE]
    return {
        "texts": len(both),
        "decided otherwise": share(sum(flips), len(both)) if both else Estimate(),
        "of those said, lost": share(len(lost), said) if said else Estimate(),
        "mean distance": float(np.mean(distances)) if distances else None,
        "macro-F1 before": _macro_f1(before, label).value,
        "macro-F1 after": _macro_f1(after, label).value,
        "change of macro-F1": _change(before, after, label),
        "restricted, then approved": share(sum(of.action is Action.APPROVE for of in left_alone), len(left_alone))
        if left_alone
        else Estimate(),
    }


def _macro_f1(predictions: Sequence[Prediction], label: str) -> Estimate:
    found = judged(predictions, label)
    if found is None:
        return Estimate()
    return estimate(confusion.cells(found.said, found.truth)[None], lambda drawn: confusion.macro_f1(drawn[..., 0, :]))


def _change(before: Sequence[Prediction], after: Sequence[Prediction], label: str) -> Estimate:
    """After minus before, with its interval by resampling texts with both of their answers."""
    one, other = judged(before, label), judged(after, label)
    if one is None or other is None:
        return Estimate()
    cells = np.bincount(4 * one.truth.astype(int) + 2 * one.said + other.said, minlength=8)[None]

    def change(drawn: np.ndarray) -> np.ndarray:
        joint = drawn[..., 0, :].reshape(*drawn.shape[:-2], 2, 2, 2)
        flat = (*drawn.shape[:-2], 4)
        return confusion.macro_f1(joint.sum(axis=-2).reshape(flat)) - confusion.macro_f1(
            joint.sum(axis=-1).reshape(flat)
        )

    return estimate(cells, change)


SUITE = Suite(
    name="robustness",
    about="Dev texts, and the same after edits that people read over: half of the long words with letters swapped, "
    "written in leetspeak, spelled out with spaces, or in look-alike letters. Figures over all items are of the texts "
    "as they are.",
    read=read,
    labels=LABELS,
    groups=("edit",),
    core=("edit", PLAIN),
    own=own,
)
