"""How a pack's text expert wants its input: the order of fields, markers, windows. Part of the pack's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FIELD_MARKERS = ("ocr", "asr", "title", "text", "parent")
UNKNOWN_LANGUAGE = "und"


@dataclass(frozen=True, slots=True)
class TextLayout:
    """One text sequence per post, cut into overlapping windows.

    A window is `<s> <lang=xx>`, then the fields of `order`, each behind its marker, then the `context` field, then
    `</s>`. Fields of `order` are scored: what does not fit goes into further windows, each with the marker of the field
    it continues. The context is only read beside them: at most `context_tokens` of it stand at the end of every window
    and the rest is dropped, since a parent's abuse must not be counted as the reply's.
    """

    order: tuple[str, ...] = ("ocr", "asr", "title", "text")
    context: str = "parent"
    window_tokens: int = 96
    overlap_tokens: int = 24
    context_tokens: int = 24
    max_windows: int = 24
    # A language's tag is its token id; a language without one gets the tag of UNKNOWN_LANGUAGE.
    languages: Mapping[str, int] | None = None
    markers: Mapping[str, int] | None = None
    bos: int = 0
    pad: int = 1
    eos: int = 2

    def __post_init__(self) -> None:
        if self.room <= self.overlap_tokens:
            raise ValueError(
                f"window_tokens {self.window_tokens} leaves {self.room} tokens for text beside {self.context_tokens} of"
                f" context: expected more than overlap_tokens ({self.overlap_tokens})"
            )

    @property
    def room(self) -> int:
        """Tokens of scored fields that every window can hold: all but begin, language, context with marker, end."""
        return self.window_tokens - 4 - self.context_tokens
