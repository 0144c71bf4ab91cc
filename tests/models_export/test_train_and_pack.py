"""The whole way from labelled rows to a pack that workers load, with a model of a few weights."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

pd = pytest.importorskip("pandas")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("pyarrow")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: E402

from models_export.__main__ import main  # noqa: E402
from models_export.packing.build import pack  # noqa: E402
from models_export.text_expert.graph import HEAD_SIZE  # noqa: E402
from models_export.text_expert.losses import masked_loss  # noqa: E402
from models_export.text_expert.recipe import Phase, Recipe, read_recipe  # noqa: E402
from models_export.text_expert.train import train  # noqa: E402
from models_export.text_expert.vocabulary import SPECIALS  # noqa: E402
from processors.packs import load_pack  # noqa: E402
from processors.packs.check import Level, check_pack  # noqa: E402
from tests.models_export.tiny_pictures import (  # noqa: E402
    contents,
    read_manifest,
    write_reading_pack,
)
from tests.tiny_fusion import tiny_fusion_part, write_fusion_graph  # noqa: E402
from tests.tiny_pack import write_manifest  # noqa: E402

NICE = ("lovely", "morning", "thanks", "garden", "music", "friend", "coffee", "sunny")
NASTY = ("grubby", "vermin", "wretch", "scum")
STEPS = 60
PHASES = (
    Phase(name="sets", steps=STEPS // 2, learning_rate=5e-3, warmup=10, cooldown=0.0, functional=0.0),
    Phase(name="functional", steps=STEPS // 2, learning_rate=5e-3, warmup=5, cooldown=0.5, functional=0.1),
)
RECIPE = replace(read_recipe(), phases=PHASES, vocabulary=200, window_tokens=64, ema=0.9)


def write_backbone(folder: Path) -> Path:
    folder.mkdir()
    letters = sorted({letter for word in NICE + NASTY for letter in word} | {"▁"})
    pieces = [(name, 0.0) for name in SPECIALS] + [(letter, -8.0) for letter in letters]
    pieces += [(f"▁{word}", -4.0) for word in NICE + NASTY]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = transformers.BertConfig(
        vocab_size=len(pieces),
        hidden_size=2 * HEAD_SIZE,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    torch.manual_seed(0)
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def write_pool(folder: Path) -> Path:
    """Three sets in two languages, one of them not permissive; every fifth row is dev.

    A nasty word makes a row abuse. What is called profanity is random: nobody can learn it.
    """
    folder.mkdir()
    rng = random.Random(0)
    rows: list[dict[str, Any]] = []
    for lang, name, count in (("en", "open", 700), ("de", "open_too", 700), ("en", "closed", 200)):
        for number in range(count):
            abuse = int(rng.random() < 0.4)
            words: list[str] = rng.choices(NICE, k=5)
            if abuse:
                words[rng.randrange(5)] = rng.choice(NASTY)
            rows.append(
                {
                    "id": f"{name}:{number}",
                    "dataset": name,
                    "lang": lang,
                    "text": " ".join(words),
                    "split": "dev" if number % 5 == 0 else "train",
                    "abuse": abuse,
                    "hate": None,
                    "categories": ["profanity"] if rng.random() < 0.4 else [],
                    "context": None,
                    "targets": [],
                    "attacks": [],
                    "implicit": None,
                    "severity": None,
                }
            )
    frame = pd.DataFrame(rows).astype({"abuse": "Int8", "hate": "Int8", "implicit": "Int8", "severity": "Int8"})
    frame.to_parquet(folder / "text_pool.parquet")
    (folder / "permissive_sets.tsv").write_text("dataset\tlicence as stated\nopen\tMIT\nopen_too\tCC BY 4.0\n")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(data, run): a run stopped after half of its steps and taken up again."""
    folder = tmp_path_factory.mktemp("expert")
    data, backbone, run = write_pool(folder / "data"), write_backbone(folder / "backbone"), folder / "run"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    train(data, backbone, run, replace(RECIPE, phases=PHASES[:1]))
    train(data, backbone, run, RECIPE)
    torch.set_num_threads(threads)
    return data, run


