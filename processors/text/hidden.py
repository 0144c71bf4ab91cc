"""Undoes what breaks words up unseen: invisible characters between letters, marks stacked on or struck through them."""

from __future__ import annotations

import re
import unicodedata

from processors.text.characters import ASTRAL_INVISIBLE, GENERIC_MARK, INVISIBLE
from processors.text.edits import Edit

STACKED = 3
"""Marks on one letter from which they are there for their look; Vietnamese needs two, and composes them."""

MIN_JOINERS = 3
"""Invisible characters in a word of a script that has a use for them (see `_is_orthographic`) from which, where they
are also as many as half its letters, they only serve to break it up."""

_OVERLAY = "\u0334-\u0338\u20d0-\u20e2\u20e4-\u20f0\u0488\u0489"
_INVISIBLE_RUN = re.compile(f"[{INVISIBLE}{ASTRAL_INVISIBLE}]+")
_MARKED = re.compile(f"[^\\W_](?P<marks>[{GENERIC_MARK}]+)")
_STRUCK = re.compile(f"[{_OVERLAY}]")
# Arabic to Khmer and Mongolian: joiners shape their letters, and zero-width spaces part words written without blanks.
_JOINING_LETTER = "\u0620-\u109f\u1780-\u18af"
_ENCLOSED = re.compile("[\u24b6-\u24e9\U0001f150-\U0001f189]")  # letters to `enclosed_edits`, once they stand together
_JOINED_WORD = re.compile(f"[{_JOINING_LETTER}{INVISIBLE}{ASTRAL_INVISIBLE}]+")


def invisible_edits(text: str) -> list[Edit]:
    """The runs of invisible characters to drop: those beside a letter or digit. Emoji keep theirs."""
    if not _INVISIBLE_RUN.search(text):
        return []
    kept = _orthographic_spans(text)
    edits: list[Edit] = []
    for match in _INVISIBLE_RUN.finditer(text):
        start, end = match.span()
        while kept and kept[-1][1] <= start:
            kept.pop()
        if kept and kept[-1][0] <= start:
            continue
        if (start and _is_word(text[start - 1])) or (end < len(text) and _is_word(text[end])):
            edits.append((start, end, ""))
    return edits


def stacked_mark_edits(text: str) -> list[Edit]:
    """Letters under three marks or more, or struck through, to the bare letter."""
    edits: list[Edit] = []
    for match in _MARKED.finditer(text):
        marks = match["marks"]
        base = unicodedata.normalize("NFD", match[0][0])
        if len(base) - 1 + len(marks) >= STACKED:
            edits.append((match.start(), match.end(), base[0]))
        elif _STRUCK.search(marks):
            edits.append((match.start(), match.end(), match[0][0] + _STRUCK.sub("", marks)))
    return edits


def _orthographic_spans(text: str) -> list[tuple[int, int]]:
    """Where invisible characters belong to the spelling, last span first."""
    spans = [m.span() for m in _JOINED_WORD.finditer(text) if _is_orthographic(m[0])]
    spans.reverse()
    return spans


def _is_orthographic(word: str) -> bool:
    invisible = sum(len(run) for run in _INVISIBLE_RUN.findall(word))
    letters = len(word) - invisible
    return letters > 0 and (invisible < MIN_JOINERS or invisible * 2 < letters)


def _is_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M" or _ENCLOSED.match(char) is not None
