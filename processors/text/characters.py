"""Classes of characters as pieces of regular expressions, from the Unicode data of the running Python.

Python's `re` has no `\\p{M}`; these are bodies of character classes, to be put between `[` and `]`.
"""

from __future__ import annotations

import unicodedata

LINE_BREAKS = "\n\x0b\x0c\r\x85\u2028\u2029"

SPACES = (
    "\t\x1c\x1d\x1e\x1f \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)

SPACE = SPACES + LINE_BREAKS
"""What `str.isspace` calls white space."""

DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
"""Bidirectional marks, embeddings, overrides and isolates: they change the order that a reader sees."""

CONTROL = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # C0 and C1, less white space
    "\ufeff\ufff9-\ufffb"  # byte order mark, interlinear annotation
    "\ufdd0-\ufdef\ufffe\uffff"  # noncharacters
    "\U000e0001"  # language tag
)

SURROGATE = "\ud800-\udfff"

INVISIBLE = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2064\u2800\u3164\ufe00-\ufe0f\uffa0"
ASTRAL_INVISIBLE = "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
"""Characters that a reader does not see, up to U+FFFF and above: Default_Ignorable_Code_Point of Unicode less those
named before, and the blank Braille pattern."""

PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
"""Private use: what they look like depends on a font that nobody here has."""

GENERIC_MARK = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
"""Combining marks that belong to no script in particular; what "zalgo" text stacks."""

_LAST_SCRIPT = 0x1E95B
"""Above it, before the variation selectors, no character is a mark (Adlam is the last script that has some)."""

RARE = f"\U00010000-\U0001daff\U0001e000-{chr(_LAST_SCRIPT)}"
"""Where the marks above U+FFFF are, and much that is none; emoji lie outside. A class with all those marks costs `re`
a hundred comparisons for every character, so texts without any of these are matched without them."""

_HANGUL_JAMO = "\u1160-\u11ff\ud7b0-\ud7fb"
_HALF_WIDTH_VOICING = "\uff9e\uff9f"  # letters by category, combining marks by compatibility


def _marks(first: int, last: int) -> str:
    """The combining marks in [first, last), as the body of a character class."""
    runs: list[list[int]] = []
    for point in range(first, last):
        if unicodedata.category(chr(point))[0] != "M":
            continue
        if runs and point == runs[-1][1] + 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in runs)


COMMON_CONTINUATION = _marks(0x300, 0x10000) + _HANGUL_JAMO + _HALF_WIDTH_VOICING
"""Those of CONTINUATION that are not in RARE."""

CONTINUATION = COMMON_CONTINUATION + _marks(0x10000, _LAST_SCRIPT)
"""Characters that normalisation may join with what stands before them: combining marks of every script, the later
letters of a Hangul syllable. Before any other character a text can be cut, and its parts normalised alone give the same
as the whole."""
