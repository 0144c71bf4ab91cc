"""A picture's bytes to pixels of ours. A pure function of hostile bytes: run it where it may be killed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import Any, cast

from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from processors.media.decoder import pixels
from processors.media.decoder.colours import to_rgb
from processors.media.decoder.decoded import Decoded, DecodedPicture, DecoderLimits, Gap, Undecodable
from processors.media.decoder.films import film_in
from processors.media.decoder.frames import MOVING, frame_count, stills
from processors.media.decoder.tiles import Box, as_stored, is_long, tiles
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
_FAMILY_OF_MP4 = {"AVIF", "HEIF"}
_ORIENTATION = 0x0112

Size = tuple[int, int]
"""Width and height in pixels."""

MOST_REDUCED = 4.0
"""A picture reduced more than so many times is `partial`: print that people can read in it may be gone. Photographs of
50 megapixels are reduced 4 times."""

MOST_SQUEEZED = 2.0
"""The same for long pictures that move, which are not cut: their writing is as large as in any screenshot."""

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
        original = image.size
        _draft(image, limits.picture_side)
        if frame_count(image) > 1 and image.format in MOVING:
            pictures, size = _frames(image, limits, lossy=lossy)
            parts = 1
        else:
            pictures, size, parts = _still(image, original, limits, lossy=lossy)
        filmed, sounds = film_in(data) if image.format in _FAMILY_OF_MP4 else (False, False)
        return Decoded(
            kind="image",
            type=media_type,
            width=size[0],
            height=size[1],
            pictures=tuple(pictures),
            picture_gap=_left_out(image, pictures, parts, filmed=filmed),
            sound_gap=Gap(reason="the sound in it is not listened to", failed=True) if sounds else None,
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


def _frames(image: Image.Image, limits: DecoderLimits, *, lossy: bool) -> tuple[list[DecodedPicture], Size]:
    """Frames, and the size of the largest upright. One that shows the same as one before it is left out."""
    pictures: list[DecodedPicture] = []
    seen: list[pixels.Pixels] = []
    largest = (0, 0)
    for t, frame in stills(image, limits.max_frames):
        orientation = _orientation(frame)
        made = _made(frame, limits.picture_side, orientation)
        if any(pixels.same(made, other, lossy=lossy) for other in seen):
            continue
        seen.append(made)
        pictures.append(written(made, max(frame.size), pixels.pdq(made), lossy=lossy, t=t))
        size = _upright_size(frame.size, orientation)
        largest = (max(largest[0], size[0]), max(largest[1], size[1]))
    return pictures, largest


def _still(
    image: Image.Image, original: Size, limits: DecoderLimits, *, lossy: bool
) -> tuple[list[DecodedPicture], Size, int]:
    """The picture, or parts of a long one; its upright size, and how many parts it would take to look at everything.

    `original`: its size before it was drafted.
    """
    side = limits.picture_side
    image.load()
    # After loading: TIFFs are turned upright by that, and their tag is gone.
    orientation = _orientation(image)
    whole = _made(image, side, orientation)
    hashed = pixels.pdq(whole)
    upright = _upright_size(image.size, orientation)
    size = _upright_size(original, orientation)
    cut = tiles(*upright, side)
    if cut is None:
        return [written(whole, max(original), hashed, lossy=lossy)], size, 1
    drafted = max(original) / max(upright)
    pictures: list[DecodedPicture] = []
    for box in cut.boxes:
        part = image.crop(as_stored(box, *upright, orientation))
        origin = (box[0] * drafted, box[1] * drafted)
        made = _made(part, side, orientation)
        pictures.append(written(made, max(part.size) * drafted, hashed, lossy=lossy, origin=origin))
        hashed = pixels.NO_PDQ
    return pictures, size, cut.of


def _made(image: Image.Image, side: int, orientation: int) -> pixels.Pixels:
    return pixels.upright(pixels.resized(to_rgb(image, side), side), orientation)


def written(
    made: pixels.Pixels,
    original_side: float,
    hashed: tuple[str, int],
    *,
    lossy: bool,
    t: float | None = None,
    origin: tuple[float, float] = (0.0, 0.0),
) -> DecodedPicture:
    """What is seen, as an object of ours. `original_side`: the long side of the original, in its pixels; `hashed`: PDQ
    hash and quality."""
    height, width = made.shape[:2]
    return DecodedPicture(
        data=pixels.encoded(made, lossy=lossy),
        width=width,
        height=height,
        scale=max(1.0, original_side / max(width, height)),
        origin=origin,
        t=t,
        pdq=hashed[0],
        pdq_quality=hashed[1],
    )


def _draft(image: Image.Image, side: int) -> None:
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        cut = tiles(*image.size, side)
        length = max(image.size) if cut is None else _length(cut.boxes[0])
        factor = length / (side * _DRAFT_SIDE)
        if factor >= 2:
            image.draft(None, (max(1, int(image.width / factor)), max(1, int(image.height / factor))))


def _length(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def _upright_size(size: Size, orientation: int) -> Size:
    return size if orientation < 5 else (size[1], size[0])


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # EXIF is a format of its own: a broken one is as good as none, to viewers too
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _left_out(image: Image.Image, pictures: Sequence[DecodedPicture], parts: int, *, filmed: bool) -> Gap | None:
    reasons = ["the video in it is not looked at"] if filmed else []
    pages = frame_count(image) if image.format == "TIFF" else 1
    if pages > 1:
        reasons.append(f"only the first of {pages:,} pages was looked at")
    if parts > 1 and len(pictures) < parts:
        reasons.append(f"{len(pictures)} of {parts:,} parts of a very long picture are looked at")
    reasons += small_print(pictures)
    return Gap(reason=", and ".join(reasons)) if reasons else None


def small_print(pictures: Sequence[DecodedPicture]) -> list[str]:
    """Whether one of the pictures, at least one, was reduced so much that it may hold what cannot be read any more."""
    reduced = max(pictures, key=lambda picture: picture.scale)
    squeezed = reduced.t is not None and is_long(reduced.width, reduced.height)
    enough = reduced.scale <= (MOST_SQUEEZED if squeezed else MOST_REDUCED)
    return [] if enough else [f"reduced {reduced.scale:.1f} times: small print may be unread"]
