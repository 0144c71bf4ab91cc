"""What videos show: which frames are looked at, which way is up, and what is told of what is missing."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image, ImageDraw

from processors.media.decoder import Decoded, DecoderLimits, Gap, MovingLimits, Undecodable, av_frames, moving
from processors.media.decoder.clock import FRAMES, SOUND, Clock, Share
from processors.media.decoder.moving import decode
from tests.media.drawn import animation, corners, photo, pixels_of, saved
from tests.media.sounded import (
    RATE,
    VIDEO_CODECS,
    add_sound,
    add_video,
    sound,
    sound_stream,
    tone,
    video,
    video_stream,
)

MOVING = MovingLimits()
LIMITS = DecoderLimits(moving=MOVING)
SIZE = (160, 120)


def scenes(*seeds: int, frames: int = 10) -> list[Image.Image]:
    """So many frames of each scene."""
    return [photo(seed, *SIZE) for seed in seeds for _ in range(frames)]


def times(decoded: Decoded) -> list[float | None]:
    return [picture.t for picture in decoded.pictures]


def packets(data: bytes | bytearray, kind: str) -> list[tuple[int, int]]:
    """Where in a file the packets of its streams of a kind are: first byte and length."""
    with av.open(BytesIO(data), "r") as container:
        found = [packet for packet in container.demux() if packet.size and packet.stream.type == kind]
        return [(packet.pos or 0, packet.size) for packet in found]


def captioned(image: Image.Image, text: str) -> Image.Image:
    image = image.copy()
    ImageDraw.Draw(image).text((20, 80), text, fill="white", font_size=16)
    return image


def box(name: bytes, content: bytes) -> bytes:
    """Of an MP4."""
    return struct.pack(">I", len(content) + 8) + name + content


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents of those that stand side by side."""
    found: list[tuple[bytes, bytes]] = []
    while data:
        size = int.from_bytes(data[:4], "big")
        found.append((data[4:8], data[8:size]))
        data = data[size:]
    return found


def with_tracks(mp4: bytes, handler: bytes, **content: bytes) -> bytes:
    """The file with these boxes in its track of that handler, in place of those of the same names."""
    told: list[bytes] = []
    for name, inner in boxes(mp4):
        if name == b"moov":
            tracks = boxes(inner)
            for at, (kind, track) in enumerate(tracks):
                if kind == b"trak" and handler in track:
                    kept = [box(*part) for part in boxes(track) if part[0].decode() not in content]
                    tracks[at] = (kind, b"".join([kept[0], *content.values(), *kept[1:]]))
            inner = b"".join(box(*part) for part in tracks)
        told.append(box(name, inner))
    return b"".join(told)


@pytest.mark.parametrize("container", VIDEO_CODECS)
def test_every_container_shows_its_scenes_and_gives_its_sound(container: str) -> None:
    decoded = decode(video(scenes(1, 2, 3), container, samples=tone(1.2)), LIMITS)
    assert (decoded.kind, decoded.width, decoded.height) == ("video", *SIZE)
    assert (decoded.picture_gap, decoded.sound_gap) == (None, None)
    assert decoded.seconds == pytest.approx(1.2, abs=0.1)
    assert decoded.sound is not None
    assert decoded.sound.seconds == pytest.approx(1.2, abs=0.1)
    assert times(decoded) == pytest.approx([0.0, 0.4, 0.8], abs=0.09)  # an AVI has no times of its own
    for picture, seed in zip(decoded.pictures, (1, 2, 3), strict=True):
        assert np.abs(pixels_of(picture).astype(np.int16) - np.asarray(photo(seed, *SIZE), np.int16)).mean() < 12


def test_frames_are_pictures_like_any_other() -> None:
    (picture,) = decode(video([photo(1, 640, 360)] * 3), replace(LIMITS, picture_side=320)).pictures
    assert (picture.width, picture.height, picture.scale, picture.origin, picture.t) == (320, 180, 2.0, (0, 0), 0.0)
    assert picture.data.startswith(b"\xff\xd8")
    still = decode(saved(photo(1, 640, 360), "PNG"), LIMITS).pictures[0]
    assert (int(picture.pdq, 16) ^ int(still.pdq, 16)).bit_count() <= 20
    assert picture.pdq_quality > 50


