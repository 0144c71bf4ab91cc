"""What speaks for a decision in a post's pictures: the lines read in them, and the pictures themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from processors.fuse.pieces import Piece
from processors.fuse.scores import is_of
from processors.pack.language import PICTURE_FIELD
from processors.pack.picture_text import Place, join_lines
from schemas import Evidence, OcrSection, Picture, Window


def line_pieces(
    ocr: OcrSection, windows: Sequence[Window], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> list[Piece]:
    """Every line read, in reading order. `probabilities`: rounded, shape [windows, labels].

    A line's scores are those of its own windows; of a line without any (there are limits, and a single line needs none)
    the highest of the windows over lines that show it. Where nothing was judged it has none.
    """
    places = join_lines(ocr).places
    alone: dict[Place, list[int]] = {}
    for row, window in enumerate(windows):
        if window.line is not None:
            alone.setdefault(places[window.line], []).append(row)
    together = [
        (span.start, span.end, row)
        for row, window in enumerate(windows)
        if is_of(window, "ocr")
        for span in window.spans
        if span.field == PICTURE_FIELD
    ]
    pieces: list[Piece] = []
    for place, (picture, line) in zip(places, ocr.lines, strict=True):
        rows = alone.get(place) or [row for start, end, row in together if start < place[1] and place[0] < end]
        evidence = Evidence(
            modality=PICTURE_FIELD,
            media_id=picture.media_id,
            text=line.text,
            bbox=line.bbox,
            t_start=picture.t,
            score=0.0,
            confidence=line.confidence,
        )
        scores = dict(zip(labels, probabilities[rows].max(axis=0).tolist(), strict=True)) if rows else {}
        pieces.append(Piece(evidence, scores, always=True))
    return pieces


def picture_pieces(
    pictures: Sequence[tuple[str, Picture]], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> list[Piece]:
    """Every picture that was looked at. `probabilities`: rounded, shape [pictures, labels]."""
    return [
        Piece(
            Evidence(modality="image", media_id=media_id, t_start=picture.t, score=0.0),
            dict(zip(labels, values.tolist(), strict=True)),
        )
        for (media_id, picture), values in zip(pictures, probabilities, strict=True)
    ]
