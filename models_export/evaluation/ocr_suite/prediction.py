"""`predictions.jsonl`: one picture a line, with what was expected and what was read."""

from __future__ import annotations

import msgspec

from models_export.evaluation.ocr_suite.reading import Errors, Reading
from schemas import OcrLine, Status


class Rates(msgspec.Struct, frozen=True):
    """Character error rates of one picture; see `Figures`."""

    strict: float
    lenient: float
    found: float


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file."""

    id: str
    part: str
    kind: str
    lang: str | None
    script: str | None
    expected: list[str] | None
    """Lines of the transcript; None where there is none."""
    whole: bool | None
    """Whether the transcript is not known to leave anything out."""
    blank: bool
    status: Status
    reason: str | None
    lines: tuple[OcrLine, ...]
    unread: tuple[OcrLine, ...]
    confidence: float | None
    cer: Rates | None


_encoder = msgspec.json.Encoder()


def prediction_of(reading: Reading) -> Prediction:
    sample = reading.sample
    return Prediction(
        id=sample.id,
        part=sample.source,
        kind=sample.kind,
        lang=sample.lang,
        script=sample.script,
        expected=list(sample.transcript.lines) if sample.transcript is not None else None,
        whole=sample.transcript.whole if sample.transcript is not None else None,
        blank=sample.blank,
        status=reading.status,
        reason=reading.reason,
        lines=reading.lines,
        unread=reading.unread,
        confidence=reading.confidence,
        cer=_rates(reading.errors),
    )


def encode_prediction(reading: Reading) -> bytes:
    """The JSON of a line, without its end."""
    return _encoder.encode(prediction_of(reading))


def _rates(errors: Errors | None) -> Rates | None:
    if errors is None:
        return None
    return Rates(
        strict=errors.strict / errors.strict_chars,
        lenient=errors.lenient / errors.lenient_chars,
        found=errors.found / errors.found_chars,
    )
