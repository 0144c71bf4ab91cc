"""Pictures with the lines that were read in them drawn on: what `modstream score --overlay` writes.

Of a video these are the frames that were looked at. A line is drawn in the first frame that shows it, where it stood
there; the legend of a later one counts the lines that it still shows, and does not say where they have moved to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from processors.media.pictures import PictureReader
from schemas import OcrLine, OcrPicture, Picture, Record

Colour = tuple[int, int, int]
"""RGB."""

READ: Colour = (20, 160, 60)
UNREAD: Colour = (220, 40, 40)
PAPER: Colour = (255, 255, 255)
INK: Colour = (0, 0, 0)

FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_PIXELS = 22
"""Height of its capitals at scale 1."""

LETTER_SHARE = 1 / 60
SMALLEST_LETTER = 9
"""Letters are this part of the picture's long side, in pixels at least so high that they can be read."""

MAX_PLACE = 1 << 15
"""Corners are cut to this many pixels: OpenCV's drawing works with 16 bits and more of fraction."""

ID_CHARS = 40
"""Of a media id in a file's name, for people; what makes the name unique are the numbers around it."""


def draw_overlay(
    picture: NDArray[np.uint8],
    lines: Sequence[OcrLine],
    unread: Sequence[OcrLine],
    *,
    scale: float = 1.0,
    origin: tuple[float, float] = (0.0, 0.0),
    t: float | None = None,
    still_shown: int = 0,
) -> NDArray[np.uint8]:
    """A copy of the picture, taller by a legend, with the outline of each line, its number and its confidence.

    `picture`: RGB, [height, width, 3]. Numbers count the lines read from 1, in reading order; unread ones have another
    colour and a question mark. `scale`: pixels in which the lines are measured per pixel of the picture; `origin`: the
    picture's top left corner, in the same. `t`: of a frame, in seconds; `still_shown`: its lines that earlier frames
    have.
    """
    letters = max(SMALLEST_LETTER, round(max(picture.shape[:2]) * LETTER_SHARE))
    drawn = picture.copy()
    for line in unread:
        _draw(drawn, _corners(line, scale, origin), f"? {line.confidence:.2f}", UNREAD, letters)
    for number, line in enumerate(lines, 1):
        _draw(drawn, _corners(line, scale, origin), f"{number} {line.confidence:.2f}", READ, letters)
    keys = [(f"{len(lines)} read", READ), (f"{len(unread)} not read", UNREAD)]
    if t is not None:
        keys.append((f"at {t:.1f} s, {still_shown} more since earlier frames", INK))
    return np.vstack([drawn, _legend(drawn.shape[1], keys, letters)])


class OverlayFolder:
    """Writes the pictures of records into a folder, which is made."""

    def __init__(self, folder: Path, pictures: PictureReader) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._pictures = pictures
        self.written = 0

    def write(self, number: int, record: Record) -> None:
        """Write the pictures of a record that have been through OCR; `number` is its line's.

        Raises OSError, and what `PictureReader.read` raises.
        """
        if record.ocr is None or record.fetch is None:
            return
        # Parts of one picture that look alike are one object at several places, in the same order here and there.
        places: dict[tuple[str, str], list[Picture]] = {}
        for media_id, shown in record.pictures:
            places.setdefault((media_id, shown.object), []).append(shown)
        for at, read in enumerate(record.ocr.pictures, 1):
            picture = self._pictures.read(record.post.tenant, read.object)
            same = places[read.media_id, read.object]
            place = same.pop(0) if len(same) > 1 else same[0]
            drawn = draw_overlay(
                picture,
                read.lines,
                read.unread,
                scale=place.scale,
                origin=place.origin,
                t=read.t,
                still_shown=_still_shown(read, record.ocr.pictures[: at - 1]),
            )
            (self._folder / file_name(number, read.media_id, at)).write_bytes(encoded(drawn, ".png"))
            self.written += 1


def _still_shown(frame: OcrPicture, earlier: Sequence[OcrPicture]) -> int:
    """Lines of earlier frames of the same media item that were there until this one, or longer."""
    return sum(
        frame.t is not None and line.t_end is not None and line.t_end >= frame.t
        for other in earlier
        if other.media_id == frame.media_id
        for line in (*other.lines, *other.unread)
    )


def file_name(line: int, media_id: str, picture: int) -> str:
    """A name that is of one picture of one line alone, whatever its sender called it: the numbers see to that."""
    return f"{line}-{re.sub(r'[^A-Za-z0-9._-]', '_', media_id)[:ID_CHARS]}-{picture}.png"


def encoded(picture: NDArray[np.uint8], kind: str) -> bytes:
    """An RGB picture as a file: `.png` or `.jpg`."""
    done, data = cv2.imencode(kind, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as {kind}")
    return data.tobytes()


def _corners(line: OcrLine, scale: float, origin: tuple[float, float]) -> NDArray[np.int32]:
    """The line's corners in pixels of the picture, [corners, 2]."""
    places = np.clip((np.asarray(line.polygon, float) - origin) / scale, -MAX_PLACE, MAX_PLACE)
    return np.rint(np.nan_to_num(places)).astype(np.int32)


def _draw(drawn: NDArray[np.uint8], corners: NDArray[np.int32], label: str, colour: Colour, letters: int) -> None:
    thickness = max(1, letters // 8)
    cv2.polylines(drawn, [corners], isClosed=True, color=colour, thickness=thickness)
    _write(drawn, label, (int(corners[0, 0]), int(corners[0, 1])), letters, colour)


def _write(drawn: NDArray[np.uint8], label: str, place: tuple[int, int], letters: int, colour: Colour) -> None:
    """A label on a ground of its colour, above `place` and wholly inside the picture where it fits."""
    font, weight = letters / FONT_PIXELS, max(1, letters // 10)
    (width, height), below = cv2.getTextSize(label, FONT, font, weight)
    left = min(max(place[0], 0), max(drawn.shape[1] - width, 0))
    bottom = min(max(place[1], height + below), drawn.shape[0])
    cv2.rectangle(drawn, (left, bottom - height - below), (left + width, bottom), colour, cv2.FILLED)
    cv2.putText(drawn, label, (left, bottom - below // 2), FONT, font, PAPER, weight, cv2.LINE_AA)


def _legend(width: int, keys: Sequence[tuple[str, Colour]], letters: int) -> NDArray[np.uint8]:
    """A strip under the picture that says what the colours are, [rows, width, 3]."""
    font, weight, margin = letters / FONT_PIXELS, max(1, letters // 10), letters
    strip = np.full((4 * letters, width, 3), PAPER, np.uint8)
    left, base = margin, 2 * letters + letters // 2
    for label, colour in keys:
        cv2.rectangle(strip, (left, base - letters), (left + letters, base), colour, cv2.FILLED)
        cv2.putText(strip, label, (left + margin + letters // 2, base), FONT, font, INK, weight, cv2.LINE_AA)
        left += 2 * margin + letters + cv2.getTextSize(label, FONT, font, weight)[0][0]
    return strip
