"""What becomes of pictures: upright, in 8-bit sRGB, nothing transparent, no larger than asked for."""

from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageDraw, ImageEnhance, ImageFilter, ImageOps, JpegImagePlugin

from processors.media.decoder import DecodedPicture, DecoderLimits, Gap, Undecodable
from processors.media.decoder.objects import object_size
from processors.media.decoder.picture import decode
from processors.media.kinds import kind_of
from tests.media.drawn import BLACK, RED, WHITE, bits_apart, corners, photo, pixels_of, saved

LIMITS = DecoderLimits()


def only(data: bytes, limits: DecoderLimits = LIMITS) -> DecodedPicture:
    (picture,) = decode(data, limits).pictures
    return picture


def corner_of(data: bytes) -> NDArray[np.int16]:
    """The colour in the middle of the upper left quarter."""
    pixels = pixels_of(only(data)).astype(np.int16)
    return pixels[pixels.shape[0] // 4, pixels.shape[1] // 4]


def refusal(data: bytes, limits: DecoderLimits = LIMITS) -> str:
    with pytest.raises(Undecodable) as caught:
        decode(data, limits)
    return caught.value.reason


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF"])
def test_what_came_without_loss_stays_without(kind: str) -> None:
    data = saved(corners(), kind)
    decoded = decode(data, LIMITS)
    (picture,) = decoded.pictures
    assert kind_of(picture.data) == ("image", "image/png")
    assert np.array_equal(pixels_of(picture), np.asarray(corners()))
    assert (decoded.width, decoded.height, picture.scale, picture.t) == (64, 40, 1.0, None)


def test_lossless_webp_stays_without_loss_too() -> None:
    picture = only(saved(corners(), "WEBP", lossless=True))
    assert np.array_equal(pixels_of(picture), np.asarray(corners()))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_what_came_with_loss_is_a_jpeg_that_looks_the_same(kind: str) -> None:
    original = photo(1)
    data = saved(original, kind, quality=90)
    picture = only(data)
    assert kind_of(picture.data) == ("image", "image/jpeg")
    with Image.open(BytesIO(data)) as as_sent, Image.open(BytesIO(picture.data)) as kept:
        assert np.abs(np.asarray(as_sent, np.int16) - np.asarray(kept, np.int16)).mean() < 2
        assert JpegImagePlugin.get_sampling(kept) == 0  # 4:4:4


def test_the_same_bytes_give_the_same_bytes() -> None:
    data = saved(photo(2), "JPEG")
    assert decode(data, LIMITS) == decode(data, LIMITS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_pictures_are_turned_as_their_exif_says(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(corners(), kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    with Image.open(BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"), np.int16)
    decoded = decode(data, LIMITS)
    assert (decoded.height, decoded.width) == expected.shape[:2]
    assert np.abs(pixels_of(decoded.pictures[0]).astype(np.int16) - expected).mean() < 2


def test_pictures_are_reduced_to_the_wanted_side_and_say_by_how_much() -> None:
    decoded = decode(saved(photo(3, 1_000, 500), "PNG"), replace(LIMITS, picture_side=256))
    (picture,) = decoded.pictures
    assert (decoded.width, decoded.height) == (1_000, 500)
    assert (picture.width, picture.height) == (256, 128)
    assert picture.scale == pytest.approx(1_000 / 256)


def test_a_large_jpeg_is_decoded_at_half_its_size_where_that_is_about_enough() -> None:
    limits = replace(LIMITS, picture_side=512)
    picture = only(saved(photo(4, 1_000, 750), "JPEG", quality=95), limits)
    assert (picture.width, picture.height, picture.scale) == (500, 375, 2.0)
    three = only(saved(photo(4, 1_500, 1_125), "JPEG", quality=95), limits)
    assert (three.width, three.scale) == (512, pytest.approx(1_500 / 512))


@pytest.mark.parametrize("size", [(1, 30_000), (30_000, 1), (3, 9_000), (1, 1)])
def test_needles_are_pictures_without_a_hash(size: tuple[int, int]) -> None:
    picture = only(saved(Image.new("RGB", size, RED), "PNG"))
    assert max(picture.width, picture.height) == min(2_048, max(size))
    assert (picture.pdq_quality, int(picture.pdq, 16)) == (0, 0)
    assert (pixels_of(picture) == RED).all()


def test_inverted_cmyk_as_photoshop_writes_it_looks_as_it_should() -> None:
    cmyk = corners().convert("CMYK")
    assert np.abs(corner_of(saved(cmyk, "JPEG", quality=95)) - np.array(RED)).max() < 12


def test_palettes_grey_and_one_bit_become_rgb() -> None:
    assert np.abs(corner_of(saved(corners().quantize(8), "PNG")) - np.array(RED)).max() < 8
    grey = corner_of(saved(corners().convert("L"), "PNG"))
    assert len(set(grey.tolist())) == 1
    assert corner_of(saved(Image.new("1", (64, 40), 1), "PNG")).tolist() == list(WHITE)


def test_sixteen_bits_keep_their_upper_eight() -> None:
    deep = Image.fromarray((np.arange(64 * 40).reshape(40, 64) * 25).astype(np.uint16))
    expected = (np.arange(64 * 40).reshape(40, 64) * 25) >> 8
    for kind in ("PNG", "TIFF"):
        assert np.array_equal(pixels_of(only(saved(deep, kind)))[..., 0], expected)


def test_values_without_a_range_are_stretched_to_ours() -> None:
    ramp = np.linspace(-3, 5, 64 * 40, dtype=np.float32).reshape(40, 64)
    pixels = pixels_of(only(saved(Image.fromarray(ramp), "TIFF")))
    assert (pixels[0, 0, 0], pixels[-1, -1, 0]) == (0, 255)
    ramp[0, 0] = np.nan
    assert pixels_of(only(saved(Image.fromarray(ramp), "TIFF"))).shape == (40, 64, 3)


def text_on_nothing(*colours: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGBA", (240, 60 * len(colours)), (0, 0, 0, 0))
    for row, colour in enumerate(colours):
        ImageDraw.Draw(image).text((10, 60 * row + 15), "words", fill=(*colour, 255), font_size=30)
    return image


@pytest.mark.parametrize(
    ("colours", "background"),
    [((BLACK,), 255), ((WHITE,), 0), ((RED,), 255), ((WHITE, BLACK), 128)],
    ids=["black on white", "white on black", "red on white", "both on grey"],
)
def test_what_is_transparent_lies_on_what_its_edges_stand_out_from(
    colours: tuple[tuple[int, int, int], ...], background: int
) -> None:
    for image in (text_on_nothing(*colours), text_on_nothing(*colours).quantize(256)):
        pixels = pixels_of(only(saved(image, "PNG")))
        assert pixels[0, 0].tolist() == [background] * 3
        for row in range(len(colours)):
            words = pixels[60 * row : 60 * row + 60].astype(np.int16)
            assert np.abs(words - background).max() > 100


def test_colours_under_full_transparency_stay_hidden() -> None:
    image = Image.new("RGBA", (50, 50), (10, 200, 30, 0))
    assert (pixels_of(only(saved(image, "PNG"))) == 255).all()


def test_a_colour_profile_is_applied() -> None:
    # Red and green exchanged: what a viewer shows is what counts.
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    red = Image.new("RGB", (32, 32), (255, 0, 0))
    shown = pixels_of(only(saved(red, "PNG", icc_profile=swapped)))[0, 0]
    assert shown[1] > 200 > 60 > shown[0]
    assert pixels_of(only(saved(red, "PNG", icc_profile=srgb)))[0, 0].tolist() == [255, 0, 0]


def test_a_broken_or_unfit_profile_is_as_good_as_none() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for image, profile in ((corners(), b"no profile at all"), (corners().convert("L"), srgb), (corners(), srgb[:200])):
        pixels = pixels_of(only(saved(image, "PNG", icc_profile=profile)))
        assert np.array_equal(pixels, np.asarray(image.convert("RGB")))


def test_heic_is_decoded_where_its_library_is(monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    data = saved(corners(), "HEIF", quality=90)
    assert np.abs(corner_of(data) - np.array(RED)).max() < 30
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert refusal(data) == "image/heic needs the package pillow-heif, which is not installed"


def test_more_pixels_than_allowed_are_refused_by_the_header() -> None:
    limits = replace(LIMITS, max_pixels=10_000)
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"):
        assert "more than 10,000 pixels" in refusal(saved(Image.new("RGB", (1_000, 11)), kind), limits), kind
        decode(saved(Image.new("RGB", (1_000, 10)), kind), limits)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_half_a_file_is_refused(kind: str) -> None:
    data = saved(photo(5), kind)
    assert kind.lower() in refusal(data[: len(data) // 2])


def test_what_is_no_picture_is_refused_by_its_type() -> None:
    assert refusal(b"") == "expected a picture, found bytes of no known type"
    assert refusal(b"fLaC" + bytes(50)) == "expected a picture, found audio/flac"
    assert "image/x-icon is not among" in refusal(saved(corners(), "ICO"))


def test_only_the_plugin_of_the_type_is_tried() -> None:
    # Pillow would open this as a PCX or TGA by trying them all; its first bytes say PNG.
    reason = refusal(b"\x89PNG\r\n\x1a\n" + saved(corners(), "BMP"))
    assert reason.startswith("the image/png file is broken")
    assert refusal(b"GIF89a") == "the image/gif file is broken: its header cannot be read"


def test_pages_that_were_not_looked_at_are_told() -> None:
    data = saved(corners(), "TIFF", save_all=True, append_images=[photo(6), photo(7)])
    decoded = decode(data, LIMITS)
    assert len(decoded.pictures) == 1
    assert decoded.picture_gap == Gap(reason="only the first of 3 pages was looked at")
    assert decode(saved(corners(), "TIFF"), LIMITS).picture_gap is None


def test_edits_of_a_picture_have_a_hash_within_31_bits_and_other_pictures_do_not() -> None:
    original = photo(8, 640, 480)
    base = only(saved(original, "PNG"))
    assert base.pdq_quality >= 50
    edits = {
        "smaller": original.resize((320, 240)),
        "another shape": original.resize((400, 480)),
        "blurred": original.filter(ImageFilter.GaussianBlur(3)),
        "more contrast": ImageEnhance.Contrast(original).enhance(1.5),
        "brighter": ImageEnhance.Brightness(original).enhance(1.2),
    }
    for name, edit in edits.items():
        assert bits_apart(base.pdq, only(saved(edit, "JPEG", quality=60)).pdq) <= 31, name
    for seed in range(20, 40):
        assert bits_apart(base.pdq, only(saved(photo(seed, 640, 480), "PNG")).pdq) > 60


def test_a_flat_picture_has_a_hash_of_no_quality() -> None:
    assert only(saved(Image.new("RGB", (200, 200), RED), "PNG")).pdq_quality < 50


def test_objects_tell_their_size_without_being_decoded() -> None:
    for kind in ("PNG", "JPEG"):
        assert object_size(only(saved(photo(9), kind)).data) == (320, 240)
    assert object_size(saved(photo(9), "GIF")) is None
    assert object_size(saved(photo(9).convert("RGBA"), "PNG")) is None
    assert object_size(b"\xff\xd8\xff\xe0\x00\x00" * 3) is None
    assert object_size(b"\xff\xd8" + b"\xff" * 100) is None
