"""Every backbone trains fully and by low-rank updates, with and without language adapters, and is traced as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import numpy as np  # noqa: E402
import onnx  # noqa: E402

from models_export.text_expert.backbone import find_backbone, in_order  # noqa: E402
from models_export.text_expert.network import TextExpert, from_backbone  # noqa: E402
from models_export.text_expert.recipe import RECIPES, Lora, Recipe, read_recipe  # noqa: E402

PIECES, OLD, LONGEST = 60, 52, 24
TAGS = {"und": 53, "de": 54, "en": 55}
SIZES = {
    "vocab_size": OLD,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}
CONFIGS: dict[str, Any] = {
    "bert": lambda: transformers.BertConfig(**SIZES),
    "xlm-roberta": lambda: transformers.XLMRobertaConfig(**SIZES, type_vocab_size=1),
    # As mDeBERTa-v3 is set up.
    "deberta-v2": lambda: transformers.DebertaV2Config(
        **SIZES,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        position_buckets=8,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        position_biased_input=False,
        type_vocab_size=0,
        pooler_hidden_size=32,
    ),
}
KINDS = tuple(CONFIGS)
LORA = Lora(rank=2, alpha=4.0)


def recipe(kind: Any, **changes: Any) -> Recipe:
    return replace(read_recipe(), backbone=kind, frozen_layers=1, **changes)


def write_backbone(folder: Path, kind: str) -> Path:
    torch.manual_seed(0)
    transformers.AutoModel.from_config(CONFIGS[kind]()).save_pretrained(folder)
    return folder


def network(folder: Path, chosen: Recipe) -> TextExpert:
    write_backbone(folder, chosen.backbone)
    origin = [*in_order(range(OLD), chosen.backbone), *[-1] * (PIECES - OLD)]
    table = np.random.default_rng(0).integers(0, 99, (PIECES, 8)).astype(np.uint8)
    torch.manual_seed(1)
    return from_backbone(folder, origin, 3, table, chosen, TAGS)


def train(model: TextExpert, steps: int = 3) -> list[float]:
    """Losses, on rows in several languages."""
    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2)
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(4, OLD, (6, 9), generator=generator)
    ids[:, 1] = torch.tensor([53, 54, 55] * 2)
    wanted = torch.randint(0, 2, (6, 3), generator=generator).float()
    losses: list[float] = []
    for _ in range(steps):
        logits, _ = model(ids, torch.ones_like(ids))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize(
    ("kind", "tuning", "adapters"), [("bert", "lora", 0), ("xlm-roberta", "full", 4), ("deberta-v2", "lora", 4)]
)
def test_three_steps_are_trained_and_the_traced_graph_computes_the_network(
    tmp_path: Path, kind: str, tuning: Any, adapters: int
) -> None:
    pytest.importorskip("onnxscript")
    if tuning == "lora":
        pytest.importorskip("peft")
    from models_export.text_expert.traced import export_traced

    model = network(tmp_path / "backbone", recipe(kind, tuning=tuning, lora=LORA, language_adapters=adapters))
    losses = train(model)
    assert losses[-1] < losses[0]
    moved = export_traced(model, tmp_path / "text.onnx", LONGEST)
    assert moved < 1e-4
    graph = onnx.load(tmp_path / "text.onnx")
    assert [value.name for value in graph.graph.input] == ["ids", "mask"]
    assert {node.domain for node in graph.graph.node} == {""}
    assert not any("lora" in value.name for value in graph.graph.initializer)


@pytest.mark.parametrize("kind", KINDS)
def test_low_rank_updates_train_little_and_leave_the_encoder_frozen(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("peft")
    model = network(tmp_path, recipe(kind, tuning="lora", lora=LORA))
    trained = {name for name, value in model.encoder.named_parameters() if value.requires_grad}
    assert trained
    assert {name for name in trained if "lora_" not in name} == {"embeddings.word_embeddings.fresh"}
    assert {name.rpartition(".")[0].rpartition(".")[0] for name, _ in model.named_parameters()} >= {"characters"}


@pytest.mark.parametrize("kind", KINDS)
def test_full_tuning_freezes_the_lowest_layers_and_known_pieces(tmp_path: Path, kind: str) -> None:
    model = network(tmp_path, recipe(kind))
    frozen = {name for name, value in model.encoder.named_parameters() if not value.requires_grad}
    assert "embeddings.word_embeddings.known" in frozen
    assert {name for name in frozen if name.startswith("encoder.layer")} == {
        name for name, _ in model.encoder.named_parameters() if name.startswith("encoder.layer.0.")
    }


def test_what_low_rank_updates_learnt_stays_when_they_are_merged(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from models_export.text_expert.adapters import merge_lora

    model = network(tmp_path, recipe("bert", tuning="lora", lora=LORA))
    plain = {name for name, _ in network(tmp_path, recipe("bert")).named_parameters()}
    train(model)
    ids = torch.arange(4, 20)[None]
    before, _ = model.eval()(ids, torch.ones_like(ids))
    merge_lora(model.encoder)
    after, _ = model(ids, torch.ones_like(ids))
    torch.testing.assert_close(after, before, atol=1e-5, rtol=0)
    assert {name for name, _ in model.named_parameters()} == plain


def test_weights_of_a_training_folder_are_merged_as_the_network_is(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from models_export.text_expert.adapters import merge_lora, merged_weights

    model = network(tmp_path, recipe("bert", tuning="lora", lora=LORA))
    train(model)
    merged = merged_weights({name: value.detach().numpy() for name, value in model.state_dict().items()}, LORA)
    merge_lora(model.encoder)
    assert merged.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        np.testing.assert_allclose(merged[name], value.numpy(), atol=1e-6, err_msg=name)


def test_the_research_recipe_is_the_shipped_one_with_all_rows() -> None:
    assert read_recipe(RECIPES / "research.yaml") == replace(read_recipe(), permissive_only=False)


def test_targets_that_a_backbone_lacks_are_named(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    with pytest.raises(ValueError, match="the backbone has no wq; expected some of dense, key, query, value"):
        network(tmp_path, recipe("bert", tuning="lora", lora=Lora(targets=("wq",))))


def test_a_language_goes_through_its_own_adapters_and_an_unknown_one_through_none(tmp_path: Path) -> None:
    model = network(tmp_path, recipe("bert", language_adapters=4)).eval()
    ids = torch.arange(4, 14).repeat(3, 1)
    ids[:, 1] = torch.tensor([TAGS["und"], TAGS["de"], TAGS["en"]])
    mask = torch.ones_like(ids)
    before, _ = model(ids, mask)
    for layer in model.encoder.encoder.layer:
        with torch.no_grad():
            layer.output.up[0] += 1.0  # of the unknown language, which must have none
            layer.output.up[1] += 1.0  # German
    after, _ = model(ids, mask)
    moved = (after - before).abs().amax(1)
    assert moved[0] == 0
    assert moved[1] > 0.01
    assert moved[2] == 0


def test_special_pieces_come_from_where_the_backbone_has_them() -> None:
    assert in_order([0, 1, 2, 3, 17, -1], "deberta-v2") == [1, 0, 2, 3, 17, -1]
    assert in_order([0, 1, 2, 3, 17, -1], "xlm-roberta") == [0, 1, 2, 3, 17, -1]


def test_a_backbone_of_another_kind_than_the_recipe_says_is_refused(tmp_path: Path) -> None:
    write_backbone(tmp_path, "xlm-roberta")
    (tmp_path / "tokenizer.json").write_text(json.dumps({}))
    assert find_backbone(str(tmp_path), "xlm-roberta") == tmp_path
    with pytest.raises(ValueError, match=r"model_type is 'xlm-roberta'; the recipe's backbone is 'deberta-v2' \(micro"):
        find_backbone(str(tmp_path), "deberta-v2")
