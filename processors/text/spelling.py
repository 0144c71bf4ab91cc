"""Undoes words that are spelled out (s c u m, h.a.t.e, i-d-i-o-t) and letters that are drawn out (stuuuupid)."""

from __future__ import annotations

import re
from itertools import pairwise

from processors.text.edits import Edit

MIN_DOTTED = 4
"""Letters of a word joined over full stops: with three it is an acronym (U.S.A., a.k.a.)."""

MAX_JOINED = 64
"""Letters joined in one go; a longer run is joined piece by piece, which keeps matching linear."""

ONE_LETTER_WORDS = frozenset("aiurynmcbkoxeqáàéèêíóòúùаибвджзіїєкоптсуця")
"""Words of one letter in chats and in several languages (u r a, o q é, и т д): a short run of them is a sentence."""

MAX_SENTENCE = 4
"""Longest run of ONE_LETTER_WORDS that is taken for a sentence."""

DRAWN_OUT = 4
"""Equal letters in a row from which a word is drawn out; German has three (Schifffahrt)."""

KEPT = 2
"""Equal letters that stay of them: enough for every double letter of the language."""

MIN_DISTINCT = 3
"""Different letters of a drawn-out word; with fewer it is a cry or a laugh (soooo, hahaha, looool, ooops)."""

_ALPHABETS = "A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0370-\u03ff\u0400-\u052f\u05d0-\u05ea\u0620-\u064a"
_SIGNS = "0134579@$!"
_SEPARATORS = r" .\-_*/|~+=·•:^#,"
_SEPARATOR = f" ?[{_SEPARATORS.strip()}] ?| "
_ELEMENT = f"[{_ALPHABETS}{_SIGNS}]"
_SPELLED = re.compile(
    rf"(?<![^\W_])(?<![^\W_]['’])[{_ALPHABETS}@$](?P<gap>{_SEPARATOR}){_ELEMENT}"
    rf"(?:(?P=gap){_ELEMENT}){{1,{MAX_JOINED - 2}}}(?![^\W_])"
)
# What every spelled-out word has in its middle. It starts with the separator, the rarer character, so that `re` skips
# quickly to where a match can start.
_SINGLE = re.compile(rf"[{_SEPARATORS}]{_ELEMENT}(?:{_SEPARATOR}){_ELEMENT}(?![^\W_])")
_REPEATED = re.compile(rf"([{_ALPHABETS}])\1{{{DRAWN_OUT - 1},}}+")
_WORD = re.compile(r"[^\W\d_]+")


def spelled_out_edits(text: str) -> list[Edit]:
    """The separators to drop. Runs of three letters or more count, each letter alone, all separators equal."""
    edits: list[Edit] = []
    for match in _SPELLED.finditer(text):
        gap = match["gap"]
        step = len(gap) + 1
        start = match.start()
        elements = match[0][::step]
        if gap == " " and start and _has_article(elements):
            start += step
        if _is_spelled_word(elements, gap):
            edits += ((at, at + len(gap), "") for at in range(start + 1, match.end(), step))
    return edits


def drawn_out_edits(text: str) -> list[Edit]:
    """The letters to drop where one is repeated four times or more in a word of three different letters or more.

    Those at a word's end stay (yesssss): what stands before them reads as ever.
    """
    if not _REPEATED.search(text):
        return []
    edits: list[Edit] = []
    for word in _WORD.finditer(text):
        if len(word[0]) > DRAWN_OUT and len(set(word[0].lower())) >= MIN_DISTINCT:
            start, end = word.span()
            if text[start - 1 : start] == "@":
                continue  # a user name
            runs = _REPEATED.finditer(text, start, end)
            edits += ((run.start() + KEPT, run.end(), "") for run in runs if run.end() < end)
    return edits


def is_suspect(text: str) -> bool:
    """Whether there may be something to undo; quick."""
    return _SINGLE.search(text) is not None or _REPEATED.search(text) is not None


def _is_spelled_word(elements: str, gap: str) -> bool:
    letters = [c for c in elements.lower() if c.isalpha()]
    if len(letters) < 3 or len(letters) <= 2 * (len(elements) - len(letters)):
        return False  # mostly numbers
    if len(set(elements.lower())) < 2:
        return False  # x x x
    if gap.strip() == "." and len(elements) < MIN_DOTTED:
        return False
    if gap == " " and len(elements) <= MAX_SENTENCE and ONE_LETTER_WORDS.issuperset(letters):
        return False
    return not _is_alphabetical(letters)


def _has_article(elements: str) -> bool:
    """Whether the first letter is an English article before a spelled-out word (such a p i t y, not a s s h o l e)."""
    return len(elements) > MIN_DOTTED and elements[0] in "aA" and elements[1].isalpha() and elements[1] != elements[2]


def _is_alphabetical(letters: list[str]) -> bool:
    """Whether the letters count up (a, b, c), as in lists."""
    return all(ord(after) == ord(before) + 1 for before, after in pairwise(letters))
