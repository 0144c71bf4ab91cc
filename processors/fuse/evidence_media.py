"""What speaks for a decision in a post's media: the lines read in its pictures, the pictures themselves, and the
segments heard in its sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from processors.fuse.pieces import Piece
from processors.fuse.scores import is_of
from processors.pack.joined_text import Place, join_lines, join_segments
from processors.pack.readings import PlacedPart
from schemas import AsrSection, AsrSegment, AsrSound, Evidence, OcrSection, Picture, Window

SPEECH = "speech"


def line_pieces(
    ocr: OcrSection, windows: Sequence[Window], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> list[Piece]:
    """Every line read, in reading order. `probabilities`: rounded, shape [windows, labels]."""
    scores = _place_scores("ocr", join_lines(ocr).places, windows, probabilities, labels)
    return [
        Piece(
            Evidence(
                modality="ocr",
                media_id=picture.media_id,
                text=line.text,
                bbox=line.bbox,
                t_start=picture.t,
                t_end=line.t_end,
                score=0.0,
                confidence=line.confidence,
            ),
            found,
            always=True,
        )
        for found, (picture, line) in zip(scores, ocr.lines, strict=True)
    ]


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


def segment_pieces(
    asr: AsrSection, windows: Sequence[Window], probabilities: NDArray[np.float64], labels: Sequence[str]
) -> list[Piece]:
    """Every segment heard, in the order of media items and time. `probabilities`: rounded, shape [windows, labels].

    Those not to be trusted are shown to people as well, with a confidence of 0: no expert has judged them, and they
    speak for no label.
    """
    scores = iter(_place_scores("asr", join_segments(asr).places, windows, probabilities, labels))
    pieces: list[Piece] = []
    for sound in asr.sounds:
        heard = [
            *(_segment_piece(sound, segment, segment.confidence, next(scores)) for segment in sound.segments),
            *(_segment_piece(sound, segment, 0.0, {}) for segment in sound.unsafe),
        ]
        pieces += sorted(heard, key=lambda piece: piece.evidence.t_start or 0.0)
    return pieces


def _segment_piece(sound: AsrSound, segment: AsrSegment, confidence: float, scores: dict[str, float]) -> Piece:
    evidence = Evidence(
        modality=SPEECH,
        media_id=sound.media_id,
        text=segment.text,
        t_start=segment.t_start,
        t_end=segment.t_end,
        score=0.0,
        confidence=confidence,
    )
    return Piece(evidence, scores, always=True)


def _place_scores(
    part: PlacedPart,
    places: Sequence[Place],
    windows: Sequence[Window],
    probabilities: NDArray[np.float64],
    labels: Sequence[str],
) -> list[dict[str, float]]:
    """Label -> probability, of each line or segment at its place in the joined text.

    They are those of its own windows; of one without any (there are limits, and a single one needs none) the highest of
    the windows over the part that show it. Where nothing was judged there are none.
    """
    alone: dict[int, list[int]] = {}
    together: list[tuple[int, int, int]] = []
    for row, window in enumerate(windows):
        number = window.line if part == "ocr" else window.segment
        if number is not None:
            alone.setdefault(number, []).append(row)
        elif is_of(window, part):
            together += [(span.start, span.end, row) for span in window.spans if span.field == part]
    found: list[dict[str, float]] = []
    for number, place in enumerate(places):
        rows = alone.get(number) or [row for start, end, row in together if start < place[1] and place[0] < end]
        found.append(dict(zip(labels, probabilities[rows].max(axis=0).tolist(), strict=True)) if rows else {})
    return found
