"""Files that are not as their authors published them: each is one sentence that names the file, never a traceback."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models_export.datasets.adapters import ADAPTERS
from models_export.datasets.manifest import DatasetError
from models_export.datasets.source import MAX_FIELD, json_lines, table
from tests.datasets import published


def read(data: Path, name: str) -> None:
    adapter = next(adapter for adapter in ADAPTERS if adapter.dataset == name)
    folder = adapter.find(data)
    assert folder is not None
    list(adapter.read(adapter, folder))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": "caf\xe9"}\n', r"a.jsonl: 'utf-8' codec .*; expected UTF-8$"),
        (b'{"a": 1}\n[1]\n', r"a.jsonl, row 2: a JSON list; expected an object"),
        (b"[" * 200_000, r"a.jsonl, row 1: .*expected JSON"),
    ],
    ids=["another character set", "no object", "deep"],
)
def test_json_lines_that_are_none(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        list(json_lines(tmp_path / "a.jsonl"))


@pytest.mark.parametrize("spoil", [lambda packed: packed[:-9], lambda packed: b"plain"], ids=["cut off", "not packed"])
def test_a_file_that_is_not_packed_as_it_says(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    (tmp_path / "a.jsonl.xz").write_bytes(spoil(lzma.compress(b'{"a": 1}\n' * 1000)))
    with pytest.raises(DatasetError, match=r"a.jsonl.xz: .*; expected UTF-8 packed with xz, whole"):
        list(json_lines(tmp_path / "a.jsonl.xz"))


def test_a_text_that_falls_apart_into_cells_is_not_cut_off(tmp_path: Path) -> None:
    published.write_text(tmp_path / "a.csv", "id,text\n1,fine\n2,one, two and three\n")
    with pytest.raises(DatasetError, match=r"a.csv, row 3: more cells than in the header; expected texts in quotes"):
        list(table(tmp_path / "a.csv"))


def test_empty_cells_behind_a_row_mean_nothing(tmp_path: Path) -> None:
    published.write_text(tmp_path / "a.csv", "id,text\n1,fine,,\n")
    assert [entry.fields for entry in table(tmp_path / "a.csv")] == [{"id": "1", "text": "fine"}]


def test_a_row_that_ends_early_says_which_field_it_lacks(tmp_path: Path) -> None:
    published.write_text(tmp_path / "a.csv", "id,text,label\n1,fine\n")
    [entry] = table(tmp_path / "a.csv")
    with pytest.raises(DatasetError, match=r"a.csv, row 2: no field label; it has id, text$"):
        entry.text("label")


def test_a_quote_that_nobody_closed(tmp_path: Path) -> None:
    published.write_text(tmp_path / "a.csv", 'id,text\n1,"never closed\n' + "x" * MAX_FIELD)
    with pytest.raises(DatasetError, match=r"a.csv, from line 2: field larger than .*; expected a closed quote"):
        list(table(tmp_path / "a.csv"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotators": []}, "no annotators"),
        ({"annotators": ["normal"]}, "annotators has a str; expected a dict each"),
        ({"rationales": [1, 0]}, "rationales has a int; expected a list each"),
    ],
    ids=["nobody", "no objects", "flat"],
)
def test_a_post_of_hatexplain_in_another_shape(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    published.hatexplain(tmp_path)
    path = tmp_path / "hatexplain/Data/dataset.json"
    posts = json.loads(path.read_text())
    posts["b_gab"] |= change
    path.write_text(json.dumps(posts))
    with pytest.raises(DatasetError, match=rf"dataset.json, row b_gab: {message}"):
        read(tmp_path, "hatexplain")


def test_a_vote_on_a_meme_in_another_shape(tmp_path: Path) -> None:
    published.fine_grained(tmp_path)
    [path] = tmp_path.rglob("annotations_train.json.xz")
    rows = [json.loads(line) for line in lzma.decompress(path.read_bytes()).splitlines()]
    rows[1]["pc"] = ["religion"]
    published.write_lines(path, rows)
    with pytest.raises(DatasetError, match=r"row 2: pc has a str; expected a list each"):
        read(tmp_path, "fine_grained_hateful_memes")


def test_a_list_of_labels_without_labels(tmp_path: Path) -> None:
    published.olid(tmp_path)
    published.write_text(tmp_path / "olid/labels-levela.csv", "5\n")
    with pytest.raises(DatasetError, match=r"testset-levela.tsv, row 2: subtask_a '' is mapped to nothing"):
        read(tmp_path, "olid")


def test_a_pool_that_is_no_pool(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    (tmp_path / "text_pool.parquet").write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match=r"text_pool.parquet: .*; expected a Parquet file"):
        read(tmp_path, "pool")
    pd.DataFrame([{"id": "1", "text": "x"}]).to_parquet(tmp_path / "text_pool.parquet")
    with pytest.raises(DatasetError, match=r"text_pool.parquet: no column dataset, licence, .*; expected id, dataset"):
        read(tmp_path, "pool")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"severity": 9}, "severity '9' is mapped to nothing; expected one of 0, 1"),
        ({"targets": ["men"]}, "targets 'men' is mapped to nothing; expected one of race"),
        ({"attacks": ["envy"]}, "attacks 'envy' is mapped to nothing; expected one of contempt"),
    ],
    ids=["severity", "target", "attack"],
)
def test_a_row_of_the_pool_outside_the_taxonomy(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    row: dict[str, Any] = dict.fromkeys(("id", "dataset", "licence", "text", "label_note", "context"), "x")
    row |= {name: [] for name in ("categories", "targets", "attacks", "rationale_spans")}
    row |= {"split": "train", "lang": "en", "abuse": 1, "hate": 0, "implicit": None, "severity": None}
    pd.DataFrame([row | change]).to_parquet(tmp_path / "text_pool.parquet")
    with pytest.raises(DatasetError, match=rf"text_pool.parquet, row 0: {message}"):
        read(tmp_path, "pool")
