"""What may be set about hearing what is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Check = Literal["suspicious", "always"]


@dataclass(frozen=True, slots=True)
class AsrOptions:
    """Names, defaults and ranges as in the settings (`asr.*`)."""

    model: str | None = None
    """Folder or hub name of a Whisper model in CTranslate2's format; None for the pack's own."""
    compute_type: str = "auto"
    """`auto`: int8 on a CPU, float16 on a GPU."""
    hallucination_check: Check = "suspicious"
    """Which chunks are heard again with their speech silenced."""
    cache_sounds: int = 1_024
    """Sounds whose words are remembered."""
