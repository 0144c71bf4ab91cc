"""A small fusion learns what words and picture say only together, and its graph says the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec.structs import replace

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from models_export.fusion.export import MAX_MOVE, OPSET, ParityError, check_parity, export  # noqa: E402
from models_export.fusion.losses import Balance, contrastive_loss, hidden_modalities, judged_loss  # noqa: E402
from models_export.fusion.network import FusionNetwork  # noqa: E402
from models_export.fusion.recipe import RecipeError, Shape, Stage, read_recipe  # noqa: E402
from models_export.fusion.train import Trainer, hard_negatives, load_run, logits_of, train  # noqa: E402
from tests.fusion.tiny_memes import SIZES, tiny_features, tiny_recipe  # noqa: E402

if TYPE_CHECKING:
    from models_export.fusion.network import Ensemble

SHORT = Stage(name="A", epochs=2, learning_rate=1e-2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ensemble]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("fusion") / "run"
    return folder, train(tiny_recipe(), tiny_features(), folder)


def curves(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "curves.jsonl").read_text(encoding="utf-8").splitlines()]


def right(ensemble: Ensemble, *hidden: str) -> float:
    """The share of dev rows that it gets right."""
    rows = tiny_features()
    dev = rows.without(*hidden).rows(~rows.train)
    return float(((logits_of(ensemble, dev) > 0) == (dev.truth == 1)).mean())


def test_losses_fall_and_the_gates_open(run: tuple[Path, Ensemble]) -> None:
    first, *_, last = curves(run[0])
    assert last["loss"] < first["loss"]
    assert last["hate"] < 0.6 * first["hate"]
    assert last["contrastive"] < first["contrastive"]
    assert max(map(abs, last["gates"])) > 0.01


def test_what_only_words_and_picture_together_say_is_learnt(run: tuple[Path, Ensemble]) -> None:
    assert right(run[1]) > 0.95
    assert right(run[1], "image") < 0.75
    assert right(run[1], "ocr") < 0.75


def test_an_untrained_fusion_does_not_see_the_picture() -> None:
    network = FusionNetwork(tiny_recipe().shape, SIZES, 1).eval()
    tokens = {name: torch.randn(4, 1, size) for name, size in SIZES.items()}
    other = {**tokens, "image": torch.randn(4, 1, SIZES["image"])}
    assert torch.equal(network(tokens, torch.ones(4, 2))[0], network(other, torch.ones(4, 2))[0])


def test_a_stream_of_weight_0_is_not_seen_and_a_weaker_one_less(run: tuple[Path, Ensemble]) -> None:
    rows = tiny_features(8)
    moved: list[float] = []
    for weight in (0.0, 0.1, 1.0):
        weights = {**rows.weights, "image": np.full(8, weight, np.float32)}
        shown, turned = (
            dataclasses.replace(rows, weights=weights, tokens={**rows.tokens, "image": sign * rows.tokens["image"]})
            for sign in (np.float32(1), np.float32(-1))
        )
        moved.append(float(np.abs(logits_of(run[1], shown) - logits_of(run[1], turned)).mean()))
    assert moved[0] == pytest.approx(0.0, abs=1e-5)
    assert moved[1] < moved[2]


def test_the_same_seed_gives_the_same_fusion_and_another_another() -> None:
    rows = tiny_features(64)
    first, again = (logits_of(train(tiny_recipe(SHORT), rows), rows) for _ in range(2))
    other = logits_of(train(replace(tiny_recipe(SHORT), seed=9), rows), rows)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_a_run_stores_its_configuration_and_the_hash_of_its_data(run: tuple[Path, Ensemble]) -> None:
    rows = tiny_features()
    stored = json.loads((run[0] / "configuration.json").read_text(encoding="utf-8"))
    assert stored["features"] == rows.hash
    assert stored["sizes"] == SIZES
    recipe, heads, ensemble = load_run(run[0])
    assert (recipe, heads) == (tiny_recipe(), rows.heads)
    np.testing.assert_array_equal(logits_of(ensemble, rows), logits_of(run[1], rows))


def test_the_graph_says_what_the_network_says_whatever_is_missing(run: tuple[Path, Ensemble], tmp_path: Path) -> None:
    import onnx

    graph = tmp_path / "fusion.onnx"
    export(run[1], SIZES, graph)
    assert [one.version for one in onnx.load(str(graph)).opset_import if one.domain == ""] == [OPSET]
    rows = tiny_features(16)
    for shown in (rows, rows.without("image"), rows.without("ocr"), rows.without("ocr", "image")):
        assert check_parity(run[1], shown, graph) <= MAX_MOVE
    other = train(tiny_recipe(SHORT), rows)
    with pytest.raises(ParityError, match="expected at most"):
        check_parity(other, rows, graph)


def test_experts_are_frozen_in_stage_a_and_trained_in_stage_b() -> None:
    rows = tiny_features(64)
    before: dict[str, Any] = {}
    for stages, moves in (
        ((SHORT,), False),
        ((SHORT, Stage(name="B", epochs=1, learning_rate=1e-3, experts_rate=1e-2)), True),
    ):
        torch.manual_seed(5)
        expert = torch.nn.Linear(SIZES["image"], 4)
        before = {name: value.clone() for name, value in expert.state_dict().items()}
        list(Trainer(tiny_recipe(*stages), rows, 3, torch.nn.ModuleDict({"image": expert})).run())
        assert any(not torch.equal(before[name], value) for name, value in expert.state_dict().items()) is moves


def test_stage_b_needs_experts_and_streams_need_features() -> None:
    rows = tiny_features(16)
    with pytest.raises(RecipeError, match="features that were pooled before have none"):
        Trainer(tiny_recipe(Stage(name="B", epochs=1, learning_rate=1e-3, experts_rate=1e-3)), rows, 3)
    with pytest.raises(RecipeError, match="no features of frame"):
        Trainer(replace(tiny_recipe(), shape=replace(tiny_recipe().shape, media=("frame",))), rows, 3)


def test_the_full_fusion_reads_several_tokens_a_stream_with_padding() -> None:
    shape = Shape(
        words=("text",),
        media=("image", "frame", "audio"),
        width=16,
        attention_heads=4,
        latents=64,
        resampler_layers=2,
        layers=3,
        dropout=0.0,
    )
    sizes = {"text": 12, "image": 10, "frame": 10, "audio": 6}
    network = FusionNetwork(shape, sizes, 3).eval()
    for layer in network.layers:
        torch.nn.init.constant_(layer.gate, 1.0)
    tokens = {
        name: torch.randn(2, count, sizes[name])
        for name, count in {"text": 7, "image": 9, "frame": 20, "audio": 5}.items()
    }
    weights = torch.tensor([[1.0, 1.0, 0.0, 0.5], [1.0, 1.0, 1.0, 0.0]])
    masks = {"image": torch.arange(9).expand(2, 9) < 4}
    logits, words, media = network(tokens, weights, masks)
    assert logits.shape == (2, 3)
    assert torch.allclose(words.norm(dim=-1), torch.ones(2), atol=1e-5)
    assert torch.allclose(media.norm(dim=-1), torch.ones(2), atol=1e-5)
    padded = {**tokens, "image": tokens["image"] * masks["image"][..., None]}
    assert torch.allclose(network(padded, weights, masks)[0], logits, atol=1e-5)
    assert not torch.allclose(network(padded, weights)[0], logits, atol=1e-5)


def test_a_tiny_version_of_the_full_recipe_trains_on_rows_that_lack_most_streams() -> None:
    full = read_recipe(Path(__file__).parents[2] / "models_export" / "fusion" / "recipes" / "full.yaml")
    small = replace(full.shape, width=16, attention_heads=4, latents=8, layers=2)
    recipe = replace(full, shape=small, batch=16, stages=(replace(full.stages[0], epochs=3, learning_rate=5e-3),))
    rows = tiny_features(64)
    tokens = {
        "text": rows.tokens["ocr"],
        "image": rows.tokens["image"],
        "frame": rows.tokens["image"],
        "audio": rows.tokens["ocr"],
    }
    weights = {
        "text": rows.weights["ocr"],
        "image": rows.weights["image"],
        "frame": np.zeros(64, np.float32),
        "audio": np.zeros(64, np.float32),
    }
    lines = list(Trainer(recipe, dataclasses.replace(rows, tokens=tokens, weights=weights), 1).run())
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert np.isfinite(lines[-1]["loss"])


def test_mod_drop_hides_a_quarter_and_never_all() -> None:
    weights = torch.ones(4000, 3)
    shown = hidden_modalities(weights, 0.25, torch.Generator().manual_seed(1))
    assert float((shown == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert bool((shown > 0).any(1).all())
    alone = torch.tensor([[1.0, 0.0, 0.0]]).repeat(100, 1)
    assert torch.equal(hidden_modalities(alone, 0.9, torch.Generator().manual_seed(1)), alone)


def test_a_head_that_nobody_judged_costs_nothing() -> None:
    wanted = torch.tensor([[1.0, torch.nan], [0.0, torch.nan]])
    losses = judged_loss(torch.tensor([[0.0, 9.0], [0.0, -9.0]]), wanted)
    assert losses.tolist() == pytest.approx([np.log(2), 0.0])


def test_what_belongs_together_has_the_least_contrastive_loss_and_hard_negatives_add_to_it() -> None:
    views = torch.nn.functional.normalize(torch.randn(6, 8, generator=torch.Generator().manual_seed(2)), dim=-1)
    together = contrastive_loss(views, views, 0.1)
    assert together < contrastive_loss(views.roll(1, 0), views, 0.1)
    assert contrastive_loss(views, views, 0.1, views[:, None]) > together + 0.2
    assert float(contrastive_loss(views[:1], views[:1], 0.1)) == 0.0


def test_a_loss_that_stays_high_is_trusted_less() -> None:
    balance = Balance(2, "uncertainty")
    optimiser = torch.optim.SGD(balance.parameters(), 0.1)
    for _ in range(200):
        optimiser.zero_grad()
        balance(torch.tensor([4.0, 0.1])).backward()
        optimiser.step()
    high, low = balance.log_variance.tolist()
    # The minimum of exp(-s) L + s / 2 is at s = log(2 L).
    assert high == pytest.approx(np.log(8.0), abs=0.05)
    assert low == pytest.approx(np.log(0.2), abs=0.05)
    assert float(Balance(2, "equal")(torch.tensor([4.0, 0.1]))) == pytest.approx(4.1)


def test_hard_negatives_are_the_nearest_words_of_other_groups() -> None:
    rows = tiny_features(20)
    found = hard_negatives(rows, ("ocr",), 3)
    assert found.shape == (20, 3)
    assert all(rows.groups[other] != rows.groups[at] for at, others in enumerate(found) for other in others)
    words = rows.tokens["ocr"][:, 0]
    alike = [float(words[0] @ words[other] / np.linalg.norm(words[other])) for other in found[0]]
    assert alike == sorted(alike, reverse=True)


def test_a_row_is_no_hard_negative_of_itself() -> None:
    rows = tiny_features(4)  # two groups of two
    found = hard_negatives(rows, ("ocr",), 2)
    assert all(rows.groups[other] != rows.groups[at] for at, others in enumerate(found) for other in others)
    with pytest.raises(RecipeError, match=r"losses\.hard_negatives: 3; expected no more than each row has"):
        hard_negatives(rows, ("ocr",), 3)


def test_features_without_rows_to_train_on_are_refused() -> None:
    rows = tiny_features(16)
    with pytest.raises(RecipeError, match="no rows of train"):
        train(tiny_recipe(SHORT), dataclasses.replace(rows, train=np.zeros(16, bool)))


def test_weights_of_another_recipe_or_kind_are_refused(run: tuple[Path, Ensemble], tmp_path: Path) -> None:
    configuration = (run[0] / "configuration.json").read_text(encoding="utf-8")
    (tmp_path / "configuration.json").write_text(configuration, encoding="utf-8")
    for content in (b"", b"hello", (run[0] / "weights.pt").read_bytes()[:2_000]):
        (tmp_path / "weights.pt").write_bytes(content)
        with pytest.raises(RecipeError, match=r"weights\.pt: .*expected the networks of configuration\.json"):
            load_run(tmp_path)
    narrow = configuration.replace('"width": 16', '"width": 8')
    assert narrow != configuration
    (tmp_path / "configuration.json").write_text(narrow, encoding="utf-8")
    (tmp_path / "weights.pt").write_bytes((run[0] / "weights.pt").read_bytes())
    with pytest.raises(RecipeError, match=r"weights\.pt: .*expected the networks of"):
        load_run(tmp_path)


def test_a_fusion_is_not_measured_on_one_class_or_streams_that_are_not_there() -> None:
    from models_export.fusion.measure import measure

    rows = tiny_features(32)
    harmless = dataclasses.replace(rows, truth=np.where(rows.train[:, None], rows.truth, 0).astype(np.float32))
    with pytest.raises(ValueError, match="0 of 8 usable rows of dev are hate; expected some that are"):
        measure(tiny_recipe(SHORT), harmless)
    with pytest.raises(RecipeError, match="no features of frame"):
        measure(replace(tiny_recipe(), shape=replace(tiny_recipe().shape, media=("frame",))), rows)
