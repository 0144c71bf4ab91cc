"""Pictures that tests draw themselves."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

WIDTH, LINE_HEIGHT = 480, 60


def picture_of(*lines: str, size: int = 32, ink: str = "black", paper: str = "white") -> Image.Image:
    """Lines of Latin text, one below the other, in Pillow's own font."""
    picture = Image.new("RGB", (WIDTH, LINE_HEIGHT * max(1, len(lines)) + 40), paper)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size)
    for at, line in enumerate(lines):
        pen.text((20, 20 + at * LINE_HEIGHT), line, fill=ink, font=font)
    return picture


def encoded(picture: Image.Image, form: str = "PNG") -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


def drawn(*lines: str, form: str = "PNG") -> bytes:
    """A file that shows these lines."""
    return encoded(picture_of(*lines), form)
