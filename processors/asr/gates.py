"""What speaks against believing a decoding: from its scores and its words alone."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Collection
from typing import Literal

from processors.asr.whisper import Decoded

Unsafe = Literal["phantom", "repetition", "low_confidence"]

MAX_COMPRESSION = 2.4
"""Text that compresses better than this repeats itself (OpenAI Whisper, `compression_ratio_threshold`)."""

MIN_LOGPROB = -1.0
"""Mean of a token (OpenAI Whisper, `logprob_threshold`)."""

SUSPICIOUS_NO_SPEECH = 0.3
"""Half of where Whisper itself believes that there is no speech (0.6)."""

SUSPICIOUS_LOGPROB = -0.7
"""Between what clear speech has (-0.1 to -0.5) and the gate."""

SUSPICIOUS_COMPRESSION = 2.0


def compression_ratio(text: str) -> float:
    """Bytes of the text by bytes compressed."""
    content = text.encode()
    return len(content) / len(zlib.compress(content)) if content else 0.0


def failed_gate(text: str, decoded: Decoded) -> Unsafe | None:
    """Which gate a decoding does not pass."""
    if compression_ratio(text) > MAX_COMPRESSION:
        return "repetition"
    return "low_confidence" if decoded.mean_logprob < MIN_LOGPROB else None


def doubtful(text: str, decoded: Decoded) -> bool:
    """Whether its scores alone call for a closer look."""
    return (
        decoded.no_speech > SUSPICIOUS_NO_SPEECH
        or decoded.mean_logprob < SUSPICIOUS_LOGPROB
        or compression_ratio(text) > SUSPICIOUS_COMPRESSION
    )


def normalised(text: str) -> str:
    """Letters and digits, without case, marks of punctuation and their spaces: `thank you`."""
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in unicodedata.normalize("NFKC", text))
    return " ".join(kept.casefold().split())


def is_phrase(text: str, phrases: Collection[str]) -> bool:
    """Whether a text is nothing but one of the phrases (normalised), said once or several times."""
    words = normalised(text)
    return any(phrase and words.replace(phrase, "").strip() == "" for phrase in phrases) if words else False
