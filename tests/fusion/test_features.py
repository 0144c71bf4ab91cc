"""What a fusion learns from: memes that stay in their groups, features that are kept as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_export.fusion.features import features_of, load, read_memes, save
from processors.packs import load_pack
from tests.fusion.tiny_memes import tiny_features
from tests.tiny_pack import write_tiny_pack


def memes(folder: Path, *rows: dict[str, object]) -> Path:
    usual = {"image": "a.webp", "label": 1, "dup_group": "", "split": "train"}
    (folder / "labels.jsonl").write_text("".join(json.dumps({**usual, **row}) + "\n" for row in rows), encoding="utf-8")
    return folder


def test_memes_are_read_with_their_side_and_group(tmp_path: Path) -> None:
    found = read_memes(memes(tmp_path, {"id": "1"}, {"id": "2", "split": "dev", "label": 0, "dup_group": "g"}))
    assert [(meme.id, meme.hateful, meme.group, meme.train) for meme in found] == [
        ("1", True, "alone:1", True),
        ("2", False, "g", False),
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"id": "2", "split": "test"},
        {"image": None, "id": "2"},
        {},
        # Read as whether there is anything, "0" would be hateful and an unlabelled meme harmless.
        {"id": "2", "label": "0"},
        {"id": "2", "label": None},
        {"id": "2", "label": 0.5},
    ],
)
def test_a_line_that_is_no_meme_is_named(tmp_path: Path, row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"labels\.jsonl:2: .*expected id, image, label 0 or 1, dup_group, and split"):
        read_memes(memes(tmp_path, {"id": "1"}, row))


def test_ids_are_numbers_or_texts_and_stand_there_once(tmp_path: Path) -> None:
    assert [meme.id for meme in read_memes(memes(tmp_path, {"id": 7}))] == ["7"]
    with pytest.raises(ValueError, match=r"labels\.jsonl: '7' and 0 other ids stand there twice"):
        read_memes(memes(tmp_path, {"id": 7}, {"id": "7"}))


def test_a_text_with_unicodes_ends_of_lines_is_one_line(tmp_path: Path) -> None:
    row = {"id": "1", "image": "a.webp", "label": 1, "dup_group": "", "split": "train", "text": "a\u2028b\x85c"}
    (tmp_path / "labels.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n\n", encoding="utf-8")
    assert [meme.id for meme in read_memes(tmp_path)] == ["1"]


def test_memes_of_which_none_went_through_are_no_features(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no meme went through the chain; expected pictures"):
        features_of(load_pack(write_tiny_pack(tmp_path / "pack")), iter(()))


def test_near_duplicates_on_both_sides_are_refused(tmp_path: Path) -> None:
    folder = memes(tmp_path, {"id": "1", "dup_group": "g"}, {"id": "2", "dup_group": "g", "split": "dev"})
    with pytest.raises(ValueError, match="1 groups of near-duplicates are in train and dev"):
        read_memes(folder)


def test_features_are_kept_as_they_were_and_their_hash_with_them(tmp_path: Path) -> None:
    before = tiny_features()
    save(before, tmp_path / "features.npz")
    after = load(tmp_path / "features.npz")
    assert after.hash == before.hash
    assert after.heads == before.heads
    np.testing.assert_array_equal(after.scores["ocr.hate"], before.scores["ocr.hate"])


def test_the_hash_changes_with_what_training_sees() -> None:
    rows = tiny_features()
    assert rows.without("image").hash != rows.hash
    assert rows.rows(np.arange(10)).hash != rows.hash


def test_another_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", ids=np.arange(3))
    with pytest.raises(ValueError, match=r"other\.npz: .*expected the features"):
        load(tmp_path / "other.npz")


@pytest.mark.parametrize("kind", ["empty", "text", "array", "half", "another group"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.npz"
    save(tiny_features(), path)
    whole = path.read_bytes()
    if kind == "array":
        with path.open("wb") as file:
            np.save(file, np.arange(3))
    elif kind == "another group":
        fields: Any = {"odd/name": np.arange(3)}
        np.savez(path, **fields)
    else:
        path.write_bytes({"empty": b"", "text": b"hello", "half": whole[: len(whole) // 2]}[kind])
    with pytest.raises(ValueError, match=r"odd\.npz: .*expected the features"):
        load(path)
