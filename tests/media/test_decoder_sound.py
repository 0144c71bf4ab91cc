"""What files sound like: from any container and codec to 16 kHz, mono."""

from __future__ import annotations

import struct
from dataclasses import replace
from io import BytesIO

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from processors.media.decoder import Decoded, DecodedSound, DecoderLimits, Gap, MovingLimits, Undecodable
from processors.media.decoder.moving import decode
from processors.media.wav import RATE, samples_of, wav_of
from tests.media.drawn import photo, saved
from tests.media.sounded import (
    CODECS,
    Samples,
    add_sound,
    silence,
    sound,
    sound_stream,
    tone,
    video,
    with_cover,
)

LIMITS = DecoderLimits(moving=MovingLimits())


def heard(data: bytes, limits: DecoderLimits = LIMITS) -> tuple[Decoded, DecodedSound]:
    decoded = decode(data, limits)
    assert decoded.sound is not None
    return decoded, decoded.sound


def samples(found: DecodedSound) -> NDArray[np.float64]:
    return samples_of(found.data) / 32_768


def loudest_hertz(found: DecodedSound, start_s: float = 0.0, seconds: float | None = None) -> float:
    part = samples(found)[round(start_s * RATE) :][: round((seconds or 1e9) * RATE)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    return float(spectrum.argmax() * RATE / len(part))


def level(found: DecodedSound, start_s: float, end_s: float) -> float:
    return float(np.sqrt(np.square(samples(found)[round(start_s * RATE) : round(end_s * RATE)]).mean()))


@pytest.mark.parametrize("container", CODECS)
def test_every_container_gives_the_tone_that_was_put_in(container: str) -> None:
    decoded, found = heard(sound(tone(2, 440), container))
    assert (decoded.kind, decoded.picture_gap, decoded.sound_gap) == ("audio", None, None)
    assert found.seconds == pytest.approx(2.0, abs=0.1)
    assert found.seconds == len(samples_of(found.data)) / RATE
    assert found.t == pytest.approx(0.0, abs=0.03)
    assert decoded.seconds == pytest.approx(2.0, abs=0.1)
    assert loudest_hertz(found) == pytest.approx(440, abs=2)
    assert level(found, 0.3, 1.7) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 96_000])
def test_every_sample_rate_becomes_ours(rate: int) -> None:
    _, found = heard(sound(tone(1, 1_000, rate), "wav", rate=rate))
    assert found.seconds == pytest.approx(1.0, abs=0.01)
    assert loudest_hertz(found) == pytest.approx(1_000, abs=3)


def test_what_is_above_half_our_rate_is_not_folded_down() -> None:
    _, found = heard(sound(tone(1, 15_000), "wav"))
    assert level(found, 0.1, 0.9) < 0.01


def test_a_sound_that_is_ours_already_stays_as_it_is() -> None:
    data = wav_of((tone(1, rate=RATE)[0] * 20_000).astype(np.int16))
    assert heard(data)[1].data == data


def stereo(left: Samples, right: Samples) -> Samples:
    return np.concatenate([left, right])


def test_two_channels_are_mixed() -> None:
    _, found = heard(sound(stereo(tone(2, 500), silence(2)), "flac"))
    assert loudest_hertz(found) == pytest.approx(500, abs=2)
    assert level(found, 0.2, 1.8) == pytest.approx(0.25 / np.sqrt(2), rel=0.05)


def test_channels_that_cancel_each_other_are_heard() -> None:
    _, found = heard(sound(stereo(tone(2, 500), -tone(2, 500)), "flac"))
    assert level(found, 0.2, 1.8) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_six_channels_are_mixed() -> None:
    centre = np.concatenate([silence(2), silence(2), tone(2, 700), silence(2), silence(2), silence(2)])
    _, found = heard(sound(centre, "flac"))
    assert loudest_hertz(found) == pytest.approx(700, abs=2)
    assert level(found, 0.2, 1.8) > 0.05


