"""The stretches of a post's own text, in code points of the text as it was posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from processors.fuse.pieces import Piece
from processors.fuse.scores import is_of
from processors.pack.parts import OWN_FIELDS
from schemas import Attribution, Evidence, FieldSpan, Post, Window


def text_pieces(
    post: Post,
    windows: Sequence[Window],
    probabilities: NDArray[np.float64],
    labels: Sequence[str],
    attributions: Sequence[Attribution] = (),
) -> list[Piece]:
    """The stretches that labels were attributed to, and what each window of the own text alone shows, in reading order.

    A window's scores are the highest of the windows that show the same; it has none of the labels that were attributed
    to stretches within it, for those say more. An attributed stretch has the scores of the windows that show it, and as
    its share in them its weight among the label's stretches. `probabilities`: rounded, shape [windows, labels]. The
    parent's text is read beside the post, and never held against it.
    """
    spans = _shown(windows, probabilities)
    own = [found for found in attributions if found.field in OWN_FIELDS and found.label in labels]
    pieces: dict[FieldSpan, Piece] = {}
    for span, values in spans.items():
        told = {found.label for found in own if _overlap(span, _span(found)) > 0}
        scores = {label: value for label, value in zip(labels, values.tolist(), strict=True) if label not in told}
        if scores:
            pieces[span] = Piece(_evidence(post, span), scores)
    strongest: dict[str, float] = {}
    for found in own:
        strongest[found.label] = max(strongest.get(found.label, 0.0), found.weight)
    for span in dict.fromkeys(map(_span, own)):
        at_hand = [values for shown, values in spans.items() if _overlap(shown, span) > 0]
        if not at_hand:
            continue
        highest = dict(zip(labels, np.max(at_hand, axis=0).tolist(), strict=True))
        told = {found.label: found.weight / strongest[found.label] for found in own if _span(found) == span}
        # A stretch may be all that a window shows: then it has the window's other labels too.
        others = [label for label in (pieces[span].scores if span in pieces else ()) if label not in told]
        scores = {label: highest[label] for label in (*others, *told)}
        pieces[span] = Piece(_evidence(post, span), scores, shares=told)
    return [pieces[span] for span in sorted(pieces, key=_reading_order)]


def _shown(windows: Sequence[Window], probabilities: NDArray[np.float64]) -> dict[FieldSpan, NDArray[np.float64]]:
    """What the windows show, with the highest probabilities of those that show it, shape [labels].

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
    return spans


def _most_overlapping(span: FieldSpan, others: Mapping[FieldSpan, object]) -> FieldSpan | None:
    best = max(others, key=lambda other: _overlap(span, other), default=None)
    return best if best is not None and _overlap(span, best) > 0 else None


def _overlap(span: FieldSpan, other: FieldSpan) -> int:
    """Code points that both hold; below 0 where they stand apart."""
    return min(span.end, other.end) - max(span.start, other.start) if span.field == other.field else 0


def _span(found: Attribution) -> FieldSpan:
    return FieldSpan(found.field, found.start, found.end)


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
