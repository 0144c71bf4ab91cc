"""Pictures that the tests make for themselves, and what came out of decoding them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from processors.media.decoder.decoded import DecodedPicture

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (220, 20, 30)


def photo(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Soft shapes of all sizes, with the brightness of photographs: different seeds look different."""
    rng = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3), np.float32)
    for cells in (3, 6, 12, 24):
        coarse = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        layers += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32) / cells
    return Image.fromarray((255 * (layers - layers.min()) / np.ptp(layers)).astype(np.uint8))


def corners(width: int = 64, height: int = 40) -> Image.Image:
    """Red in the upper left quarter, blue in the upper right, the rest white: which way is up can be seen."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = (0, 0, 200)
    return Image.fromarray(pixels)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def animation(frames: list[Image.Image], kind: str, **options: Any) -> bytes:
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def pixels_of(picture: DecodedPicture) -> NDArray[np.uint8]:
    with Image.open(BytesIO(picture.data)) as image:
        assert image.mode == "RGB"
        assert image.size == (picture.width, picture.height)
        return np.asarray(image)


def bits_apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
