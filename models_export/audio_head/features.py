"""What the frozen encoder says of each stretch of speech: the mean and the maximum of its states over the stretch.

The encoder is the recogniser's own, and its windows are those in which the words are heard: in serving, the states are
there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.asr.chunks import RATE, Chunk
from processors.asr.whisper import TOKENS_A_SECOND
from processors.asr.words import HeardSegment

FRAME = RATE // TOKENS_A_SECOND
"""Samples of the sound for each state."""

States = NDArray[np.float32]
"""Shape [frames, width]: of one window, with or without its padding."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sound, as the head sees it."""

    features: NDArray[np.float32]
    """Shape [segments, 2 * width]: mean, then maximum."""
    confidences: NDArray[np.float32]
    """Shape [segments], 0 to 1: how sure the recogniser is of each."""
    text: str
    """All that was heard."""


def spoken(windows: Sequence[tuple[Chunk, States]], segments: Sequence[HeardSegment]) -> Spoken:
    """A sound of its windows and what was heard in them. A segment shorter than a frame says nothing but its words."""
    pooled: list[NDArray[np.float32]] = []
    confidences: list[float] = []
    if windows:
        seconds = np.concatenate([frame_times(chunk) for chunk, _ in windows])
        # Padding is no speech: what lies behind a window's own frames is left out.
        states = np.concatenate([found[: len(frame_times(chunk))] for chunk, found in windows])
        for segment in segments:
            frames = states[(seconds >= segment.start) & (seconds < segment.end)]
            if len(frames):
                pooled.append(pool(frames))
                confidences.append(segment.confidence)
    return Spoken(
        features=np.stack(pooled) if pooled else np.zeros((0, 0), np.float32),
        confidences=np.array(confidences, np.float32),
        text=" ".join(segment.text for segment in segments),
    )


def frame_times(chunk: Chunk) -> NDArray[np.float64]:
    """float64 [frames]: the middle of each state, in seconds of the sound that the chunk is cut from."""
    samples = np.concatenate([np.arange(region.start, region.end) for region in chunk.regions])
    return samples[FRAME // 2 :: FRAME] / RATE


def pool(frames: States) -> NDArray[np.float32]:
    """float32 [2 * width]: the mean over the frames, then their maximum."""
    return np.concatenate([frames.mean(axis=0), frames.max(axis=0)]).astype(np.float32)
