"""The labelled pool: what is read of it, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

from models_export.text_expert.pool import PERMISSIVE, POOL, read_pool  # noqa: E402

ROW: dict[str, Any] = {
    "id": "a:1",
    "dataset": "open",
    "lang": "en",
    "text": "x",
    "split": "train",
    "abuse": 0,
    "hate": 0,
    **dict.fromkeys(("context", "implicit", "severity")),
    **{name: [] for name in ("categories", "targets", "attacks")},
}


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    pd.DataFrame(list(rows)).to_parquet(folder / POOL)
    (folder / PERMISSIVE).write_text("dataset\tlicence as stated\nopen\tMIT\n")
    return folder


def test_rows_of_sets_that_are_not_listed_train_nothing_that_ships(tmp_path: Path) -> None:
    data = write(tmp_path, ROW, ROW | {"id": "b:1", "dataset": "closed"})
    assert read_pool(data, permissive_only=True)["id"].tolist() == ["a:1"]
    assert read_pool(data, permissive_only=False)["permissive"].tolist() == [True, False]


def test_text_is_as_its_author_saw_it(tmp_path: Path) -> None:
    rows = read_pool(write(tmp_path, ROW | {"text": "you &amp; me|LBR|too"}), permissive_only=True)
    assert (rows["text"][0], rows["context"][0]) == ("you & me\ntoo", "")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"text_pool.parquet: expected the data folder with"):
        read_pool(tmp_path, permissive_only=True)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({name: value for name, value in ROW.items() if name != "severity"}, "no column severity; expected id, "),
        (ROW | {"split": "Train"}, "split 'Train'; expected dev or train"),
    ],
    ids=["column", "split"],
)
def test_a_pool_in_another_shape_is_refused(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"text_pool.parquet: {message}"):
        read_pool(write(tmp_path, row), permissive_only=True)


def test_files_that_are_no_tables_are_refused_by_name(tmp_path: Path) -> None:
    data = write(tmp_path, ROW)
    (data / PERMISSIVE).write_text("open, MIT\n")
    with pytest.raises(ValueError, match=r"permissive_sets.tsv: no column dataset"):
        read_pool(data, permissive_only=True)
    (data / POOL).write_bytes(b"no parquet")
    with pytest.raises(ValueError, match=r"text_pool.parquet: .*; expected a Parquet file"):
        read_pool(data, permissive_only=True)
