"""Undoes homoglyphs: letters of other scripts (and enclosed letters) put for Latin ones, and Latin ones for Cyrillic.

Genuine words stay as they are: a letter is only replaced in a word that mixes scripts, or in a word made wholly of
exact lookalikes within a text that is otherwise Latin.
"""

from __future__ import annotations

import re

from processors.text.edits import Edit
from processors.text.lookalike_letters import ALL, EXACT, LATIN_TO_CYRILLIC, LATIN_VARIANTS, SCRIPTS

MIN_GREEK_WORD = 3
"""Letters in a Latin word for Greek lookalikes in it to count: μg, kΩ and Δx are units and formulas."""

MIN_WHOLE_WORD = 2
"""Letters in a word of nothing but lookalikes for it to count: a single о or І may well be meant."""

_LATIN = "A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\u024f\u1e00-\u1eff"
_LATIN_LETTER = re.compile(f"[{_LATIN}]")
_LOWER_ASCII = re.compile("[a-z]")
_FOREIGN_LETTER = re.compile(f"[{SCRIPTS}]")
VARIANTS = "".join(LATIN_VARIANTS)
"""Odd Latin letters, as the body of a character class."""

_VARIANT = re.compile(f"[{VARIANTS}]")
_WORD = re.compile(f"[{_LATIN}{SCRIPTS}{VARIANTS}0-9]+")
_CYRILLIC = re.compile("[\u0400-\u052f]")
_GREEK = re.compile("[\u0370-\u03ff]")
_GENUINE = re.compile(f"(?![{''.join(ALL)}])[{SCRIPTS}]")

_ENCLOSED = "\U0001f150-\U0001f169\U0001f170-\U0001f189"
_FLAG_LETTER = "\U0001f1e6-\U0001f1ff"
# A lone enclosed letter is an emoji (a blood group, a car park); beside another or a letter it spells.
_SPELLING = re.compile(
    f"(?<=[^\\W_{_ENCLOSED}])[{_ENCLOSED}]+|[{_ENCLOSED}]{{2,}}|[{_ENCLOSED}](?=[^\\W_])"
    f"|(?<![{_FLAG_LETTER}])[{_FLAG_LETTER}](?: [{_FLAG_LETTER}]){{2,}}(?![{_FLAG_LETTER}])"
)
ENCLOSED = _ENCLOSED + _FLAG_LETTER
"""Letters in black squares and circles and those of flags, as the body of a character class."""


def has_mixed_scripts(text: str) -> bool:
    """Whether there are both Latin letters and letters of a script with lookalikes."""
    return _FOREIGN_LETTER.search(text) is not None and _LATIN_LETTER.search(text) is not None


def enclosed_edits(text: str) -> list[Edit]:
    """Letters in black squares or circles, and flag letters spelled out one by one, to plain letters."""
    edits: list[Edit] = []
    for match in _SPELLING.finditer(text):
        start, end = match.span()
        lower = text[max(0, start - 1) : start].islower() or text[end : end + 1].islower()
        for at in range(start, end):
            if text[at] != " ":
                letter = _enclosed_letter(text[at])
                edits.append((at, at + 1, letter.lower() if lower else letter))
    return edits


def lookalike_edits(text: str) -> list[Edit]:
    """The letters to replace, one edit each. Linear in the length of the text."""
    if not (_VARIANT.search(text) or has_mixed_scripts(text)):
        return []
    latin_text = _GENUINE.search(text) is None
    edits: list[Edit] = []
    for match in _WORD.finditer(text):
        word = match[0]
        if word.isascii():
            continue
        table = _table(word, latin_text)
        if table:
            start = match.start()
            edits += ((start + i, start + i + 1, table[c]) for i, c in enumerate(word) if c in table)
    return edits


def _enclosed_letter(char: str) -> str:
    point = ord(char)
    first = 0x1F1E6 if point >= 0x1F1E6 else 0x1F170 if point >= 0x1F170 else 0x1F150
    return chr(ord("A") + point - first)


def _table(word: str, latin_text: bool) -> dict[str, str] | None:
    """What to replace in a word, if anything."""
    foreign = _FOREIGN_LETTER.findall(word)
    if not foreign:
        return LATIN_VARIANTS if _VARIANT.search(word) else None
    if not _LATIN_LETTER.search(word):
        whole = latin_text and len(word) >= MIN_WHOLE_WORD and all(c in EXACT for c in foreign)
        return EXACT if whole else None
    letters = sum(c.isalpha() for c in word)
    if _GREEK.search(word) and (letters < MIN_GREEK_WORD or not _LOWER_ASCII.search(word)):
        return None
    to_cyrillic = all(_CYRILLIC.match(c) for c in foreign) and all(
        c in LATIN_TO_CYRILLIC for c in _LATIN_LETTER.findall(word)
    )
    to_latin = all(c in ALL for c in foreign)
    # Both may be possible (cyкa): then the rest of the text tells what it is written in.
    if to_cyrillic and not (to_latin and latin_text):
        return LATIN_TO_CYRILLIC
    return ALL if to_latin and (latin_text or 2 * len(foreign) <= letters) else None
