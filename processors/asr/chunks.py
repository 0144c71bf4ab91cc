"""Chunks: what the model hears at once, neighbouring stretches of speech of one sound put end to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples a second, of all sounds here."""

WINDOW_S = 30
"""What Whisper hears at once; whatever is shorter is filled up with silence."""

MAX_SAMPLES = WINDOW_S * RATE


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end) in samples of the sound."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Chunk:
    """At most 30 s of speech. Pauses between the regions are left out."""

    regions: tuple[Span, ...]

    @property
    def length(self) -> int:
        """Samples."""
        return sum(region.length for region in self.regions)

    @property
    def seconds(self) -> float:
        return self.length / RATE

    def cut(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The chunk's samples, of those of the sound."""
        return np.concatenate([samples[region.start : region.end] for region in self.regions])

    def after(self, seconds: float, least: float) -> Chunk | None:
        """What comes after a time of the sound; None for fewer than `least` seconds."""
        start = round(seconds * RATE)
        left = tuple(Span(max(start, region.start), region.end) for region in self.regions if region.end > start)
        return Chunk(left) if sum(region.length for region in left) >= least * RATE else None

    def in_sound(self, start: float, end: float) -> tuple[int, float, float]:
        """(region, start, end) in the sound, in seconds, of what is from `start` to `end` in the chunk.

        A word belongs to the region of its middle, and does not reach over its edges: a pause that was left out must
        not become part of a word.
        """
        middle = (start + end) / 2 * RATE
        before = 0
        at = 0
        for at, region in enumerate(self.regions):
            if middle < before + region.length or at == len(self.regions) - 1:
                break
            before += region.length
        region = self.regions[at]
        shift = (region.start - before) / RATE
        first, last = region.start / RATE, region.end / RATE
        return at, min(max(start + shift, first), last), min(max(end + shift, first), last)


def merged(regions: Sequence[Span]) -> tuple[Chunk, ...]:
    """Chunks as full as 30 s allow, in order."""
    chunks: list[Chunk] = []
    held: list[Span] = []
    for region in regions:
        if held and sum(span.length for span in held) + region.length > MAX_SAMPLES:
            chunks.append(Chunk(tuple(held)))
            held = []
        held.append(region)
    return tuple([*chunks, Chunk(tuple(held))] if held else chunks)