@pytest.mark.parametrize("colour", [(220, 20, 30), (40, 200, 60), (255, 255, 255), (0, 0, 0)])
def test_colours_are_those_that_were_filmed(colour: tuple[int, int, int]) -> None:
    (picture,) = decode(video([Image.new("RGB", SIZE, colour)] * 3), LIMITS).pictures
    assert np.abs(pixels_of(picture).astype(np.int16) - colour).max() <= 6


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_a_video_is_turned_as_players_turn_it(rotation: int) -> None:
    decoded = decode(video([corners(96, 64)] * 3, rotation=rotation), LIMITS)
    turned = np.asarray(corners(96, 64).rotate(rotation, expand=True), np.int16)
    found = pixels_of(decoded.pictures[0]).astype(np.int16)
    assert (decoded.height, decoded.width) == turned.shape[:2] == found.shape[:2]
    assert np.abs(found - turned).mean() < 10


def test_pixels_that_are_not_square_are_made_so() -> None:
    decoded = decode(video([photo(1, *SIZE)] * 3, ratio=Fraction(3, 2)), LIMITS)
    assert (decoded.width, decoded.height) == (240, 120)
    assert (decoded.pictures[0].width, decoded.pictures[0].height) == (240, 120)


def test_a_caption_that_flashes_for_two_frames_is_looked_at() -> None:
    frames = [photo(1, 320, 240) for _ in range(100)]
    frames[61] = frames[62] = captioned(photo(1, 320, 240), "hidden words")
    assert times(decode(video(frames), LIMITS)) == [0.0, 61 / RATE]


def test_of_a_picture_that_stands_still_one_frame_is_looked_at() -> None:
    rng = np.random.default_rng(0)
    base = np.asarray(photo(2, *SIZE), np.int16)
    noisy = [Image.fromarray((base + rng.integers(-3, 4, base.shape)).clip(0, 255).astype(np.uint8)) for _ in range(50)]
    assert times(decode(video(noisy), LIMITS)) == [0.0]


def test_scenes_that_come_again_are_looked_at_once() -> None:
    assert times(decode(video(scenes(1, 2, 1, 2)), LIMITS)) == [0.0, 0.4]


def test_of_many_scenes_as_many_are_looked_at_as_may_be_with_the_first_and_the_last() -> None:
    decoded = decode(video(scenes(*range(30), frames=2)), replace(LIMITS, moving=MovingLimits(video_frames=6)))
    assert len(decoded.pictures) == 6
    assert times(decoded)[0] == 0.0
    assert (times(decoded)[-1] or 0) >= 2.28


def test_frames_of_different_length_have_their_own_times() -> None:
    shown = [0.0, 0.1, 0.5, 2.0, 5.0]
    assert times(decode(video(scenes(*range(5), frames=1), times=shown), LIMITS)) == pytest.approx(shown, abs=0.002)


def test_a_slow_video_is_looked_at_once_in_a_while() -> None:
    frames = [Image.new("RGB", SIZE, "black") for _ in range(48)]
    for at, frame in enumerate(frames):
        frame.paste((255, 255, 255), (3 * at, 50, 3 * at + 20, 70))  # it crosses the picture
    found = times(decode(video(frames, times=[at / 2 for at in range(48)]), LIMITS))
    assert {0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 23.5} <= set(found)


def test_what_costs_too_much_is_looked_at_by_its_key_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = scenes(1, 2, 3, frames=20)
    whole = times(decode(video(frames, key_every=10), LIMITS))
    monkeypatch.setattr(av_frames, "MOST_WORK", 500_000)
    decoded = decode(video(frames, key_every=10), LIMITS)
    assert times(decoded) == whole == [0.0, 0.8, 1.6]


def test_key_frames_that_are_too_far_apart_are_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av_frames, "MOST_WORK", 500_000)
    limits = replace(LIMITS, moving=MovingLimits(frame_gap_s=0.2))
    decoded = decode(video(scenes(1, 2, 3, frames=20), key_every=1_000), limits)
    assert times(decoded) == [0.0, 0.8, 1.6]


def test_what_is_shown_long_after_a_key_frame_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av_frames, "MOST_WORK", 500_000)
    frames = scenes(1, frames=1) + scenes(2, frames=40)
    assert times(decode(video(frames, times=[0.28 * at for at in range(41)], key_every=1_000), LIMITS)) == [0.0, 0.28]


def test_of_key_frames_that_cost_too_much_as_many_are_looked_at_as_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av_frames, "MOST_WORK", 1_000_000)  # 14 frames of this size
    assert len(decode(video(scenes(*range(16), frames=4), key_every=1), LIMITS).pictures) == 13


def test_a_broken_key_frame_counts_for_all_that_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av_frames, "MOST_WORK", 500_000)
    data = bytearray(video(scenes(*range(5), frames=20), "webm", key_every=20))
    for at, size in packets(data, "video")[1:]:
        data[at + 8 : at + size] = bytes(size - 8)
    assert decode(bytes(data), LIMITS).picture_gap == Gap(reason="3.2 s of its video are broken")


