"""A text field as the rest of the chain sees it: both views, with their maps to what was posted."""

from __future__ import annotations

from processors.text.fold import folded_view
from processors.text.normalise import text_view
from schemas import FieldView


def field_view(original: str, max_chars: int | None = None) -> FieldView:
    """The views of a field; of its first `max_chars` code points where given. Training goes through here as well."""
    text, text_map = text_view(original, max_chars)
    folded = folded_view(text, text_map)
    return FieldView(
        original_length=len(original),
        text=text,
        text_map=text_map,
        folded=folded[0] if folded else None,
        folded_map=folded[1] if folded else None,
    )
