"""How each piece of the vocabulary is spelt, for the character branch: a table that the graph looks pieces up in.

So a disguise ("f.u.c.k", "1d10t") that falls apart into rare pieces is seen letter by letter, and serving needs no
input beside the pieces.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_export.text_expert.vocabulary import SPACE, SPECIALS

LETTERS = 8
"""Characters of a piece that are seen: disguised words consist of short pieces."""

NOTHING = 0
"""The code of a place without a character."""

CODES = 256
FIRST_PRINTABLE, LAST_PRINTABLE = 0x20, 0x7E
FIRST_SHARED = 1 + LAST_PRINTABLE - FIRST_PRINTABLE + 1
"""Printable ASCII has codes of its own; every other character shares one of the rest with others of its remainder."""


def spelling_table(spec: dict[str, Any]) -> NDArray[np.uint8]:
    """Codes of the pieces of a tokenizer's JSON, uint8 [pieces, LETTERS], `NOTHING` where a piece is shorter.

    Pieces that no text gives (specials, languages, markers: they hold a plain space) have none.
    """
    vocabulary: list[tuple[str, float]] = spec["model"]["vocab"]
    table = np.full((len(vocabulary), LETTERS), NOTHING, np.uint8)
    for at, (piece, _) in enumerate(vocabulary):
        if " " not in piece and piece not in SPECIALS:
            codes = [code_of(letter) for letter in piece[:LETTERS]]
            table[at, : len(codes)] = codes
    return table


def code_of(letter: str) -> int:
    """1..CODES-1."""
    point = ord(" " if letter == SPACE else letter)
    if FIRST_PRINTABLE <= point <= LAST_PRINTABLE:
        return 1 + point - FIRST_PRINTABLE
    return FIRST_SHARED + point % (CODES - FIRST_SHARED)