def test_a_longer_sound_is_listened_to_in_part() -> None:
    decoded, found = heard(sound(tone(5), "mp3"), replace(LIMITS, moving=MovingLimits(max_seconds=2)))
    assert found.seconds == 2.0
    assert decoded.seconds == pytest.approx(5.0, abs=0.1)
    assert decoded.sound_gap == Gap(reason="only the first 2 s of its sound are listened to")


@pytest.mark.parametrize("container", ["flac", "matroska"])
def test_a_sound_that_breaks_off_is_kept_as_far_as_it_goes_and_told(container: str) -> None:
    data = sound(tone(10), container)
    decoded, found = heard(data[: len(data) // 3])
    assert 2 < found.seconds < 4
    assert decoded.sound_gap is not None
    assert not decoded.sound_gap.failed
    assert decoded.sound_gap.reason.startswith("the file breaks off at ")
    assert decoded.sound_gap.reason.endswith(" s of 10.0 s")


def test_what_is_broken_in_the_middle_is_told_and_what_follows_is_heard() -> None:
    data = bytearray(sound(np.concatenate([tone(4, 400), tone(4, 900)], axis=1), "flac"))
    for at in range(len(data) // 4, len(data) // 2):
        data[at] ^= 0x55
    decoded, found = heard(bytes(data))
    assert decoded.sound_gap is not None
    assert decoded.sound_gap.reason.endswith(" s of its sound are broken")
    assert loudest_hertz(found, found.seconds - 2, 1.5) == pytest.approx(900, abs=3)


@pytest.mark.parametrize("container", ["mp3", "adts", "ogg"])
@pytest.mark.parametrize("filling", [b"\0", b"\xff"])
def test_a_tail_in_which_no_sound_is_found_is_told(container: str, filling: bytes) -> None:
    data = sound(tone(6), container)
    decoded, found = heard(data[: len(data) // 3] + filling * (len(data) * 2 // 3))
    assert found.seconds < 3
    assert decoded.sound_gap is not None
    assert decoded.sound_gap.reason.endswith(" bytes of it are neither video nor sound")


def test_what_begins_in_the_middle_of_a_file_is_told_and_what_is_before_it_heard() -> None:
    buffer = BytesIO()
    with av.open(buffer, "w", format="ogg") as output:
        streams = [sound_stream(output, tone(2), 48_000, codec) for codec in ("libopus", "flac")]
        for stream in streams:
            add_sound(output, stream, tone(2), 48_000)
    decoded, found = heard(sound(tone(2), "ogg") + buffer.getvalue())
    assert found.seconds >= 2.0
    assert decoded.sound_gap is not None
    assert decoded.sound_gap.reason.startswith("its sound is broken in the middle: another stream begins there")


def test_packets_of_which_a_decoder_makes_nothing_are_told() -> None:
    data = bytearray(sound(tone(6), "avi"))
    with av.open(BytesIO(data), "r") as container:
        found = [(packet.pos or 0, packet.size) for packet in container.demux() if packet.size]
    noise = np.random.default_rng(1)
    for at, size in found[len(found) // 3 :]:
        data[at : at + size] = noise.bytes(size)
    decoded, _ = heard(bytes(data))
    assert decoded.sound_gap is not None
    assert decoded.sound_gap.reason.endswith(" s of its sound are broken")


def test_a_header_that_says_ten_hours_makes_no_ten_hours() -> None:
    data = bytearray(sound(tone(1), "flac"))
    at = 8 + 13  # STREAMINFO: 36 bits of the number of samples end its 18th byte
    (packed,) = struct.unpack(">Q", data[at - 3 : at + 5])
    data[at - 3 : at + 5] = struct.pack(">Q", packed >> 36 << 36 | 36_000 * 48_000)
    decoded, found = heard(bytes(data))
    assert found.seconds == pytest.approx(1.0, abs=0.01)
    assert decoded.seconds == pytest.approx(1.0, abs=0.01)
    assert decoded.sound_gap == Gap(reason="the file breaks off at 1.0 s of 36,000.0 s")


def with_pause(pause_s: float) -> bytes:
    """Two seconds of sound, with a pause in the timestamps after the first."""
    buffer = BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        stream = sound_stream(output, tone(1), 48_000, "flac")
        add_sound(output, stream, tone(2), 48_000, pause_after_s=1.0, pause_s=pause_s)
    return buffer.getvalue()


def test_a_pause_in_the_timestamps_is_silence() -> None:
    decoded, found = heard(with_pause(3.0))
    assert found.seconds == pytest.approx(5.0, abs=0.1)
    assert level(found, 1.2, 3.8) == 0.0
    assert level(found, 4.2, 4.8) > 0.3
    assert decoded.sound_gap is None


def test_a_pause_of_an_hour_is_left_out_and_told() -> None:
    decoded, found = heard(with_pause(3_600.0))
    assert found.seconds == pytest.approx(2.0, abs=0.1)
    assert decoded.sound_gap == Gap(reason="its sound pauses for 3,600 s, which are left out")


def test_sound_that_begins_after_the_picture_says_so() -> None:
    pictures = [photo(1, 64, 48)] * 50
    _, found = heard(video(pictures, "matroska", samples=tone(1), sound_from_s=1.0))
    assert found.t == pytest.approx(1.0, abs=0.03)
    assert found.seconds == pytest.approx(1.0, abs=0.05)


def test_of_several_sounds_one_is_heard_and_the_others_are_told() -> None:
    buffer = BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        streams = [sound_stream(output, tone(1), 48_000, "flac") for _ in range(3)]
        for stream, hertz in zip(streams, (300, 600, 900), strict=True):
            add_sound(output, stream, tone(1, hertz), 48_000)
    decoded, found = heard(buffer.getvalue())
    assert loudest_hertz(found) == pytest.approx(300, abs=2)
    assert decoded.sound_gap == Gap(reason="one of its 3 sounds is listened to")


@pytest.mark.parametrize("container", ["mp3", "adts"])
def test_an_attached_picture_is_looked_at(container: str) -> None:
    decoded, found = heard(with_cover(sound(tone(1), container), saved(photo(1), "JPEG")))
    assert decoded.type == "audio/mpeg"
    assert [(picture.width, picture.height, picture.t) for picture in decoded.pictures] == [(320, 240, None)]
    assert (decoded.width, decoded.height, decoded.picture_gap) == (320, 240, None)
    assert loudest_hertz(found) == pytest.approx(440, abs=2)


def test_an_attached_picture_that_is_broken_costs_no_sound() -> None:
    decoded, _ = heard(with_cover(sound(tone(1), "mp3"), saved(photo(1), "JPEG")[:500]))
    assert decoded.pictures == ()
    assert decoded.picture_gap is not None
    assert decoded.picture_gap.failed
    assert decoded.sound_gap is None


def test_of_many_attached_pictures_two_are_looked_at() -> None:
    decoded, _ = heard(with_cover(sound(tone(1), "mp3"), saved(photo(1), "PNG"), "image/png", copies=5))
    assert len(decoded.pictures) == 2
    assert decoded.picture_gap == Gap(reason="2 of the pictures attached to it are looked at")


def test_a_sample_rate_that_no_recorder_has_is_refused() -> None:
    data = bytearray(sound(tone(1), "wav"))
    data[24:28] = (1).to_bytes(4, "little")
    with pytest.raises(Undecodable, match="1 samples a second"):
        decode(bytes(data), LIMITS)


@pytest.mark.parametrize(
    "data", [b"fLaC" + bytes(100), b"OggS" + bytes(500), b"RIFF\xff\0\0\0WAVEfmt ", b"ID3" + bytes(9)]
)
def test_what_is_nothing_behind_its_magic_is_refused(data: bytes) -> None:
    with pytest.raises(Undecodable, match=r"the audio/\w+ file"):
        decode(data, LIMITS)


def test_a_file_that_names_others_opens_none() -> None:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    for magic in (b"ID3\x03\0\0\0\0\0\0", b"fLaC", b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftypisom\0\0\0\0isom"):
        with pytest.raises(Undecodable):
            decode(magic + playlist, LIMITS)
