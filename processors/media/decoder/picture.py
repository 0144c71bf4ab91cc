"""A picture's bytes to pixels of ours. A pure function of hostile bytes: run it where it may be killed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from processors.media.decoder import pixels
from processors.media.decoder.colours import to_rgb
from processors.media.decoder.decoded import Decoded, DecodedPicture, DecoderLimits, Undecodable
from processors.media.decoder.frames import frame_count, stills
from processors.media.kinds import kind_of

FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
}
"""What is decoded, and by which of Pillow's plugins; no other is ever tried."""

_LOSSY = {"JPEG", "MPO", "AVIF", "HEIF"}
_ORIENTATION = 0x0112

_SAME_FRAME = 12.0
"""Levels of 255, the mean over the block that differs most: less is noise of compression and dithering."""

_DRAFT_SIDE = 0.9
"""Of the wanted side. A JPEG can be decoded at half or a quarter of its size for less than it costs whole; a picture
that ends at most a tenth smaller is as readable."""


def decode(data: bytes, limits: DecoderLimits) -> Decoded:
    """Pictures to look at. Raises `Undecodable`, and `MemoryError` where memory ran out."""
    kind = kind_of(data)
    if kind is None or kind[0] != "image":
        raise Undecodable(f"expected a picture, found {'bytes of no known type' if kind is None else kind[1]}")
    media_type = kind[1]
    if media_type not in FORMATS:
        raise Undecodable(f"{media_type} is not among the types that are decoded: {', '.join(sorted(FORMATS))}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata, which viewers ignore too
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _decoded(data, media_type, limits)
        except (Undecodable, MemoryError):
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            most = f"{limits.max_pixels:,}"
            raise Undecodable(f"the {media_type} file is a picture of more than {most} pixels, by its header") from None
        except UnidentifiedImageError:  # its own words name an object of ours
            raise Undecodable(f"the {media_type} file is broken: its header cannot be read") from None
        except Exception as error:  # whatever libraries raise over hostile bytes is the bytes' fault
            raise Undecodable(f"the {media_type} file is broken: {str(error) or type(error).__name__}") from error


def _decoded(data: bytes, media_type: str, limits: DecoderLimits) -> Decoded:
    # Pillow compares before it decodes, and again where a frame makes the canvas grow.
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    with _opened(data, media_type) as image:
        if min(image.size) < 1:
            raise Undecodable(f"the {media_type} file is a picture of {image.width} x {image.height} pixels")
        lossy = _is_lossy(image, data)
        pictures: list[DecodedPicture] = []
        size = (0, 0)
        for picture, original in _pictures(image, limits, lossy=lossy):
            pictures.append(picture)
            size = (max(size[0], original[0]), max(size[1], original[1]))
        return Decoded(
            type=media_type, width=size[0], height=size[1], pictures=tuple(pictures), partial=_left_out(image)
        )


def _opened(data: bytes, media_type: str) -> Image.Image:
    name = FORMATS[media_type]
    if name == "HEIF":
        _register_heif()
    elif name == "AVIF":
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    return Image.open(BytesIO(data), formats=[name])


def _register_heif() -> None:
    try:
        import pillow_heif
    except ImportError:
        raise Undecodable("image/heic needs the package pillow-heif, which is not installed") from None
    library = cast("Any", pillow_heif)
    library.options.DECODE_THREADS = 1
    library.register_heif_opener()


def _is_lossy(image: Image.Image, data: bytes) -> bool:
    if image.format == "WEBP":
        return b"VP8L" not in data  # the name of a lossless chunk; by chance in a lossy one, it costs only bytes
    if image.format == "TIFF":
        return cast("dict[str, Any]", image.info).get("compression") in ("jpeg", "tiff_jpeg", "webp")
    return image.format in _LOSSY


def _pictures(
    image: Image.Image, limits: DecoderLimits, *, lossy: bool
) -> Iterator[tuple[DecodedPicture, tuple[int, int]]]:
    """Each picture with the size of its upright original. A frame like one before it is left out."""
    original = image.size
    _draft(image, limits.picture_side)
    seen: list[NDArray[np.uint8]] = []
    for t, still in stills(image, limits.max_frames):
        if t is not None:
            original = still.size
        # After loading: TIFFs are turned upright by that, and their tag is gone.
        orientation = _orientation(still)
        made = pixels.upright(pixels.resized(to_rgb(still, limits.picture_side), limits.picture_side), orientation)
        if t is not None:
            sketch = pixels.sketch(made)
            if any(pixels.change(sketch, other) < _SAME_FRAME for other in seen):
                continue
            seen.append(sketch)
        yield (
            _picture(made, t, max(original), lossy=lossy),
            original if orientation < 5 else (original[1], original[0]),
        )


def _picture(made: NDArray[np.uint8], t: float | None, original_side: int, *, lossy: bool) -> DecodedPicture:
    height, width = made.shape[:2]
    pdq, quality = pixels.pdq(made)
    return DecodedPicture(
        data=pixels.encoded(made, lossy=lossy),
        width=width,
        height=height,
        scale=max(1.0, original_side / max(width, height)),
        t=t,
        pdq=pdq,
        pdq_quality=quality,
    )


def _draft(image: Image.Image, side: int) -> None:
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        factor = max(image.size) / (side * _DRAFT_SIDE)
        if factor >= 2:
            image.draft(None, (max(1, int(image.width / factor)), max(1, int(image.height / factor))))


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # EXIF is a format of its own: a broken one is as good as none, to viewers too
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _left_out(image: Image.Image) -> str | None:
    pages = frame_count(image) if image.format == "TIFF" else 1
    return None if pages == 1 else f"only the first of {pages:,} pages was looked at"
