"""Stage `asr`: what is said in the sounds of posts."""

from __future__ import annotations

from processors.asr.options import AsrOptions
from processors.asr.processor import AsrProcessor, SoundSource

__all__ = ["AsrOptions", "AsrProcessor", "SoundSource"]
