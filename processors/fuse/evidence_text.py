"""The stretches of a post's own text, in code points of the text as it was posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from processors.fuse.pieces import Piece
from processors.fuse.scores import is_of
from processors.pack.parts import OWN_FIELDS
from schemas import Evidence, FieldSpan, Post, Window


def text_pieces(
    post: Post, windows: Sequence[Window], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> list[Piece]:
    """What each window of the own text alone shows, in reading order; its scores are the highest of the windows that
    show it. `probabilities`: rounded, shape [windows, labels]. The parent's text is read beside the post, and never
    held against it.

    The folded view shows the same text again: its windows count for the stretches of the text view that they overlap
    most, so that no stretch is listed twice.
    """
    spans: dict[FieldSpan, NDArray[np.float64]] = {}
    for view in ("text", "folded"):
        for window, values in zip(windows, probabilities, strict=True):
            if window.view != view or not is_of(window, "text"):
                continue
            for span in window.spans:
                if span.field not in OWN_FIELDS or span.start >= span.end:
                    continue
                place = span if view == "text" else _most_overlapping(span, spans) or span
                spans[place] = np.maximum(spans[place], values) if place in spans else values
    return [
        Piece(_evidence(post, span), dict(zip(labels, spans[span].tolist(), strict=True)))
        for span in sorted(spans, key=_reading_order)
    ]


def _most_overlapping(span: FieldSpan, others: Mapping[FieldSpan, object]) -> FieldSpan | None:
    def overlap(other: FieldSpan) -> int:
        return min(span.end, other.end) - max(span.start, other.start) if span.field == other.field else 0

    best = max(others, key=overlap, default=None)
    return best if best is not None and overlap(best) > 0 else None


def _reading_order(span: FieldSpan) -> tuple[int, int, int]:
    return OWN_FIELDS.index(span.field), span.start, span.end


def _evidence(post: Post, span: FieldSpan) -> Evidence:
    title = span.field == "title"
    original = (post.context.title if post.context else None) if title else post.text
    return Evidence(
        modality="text",
        field="title" if title else None,
        span=(span.start, span.end),
        text=(original or "")[span.start : span.end],
        score=0.0,
    )
