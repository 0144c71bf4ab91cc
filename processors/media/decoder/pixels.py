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

_CHANGE_SIDE = 512
_CHANGE_BLOCK = 16
"""Changes are looked for in blocks of 16 x 16 in pictures of at most 512: about the size of a letter that is read."""

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


def sketch(pixels: Pixels) -> NDArray[np.uint8]:
    """[height, width] of grey, small: what `change` compares."""
    return cast("NDArray[np.uint8]", cv2.cvtColor(resized(pixels, _CHANGE_SIDE), cv2.COLOR_RGB2GRAY))


def change(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The mean difference, 0..255, in the block of two sketches that differs most."""
    if one.shape != other.shape:
        return 255.0
    height, width = one.shape
    blocks = (max(1, width // _CHANGE_BLOCK), max(1, height // _CHANGE_BLOCK))
    return float(cv2.resize(cv2.absdiff(one, other), blocks, interpolation=cv2.INTER_AREA).max())


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
