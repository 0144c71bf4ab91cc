"""The order in which people read the lines of a picture.

Rows from top to bottom, the lines of a row from left to right (from right to left where the script runs so), columns of
running text one after the other: the recursive X-Y cut (Nagy and Seth, ICPR 1984), told apart from tables by what its
columns hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from processors.ocr.boxes import Quad

RIGHT_TO_LEFT = frozenset({"Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Syrc", "Thaa"})
"""Scripts (ISO 15924) that run from right to left."""

SAME_ROW = 0.5
"""Share of the lower line's height in which two lines of a row overlap at least."""

COLUMN_LINES = 3
COLUMN_ASPECT = 5.0
"""A column of running text has this many lines, half of them at least this many times as wide as high. The cells of a
table and the captions of a strip are fewer or shorter, and are read row by row."""


Span = tuple[float, float]
"""From, to along one axis."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def reading_order(quads: Sequence[Quad], *, right_to_left: bool = False) -> list[int]:
    """The places of the lines in `quads`, first read first.

    Each quad is clockwise from where its own reading starts, so that a page that lies on its side or stands on its head
    is ordered as if it were upright.
    """
    boxes = _upright(quads)
    if right_to_left:
        boxes = [Box(-box.right, box.top, -box.left, box.bottom) for box in boxes]
    return _ordered(list(range(len(boxes))), boxes)


def _upright(quads: Sequence[Quad]) -> list[Box]:
    """The lines' boxes in a frame in which most of the reading runs to the right: longer lines weigh more."""
    along = sum((quad[1] - quad[0] for quad in quads), np.zeros(2, np.float32))
    angle = math.atan2(float(along[1]), float(along[0]))
    # Small slants are left as they are: turning would change rows where nothing is gained.
    quarter = round(angle / (math.pi / 2)) * (math.pi / 2)
    angle = quarter if abs(angle - quarter) < math.radians(5) else angle
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    corners = [quad @ turn for quad in quads]
    return [Box(*map(float, (*points.min(axis=0), *points.max(axis=0)))) for points in corners]


def _ordered(members: Sequence[int], boxes: Sequence[Box]) -> list[int]:
    columns = _cut(members, [(boxes[at].left, boxes[at].right) for at in members])
    if len(columns) > 1:
        if all(_is_column([boxes[at] for at in column]) for column in columns):
            return [at for column in columns for at in _ordered(column, boxes)]
        return _by_rows(members, boxes)
    blocks = _blocks(members, boxes)
    if len(blocks) == 1:
        return _by_rows(members, boxes)
    return [at for block in blocks for at in _ordered(block, boxes)]


def _blocks(members: Sequence[int], boxes: Sequence[Box]) -> list[list[int]]:
    """The members in bands from top to bottom; neighbouring bands that one vertical gap runs through stay together, for
    they may be the lines of columns."""
    blocks: list[list[int]] = []
    widths: list[list[Span]] = []
    for band in _cut(members, [(boxes[at].top, boxes[at].bottom) for at in members]):
        own = _joined([(boxes[at].left, boxes[at].right) for at in band])
        both = _joined([*widths[-1], *own]) if blocks else own
        if blocks and len(both) > 1:
            blocks[-1] += band
            widths[-1] = both
        else:
            blocks.append(band)
            widths.append(own)
    return blocks


def _cut(members: Sequence[int], spans: Sequence[Span]) -> list[list[int]]:
    """The members in groups between which there is a gap, by their spans along one axis."""
    parts: list[list[int]] = []
    reach = -math.inf
    for (start, end), at in sorted(zip(spans, members, strict=True)):
        if start >= reach:
            parts.append([])
        parts[-1].append(at)
        reach = max(reach, end)
    return parts


def _joined(spans: Sequence[Span]) -> list[Span]:
    """What the spans cover together."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _is_column(boxes: Sequence[Box]) -> bool:
    long = sum(box.right - box.left >= COLUMN_ASPECT * box.height for box in boxes)
    return len(boxes) >= COLUMN_LINES and 2 * long >= len(boxes)


def _by_rows(members: Sequence[int], boxes: Sequence[Box]) -> list[int]:
    rows: list[list[int]] = []
    for at in sorted(members, key=lambda at: (boxes[at].top + boxes[at].bottom, boxes[at].left)):
        # The row's last line stands nearest: in a slanted row the first may be far above.
        if rows and _overlap(boxes[rows[-1][-1]], boxes[at]) >= SAME_ROW:
            rows[-1].append(at)
        else:
            rows.append([at])
    return [at for row in rows for at in sorted(row, key=lambda at: boxes[at].left)]


def _overlap(one: Box, other: Box) -> float:
    """Of two lines' heights, as a share of the lower one's."""
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / max(min(one.height, other.height), 1e-6)
