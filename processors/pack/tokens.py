"""Text fields to tokens: masking, then the pack's tokenizer, with spans that point into the unmasked view."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tokenizers import Tokenizer

from processors.pack.windows import TokenField
from processors.text.model_view import mask, to_source


class FieldTokenizer:
    """The pack's tokenizer. Safe to call from several threads: it keeps no state between calls."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def from_file(cls, path: Path) -> FieldTokenizer:
        return cls(Tokenizer.from_file(str(path)))

    def __call__(self, fields: Mapping[str, str]) -> dict[str, TokenField]:
        """Tokenise one post's fields (name -> view)."""
        return {name: self._field(name, text) for name, text in fields.items()}

    def _field(self, name: str, text: str) -> TokenField:
        view, edits = mask(text)
        encoding = self._tokenizer.encode(view, add_special_tokens=False)
        spans = [to_source(edits, *span) for span in encoding.offsets] if edits else encoding.offsets
        return TokenField(name, encoding.ids, spans)
