"""Edits: how one step of normalisation changes a text, and the offset map that follows from them."""

from __future__ import annotations

from collections.abc import Sequence

from schemas import OffsetMap, OffsetMapBuilder

Edit = tuple[int, int, str]
"""(start, end, replacement): the text's code points [start, end) are replaced. Never empty: start < end."""


def apply_edits(text: str, edits: Sequence[Edit]) -> tuple[str, OffsetMap]:
    """The edited text and the map from it back to `text`. Edits ascend and do not overlap."""
    if not edits:
        return text, OffsetMap.identity(len(text))
    builder = OffsetMapBuilder()
    parts: list[str] = []
    done = 0
    for start, end, replacement in edits:
        builder.copy(start - done)
        parts += (text[done:start], replacement)
        builder.replace(len(replacement), end - start)
        done = end
    builder.copy(len(text) - done)
    parts.append(text[done:])
    return "".join(parts), builder.build(len(text))
