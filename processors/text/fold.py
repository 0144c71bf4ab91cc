"""The folded view: a second reading of a text in which common disguises are undone, with its offsets.

The steps, in order: invisible characters, stacked marks, NFKC, lookalike letters, spelled-out words, leetspeak, drawn-
out letters. Each gives edits of the step before it. Most texts have nothing to undo, which a few searches tell.
"""

from __future__ import annotations

import re
import unicodedata

from processors.text.canonical import nfkc_edits, stack_edits
from processors.text.characters import ASTRAL_INVISIBLE, GENERIC_MARK, INVISIBLE
from processors.text.edits import apply_edits
from processors.text.hidden import invisible_edits, stacked_mark_edits
from processors.text.leetspeak import TRIGGER, leet_edits
from processors.text.lookalikes import ENCLOSED, VARIANTS, enclosed_edits, has_mixed_scripts, lookalike_edits
from processors.text.spelling import drawn_out_edits, is_suspect, spelled_out_edits
from schemas import OffsetMap

# Letters that NFKC turns into plain ones and that no orthography uses in running text. Left out, though NFKC changes
# them too: full-width digits and punctuation (everyday Chinese and Japanese), half-width kana, Korean letters, ordinals
# and other signs (nº, ™, ½), Thai and Lao am: they disguise nothing, and the tokenizer brings them to one form anyway.
_STYLED = (
    "\uff21-\uff3a\uff41-\uff5a"  # full-width Latin
    "\u02b0-\u02b8\u1d2c-\u1d6a\u1d9c-\u1dbf\u2071\u207f\u2090-\u209c"  # raised and lowered letters
    "\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2128-\u2138\u213c-\u213f\u2145-\u2149"  # letterlike
    "\u249c-\u24e9"  # parenthesised, circled
    "\ufb00-\ufb06"  # ligatures
)
_ASTRAL_STYLED = "\U0001d400-\U0001d7cb\U0001f110-\U0001f12b\U0001f130-\U0001f149"  # mathematical, enclosed
_STYLED_LETTER = re.compile(f"[{_STYLED}{_ASTRAL_STYLED}]")

# A class without characters above U+FFFF is matched several times faster, so those have a search of their own.
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_ASTRAL_UNUSUAL = re.compile(f"[{_ASTRAL_STYLED}{ENCLOSED}{ASTRAL_INVISIBLE}]")
_UNUSUAL = re.compile(f"[{_STYLED}{GENERIC_MARK}{VARIANTS}]")
# Emoji are full of invisible characters; only those beside a letter matter.
_BROKEN_WORD = re.compile(f"[{INVISIBLE}](?:(?<=[^\\W_].)|(?=[^\\W_]))", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")

_STEPS = (
    invisible_edits,
    stacked_mark_edits,
    stack_edits,  # with invisible characters gone, marks may meet that were apart
    nfkc_edits,
    enclosed_edits,
    lookalike_edits,
    spelled_out_edits,
    leet_edits,
    drawn_out_edits,
)


def folded_view(text: str, to_original: OffsetMap) -> tuple[str, OffsetMap] | None:
    """The folded view of a text view and its map to what `to_original` maps `text` to; None where it says the same.

    A second view exists where disguises were undone, so that its words differ in letters or digits. Takes time linear
    in the length.
    """
    if not _is_suspect(text):
        return None
    view = text
    to_source = to_original
    for step in _STEPS:
        edits = step(view)
        if edits:
            view, to_previous = apply_edits(view, edits)
            to_source = to_previous.compose(to_source)
    if _says_the_same(text, view):
        return None
    return view, to_source


def _is_suspect(text: str) -> bool:
    """Whether a step may find something; a few microseconds for everyday text."""
    if TRIGGER.search(text) or is_suspect(text):
        return True
    if text.isascii():
        return False
    if _UNUSUAL.search(text) or _BROKEN_WORD.search(text) or has_mixed_scripts(text):
        return True
    return _ASTRAL.search(text) is not None and _ASTRAL_UNUSUAL.search(text) is not None


def _says_the_same(text: str, folded: str) -> bool:
    """Whether the views have the same words, NFKC apart, unless NFKC undid styled letters."""
    if text == folded:
        return True
    if _STYLED_LETTER.search(text):
        return False
    return _words(unicodedata.normalize("NFKC", text)) == _words(folded)


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
