"""`modstream eval` in the hands of somebody in a hurry."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from commands import eval_suite
from models_export.evaluation.judgement.running import Judge
from tests.commands.conftest import Ran, Run
from tests.evaluation.labelled import add_hatecheck


@pytest.fixture
def data(tmp_path: Path) -> Path:
    add_hatecheck(tmp_path / "data")
    return tmp_path / "data"


def refuse(*_: Any, **__: Any) -> Any:
    raise AssertionError("nothing may be judged before the folder is known to be writable")


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_judged(
    run: Run, data: Path, tiny_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Judge, "judge", refuse)
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    out = tmp_path / "out"
    # The name of the first file that is written is taken by a folder: that fails for root, too.
    (out / f"report.json{eval_suite.PART}").mkdir(parents=True)
    for folder in (tmp_path / "file", tmp_path / "file" / "below", out):
        ran = run("eval", "hatecheck", "--data", data, "--out", folder, "--pack", tiny_pack)
        assert ran.code == 1
        assert str(folder.name) in ran.sentence or "file" in ran.sentence


def test_who_is_killed_while_writing_leaves_the_run_before(
    run: Run, data: Path, tiny_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def evaluated() -> Ran:
        return run("eval", "hatecheck", "--data", data, "--out", out, "--pack", tiny_pack)

    assert evaluated().code == 0
    before = (out / "predictions.jsonl").read_bytes()
    whole = Path.write_bytes

    def cut(path: Path, content: bytes) -> int:
        if path.name.startswith("predictions.jsonl"):
            whole(path, content[: len(content) // 2])
            raise OSError(28, os.strerror(28), str(path))
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", cut)
    ran = evaluated()
    assert ran.code == 1
    assert "No space left" in ran.err.splitlines()[-1]
    assert (out / "predictions.jsonl").read_bytes() == before


@pytest.mark.parametrize("suite", ["text", "hatecheck", "traffic", "woah", "h-vli", "fairness", "memes", "robustness"])
def test_a_wrong_folder_is_one_sentence(run: Run, tiny_pack: Path, tmp_path: Path, suite: str) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        ran = run("eval", suite, "--data", folder, "--out", tmp_path / "out", "--pack", tiny_pack)
        assert ran.code == 1
        assert str(folder) in ran.sentence or "pip install" in ran.sentence


def test_a_pack_that_is_not_there_is_one_sentence(run: Run, data: Path, tmp_path: Path) -> None:
    ran = run("eval", "hatecheck", "--data", data, "--out", tmp_path / "out", "--pack", tmp_path / "gone")
    assert ran.code == 1
    assert "gone" in ran.sentence


def test_one_item_of_one_class_has_a_report(run: Run, data: Path, tiny_pack: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run("eval", "hatecheck", "--data", data, "--out", out, "--pack", tiny_pack, "--limit", 1, "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert report["items"] == 1
    assert report["labels"]["hate"]["roc_auc"]["value"] is None
    compared = run("eval", "compare", out, out, "--out", tmp_path / "c", "--json")
    assert compared.code == 0, compared.err
    assert "NaN" not in compared.out
    assert json.loads(compared.out)["items"] == 1


def test_runs_of_two_suites_are_not_compared(run: Run, data: Path, tiny_pack: Path, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    run("eval", "hatecheck", "--data", data, "--out", a, "--pack", tiny_pack)
    b.mkdir()
    lines = (a / "predictions.jsonl").read_text(encoding="utf-8").replace('"suite":"hatecheck"', '"suite":"text"')
    (b / "predictions.jsonl").write_text(lines, encoding="utf-8")
    for order in ((a, b), (b, a)):
        ran = run("eval", "compare", *order)
        assert ran.code == 1
        assert "of the suite" in ran.sentence
