"""What people do to words so that filters miss them: edits of a text, each of one kind and of a fixed strength.

They share their tables of letters with the noise that training sees, and are stronger: half of the long words, and in
each of them every letter that can be.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from models_export.text_expert.noise import HOMOGLYPH, LEET

EDITED_ONE_IN = 2
"""Of the words that are long enough, the share that is edited; one at least."""

SHORTEST = 4
"""Letters: a shorter word would be hard to read for people as well."""


def typos(word: str, rng: random.Random) -> str:
    """Two neighbours inside the word change places."""
    place = rng.randrange(1, len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def leetspeak(word: str, rng: random.Random) -> str:
    return "".join(rng.choice(LEET[letter.lower()]) if letter.lower() in LEET else letter for letter in word)


def spacing(word: str, _: random.Random) -> str:
    return " ".join(word)


def homoglyphs(word: str, _: random.Random) -> str:
    return "".join(HOMOGLYPH.get(letter, letter) for letter in word)


EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "typos": typos,
    "leetspeak": leetspeak,
    "spacing": spacing,
    "homoglyphs": homoglyphs,
}


def edited(text: str, name: str, seed: str) -> str:
    """`text` after the edit `name`; the same seed gives the same text. It is unchanged where no word is long enough."""
    rng = random.Random(f"{seed}\0{name}")
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if len(word) >= SHORTEST and word.isalpha()]
    for at in rng.sample(long, max(len(long) // EDITED_ONE_IN, min(1, len(long)))):
        words[at] = EDITS[name](words[at], rng)
    return " ".join(words)
