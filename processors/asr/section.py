"""What was heard in a sound becomes what records say about it."""

from __future__ import annotations

from collections.abc import Sequence

from processors.asr.listener import Heard, JudgedSegment
from processors.asr.modality import mean_confidence
from processors.asr.words import HeardWord, confidence_of
from schemas import AsrSegment, AsrSound, AsrWord, Sound


def asr_sound(media_id: str, sound: Sound, heard: Heard) -> AsrSound:
    """For one post's sound, in seconds of the media item."""
    segments = [_segment(judged, sound.t) for judged in heard.segments]
    trusted = tuple(segment for segment in segments if segment.unsafe is None)
    unsafe = tuple(segment for segment in segments if segment.unsafe is not None)
    total = _seconds(segments)
    ratio = _seconds(unsafe) / total if total > 0 else len(unsafe) / max(1, len(segments))
    return AsrSound(
        media_id=media_id,
        object=sound.object,
        speech_seconds=round(heard.speech_seconds, 2),
        segments=trusted,
        unsafe=unsafe,
        confidence=mean_confidence(trusted),
        unsafe_ratio=round(ratio, 4),
        lang=heard.language,
        lang_confidence=_probability(heard.language_confidence),
    )


def _segment(judged: JudgedSegment, offset: float) -> AsrSegment:
    segment = judged.segment
    return AsrSegment(
        text=segment.text,
        t_start=_time(segment.start + offset),
        t_end=_time(segment.end + offset),
        confidence=_probability(segment.confidence),
        no_speech=_probability(judged.no_speech),
        words=tuple(_word(word, offset) for word in segment.words),
        unsafe=judged.unsafe,
    )


def _word(word: HeardWord, offset: float) -> AsrWord:
    confidence = _probability(confidence_of(word.logprobs))
    return AsrWord(word.text.strip(), _time(word.start + offset), _time(word.end + offset), confidence)


def _time(seconds: float) -> float:
    """The model's own grid is 20 ms."""
    return round(seconds, 2)


def _probability(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 4)


def _seconds(segments: Sequence[AsrSegment]) -> float:
    return sum(segment.t_end - segment.t_start for segment in segments)
