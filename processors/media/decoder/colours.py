"""From whatever colours a file has to 8-bit sRGB."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_NEGLIGIBLE = 3
"""Levels of 255. A profile that moves no colour by more is sRGB under one of its many names: not worth the time."""

_BACKGROUNDS = (255, 0, 128)
"""White first: it wins where nothing else is better."""

_EDGE_SHARE = 5
"""Per cent of the edge that may fade into the background: what is thin and rare must be seen too."""

_VISIBLE = 64
"""Opacity, 0..255, from which a pixel is taken to be part of what is shown."""


def to_rgb(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """uint8 [height, width, 3], sRGB, nothing transparent; reduced by a whole factor to no less than `side` (pixels)
    on the long side, since all that follows is cheaper then.

    What is transparent is put on white, black or middle grey, whichever the visible edges stand out from most: white
    letters on nothing must be as readable as black ones.
    """
    profile = cast("dict[str, Any]", image.info).get("icc_profile")
    image = _reduced(_plain(image), side)
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    if alpha is not None:
        image = image.convert("RGB")
    if isinstance(profile, bytes) and profile:
        image = _in_srgb(image, profile)
    pixels = np.asarray(image.convert("RGB"))
    return pixels if alpha is None else _composited(pixels, np.asarray(alpha))


def _plain(image: Image.Image) -> Image.Image:
    """As L, RGB, RGBA or CMYK."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image)
        return Image.fromarray((values >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        return _stretched(np.asarray(image))
    if image.mode in ("PA", "LA", "La", "RGBa") or image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _stretched(values: NDArray[Any]) -> Image.Image:
    """32-bit values have no agreed range: from the least to the greatest of these."""
    finite = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    return Image.fromarray(((finite - low) * (255.0 / max(high - low, 1e-9))).astype(np.uint8))


def _reduced(image: Image.Image, side: int) -> Image.Image:
    factor = max(image.size) // side
    if factor < 2:
        return image
    return image.reduce((min(factor, image.width), min(factor, image.height)))


def _composited(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if int(alpha.min()) == 255:
        return pixels
    background = _background(pixels, alpha)
    weight = alpha.astype(np.uint16)[..., None]
    # Rounded division by 255, in 16 bits: 255 * 255 + 127 fits.
    return ((pixels * weight + background * (255 - weight) + 127) // 255).astype(np.uint8)


def _background(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> int:
    """The background from which the pixels at the edges of what is visible stand out, in luma, all but a few."""
    shown = alpha >= _VISIBLE
    inner = shown.copy()
    inner[1:] &= shown[:-1]
    inner[:-1] &= shown[1:]
    inner[:, 1:] &= shown[:, :-1]
    inner[:, :-1] &= shown[:, 1:]
    edge = shown & ~inner
    if not edge.any():
        edge = shown
    if not edge.any():
        return _BACKGROUNDS[0]
    luma = pixels[edge] @ np.array([0.299, 0.587, 0.114], np.float32)
    contrasts = [float(np.percentile(np.abs(luma - level), _EDGE_SHARE)) for level in _BACKGROUNDS]
    return _BACKGROUNDS[contrasts.index(max(contrasts))]


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    transform = _transform(profile, image.mode)
    if transform is None:
        return image
    return cast("Image.Image", transform.apply(image))


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Any:
    """From the profile to sRGB; None where it is broken, does not fit the mode, or changes next to nothing (viewers do
    without such profiles too), or where Pillow was built without Little CMS."""
    try:
        from PIL import ImageCms
    except ImportError:
        return None
    try:
        source, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), cast("Any", ImageCms).createProfile("sRGB")
        transform = ImageCms.buildTransform(source, srgb, mode, "RGB")
        probe = _probe(mode)
        moved = np.asarray(transform.apply(probe)).astype(np.int16) - np.asarray(probe.convert("RGB")).astype(np.int16)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return transform if int(np.abs(moved).max()) > _NEGLIGIBLE else None


def _probe(mode: str) -> Image.Image:
    """Colours from all over the space of a mode (its channels 0..255)."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(*[steps] * channels, indexing="ij"), axis=-1).reshape(1, -1, channels)
    return Image.frombytes(mode, (grid.shape[1], 1), grid.tobytes())
