"""PDQ hashes are those of the reference implementation, and near for pictures that look alike."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from processors.media.pdq import pdq_hash

CLOSE = 31
"""Bits up to which PDQ's authors call two pictures the same."""
ROUNDING = 4
"""The reference computes in float32, and a bit whose wave is near the median may fall to the other side."""


def _coordinates(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return y, x


def rings() -> NDArray[np.uint8]:
    y, x = _coordinates(300, 420)
    waves = (np.sin(np.hypot(y - 90, x - 200) / 9), np.cos(x / 23), np.sin((x + 2 * y) / 31))
    return np.stack([128 + 127 * wave for wave in waves], -1).astype(np.uint8)


def small() -> NDArray[np.uint8]:
    y, x = _coordinates(64, 64)
    return np.stack([x * 4, y * 4, (x * y) % 256], -1).astype(np.uint8)


def narrow() -> NDArray[np.uint8]:
    y, x = _coordinates(512, 97)
    return np.stack([(x * x + y) % 256, (y * 3) % 256, (x + y) % 256], -1).astype(np.uint8)


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


@pytest.mark.parametrize(
    ("picture", "reference"),
    [
        (rings(), "5960fa0776666a665c66fa1919a6b865579ae1e5788f55faa00da0a8e08e15fd"),
        (small(), "9999331b6333c6338c63186370c7e1c783870f0e3c0ff81ec07c03f87ff0ffa0"),
        (narrow(), "f7f841d3aaaacbf3311c2405aaafeba7ce1a1450aabf36f5de82c100aaffc100"),
    ],
    ids=["rings", "small", "narrow"],
)
def test_a_hash_is_the_one_that_the_reference_gives(picture: NDArray[np.uint8], reference: str) -> None:
    found, quality = pdq_hash(picture)
    assert distance(found, reference) <= ROUNDING
    assert quality == 100


def test_edits_that_people_make_keep_the_hash_close() -> None:
    original, _ = pdq_hash(rings())
    smaller = cv2.resize(rings(), (210, 150), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(rings(), (0, 0), 2)
    _, jpeg = cv2.imencode(".jpg", rings(), [cv2.IMWRITE_JPEG_QUALITY, 40])
    for edited in (smaller, blurred, cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.clip(rings() * 0.8, 0, 255)):
        assert distance(original, pdq_hash(np.asarray(edited, np.uint8))[0]) <= CLOSE


def test_other_pictures_are_far() -> None:
    assert distance(pdq_hash(rings())[0], pdq_hash(rings()[::-1])[0]) > 2 * CLOSE
    assert distance(pdq_hash(rings())[0], pdq_hash(small())[0]) > 2 * CLOSE


def test_a_picture_with_nothing_in_it_has_no_quality() -> None:
    assert pdq_hash(np.full((200, 200, 3), 90, np.uint8))[1] == 0


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="4 x 9 pixels"):
        pdq_hash(np.zeros((9, 4, 3), np.uint8))
