"""What decoding takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # child processes load this file, and need nothing of what `schemas` loads
    from schemas.sections import MediaKind

MAX_REASON_CHARS = 300
"""Reasons travel in records and messages, and a library's message can quote the sender's bytes."""


MAX_COVERS = 2
"""Pictures attached to a sound or a video that are looked at: the front and the back."""


@dataclass(frozen=True, kw_only=True)
class MovingLimits:
    """What one video or sound may cost beside."""

    max_seconds: float = 600.0
    """That are looked at and listened to."""
    video_frames: int = 16
    """Frames of a video that are looked at."""
    frame_gap_s: float = 4.0
    """Seconds after which a frame is looked at although little has changed, as far as `video_frames` goes."""


@dataclass(frozen=True, kw_only=True)
class DecoderLimits:
    """What one item may cost."""

    max_pixels: int = 100_000_000
    """Most pixels, by the header, before any is decoded."""
    picture_side: int = 2_048
    """Most pixels on the long side of the pictures that are made."""
    max_frames: int = 8
    """Frames that are looked at of a picture that moves."""
    timeout_s: float = 15.0
    """Wall time, and processor time, of one item."""
    memory_mb: int = 2_048
    """Address space of a decoder, beyond what its libraries take before the first item."""
    moving: MovingLimits | None = None
    """For video and sound; None where none are decoded."""


@dataclass(frozen=True, kw_only=True)
class DecodedPicture:
    """One still: 8-bit RGB, upright, without transparency, in sRGB."""

    data: bytes
    """PNG; or JPEG of quality 95 without chroma subsampling, for what came lossy."""
    width: int
    height: int
    scale: float
    """Pixels of the upright original per pixel of this, at least 1."""
    origin: tuple[float, float] = (0.0, 0.0)
    """Where its top left corner is, (x, y) in pixels of the upright original: 0, 0 but for parts of a long picture."""
    t: float | None
    """A frame's time in seconds from the start; None for a still."""
    pdq: str
    """PDQ hash, 64 hex digits; of a long picture in parts, the first part has the whole picture's, the others none."""
    pdq_quality: int
    """0..100; below 50 the hash says little; 0 where there is none."""


@dataclass(frozen=True, kw_only=True)
class DecodedSound:
    """What there is to hear."""

    data: bytes
    """WAV, 16 kHz, mono, 16-bit PCM (`processors.media.wav`); at least one sample."""
    seconds: float
    """How long it is."""
    t: float
    """Where its first sample is, in seconds from the start of the item."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Why something that a viewer may see or hear was left out."""

    reason: str
    """One clause."""
    failed: bool = False
    """Whether nothing could be had at all."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """What an item shows and what it sounds like: at least one picture or a sound."""

    kind: MediaKind
    """As its streams have it: an MP4 without video is a sound."""
    type: str
    """Media type by magic bytes."""
    width: int | None = None
    height: int | None = None
    """Of the upright original, in pixels; of the largest frame, where frames differ; None without pictures."""
    seconds: float | None = None
    """How long it lasts; None for pictures."""
    pictures: tuple[DecodedPicture, ...] = ()
    """In the order of time, stills first; parts of a long one in the order of reading from left or from above."""
    sound: DecodedSound | None = None
    """None, without a gap, for what has no sound."""
    picture_gap: Gap | None = None
    sound_gap: Gap | None = None


class Undecodable(Exception):
    """The bytes cannot be decoded within the limits, and trying again would not help. `reason` is one sentence."""

    def __init__(self, reason: str) -> None:
        self.reason = printable(reason)
        super().__init__(self.reason)


class DecoderBroken(Exception):
    """There is no decoder to be had: nothing is known of the bytes, and trying again may help. The fault is ours."""


def printable(text: str) -> str:
    """`text` on one line, cut to `MAX_REASON_CHARS`."""
    cut = text if len(text) <= MAX_REASON_CHARS else text[: MAX_REASON_CHARS - 1] + "…"
    return "".join(c if c.isprintable() else "\ufffd" for c in cut)
