"""The stretches of a post's text that speak for its decision, in code points of the text as it was posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas import Evidence, FieldName, FieldSpan, Post, Window

CONTEXT: FieldName = "parent"
"""Read beside the post, and never held against it."""

_FIELD_ORDER: tuple[FieldName, ...] = ("title", "text")


@dataclass(frozen=True, slots=True)
class EvidenceLimits:
    """How much a decision shows."""

    count: int = 50
    """Most pieces; those with the highest scores are kept."""
    chars: int = 300
    """Longest piece, in code points; a longer one is cut at its end."""


@dataclass(frozen=True, slots=True)
class TextEvidence:
    """Pieces in reading order, and for each label the indices of the pieces that speak for it."""

    pieces: tuple[Evidence, ...] = ()
    by_label: Mapping[str, tuple[int, ...]] | None = None

    def of(self, label: str) -> tuple[Evidence, ...]:
        return tuple(self.pieces[index] for index in (self.by_label or {}).get(label, ()))


def text_evidence(
    post: Post,
    windows: Sequence[Window],
    probabilities: NDArray[np.float64],
    labels: Sequence[str],
    thresholds: Mapping[str, float],
    limits: EvidenceLimits,
) -> TextEvidence:
    """The windows that speak for `labels`, the columns of `probabilities` [windows, labels].

    `thresholds` are those of the labels that the decision rests on: a window over one is a piece of evidence for that
    label; where none is over it, the highest is. Without any such label the highest window of all is shown, so that a
    reviewer has somewhere to begin.
    """
    spans = _scored_spans(windows, probabilities)
    if not spans or limits.count < 1:
        return TextEvidence()
    scores = np.array(list(spans.values()))
    columns = {label: labels.index(label) for label in thresholds if label in labels}
    chosen: dict[str, list[int]] = {}
    for label, column in columns.items():
        over = np.flatnonzero(scores[:, column] > thresholds[label]).tolist()
        chosen[label] = over or [int(scores[:, column].argmax())]
    relevant = scores[:, list(columns.values())].max(axis=1) if columns else scores.max(axis=1)
    shown = {index for indices in chosen.values() for index in indices} or {int(relevant.argmax())}
    best = sorted(shown, key=lambda index: (-relevant[index], index))[: limits.count]

    places = list(spans)
    order = sorted(best, key=lambda index: _reading_order(places[index]))
    pieces = tuple(_piece(post, places[index], float(relevant[index]), limits.chars) for index in order)
    position = {index: at for at, index in enumerate(order)}
    by_label = {
        label: tuple(sorted(position[index] for index in indices if index in position))
        for label, indices in chosen.items()
    }
    return TextEvidence(pieces, by_label)


def _scored_spans(
    windows: Sequence[Window], probabilities: NDArray[np.float64]
) -> dict[FieldSpan, NDArray[np.float64]]:
    """Each stretch that windows show, with the highest probabilities of the windows that show it.

    The folded view shows the same text again: its windows count for the stretches of the text view that they overlap
    most, so that no stretch is listed twice.
    """
    spans: dict[FieldSpan, NDArray[np.float64]] = {}
    for view in ("text", "folded"):
        for window, values in zip(windows, probabilities, strict=True):
            if window.view != view:
                continue
            for span in window.spans:
                if span.field == CONTEXT or span.start >= span.end:
                    continue
                place = span if view == "text" else _most_overlapping(span, spans) or span
                spans[place] = np.maximum(spans[place], values) if place in spans else values
    return spans


def _most_overlapping(span: FieldSpan, others: Mapping[FieldSpan, object]) -> FieldSpan | None:
    def overlap(other: FieldSpan) -> int:
        return min(span.end, other.end) - max(span.start, other.start) if span.field == other.field else 0

    best = max(others, key=overlap, default=None)
    return best if best is not None and overlap(best) > 0 else None


def _reading_order(span: FieldSpan) -> tuple[int, int, int]:
    return _FIELD_ORDER.index(span.field), span.start, span.end


def _piece(post: Post, span: FieldSpan, score: float, chars: int) -> Evidence:
    end = min(span.end, span.start + chars)
    title = span.field == "title"
    original = (post.context.title if post.context else None) if title else post.text
    return Evidence(
        modality="text",
        field="title" if title else None,
        span=(span.start, end),
        text=(original or "")[span.start : end],
        score=score,
    )
