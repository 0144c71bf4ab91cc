"""Where in a sound somebody speaks: Silero's voice activity detection, which comes with faster-whisper."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from faster_whisper import vad
from numpy.typing import NDArray

from processors.asr.chunks import MAX_SAMPLES, RATE, Span

# The library has no types.
_vad = cast(Any, vad)

Samples = NDArray[np.float32]
"""Shape [samples], -1..1, 16 kHz."""

OPTIONS = _vad.VadOptions(
    threshold=0.5,
    min_silence_duration_ms=500,  # shorter pauses stay inside a sentence
    speech_pad_ms=300,  # a consonant at the edge is quieter than what makes it speech
    max_speech_duration_s=MAX_SAMPLES / RATE,
)


def speech_regions(samples: Samples) -> tuple[Span, ...]:
    """Stretches of speech with a little around them, in order, apart, none longer than a chunk.

    Samples that are not finite are nobody's voice. Safe to call from several threads.
    """
    if not samples.size or not np.isfinite(samples).all():
        return ()
    found: list[dict[str, int]] = _vad.get_speech_timestamps(samples, OPTIONS)
    regions: list[Span] = []
    for region in found:
        start, end = max(0, int(region["start"])), min(len(samples), int(region["end"]))
        # Padding makes the longest ones longer than what was asked for.
        regions += [Span(at, min(at + MAX_SAMPLES, end)) for at in range(start, end, MAX_SAMPLES)]
    return tuple(regions)
