"""How well the stretches that the pack shows agree with those that people marked: HateXplain and Toxic Spans.

    python -m models_export.evaluation.rationales --data DATA --pack models/embedded --out rationales.json

Measures of plausibility as in ERASER (DeYoung et al., arXiv:1911.03429) and HateXplain (Mathew et al.,
arXiv:2012.10289), over the words of a text: token F1, IOU F1 (a shown stretch counts where it shares at least half of
the words that it and a marked one hold together), and the area under the precision-recall curve of the words' weights.
All are means over posts that people marked and the pack flags; beside them stand the whole window and random words.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_export.evaluation.scoring import LabelledText, PackScorer
from models_export.measures.metrics import average_precision
from processors.encode import AttributionOptions
from processors.packs import Pack, load_pack
from processors.packs.calibration import DECIMALS, Calibration
from schemas import Record

DATASETS = ("hatexplain", "toxic_spans")
SHARED = 0.5
"""Intersection over union from which two stretches match, as in ERASER."""

Span = tuple[int, int]
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text and what people marked in it, in code points."""

    id: str
    text: str
    marked: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one text, 0..1."""

    token_f1: float
    iou_f1: float
    auprc: float


def agreement(text: str, marked: Sequence[Span], shown: Sequence[tuple[int, int, float]]) -> Agreement:
    """`shown`: stretches with their weights, above 0. Words are what stands between blanks."""
    words = [match.span() for match in _WORD.finditer(text)]
    truth = _touched(words, marked)
    found = _touched(words, [(start, end) for start, end, _ in shown])
    weights = np.zeros(len(words))
    for start, end, weight in shown:
        weights = np.where(_touched(words, [(start, end)]), np.maximum(weights, weight), weights)
    hits = float((truth & found).sum())
    return Agreement(
        token_f1=_f1(hits, hits, float(found.sum()), float(truth.sum())),
        iou_f1=_iou_f1(_runs(truth), _runs(found)),
        auprc=float(average_precision(weights, truth)),
    )


def _touched(words: Sequence[Span], spans: Sequence[Span]) -> NDArray[np.bool_]:
    return np.array([any(start < b and a < end for a, b in spans) for start, end in words], np.bool_)


def _runs(chosen: NDArray[np.bool_]) -> list[set[int]]:
    """Words that stand side by side, as sets of their numbers."""
    runs: list[set[int]] = []
    for at in np.flatnonzero(chosen).tolist():
        if runs and at - 1 in runs[-1]:
            runs[-1].add(at)
        else:
            runs.append({at})
    return runs


def _iou_f1(truth: Sequence[set[int]], found: Sequence[set[int]]) -> float:
    def matched(one: set[int], others: Sequence[set[int]]) -> bool:
        return any(len(one & other) >= SHARED * len(one | other) for other in others)

    precise = sum(matched(run, truth) for run in found)
    recalled = sum(matched(run, found) for run in truth)
    return _f1(precise, recalled, len(found), len(truth))


def _f1(precise: float, recalled: float, found: float, truth: float) -> float:
    precision, recall = precise / found if found else 0.0, recalled / truth if truth else 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def read_marked(data: Path, dataset: str, limit: int | None) -> list[MarkedText]:
    """The marked texts of a set's dev split; `limit` of them, evenly spread."""
    pandas = importlib.import_module("pandas")
    columns = ["id", "dataset", "split", "text", "rationale_spans"]
    rows = pandas.read_parquet(data / "text_pool.parquet", columns=columns)
    rows = rows[(rows["dataset"] == dataset) & (rows["split"] == "dev") & (rows["rationale_spans"].map(len) > 0)]
    if limit is not None and limit < len(rows):
        rows = rows.iloc[np.linspace(0, len(rows) - 1, limit).round().astype(int)]
    return [
        MarkedText(row.id, row.text, tuple((int(start), int(end)) for start, end in row.rationale_spans))
        for row in rows.itertuples()
    ]


def shown_in(pack: Pack, record: Record) -> tuple[tuple[int, int, float], ...] | None:
    """What a decision on a flagged text shows of it: what was attributed, else all; None for a text not flagged.

    Each label's weights are shares of its strongest: people marked what is bad, whatever it is called.
    """
    if record.encode is None or not len(record.encode.logits):
        return None
    calibration = Calibration(pack)
    highest = calibration.exact(record.encode.logits).max(axis=0).round(DECIMALS)
    if not any(value > pack.thresholds[label] for label, value in zip(calibration.heads, highest, strict=True)):
        return None
    given = record.encode.attributions
    strongest: dict[str, float] = {}
    for one in given:
        strongest[one.label] = max(strongest.get(one.label, 0.0), one.weight)
    shares = tuple((one.start, one.end, one.weight / strongest[one.label]) for one in given if one.field == "text")
    return shares or ((0, len(record.post.text or ""), 1.0),)


def figures(
    texts: Sequence[MarkedText], found: Sequence[Sequence[tuple[int, int, float]] | None], seed: int = 0
) -> dict[str, Any]:
    """Means over the flagged texts: those whose entry in `found` is not None."""
    random = np.random.default_rng(seed)
    flagged = [(text, shown) for text, shown in zip(texts, found, strict=True) if shown is not None]
    ways: dict[str, list[Sequence[tuple[int, int, float]]]] = {
        "shown": [shown for _, shown in flagged],
        "whole_window": [[(0, len(text.text), 1.0)] for text, _ in flagged],
        "random_words": [_random(text.text, random) for text, _ in flagged],
    }
    result: dict[str, Any] = {"texts": len(texts), "flagged": len(flagged)}
    for name, way in ways.items():
        each = [agreement(text.text, text.marked, shown) for (text, _), shown in zip(flagged, way, strict=True)]
        result[name] = {
            measure: round(float(np.mean([getattr(one, measure) for one in each])), 4) if each else None
            for measure in ("token_f1", "iou_f1", "auprc")
        }
    return result


def _random(text: str, random: np.random.Generator) -> list[tuple[int, int, float]]:
    """Each word with probability 1/2, and a weight by chance."""
    return [(*match.span(), float(random.uniform(0.01, 1))) for match in _WORD.finditer(text) if random.random() < 0.5]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models_export.evaluation.rationales")
    parser.add_argument("--data", type=Path, required=True, help="folder with text_pool.parquet")
    parser.add_argument("--pack", type=Path, required=True, help="folder of the pack")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--limit", type=int, help="only so many texts of each set")
    parser.add_argument("--rows", type=int, default=AttributionOptions().rows, help="as limits.evidence_rows")
    parser.add_argument("--word-rows", type=int, default=0, help="as limits.evidence_word_rows")
    given = parser.parse_args(arguments)
    pack = load_pack(given.pack)
    scorer = PackScorer(given.pack, attribution=AttributionOptions(rows=given.rows, word_rows=given.word_rows))
    report: dict[str, Any] = {}
    for dataset in DATASETS:
        texts = read_marked(given.data, dataset, given.limit)
        records = scorer.encoded([LabelledText(text.id, text.text) for text in texts])
        report[dataset] = figures(texts, [shown_in(pack, record) for record in records])
        print(dataset, json.dumps(report[dataset]), file=sys.stderr, flush=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
