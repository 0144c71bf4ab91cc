"""What the card says of pictures follows from the manifest's parts."""

from __future__ import annotations

from typing import Any

import pytest

from models_export.packing.card import render_card
from models_export.packing.markdown import figure_tables
from models_export.packing.picture_card import allows_commercial_use
from tests.models_export.test_card import manifest
from tests.models_export.tiny_pictures import read_manifest, write_picture_pack

PARTS = ("ocr", "image", "fusion")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = read_manifest(write_picture_pack(tmp_path_factory.mktemp("packs") / "base"))
    return {name: found[name] for name in PARTS}


def lines(parts: dict[str, Any]) -> list[str]:
    return render_card({**manifest(), **parts}).splitlines()


def text(parts: dict[str, Any]) -> str:
    """The card with its lines joined, as it is read."""
    return " ".join(lines(parts))


def test_a_pack_that_reads_text_alone_has_no_section_on_pictures() -> None:
    assert "## Pictures" not in lines({})
    assert "pictures" not in text({})


def test_every_graph_stands_with_its_licence_and_source(parts: dict[str, Any]) -> None:
    assert "| detection and recognition | tiny reader | Apache-2.0 | 0.0 | https://example.org/reader |" in lines(parts)
    assert "| script expert | tiny script expert | CC0-1.0 | 0.0 | – |" in lines(parts)
    assert "| image expert | mean colour | CC0-1.0 | 0.0 | – |" in lines(parts)


def test_scripts_that_are_read_and_told_apart_are_named(parts: dict[str, Any]) -> None:
    assert "Scripts that are read (ISO 15924): Latn." in lines(parts)
    assert "Scripts: Latn, Cyrl." in text(parts)
    assert "a probability of at least 0.600" in text(parts)


def test_without_a_script_expert_the_card_warns(parts: dict[str, Any]) -> None:
    bare = {name: value for name, value in parts["ocr"].items() if name != "script"}
    assert "Nothing in this pack tells the script of a line" in text({"ocr": bare})
    assert "Nothing in this pack tells the script of a line" not in text(parts)


def test_what_a_pack_lacks_is_said(parts: dict[str, Any]) -> None:
    assert "What is written in pictures cannot be read." in text({"image": parts["image"]})
    assert "judged by nothing but what is written in them" in text({"ocr": parts["ocr"]})


def test_labels_of_pictures_have_their_thresholds_and_notes(parts: dict[str, Any]) -> None:
    assert "- `sexual` (threshold 0.800): –" in lines(parts)
    assert "- `violence` (not assessed): nothing to measure it on" in lines(parts)


def test_pictures_that_should_score_low_are_counted(parts: dict[str, Any]) -> None:
    negatives = {"photos": {"pictures": 20, "over": {"0.2": 3, "0.8": 0}}}
    labels = {**parts["image"]["labels"], "sexual": {"status": "measured", "dev": {"negatives": negatives}}}
    assert "| photos | 20 | 15.0% | 0.0% |" in lines({"image": {**parts["image"], "labels": labels}})


def test_a_fusion_on_research_data_says_so_and_how_to_do_without(parts: dict[str, Any]) -> None:
    assert "Licence: LicenseRef-research-only. It is shown: ocr, image." in text(parts)
    assert "| memes | LicenseRef-research-only | 1,250 | – |" in lines(parts)
    assert "**Research data**: what is stated of memes does not allow commercial use." in text(parts)
    assert "take `fusion` and its file out of the pack" in text(parts)


def test_a_fusion_on_open_data_is_not_called_research(parts: dict[str, Any]) -> None:
    fusion = {**parts["fusion"], "training": [{"name": "memes", "licence": "CC BY-SA 4.0"}]}
    assert "Research data" not in text({**parts, "fusion": fusion})


@pytest.mark.parametrize(
    ("licence", "open_"),
    [
        ("MIT", True),
        ("Apache-2.0 (repo); tweets from public sets", True),
        ("dataset CC BY-SA 4.0 (code MIT)", True),
        ("CC-BY-4.0", True),
        ("CC0 1.0", True),
        ("CC BY-NC-SA 4.0", False),
        ("CC-BY-ND-4.0", False),
        ("CC BY NC 4.0", False),
        ("not permissive: research only", False),
        ("none stated", False),
        ("", False),
    ],
)
def test_only_licences_that_are_known_to_allow_commercial_use_count(licence: str, open_: bool) -> None:
    assert allows_commercial_use(licence) is open_


def test_figures_of_any_shape_become_tables() -> None:
    estimate = {"value": 0.105, "low": 0.08, "high": 0.131}
    figures = {
        "pictures": 33,
        "helps": True,
        "error_rate": estimate,
        "by_kind": {
            "scene": {"rate": estimate, "lines": 7},
            "line": {"lines": 1200, "gain": {"low": 0.0, "high": 0.5}},
        },
        "speed": {"per_second": 6.71, "kinds": ["a", "b"], "taken_for": {"Cyrl": 0.01}},
        "empty": {},
    }
    assert list(figure_tables(figures)) == [
        "| what | figure |\n| --- | --- |\n| pictures | 33 |\n| helps | yes |\n| error rate | 0.105 (0.080 to 0.131) |",
        "By kind:",
        "|  | rate | lines | gain |\n| --- | --- | ---: | --- |\n"
        "| scene | 0.105 (0.080 to 0.131) | 7 | – |\n| line | – | 1,200 | 0.000 to 0.500 |",
        "Speed:",
        "| what | figure |\n| --- | --- |\n| per second | 6.710 |\n| kinds | a, b |\n| taken for | Cyrl 0.010 |",
    ]


def test_how_a_part_was_trained_is_no_figure(parts: dict[str, Any]) -> None:
    figures = {"recipe": {"steps": 4_321}, "held_out": {"Latn": {"lines": 400, "found": 0.98}}}
    script = {**parts["ocr"]["script"], "figures": figures}
    card = text({"ocr": {**parts["ocr"], "script": script}})
    assert "| Latn | 400 | 0.980 |" in card
    assert "fonts and texts that training has not seen" in card
    assert "4,321" not in card
