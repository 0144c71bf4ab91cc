"""What of a transcript counts when speech is compared: its words, however they are written down.

Applied to what was said and to what was heard alike, in this order:

1. NFKC, case folded.
2. Apostrophes inside a word go away (don't = dont); so do separators of thousands between digits (1,000 = 1000).
3. All that is no letter, mark or digit divides words: punctuation is not heard, and hyphens are a matter of taste.
4. English only: titles are spelled out (Mr = mister), and so are whole numbers below a million (4 = four), as cardinal
   numbers. Years, ordinal numbers, money and other languages' numbers stay as they are, and count as errors where they
   are written another way.

Writing without spaces between words has no word error rate: there letters count.
"""

from __future__ import annotations

import re
import unicodedata

UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})
"""Languages (ISO 639) written without spaces between words."""

TITLES = {"mr": "mister", "mrs": "missus", "dr": "doctor"}
"""English. `st` is not here: it is both a saint and a street."""

_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ONES = (*_SMALL, *(f"{stem}teen" for stem in ("thir", "four", "fif", "six", "seven", "eigh", "nine")))
_TENS = tuple(f"{stem}ty" for stem in ("twen", "thir", "for", "fif", "six", "seven", "eigh", "nine"))
_SPELLED_BELOW = 1_000_000

_APOSTROPHE = re.compile(r"(?<=\w)['’ʼ`´](?=\w)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def words(text: str, lang: str | None = None) -> list[str]:
    """The words of a text in the language `lang` (ISO 639; None: no language's own rules)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    joined = _THOUSANDS.sub("", _APOSTROPHE.sub("", folded))
    parts = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in joined).split()
    return parts if lang != "en" else [word for part in parts for word in _in_english(part)]


def letters(text: str, lang: str | None = None) -> str:
    """The words without what divides them."""
    return "".join(words(text, lang))


def number_words(number: int) -> list[str]:
    """English cardinal words of 0 <= number < 1,000,000, without `and`: 121 is one hundred twenty one."""
    if not 0 <= number < _SPELLED_BELOW:
        raise ValueError(f"{number} has no words here, expected a number from 0 to {_SPELLED_BELOW - 1:,}")
    if number >= 1000:
        return [*number_words(number // 1000), "thousand", *_rest(number % 1000)]
    if number >= 100:
        return [_ONES[number // 100], "hundred", *_rest(number % 100)]
    if number >= 20:
        return [_TENS[number // 10 - 2], *_rest(number % 10)]
    return [_ONES[number]]


def _rest(number: int) -> list[str]:
    return number_words(number) if number else []


def _in_english(word: str) -> list[str]:
    if word.isascii() and word.isdigit() and int(word) < _SPELLED_BELOW:
        return number_words(int(word))
    return [TITLES.get(word, word)]
