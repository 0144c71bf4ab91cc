from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models_export.evaluation.judgement.prediction import Misread, Prediction
from models_export.evaluation.judgement.running import misread_of
from models_export.evaluation.labelled_media import SuiteError
from models_export.evaluation.suites import robustness_media
from models_export.evaluation.suites.degraded import (
    CUTS,
    PICTURE_EDITS,
    SILENCE_S,
    degraded,
    png_of,
    read_picture,
    read_sound,
    text_boxes,
    with_silence,
)
from models_export.measures.bootstrap import Estimate
from processors.media.wav import RATE, wav_of
from processors.ocr.boxes import Region
from processors.ocr.detection import detection_input
from schemas import AsrSection, OcrSection, Post, Record, Source
from tests.evaluation.predictions import prediction

Pixels = NDArray[np.uint8]

CHECKS: Pixels = (np.indices((60, 100)).sum(axis=0) // 3 % 2 * 255).astype(np.uint8)
PICTURE: Pixels = np.repeat(CHECKS[..., None], 3, axis=2)
BOX = (20, 10, 60, 30)


@pytest.mark.parametrize("name", PICTURE_EDITS)
def test_an_edit_changes_the_text_and_nothing_else(name: str) -> None:
    before = PICTURE.copy()
    found = degraded(PICTURE, [BOX], name)
    left, top, right, bottom = BOX
    outside = np.ones(PICTURE.shape, bool)
    outside[top:bottom, left:right] = False
    assert (found[outside] == PICTURE[outside]).all()
    assert (found[~outside] != PICTURE[~outside]).any()
    assert (before == PICTURE).all()


@pytest.mark.parametrize("name", PICTURE_EDITS)
@pytest.mark.parametrize("box", [(0, 0, 1, 1), (99, 59, 100, 60), (0, 0, 100, 60)])
def test_boxes_of_any_size_can_be_edited(name: str, box: tuple[int, int, int, int]) -> None:
    assert degraded(PICTURE, [box], name).shape == PICTURE.shape


def test_a_picture_is_kept_to_the_pixel() -> None:
    with Image.open(BytesIO(png_of(PICTURE))) as found:
        assert (np.asarray(found) == PICTURE).all()


def test_a_transparent_picture_stands_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "picture.png")
    assert (read_picture(tmp_path / "picture.png") == 255).all()


def test_pictures_have_the_colours_that_the_chain_sees(tmp_path: Path) -> None:
    """White letters on nothing would be gone on white, and 16 bits cut off at 255 are white too."""
    letters = np.zeros((60, 100, 4), np.uint8)
    letters[..., :3], letters[20:40, 10:90:4, 3] = 255, 255
    Image.fromarray(letters).save(tmp_path / "letters.png")
    assert read_picture(tmp_path / "letters.png").min() < 64 < 250 < read_picture(tmp_path / "letters.png").max()
    Image.fromarray(np.full((9, 9), 0x8000, np.uint16)).save(tmp_path / "deep.png")
    assert (read_picture(tmp_path / "deep.png") == 128).all()


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"hello")
    with pytest.raises(SuiteError, match="expected a picture"):
        read_picture(tmp_path / "picture.png")


class Everywhere:
    """A detector that sees one line, half out of the picture."""

    def detect(self, inputs: Sequence[Pixels]) -> list[list[Region]]:
        width = inputs[0].shape[1]
        corners = [[width / 2, -5.0], [width * 2, -5.0], [width * 2, 10.0], [width / 2, 10.0]]
        return [[Region(np.array(corners, np.float32), 1.0)]]


def test_boxes_are_of_the_picture_and_within_it() -> None:
    small = detection_input(PICTURE, 960)
    [(left, top, right, bottom)] = text_boxes(Everywhere(), PICTURE, 960)
    assert (left, top, right) == (50, 0, 100)
    assert bottom == int(np.ceil(10 * PICTURE.shape[0] / small.shape[0]))


def test_silence_is_put_in_and_nothing_is_lost(tmp_path: Path) -> None:
    samples = np.arange(1, 3 * RATE + 2, dtype=np.int64).astype(np.int16)
    samples[samples == 0] = 1
    found = with_silence(samples)
    assert len(found) == len(samples) + CUTS * int(SILENCE_S * RATE)
    assert (found[found != 0] == samples).all()
    assert found[0] != 0
    assert found[-1] != 0
    (tmp_path / "sound.wav").write_bytes(wav_of(samples))
    assert (read_sound(tmp_path / "sound.wav") == samples).all()


def test_a_file_without_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sound.wav").write_bytes(b"hello")
    with pytest.raises(SuiteError, match="expected a file with sound"):
        read_sound(tmp_path / "sound.wav")


def test_what_was_not_read_is_all_misread() -> None:
    record = Record(
        post=Post(post_id="p", text="x"),
        source=Source(topic="t", partition=0, offset=0, timestamp_ms=0),
        content_hash="0" * 64,
        received_ms=0,
        route=(),
        ocr=OcrSection(pictures=()),
        asr=AsrSection(sounds=()),
    )
    assert misread_of(record, "ocr", "Two  Words", None) == Misread(edits=8, length=8)
    assert misread_of(record, "speech", "Two words, here", "en") == Misread(edits=3, length=3)


def picture(name: str, edit: str, edits: int, probability: float, changed: str = "yes") -> Prediction:
    groups = {"edit": edit, "same": name, "of": "picture", "content": "memes", "changed": changed}
    misread = {"ocr": Misread(edits=edits, length=10)}
    return prediction(f"{name}+{edit}", 1, probability, groups=groups, misread=misread)


def test_the_same_pictures_are_counted_before_and_after() -> None:
    tables = robustness_media.own(
        [
            picture("a", "none", 1, 0.9),
            picture("a", "blur", 5, 0.2),
            picture("b", "none", 1, 0.9),
            picture("b", "blur", 3, 0.9),
            picture("without text", "none", 9, 0.9, changed="no"),
            picture("without text", "blur", 9, 0.9, changed="no"),
        ]
    )
    row = tables["Misread and misheard"]["memes, blur"]
    before, after = row["error rate before"], row["error rate after"]
    assert isinstance(before, Estimate)
    assert isinstance(after, Estimate)
    assert row["files"] == 2
    assert before.value == pytest.approx(2 / 20)
    assert after.value == pytest.approx(8 / 20)
    flips = tables["What moves: hate"]["memes, blur"]["decided otherwise"]
    assert isinstance(flips, Estimate)
    assert flips.value == 0.5
