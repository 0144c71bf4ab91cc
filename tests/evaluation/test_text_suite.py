"""The suites on the text pool; reading it needs pandas, pyarrow and scikit-learn."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from commands.main import main
from models_export.measures.calibrate import Calibration
from processors.packs import load_pack
from tests.tiny_pack import BAD_WORDS, write_tiny_pack

pd: Any = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("sklearn")

NICE = ("the cat sat on the mat", "hello world", "good day", "you are all good")
GERMAN = ("der hund", "und der hund", "hund und hund")
SETS = (("en", "open"), ("en", "open_too"), ("de", "german"), ("en", "closed"), ("fr", "xlmt_benign_8lang"))


def _row(rng: random.Random, lang: str, name: str, number: int) -> dict[str, Any]:
    """A bad word makes a row abuse in nine of ten cases, and so does a good one in one of ten."""
    bad = rng.random() < 0.4
    words = rng.choice(GERMAN if lang == "de" else NICE)
    judged = name != "xlmt_benign_8lang"
    abuse = int(bad != (rng.random() < 0.1)) if judged else None
    return {
        "id": f"{name}:{number}",
        "dataset": name,
        "lang": lang,
        "text": f"{words} {rng.choice(BAD_WORDS)} {number}" if bad else f"{words} {number}",
        "split": "dev" if number % 2 else "train",
        "abuse": abuse,
        "hate": int(bad and rng.random() < 0.8) if judged else None,
        "categories": [],
        "targets": [],
        "attacks": [],
        "implicit": None,
        "severity": None,
        "context": None,
    }


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pool")
    rng = random.Random(0)
    rows = [_row(rng, lang, name, number) for lang, name in SETS for number in range(240)]
    whole = dict.fromkeys(("abuse", "hate", "implicit", "severity"), "Int8")
    pd.DataFrame(rows).astype(whole).to_parquet(folder / "text_pool.parquet")
    permissive = "".join(f"{name}\tMIT\n" for _, name in SETS if name != "closed")
    (folder / "permissive_sets.tsv").write_text(f"dataset\tlicence as stated\n{permissive}", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_pack(tmp_path_factory.mktemp("text-suite") / "pack")


@pytest.fixture(scope="session")
def out(data: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    assert main(["eval", "text", "--data", str(data), "--out", str(out), "--pack", str(tiny)]) == 0
    return out


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def predictions(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_bytes().splitlines()]


def test_the_means_are_those_of_the_model_card(data: Path, tiny: Path, out: Path) -> None:
    from models_export.evaluation.devset import score
    from models_export.evaluation.pack_figures import Evaluation
    from models_export.evaluation.scoring import PackScorer

    manifest = load_pack(tiny).manifest
    calibration = {name: Calibration(of.temperature, of.bias) for name, of in manifest.calibration.items()}
    dev = score(data, PackScorer(tiny), permissive_only=True)
    card = Evaluation(dev, calibration, dict(manifest.thresholds)).figures()
    report = read(out / "report.json")
    english, others = report["averages"].values()
    assert english["groups"] == card["abuse_macro_f1"]["english_sets"] == 2
    assert english["macro_f1"]["value"] == pytest.approx(card["abuse_macro_f1"]["english"])
    assert others["groups"] == card["abuse_macro_f1"]["other_pairs"] == 1
    assert others["macro_f1"]["value"] == pytest.approx(card["abuse_macro_f1"]["other_languages"])
    for label in ("abuse", "hate"):
        for name in ("macro_f1", "average_precision"):
            assert report["labels"][label][name]["value"] == pytest.approx(card["heads"][label][name])
        assert report["labels"][label]["rows"] == card["heads"][label]["rows"]
        for name in ("calibration_error", "calibration_error_before"):
            assert report["labels"][label][name] == pytest.approx(card["heads"][label][name], abs=2e-3)


def test_sets_that_were_not_trained_on_stand_beside(out: Path) -> None:
    found = {line["groups"]["dataset"]: line["groups"]["seen"] for line in predictions(out)}
    assert found == {"open": "trained", "open_too": "trained", "german": "trained", "closed": "zero-shot"}
    report = read(out / "report.json")
    assert set(report["groups"]["seen"]) == {"trained", "zero-shot"}
    assert report["own"]["Abuse by language and set"]["en/closed"]["in the mean of"] == "none: zero-shot"


def test_baselines_judge_the_same_items_and_can_be_compared(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = read(out / "report.json")
    assert set(report["baselines"]) == {"majority", "tfidf"}
    assert report["baselines"]["majority"]["labels"]["abuse"]["roc_auc"]["value"] == 0.5
    tfidf = report["baselines"]["tfidf"]["averages"]
    assert all(of["macro_f1"]["value"] > 0.7 for of in tfidf.values())
    assert [of["id"] for of in predictions(out / "tfidf")] == [of["id"] for of in predictions(out)]
    capsys.readouterr()
    assert main(["eval", "compare", str(out), str(out / "majority"), "--json"]) == 0
    overall = {of["name"]: of for of in json.loads(capsys.readouterr().out)["overall"]}
    assert overall["abuse: macro-F1"]["difference"]["high"] < 0
    assert "review rate" not in overall


def test_everyday_traffic_is_what_nobody_judged(data: Path, tiny: Path, tmp_path: Path) -> None:
    assert main(["eval", "traffic", "--data", str(data), "--out", str(tmp_path), "--pack", str(tiny)]) == 0
    report = read(tmp_path / "report.json")
    assert report["items"] == 120
    assert report["labels"] == {}
    flagged = report["own"]["Flagged"]["all"]
    assert flagged["review"] == report["review"]["review_rate"]
    assert flagged["abuse"] == pytest.approx(flagged["any label"]["value"])
    assert 0.2 < flagged["abuse"] < 0.6
