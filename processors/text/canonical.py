"""Unicode normalisation forms with their offsets, in linear time.

A text is cut where no normalisation reaches across: before every character that nothing can join with what precedes
it. Each piece is normalised alone; the pieces together are the normalised text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from processors.text.characters import COMMON_CONTINUATION, CONTINUATION, RARE
from processors.text.edits import Edit

MAX_MARKS = 30
"""Continuing characters in a row that are kept. The Stream-Safe Text Format of Unicode's UAX #15 has this number: no
language needs more, and Python sorts a run of marks in quadratic time."""

# The first class stands alone because `re` then skips quickly to where a match can start.
_STACK = re.compile(f"[{CONTINUATION}][{CONTINUATION}]{{{MAX_MARKS - 1}}}(?P<rest>[{CONTINUATION}]+)")
_COMMON_STACK = re.compile(f"[{COMMON_CONTINUATION}][{COMMON_CONTINUATION}]{{{MAX_MARKS}}}")
_RARE = re.compile(f"[{RARE}]")
# Korean letters typed alone (ㅋㅋ, ㅠㅠ) become parts of syllables under NFKC. They are no stack, however many.
_JOINS = CONTINUATION + "\u3131-\u318e\uffa1-\uffdc"
_PIECE = re.compile(f"[^\\x00-\\x7f][{_JOINS}]{{0,{MAX_MARKS}}}|[\\x00-\\x7f][{_JOINS}]{{1,{MAX_MARKS}}}")


def stack_edits(text: str) -> list[Edit]:
    """The continuing characters to drop so that no more than MAX_MARKS stand in a row; a normal form needs that."""
    if not has_tall_stack(text):
        return []
    return [(match.start("rest"), match.end(), "") for match in _STACK.finditer(text)]


def has_tall_stack(text: str) -> bool:
    """Whether more than MAX_MARKS continuing characters stand in a row; settled in about 1 µs for everyday text."""
    return not text.isascii() and (_STACK if _RARE.search(text) else _COMMON_STACK).search(text) is not None


def nfc_edits(text: str) -> list[Edit]:
    """The edits that bring `text` into NFC, one per piece that changes. See `stack_edits` for what must come first."""
    return _form_edits("NFC", text)


def nfkc_edits(text: str) -> list[Edit]:
    """The edits that bring `text` into NFKC, one per piece that changes. See `stack_edits` for what must come first."""
    return _form_edits("NFKC", text)


def _form_edits(form: Literal["NFC", "NFKC"], text: str) -> list[Edit]:
    if text.isascii() or unicodedata.is_normalized(form, text):
        return []
    edits: list[Edit] = []
    for match in _PIECE.finditer(text):
        piece = match[0]
        normal = unicodedata.normalize(form, piece)
        if normal != piece:
            edits.append((match.start(), match.end(), normal))
    return edits
