from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from models_export.evaluation.judgement.prediction import Prediction
from models_export.evaluation.judgement.suite import Item, Source
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites import woah as suite
from models_export.evaluation.suites.held_out import BY_HASH, is_drawn
from models_export.evaluation.woah import (
    ANNOTATIONS,
    ATTACK_TYPES,
    PROTECTED,
    classes_of,
    read_annotations,
    task_figures,
)
from processors.packs import load_pack
from tests.tiny_pack import write_tiny_pack

HATEFUL = {"gold_hate": ["hateful"], "gold_pc": ["religion", "sex"], "gold_attack": ["mocking"]}
BENIGN = {"gold_hate": ["not_hateful"], "gold_pc": ["pc_empty"], "gold_attack": ["attack_empty"]}


def annotated(data: Path, rows: int = 60) -> None:
    """Every third meme is hateful."""
    lines = (
        {"id": at, "img": f"img/{at}.png", "set_name": "train", "text": f"meme {at}", **(BENIGN if at % 3 else HATEFUL)}
        for at in range(rows)
    )
    path = data / ANNOTATIONS[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(lzma.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines)))


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("woah")
    annotated(folder / "data")
    return Source(folder / "data", load_pack(write_tiny_pack(folder / "pack")))


def predicted(item: Item, probabilities: Mapping[str, float]) -> Prediction:
    return Prediction(
        id=item.post.post_id, suite="woah", groups=item.groups, truth=item.truth, probabilities=probabilities
    )


def all_heads(item: Item) -> dict[str, float]:
    """A judge that knows."""
    return {name: 0.9 if holds else 0.1 for name, holds in item.truth.items()}


def test_the_figures_of_three_memes_are_those_worked_out_by_hand() -> None:
    gold = [["a"], ["b"], ["a"]]
    scores = [{"a": 0.9, "b": 0.2}, {"a": 0.6, "b": 0.7}, {"a": 0.4, "b": 0.5}]
    found = task_figures(gold, scores)
    # Cells over 0.5: a of the first and second meme, b of the second; two of three that hold are said: 4 / (4 + 1 + 1).
    assert found.f1.value == pytest.approx(4 / 6)
    # Held cells score 0.9, 0.7, 0.4, others 0.2, 0.6, 0.5: 3 + 3 + 1 of 9 pairs are in order.
    assert found.roc_auc.value == pytest.approx(7 / 9)


def test_a_score_of_one_half_is_not_said() -> None:
    assert task_figures([["a"], ["b"]], [{"a": 0.5, "b": 0.5}] * 2).f1.value == 0.0


def test_a_label_that_never_comes_first_is_no_class() -> None:
    gold = [["a", "c"], ["b"], ["b", "a"]]
    assert classes_of(gold) == ["a", "b"]
    scores = [{"a": 0.9, "b": 0.1}, {"a": 0.1, "b": 0.9}, {"a": 0.9, "b": 0.9}]
    assert task_figures(gold, scores).roc_auc.value == 1.0


def test_one_class_alone_has_no_figures() -> None:
    assert task_figures([["a"], ["a"]], [{"a": 0.9}] * 2).roc_auc.value is None


def test_a_submission_that_lacks_a_class_is_refused() -> None:
    with pytest.raises(KeyError, match="b"):
        task_figures([["a"], ["b"]], [{"a": 0.9}] * 2)


def test_the_figures_are_those_of_the_published_scorer() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    random = np.random.default_rng(7)
    classes = ["pc_empty", *PROTECTED]
    gold = [
        ["pc_empty"] if empty else random.choice(PROTECTED, random.integers(1, 4), replace=False).tolist()
        for empty in random.random(200) < 0.6
    ]
    table = random.random((200, len(classes))).round(3)
    scores = [dict(zip(classes, row, strict=True)) for row in table.tolist()]
    found = task_figures(gold, scores)
    first = list(dict.fromkeys(labels[0] for labels in gold))
    binarizer = preprocessing.MultiLabelBinarizer(classes=first)
    truth = binarizer.fit_transform(gold)
    said = np.array([[of[name] for name in first] for of in scores])
    assert found.roc_auc.value == pytest.approx(metrics.roc_auc_score(truth, said, average="micro"), abs=1e-12)
    assert found.f1.value == pytest.approx(
        metrics.f1_score(truth, (said > 0.5).astype(int), average="micro"), abs=1e-12
    )


