from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.conftest import Ran, Run

CLIPS = Path("media/speech_clips")
VIDEOS = Path("media/video_clips/manifest.jsonl")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "clips"
SAID = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
FEW = 4
"""Evenly over a recording, one of music, and the sounds that the suite makes: the recording and three without words."""

Eval = Callable[..., Ran]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of the expected layout: a recording with its transcript, and music."""
    data = tmp_path / "data"
    (data / CLIPS).mkdir(parents=True)
    rows = [
        {"file": "speech.mp3", "kind": "speech", "lang": "en", "transcript": SAID},
        {"file": "music.ogg", "kind": "music", "lang": "-"},
    ]
    for row in rows:
        shutil.copy(EXAMPLES / row["file"], data / CLIPS)
    (data / CLIPS / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return data


@pytest.fixture
def evaluated(run: Run, tmp_path: Path) -> Eval:
    def evaluated(data: Path, *arguments: object) -> Ran:
        return run("eval", "asr", "--data", data, "--out", tmp_path / "new" / "out", *arguments)

    return evaluated


def test_speech_is_heard_and_silence_and_noise_are_not(evaluated: Eval, data: Path, tmp_path: Path) -> None:
    ran = evaluated(data, "--limit", FEW, "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert report == json.loads((tmp_path / "new" / "out" / "report.json").read_bytes())
    assert report["by_lang"]["en"]["wer"]["value"] <= 0.1
    assert report["speech"]["language"]["value"] == 1.0
    assert report["speech"]["unsafe_seconds"]["value"] == 0.0
    assert (report["speechless"]["clips"], report["speechless"]["words"]) == (FEW - 1, 0)
    assert report["times"]["outside"] == report["always"]["missed"] == []
    assert report["times"]["words"] >= 20
    assert report["faster_whisper"]["wer_by_lang"]["en"]["value"] <= 0.1
    assert report["speed"]["times_real"] > 0
    assert report["failures"] == []
    assert f"has no {VIDEOS}: its clips are left out" in ran.err
    assert f"{FEW} clips evaluated" in ran.err
    lines = (tmp_path / "new" / "out" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    speech, *others = map(json.loads, lines)
    assert "fellow Americans" in speech["heard"]
    assert 0 <= speech["segments"][0]["t_start"] < speech["segments"][-1]["t_end"] <= speech["seconds"]
    assert [line["heard"] for line in others] == [""] * (FEW - 1)
    page = (tmp_path / "new" / "out" / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Words trusted: 0" in page


def test_a_folder_that_is_not_there_is_one_sentence(evaluated: Eval, tmp_path: Path) -> None:
    ran = evaluated(tmp_path / "nowhere")
    assert ran.code == 1
    assert f"{tmp_path / 'nowhere'} has neither {CLIPS / 'manifest.jsonl'} nor {VIDEOS}" in ran.sentence


def test_a_manifest_whose_clips_are_all_gone_is_refused(evaluated: Eval, data: Path) -> None:
    for name in ("speech.mp3", "music.ogg"):
        (data / CLIPS / name).unlink()
    ran = evaluated(data)
    assert ran.code == 1
    assert "2 clips of the manifests not there" in ran.err
    assert "nothing was heard" in ran.err


def test_a_pack_that_cannot_hear_fails_the_suite(evaluated: Eval, data: Path, tiny_pack: Path) -> None:
    ran = evaluated(data, "--limit", 1, "--pack", tiny_pack)
    assert ran.code == 1
    assert "asr.model" in ran.err
