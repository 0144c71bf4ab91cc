"""What the drawn lines say: phrases of the text pool, names from Unicode's locale data, and words made up like them.

The pool lacks half of the scripts; the locale data (CLDR, as Babel carries it) has the names of languages, countries,
months and days in nearly all. Made-up words follow the pairs of characters that occur, so that no word is learnt.
"""

from __future__ import annotations

import random
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from babel import Locale, localedata

from models_export.script.letters import LOOKALIKES, TWO_CASES, WRITTEN, script_of, written_in
from models_export.text_expert.pool import read_pool
from processors.ocr.script import COMMON

MAX_CHARACTERS = 44
PHRASES = 2_500
"""Of a language, from the pool; locale data comes on top."""
UNSPACED = frozenset({"Hani", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt"})
"""Scripts whose lines are cut between any two characters."""
HELD_OUT = 8
"""One name of the locale data in so many is kept for measuring; of the pool, the dev split is."""
_ZEROS = {
    "Deva": 0x966,
    "Beng": 0x9E6,
    "Guru": 0xA66,
    "Gujr": 0xAE6,
    "Orya": 0xB66,
    "Taml": 0xBE6,
    "Telu": 0xC66,
    "Knda": 0xCE6,
    "Mlym": 0xD66,
    "Thai": 0xE50,
    "Laoo": 0xED0,
    "Mymr": 0x1040,
    "Khmr": 0x17E0,
    "Arab": 0x660,
}
DIGITS = {script: "".join(chr(zero + digit) for digit in range(10)) for script, zero in _ZEROS.items()}
"""Of scripts that have their own, which stand beside the common ones."""
_SENTENCE_MARKS = {"Arab": "؟،!.", "Deva": "।!?", "Beng": "।!?", "Hani": "，。！？", "Jpan": "、。！？", "Armn": "։,!"}
_SPACES = re.compile(r"\s+")
_ADDRESS = re.compile(r"https?://\S+|@\w+")


@dataclass(frozen=True, slots=True)
class Phrases:
    """Of one script: real ones, and for each character those that may follow it (as often as they do)."""

    real: tuple[str, ...]
    following: Mapping[str, str]


def read_phrases(data: Path, *, held_out: bool) -> dict[str, Phrases]:
    """Script -> phrases, from the pool's permissive sets and from Babel; `held_out`: those that training never sees."""
    found: dict[str, list[str]] = {script: [] for script in WRITTEN}
    rows = read_pool(data, permissive_only=True)
    rows = rows[(rows["split"] == "dev") == held_out]
    for _, texts in rows.sample(frac=1.0, random_state=1).groupby("lang")["text"]:
        chosen = (pair for text in texts for pair in _phrases(_ADDRESS.sub(" ", text)))
        for phrase, script in islice(chosen, PHRASES):
            found[script].append(phrase)
    for name in sorted(set(_names())):
        if (zlib.crc32(name.encode()) % HELD_OUT == 0) == held_out:
            for phrase, script in _phrases(name):
                found[script].append(phrase)
    return {script: Phrases(tuple(own), _following(own)) for script, own in found.items() if own}


def _phrases(text: str) -> Iterator[tuple[str, str]]:
    """The longest runs of words that are of one script, and that script."""
    run: list[str] = []
    script: str | None = None
    for word in [*_SPACES.split(text), ""]:
        known = [found for found in map(script_of, word) if found]
        own = "Jpan" if "Jpan" in known else known[0] if known else None
        if run and script and (not own or (own != script and {own, script} != {"Hani", "Jpan"})):
            yield " ".join(run), script
            run, script = [], None
        if own and written_in(word, own):
            run.append(word)
            script = "Jpan" if "Jpan" in (own, script) else own


def _names() -> Iterator[str]:
    for identifier in localedata.locale_identifiers():
        if "_" in identifier and identifier.split("_")[1].isupper():
            continue  # a country's few differences from its language
        locale = Locale.parse(identifier)
        yield from locale.languages.values()
        yield from locale.territories.values()
        for names in (locale.months, locale.days):
            yield from names["format"]["wide"].values()


def _following(phrases: Iterable[str]) -> dict[str, str]:
    """Character -> all that were seen after it, repeated as often (up to a hundred each); the blank begins and ends."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for phrase in phrases:
        for word in phrase.split():
            for first, second in zip(f" {word}", f"{word} ", strict=True):
                counts[first][second] += 1
    result: dict[str, str] = {}
    for first, seconds in counts.items():
        share = max(1.0, max(seconds.values()) / 100)
        result[first] = "".join(second * round(count / share) for second, count in sorted(seconds.items()))
    return result


def line(draw: random.Random, script: str, phrases: Mapping[str, Phrases]) -> str:
    """One line of writing in `script` (or `COMMON`), of 2 to `MAX_CHARACTERS` characters."""
    if script == COMMON:
        return _common(draw)
    while True:
        text = _words(draw, script, phrases[script])
        if len(text) >= 2 and not LOOKALIKES.issuperset(found for found in text if script_of(found)):
            break
    if script in TWO_CASES:
        text = draw.choices((text, text.upper(), text.title()), (5, 4, 1))[0]
    if script not in ("Latn", "Hani") and len(text) >= 6 and draw.random() < 0.12:
        text = _mixed(draw, text, _words(draw, "Latn", phrases["Latn"]))
    if draw.random() < 0.2:
        digits = DIGITS[script] if script in DIGITS and draw.random() < 0.5 else "0123456789"
        number = "".join(draw.choices(digits, k=draw.randint(1, 4)))
        text = draw.choice((f"{number} {text}", f"{text} {number}", f"{text}{number}"))
    if draw.random() < 0.35:
        mark = draw.choice(_SENTENCE_MARKS.get(script, ".,!?") + ".!?:…")
        text = draw.choice((f"{text}{mark}", f'"{text}"', f"{text}{mark * 3}", f"- {text}", f"({text})", f"#{text}"))
    return text


def _words(draw: random.Random, script: str, phrases: Phrases) -> str:
    """Two to `MAX_CHARACTERS` characters in all, short lines as often as long ones."""
    if draw.random() < 0.35 and script not in ("Hani", "Jpan"):
        words = [_made_up(draw, phrases) for _ in range(draw.choice((1, 1, 2, 3, 5)))]
    elif script in UNSPACED:
        phrase = draw.choice(phrases.real)
        length = draw.randint(2, 24)
        start = draw.randint(0, max(0, len(phrase) - length))
        words = [phrase[start : start + length].strip()]
    else:
        pieces = draw.choice(phrases.real).split()
        count = draw.choice((1, 1, 2, 3, 4, 6, 9))
        start = draw.randint(0, max(0, len(pieces) - count))
        words = pieces[start : start + count]
    text = " ".join(words)[:MAX_CHARACTERS].strip()
    return text if written_in(text, script) or script == "Jpan" else ""


def _made_up(draw: random.Random, phrases: Phrases) -> str:
    word = ""
    last = " "
    while len(word) < 12:
        last = draw.choice(phrases.following[last])
        if last == " ":
            break
        word += last
    return word


def _mixed(draw: random.Random, text: str, latin: str) -> str:
    """A line that is mostly of its own script, with a shorter Latin part, as names and loan words stand in it."""
    part = latin[: max(2, len(text) // 2)].strip()
    return draw.choice((f"{text} {part}", f"{part} {text}"))


_COMMON: Sequence[str] = (
    "{a}", "{a}{b}", "{a}.{b}", "{a}:{b}", "{a}/{b}/{c}", "{a}-{b}-{c}", "${a},{c}", "{a}%", "€{a}.{b}", "+{c} {a}",
    "{c}.{a}.{b}.{c}", "#{a}", "{a} x {b}", "({a})", "!!!", "???", "...", "- -", "?!", "***", "{a} - {b}", "{a}+{b}",
    "{c} {c} {c}", "[{a}]", "&", "=>", "~{a}", "№ {a}", ":-)", "{c}°", ">>", "@", "* * *",
)  # fmt: skip


def _common(draw: random.Random) -> str:
    a, b, c = (str(draw.randrange(10 ** draw.randint(1, 4))) for _ in range(3))
    return draw.choice(_COMMON).format(a=a, b=b, c=c)
