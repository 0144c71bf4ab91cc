"""Long pictures are looked at in parts, none of which is squeezed, and what small print may lose is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageOps

from processors.media.decoder import DecodedPicture, DecoderLimits, Gap
from processors.media.decoder.picture import decode
from processors.media.decoder.protocol import Made, PictureHead, ProtocolViolation, receive_decoded
from processors.media.decoder.tiles import MAX_TILES, as_stored, tiles
from tests.media.drawn import animation, bits_apart, corners, photo, pixels_of, saved

SMALL = replace(DecoderLimits(), picture_side=256)


def extents(pictures: tuple[DecodedPicture, ...], axis: int) -> list[tuple[float, float]]:
    """(start, end) of each along x (0) or y (1), in pixels of the original."""
    return [
        (picture.origin[axis], picture.origin[axis] + (picture.width, picture.height)[axis] * picture.scale)
        for picture in pictures
    ]


@pytest.mark.parametrize(("size", "axis"), [((100, 1_500), 1), ((1_500, 100), 0)])
def test_a_long_picture_is_cut_into_parts_that_overlap_and_are_not_reduced(size: tuple[int, int], axis: int) -> None:
    original = photo(1, *size)
    decoded = decode(saved(original, "PNG"), SMALL)
    assert ((decoded.width, decoded.height), decoded.picture_gap) == (size, None)
    assert {picture.scale for picture in decoded.pictures} == {1.0}
    found = extents(decoded.pictures, axis)
    assert (found[0][0], found[-1][1]) == (0, 1_500)
    for (_, end), (start, until) in pairwise(found):
        assert end - start >= 0.15 * (until - start) - 1
    for picture in decoded.pictures:
        left, top = map(int, picture.origin)
        box = (left, top, left + picture.width, top + picture.height)
        assert np.array_equal(pixels_of(picture), np.asarray(original.crop(box)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_parts_that_are_too_large_are_reduced_each_and_their_places_stay_in_the_original(kind: str) -> None:
    original = photo(2, 600, 3_000)
    decoded = decode(saved(original, kind, **({"quality": 95} if kind == "JPEG" else {})), SMALL)
    assert (decoded.width, decoded.height) == (600, 3_000)
    found = extents(decoded.pictures, 1)
    assert (found[0][0], found[-1][1]) == (0, pytest.approx(3_000, abs=8))
    for picture, (start, end) in zip(decoded.pictures, found, strict=True):
        assert max(picture.width, picture.height) <= 256
        assert picture.width * picture.scale == pytest.approx(600, abs=5)
        part = original.crop((0, round(start), 600, round(end))).resize((picture.width, picture.height))
        assert np.abs(pixels_of(picture).astype(np.int16) - np.asarray(part, np.int16)).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_parts_are_upright_and_in_order_whatever_the_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = corners(90, 900)
    expected = ImageOps.exif_transpose(Image.open(BytesIO(saved(stored, "PNG", exif=exif))))
    decoded = decode(saved(stored, "PNG", exif=exif), SMALL)
    assert (decoded.width, decoded.height) == expected.size
    assert len(decoded.pictures) > 1
    for picture in decoded.pictures:
        left, top = map(int, picture.origin)
        box = (left, top, left + picture.width, top + picture.height)
        assert np.array_equal(pixels_of(picture), np.asarray(expected.convert("RGB").crop(box)))


def test_boxes_are_turned_back_to_how_the_picture_is_stored() -> None:
    assert as_stored((0, 10, 5, 30), 5, 100, 3) == (0, 70, 5, 90)
    assert as_stored((0, 10, 5, 30), 5, 100, 6) == (10, 0, 30, 5)
    assert as_stored((0, 10, 5, 30), 5, 100, 8) == (70, 0, 90, 5)


def test_a_picture_that_is_small_enough_or_not_long_stays_whole() -> None:
    for size in ((256, 90), (640, 256), (2_000, 7)):
        assert tiles(*size, 256) is None
    assert tiles(641, 256, 256) is not None


def test_thin_pictures_have_longer_parts_and_what_is_too_long_for_them_is_told() -> None:
    enough = tiles(20, 3_500, 256)
    assert enough is not None
    assert len(enough.boxes) == enough.of == MAX_TILES
    decoded = decode(saved(Image.new("RGB", (20, 9_000), "white"), "PNG"), SMALL)
    assert len(decoded.pictures) == MAX_TILES
    assert decoded.picture_gap == Gap(reason="16 of 42 parts of a very long picture are looked at")
    assert (decoded.pictures[0].origin, decoded.pictures[-1].origin) == ((0.0, 0.0), (0.0, 9_000.0 - 256))


def test_the_first_part_has_the_hash_of_the_whole_picture() -> None:
    tall = photo(3, 200, 2_000)
    first, *others = decode(saved(tall, "PNG"), SMALL).pictures
    whole = decode(saved(tall, "PNG"), DecoderLimits()).pictures[0]
    assert bits_apart(first.pdq, whole.pdq) <= 31
    assert first.pdq_quality >= 50
    assert {other.pdq_quality for other in others} == {0}


def test_a_picture_that_is_reduced_too_often_is_told_to_be() -> None:
    assert decode(saved(photo(4, 1_000, 800), "PNG"), SMALL).picture_gap is None
    reduced = decode(saved(photo(4, 1_300, 1_000), "PNG"), SMALL)
    assert reduced.picture_gap == Gap(reason="reduced 5.1 times: small print may be unread")


def test_a_long_picture_that_moves_is_not_cut_and_told_to_be_squeezed() -> None:
    moves = decode(animation([photo(seed, 90, 900) for seed in (1, 2)], "GIF", duration=90), SMALL)
    assert [(picture.height, picture.origin) for picture in moves.pictures] == [(256, (0.0, 0.0))] * 2
    assert moves.picture_gap == Gap(reason="reduced 3.5 times: small print may be unread")
    assert decode(animation([photo(seed, 90, 400) for seed in (1, 2)], "GIF", duration=90), SMALL).picture_gap is None


@pytest.mark.parametrize("origin", [(6.0, 0.0), (0.0, 8.0), (float("nan"), 0.0), (0.0, float("inf"))])
def test_a_part_outside_its_picture_is_not_believed(origin: tuple[float, float]) -> None:
    head = PictureHead(9, 6, 8, 1.0, origin, None, "0" * 64, 0)

    made = Made(medium="image", type="image/png", width=6, height=8, pictures=(head,))

    async def scenario() -> None:
        with pytest.raises(ProtocolViolation, match="outside its picture"):
            await receive_decoded(asyncio.StreamReader(), made, "image/png", DecoderLimits())

    asyncio.run(scenario())
