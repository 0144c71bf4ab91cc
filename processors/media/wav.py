"""The sounds of ours in the media store: WAV, 16 kHz, mono, 16-bit PCM, with the plain header of 44 bytes and no other.

Whoever reads one must not need a decoder: a header that is not to the byte what `wav_of` writes is none of ours.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples per second: what speech recognition takes."""

HEADER_BYTES = 44
SAMPLE_BYTES = 2

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM, _MONO, _BITS = 1, 1, 16


def wav_of(samples: NDArray[np.int16]) -> bytes:
    """The file of samples [n], at most 2^30 of them."""
    return _header(len(samples)) + samples.astype("<i2", copy=False).tobytes()


def samples_of(data: bytes) -> NDArray[np.int16]:
    """The samples [n] of a file that `wav_of` wrote, as a read-only view. Raises ValueError for anything else."""
    return np.frombuffer(data, "<i2", count=sample_count(data), offset=HEADER_BYTES)


def sample_count(data: bytes) -> int:
    """How many samples such a file holds. Raises ValueError for anything else."""
    count, odd = divmod(len(data) - HEADER_BYTES, SAMPLE_BYTES)
    if count < 0 or odd or data[:HEADER_BYTES] != _header(count):
        raise ValueError("it is no WAV of 16 kHz, mono and 16 bits with a header of 44 bytes")
    return count


def _header(count: int) -> bytes:
    size = count * SAMPLE_BYTES
    rates = (RATE, RATE * SAMPLE_BYTES, SAMPLE_BYTES, _BITS)
    riff = (b"RIFF", HEADER_BYTES - 8 + size, b"WAVE")
    return _HEADER.pack(*riff, b"fmt ", 16, _PCM, _MONO, *rates, b"data", size)
