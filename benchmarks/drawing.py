"""Pictures for the benchmarks: photographs with a caption, as memes are, each of them another.

Nothing may be found in a cache that a real stream of new pictures would not find there: every picture has its own
cut-out of a photograph and its own words.
"""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from benchmarks.texts import sentences

PHOTOS = tuple(
    Path(__file__).resolve().parents[1] / "examples" / "pictures" / name for name in ("island.jpg", "lighthouse.jpg")
)
SIZES = ((448, 448), (640, 480), (480, 600), (720, 720), (900, 600))
"""Width and height in pixels: memes as forums show them, made smaller, and as the sites have them they come from."""
LETTERS = 0.075
"""Height of the letters' font, by the picture's width."""
MARGIN = 0.04
QUALITY = 85
MOST_LINES = 2
"""Above, and as many below."""


def draw(number: int) -> bytes:
    """The picture of this number, a JPEG; the same every time."""
    chance = random.Random(number)
    width, height = chance.choice(SIZES)
    picture = _cut_out(chance, width, height)
    top, bottom = chance.sample(_words(), 2)
    _write(picture, f"{number} {top}", above=True)
    _write(picture, bottom, above=False)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def picture_posts(count: int, first: int = 0) -> Iterator[tuple[str, bytes]]:
    """Key and value of `count` posts, each with one picture in it."""
    for number in range(first, first + count):
        key = f"p-{number:06}"
        media = {"media_id": "m-1", "kind": "image", "data": base64.b64encode(draw(number)).decode()}
        yield key, json.dumps({"schema": "post/1", "post_id": key, "media": [media]}).encode()


def _cut_out(chance: random.Random, width: int, height: int) -> Image.Image:
    photo = chance.choice(_photos())
    share = chance.uniform(0.7, 1.0)
    cut = (round(photo.width * share), round(photo.height * share))
    left, top = chance.randint(0, photo.width - cut[0]), chance.randint(0, photo.height - cut[1])
    picture = ImageOps.fit(photo.crop((left, top, left + cut[0], top + cut[1])), (width, height))
    return ImageOps.mirror(picture) if chance.random() < 0.5 else picture


def _write(picture: Image.Image, text: str, *, above: bool) -> None:
    """Capitals in white with a black outline, as wide as the picture allows, along its upper or lower edge."""
    pen = ImageDraw.Draw(picture)
    size = LETTERS * picture.width
    font = ImageFont.load_default(size)
    margin = MARGIN * picture.width
    lines = [""]
    for word in text.upper().split():
        longer = f"{lines[-1]} {word}".strip()
        if pen.textlength(longer, font) <= picture.width - 2 * margin:
            lines[-1] = longer
        else:
            lines.append(word)
    pen.multiline_text(
        (picture.width / 2, margin if above else picture.height - margin),
        "\n".join(lines[:MOST_LINES]),
        "white",
        font,
        anchor="ma" if above else "md",
        align="center",
        stroke_width=max(1, round(size / 14)),
        stroke_fill="black",
    )


@cache
def _photos() -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in PHOTOS]


@cache
def _words() -> list[str]:
    """The sentences whose letters Pillow's own font has."""
    return [text for text in sentences() if text.isascii()]
