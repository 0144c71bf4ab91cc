"""The table of lookalikes: each entry is what it says it is."""

from __future__ import annotations

import re
import unicodedata

import pytest

from processors.text import lookalike_letters as table

BY_SCRIPT = {
    "CYRILLIC": table.EXACT_CYRILLIC | table.LOOSE_CYRILLIC,
    "GREEK": table.EXACT_GREEK | table.LOOSE_GREEK,
    "ARMENIAN": table.ARMENIAN,
    "CHEROKEE": table.CHEROKEE,
    "CANADIAN SYLLABICS": table.CANADIAN,
    "LISU": table.LISU,
    "LATIN": table.LATIN_VARIANTS,
}


@pytest.mark.parametrize(("script", "letters"), BY_SCRIPT.items(), ids=BY_SCRIPT)
def test_letters_of_a_script_stand_for_plain_latin_letters(script: str, letters: dict[str, str]) -> None:
    assert [c for c in letters if not unicodedata.name(c).startswith(script)] == []
    assert [latin for latin in letters.values() if not re.fullmatch("[A-Za-z]", latin)] == []


def test_nfkc_leaves_the_letters_alone_or_they_would_never_be_met() -> None:
    every = table.ALL | table.LATIN_VARIANTS
    assert [c for c in every if not unicodedata.is_normalized("NFKC", c)] == []


def test_every_letter_lies_where_lookalikes_are_looked_for() -> None:
    assert [c for c in table.ALL if not re.match(f"[{table.SCRIPTS}]", c)] == []


def test_the_way_back_to_cyrillic_undoes_the_way_to_latin() -> None:
    to_latin = table.EXACT_CYRILLIC | table.LOOSE_CYRILLIC
    assert [c for c, cyrillic in table.LATIN_TO_CYRILLIC.items() if to_latin[cyrillic] != c] == []
