"""`modstream data`, from files in their published shapes to shards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models_export.text_expert import functional
from tests.commands.conftest import Run
from tests.datasets import published


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Memes with pictures; and a product without templates, so that what ships does not decide these tests."""
    published.hateful_memes(tmp_path / "data")
    published.hatecheck(tmp_path / "data")
    monkeypatch.setattr(functional, "all_templates", lambda: iter([("en", "the {group} of this street bake cakes")]))
    return tmp_path / "data"


def test_a_folder_of_sets_becomes_a_manifest_that_passes(run: Run, data: Path, tmp_path: Path) -> None:
    work = tmp_path / "new" / "work"
    built = run("data", "build", "--data", data, "--out", work, "--json")
    assert built.code == 0, built.err
    summary = json.loads(built.out)
    assert summary == json.loads((work / "summary.json").read_bytes())
    assert summary["splits"] == {"train": 2, "dev": 1, "test": 1, "diagnostic": 2}
    assert "6 rows written" in built.err
    manifest = work / "data_manifest.jsonl"
    checked = run("data", "check", "--manifest", manifest, "--data", data, "--out", work, "--json")
    assert checked.code == 0, checked.err
    assert json.loads(checked.out)["ok"]
    assert json.loads(checked.out) == json.loads((work / "check.json").read_bytes())


def test_a_failed_check_is_exit_code_1_and_says_which(run: Run, data: Path, tmp_path: Path) -> None:
    run("data", "build", "--data", data, "--out", tmp_path)
    for picture in (data / "hateful_memes/img").iterdir():
        picture.unlink()
    checked = run("data", "check", "--manifest", tmp_path / "data_manifest.jsonl", "--data", data)
    assert checked.code == 1
    assert checked.err.splitlines()[-1].endswith("6 rows; failed: media_valid")


def test_an_unmapped_label_is_one_sentence(run: Run, data: Path, tmp_path: Path) -> None:
    published.write_lines(data / "hateful_memes/dev.jsonl", [{"id": 8, "img": "img/8.png", "label": 7, "text": "x"}])
    built = run("data", "build", "--data", data, "--out", tmp_path / "work")
    assert built.code == 1
    assert built.sentence.endswith("dev.jsonl, row 1: label '7' is mapped to nothing; expected one of 0, 1")
    assert not (tmp_path / "work").exists()


def test_a_folder_without_sets_and_a_missing_manifest_are_one_sentence_each(run: Run, tmp_path: Path) -> None:
    assert "none of the sets is there" in run("data", "build", "--data", tmp_path, "--out", tmp_path).sentence
    gone = run("data", "check", "--manifest", tmp_path / "gone.jsonl", "--data", tmp_path)
    assert (gone.code, gone.sentence) == (1, f"modstream: {tmp_path / 'gone.jsonl'}: No such file or directory")


def test_pictures_are_read_once_by_the_chain_and_go_into_shards(run: Run, data: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "data_manifest.jsonl"
    run("data", "build", "--data", data, "--out", tmp_path)
    common = ("--manifest", manifest, "--data", data)
    refused = run("data", "shards", *common, "--out", tmp_path / "shards")
    assert refused.sentence.endswith("expected what `modstream data extract` wrote")
    first = run("data", "extract", *common, "--out", tmp_path, "--limit", 3, "--json")
    assert first.code == 0, first.err
    assert json.loads(first.out) == {"files": 4, "read": 3, "failed": 0, "changed": 0, "missing": 0}
    rest = run("data", "extract", *common, "--out", tmp_path, "--json")
    assert json.loads(rest.out)["read"] == 1
    assert len((tmp_path / "ocr.jsonl").read_text().splitlines()) == 4
    shards = run("data", "shards", *common, "--readings", tmp_path, "--out", tmp_path / "shards", "--json")
    assert shards.code == 0, shards.err
    assert json.loads(shards.out)["items"] == 2
    assert (tmp_path / "shards" / "train-000000.tar").is_file()


@pytest.mark.parametrize("share", ["-0.1", "1.5", "nan", "half"])
def test_a_share_that_is_none_is_refused(run: Run, share: str) -> None:
    ran = run("data", "shards", "--manifest", "m", "--data", "d", "--out", "o", f"--mismatches={share}")
    assert ran.code == 2
    assert "expected a number from 0 to 1" in ran.err
