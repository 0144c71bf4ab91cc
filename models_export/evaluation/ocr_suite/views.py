"""What of a reading is compared with a transcript: two views of a text, and its words in any order.

*Strict*: NFKC, every run of white space one space, none at the ends; case counts.
*Lenient*: the same with case folded and no white space at all, since people who transcribe pictures write as they like
to, and a word broken over two lines is no word less.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator


def strict(text: str) -> str:
    """The strict view."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def lenient(text: str) -> str:
    """The lenient view. Folding the case can undo NFKC, which is why it is applied twice."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(folded.split())


def tokens(text: str) -> Counter[str]:
    """The words of a text, lower-cased, each as often as it is there.

    A word is a run of letters, marks and digits. Writing without spaces between words (Han, kana, Thai, Lao, Khmer,
    Burmese) counts by letters, with their marks.
    """
    return Counter(_words(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())))


_UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
"""How the Unicode names of letters begin that form words without spaces."""


def _words(text: str) -> Iterator[str]:
    word, unspaced = "", False
    for character in text:
        kind = unicodedata.category(character)[0]
        if kind == "M":
            word += character if word else ""
            continue
        alone = kind == "L" and unicodedata.name(character, "").startswith(_UNSPACED)
        if word and (alone or unspaced or kind not in "LN"):
            yield word
            word = ""
        if kind in "LN":
            word += character
        unspaced = alone
    if word:
        yield word
