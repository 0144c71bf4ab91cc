"""The sounds of the store, and how two channels become one."""

from __future__ import annotations

import asyncio
import wave
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.media.decoder.mixing import mono
from processors.media.sounds import SoundReader
from processors.media.store import MediaDamaged, MediaStore
from processors.media.wav import HEADER_BYTES, RATE, samples_of, wav_of
from tests.media.sounded import tone

SAMPLES = np.array([0, 1, -1, 32_767, -32_768], np.int16)


def stored(tmp_path: Path, data: bytes) -> tuple[SoundReader, str]:
    store = MediaStore.open(str(tmp_path / "store"))
    return SoundReader(store), asyncio.run(store.put("acme", "p-1", data))


def test_a_sound_of_ours_is_read_as_numbers_from_minus_one_to_one(tmp_path: Path) -> None:
    reader, address = stored(tmp_path, wav_of(SAMPLES))
    found = reader.read("acme", address)
    assert found.dtype == np.float32
    assert found.tolist() == [0.0, 1 / 32_768, -1 / 32_768, 32_767 / 32_768, -1.0]


def test_any_other_object_is_a_damaged_one(tmp_path: Path) -> None:
    reader, address = stored(tmp_path, b"RIFF of somebody else")
    with pytest.raises(MediaDamaged, match="no sound that can be read"):
        reader.read("acme", address)


def test_what_we_write_is_a_wav_to_others_too() -> None:
    with wave.open(BytesIO(wav_of(SAMPLES))) as found:
        assert (found.getframerate(), found.getnchannels(), found.getsampwidth()) == (16_000, 1, 2)
        assert np.array_equal(np.frombuffer(found.readframes(10), "<i2"), SAMPLES)


@given(st.lists(st.integers(-32_768, 32_767)))
def test_samples_come_back_as_they_were(samples: list[int]) -> None:
    assert samples_of(wav_of(np.array(samples, np.int16))).tolist() == samples


@given(st.integers(0, HEADER_BYTES - 1), st.integers(1, 255))
def test_a_header_that_is_off_by_any_byte_is_refused(at: int, change: int) -> None:
    data = bytearray(wav_of(SAMPLES))
    data[at] ^= change
    with pytest.raises(ValueError, match="no WAV"):
        samples_of(bytes(data))


@pytest.mark.parametrize("data", [b"", wav_of(SAMPLES)[:43], wav_of(SAMPLES)[:-1], wav_of(SAMPLES) + b"\0\0"])
def test_a_file_of_another_length_than_it_says_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no WAV"):
        samples_of(data)


def noise(seed: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.random.default_rng(seed).integers(-9_000, 9_000, 16_000).astype(np.int16)


def test_two_channels_that_agree_are_as_loud_as_each() -> None:
    assert np.array_equal(mono(np.stack([noise(1), noise(1)], axis=1)), noise(1))


def test_a_channel_that_is_the_other_upside_down_silences_nothing() -> None:
    assert np.array_equal(mono(np.stack([noise(1), -noise(1)], axis=1)), noise(1))


def levels(samples: np.ndarray[tuple[int], np.dtype[np.int16]], *hertz: int) -> list[float]:
    """Of tones in a second of sound."""
    return [float(2 * np.abs(np.fft.rfft(samples))[at] / len(samples)) for at in hertz]


def test_of_different_channels_both_are_heard() -> None:
    one, other = (wave * 8_000 for wave in (tone(1, 300, RATE)[0], tone(1, 900, RATE)[0]))
    mixed = mono(np.stack([one, other], axis=1).astype(np.int16))
    assert levels(mixed, 300, 900) == pytest.approx([2_000, 2_000], rel=0.05)


def test_a_voice_upside_down_on_one_side_is_heard_beside_music_on_both() -> None:
    music, voice = (wave * 8_000 for wave in (tone(1, 300, RATE)[0], tone(1, 900, RATE)[0]))
    mixed = mono(np.stack([music + voice / 2, music - voice / 2], axis=1).astype(np.int16))
    assert levels(mixed, 300, 900) == pytest.approx([4_000, 2_000], rel=0.05)


@pytest.mark.parametrize("count", [1, 255, 256, 511, 16_001])
def test_a_sound_of_any_length_stays_as_long(count: int) -> None:
    assert mono(np.stack([np.resize(noise(1), count), np.resize(noise(2), count)], axis=1)).shape == (count,)


@pytest.mark.parametrize("level", [-32_768, 32_767])
def test_the_loudest_channels_do_not_overflow(level: int) -> None:
    assert mono(np.full((9, 2), level, np.int16)).tolist() == [level] * 9
