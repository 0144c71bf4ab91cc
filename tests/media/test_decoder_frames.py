"""Pictures that move: which frames are looked at, and when they are shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from processors.media.decoder import DecoderLimits, Undecodable
from processors.media.decoder.frames import chosen
from processors.media.decoder.picture import decode
from tests.media.drawn import animation, photo, pixels_of, saved

LIMITS = DecoderLimits()
KINDS = ["GIF", "PNG", "WEBP", "AVIF"]


def photos(count: int) -> list[Image.Image]:
    return [photo(seed, 120, 90) for seed in range(count)]


def captioned(text: str) -> Image.Image:
    image = photo(1)
    ImageDraw.Draw(image).text((60, 200), text, fill="white", font_size=24)
    return image


@pytest.mark.parametrize("kind", KINDS)
def test_few_frames_are_all_looked_at_with_their_times(kind: str) -> None:
    decoded = decode(animation(photos(4), kind, duration=[100, 200, 300, 400]), LIMITS)
    assert [picture.t for picture in decoded.pictures] == [0.0, 0.1, 0.3, 0.6]
    assert (decoded.width, decoded.height) == (120, 90)
    for picture, frame in zip(decoded.pictures, photos(4), strict=True):
        assert np.abs(pixels_of(picture).astype(np.int16) - np.asarray(frame, np.int16)).mean() < 12


@pytest.mark.parametrize("kind", KINDS)
def test_of_many_frames_the_first_and_the_last_are_among_those_looked_at(kind: str) -> None:
    decoded = decode(animation(photos(21), kind, duration=100), replace(LIMITS, max_frames=5))
    times = [picture.t for picture in decoded.pictures if picture.t is not None]
    assert len(times) == 5
    assert times == sorted(times)
    assert (times[0], times[-1]) == (0.0, 2.0)


def test_what_is_shown_for_a_moment_only_is_looked_at() -> None:
    frames = [captioned("") for _ in range(60)]
    frames[37] = captioned("hidden words")
    for at, frame in enumerate(frames):  # so that no encoder takes two frames for one
        frame.putpixel((at, 0), (255, 0, 0))
    decoded = decode(animation(frames, "PNG", duration=50), replace(LIMITS, max_frames=4))
    assert 37 * 0.05 in [picture.t for picture in decoded.pictures]


def test_frames_that_show_the_same_are_kept_once() -> None:
    frames = [photo(2), photo(3), photo(2), photo(3)]
    assert [picture.t for picture in decode(animation(frames, "PNG", duration=100), LIMITS).pictures] == [0.0, 0.1]


def test_what_a_codec_adds_makes_no_other_frame() -> None:
    rng = np.random.default_rng(0)
    base = np.asarray(photo(2), np.int16)
    noisy = [Image.fromarray((base + rng.integers(-3, 4, base.shape)).clip(0, 255).astype(np.uint8)) for _ in range(4)]
    moving = animation(noisy, "AVIF", duration=100, quality=75)
    assert [picture.t for picture in decode(moving, LIMITS).pictures] == [0.0]
    assert len(decode(animation(noisy, "PNG", duration=100), LIMITS).pictures) == 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("side", "letters", "grey"), [(1_000, 30, 222), (1_000, 24, 200), (2_000, 40, 215)])
def test_thin_grey_writing_is_another_frame(kind: str, side: int, letters: int, grey: int) -> None:
    frames = [Image.new("RGB", (side, side), "white") for _ in range(2)]
    ImageDraw.Draw(frames[1]).text((60, 100), "easy to overlook", fill=(grey,) * 3, font_size=letters)
    assert [picture.t for picture in decode(animation(frames, kind, duration=500), LIMITS).pictures] == [0.0, 0.5]


def test_another_caption_is_another_frame() -> None:
    decoded = decode(animation([captioned("hello"), captioned("goodbye")], "WEBP", duration=100, quality=90), LIMITS)
    assert [picture.t for picture in decoded.pictures] == [0.0, 0.1]


def test_a_still_has_no_time() -> None:
    assert [picture.t for picture in decode(saved(photo(1), "GIF"), LIMITS).pictures] == [None]


def test_an_animation_that_breaks_off_is_refused() -> None:
    data = animation(photos(6), "GIF", duration=100)
    with pytest.raises(Undecodable, match="image/gif"):
        decode(data[: len(data) // 2], LIMITS)


def test_half_the_choice_is_spread_and_half_goes_where_most_changes() -> None:
    thumbs = np.zeros((100, 4), np.int16)
    thumbs[41], thumbs[42], thumbs[77] = 200, 190, 90
    assert chosen(thumbs, 4) == [0, 41, 77, 99]
    assert chosen(thumbs, 1) == [0]


def test_copies_are_not_chosen() -> None:
    assert chosen(np.zeros((50, 4), np.int16), 8) == [0, 16, 33, 49]
