"""Words that nobody said: what the model says to a sound whose speech was silenced, and to silence itself.

Whisper writes words to music, noise and silence. A chunk is heard again with everything that was taken for speech
silenced, and with the music and noise around and between it kept. Words that are still there do not come from speech.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from processors.asr.chunks import MAX_SAMPLES, RATE, Chunk, Span
from processors.asr.gates import normalised
from processors.packs import Pack, PackError

MARGIN = RATE // 5
"""Silenced on both sides of speech, 0.2 s: what is left of a word there would be heard again."""

LEAST_REST = RATE // 2
"""With less than half a second of sound left, the rest says nothing about this sound."""

FAINT = 1e-3
"""Root mean square, -60 dBFS: below it a rest is as good as silence, and its features are a constant."""

SAME = 0.5
"""Share of the words heard that must come again, in order, to be the same words."""

Phrases = Mapping[str, frozenset[str]]
"""Language -> phrases, normalised."""


def read_phantoms(pack: Pack) -> Phrases:
    """What the pack's model says to silence. Raises `PackError` for a file of another kind."""
    part = pack.manifest.asr
    if part is None:
        return {}
    path = pack.folder / part.phantoms.path
    try:
        listed: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
        return {language: frozenset(map(normalised, phrases)) for language, phrases in listed.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise PackError(path, None, f"{error}; expected JSON, an object of language: [phrase, …]") from error


def silenced(samples: NDArray[np.float32], chunk: Chunk, regions: Sequence[Span]) -> NDArray[np.float32] | None:
    """Up to 30 s of the sound around a chunk, its speech silenced; None where nothing but silence is left.

    `regions`: all speech of the sound.
    """
    first, last = chunk.regions[0].start, chunk.regions[-1].end
    spare = max(0, MAX_SAMPLES - (last - first)) // 2
    start = max(0, min(first - spare, len(samples) - MAX_SAMPLES))
    window = samples[start : start + MAX_SAMPLES].copy()
    kept = np.ones(len(window), bool)
    for region in regions:
        kept[max(0, region.start - MARGIN - start) : max(0, region.end + MARGIN - start)] = False
    rest = window[kept]
    if len(rest) < LEAST_REST or float(np.sqrt(np.mean(np.square(rest, dtype=np.float64)))) < FAINT:
        return None
    window[~kept] = 0.0
    return window


def same_words(heard: str, still: str) -> bool:
    """Whether what is still heard is most of what was heard. By letters: not all languages have spaces."""
    words, rest = normalised(heard), normalised(still)
    if not words or not rest:
        return False
    matcher = SequenceMatcher(None, words, rest, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) >= SAME * len(words) and (matcher.ratio() >= SAME)


def phrases_of(phantoms: Phrases, language: str) -> Collection[str]:
    return phantoms.get(language, frozenset())
