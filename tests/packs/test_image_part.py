"""The image expert's part of a pack: verified before it is used, and its graph run by `pack check`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processors.packs import PackError, load_pack
from processors.packs.check import Level, Problem, check_pack
from tests.tiny_image import add_tiny_image, tiny_image_part, write_image_graph
from tests.tiny_pack import MEASURED, described, tiny_manifest, write_manifest

EMBEDDED = Path(__file__).parents[2] / "models" / "embedded"

Spoil = Callable[[dict[str, Any]], object]


@pytest.fixture
def seeing(folder: Path) -> Path:
    """A tiny pack with an image expert that the test may spoil."""
    return add_tiny_image(folder)


def errors(folder: Path) -> list[Problem]:
    return [problem for problem in check_pack(folder) if problem.level is Level.ERROR]


def spoilt(folder: Path, spoil: Spoil) -> Path:
    manifest = json.loads((folder / "manifest.json").read_text())
    spoil(manifest["image"])
    write_manifest(folder, manifest)
    return folder


def test_a_sound_image_expert_loads_and_says_what_it_was_measured_on(seeing: Path) -> None:
    pack = load_pack(seeing)
    assert pack.labels_of("text") == MEASURED
    assert pack.labels_of("image") == ("sexual",)
    assert "sexual" in pack.not_assessed  # no text shows it
    assert pack.thresholds == {"abuse": 0.5, "hate": 0.4, "sexual": 0.8}
    assert errors(seeing) == []


def test_a_pack_without_an_image_expert_knows_no_label_of_pictures(folder: Path) -> None:
    pack = load_pack(folder)
    assert pack.labels_of("image") == ()
    assert pack.thresholds == pack.manifest.thresholds


def test_of_a_label_that_both_know_the_texts_threshold_holds(seeing: Path) -> None:
    def both(part: dict[str, Any]) -> None:
        part["heads"] = ["sexual", "hate"]
        part["labels"] = {**part["labels"], "hate": {"status": "measured"}}
        del part["labels"]["violence"]
        part["calibration"]["hate"] = {"temperature": 2.0}
        part["thresholds"]["hate"] = 0.9

    pack = load_pack(spoilt(seeing, both))
    assert pack.labels_of("image") == ("sexual", "hate")
    assert pack.thresholds["hate"] == 0.4


def test_the_image_graph_is_verified_like_every_file(seeing: Path) -> None:
    with (seeing / "image.onnx").open("ab") as file:
        file.write(b"more")
    with pytest.raises(PackError, match=r"image\.onnx: [\d,]+ bytes; expected [\d,]+ \(image\.graph\.bytes"):
        load_pack(seeing)


@pytest.mark.parametrize(
    ("spoil", "field", "message"),
    [
        pytest.param(lambda p: p["heads"].__setitem__(1, "gore"), "image.heads[1]", "'gore' is no", id="no label"),
        pytest.param(lambda p: p["heads"].__setitem__(1, "sexual"), "image.heads", "twice", id="a head twice"),
        pytest.param(lambda p: p.update(heads=[]), "image.heads", "empty", id="no heads"),
        pytest.param(lambda p: p["labels"].pop("violence"), "image.labels", "many: violence", id="no card"),
        pytest.param(lambda p: p["calibration"].clear(), "image.calibration", "sexual", id="uncalibrated"),
        pytest.param(
            lambda p: p["calibration"].update(violence={"temperature": 1.0}),
            "image.calibration",
            "violence",
            id="calibration of what was not measured",
        ),
        pytest.param(lambda p: p["thresholds"].clear(), "image.thresholds", "sexual", id="no threshold"),
        pytest.param(lambda p: p["input"].update(size=32), "image.input.size", "resized to 20", id="a cut too large"),
        pytest.param(lambda p: p["input"].update(std=[1, 0, 1]), "image.input.std", "above 0", id="a std of 0"),
        pytest.param(lambda p: p["features"].update(name="logits"), "image.features.name", "two", id="one output"),
        pytest.param(lambda p: p["input"].update(resample="area"), "image.input.resample", "'area'", id="resample"),
        pytest.param(lambda p: p.update(colour="rgb"), "image", "colour", id="a misspelt field"),
    ],
)
def test_a_part_that_makes_no_sense_is_refused_with_the_field_and_what_is_expected(
    seeing: Path, spoil: Spoil, field: str, message: str
) -> None:
    with pytest.raises(PackError) as caught:
        load_pack(spoilt(seeing, spoil))
    assert message in str(caught.value)
    assert (caught.value.field or "").startswith(field)


def test_pictures_that_influence_each_other_are_found(folder: Path) -> None:
    [problem] = errors(add_tiny_image(folder, leaky=True))
    assert problem.field == "image.graph"
    assert "logit moves by" in problem.message


@pytest.mark.parametrize(
    ("spoil", "field", "message"),
    [
        (lambda p: p["input"]["tensor"].update(name="images"), "image.input.tensor.name", "no 'images'"),
        (lambda p: p["input"].update(layout="nhwc"), "image.input.tensor", "expected [any, 16, 16, 3]"),
        (lambda p: p["logits"].update(dtype="float16"), "image.logits.dtype", "the graph has float32"),
        (lambda p: p.update(features_size=8), "image.features", "expected [any, 8]"),
    ],
)
def test_inputs_and_outputs_are_compared_with_the_graph(seeing: Path, spoil: Spoil, field: str, message: str) -> None:
    found = {problem.field: problem.message for problem in errors(spoilt(seeing, spoil))}
    assert message in found[field]


def test_a_graph_with_too_few_heads_is_found(seeing: Path) -> None:
    write_image_graph(seeing / "image.onnx", heads=1)
    write_manifest(seeing, {**tiny_manifest(seeing), "image": tiny_image_part(seeing)})
    [problem] = errors(seeing)
    assert (problem.field, problem.message) == (
        "image.logits",
        "the graph has shape [any, 1]; expected [any, 2]",
    )


def test_an_image_graph_that_is_none_is_found(seeing: Path) -> None:
    (seeing / "image.onnx").write_bytes(b"not a graph")
    write_manifest(seeing, {**tiny_manifest(seeing), "image": tiny_image_part(seeing)})
    [problem] = errors(seeing)
    assert problem.file == str(seeing / "image.onnx")
    assert "cannot be loaded" in problem.message


def test_an_ocr_graph_that_does_not_load_is_found(folder: Path) -> None:
    def graph_of(name: str, content: bytes) -> dict[str, Any]:
        (folder / f"{name}.onnx").write_bytes(content)
        (folder / f"{name}.yml").write_bytes((EMBEDDED / "ocr" / name / "inference.yml").read_bytes())
        return {"graph": described(folder / f"{name}.onnx"), "config": described(folder / f"{name}.yml")}

    sound = (EMBEDDED / "ocr/detection/inference.onnx").read_bytes()
    ocr = {
        "detection": graph_of("detection", sound),
        "recognition": graph_of("recognition", b"not a graph"),
        "reads": ["Latn"],
        "origin": {"name": "none", "licence": "CC0-1.0"},
    }
    write_manifest(folder, {**tiny_manifest(folder), "ocr": ocr})
    [problem] = errors(folder)
    assert "recognition.onnx" in problem.message
    assert "cannot be loaded" in problem.message
