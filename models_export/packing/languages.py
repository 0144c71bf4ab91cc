"""Which languages a pack may claim to read, and how well that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# The languages that the backbone was pre-trained on: table 6 of Conneau et al., "Unsupervised Cross-lingual
# Representation Learning at Scale" (ACL 2020), as ISO 639 codes and without the romanised forms; the model card of
# multilingual-e5-small, which was distilled from that model, names the same 94.
_CODES = """
af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it ja
jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq sr su
sv sw ta te th tl tr ug uk ur uz vi xh yi zh
"""
BACKBONE_LANGUAGES = frozenset(_CODES.split())

MIN_ZERO_SHOT_F1 = 0.5
"""A classifier that ignores the text has a macro-F1 below this; a language that is read no better cannot be read."""
MIN_ROWS = 50
"""Fewer rows show nothing about a language, neither good nor bad."""
UNREADABLE = "the backbone knows it, but on labelled text the classifier was no better than one that does not read it"

Figures = dict[str, Any]


def language_cards(
    pairs: Iterable[Mapping[str, Any]], zero_shot: Iterable[Mapping[str, Any]], benign: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """A card per language, for the manifest. What no card names is unsupported.

    `pairs`, `zero_shot` and `benign` are the figures of those names from `models_export.evaluation.pack_figures`.
    A language is measured where a pair that was trained on is counted. Measured on the side (`zero_shot`) it is still
    zero-shot, or unsupported where that shows that it cannot be read.
    """
    trained, others = list(pairs), list(zero_shot)
    measured = {pair["lang"] for pair in trained if pair["counted"]}
    cards: dict[str, dict[str, Any]] = {}
    for lang in sorted(BACKBONE_LANGUAGES | measured):
        mine = [pair for pair in trained if pair["lang"] == lang and pair["counted"]]
        aside = [pair for pair in others if pair["lang"] == lang]
        figures: Figures = {}
        if mine:
            figures |= _mean(mine)
        if aside:
            figures["zero_shot"] = _mean(aside)
        if lang in benign:
            figures["benign_flagged"] = benign[lang]
        cards[lang] = {"status": "measured" if mine else "zero_shot"}
        if aside and not mine and _is_unreadable(figures["zero_shot"]):
            cards[lang] = {"status": "unsupported", "note": UNREADABLE}
        if figures:
            cards[lang]["dev"] = figures
    return cards


def _is_unreadable(aside: Figures) -> bool:
    return aside["rows"] >= MIN_ROWS and aside["abuse_macro_f1"] < MIN_ZERO_SHOT_F1


def _mean(pairs: list[Mapping[str, Any]]) -> Figures:
    return {
        "abuse_macro_f1": round(sum(pair["macro_f1"] for pair in pairs) / len(pairs), 4),
        "rows": sum(pair["rows"] for pair in pairs),
        "sets": len(pairs),
    }
