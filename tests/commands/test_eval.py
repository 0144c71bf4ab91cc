from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from commands.overlay import encoded
from tests.commands.conftest import Ran, Run

SAMPLES = Path("media/ocr_samples")
MEMES = Path("memes/religious")
PHOTOS = Path("media/photos_permissive")

Eval = Callable[..., Ran]


def drawn(text: str) -> bytes:
    """A white picture with a text on it, as PNG."""
    picture = np.full((160, 60 + 36 * len(text), 3), 255, np.uint8)
    cv2.putText(picture, text, (30, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (0, 0, 0), 3, cv2.LINE_AA)
    return encoded(picture, ".png")


def add(data: Path, manifest: Path, picture: bytes | None, **fields: Any) -> None:
    """A line of a manifest, and its picture."""
    (data / manifest).parent.mkdir(parents=True, exist_ok=True)
    with (data / manifest).open("a", encoding="utf-8") as file:
        file.write(json.dumps(fields) + "\n")
    name = (data / manifest).parent / str(fields.get("file", fields.get("image")))
    name.parent.mkdir(exist_ok=True)
    if picture is not None:
        name.write_bytes(picture)


def add_sample(data: Path, name: str, picture: bytes | None, **fields: Any) -> None:
    add(data, SAMPLES / "manifest.jsonl", picture, file=name, **{"kind": "line", "lang": "en", **fields})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of the expected layout, with a picture of each part."""
    data = tmp_path / "data"
    add_sample(data, "hello.png", drawn("HELLO WORLD"), expected_text="HELLO WORLD")
    add_sample(data, "white.png", drawn(""), kind="blank", lang="-")
    meme = {"image": "images/1.png", "text": "good morning", "split": "dev"}
    add(data, MEMES / "labels.jsonl", drawn("GOOD MORNING"), **meme)
    add(data, PHOTOS / "manifest.jsonl", drawn(""), file="fog.png", kind="photo")
    return data


@pytest.fixture
def evaluated(run: Run, tmp_path: Path) -> Eval:
    def evaluated(data: Path, *arguments: object) -> Ran:
        return run("eval", "ocr", "--data", data, "--out", tmp_path / "new" / "out", *arguments)

    return evaluated


def test_drawn_texts_are_read_and_reported(evaluated: Eval, data: Path, tmp_path: Path) -> None:
    ran = evaluated(data, "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert report == json.loads((tmp_path / "new" / "out" / "report.json").read_bytes())
    assert report["parts"] == {str(SAMPLES): 2, str(MEMES): 1, str(PHOTOS): 1}
    assert report["latin"]["pictures"] == report["latin"]["transcribed"] == 2
    assert report["latin"]["found"]["value"] <= 0.1
    assert report["overall"]["failed"]["value"] == 0
    assert report["overall"]["confidence"]["value"] > 0.7
    assert report["no_text"]["pictures"] == 2
    assert report["no_text"]["examples"] == []
    assert report["speed"]["ocr_pictures_per_s"] > 0
    assert report["pack"].startswith("embedded@")


def test_predictions_and_a_page_are_written(evaluated: Eval, data: Path, tmp_path: Path) -> None:
    ran = evaluated(data)
    assert ran.code == 0
    assert ran.out == ""
    assert "CER STRICT" in ran.err
    assert "4 pictures evaluated" in ran.err
    lines = (tmp_path / "new" / "out" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    hello, white, meme, fog = map(json.loads, lines)
    assert hello["lines"][0]["text"].replace(" ", "") == "HELLOWORLD"
    assert hello["expected"] == ["HELLO WORLD"]
    assert white["lines"] == fog["lines"] == []
    assert meme["cer"]["found"] <= 0.1
    page = (tmp_path / "new" / "out" / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert str(SAMPLES) in page


def test_pictures_that_cannot_be_read_are_counted_and_do_not_stop_the_others(
    evaluated: Eval, data: Path, tmp_path: Path
) -> None:
    add_sample(data, "broken.png", drawn("X")[:80], expected_text="never read")
    add_sample(data, "gone.png", None)
    ran = evaluated(data, "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert [problem["id"] for problem in report["failures"]] == [str(SAMPLES / "broken.png")]
    assert report["failures"][0]["reason"]
    assert report["overall"]["failed"]["value"] == pytest.approx(0.2)
    assert report["missing"] == [str(SAMPLES / "gone.png")]
    assert f"1 picture of the manifests not there: {SAMPLES / 'gone.png'}" in ran.err


def test_a_link_out_of_the_data_folder_is_not_followed(evaluated: Eval, data: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.png").write_bytes(drawn("SECRET WORDS"))
    add_sample(data, "../../../elsewhere.png", None)
    report = json.loads(evaluated(data, "--json").out)
    assert [problem["id"] for problem in report["failures"]] == [str(SAMPLES / "../../../elsewhere.png")]
    assert "SECRET" not in (tmp_path / "new" / "out" / "predictions.jsonl").read_text(encoding="utf-8")


def test_nothing_is_left_in_the_media_store_of_the_chain(
    evaluated: Eval, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODSTREAM_STORE__URL", str(tmp_path / "store"))
    assert evaluated(data, "--limit", 1).code == 0
    assert not (tmp_path / "store").exists()


def test_a_limit_reads_that_many(evaluated: Eval, data: Path) -> None:
    report = json.loads(evaluated(data, "--limit", 2, "--json").out)
    assert report["overall"]["pictures"] == 2


def test_a_part_that_is_not_there_is_said(evaluated: Eval, tmp_path: Path) -> None:
    add_sample(tmp_path / "data", "hello.png", drawn("HELLO"), expected_text="HELLO")
    ran = evaluated(tmp_path / "data")
    assert ran.code == 0
    assert f"has no {MEMES / 'labels.jsonl'}" in ran.err
    assert f"has no {PHOTOS / 'manifest.jsonl'}" in ran.err


def test_a_folder_that_is_not_there_is_one_sentence(evaluated: Eval, tmp_path: Path) -> None:
    ran = evaluated(tmp_path / "nowhere")
    assert ran.code == 1
    assert (
        f"{tmp_path / 'nowhere'} has neither {SAMPLES / 'manifest.jsonl'} nor {MEMES / 'labels.jsonl'}" in ran.sentence
    )


def test_a_manifest_that_cannot_be_understood_is_one_sentence(evaluated: Eval, data: Path) -> None:
    (data / SAMPLES / "manifest.jsonl").write_text('{"file": "a.png"}\n', encoding="utf-8")
    ran = evaluated(data)
    assert ran.code == 1
    assert "manifest.jsonl, line 1: " in ran.sentence
    assert "kind" in ran.sentence


def test_no_pictures_at_all_is_a_failure(evaluated: Eval, tmp_path: Path) -> None:
    add_sample(tmp_path / "data", "gone.png", None)
    ran = evaluated(tmp_path / "data")
    assert ran.code == 1
    assert "none of the pictures that its manifests name is there" in ran.err


def test_only_unreadable_pictures_are_a_failure(evaluated: Eval, tmp_path: Path) -> None:
    add_sample(tmp_path / "data", "broken.png", b"no picture", expected_text="never read")
    ran = evaluated(tmp_path / "data")
    assert ran.code == 1
    assert "none of 1 picture could be read: " in ran.err
    assert not (tmp_path / "new" / "out" / "report.json").exists()


def test_score_draws_what_was_read_on_the_pictures(run: Run, tmp_path: Path) -> None:
    def post(post_id: str, *pictures: bytes) -> str:
        media = [
            {"media_id": f"m/{at}", "kind": "image", "data": base64.b64encode(picture).decode()}
            for at, picture in enumerate(pictures)
        ]
        return json.dumps({"schema": "post/1", "post_id": post_id, "text": "look", "media": media}) + "\n"

    lines = [post("a", drawn("HELLO"), drawn("WORLD")), "no post\n", post("b"), post("c", drawn("AGAIN"), b"broken")]
    (tmp_path / "posts.jsonl").write_text("".join(lines), encoding="utf-8")
    overlay = tmp_path / "overlay"
    ran = run("score", tmp_path / "posts.jsonl", "--overlay", overlay, "--store-url", tmp_path / "store")
    assert ran.code == 0, ran.err
    assert len(ran.out.splitlines()) == 4
    assert sorted(path.name for path in overlay.iterdir()) == ["1-m_0-1.png", "1-m_1-2.png", "4-m_0-1.png"]
    assert f"3 pictures written to {overlay}" in ran.err
    before = cv2.imdecode(np.frombuffer(drawn("HELLO"), np.uint8), cv2.IMREAD_COLOR)
    after = cv2.imread(str(overlay / "1-m_0-1.png"))
    assert before is not None
    assert after is not None
    assert after.shape[0] > before.shape[0]
    assert (after[: before.shape[0]] != before).any()
