"""`predictions.jsonl`: one clip a line, with what was said and what was heard."""

from __future__ import annotations

import msgspec

from models_export.evaluation.asr_suite.baseline import Baseline
from models_export.evaluation.asr_suite.figures import clip_rate
from models_export.evaluation.asr_suite.hearing import Hearing
from models_export.evaluation.asr_suite.samples import Spoken
from schemas import AsrSegment, Status


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file."""

    id: str
    part: str
    kind: str
    lang: str | None
    spoken: Spoken
    transcript: str | None
    status: Status
    reason: str | None
    seconds: float
    speech_seconds: float
    heard: str
    """What is trusted."""
    heard_lang: str | None
    error_rate: float | None
    """Of words, or of letters where words are written without spaces."""
    confidence: float | None
    segments: tuple[AsrSegment, ...]
    unsafe: tuple[AsrSegment, ...]
    always: str
    """What is trusted when every chunk is checked."""
    faster_whisper: str


_encoder = msgspec.json.Encoder()


def encode_prediction(hearing: Hearing, always: Hearing, baseline: Baseline) -> bytes:
    """The JSON of a line, without its end."""
    clip = hearing.clip
    return _encoder.encode(
        Prediction(
            id=clip.id,
            part=clip.source,
            kind=clip.kind,
            lang=clip.lang,
            spoken=clip.spoken,
            transcript=clip.transcript,
            status=hearing.status,
            reason=hearing.reason,
            seconds=hearing.seconds,
            speech_seconds=hearing.speech_seconds,
            heard=hearing.text,
            heard_lang=hearing.lang,
            error_rate=clip_rate(hearing) if hearing.errors is not None else None,
            confidence=hearing.confidence,
            segments=hearing.segments,
            unsafe=hearing.unsafe,
            always=always.text,
            faster_whisper=baseline.text,
        )
    )
