"""The text view: what was posted, in Unicode NFC and without what no reader sees, with its offsets.

Everything that looks at a text looks at this view (or at the folded view, which is made from it); the map leads back
to the code points that were posted.
"""

from __future__ import annotations

import re

from processors.text.canonical import nfc_edits, stack_edits
from processors.text.characters import (
    ASTRAL_INVISIBLE,
    CONTROL,
    DIRECTION,
    INVISIBLE,
    LINE_BREAKS,
    PRIVATE,
    SPACE,
    SPACES,
    SURROGATE,
)
from processors.text.edits import Edit, apply_edits
from schemas import OffsetMap

MAX_GAP = 2
"""Spaces, or line breaks, in a row that are kept: two tell words apart in text whose letters are spaced out, and
paragraphs from lines; more say nothing."""

REPLACEMENT = "\ufffd"

_ODD = re.compile(f"[{CONTROL}{DIRECTION}{SURROGATE}]|(?! |\n)[{SPACE}]")
_ONE_FOR_ONE = {
    **{ord(char): " " for char in SPACES},
    **{ord(char): "\n" for char in LINE_BREAKS},
    **dict.fromkeys(range(0xD800, 0xE000), REPLACEMENT),
}
_GAP = re.compile(f"[{SPACE}{CONTROL}{DIRECTION}]{{2,}}|[{CONTROL}{DIRECTION}]")
_DROPPED = re.compile(f"[{CONTROL}{DIRECTION}]+")
_UNREADABLE = re.compile(f"[{SPACE}{CONTROL}{DIRECTION}{INVISIBLE}{ASTRAL_INVISIBLE}{PRIVATE}{REPLACEMENT}]*")


def text_view(original: str, max_chars: int | None = None) -> tuple[str, OffsetMap]:
    """The text view of `original` (of its first `max_chars` code points, where given) and its map to all of `original`.

    White space is spaces and line breaks, at most two in a row; control characters, direction marks and marks stacked
    more than 30 high are dropped; lone surrogates become U+FFFD; the rest is NFC. Takes time linear in the length.
    """
    text = original if max_chars is None else original[:max_chars]
    edits: list[Edit] = []
    if not _is_clean(text):
        edits = _cleaning_edits(text)
        text = text.translate(_ONE_FOR_ONE)
    if len(text) < len(original):
        edits.append((len(text), len(original), ""))
        text += original[len(text) :]
    view, to_original = apply_edits(text, edits)
    for step in (stack_edits, nfc_edits):
        if edits := step(view):
            view, to_previous = apply_edits(view, edits)
            to_original = to_previous.compose(to_original)
    return view, to_original


def is_readable(view: str) -> bool:
    """Whether a text view shows a reader anything: more than blanks, invisible and private-use characters."""
    return _UNREADABLE.fullmatch(view) is None


def _is_clean(text: str) -> bool:
    """Whether there is nothing to drop or replace. Printable text, as most is, is settled in well under 1 µs."""
    if "   " in text or ("\n" in text and any(gap in text for gap in ("\n\n\n", " \n", "\n "))):
        return False
    return text.isprintable() or _ODD.search(text) is None


def _cleaning_edits(text: str) -> list[Edit]:
    edits: list[Edit] = []
    for match in _GAP.finditer(text):
        gap = match[0]
        clean = _clean_gap(gap)
        if clean != gap.translate(_ONE_FOR_ONE):
            edits.append((match.start(), match.end(), clean))
    return edits


def _clean_gap(gap: str) -> str:
    """What stays of a run of white space and dropped characters: line breaks if it has any, else spaces, or nothing."""
    blank = _DROPPED.sub("", gap).replace("\r\n", "\n").translate(_ONE_FOR_ONE)
    breaks = blank.count("\n")
    return "\n" * min(breaks, MAX_GAP) if breaks else " " * min(len(blank), MAX_GAP)
