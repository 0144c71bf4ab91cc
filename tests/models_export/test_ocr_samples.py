from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from models_export.evaluation.labelled_media import SuiteError, evenly
from models_export.evaluation.ocr_suite.samples import (
    MEMES,
    OCR_SAMPLES,
    PHOTOS,
    WITH_WRITING,
    Sample,
    read_samples,
)
from models_export.evaluation.ocr_suite.transcript import Transcript, script_of, transcript_of


def write(data: Path, manifest: Path, rows: Sequence[Mapping[str, Any]], *, pictures: bool = True) -> None:
    path = data / manifest
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(row) + "\n\n" for row in rows), encoding="utf-8")
    for row in rows:
        name = row.get("file") or row.get("image")
        if pictures and name:
            (path.parent / str(name)).parent.mkdir(exist_ok=True)
            (path.parent / str(name)).write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("text", "lines", "whole"),
    [
        ("one line", ("one line",), True),
        ("first|second\n\nthird ", ("first", "second", "third"), True),
        ("first|<more lines>", ("first",), False),
        ("first <unreadable> part", ("first  part",), False),
        ("a < b", ("a < b",), True),
    ],
)
def test_a_transcript_has_lines_and_leaves_descriptions_out(text: str, lines: tuple[str, ...], whole: bool) -> None:
    assert transcript_of(text) == Transcript(lines, whole)


@pytest.mark.parametrize("text", [None, "", " | \n", "<a street>"])
def test_without_transcribed_text_there_is_no_transcript(text: str | None) -> None:
    assert transcript_of(text) is None


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Straße 12", "Latn"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "Latn"),
        ("привет OK", "Cyrl"),
        ("베이징 ok", "Hang"),
        ("正品促销 A", "Hani"),
        ("आज मौसम", "Deva"),
        ("امروز", "Arab"),
        ("ວັນ", "Lao"),
        ("24 / 7", "Zyyy"),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, script: str) -> None:
    assert script_of(text) == script


def test_pictures_come_from_all_three_parts(tmp_path: Path) -> None:
    write(
        tmp_path,
        OCR_SAMPLES,
        [
            {"file": "a.png", "kind": "line", "lang": "de", "expected_text": "Grüße", "licence": "x"},
            {"file": "b.png", "kind": "blank", "lang": "-"},
        ],
    )
    memes = [{"image": f"images/{name}.png", "text": "a | <b> ", "split": name} for name in ("train", "dev")]
    write(tmp_path, MEMES, memes)
    write(tmp_path, PHOTOS, [{"file": "sea.jpg", "kind": "photo"}, {"file": min(WITH_WRITING), "kind": "photo"}])
    found = read_samples(tmp_path)
    assert (found.missing, found.absent) == ((), ())
    assert [(sample.id, sample.kind, sample.lang, sample.script, sample.blank) for sample in found.samples] == [
        ("media/ocr_samples/a.png", "line", "de", "Latn", False),
        ("media/ocr_samples/b.png", "blank", None, None, True),
        ("memes/religious/images/dev.png", "meme", "en", "Latn", False),
        ("media/photos_permissive/sea.jpg", "photo", None, None, True),
        (f"media/photos_permissive/{min(WITH_WRITING)}", "photo", None, None, False),
    ]
    assert found.samples[2].transcript == Transcript(("a | <b>",), whole=True)
    assert all(sample.path.is_file() for sample in found.samples)


def test_pictures_that_are_not_there_are_named(tmp_path: Path) -> None:
    write(tmp_path, OCR_SAMPLES, [{"file": "gone.png", "kind": "line"}], pictures=False)
    found = read_samples(tmp_path)
    assert found.samples == ()
    assert found.missing == ("media/ocr_samples/gone.png",)
    assert found.absent == (str(MEMES), str(PHOTOS))


def test_a_folder_without_transcripts_is_refused(tmp_path: Path) -> None:
    write(tmp_path, PHOTOS, [{"file": "sea.jpg", "kind": "photo"}])
    with pytest.raises(SuiteError, match=f"neither {OCR_SAMPLES} nor {MEMES}"):
        read_samples(tmp_path)


@pytest.mark.parametrize("line", ["{", '{"kind": "line"}', '{"file": 7, "kind": "line"}', "[]", '{"file": "\udc80"}'])
def test_a_line_that_cannot_be_understood_is_named(line: str, tmp_path: Path) -> None:
    write(tmp_path, OCR_SAMPLES, [])
    text = '{"file": "a.png", "kind": "line"}\n' + line + "\n"
    (tmp_path / OCR_SAMPLES).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SuiteError, match=r"manifest\.jsonl, line 2: "):
        read_samples(tmp_path)


def test_a_limit_sees_something_of_every_part() -> None:
    samples = tuple(
        Sample(f"{part}/{at}", Path(), part, "line", None, None, blank=False) for part in "abc" for at in range(10)
    )
    few = evenly(samples, 6)
    assert [sample.source for sample in few] == ["a", "a", "b", "b", "c", "c"]
    assert evenly(samples, None) == evenly(samples, 30) == evenly(samples, 99) == samples
