from __future__ import annotations

from typing import Any

from models_export.packing.languages import BACKBONE_LANGUAGES, language_cards


def pair(lang: str, *, counted: bool = True, macro_f1: float = 0.7, rows: int = 100) -> dict[str, Any]:
    return {"lang": lang, "counted": counted, "macro_f1": macro_f1, "rows": rows}


def test_a_language_with_a_counted_pair_is_measured() -> None:
    card = language_cards([pair("de", macro_f1=0.7), pair("de", macro_f1=0.8)], [], {})["de"]
    assert card == {"status": "measured", "dev": {"abuse_macro_f1": 0.75, "rows": 200, "sets": 2}}


def test_a_language_with_too_few_rows_is_zero_shot() -> None:
    assert language_cards([pair("ja", counted=False)], [], {})["ja"] == {"status": "zero_shot"}


def test_a_set_that_was_not_trained_on_does_not_make_a_language_measured() -> None:
    card = language_cards([], [pair("tr", counted=False, macro_f1=0.6)], {})["tr"]
    assert card["status"] == "zero_shot"
    assert card["dev"]["zero_shot"]["abuse_macro_f1"] == 0.6


def test_a_language_that_turned_out_unreadable_is_unsupported() -> None:
    card = language_cards([], [pair("te", counted=False, macro_f1=0.3)], {})["te"]
    assert card["status"] == "unsupported"
    assert "no better than one that does not read it" in card["note"]


def test_a_handful_of_rows_does_not_make_a_language_unsupported() -> None:
    assert language_cards([], [pair("uk", counted=False, macro_f1=0.3, rows=17)], {})["uk"]["status"] == "zero_shot"


def test_a_measured_language_that_the_backbone_does_not_know_has_a_card() -> None:
    assert "ur-Latn" not in BACKBONE_LANGUAGES
    assert language_cards([pair("ur-Latn")], [], {})["ur-Latn"]["status"] == "measured"


def test_a_language_that_nobody_knows_has_no_card() -> None:
    assert "tlh" not in language_cards([], [], {})


def test_the_share_of_benign_text_flagged_is_on_the_card() -> None:
    benign = {"it": {"zero_shot": {"rows": 10, "flagged": 0.1}}}
    assert language_cards([], [], benign)["it"]["dev"]["benign_flagged"] == benign["it"]
