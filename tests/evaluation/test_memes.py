from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models_export.evaluation.judgement.prediction import Prediction, Said
from models_export.evaluation.judgement.running import withheld
from models_export.evaluation.judgement.suite import Item, Source
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites import memes
from models_export.measures.bootstrap import Estimate
from processors.packs import load_pack
from schemas import EncodeSection, ImageScores, Post, Record, Stage, Status
from schemas import Source as Position
from tests.tiny_pack import write_tiny_pack


@pytest.fixture
def source(tmp_path: Path) -> Source:
    folder = tmp_path / "data" / memes.MEMES
    folder.mkdir(parents=True)
    rows = [
        {"id": f"{at}", "image": f"{at}.webp", "label": at % 2, "dup_group": "", "split": "dev" if at < 4 else "train"}
        for at in range(6)
    ]
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for at in (0, 1, 2, 5):
        (folder / f"{at}.webp").write_bytes(b"picture")
    return Source(tmp_path / "data", load_pack(write_tiny_pack(tmp_path / "pack")))


def test_each_dev_meme_whose_picture_is_there_is_judged_in_three_ways(source: Source) -> None:
    items = memes.read(source)
    assert {item.groups["meme"] for item in items} == {"0", "1", "2"}
    assert [item.without for item in items[:3]] == [frozenset(), frozenset({"image"}), frozenset({"ocr"})]
    assert {item.bundle for item in items[:3]} == {items[0].groups["meme"]}
    assert all(item.post.text is None for item in items)


def test_a_folder_without_memes_is_said_to_lack_them(tmp_path: Path, source: Source) -> None:
    with pytest.raises(SuiteError, match=r"labels\.jsonl"):
        memes.read(Source(tmp_path, source.pack))


def judged(meme: int, shown: str, truth: int, probability: float | None, status: Status = Status.OK) -> Prediction:
    return Prediction(
        id=f"{meme}+{shown}",
        suite="memes",
        groups={"shown": shown, "meme": str(meme), "dup_group": f"group {meme // 2}"},
        truth={"hate": truth},
        probabilities={} if probability is None else {"hate": probability},
        thresholds={"hate": 0.5},
        modalities={"ocr": Said(status=status, score=probability)},
    )


def world(count: int = 80) -> list[Prediction]:
    """Words and pictures each know half of the hateful memes, and together they know all."""
    found: list[Prediction] = []
    for meme in range(count):
        truth = meme // 2 % 2
        by_words, by_picture = (0.9, 0.1) if meme % 4 < 3 else (0.1, 0.9)
        said = {memes.WORDS: by_words, memes.PICTURE: by_picture, memes.WHOLE: 0.9}
        found += [judged(meme, shown, truth, value if truth else 0.1) for shown, value in said.items()]
    return found


def test_the_whole_beats_what_either_knows_and_dropping_one_costs() -> None:
    tables = memes.own(world())
    table = tables["At the served threshold"]
    whole, words = table[memes.WHOLE]["macro-F1"], table[memes.WORDS]["macro-F1"]
    assert isinstance(whole, Estimate)
    assert isinstance(words, Estimate)
    assert whole.value == 1.0
    assert words.value is not None
    assert 0.5 < words.value < 1.0
    assert table[memes.HIGHEST]["macro-F1"] == whole
    assert f"macro-F1 against {memes.WORDS}" in table[memes.WHOLE]
    costs = tables["What it costs to drop a modality"]
    assert all(isinstance(row["relative cost"], float) and row["relative cost"] > 0 for row in costs.values())


def test_a_meme_that_one_way_could_not_read_is_in_no_comparison() -> None:
    predictions = [*world(), judged(99, memes.WHOLE, 1, 0.1, Status.FAILED)]
    predictions += [judged(99, memes.WORDS, 1, 0.1), judged(99, memes.PICTURE, 1, 0.1)]
    assert memes.own(predictions)["Memes"]["compared"]["memes"] == 80


def test_a_meme_in_which_nothing_was_said_scores_nothing() -> None:
    predictions = [*world(), *(judged(98, shown, 1, None) for shown in memes.WITHOUT)]
    counts = memes.own(predictions)["Memes"]["compared"]
    assert counts["memes"] == 81
    assert counts["assessed, as posted"] == 80


def record() -> Record:
    ones = np.ones((1, 2), np.float32)
    image = ImageScores(engine="cpu", logits=ones, features=ones)
    encode = EncodeSection(logits=ones, embedding=ones[0], engine="cpu", image=image, parts={"ocr": ones[0]})
    return Record(
        post=Post(post_id="p", text="x"),
        source=Position(topic="t", partition=0, offset=0, timestamp_ms=0),
        content_hash="0" * 64,
        received_ms=0,
        route=(Stage.OCR, Stage.ASR, Stage.FUSE),
        encode=encode,
    )


@pytest.mark.parametrize(
    ("without", "left"), [("image", (False, True)), ("fusion", (True, False)), ("ocr", (True, True))]
)
def test_what_is_withheld_is_neither_read_nor_shown_to_fuse(without: str, left: tuple[bool, bool]) -> None:
    item = Item(Post(post_id="p", text="x"), without=frozenset({without}))
    found = withheld(item, record())
    assert isinstance(found, Record)
    assert found.encode is not None
    assert (found.encode.image is not None, bool(found.encode.parts)) == left
    assert (Stage.OCR in found.route) == (without != "ocr")
    assert Stage.FUSE in found.route
