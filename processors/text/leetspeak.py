"""Undoes common leetspeak: digits and symbols put for letters inside words (h4te, $hit, b1tch).

The rules are narrow on purpose. Numbers, dates, prices, ordinals, model numbers and names such as mp3 or covid19 stay;
so do user names, e-mail and web addresses. What is missed costs one disguise, what is wrongly folded costs every post
that holds it a second reading.
"""

from __future__ import annotations

import re

from processors.text.edits import Edit

LETTERS = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t",
    "@": "a", "$": "s", "!": "i", "|": "i", "¢": "c", "€": "e", "£": "l", "©": "c", "®": "r",
}  # fmt: skip
"""What stands for what. 2, 6, 8 and 9 are left out: b2b, gr8 and m8 are words of their own."""

DOUBLE = {"11": "ll", "66": "gg", "99": "gg"}
"""Digits that mean another letter when they stand in pairs (he11o, bu99er)."""

MAX_TOKEN = 30
"""Longer tokens are keys and hashes."""

MIN_WORD = 4
"""Letters of an unfolded word: among shorter ones (w3c, p4p, b4d) names and abbreviations are as many as disguises."""

SHORT_WORDS = frozenset({"ass", "die", "fag", "gay", "hoe", "jew", "sex"})
"""Words shorter than MIN_WORD that are known to be disguised."""

AT_WORDS = re.compile(r"@(?:ss(?:es|hats?|holes?|wipes?)?|rse(?:holes?)?|nal|nus|sians?|rabs?)", re.IGNORECASE)
"""Words whose first letter is disguised as @: a closed list, since any other @word is a user name."""

PLURAL_ENDINGS = ("s", "S")
"""Behind @ these make Spanish and Portuguese words gender-neutral (amig@s)."""

_SYMBOLS = "@$!|¢€£©®"
TRIGGER = re.compile(
    # Starts with the sign, the rarer character, so that `re` skips quickly to where a match can start.
    rf"[013-79{_SYMBOLS}](?:(?<=[A-Za-z].)[013-79{_SYMBOLS}]*+[A-Za-z]|(?<=[A-Za-z]\$)\$"
    r"|(?<=\$)[A-Za-z]{2}|(?<=@)(?i:ss|rse|na|nus|sia|rab))"
)
"""Found in every text that has something to undo, and in few others."""

_ADDRESS = r"(?P<address>\b(?:https?:|www\.|t\.co/)\S*)"
_TOKEN = re.compile(rf"{_ADDRESS}|[A-Za-z\xc0-\u024f0-9{_SYMBOLS}]+")
_RUN = re.compile(rf"[0-9]+|[{_SYMBOLS}]+")
_NAMES = re.compile(r"mp[34]|ps[1-5]|md5|sha1|h[1-9]n[1-9]|c3p[o0]|log4j|neo4j|web3|s3|d3js", re.IGNORECASE)
# An English syllable that can start with s, less that s: $hit and $lut, but not $btc.
_DOLLAR_WORD = re.compile(r"\$(?:h|l|m|n|w|qu|[ckpt][hlr]?)?[aeiouy][a-z]")
_VOWEL = re.compile("[aeiouyAEIOUY]")
_PATH = re.compile(r"\.[A-Za-z0-9]|_")


def leet_edits(text: str) -> list[Edit]:
    """The characters to replace, one edit each. Linear in the length of the text."""
    if not TRIGGER.search(text):
        return []
    edits: list[Edit] = []
    for match in _TOKEN.finditer(text):
        if match["address"] is not None or not TRIGGER.search(match[0]):
            continue
        start, end = match.span()
        if _PATH.match(text, end) or (start and text[start - 1] in "_/\\"):
            continue  # a part of a host name, an e-mail address, a path or an identifier
        edits += ((start + at, start + at + 1, letter) for at, letter in sorted(_fold(match[0]).items()))
    return edits


def _fold(token: str) -> dict[int, str]:
    """Position in the token -> letter, for those that stand for one; empty if the token is no disguised word."""
    word = token.rstrip("!|@")
    if len(word) > MAX_TOKEN or _NAMES.search(word):
        return {}
    if word[0] == "@":
        return {0: "a" if word[1:2].islower() else "A"} if AT_WORDS.fullmatch(word) else {}
    letters = [c for c in word if c.isalpha()]
    upper = sum(c.isupper() for c in letters)
    if upper not in (0, len(letters)) and not (upper == 1 and word[0].isupper()):
        return {}  # GTi3rs, iPh0ne: names and keys mix cases, disguised words seldom do
    inside: dict[int, str] = {}
    edges: dict[int, str] = {}
    for run in _RUN.finditer(word):
        found = _run_letters(word, *run.span())
        if run.start() == 0 or run.end() == len(word):
            edges |= found
        elif not found:
            return {}  # a number inside: covid19vaccine, win10pro
        else:
            inside |= found
    folded = _with_edges(word, inside, edges)
    if len(folded) > len(letters) and not word.endswith("$$"):
        return {}
    plain = "".join(folded.get(i, c) for i, c in enumerate(word)).lower()
    if len(plain) < MIN_WORD and plain not in SHORT_WORDS:
        return {}
    return {i: c.upper() for i, c in folded.items()} if upper > 1 else folded


def _with_edges(word: str, inside: dict[int, str], edges: dict[int, str]) -> dict[int, str]:
    """Signs at a word's ends count beside one inside it (5h1t), or where they can hardly be anything else."""
    if inside:
        return inside | {i: c for i, c in edges.items() if i == 0 or word[i] in "0345$"}
    if word.endswith("$$"):
        return {i: c for i, c in edges.items() if word[i] == "$"}
    return {0: "s"} if _DOLLAR_WORD.match(word) else {}


def _run_letters(word: str, start: int, end: int) -> dict[int, str]:
    """The letters that a run of digits or of symbols stands for; empty if it stands for itself."""
    run = word[start:end]
    if run in DOUBLE and start > 0 and end < len(word):
        return dict(zip(range(start, end), DOUBLE[run], strict=True))
    if len(set(run)) > 1 or run[0] not in LETTERS or len(run) > 2:
        return {}  # two different digits are a number
    if run[0] in "@!|" and not _breaks_a_syllable(word[:start], word[end:], run):
        return {}
    return dict.fromkeys(range(start, end), LETTERS[run[0]])


def _breaks_a_syllable(left: str, right: str, run: str) -> bool:
    """Whether @, ! or | stands where a vowel is missing (sh!t, ret@rd), not between words (wow!that, me@home)."""
    if len(run) > 1 or not left or not right or right in PLURAL_ENDINGS:
        return False
    return not (_VOWEL.search(left) and _VOWEL.search(right))
