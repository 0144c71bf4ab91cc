"""Pools that were cut off, lack columns, or are too small for the baselines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models_export.evaluation.judgement.suite import Item, Source
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites import suite_named
from processors.packs import Pack, load_pack
from schemas import Post
from tests.tiny_pack import write_tiny_pack

pd: Any = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("sklearn")


def pool(folder: Path, rows: int, holds: Callable[[int], int] = lambda at: at % 2) -> Source:
    table = [
        {
            "id": f"open:{at}",
            "dataset": "open",
            "lang": "en",
            "text": f"{'you scum' if holds(at) else 'the cat'} {at}",
            "split": "dev" if at % 4 > 1 else "train",
            "abuse": holds(at),
            "hate": None,
            "categories": [],
            "targets": [],
            "attacks": [],
            "implicit": None,
            "severity": None,
            "context": None,
        }
        for at in range(rows)
    ]
    whole = dict.fromkeys(("abuse", "hate", "implicit", "severity"), "Int8")
    pd.DataFrame(table).astype(whole).to_parquet(folder / "text_pool.parquet")
    (folder / "permissive_sets.tsv").write_text("dataset\tlicence\nopen\tMIT\n", encoding="utf-8")
    return Source(folder, tiny(folder))


def tiny(folder: Path) -> Pack:
    return load_pack(write_tiny_pack(folder / "pack"))


def cut_off(folder: Path) -> None:
    file = folder / "text_pool.parquet"
    file.write_bytes(file.read_bytes()[:-100])


def without_a_column(folder: Path) -> None:
    file = folder / "text_pool.parquet"
    pd.read_parquet(file).drop(columns="text").to_parquet(file)


def without_licences(folder: Path) -> None:
    (folder / "permissive_sets.tsv").write_bytes(b"")


@pytest.mark.parametrize("name", ["text", "traffic", "robustness"])
@pytest.mark.parametrize("harm", [cut_off, without_a_column, without_licences])
def test_a_broken_pool_is_refused_in_a_sentence(tmp_path: Path, name: str, harm: Callable[[Path], None]) -> None:
    source = pool(tmp_path, 80)
    harm(tmp_path)
    with pytest.raises(SuiteError) as refused:
        suite_named(name).read(source)
    assert str(tmp_path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("rows", "holds", "majority"),
    [(80, lambda at: 0, 0.0), (80, lambda at: 1, 1.0), (8, lambda at: at % 2, 0.5)],
)
def test_baselines_of_too_little_say_what_they_can(
    tmp_path: Path, rows: int, holds: Callable[[int], int], majority: float
) -> None:
    suite = suite_named("text")
    assert suite.baselines is not None
    found = suite.baselines(pool(tmp_path, rows, holds), [Item(Post(post_id="1", text="hello"))])
    assert found["majority"][0].probabilities == {"abuse": majority}
    assert found["tfidf"][0].probabilities == {}
