"""What was found in a picture becomes what records say about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from processors.ocr.boxes import Quad
from processors.ocr.ctc import mean_confidence
from processors.ocr.options import OcrOptions
from processors.ocr.ordering import RIGHT_TO_LEFT, reading_order
from processors.ocr.quality import FoundLine, Verdict, coverage, judge
from processors.ocr.reader import UNWRITTEN, FoundLines
from schemas import OcrLine, OcrPicture, Picture


@dataclass(frozen=True, slots=True, eq=False)
class PictureReading:
    """A picture as read, in its own pixels: the same for whoever posts it."""

    lines: tuple[FoundLine, ...]
    """Read, in reading order."""
    unread: tuple[FoundLine, ...]
    """Found and not read, in reading order."""
    left_out: int
    """Lines beyond the limit, which nobody tried to read."""
    width: int
    height: int


def picture_reading(found: FoundLines, width: int, height: int, options: OcrOptions) -> PictureReading:
    """The lines that count, in order. `width`, `height`: of the picture."""
    judged = [(line, judge(line, options)) for line in found.lines]
    return PictureReading(
        lines=_in_order([line for line, verdict in judged if verdict is Verdict.READ]),
        unread=_in_order([line for line, verdict in judged if verdict is Verdict.UNREAD]),
        left_out=found.left_out,
        width=width,
        height=height,
    )


def ocr_picture(media_id: str, picture: Picture, reading: PictureReading) -> OcrPicture:
    """The reading for one post's picture, in pixels of the upright original."""
    return OcrPicture(
        media_id=media_id,
        object=picture.object,
        t=picture.t,
        lines=tuple(_line(line, reading, picture, read=True) for line in reading.lines),
        unread=tuple(_line(line, reading, picture, read=False) for line in reading.unread),
        confidence=_rounded(mean_confidence([(line.text, line.confidence) for line in reading.lines])),
        coverage=round(coverage([line.quad for line in (*reading.lines, *reading.unread)], *_size(reading)), 4),
    )


def _in_order(lines: Sequence[FoundLine]) -> tuple[FoundLine, ...]:
    leftwards = sum(line.script in RIGHT_TO_LEFT for line in lines)
    order = reading_order([line.quad for line in lines], right_to_left=2 * leftwards > len(lines))
    return tuple(lines[at] for at in order)


def _line(line: FoundLine, reading: PictureReading, picture: Picture, *, read: bool) -> OcrLine:
    inside = np.clip(line.quad, 0, np.array(_size(reading), np.float32))
    corners = inside * picture.scale + np.array(picture.origin, np.float32)
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    return OcrLine(
        text=line.text if read else "",
        polygon=_polygon(corners),
        bbox=(_tenth(left), _tenth(top), _tenth(right - left), _tenth(bottom - top)),
        confidence=round(min(1.0, line.confidence if read else line.score), 4),
        script=None if line.script in UNWRITTEN else line.script,
    )


def _polygon(corners: Quad) -> tuple[tuple[float, float], ...]:
    return tuple((_tenth(x), _tenth(y)) for x, y in corners)


def _tenth(pixels: float) -> float:
    """Boxes are no more exact than that, and records are read by people too."""
    return round(float(pixels), 1)


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(min(1.0, confidence), 4)


def _size(reading: PictureReading) -> tuple[int, int]:
    return reading.width, reading.height
