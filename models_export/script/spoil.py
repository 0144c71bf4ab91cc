"""What happens to a line on its way: made small, blurred, compressed, turned round. All in grey, 0..1."""

from __future__ import annotations

import random

import cv2
import numpy as np

from models_export.script.draw import Grey

SMALLEST_ROWS = 13
"""A line of fewer rows, with the margin that detectors leave, is read by nobody."""

LEAST_MILD_ROWS = 20


def spoiled(draw: random.Random, line: Grey, mild: float) -> Grey:
    """The line as a detector might cut it out of a picture that has been through the net.

    `mild`: probability that little has happened to it.
    """
    if draw.random() < mild:
        return _smaller(line, draw.randint(LEAST_MILD_ROWS, 56))
    noise = np.random.default_rng(draw.getrandbits(32))
    line = _smaller(line, int(np.exp(draw.uniform(np.log(SMALLEST_ROWS), np.log(56)))))
    if draw.random() < 0.3:
        line = cv2.GaussianBlur(line, (0, 0), draw.uniform(0.3, 1.1) * max(1.0, line.shape[0] / 28))
    if draw.random() < 0.4:
        line = np.clip(line, 0, 1) ** np.float32(draw.uniform(0.6, 1.6)) * draw.uniform(0.6, 1) + draw.uniform(0, 0.2)
    if draw.random() < 0.3:
        line = line + noise.normal(0, draw.uniform(0.01, 0.05), line.shape).astype(np.float32)
    if draw.random() < 0.12:
        line = 1 - line
    if draw.random() < 0.06:
        line = line[::-1, ::-1]
    if draw.random() < 0.6:
        line = _compressed(line, draw.randint(25, 92))
    return np.clip(line, 0, 1)


def _smaller(line: Grey, tall: int) -> Grey:
    """The line at that height, unless it is lower already."""
    rows, columns = line.shape
    if tall >= rows:
        return line
    return cv2.resize(line, (max(4, round(columns * tall / rows)), tall), interpolation=cv2.INTER_AREA)


def _compressed(line: Grey, quality: int) -> Grey:
    grey = (np.clip(line, 0, 1) * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32) / 255
