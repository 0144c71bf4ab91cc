"""From the detection graph's probability map to lines: Differentiable Binarization's post-processing.

As in PaddleOCR (`DBPostProcess`, boxes of four corners, fast score), but for how a box grows. PaddleOCR offsets the
rectangle as a polygon with round joins and takes the smallest rectangle around that. A rectangle of sides w, h offset
by d has the extent w|cos t| + h|sin t| + 2d in direction t, so a rectangle around it that is turned by t has the area
(w c + h s + 2d)(w s + h c + 2d) = wh + (w² + h²)cs + 2d(w + h)(c + s) + 4d² with c = |cos t|, s = |sin t|, least where
cs = 0 and c + s = 1: it is the rectangle itself with 2d added to both sides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processors.ocr.graph_config import DetectionConfig

Quad = NDArray[np.float32]
"""Four corners, shape [4, 2] of (x, y), clockwise on the screen. The first pixel reaches from 0 to 1."""

MIN_SIDE = 3.0
"""Marks thinner than this, in places of the map, are noise (PaddleOCR's `min_size`)."""

MIN_GROWN_SIDE = MIN_SIDE + 2


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Where a line was found."""

    quad: Quad
    """Clockwise from the corner at the top left, in pixels."""
    score: float
    """Mean probability of text within the heart of the line, 0..1."""


def text_regions(probabilities: NDArray[np.float32], config: DetectionConfig) -> list[Region]:
    """The lines of a map [height, width], in its own pixels; none of them is clipped to it."""
    marked = (probabilities > config.threshold).view(np.uint8)
    contours, _ = cv2.findContours(marked, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    regions: list[Region] = []
    for contour in contours[: config.max_candidates]:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < MIN_SIDE:
            continue
        score = _mean_within(probabilities, cv2.boxPoints((centre, (width, height), angle)))
        if score < config.box_threshold:
            continue
        grow = width * height * config.unclip_ratio / (width + height)
        if min(width, height) + grow < MIN_GROWN_SIDE:
            continue
        corners = cv2.boxPoints((centre, (width + grow, height + grow), angle))
        # Contours count from the places' middles, quads from their edges.
        regions.append(Region(clockwise(np.asarray(corners, np.float32) + np.float32(0.5)), score))
    return regions


def clockwise(corners: NDArray[np.float32]) -> Quad:
    """The corners of a rectangle, clockwise on the screen from the upper one of the two leftmost."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]])


def _mean_within(probabilities: NDArray[np.float32], corners: cv2.typing.MatLike) -> float:
    height, width = probabilities.shape
    left = min(max(math.floor(corners[:, 0].min()), 0), width - 1)
    right = min(max(math.ceil(corners[:, 0].max()), 0), width - 1)
    top = min(max(math.floor(corners[:, 1].min()), 0), height - 1)
    bottom = min(max(math.ceil(corners[:, 1].max()), 0), height - 1)
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillConvexPoly(mask, (corners - (left, top)).astype(np.int32), (1,))
    return float(cv2.mean(probabilities[top : bottom + 1, left : right + 1], mask)[0])
