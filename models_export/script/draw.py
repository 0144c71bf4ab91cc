"""Drawing a line of writing as it stands in memes, on signs, in chats and documents. All in grey, 0..1."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from models_export.script.fonts import Font

Grey = NDArray[Any]
"""float32 [rows, columns], 0 black to 1 white."""

LEAST_CONTRAST = 0.3
PLAIN, OUTLINED = 0.5, 0.28
"""Shares of lines on a plain ground, and of white ones with a black outline on a photo; the rest is bare on a photo."""
PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp"})
VERTICAL = frozenset({"Hani", "Jpan", "Hang"})
"""Scripts also written in columns, which a detector hands on lying on their side."""


def read_photos(folders: Sequence[Path]) -> list[Grey]:
    """Every picture below the folders. Raises FileNotFoundError where there is none."""
    paths = sorted({path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in PHOTO_ENDINGS})
    photos = [found for path in paths if (found := cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) is not None]
    if not photos:
        raise FileNotFoundError(f"{', '.join(map(str, folders))}: no pictures; expected some for backgrounds")
    return [photo.astype(np.float32) / 255 for photo in photos]


def patch(draw: random.Random, photos: Sequence[Grey], rows: int, columns: int) -> Grey:
    """A piece of a photo, at any scale, of exactly that size."""
    photo = draw.choice(photos)
    height, width = photo.shape
    scale = min(height / rows, width / columns, draw.uniform(0.3, 3.0))
    tall, wide = max(1, int(rows * scale)), max(1, int(columns * scale))
    top, left = draw.randint(0, height - tall), draw.randint(0, width - wide)
    piece = cv2.resize(photo[top : top + tall, left : left + wide], (columns, rows), interpolation=cv2.INTER_LINEAR)
    return piece[:, ::-1] if draw.random() < 0.5 else piece


def ink(draw: random.Random, text: str, script: str, font: Font) -> Grey | None:
    """How much of each pixel is covered by the letters; None where nothing is drawn.

    Turned, slanted and seen from an angle a little; cut to the letters with a margin as detectors leave it.
    """
    size = draw.choice((18, 24, 32, 40))
    loaded = font.at(size)
    if script in VERTICAL and draw.random() < 0.06:
        letters = [np.rot90(_mask(loaded, letter)) for letter in text[:14] if letter.strip()]
        tallest = max(letter.shape[0] for letter in letters) if letters else 0
        letters = [np.pad(letter, ((0, tallest - letter.shape[0]), (0, 2))) for letter in letters]
        mask = np.concatenate(letters, axis=1) if letters else np.zeros((1, 1), np.float32)
    else:
        mask = _mask(loaded, text)
    return _cut(draw, _bent(draw, np.pad(mask, size // 3))) if mask.size > 1 else None


def _mask(loaded: ImageFont.FreeTypeFont, text: str) -> Grey:
    drawn: Any = loaded.getmask(text)
    columns, rows = drawn.size
    return np.frombuffer(bytes(drawn), np.uint8).reshape(rows, columns).astype(np.float32) / 255


def _bent(draw: random.Random, mask: Grey) -> Grey:
    rows, columns = mask.shape
    wide = columns * draw.uniform(0.65, 1.35)
    slant = draw.choice((0, 0, 0, draw.uniform(-0.1, 0.35))) * rows
    rise = float(np.clip(wide * np.tan(np.radians(draw.gauss(0, 1.2))), -0.35 * rows, 0.35 * rows))
    nearer = [draw.gauss(0, 0.03) * rows for _ in range(4)]
    left, up, down = max(0.0, slant), max(0.0, rise), max(0.0, -rise)
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    seen = np.array(
        [
            [left, up + nearer[0]],
            [left + wide, down + nearer[1]],
            [left + wide - slant, down + rows + nearer[2]],
            [left - slant, up + rows + nearer[3]],
        ],
        np.float32,
    )
    size = (int(wide + abs(slant)) + 1, int(rows + abs(rise)) + 1)
    return cv2.warpPerspective(mask, cv2.getPerspectiveTransform(corners, seen), size, flags=cv2.INTER_LINEAR)


def _cut(draw: random.Random, mask: Grey) -> Grey | None:
    covered = mask > 0.2
    rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
    if len(rows) < 4 or len(columns) < 4:
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height = bottom - top
    # Outward; below zero, the crop cuts into the letters.
    margins = [int(height * float(np.clip(draw.gauss(0.14, 0.12), -0.1, 0.5))) for _ in range(4)]
    margins[2] += int(height * draw.choice((0, 0, draw.uniform(0, 0.6))))
    return _crop(mask, top - margins[0], bottom + margins[1], left - margins[2], right + margins[3])


def _crop(mask: Grey, top: int, bottom: int, left: int, right: int) -> Grey:
    """The box of the mask, with nothing where it reaches beyond."""
    above, before = max(0, -top), max(0, -left)
    beyond = (max(0, bottom - mask.shape[0]), max(0, right - mask.shape[1]))
    padded = np.pad(mask, ((above, beyond[0]), (before, beyond[1])))
    return padded[top + above : bottom + above, left + before : right + before]


def painted(draw: random.Random, letters: Grey, photos: Sequence[Grey]) -> Grey:
    """The letters on a background: plain, a photo, or as memes have them, white with a black outline."""
    rows, columns = letters.shape
    style = draw.random()
    if style < PLAIN:
        ground = np.full((rows, columns), draw.choice((draw.random(), 1.0, 0.0)), np.float32)
        if draw.random() < 0.3:
            ground += np.linspace(0, draw.uniform(-0.4, 0.4), columns, dtype=np.float32)
    else:
        ground = patch(draw, photos, rows, columns)
        if draw.random() < 0.3:  # a veil, as pictures with writing on them often have
            ground = ground * 0.4 + draw.choice((0.0, 0.6))
    if PLAIN <= style < PLAIN + OUTLINED:
        white = draw.random() < 0.85
        edge, fill = (draw.uniform(0, 0.15), draw.uniform(0.8, 1)) if white else (draw.uniform(0.85, 1), 0.1)
        thick = 1 + 2 * max(1, round(rows * draw.uniform(0.03, 0.08)))
        outlined = cv2.dilate(letters, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thick, thick)))
        ground = ground * (1 - outlined) + edge * outlined
    else:
        middle = float(ground.mean())
        sides = [(0.0, middle - LEAST_CONTRAST), (middle + LEAST_CONTRAST, 1.0)]
        low, high = draw.choice([side for side in sides if side[0] < side[1]])
        fill = draw.choice((draw.uniform(low, high), low if low == 0 else high))
        if draw.random() < 0.15:  # a shadow
            shadow = np.roll(letters, (1 + rows // 30, 1 + rows // 30), (0, 1))
            ground = ground * (1 - shadow * 0.7) + (1 - fill) * shadow * 0.7
    return np.clip(ground * (1 - letters) + fill * letters, 0, 1)
