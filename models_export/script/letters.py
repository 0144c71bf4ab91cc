"""The scripts that are told apart, and which characters belong to which."""

from __future__ import annotations

from bisect import bisect_right

from processors.ocr.script import COMMON, NO_WRITING

READABLE = ("Latn", "Hani", "Jpan")
"""What the pack's recogniser reads. It has the Greek letters of formulas, and neither accents nor the final sigma."""

_RANGES = (
    (0x41, 0x5A, "Latn"), (0x61, 0x7A, "Latn"), (0xC0, 0xD6, "Latn"), (0xD8, 0xF6, "Latn"), (0xF8, 0x24F, "Latn"),
    (0x300, 0x345, "Latn"), (0x370, 0x373, "Grek"), (0x386, 0x386, "Grek"), (0x388, 0x3FF, "Grek"),
    (0x400, 0x52F, "Cyrl"), (0x531, 0x587, "Armn"), (0x591, 0x5F4, "Hebr"), (0x620, 0x64A, "Arab"),
    (0x64B, 0x652, "Arab"), (0x660, 0x669, "Arab"), (0x671, 0x6D3, "Arab"), (0x6F0, 0x6FF, "Arab"),
    (0x750, 0x77F, "Arab"), (0x900, 0x963, "Deva"), (0x966, 0x97F, "Deva"), (0x980, 0x9FB, "Beng"),
    (0xA01, 0xA75, "Guru"), (0xA81, 0xAEF, "Gujr"), (0xB01, 0xB71, "Orya"), (0xB82, 0xBF2, "Taml"),
    (0xC00, 0xC6F, "Telu"), (0xC80, 0xCF2, "Knda"), (0xD00, 0xD7F, "Mlym"), (0xD82, 0xDF3, "Sinh"),
    (0xE01, 0xE3A, "Thai"), (0xE40, 0xE59, "Thai"), (0xE81, 0xEDD, "Laoo"), (0xF40, 0xFBC, "Tibt"),
    (0x1000, 0x109F, "Mymr"), (0x10A0, 0x10FF, "Geor"), (0x1100, 0x11FF, "Hang"), (0x1200, 0x137C, "Ethi"),
    (0x1780, 0x17E9, "Khmr"), (0x1E00, 0x1EFF, "Latn"), (0x1F00, 0x1FFC, "Grek"), (0x3005, 0x3005, "Hani"),
    (0x3041, 0x3096, "Jpan"), (0x30A1, 0x30FA, "Jpan"), (0x30FC, 0x30FC, "Jpan"), (0x3131, 0x318E, "Hang"),
    (0x3400, 0x4DBF, "Hani"), (0x4E00, 0x9FFF, "Hani"), (0xAC00, 0xD7A3, "Hang"),
)  # fmt: skip
_STARTS = [start for start, _, _ in _RANGES]

WRITTEN = tuple(dict.fromkeys(script for _, _, script in _RANGES))
SCRIPTS = (*WRITTEN, COMMON, NO_WRITING)
"""The classes, in the order of the network's outputs."""

TWO_CASES = frozenset({"Latn", "Cyrl", "Grek", "Armn"})

LOOKALIKES = frozenset("АВЕЅІЈКМНОРСТУХаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧοικνυρ")
"""Cyrillic and Greek letters that are drawn as Latin ones are. A line of nothing else has no answer in its shapes; it
is none of the samples, and Latin, which is far more frequent, has it."""


def script_of(character: str) -> str | None:
    """ISO 15924, None for what belongs to no script or to one that is not told apart. Japanese has its kana only."""
    point = ord(character)
    at = bisect_right(_STARTS, point) - 1
    if at < 0 or point > _RANGES[at][1]:
        return None
    return _RANGES[at][2]


def written_in(text: str, script: str) -> bool:
    """Whether every letter of the text is of the script; Japanese has Han letters too."""
    own = {script_of(character) for character in text} - {None}
    return script in own and own <= ({script, "Hani"} if script == "Jpan" else {script})
