"""SigLIP learns from a manifest's pictures by low-rank updates, and what is exported is what was trained."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("peft")
pytest.importorskip("pandas")

import onnxruntime  # noqa: E402

from models_export.datasets.manifest import MANIFEST, Labels, MediaFile, Row, write_manifest  # noqa: E402
from models_export.image_expert.recipe import ImageRecipe, read_recipe  # noqa: E402
from models_export.image_expert.train import judged, main, train  # noqa: E402
from models_export.text_expert.recipe import Lora, RecipeError  # noqa: E402

SIDE, WIDTH = 32, 24


def tiny_siglip(folder: Path) -> Path:
    vision = {"hidden_size": WIDTH, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.SiglipVisionConfig(**vision, image_size=SIDE, patch_size=8)
    torch.manual_seed(3)
    transformers.SiglipVisionModel(config).save_pretrained(folder)
    half = [0.5, 0.5, 0.5]
    processor = {"size": {"height": SIDE, "width": SIDE}, "resample": 2, "image_mean": half, "image_std": half}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


def row(number: int, path: str, content: bytes, **fields: Any) -> Row:
    file = MediaFile(path=path, kind="image", sha256=hashlib.sha256(content).hexdigest())
    given: dict[str, Any] = {"id": f"set:{number}", "dataset": "set", "split": "train", "lang": "en", "media": (file,)}
    return Row(**{**given, **fields}, licence="CC0-1.0", source="drawn")


def write_data(folder: Path, count: int = 24) -> Path:
    """Pictures of noise, half of them red, which is what is called violence."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    for number in range(count):
        pixels = rng.integers(0, 120, (40, 50, 3)).astype(np.uint8)
        pixels[..., 0] += 130 if number % 2 else 0
        Image.fromarray(pixels).save(folder / f"{number}.png")
        content = (folder / f"{number}.png").read_bytes()
        rows.append(row(number, f"{number}.png", content, labels=Labels(labels={"violence": bool(number % 2)})))
    write_manifest(folder / MANIFEST, rows)
    return folder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> ImageRecipe:
    folder = tiny_siglip(tmp_path_factory.mktemp("siglip"))
    lora = Lora(rank=4, alpha=8.0, targets=("q_proj", "v_proj", "fc1", "fc2"))
    small: dict[str, Any] = {
        "batch": 8,
        "steps": 30,
        "learning_rate": 2e-2,
        "warmup": 3,
        "labels": ("violence", "hate"),
    }
    return replace(read_recipe(), backbone=str(folder), lora=lora, **small)


@pytest.fixture(scope="module")
def made(recipe: ImageRecipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("run")
    tower = train(write_data(folder / "data"), folder / "out", recipe)
    return folder / "out", tower


def test_the_loss_falls(made: tuple[Path, Any]) -> None:
    losses = [json.loads(line)["loss"] for line in (made[0] / "curves.jsonl").read_text().splitlines()]
    assert len(losses) == 30
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:3])


def test_the_exported_graph_is_what_was_trained_without_any_update_beside_it(made: tuple[Path, Any]) -> None:
    out, tower = made
    pictures = np.random.default_rng(1).normal(size=(3, 3, SIDE, SIDE)).astype(np.float32)
    session: Any = onnxruntime.InferenceSession(str(out / "image.onnx"), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        for found, wanted in zip(
            session.run(None, {"pictures": pictures}), tower(torch.from_numpy(pictures)), strict=True
        ):
            np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)
    assert not [name for name, _ in tower.named_parameters() if "lora" in name]


def test_heads_that_nobody_measured_are_not_assessed(made: tuple[Path, Any]) -> None:
    part = json.loads((made[0] / "image.json").read_text())
    assert part["heads"] == ["violence", "hate"]
    assert {card["status"] for card in part["labels"].values()} == {"not_assessed"}


def test_a_picture_teaches_what_it_was_judged_on_by_itself_and_nothing_in_doubt(recipe: ImageRecipe) -> None:
    yes, no = Labels(labels={"hate": True}), Labels(labels={"hate": False})
    rows = [
        row(1, "a.png", b"a", labels=yes, by_modality={"image": no}),
        row(2, "twice.png", b"b", labels=yes),
        row(3, "twice.png", b"b", labels=no),
        row(4, "dev.png", b"c", labels=yes, split="dev"),
        row(5, "unjudged.png", b"d"),
        row(6, "other.png", b"e", labels=yes, dataset="other"),
    ]
    found = judged(rows, replace(recipe, datasets=("set",)))
    assert [one.path for one in found] == ["a.png"]
    np.testing.assert_array_equal(found[0].targets, np.array([np.nan, 0], np.float32))


def test_a_manifest_without_judged_pictures_is_one_clear_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(tmp_path / MANIFEST, [])
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "no picture of the train split is judged on hate, sexual, violence" in capsys.readouterr().err


def test_a_recipe_with_a_label_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    from models_export.image_expert.recipe import FULL

    path.write_text(FULL.read_text().replace("labels: [hate", "labels: [hats"))
    with pytest.raises(RecipeError, match="labels: hats; expected some of"):
        read_recipe(path)
