"""What a fusion learns from: memes that stay in their groups, features that are kept as they were."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models_export.fusion.features import load, read_memes, save
from tests.fusion.tiny_fusion import tiny_features


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


@pytest.mark.parametrize("row", [{"id": "2", "split": "test"}, {"image": None, "id": "2"}, {}])
def test_a_line_that_is_no_meme_is_named(tmp_path: Path, row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"labels\.jsonl:2: .*expected id, image, label, dup_group, and split"):
        read_memes(memes(tmp_path, {"id": "1"}, row))


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
