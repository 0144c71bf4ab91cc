"""Stage `asr`: what is said in the sounds of posts."""

from __future__ import annotations

from processors.asr.options import AsrOptions

__all__ = ["AsrOptions"]
