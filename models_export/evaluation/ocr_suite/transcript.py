"""What people say is written in a picture."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from models_export.evaluation.ocr_suite.views import lenient

COMMON = "Zyyy"
"""ISO 15924: digits, punctuation and signs, which belong to no script."""

SCRIPTS = {
    "LATIN": "Latn",
    "CYRILLIC": "Cyrl",
    "GREEK": "Grek",
    "ARABIC": "Arab",
    "HEBREW": "Hebr",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "THAI": "Thai",
    "HANGUL": "Hang",
    "CJK": "Hani",
    "HIRAGANA": "Kana",
    "KATAKANA": "Kana",
}
"""First word of a letter's Unicode name -> ISO 15924 code. The kana are one here; other scripts go by their name."""

_DESCRIPTION = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text of a picture. `whole`: nothing is known to be missing from it."""

    lines: tuple[str, ...]
    whole: bool

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    @property
    def script(self) -> str:
        """The script that most of its letters are in."""
        return script_of(self.text)


def transcript_of(text: str | None) -> Transcript | None:
    """A manifest's `expected_text`; None where it says nothing about what is written.

    `|` and line feeds end lines. What stands in <angle brackets> describes a part that was not transcribed.
    """
    if text is None:
        return None
    said = _DESCRIPTION.sub("", text)
    lines = tuple(line.strip() for line in re.split(r"[|\n]", said) if lenient(line))
    return Transcript(lines, whole=said == text) if lines else None


def script_of(text: str) -> str:
    """The script (ISO 15924) that most of the letters are in, the first of several; `COMMON` without letters."""
    found = Counter(
        unicodedata.name(character, "UNKNOWN").split()[0].split("-")[0]
        for character in unicodedata.normalize("NFKC", text)
        if character.isalpha()
    )
    if not found:
        return COMMON
    name = found.most_common(1)[0][0]
    return SCRIPTS.get(name, name.capitalize())
