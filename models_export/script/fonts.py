"""Which fonts of some folders can draw which scripts, and which of them are kept for measuring."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import ImageFont

from models_export.script.texts import Phrases
from processors.ocr.script import COMMON, NO_WRITING

ENDINGS = frozenset({".ttf", ".otf", ".ttc", ".woff2"})
PICTOGRAPHS = "☺★☀♥✈☎⚠♣☂☹☃♫"
PICTURES = re.compile(r"dingbat|symbol|emoji|icon|math|barcode|braille|bats\b|blank|last ?resort|signwriting", re.I)
"""Names of fonts whose letters may be no letters."""
WEIGHTS = re.compile(
    r"\b(thin|(extra|semi|ultra|demi)?(light|bold|condensed)|black|medium|regular|heavy|italic|oblique|book|ui|display)\b",
    re.I,
)
PROBE_SIZE = 20
PROBES = 12
"""Frequent letters of a script, most of which a font must have."""
MISSING = "\U0010fffd"
"""A private character that no font has."""
ENOUGH = 9
"""Of the probes: Chinese and Japanese fonts lack some of each other's forms."""
HELD_OUT = 6
"""One family in so many is held out of a script's training, where it has at least three."""


@dataclass(frozen=True, slots=True, order=True)
class Font:
    path: str
    index: int

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """For words: letters join and change as their script has it."""
        return _load(self.path, self.index, size, ImageFont.Layout.RAQM)

    def glyph(self, letter: str) -> tuple[tuple[int, int], bytes]:
        """(size, picture) of one letter as it stands in the font, without shaping, which takes ten times as long."""
        mask: Any = _load(self.path, self.index, PROBE_SIZE, ImageFont.Layout.BASIC).getmask(letter)
        return mask.size, bytes(mask)


@lru_cache(maxsize=600)
def _load(path: str, index: int, size: int, layout: ImageFont.Layout) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index, layout_engine=layout)


@lru_cache(maxsize=4096)
def _missing(font: Font) -> tuple[tuple[int, int], bytes]:
    return font.glyph(MISSING)


@lru_cache(maxsize=1 << 20)
def has(font: Font, character: str) -> bool:
    """Whether the font draws the character, and not its picture of a missing one."""
    if character.isspace():
        return True
    drawn = font.glyph(character)
    return drawn[0] != (0, 0) and drawn != _missing(font)


Families = Mapping[str, Sequence[Font]]


def find_fonts(folders: Sequence[Path], phrases: Mapping[str, Phrases]) -> dict[str, Families]:
    """Script -> family -> fonts that have its frequent letters; for `NO_WRITING`, fonts of pictographs.

    Raises FileNotFoundError where a script has none.
    """
    paths = sorted({path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in ENDINGS})
    probes = {script: _frequent(own) for script, own in phrases.items()}
    probes |= {COMMON: "0123456789:?", NO_WRITING: PICTOGRAPHS}
    found: dict[str, dict[str, list[Font]]] = {script: {} for script in probes}
    for path in paths:
        font = Font(str(path), 0)
        try:
            name = ImageFont.truetype(font.path, PROBE_SIZE).getname()[0] or path.stem
        except OSError:
            continue  # not a font that FreeType reads
        if _numbers_what_is_missing(font):
            continue
        pictures = PICTURES.search(f"{name} {path.stem}") is not None
        family = " ".join(WEIGHTS.sub(" ", name).split())
        for script, letters in probes.items():
            if pictures == (script == NO_WRITING) and _draws(font, letters):
                found[script].setdefault(family, []).append(font)
    for script, families in found.items():
        if not families and script != NO_WRITING:
            places = ", ".join(map(str, folders))
            raise FileNotFoundError(f"{places}: no font has the letters {probes[script]!r}; expected one for {script}")
    return {script: dict(families) for script, families in found.items()}


def part(families: Families, *, held_out: bool) -> Families:
    """The families for training, or those that are held out; a script with fewer than three has the same for both."""
    if len(families) < 3:
        return families
    ordered = sorted(families, key=lambda family: hashlib.sha256(family.encode()).digest())
    count = max(1, len(families) // HELD_OUT)
    chosen = ordered[:count] if held_out else ordered[count:]
    return {family: families[family] for family in chosen}


def choose(draw: random.Random, families: Families) -> Font:
    """Families with many weights are no more frequent than those with one."""
    return draw.choice(families[draw.choice(list(families))])


def drawable(font: Font, text: str) -> str:
    """The text without what the font lacks."""
    return "".join(character for character in text if has(font, character))


def _draws(font: Font, letters: str) -> bool:
    """Whether the font has enough of the letters; what it draws alike is a picture of something missing."""
    pictures: set[tuple[tuple[int, int], bytes]] = set()
    for seen, letter in enumerate(letters, 1):
        if has(font, letter):
            pictures.add(font.glyph(letter))
        if len(pictures) + PROBES - seen < ENOUGH:
            return False
    return len(pictures) >= ENOUGH


def _numbers_what_is_missing(font: Font) -> bool:
    """Some fonts draw the code of a missing character, so that none looks missing."""
    return font.glyph("\U0010fffc") != _missing(font)


def _frequent(phrases: Phrases) -> str:
    counts = Counter(letter for phrase in phrases.real for letter in phrase if letter.isalpha())
    return "".join(sorted(counts, key=lambda letter: (-counts[letter], letter))[:PROBES])
