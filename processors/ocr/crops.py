"""Cutting lines out of a picture, upright and of one height."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from processors.ocr.boxes import Quad

Pixels = NDArray[np.uint8]

HALF = np.float32(0.5)

VERTICAL = 1.5
"""A box this many times as high as wide holds a line that runs downwards (PaddleOCR's rule)."""

MAX_RATIO = 256.0
"""Width by height of the widest crop; what is longer is squeezed into it. At the smallest size that can be read that is
a line across a picture of 3,000 pixels."""


def in_reading_direction(quad: Quad) -> Quad:
    """The corners from where reading starts: those of a line that runs downwards begin at its upper right."""
    width, height = side_lengths(quad)
    return np.roll(quad, -1, axis=0) if height >= VERTICAL * width else quad


def turned(quad: Quad) -> Quad:
    """The same line, read from its other end."""
    return np.roll(quad, 2, axis=0)


def side_lengths(quad: Quad) -> tuple[float, float]:
    """(width, height) of the box, in its own direction."""
    return math.dist(quad[0], quad[1]), math.dist(quad[1], quad[2])


def cut_line(picture: Pixels, quad: Quad, height: int) -> Pixels:
    """The line within `quad`, shape [height, width, 3], its first corner at the top left.

    The box may reach beyond the picture, whose border is repeated there.
    """
    long, high = side_lengths(quad)
    native = (max(1, round(long)), max(1, round(high)))
    target = np.array([[0, 0], [native[0], 0], [native[0], native[1]]], np.float32)
    # Boxes are parallelograms: three corners say all. They count from the pixels' edges, OpenCV from their middles.
    crop = cv2.warpAffine(
        picture,
        cv2.getAffineTransform(quad[:3] - HALF, target - HALF),
        native,
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    width = max(1, math.ceil(height * min(native[0] / native[1], MAX_RATIO)))
    return np.asarray(cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def in_pieces(crop: Pixels, width: int) -> list[Pixels]:
    """The crop from left to right in pieces of at most `width` columns, cut where least is to be seen.

    A cut is looked for in the last quarter of what fits, so that it falls between words wherever there are any.
    """
    pieces: list[Pixels] = []
    while crop.shape[1] > width:
        start = width - width // 4
        contrast = np.ptp(crop[:, start:width], axis=0).sum(axis=-1)
        at = start + int(contrast.argmin())
        pieces.append(crop[:, :at])
        crop = crop[:, at:]
    return [*pieces, crop]
