"""Arrays of pixels: resizing, turning, hashing, writing. The typed boundary to OpenCV.

Pictures are uint8 arrays of shape [height, width, 3], RGB.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from processors.media.pdq import MIN_SIDE, pdq_hash

Pixels = NDArray[np.uint8]

JPEG_QUALITY = 95
"""With full chroma, red letters on blue stay letters; what is lost is below what models and people see."""

_PDQ_SIDE = 512
"""PDQ's own reference reduces larger pictures to 512 x 512 before it hashes them."""

NO_PDQ = ("0" * 64, 0)

_NOISE = 6
"""Levels of 255, after smoothing over 3 x 3: codecs move the pixels of an unchanged picture by less. A thin grey stroke
on white moves them by more."""

_CELL = (5, 5)
_VIDEO_NOISE = 16
"""The same for frames of a video, after smoothing over 5 x 5: each is coded as what changes, and drifts."""

cv2.setNumThreads(1)


def resized(pixels: Pixels, side: int) -> Pixels:
    """Reduced to `side` on the long side by area averaging; as it is where it is no larger."""
    height, width = pixels.shape[:2]
    long = max(height, width)
    if long <= side:
        return pixels
    size = (max(1, round(width * side / long)), max(1, round(height * side / long)))
    return cast("Pixels", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turned and mirrored as the EXIF orientation (1..8) says; others than these are 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def pdq(pixels: Pixels) -> tuple[str, int]:
    """PDQ hash (64 hex digits, as PDQ's own tools write it) and its quality, 0..100."""
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        return NO_PDQ
    if max(height, width) > _PDQ_SIDE:
        size = (min(width, _PDQ_SIDE), min(height, _PDQ_SIDE))
        pixels = cast("Pixels", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return pdq_hash(pixels)


def same(one: Pixels, other: Pixels, *, lossy: bool) -> bool:
    """Whether two frames show the same: to the last pixel where no codec has changed them (`lossy`), else as nearly as
    codecs keep it. Any one place that differs counts, for a caption may be thin and grey."""
    if one.shape != other.shape:
        return False
    if not lossy or np.array_equal(one, other):
        return np.array_equal(one, other)
    return int(cv2.absdiff(cv2.blur(one, (3, 3)), cv2.blur(other, (3, 3))).max()) <= _NOISE


def alike(one: Pixels, other: Pixels) -> bool:
    """Whether two frames of a video show the same, as nearly as its codec keeps it."""
    if one.shape != other.shape:
        return False
    return int(cv2.absdiff(cv2.blur(one, _CELL), cv2.blur(other, _CELL)).max()) <= _VIDEO_NOISE


def bits_apart(one: str, other: str) -> int:
    """In which two PDQ hashes differ, 0..256."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def encoded(pixels: Pixels, *, lossy: bool) -> bytes:
    """As JPEG or PNG. The same pixels give the same bytes on the same libraries."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    if lossy:
        full_chroma = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        written, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, *full_chroma])
    else:
        # Level 1: a tenth larger than level 6 and five times as fast.
        written, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not written:
        raise ValueError(f"a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels cannot be written")
    return data.tobytes()