def test_a_longer_video_is_looked_at_in_part() -> None:
    decoded = decode(video(scenes(1, 2, 3, frames=20)), replace(LIMITS, moving=MovingLimits(max_seconds=1)))
    assert times(decoded) == [0.0, 0.8]
    assert decoded.picture_gap == Gap(reason="only the first 1 s of its video are looked at")
    assert decoded.seconds == pytest.approx(2.4, abs=0.1)


def test_a_video_that_takes_too_long_is_kept_as_far_as_it_was_looked_at() -> None:
    data = video(scenes(*range(20), frames=5), samples=tone(4))
    with pytest.raises(Undecodable, match=r"too long"):
        decode(data, replace(LIMITS, timeout_s=0.001))


class Impatient(Clock):
    """Lets a share of an item's time be over when it has been asked for so many times."""

    def __init__(self, times: dict[Share, int]) -> None:
        super().__init__(60)
        self._times = times

    def over(self, share: Share) -> bool:
        self._times[share] = self._times.get(share, 1_000) - 1
        return self._times[share] < 0


def test_what_was_decoded_in_time_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    data = video(scenes(1, 2, 3, frames=20), samples=tone(2.4))
    monkeypatch.setattr(moving, "Clock", lambda _: Impatient({FRAMES: 30}))  # pyright: ignore[reportUnknownLambdaType]
    decoded = decode(data, LIMITS)
    assert times(decoded) == [0.0, 0.8]
    assert decoded.picture_gap == Gap(reason="its video takes too long to decode: it was looked at for 1.2 s")
    assert decoded.sound_gap is None
    monkeypatch.setattr(moving, "Clock", lambda _: Impatient({SOUND: 250}))  # pyright: ignore[reportUnknownLambdaType]
    decoded = decode(data, LIMITS)
    assert times(decoded) == [0.0, 0.8, 1.6]
    assert decoded.sound is not None
    assert 1 < decoded.sound.seconds < 2.4
    assert decoded.sound_gap is not None
    assert decoded.sound_gap.reason.startswith("its sound takes too long to decode, at ")


def test_without_sound_there_is_none_and_nothing_is_missing() -> None:
    decoded = decode(video(scenes(1)), LIMITS)
    assert (decoded.sound, decoded.sound_gap) == (None, None)


