from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models_export.__main__ import main
from models_export.packing.card import CARD_FILE, render_card
from models_export.packing.languages import language_cards
from models_export.packing.markdown import table
from models_export.packing.parts import SHIPPED
from tests.models_export.tiny_pictures import read_manifest
from tests.tiny_pack import write_manifest, write_tiny_pack


def pair(lang: str, name: str, **figures: Any) -> dict[str, Any]:
    found = {"rows": 120, "positives": 40, "counted": True, "macro_f1": 0.71, "average_precision": 0.8}
    return {"lang": lang, "set": name, **found, "benign_flagged": 0.234, "abuse_missed": 0.3, **figures}


def suite(accuracy: float) -> dict[str, Any]:
    kinds = {
        "negate_neg_nh": {"cases": 10, "hateful": False, "accuracy": 0.2},
        "slur_h": {"cases": 9, "hateful": True, "accuracy": 0.9},
    }
    groups = {"bakers": {"cases": 9, "hateful_found": 0.75, "benign_passed": 0.5}}
    parts = {
        "cases": 19,
        "accuracy": accuracy,
        "macro_f1": accuracy,
        "hateful_found": 0.9,
        "benign_passed": 0.2,
        "groups": groups,
    }
    return {**parts, "functionalities": kinds}


def manifest(**changed: Any) -> dict[str, Any]:
    pairs = [pair("en", "first"), pair("de", "second"), pair("ja", "third", counted=False, rows=9)]
    aside = [pair("tr", "fourth", counted=False, macro_f1=0.61)]
    head = {"rows": 500, "positives": 200, "threshold": 0.41, "f1": 0.7, "macro_f1": 0.72, "average_precision": None}
    head |= {"precision": 0.6, "recall": 0.8, "calibration_error_before": 0.09, "calibration_error": 0.02}
    benign = {"de": {"trained": {"rows": 50, "flagged": 0.18}}, "tr": {"zero_shot": {"rows": 40, "flagged": 0.25}}}
    figures = {
        "abuse_macro_f1": {"english": 0.71, "english_sets": 1, "other_languages": 0.71, "other_pairs": 1},
        "pairs": pairs,
        "zero_shot_pairs": aside,
        "heads": {"abuse": head},
        "calibration_error": {"before": 0.09, "after": 0.0213, "judgements": 500},
        "benign_flagged": benign,
        "everyday_flagged": {"it": {"rows": 30, "flagged": 0.05}},
        "hatecheck": {"en": suite(0.77), "de": suite(0.65)},
        "training": {"step": 2700},
        "fidelity": {"texts": 400, "max_move": 0.026, "mean_move": 0.0013, "flips": 0.0012},
        **changed,
    }
    return {
        "name": "tiny",
        "backbone": {"name": "a backbone", "licence": "MIT"},
        "text": {"graph": {"bytes": 52_900_000}},
        "labels": {
            "abuse": {"status": "measured", "training_rows": {"positives": 8_000, "negatives": 9_000}},
            "spam": {"status": "not_assessed", "note": "no head was trained"},
        },
        "languages": language_cards(pairs, aside, benign),
        "training": {
            "seed": 7,
            "recipe": {"vocabulary": 80_000, "batch": 32},
            "datasets": [{"name": "first", "licence": "CC BY 4.0", "rows": 900, "url": "https://example.org/first"}],
        },
        "figures": figures,
    }


@pytest.fixture(scope="module")
def card() -> str:
    return render_card(manifest())


@pytest.mark.parametrize(
    "line",
    [
        "| abuse, macro-F1, English | 0.710 (mean of 1 sets) |",
        "| calibration error, all labels | 0.021 |",
        "| HateCheck accuracy, English | 0.770 |",
        "| Multilingual HateCheck macro-F1 | 0.650 (mean of 1 languages) |",
        "| bakers | 9 | 75.0% | 50.0% |",
        "| abuse | 8,000 | 9,000 | 500 | 200 | 0.410 | 0.700 | 0.600 | 0.800 | – |",
        "| de | second | 120 | 40 | 0.710 | 0.800 | 23.4% | 30.0% |",
        "| tr | fourth | 120 | 40 | 0.610 | 0.800 | 23.4% | 30.0% |",
        "| de | 18.0% | 50 | – | – | – | – |",
        "| it | – | – | – | – | 5.0% | 30 |",
        "| first | CC BY 4.0 | 900 | https://example.org/first |",
    ],
)
def test_the_card_says_what_was_measured(card: str, line: str) -> None:
    assert line in card.splitlines()


def test_sentences_of_our_own_are_told_where_they_were_trained_on(card: str) -> None:
    assert "sentences of our own" not in card
    phases = [{"steps": 300, "functional": 0.0}, {"steps": 100, "functional": 0.2}]
    given = manifest()
    given["training"]["recipe"]["phases"] = phases
    assert "5.0% of the samples are sentences of our own" in render_card(given)


def test_the_card_says_what_the_pack_must_not_be_used_for(card: str) -> None:
    assert "## What it must not be used for" in card


