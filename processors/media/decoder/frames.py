"""Which frames of a picture that moves are looked at.

Half of them evenly spread from the first to the last, for what goes on; the other half where the picture differs most
from those, for what is shown for a moment only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOVING = {"GIF", "PNG", "WEBP", "AVIF"}
"""Formats (Pillow's names) whose further images are frames in time."""

THUMB = (24, 24)
"""Cells of a thumbnail: width and height."""


def stills(image: Image.Image, max_frames: int) -> Iterator[tuple[float | None, Image.Image]]:
    """(time in seconds or None, image with its pixels loaded), at most `max_frames`, in order.

    The image is the same object each time, at another frame. Raises what Pillow raises for a broken file.
    """
    count = frame_count(image)
    if count == 1 or image.format not in MOVING:
        image.load()
        yield None, image
    elif count <= max_frames:
        for t in _walk(image, count):
            yield t, image
    else:
        times: list[float] = []
        thumbs: list[NDArray[np.int16]] = []
        for t in _walk(image, count):
            times.append(t)
            thumbs.append(_thumb(image))
        for index in chosen(np.stack(thumbs), max_frames):
            image.seek(index)
            image.load()
            yield times[index], image


def frame_count(image: Image.Image) -> int:
    """As the file says; at least 1."""
    return max(1, int(getattr(image, "n_frames", 1)))


def chosen(thumbs: NDArray[np.int16], count: int) -> list[int]:
    """Indices of `count` of the frames (of more than `count`) with these thumbnails, [frames, ...], ascending."""
    spread = max(1, (count + 1) // 2)
    picked = sorted({round(index) for index in np.linspace(0, len(thumbs) - 1, spread)})
    flat = thumbs.reshape(len(thumbs), -1)
    nearest = np.full(len(flat), np.iinfo(np.int16).max, np.int16)
    for index in picked:
        nearest = np.minimum(nearest, apart(flat, flat[index]))
    while len(picked) < count:
        index = int(nearest.argmax())
        if nearest[index] == 0:
            break  # all others are copies
        picked.append(index)
        nearest = np.minimum(nearest, apart(flat, flat[index]))
    return sorted(picked)


def apart(thumbs: NDArray[np.int16], one: NDArray[np.int16]) -> NDArray[np.int16]:
    """[frames]: how far each thumbnail of [frames, cells] is from this one of [cells]: the greatest difference in any
    cell, for a caption is in few cells."""
    return np.abs(thumbs - one).max(axis=1)


def _walk(image: Image.Image, count: int) -> Iterator[float]:
    """Loads frame after frame and gives the times, in seconds, at which they begin."""
    t = 0.0
    for index in range(count):
        image.seek(index)
        image.load()
        yield round(t, 3)
        t += max(0.0, float(cast("dict[str, Any]", image.info).get("duration") or 0)) / 1000


def _thumb(image: Image.Image) -> NDArray[np.int16]:
    plain = image if image.mode in ("RGB", "RGBA") else image.convert("RGBA")
    return np.asarray(plain.resize(THUMB, Image.Resampling.BOX).convert("RGBA")).astype(np.int16)
