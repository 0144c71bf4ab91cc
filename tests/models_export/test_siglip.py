"""SigLIP-2 exported from torch gives, through the engine that workers use, what torch gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from models_export.image_expert.siglip import (  # noqa: E402
    Heads,
    ImageTower,
    Precision,
    export,
    image_input,
    image_part,
    load_both,
    load_vision,
    zero_shot,
)
from processors.encode import ImageExpertModel, ImageRunner, check_image_signature, cut_out  # noqa: E402
from processors.encode.picture import Pixels, as_input  # noqa: E402
from processors.engines import OnnxEngine  # noqa: E402
from processors.packs.image_part import ImageExpert, ImageInput  # noqa: E402

SIDE = 32
WIDTH = 24


def tiny_siglip(folder: Path) -> Path:
    """A random SigLIP of a few weights with a processor's file, as on a hub."""
    vision = {"hidden_size": WIDTH, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.SiglipConfig(
        vision_config={**vision, "image_size": SIDE, "patch_size": 8},
        text_config={**vision, "vocab_size": 50, "max_position_embeddings": 8, "projection_size": WIDTH},
    )
    torch.manual_seed(3)
    transformers.SiglipModel(config).save_pretrained(folder)
    processor = {
        "do_resize": True,
        "size": {"height": SIDE, "width": SIDE},
        "resample": 2,
        "rescale_factor": 1 / 255,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_siglip(tmp_path_factory.mktemp("siglip"))


def pictures() -> list[Pixels]:
    random = np.random.default_rng(1)
    sizes = ((40, 64), (200, 30), (32, 32), (7, 9))
    return [random.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]


def opened(folder: Path, source: Path, heads: Heads, precision: Precision = "fp32") -> tuple[ImageExpert, OnnxEngine]:
    """The exported graph behind a worker's own manifest and engine."""
    vision = load_vision(source)
    graph = folder / "image.onnx"
    export(vision, heads, graph, precision)
    part = image_part(graph, vision, heads.labels, image_input(source, precision), precision=precision)
    expert = msgspec.convert(part, ImageExpert)
    assert list(expert.problems()) == []
    engine = OnnxEngine(graph)
    assert list(check_image_signature(engine, expert)) == []
    return expert, engine


def random_heads() -> Heads:
    torch.manual_seed(4)
    return Heads(("sexual", "violence"), torch.randn(2, WIDTH), torch.randn(2))


def by_torch(source: Path, heads: Heads, shown: list[Pixels], expert: ImageExpert) -> tuple[Any, Any]:
    with torch.no_grad():
        logits, features = ImageTower(load_vision(source), heads)(
            torch.from_numpy(as_input(shown, expert.input)).float()
        )
    return logits.numpy(), features.numpy()


def test_the_graph_gives_what_torch_gives(source: Path, tmp_path: Path) -> None:
    heads = random_heads()
    expert, engine = opened(tmp_path, source, heads)
    shown = [cut_out(picture, expert.input) for picture in pictures()]
    scores, _ = ImageRunner(ImageExpertModel(engine, expert), pictures=3, threads=2).run(shown)
    logits, features = by_torch(source, heads, shown, expert)
    np.testing.assert_allclose(np.stack([one.logits for one in scores]), logits, atol=1e-5)
    np.testing.assert_allclose(np.stack([one.features for one in scores]), features, atol=1e-5)


def test_half_precision_stays_near(source: Path, tmp_path: Path) -> None:
    heads = random_heads()
    expert, engine = opened(tmp_path, source, heads, "fp16")
    shown = [cut_out(picture, expert.input) for picture in pictures()]
    logits, features = ImageExpertModel(engine, expert)(shown)
    assert logits.dtype == features.dtype == np.float32
    np.testing.assert_allclose(logits, by_torch(source, heads, shown, expert)[0], atol=0.05)


def test_zero_shot_heads_are_the_models_own_match_of_picture_and_prompt(source: Path, tmp_path: Path) -> None:
    model = load_both(source)
    prompts = {"sexual": torch.tensor([[5, 6, 7, 1, 1, 1, 1, 1]]), "violence": torch.tensor([[9, 8, 2, 1, 1, 1, 1, 1]])}
    expert, engine = opened(tmp_path, source, zero_shot(model, prompts))
    shown = [cut_out(picture, expert.input) for picture in pictures()]
    logits, _ = ImageExpertModel(engine, expert)(shown)
    with torch.no_grad():
        own = model(
            input_ids=torch.cat(list(prompts.values())),
            pixel_values=torch.from_numpy(as_input(shown, expert.input)),
        ).logits_per_image
    np.testing.assert_allclose(logits, own.numpy(), atol=1e-4)


def test_pictures_are_prepared_as_the_models_processor_does(source: Path) -> None:
    processor = transformers.AutoImageProcessor.from_pretrained(source, backend="pil")
    expected = msgspec.convert(image_input(source), ImageInput)
    for picture in pictures():
        own = np.asarray(processor(images=picture, return_tensors="np")["pixel_values"])
        np.testing.assert_allclose(as_input([cut_out(picture, expected)], expected), own, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": {"shortest_edge": 224}}, "expected a square"),
        ({"do_center_crop": True}, "and no crop"),
        ({"resample": 0}, r"expected 2 \(bilinear\) or 3 \(bicubic\)"),
    ],
)
def test_a_processor_that_the_manifest_cannot_describe_is_refused(
    source: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    config = json.loads((source / "preprocessor_config.json").read_text())
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(ValueError, match=message):
        image_input(tmp_path)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    transformers.BertConfig(hidden_size=8, num_attention_heads=1).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="a bert model; expected a SigLIP"):
        load_vision(tmp_path)
