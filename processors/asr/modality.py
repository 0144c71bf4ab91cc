"""What a post's `speech` modality says: whether everything that is said in its sounds was heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from processors.witness import testimony
from schemas import AsrSegment, AsrSound, Modality, Status

SPEECH = "speech"

MAX_TIMES = 3
"""Stretches of a sound that a reason names."""

WORDLESS_S = 3.0
"""Seconds of voice in which no word was heard: shorter ones are laughter, coughs and music that passes for a voice."""

_WHY = {
    "phantom": "heard without speech",
    "repetition": "repeating itself",
    "low_confidence": "heard too uncertainly",
}


def speech_modality(sounds: Sequence[AsrSound], missing: Sequence[str], before: Modality | None) -> Modality:
    """`missing`: why sounds could not be listened to. `before`: what earlier stages said, which is never weakened."""
    doubts = [doubt for sound in sounds if (doubt := _doubt(sound)) is not None]
    found = Status.FAILED if missing else Status.UNSAFE if doubts else Status.OK
    return testimony(
        found, [*missing, *doubts], before, mean_confidence([segment for sound in sounds for segment in sound.segments])
    )


def mean_confidence(segments: Sequence[AsrSegment]) -> float | None:
    """By the segments' seconds; None without segments."""
    if not segments:
        return None
    # A segment of no length counts a little: it was heard.
    weights = [max(segment.t_end - segment.t_start, 0.01) for segment in segments]
    mean = sum(w * segment.confidence for w, segment in zip(weights, segments, strict=True)) / sum(weights)
    return round(min(1.0, mean), 4)


def _doubt(sound: AsrSound) -> str | None:
    """`m1: 2 segments are not to be trusted (1 heard without speech, 1 repeating itself): 3.2-4.0 s, 7.1-9.0 s`."""
    if not sound.segments and not sound.unsafe and sound.speech_seconds >= WORDLESS_S:
        return f"{sound.media_id}: {sound.speech_seconds:.1f} s of voice in which no words could be told"
    if not sound.unsafe:
        return None
    count = len(sound.unsafe)
    why = Counter(_WHY.get(segment.unsafe or "", "not to be trusted") for segment in sound.unsafe)
    reasons = ", ".join(f"{number} {reason}" for reason, number in why.most_common())
    times = [f"{segment.t_start:.1f}-{segment.t_end:.1f} s" for segment in sound.unsafe[:MAX_TIMES]]
    more = [f"{count - MAX_TIMES} more"] if count > MAX_TIMES else []
    noun = "segment is" if count == 1 else "segments are"
    return f"{sound.media_id}: {count} {noun} not to be trusted ({reasons}): {', '.join([*times, *more])}"
