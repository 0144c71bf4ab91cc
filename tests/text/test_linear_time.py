"""Hostile texts cost time in proportion to their length.

An eightfold text may take eight times as long, more or less; a quadratic step would take sixty-four times as long. The
bound lies between, and processor time is taken instead of elapsed time, the least of several runs.
"""

from __future__ import annotations

import time

import pytest

from processors.text import folded_view, langid, text_view

SHORT, LONG = 12_500, 100_000
BOUND = 4.0 * LONG / SHORT
FLOOR_S = 0.002
"""Shorter runs say nothing about growth."""

HOSTILE = {
    "one letter": "a",
    "one long word and a digit at its end": "abc",
    "marks of falling classes": "\u0301\u0327",
    "marks of falling classes, parted by invisible characters": "\u0301" * 30 + "\u200b",
    "points of falling classes, parted by invisible characters": "\u05b0\u05bc" * 15 + "\u200b",
    "a letter under two marks": "a\u0316\u0301",
    "zalgo": "a\u0335\u0301\u0302\u0303",
    "invisible characters": "\u200b",
    "letters and invisible characters": "a\u200b",
    "joiners in Persian": "می\u200c",
    "alternating scripts": "aа",
    "alternating scripts in words": "aа ",
    "lookalike words": "ѕсо ",
    "spelled-out words": "i d i o t ",
    "spelled-out words without end": "a.b-c_d ",
    "full stops": "f.",
    "digits": "1",
    "letters and digits": "a1",
    "leetspeak": "h4te ",
    "at signs": "@",
    "at words": "@ss ",
    "dollars": "a$",
    "exclamation marks": "a!",
    "drawn-out words": "aaaabc ",
    "a drawn-out word without end": "aaaabc",
    "ligatures": "ﬁ",
    "ligatures of eighteen letters": "ﷺﬁ",
    "mathematical letters": "𝖋",
    "full-width letters and punctuation": "ｆ，",
    "squared letters": "🅰",
    "flag letters": "🇫 ",
    "null characters": "a\0",
    "lone surrogates": "\ud800",
    "jamo": "\u1100\u1161",
    "compatibility jamo": "ㅋㅏ",
    "spaces": "a    ",
    "line breaks": "\r\n \n",
    "addresses": "http://",
    "angle brackets": "<a",
}


def processor_time(text: str) -> float:
    taken: list[float] = []
    for _ in range(3):
        started = time.process_time()
        folded_view(*text_view(text))
        langid.detect(text)
        taken.append(time.process_time() - started)
    return max(FLOOR_S, min(taken))


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_grows_with_the_length_and_not_with_its_square(piece: str) -> None:
    langid.load()
    short, long = (piece * (length // len(piece)) + "1" for length in (SHORT, LONG))
    assert processor_time(long) / processor_time(short) < BOUND