@pytest.fixture(scope="module")
def made(trained: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    data, run = trained
    out = tmp_path_factory.mktemp("packs") / "tiny"
    return out, pack(run, data, out, name="tiny")


def test_the_pack_is_one_that_workers_load_without_a_word(made: tuple[Path, dict[str, Any]]) -> None:
    assert [str(problem) for problem in check_pack(made[0])] == []


def test_the_tiny_expert_has_learnt_its_words(made: tuple[Path, dict[str, Any]]) -> None:
    _, figures = made
    assert figures["abuse_macro_f1"]["english"] > 0.9
    assert figures["abuse_macro_f1"]["other_languages"] > 0.9
    assert figures["calibration_error"]["after"] < 0.1


def test_only_labels_and_languages_with_labelled_rows_are_measured(made: tuple[Path, dict[str, Any]]) -> None:
    loaded = load_pack(made[0])
    assert loaded.manifest.measured == ("abuse",)
    assert "spam" in loaded.not_assessed
    assert [loaded.language_status(lang) for lang in ("en", "de", "sw", "tlh")] == [
        "measured",
        "measured",
        "zero_shot",
        "unsupported",
    ]


def test_a_head_that_has_learnt_nothing_is_not_assessed_and_the_card_says_why(made: tuple[Path, Any]) -> None:
    card = load_pack(made[0]).manifest.labels["profanity"]
    assert card.status == "not_assessed"
    assert card.training_rows is not None
    assert "a positive scores above a negative in only" in str(card.note)
    assert f"- `profanity`: {card.note}" in (made[0] / "MODEL_CARD.md").read_text()


def test_only_permissive_sets_are_trained_on_and_the_others_stand_beside(made: tuple[Path, dict[str, Any]]) -> None:
    folder, figures = made
    assert [origin.name for origin in load_pack(folder).manifest.training.datasets] == ["open", "open_too"]
    assert [found["set"] for found in figures["zero_shot_pairs"]] == ["closed"]


def test_the_same_run_gives_the_same_pack(made: tuple[Path, Any], trained: tuple[Path, Path], tmp_path: Path) -> None:
    data, run = trained
    pack(run, data, tmp_path / "again", name="tiny")
    assert load_pack(tmp_path / "again").hash == load_pack(made[0]).hash


def test_a_pack_that_fails_leaves_the_old_one_in_its_place(
    trained: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, run = trained
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text("old")
    monkeypatch.setattr("models_export.packing.build.MAX_PACK_BYTES", 1_000)
    with pytest.raises(ValueError, match="a pack has at most 1,000"):
        pack(run, data, tmp_path / "out", name="tiny", limit=60)
    assert (tmp_path / "out" / "manifest.json").read_text() == "old"


def test_the_picture_parts_of_another_pack_are_taken_over_to_the_byte(
    made: tuple[Path, Any], trained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = trained
    base, out = write_reading_pack(tmp_path / "base"), tmp_path / "out"
    pack(run, data, out, name="tiny", pictures_from=base)
    assert [problem for problem in check_pack(out) if problem.level is Level.ERROR] == []
    alone, both = contents(made[0]), contents(out)
    taken = {name: content for name, content in both.items() if name not in alone}
    assert {"image.onnx", "NOTICE-image", "ocr/LICENSE", "ocr/script/script.onnx"} < set(taken)
    assert taken.items() <= contents(base).items()
    assert {name for name in alone if both[name] != alone[name]} == {"manifest.json", "MODEL_CARD.md"}
    parts, others = read_manifest(base), read_manifest(made[0])
    assert read_manifest(out) == {**others, "ocr": parts["ocr"], "image": parts["image"]}
    assert "## Pictures" in (out / "MODEL_CARD.md").read_text()
    assert "fusion: left out" in capsys.readouterr().err


def test_a_fusion_stays_with_the_text_expert_that_it_was_trained_on(
    trained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = trained
    out = tmp_path / "out"
    pack(run, data, out, name="tiny", pictures_from=write_reading_pack(tmp_path / "base"))
    width = read_manifest(out)["text"]["embedding_size"]
    write_fusion_graph(out / "fusion.onnx", width=width)
    part = tiny_fusion_part(out)
    tokens = {**part["tokens"], "ocr": {**part["tokens"]["ocr"], "size": width}}
    renamed = {
        "heads": ["abuse"],
        "calibration": {"abuse": {"temperature": 1.0}},
        "labels": {"abuse": {"status": "measured"}},
    }
    write_manifest(out, read_manifest(out) | {"fusion": {**part, **renamed, "tokens": tokens}})
    before = load_pack(out).hash
    capsys.readouterr()
    pack(run, data, out, name="tiny", pictures_from=out)
    assert load_pack(out).hash == before
    assert "left out" not in capsys.readouterr().err


def test_pictures_are_looked_at_before_anything_is_scored(
    trained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = trained
    base = write_reading_pack(tmp_path / "base")
    (base / "image.onnx").unlink()
    common = ["pack", "--run", str(run), "--data", str(data), "--out", str(tmp_path / "out")]
    assert main([*common, "--pictures-from", str(base)]) == 1
    said = capsys.readouterr().err
    assert "image.onnx: no such file" in said
    assert "texts" not in said
    assert main([*common, "--pictures-from", str(run / "pack")]) == 1
    assert "the new pack is put together there" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_pack_without_pictures_can_be_asked_for(trained: tuple[Path, Path], tmp_path: Path) -> None:
    data, run = trained
    out = tmp_path / "out"
    given = ["pack", "--run", str(run), "--data", str(data), "--out", str(out), "--limit", "60", "--no-suites"]
    assert main([*given, "--pictures-from", "none"]) == 0
    assert set(contents(out)) == {"manifest.json", "MODEL_CARD.md", "NOTICE-text", "text.onnx", "tokenizer.json"}


def test_a_run_that_gets_more_phases_writes_them_down(trained: tuple[Path, Path]) -> None:
    _, run = trained
    assert msgspec.convert(json.loads((run / "expert.json").read_text())["recipe"], Recipe) == RECIPE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heads": ["abuse", "hate"]}, r"another list of heads \(abuse, hate\)"),
        ({"data": "0" * 64}, "another set of training rows"),
        ({"recipe": {"permissive_only": False}}, r"another recipe \(permissive_only\)"),
        ({"recipe": {"seed": 99}}, r"another recipe \(seed\)"),
        ({"recipe": {"phases": [msgspec.to_builtins(phase) for phase in PHASES[::-1]]}}, r"another recipe \(phases\)"),
    ],
    ids=["heads", "rows", "licences", "seed", "phases"],
)
def test_a_run_goes_on_as_it_was_begun(
    trained: tuple[Path, Path], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    data, run = trained
    copy = tmp_path / "run"
    copy.mkdir()
    (copy / "tokenizer.json").write_text((run / "tokenizer.json").read_text())
    expert = json.loads((run / "expert.json").read_text())
    if "recipe" in change:
        change = {"recipe": {**expert["recipe"], **change["recipe"]}}
    (copy / "expert.json").write_text(json.dumps({**expert, **change}))
    with pytest.raises(ValueError, match=message):
        train(data, run, copy, RECIPE)


def test_rows_that_teach_nothing_are_refused(tmp_path: Path) -> None:
    data = write_pool(tmp_path / "data")
    rows = pd.read_parquet(data / "text_pool.parquet")
    rows[rows["split"] == "train"].to_parquet(data / "text_pool.parquet")
    with pytest.raises(ValueError, match="no head has enough labelled rows"):
        train(data, tmp_path / "backbone", tmp_path / "run", RECIPE)


def test_a_label_that_nobody_judged_gives_no_loss() -> None:
    logits = torch.tensor([[0.3, 5.0], [-0.2, -5.0]])
    wanted = torch.tensor([[1.0, float("nan")], [0.0, float("nan")]])
    changed = logits.clone()
    changed[:, 1] = 100.0
    weights, focus = torch.ones(2), torch.zeros(2)
    assert masked_loss(logits, wanted, weights, focus) == masked_loss(changed, wanted, weights, focus)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pack", "--run", "nowhere", "--data", "nowhere", "--out", "out"], "expected a training folder"),
        (["train", "--data", "nowhere", "--backbone", ".", "--out", "out"], "expected a backbone with config.json"),
    ],
)
def test_a_wrong_path_is_one_clear_sentence(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
