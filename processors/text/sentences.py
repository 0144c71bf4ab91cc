"""Where sentences end, in the scripts of all languages."""

from __future__ import annotations

import re

Stretch = tuple[int, int]
"""[start, end) in code points."""

# Marks that end a sentence only where a blank follows: in "3.5", "example.org" and "a...b" they do not.
_SPACED = ".!?…‼⁇⁈⁉"
# Marks that end one wherever they stand: Chinese and Japanese (full and half width), Indic danda, Arabic, Urdu, Syriac,
# Armenian, Ethiopic, Burmese, Khmer, Tibetan, Mongolian.
_FREE = "。！？．｡।॥؟۔܀܁܂։።፧፨၊။។៕།༎᠃᠉"
_CLOSERS = "\"'”’»›)\\]}」』）】》〉"

# Every alternative is possessive and begins where a run begins, so that the time is linear in any text.
_END = re.compile(
    rf"(?<![{_SPACED}])[{_SPACED}]++[{_CLOSERS}]*+(?=\s|\Z)"
    rf"|(?<![{_FREE}])[{_FREE}]++[{_SPACED}{_FREE}]*+[{_CLOSERS}]*+"
    r"|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]++"
)


def sentences(text: str) -> list[Stretch]:
    """The sentences of a text, in order, each without the blanks around it.

    Line breaks end sentences too. What has no letter or digit, as a row of marks or emoji, belongs to the sentence
    before it. Together they hold all letters of the text; takes time linear in its length.
    """
    found: list[Stretch] = []
    start = 0
    for end in (*(match.end() for match in _END.finditer(text)), len(text)):
        piece = text[start:end]
        first, last = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        if first < last:
            if found and not any(map(str.isalnum, piece)):
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
        start = end
    return found