def test_a_video_file_without_video_is_a_sound() -> None:
    decoded = decode(sound(tone(1), "mp4"), LIMITS)
    assert (decoded.kind, decoded.type) == ("audio", "video/mp4")
    assert (decoded.pictures, decoded.picture_gap, decoded.width) == ((), None, None)
    assert decoded.sound is not None


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_a_video_that_breaks_off_is_kept_as_far_as_it_goes_and_told(container: str) -> None:
    frames = [photo(at, *SIZE) for at in range(100)]
    data = video(frames, container, samples=tone(4), faststart=container == "mp4")
    decoded = decode(data[: len(data) * 2 // 3], LIMITS)
    assert decoded.pictures
    assert decoded.sound is not None
    assert decoded.seconds is not None
    assert 1 < decoded.seconds < 3.5
    for gap in (decoded.picture_gap, decoded.sound_gap):
        assert gap is not None
        assert not gap.failed
        assert f"the file breaks off at {decoded.seconds:.1f} s of 4.0 s" in gap.reason


def test_broken_frames_cost_no_sound() -> None:
    data = bytearray(video(scenes(1, 2, 3, 4, 5), samples=tone(2)))
    for at, size in packets(data, "video"):
        data[at : at + size] = bytes(size)
    decoded = decode(bytes(data), LIMITS)
    assert decoded.sound is not None
    assert (decoded.kind, decoded.pictures, decoded.sound_gap) == ("video", (), None)
    assert decoded.picture_gap is not None
    assert decoded.picture_gap.failed


def test_broken_sound_costs_no_frames() -> None:
    data = bytearray(video(scenes(1, 2), samples=tone(0.8)))
    for at, size in packets(data, "audio"):
        data[at : at + size] = b"\xff" * size
    decoded = decode(bytes(data), LIMITS)
    assert times(decoded) == [0.0, 0.4]
    assert (decoded.sound, decoded.picture_gap) == (None, None)
    assert decoded.sound_gap is not None
    assert decoded.sound_gap.failed


def test_of_several_videos_one_is_looked_at_and_the_others_are_told() -> None:
    buffer = BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        streams = [video_stream(output, SIZE, "libx264") for _ in range(2)]
        for stream, seed in zip(streams, (1, 2), strict=True):
            add_video(output, stream, scenes(seed), [at / RATE for at in range(10)])
    decoded = decode(buffer.getvalue(), LIMITS)
    assert times(decoded) == [0.0]
    assert decoded.picture_gap == Gap(reason="one of its 2 videos is looked at")


@pytest.mark.parametrize("start_s", [0.0, 1.6])
@pytest.mark.parametrize("handler", [b"vide", b"soun"])
def test_what_an_edit_list_hides_is_judged(handler: bytes, start_s: float) -> None:
    units = 16_000 if handler == b"vide" else 48_000
    shown = box(b"edts", box(b"elst", struct.pack(">5I", 0, 1, 400, round(start_s * units), 0x10000)))
    data = with_tracks(video(scenes(1, 2, 3, 4, 5), samples=tone(2), key_every=10), handler, edts=shown)
    decoded = decode(data, LIMITS)
    assert len(decoded.pictures) == 5
    assert decoded.sound is not None
    assert decoded.sound.seconds == pytest.approx(2.0, abs=0.05)


def test_a_video_that_calls_itself_the_pictures_of_chapters_is_not_passed_over() -> None:
    chapters = box(b"tref", box(b"chap", struct.pack(">I", 1)))
    decoded = decode(with_tracks(video(scenes(1, 2), samples=tone(0.8)), b"soun", tref=chapters), LIMITS)
    assert decoded.sound is not None
    assert decoded.picture_gap is not None
    assert decoded.picture_gap.failed
    assert decoded.picture_gap.reason.endswith("of an attached picture that changes, the first is looked at")


@pytest.mark.parametrize(
    ("container", "codec", "colours"), [("webm", "libvpx-vp9", "yuva420p"), ("mov", "prores_ks", "yuva444p10le")]
)
def test_transparency_that_is_not_looked_at_is_told(container: str, codec: str, colours: str) -> None:
    buffer = BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = video_stream(output, SIZE, codec)
        stream.pix_fmt = colours
        if codec == "prores_ks":
            stream.codec_context.options = {"profile": "4444"}
        frame = VideoFrame.from_ndarray(np.full((120, 160, 4), 255, np.uint8), "rgba").reformat(format=colours)
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    decoded = decode(buffer.getvalue(), LIMITS)
    assert len(decoded.pictures) == 1
    assert decoded.picture_gap == Gap(reason="its transparency is not looked at, which may show something else")


def test_a_film_inside_a_picture_is_told() -> None:
    film = video(scenes(1), samples=tone(0.4))
    still = saved(photo(1, *SIZE), "AVIF")
    decoded = decode(still + film[int.from_bytes(film[:4], "big") :], LIMITS)
    assert decoded.kind == "image"
    assert decoded.picture_gap == Gap(reason="the video in it is not looked at")
    assert decoded.sound_gap == Gap(reason="the sound in it is not listened to", failed=True)
    assert decode(still, LIMITS).picture_gap is None


def test_more_streams_than_any_film_has_are_refused() -> None:
    buffer = BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        streams = [sound_stream(output, tone(0.1), 48_000, "flac") for _ in range(40)]
        for stream in streams:
            add_sound(output, stream, tone(0.1), 48_000)
    with pytest.raises(Undecodable, match="40 streams, more than 32"):
        decode(buffer.getvalue(), LIMITS)


def test_a_video_of_more_pixels_than_allowed_is_not_decoded_and_its_sound_is() -> None:
    decoded = decode(video(scenes(1), samples=tone(0.4)), replace(LIMITS, max_pixels=10_000))
    assert decoded.sound is not None
    assert decoded.picture_gap == Gap(
        reason="its video has more than 10,000 pixels a frame, by its header", failed=True
    )


def test_a_codec_that_is_not_on_our_list_is_not_decoded() -> None:
    with pytest.raises(Undecodable, match=r"its video is of a codec that is not decoded \(ffv1\)"):
        decode(video(scenes(1), "matroska", codec="ffv1"), LIMITS)


def test_pictures_are_decoded_as_ever() -> None:
    gif = animation([photo(seed) for seed in range(3)], "GIF", duration=80)
    assert decode(gif, LIMITS).kind == "image"
    assert len(decode(gif, LIMITS).pictures) == 3
    with pytest.raises(Undecodable, match="no known type"):
        decode(b"%PDF-1.7", LIMITS)


def test_a_container_of_the_wrong_name_is_what_its_bytes_are() -> None:
    webm = video(scenes(1), "webm")
    assert decode(webm, LIMITS).type == "video/webm"
    with pytest.raises(Undecodable, match="video/mp4 file is broken"):
        decode(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + webm, LIMITS)
