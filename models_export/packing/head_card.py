"""The model card's tables of the text expert's heads: labels, and what it tells besides them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models_export.packing.markdown import table
from processors.packs.heads import ATTACK_HEADS, DETAIL_HEADS, IMPLICIT, SEVERITY_HEADS, TARGET_HEADS
from schemas import LABELS

Table = Mapping[str, Any]

COLUMNS = {
    "threshold": "threshold",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "average_precision": "PR-AUC",
}
ROC = {"roc_auc": "ROC-AUC"}

TARGETS = """\
Whom a post is aimed at. `hate` over its threshold is refined by every target over its own: `hate.race`. A post that is
not abusive has no target, so these probabilities are of any post, and not of one that is known to be hateful.
"""

ATTACKS = "How a post attacks. No flag follows from it: attacks are for reports, and for people who look at the post."

GRADES = """\
`implicit`: whether abuse is so without saying it openly, measured on abusive text alone and published of no other.
`severity.2` and `severity.3`: whether the severity is moderate or strong at least; over their thresholds they raise the
severity of a flagged post.
"""


def label_tables(manifest: Table, figures: Table) -> str:
    """What every label was trained and measured on, and the labels that were not."""
    cards = {label: card for label, card in manifest["labels"].items() if label in LABELS}
    missing = list(_not_measured(cards))
    parts = [_measured("label", cards, figures, COLUMNS)]
    return "\n\n".join([*parts, "**Not assessed**: never given a probability.", "\n".join(missing)])


def detail_sections(manifest: Table, figures: Table) -> list[str]:
    """Blocks on targets, attacks, openness and severity; none for a pack whose text expert has no such head."""
    cards = {head: card for head, card in manifest["labels"].items() if head in DETAIL_HEADS}
    if not cards:
        return []
    blocks = ["## Beyond labels"]
    for title, heads, text in (
        ("Targets", TARGET_HEADS, TARGETS),
        ("Attacks", ATTACK_HEADS, ATTACKS),
        ("Openness and severity", (IMPLICIT, *SEVERITY_HEADS), GRADES),
    ):
        chosen = {head: cards[head] for head in heads if head in cards}
        if any(card["status"] == "measured" for card in chosen.values()):
            blocks += [f"### {title}", text, _measured("head", chosen, figures, COLUMNS | ROC)]
    missing = [*_not_measured(cards), *_headless(cards)]
    if missing:
        blocks += ["**Not assessed**: never given a probability.", "\n".join(missing)]
    return blocks


def calibration_table(figures: Table) -> str:
    """Expected calibration error of all labels together, and of every head."""
    error = figures["calibration_error"]
    rows = [("all labels", error["judgements"], error["before"], error["after"])]
    rows += [
        (head, found["rows"], found["calibration_error_before"], found["calibration_error"])
        for head, found in figures["heads"].items()
    ]
    return "Expected calibration error, 15 bins of equal width:\n\n" + table(("", "rows", "before", "after"), rows)


def _measured(what: str, cards: Table, figures: Table, columns: Mapping[str, str]) -> str:
    rows: list[Sequence[Any]] = []
    for head, card in cards.items():
        if card["status"] != "measured":
            continue
        found, trained = figures["heads"][head], card["training_rows"]
        counts = (trained["positives"], trained["negatives"], found["rows"], found["positives"])
        rows.append((head, *counts, *(found.get(name) for name in columns)))
    return table((what, "trained +", "trained −", "rows", "+", *columns.values()), rows)


def _not_measured(cards: Table) -> Iterable[str]:
    for head, card in cards.items():
        if card["status"] != "measured":
            yield f"- `{head}`: {card.get('note', 'not measured')}"


def _headless(cards: Table) -> Iterable[str]:
    if heads := [f"`{head}`" for head in DETAIL_HEADS if head not in cards]:
        yield f"- too little labelled text that may be used, and no head: {', '.join(heads)}"
