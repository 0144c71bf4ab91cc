"""Films inside pictures: HEIC and AVIF are of the family of MP4, and one file may be both. What shows it as a picture
shows a still, what plays it as a video plays the film."""

from __future__ import annotations

from collections.abc import Iterator

_MAX_BOXES = 1_000
"""Side by side; files have a handful."""

_FILM, _SOUND = b"vide", b"soun"
"""Handlers of tracks (ISO 14496-12, 8.4.3). Those of pictures that move are `pict`."""


def film_in(data: bytes) -> tuple[bool, bool]:
    """Whether a file of that family has a track of video, and one of sound."""
    indices = [bytes(data[start:end]) for name, start, end in _boxes(data) if name == b"moov"]
    return any(_FILM in index for index in indices), any(_SOUND in index for index in indices)


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and end of the outermost boxes."""
    at = 0
    for _ in range(_MAX_BOXES):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:  # too long for 32 bits
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        end = at + size if size else len(data)
        if end < at + 8 or at + 8 > len(data):
            return
        yield name, at, min(end, len(data))
        at = end