def test_intervals_hold_the_figures() -> None:
    random = np.random.default_rng(3)
    gold = [["a"] if hateful else ["b"] for hateful in random.random(300) < 0.4]
    scores = [{"a": value, "b": 1 - value} for value in random.random(300).round(3).tolist()]
    found = task_figures(gold, scores)
    for estimate in (found.f1, found.roc_auc):
        assert estimate.value is not None
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < estimate.value < estimate.high


def test_without_a_pool_a_tenth_is_held_out_by_its_ids(source: Source) -> None:
    items = suite.read(source)
    assert sorted(int(item.post.post_id) for item in items) == [at for at in range(60) if is_drawn(str(at))]
    assert {item.groups["slice"] for item in items} == {BY_HASH}


def test_truth_and_gold_say_the_same(source: Source) -> None:
    item = next(item for item in suite.read(source) if item.truth["hate"])
    of = predicted(item, {})
    assert suite.gold_of(of, "hate") == HATEFUL["gold_hate"]
    assert suite.gold_of(of, "pc") == HATEFUL["gold_pc"]
    assert suite.gold_of(of, "attack") == HATEFUL["gold_attack"]
    benign = predicted(next(item for item in suite.read(source) if not item.truth["hate"]), {})
    assert suite.gold_of(benign, "pc") == ["pc_empty"]
    assert suite.gold_of(benign, "attack") == ["attack_empty"]


def test_a_line_of_the_submission_has_every_class_of_every_task(source: Source) -> None:
    predictions = [predicted(item, all_heads(item)) for item in suite.read(source)]
    lines = [json.loads(line) for line in suite.files(predictions)[suite.SUBMISSION_FILE].splitlines()]
    assert len(lines) == len(predictions)
    for line, of in zip(lines, predictions, strict=True):
        assert line["id"] == int(of.id)
        assert set(line["pred_hate"]) == {"hateful", "not_hateful"}
        assert set(line["pred_pc"]) == {"pc_empty", *PROTECTED}
        assert set(line["pred_attack"]) == {"attack_empty", *ATTACK_TYPES}
        assert line["pred_pc"]["pc_empty"] == line["pred_hate"]["not_hateful"]


def test_a_judge_that_knows_gets_full_marks(source: Source) -> None:
    found = suite.scored([predicted(item, all_heads(item)) for item in suite.read(source)])
    assert all(of is not None and of.roc_auc.value == 1.0 and of.f1.value == 1.0 for of in found.values())


def test_heads_that_a_pack_lacks_are_named_and_not_scored(source: Source) -> None:
    predictions = [predicted(item, {"hate": all_heads(item)["hate"]}) for item in suite.read(source)]
    found = suite.scored(predictions)
    assert found["hate"] is not None
    assert found["pc"] is None
    assert found["attack"] is None
    table = suite.own(predictions)["The published scorer's figures"]
    assert "target.race" in str(table["task A: pc"]["without a head"])
    assert table["hate"]["without a head"] == "none"


def test_a_folder_without_annotations_is_said_to_lack_them(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="expected the annotations of the shared task"):
        read_annotations(tmp_path)


@pytest.mark.parametrize(
    "changed", [{"id": "x"}, {"gold_pc": []}, {"gold_attack": ["shouting"]}, {"gold_hate": ["maybe"]}]
)
def test_a_line_that_is_no_annotation_is_named(tmp_path: Path, changed: dict[str, object]) -> None:
    path = tmp_path / ANNOTATIONS[1]
    path.parent.mkdir(parents=True)
    line = {"id": 1, "set_name": "train", "text": "meme", **HATEFUL, **changed}
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    with pytest.raises(SuiteError, match="line 1"):
        read_annotations(tmp_path)


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ANNOTATIONS[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(lzma.compress(b"x" * 1_000)[:40])
    with pytest.raises(SuiteError, match="expected an xz file"):
        read_annotations(tmp_path)
