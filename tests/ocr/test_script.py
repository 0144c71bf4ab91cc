"""The script expert of the embedded pack, on lines drawn in eight scripts and on what is no writing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from processors.ocr.script import COMMON, MAX_WIDTH, MAX_WINDOWS, NO_WRITING, ScriptIdentifier, line_windows
from processors.packs import Pack, load_pack
from tests.tiny_pack import write_tiny_pack

EMBEDDED = Path(__file__).resolve().parents[2] / "models" / "embedded"
LINES = Path(__file__).resolve().parents[1] / "fixtures" / "scripts"
STRANGE = ("Arab", "Cyrl", "Deva", "Grek", "Hang", "Hebr", "Thai")

Crop = NDArray[np.uint8]


TWINS = {"Thai": ("Laoo",)}
"""Scripts that look so much alike that it does not matter which is said: the recogniser reads neither."""


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(EMBEDDED)


@pytest.fixture(scope="module")
def identifier(pack: Pack) -> ScriptIdentifier:
    found = ScriptIdentifier.of(pack, threads=1)
    assert found is not None
    return found


def fixture(name: str) -> Crop:
    with Image.open(LINES / f"{name}.png") as picture:
        return np.asarray(picture.convert("RGB"))


def latin(text: str, size: int = 28) -> Crop:
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("RGB", (int(right - left) + 12, int(bottom - top) + 10), (250, 246, 230))
    ImageDraw.Draw(picture).text((6 - left, 5 - top), text, font=font, fill=(40, 20, 90))
    return np.asarray(picture)


@pytest.mark.parametrize("style", ["plain", "meme"])
@pytest.mark.parametrize("script", STRANGE)
def test_a_line_in_a_script_that_the_recogniser_lacks_is_told_apart(
    identifier: ScriptIdentifier, script: str, style: str
) -> None:
    assert identifier.identify([fixture(f"{script}-{style}")])[0][0] in (script, *TWINS.get(script, ()))


@pytest.mark.parametrize(
    "text", ["Nobody told the cat", "WHEN IT IS FRIDAY", "ok", "Größe über alles", "I can't even...", "see page 12"]
)
def test_latin_lines_are_readable(identifier: ScriptIdentifier, text: str) -> None:
    assert identifier.identify([latin(text)])[0][0] == "Latn"


@pytest.mark.parametrize("style", ["plain", "meme"])
def test_latin_lines_of_memes_are_readable(identifier: ScriptIdentifier, style: str) -> None:
    assert identifier.identify([fixture(f"Latn-{style}")])[0][0] == "Latn"


@pytest.mark.parametrize("text", ["2024", "12:30", "$4,500", "100%"])
def test_digits_are_of_no_script_that_is_refused(identifier: ScriptIdentifier, text: str) -> None:
    assert identifier.identify([latin(text)])[0][0] in (COMMON, "Latn")


@pytest.mark.parametrize("light", [0, 128, 255])
def test_a_blank_area_is_no_writing(identifier: ScriptIdentifier, light: int) -> None:
    assert identifier.identify([np.full((40, 300, 3), light, np.uint8)])[0][0] == NO_WRITING


def test_noise_is_no_writing(identifier: ScriptIdentifier) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (40, 260, 3), np.uint8)
    assert identifier.identify([noise])[0][0] == NO_WRITING


def test_a_line_gets_the_same_answer_alone_and_in_any_batch(identifier: ScriptIdentifier) -> None:
    names = sorted(path.stem for path in LINES.glob("*.png"))
    crops = [fixture(name) for name in names] * 5 + [latin("a much longer line of plain letters " * 3)]
    alone = [identifier.identify([crop])[0] for crop in crops]
    for together in (identifier.identify(crops), identifier.identify(crops[::-1])[::-1]):
        assert [script for script, _ in together] == [script for script, _ in alone]
        assert np.allclose([p for _, p in together], [p for _, p in alone], atol=1e-5)


def test_a_few_words_in_another_script_do_not_hide_in_a_long_line(identifier: ScriptIdentifier) -> None:
    strange = fixture("Cyrl-plain")
    plain = np.asarray(Image.fromarray(latin("nothing to see here, just words and words ")).convert("RGB"))
    height = strange.shape[0]
    scaled = Image.fromarray(plain).resize((plain.shape[1] * height // plain.shape[0], height))
    line = np.concatenate([np.asarray(scaled)] * 4 + [strange], axis=1)
    assert identifier.identify([np.ascontiguousarray(line)])[0][0] == "Cyrl"


def test_what_the_recogniser_reads_is_never_refused(pack: Pack) -> None:
    reader = ScriptIdentifier.of(pack, reads=("Latn", "Cyrl"), threads=1)
    assert reader is not None
    script, probability = reader.identify([fixture("Cyrl-plain")])[0]
    assert script == "Cyrl"
    assert 0.5 < probability <= 1


def test_no_crops_are_no_answers(identifier: ScriptIdentifier) -> None:
    assert identifier.identify([]) == []


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (300, 2), (1, 5000), (48, 12_288)])
def test_crops_of_any_shape_have_an_answer(identifier: ScriptIdentifier, rows: int, columns: int) -> None:
    ((_, probability),) = identifier.identify([np.zeros((rows, columns, 3), np.uint8)])
    assert 0 <= probability <= 1


def test_windows_keep_a_lines_aspect_and_never_cost_without_bound() -> None:
    assert [window.shape for window in line_windows(np.zeros((64, 200, 3), np.uint8), 32)] == [(32, 128)]
    assert [window.shape[1] for window in line_windows(np.zeros((32, 1100, 3), np.uint8), 32)] == [384, 384, 384]
    endless = line_windows(np.zeros((2, 9000, 3), np.uint8), 32)
    assert [window.shape[1] for window in endless] == [MAX_WIDTH] * MAX_WINDOWS


def test_a_pack_without_the_expert_has_no_identifier(tmp_path: Path) -> None:
    assert ScriptIdentifier.of(load_pack(write_tiny_pack(tmp_path / "tiny"))) is None


def test_the_expert_is_small_and_its_threshold_is_a_real_one(pack: Pack) -> None:
    assert pack.manifest.ocr is not None
    assert pack.manifest.ocr.script is not None
    assert pack.manifest.ocr.script.graph.bytes < 1_000_000
    assert 0.5 <= pack.manifest.ocr.script.threshold < 1
