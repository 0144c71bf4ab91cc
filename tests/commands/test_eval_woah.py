from __future__ import annotations

import json
from pathlib import Path

import pytest

from models_export.evaluation.suites.held_out import is_drawn
from models_export.evaluation.woah import ANNOTATIONS, task_figures
from tests.commands.conftest import Run

HELD_OUT = [at for at in range(400) if is_drawn(str(at))]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Half of the memes that are held out are hateful, and say so in a word that the tiny pack knows."""
    path = tmp_path / "data" / ANNOTATIONS[1]
    path.parent.mkdir(parents=True)
    lines: list[str] = []
    for place, meme in enumerate(HELD_OUT):
        hateful = place % 2 == 1
        gold = ("hateful", "race", "slurs") if hateful else ("not_hateful", "pc_empty", "attack_empty")
        labels = {f"gold_{task}": [label] for task, label in zip(("hate", "pc", "attack"), gold, strict=True)}
        text = "you are all vermin" if hateful else "hello world"
        lines.append(json.dumps({"id": meme, "img": "x.png", "set_name": "train", "text": text, **labels}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "data"


def test_the_submission_that_is_written_has_the_figures_of_the_report(
    run: Run, data: Path, tiny_pack: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = run("eval", "woah", "--data", data, "--out", out, "--pack", tiny_pack, "--json")
    assert ran.code == 0, ran.err
    table = json.loads(ran.out)["own"]["The published scorer's figures"]
    lines = [json.loads(line) for line in (out / "submission.json").read_text(encoding="utf-8").splitlines()]
    assert sorted(line["id"] for line in lines) == HELD_OUT
    gold = [["hateful"] if HELD_OUT.index(line["id"]) % 2 else ["not_hateful"] for line in lines]
    figures = task_figures(gold, [line["pred_hate"] for line in lines])
    assert table["hate"]["roc_auc"]["value"] == figures.roc_auc.value == 1.0
    assert table["hate"]["f1_micro"]["value"] == pytest.approx(figures.f1.value)
    # The tiny pack has no heads for whom and how.
    assert table["task A: pc"]["roc_auc"]["value"] is None
    assert "target.race" in table["task A: pc"]["without a head"]
    assert {line["pred_pc"]["race"] for line in lines} == {0.0}
