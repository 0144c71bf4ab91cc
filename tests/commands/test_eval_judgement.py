from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Ran, Run
from tests.evaluation.labelled import add_hatecheck

Eval = Callable[..., Ran]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    add_hatecheck(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def evaluated(run: Run, data: Path, tiny_pack: Path) -> Eval:
    def evaluated(out: Path, *arguments: object) -> Ran:
        return run("eval", "hatecheck", "--data", data, "--out", out, "--pack", tiny_pack, *arguments)

    return evaluated


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_suite_is_judged_measured_and_drawn(evaluated: Eval, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    ran = evaluated(out, "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert report == json.loads((out / "report.json").read_bytes())
    assert report["items"] == report["labels"]["hate"]["rows"] == 6
    assert report["labels"]["hate"]["accuracy"]["value"] == pytest.approx(4 / 6, abs=1e-4)
    assert report["labels"]["hate"]["threshold"] == 0.4
    assert report["groups"]["lang"]["en"]["labels"]["hate"]["accuracy"]["value"] == 1.0
    assert report["own"]["Accuracy by function: HateCheck"]["derog_h"]["accuracy"]["value"] == 1.0
    assert report["made"]["pack"].startswith("tiny@")
    assert report["made"]["policy"].startswith("default@")
    assert "hate, mean of languages" in ran.err
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<polyline") >= 4


def test_the_policy_decides_what_goes_to_review(evaluated: Eval, tmp_path: Path) -> None:
    ran = evaluated(tmp_path / "out", "--json")
    review = json.loads(ran.out)["review"]
    actions = [line["action"] for line in lines(tmp_path / "out")]
    assert review["actions"] == {action: actions.count(action) for action in ("approve", "review", "block")}
    assert review["actions"]["block"] + review["actions"]["review"] >= 3


def test_predictions_hold_what_figures_need_and_no_text(evaluated: Eval, tmp_path: Path) -> None:
    evaluated(tmp_path / "out")
    first = lines(tmp_path / "out")[0]
    assert first["suite"] == "hatecheck"
    assert first["groups"]["function"] == "derog_h"
    assert first["truth"] == {"hate": 1}
    assert first["probabilities"]["hate"] > first["thresholds"]["hate"] == 0.4
    assert set(first["logits"]) >= {"abuse", "hate"}
    assert first["modalities"]["text"]["status"] == "ok"
    assert "text" not in first
    assert "scum" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_texts_are_written_where_they_are_asked_for(evaluated: Eval, tmp_path: Path) -> None:
    evaluated(tmp_path / "out", "--texts")
    assert lines(tmp_path / "out")[0]["text"] == "cats are scum"


def test_a_limit_takes_some_of_every_part(evaluated: Eval, tmp_path: Path) -> None:
    evaluated(tmp_path / "out", "--limit", 2)
    assert [line["groups"]["lang"] for line in lines(tmp_path / "out")] == ["en", "de"]


def test_two_runs_are_compared_from_their_predictions_alone(evaluated: Eval, run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        evaluated(tmp_path / name)
        (tmp_path / name / "report.json").unlink()
    ran = run(
        "eval", "compare", tmp_path / "a", tmp_path / "b" / "predictions.jsonl", "--out", tmp_path / "c", "--json"
    )
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found == json.loads((tmp_path / "c" / "compare.json").read_bytes())
    assert found["items"] == 6
    assert found["resamples"] >= 1_000
    assert {of["difference"]["value"] for of in found["overall"]} == {0.0}
    assert "hate: macro-F1" in ran.err
    assert "b minus a" in (tmp_path / "c" / "compare.html").read_text(encoding="utf-8")


def test_data_without_the_suite_are_refused_in_a_sentence(run: Run, tmp_path: Path, tiny_pack: Path) -> None:
    ran = run("eval", "hatecheck", "--data", tmp_path, "--out", tmp_path / "out", "--pack", tiny_pack)
    assert ran.code == 1
    assert "expected HateCheck below named/" in ran.sentence


def test_a_file_that_is_no_run_is_refused_in_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"post_id": 1}\n', encoding="utf-8")
    ran = run("eval", "compare", tmp_path / "a.jsonl", tmp_path / "a.jsonl")
    assert ran.code == 1
    assert "a.jsonl, line 1" in ran.sentence
    gone = run("eval", "compare", tmp_path / "gone", tmp_path / "a.jsonl")
    assert gone.code == 1
    assert "expected what `modstream eval` wrote" in gone.sentence