def test_labels_without_a_measured_head_are_named(card: str) -> None:
    assert "`spam`: no head was trained" in card


def test_a_card_without_heads_beyond_labels_says_nothing_of_them(card: str) -> None:
    assert "## Beyond labels" not in card


def test_targets_attacks_and_severity_have_tables_of_their_own() -> None:
    found = manifest()
    measured = {**found["figures"]["heads"]["abuse"], "roc_auc": 0.87}
    heads = ("target.race", "attack.contempt", "severity.2")
    found["figures"]["heads"] |= dict.fromkeys(heads, measured)
    found["labels"] |= dict.fromkeys(heads, found["labels"]["abuse"])
    found["labels"]["target.age"] = {"status": "not_assessed", "note": "only 4 dev rows"}
    labels, _, rest = render_card(found).partition("## Beyond labels")
    assert "| abuse | 8,000 | 9,000 |" in labels
    assert "target.race" not in labels
    details, _, others = rest.partition("## How it was measured")
    for title, head in (("Targets", heads[0]), ("Attacks", heads[1]), ("Openness and severity", heads[2])):
        line = f"| {head} | 8,000 | 9,000 | 500 | 200 | 0.410 | 0.700 | 0.600 | 0.800 | – | 0.870 |"
        assert line in details.partition(f"### {title}")[2].splitlines()
    assert "- `target.age`: only 4 dev rows" in details
    assert "and no head: `target.religion`, " in details
    assert "| target.race | 500 | 0.090 | 0.020 |" in others


def test_pairs_with_too_few_rows_are_marked(card: str) -> None:
    assert "third (too few rows to count)" in card
    assert "fourth (too few" not in card


def test_the_weakest_functionalities_come_first(card: str) -> None:
    assert "Weakest in English: `negate_neg_nh` (20.0%), `slur_h` (90.0%)." in card


def test_measured_zero_shot_and_unsupported_languages_are_told_apart(card: str) -> None:
    measured, rest = card.split("**Zero-shot**")
    assert "| de | 1 | 120 | 0.710 |" in measured
    assert "| tr | 1 | 120 | 0.610 |" in rest
    assert "sw" in rest.split("\n")[0]
    assert "`lang.unsupported`" in rest


def test_a_card_without_suites_says_that_they_were_not_run() -> None:
    assert "Not measured" in render_card(manifest(hatecheck={}))


def test_every_row_of_a_table_has_as_many_cells_as_its_head(card: str) -> None:
    for block in card.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1


def test_columns_of_numbers_stand_right() -> None:
    assert table(("a", "b"), [("x", 1234), ("y", None)]).splitlines()[1:] == [
        "| --- | ---: |",
        "| x | 1,234 |",
        "| y | – |",
    ]


def test_what_others_named_cannot_break_a_table() -> None:
    assert table(("a",), [("x | y",)]).splitlines()[-1] == "| x \\| y |"


def test_a_pack_without_the_figures_has_no_card() -> None:
    with pytest.raises(ValueError, match="tiny: figures: no abuse_macro_f1, benign_flagged"):
        render_card({"name": "tiny", "figures": {"pairs": []}})


def test_the_shipped_card_is_what_its_manifest_says() -> None:
    assert (SHIPPED / CARD_FILE).read_text(encoding="utf-8") == render_card(read_manifest(SHIPPED)), (
        "run `python -m models_export card`"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny pack with figures to write a card of."""
    folder = write_tiny_pack(tmp_path / "tiny")
    card = manifest()
    write_manifest(
        folder,
        {**read_manifest(folder), **{name: card[name] for name in ("labels", "languages", "training", "figures")}}
        | {"text": read_manifest(folder)["text"] | {"heads": ["abuse"]}}
        | {"calibration": {"abuse": {"temperature": 1.0}}, "thresholds": {"abuse": 0.4}},
    )
    return folder


def test_a_card_is_written_from_the_manifest_and_found_current(folder: Path) -> None:
    assert main(["card", "--pack", str(folder)]) == 0
    assert (folder / CARD_FILE).read_text(encoding="utf-8") == render_card(read_manifest(folder))
    assert main(["card", "--pack", str(folder), "--check"]) == 0


@pytest.mark.parametrize("old", [None, "# An older card\n"])
def test_a_card_that_is_not_current_is_found_and_left_alone(
    folder: Path, old: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if old is not None:
        (folder / CARD_FILE).write_text(old)
    assert main(["card", "--pack", str(folder), "--check"]) == 1
    assert f"run `python -m models_export card --pack {folder}`" in capsys.readouterr().err
    assert (old is None) is not (folder / CARD_FILE).exists()


def test_a_pack_that_does_not_load_gets_no_card(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "text.onnx").write_bytes(b"another")
    assert main(["card", "--pack", str(folder)]) == 1
    assert "text.onnx: 7 bytes; expected" in capsys.readouterr().err
    assert not (folder / CARD_FILE).exists()
