"""Spelling noise: what people do to words so that filters miss them, applied to training text at random."""

from __future__ import annotations

import random

SHORTEST = 3  # letters of a word that is disguised
LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "b": "8", "l": "1"}
EMOJI = {
    "monkey": "🐒",
    "monkeys": "🐒",
    "pig": "🐷",
    "pigs": "🐷",
    "dog": "🐶",
    "dogs": "🐶",
    "rat": "🐀",
    "rats": "🐀",
    "snake": "🐍",
    "snakes": "🐍",
    "cockroaches": "🪳",
    "clown": "🤡",
    "shit": "💩",
    "trash": "🗑️",
    "garbage": "🗑️",
    "gun": "🔫",
    "bomb": "💣",
    "knife": "🔪",
    "kill": "🔪",
    "dead": "💀",
    "love": "❤️",
    "gay": "🏳️‍🌈",
    "woman": "👩",
    "women": "👩",
    "muslims": "🕌",
    "jews": "✡️",
}
"""Words that are often replaced by a picture of what they name."""
HOMOGLYPH = {"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "x": "х", "i": "і"}


def add_noise(text: str, rng: random.Random) -> str:
    """`text` with one or two kinds of spelling noise; its meaning for a reader stays."""
    for edit in rng.sample((_letters, _leet, _spaces, _case, _repeat, _join, _emoji), rng.choice((1, 1, 2))):
        text = edit(text, rng)
    return text


def _some_words(text: str, rng: random.Random, share: float) -> tuple[list[str], list[int]]:
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if len(word) >= SHORTEST and word.isalpha()]
    rng.shuffle(long)
    return words, long[: max(1, int(len(long) * share))]


def _letters(text: str, rng: random.Random) -> str:
    """Swap two neighbours, drop or double a letter."""
    words, chosen = _some_words(text, rng, rng.choice((0.25, 0.5)))
    for at in chosen:
        word, place = words[at], rng.randrange(1, len(words[at]) - 1)
        match rng.randrange(3):
            case 0:
                words[at] = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
            case 1:
                words[at] = word[:place] + word[place + 1 :]
            case _:
                words[at] = word[:place] + word[place] * 2 + word[place + 1 :]
    return " ".join(words)


def _leet(text: str, rng: random.Random) -> str:
    words, chosen = _some_words(text, rng, rng.choice((0.25, 0.5)))
    table = HOMOGLYPH if rng.random() < 0.25 else LEET
    for at in chosen:
        places = [place for place, letter in enumerate(words[at]) if letter.lower() in table]
        for place in rng.sample(places, min(len(places), rng.choice((1, 2, 3)))):
            words[at] = words[at][:place] + rng.choice(table[words[at][place].lower()]) + words[at][place + 1 :]
    return " ".join(words)


def _spaces(text: str, rng: random.Random) -> str:
    """Spell one or two words out."""
    words, chosen = _some_words(text, rng, 0.1)
    for at in chosen[:2]:
        words[at] = rng.choice((" ", " ", ".", "-")).join(words[at])
    return " ".join(words)


def _join(text: str, rng: random.Random) -> str:
    """Lose the space between two words."""
    words = text.split(" ")
    if len(words) > 2:
        at = rng.randrange(len(words) - 1)
        words[at : at + 2] = [words[at] + words[at + 1]]
    return " ".join(words)


def _emoji(text: str, rng: random.Random) -> str:
    """One word that has an emoji of its own."""
    words = text.split(" ")
    known = [at for at, word in enumerate(words) if word.lower() in EMOJI]
    if known:
        at = rng.choice(known)
        words[at] = EMOJI[words[at].lower()]
    return " ".join(words)


def _case(text: str, rng: random.Random) -> str:
    return rng.choice((str.upper, str.lower, str.title))(text)


def _repeat(text: str, rng: random.Random) -> str:
    words, chosen = _some_words(text, rng, 0.1)
    for at in chosen[:2]:
        place = rng.randrange(len(words[at]))
        words[at] = words[at][:place] + words[at][place] * rng.randrange(2, 5) + words[at][place + 1 :]
    return " ".join(words)
