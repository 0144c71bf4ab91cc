"""Crops without writing, as a detector that errs hands them on: texture, edges, ornaments, blank areas."""

from __future__ import annotations

import random
from collections.abc import Sequence

import cv2
import numpy as np

from models_export.script.draw import Grey, patch

ROWS = 40


def nothing(draw: random.Random, photos: Sequence[Grey]) -> Grey:
    """Any crop that shows no letters and no digits."""
    columns = int(ROWS * np.exp(draw.uniform(np.log(0.8), np.log(14))))
    kind = draw.random()
    if kind < 0.6:
        return patch(draw, photos, ROWS, columns)
    noise = np.random.default_rng(draw.getrandbits(32))
    blank = np.full((ROWS, columns), draw.random(), np.float32)
    if kind < 0.68:
        return blank + np.linspace(0, draw.uniform(-0.6, 0.6), columns, dtype=np.float32)
    if kind < 0.78:
        grain = noise.random((max(2, ROWS // draw.choice((1, 2, 6))), max(2, columns // draw.choice((1, 2, 8)))))
        return cv2.resize(grain.astype(np.float32), (columns, ROWS), interpolation=cv2.INTER_LINEAR)
    ground = patch(draw, photos, ROWS, columns) if draw.random() < 0.4 else blank
    return _shapes(draw, np.ascontiguousarray(ground))


def _shapes(draw: random.Random, ground: Grey) -> Grey:
    """Stripes, bars, circles and polygons, as frames, logos and drawings have them."""
    rows, columns = ground.shape
    colour, thick = draw.random(), draw.choice((1, 2, 3, 6, -1))
    kind = draw.random()
    if kind < 0.25:  # rules and bars across or along the whole crop
        for _ in range(draw.randint(1, 4)):
            if draw.random() < 0.6:
                at = draw.randrange(rows)
                cv2.line(ground, (0, at), (columns, at + draw.randint(-4, 4)), colour, max(1, thick))
            else:
                at = draw.randrange(columns)
                cv2.line(ground, (at, 0), (at + draw.randint(-9, 9), rows), colour, max(1, thick))
    elif kind < 0.5:  # an even row of one shape
        step, radius = draw.randint(12, 40), draw.randint(3, 14)
        for at in range(step // 2, columns, step):
            if draw.random() < 0.5:
                cv2.circle(ground, (at, rows // 2), radius, colour, thick)
            else:
                cv2.line(ground, (at, 8), (at + draw.choice((0, radius)), rows - 8), colour, max(1, thick))
    else:
        for _ in range(draw.randint(1, 5)):
            points = np.array([[draw.randrange(columns), draw.randrange(rows)] for _ in range(draw.randint(3, 7))])
            if thick < 0:
                cv2.fillPoly(ground, [points.astype(np.int32)], colour)
            else:
                cv2.ellipse(ground, (points[0].tolist(), (points[1] + 4).tolist(), draw.uniform(0, 180)), colour, thick)
    return ground
