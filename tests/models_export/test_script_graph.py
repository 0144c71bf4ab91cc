"""The script network's graph, written from weights as training leaves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from models_export.script.graph import INPUT, OUTPUT, write_graph
from models_export.script.layers import LAYERS
from models_export.script.letters import LOOKALIKES, SCRIPTS, script_of, written_in
from processors.engines import OnnxEngine

HEIGHT = 32


def weights(seed: int = 3) -> dict[str, NDArray[np.float32]]:
    draw = np.random.default_rng(seed)
    found: dict[str, NDArray[np.float32]] = {}
    before = 1
    for at, (channels, kernel, _) in enumerate(LAYERS):
        found[f"layers.{3 * at}.weight"] = draw.normal(0, 0.3, (channels, before, *kernel)).astype(np.float32)
        for name, low, high in (
            ("weight", 0.5, 1.5),
            ("bias", -0.1, 0.1),
            ("running_mean", -1, 1),
            ("running_var", 0.5, 2),
        ):
            found[f"layers.{3 * at + 1}.{name}"] = draw.uniform(low, high, channels).astype(np.float32)
        before = channels
    found["weight.weight"] = draw.normal(0, 0.3, (1, before, 1, 1)).astype(np.float32)
    found["weight.bias"] = np.zeros(1, np.float32)
    found["head.weight"] = draw.normal(0, 0.3, (len(SCRIPTS), before)).astype(np.float32)
    found["head.bias"] = draw.normal(0, 0.3, len(SCRIPTS)).astype(np.float32)
    return found


def logits(folder: Path, temperature: float, lines: NDArray[np.float32]) -> NDArray[np.float32]:
    path = folder / "script.onnx"
    onnx.save(write_graph(weights(), HEIGHT, temperature), path)
    return OnnxEngine(path).run({INPUT: lines})[OUTPUT]


@pytest.mark.parametrize("width", [32, 96, 512])
def test_lines_of_any_width_have_a_logit_of_each_script(tmp_path: Path, width: int) -> None:
    lines = np.random.default_rng(1).random((3, 1, HEIGHT, width), np.float32)
    assert logits(tmp_path, 1.0, lines).shape == (3, len(SCRIPTS))


def test_a_line_scores_the_same_whatever_its_neighbours_are(tmp_path: Path) -> None:
    lines = np.random.default_rng(2).random((4, 1, HEIGHT, 64), np.float32)
    together = logits(tmp_path, 1.0, lines)
    alone = np.concatenate([logits(tmp_path, 1.0, lines[at : at + 1]) for at in range(4)])
    assert np.allclose(together, alone, atol=1e-4)


def test_the_temperature_divides_the_logits(tmp_path: Path) -> None:
    lines = np.random.default_rng(3).random((2, 1, HEIGHT, 64), np.float32)
    assert np.allclose(logits(tmp_path, 2.0, lines) * 2, logits(tmp_path, 1.0, lines), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("letter", "script"),
    [("a", "Latn"), ("ß", "Latn"), ("ж", "Cyrl"), ("ω", "Grek"), ("ج", "Arab"), ("क", "Deva"), ("한", "Hang"),
     ("漢", "Hani"), ("の", "Jpan"), ("7", None), ("!", None), ("😀", None)],
)  # fmt: skip
def test_every_letter_is_of_one_script_and_digits_of_none(letter: str, script: str | None) -> None:
    assert script_of(letter) == script


def test_japanese_is_written_with_han_letters_and_kana() -> None:
    assert written_in("日本の", "Jpan")
    assert not written_in("日本", "Jpan")
    assert not written_in("日本の", "Hani")


def test_letters_that_look_latin_are_of_other_scripts() -> None:
    assert {script_of(letter) for letter in LOOKALIKES} == {"Cyrl", "Grek"}
