"""What lines say: PP-OCR's own graph on drawn lines."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from processors.engines import EngineError
from processors.ocr.graph_config import read_recognition_config
from processors.ocr.lanes import Lanes
from processors.ocr.models import OcrGraphs
from processors.ocr.recognition import BUCKET, MAX_WIDTH, Recogniser, bucket_width
from processors.packs import Pack

Crop = NDArray[np.uint8]

SENTENCES = ("No", "hello", "Good morning", "The quick brown fox", "Never trust a smiling cat, they say", "2024")


def line_of(text: str, *, ink: int = 0, paper: int = 255) -> Crop:
    """Drawn at the recogniser's height."""
    font = ImageFont.load_default(32)
    picture = Image.new("L", (int(font.getlength(text)) + 20, 48), paper)
    ImageDraw.Draw(picture).text((10, 4), text, fill=ink, font=font)
    return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("text", SENTENCES)
def test_a_drawn_line_is_read(graphs: OcrGraphs, text: str) -> None:
    (reading,) = graphs.recogniser.read([line_of(text)])
    assert reading.text.replace(" ", "") == text.replace(" ", "")
    assert reading.confidence > 0.9


def test_light_letters_on_dark_are_read_as_well(graphs: OcrGraphs) -> None:
    (reading,) = graphs.recogniser.read([line_of("Good morning", ink=255, paper=20)])
    assert reading.text == "Good morning"


def test_no_lines_are_no_work(graphs: OcrGraphs) -> None:
    assert graphs.recogniser.read([]) == []


@pytest.mark.parametrize("columns", [1, 512, 4_096])
def test_a_line_reads_the_same_alone_and_in_any_batch(embedded: Pack, graphs: OcrGraphs, columns: int) -> None:
    """One line a run, some as on a CPU, many as on a GPU; whatever the neighbours' widths are."""
    part = embedded.manifest.ocr
    assert part is not None
    config = read_recognition_config(embedded.folder / part.recognition.config.path)
    recogniser = Recogniser(graphs.recognition, config, Lanes(2), max_columns=columns)
    random = np.random.default_rng(7)
    crops = [line_of(text) for text in SENTENCES]
    crops += [line_of(text, ink=60, paper=200) for text in SENTENCES]  # as wide as another
    crops += [random.integers(0, 255, (48, width, 3), np.uint8) for width in (3, 47, 48, 49, 300, 900)]
    alone = [recogniser.read([crop])[0] for crop in crops]
    order = random.permutation(len(crops))
    shuffled = recogniser.read([crops[at] for at in order])
    for at, reading in zip(order, shuffled, strict=True):
        assert reading.text == alone[at].text
        assert reading.confidence == pytest.approx(alone[at].confidence, abs=1e-6)
    assert [reading.text for reading in recogniser.read(crops)] == [reading.text for reading in alone]


def test_a_crop_is_padded_by_its_own_width_alone() -> None:
    assert [bucket_width(width) for width in (1, 48, 49, 64, 65)] == [48, 48, 64, 64, 80]
    assert all(0 <= bucket_width(width) - width < BUCKET for width in range(48, 2_000))


def test_a_line_longer_than_the_network_takes_is_read_whole(graphs: OcrGraphs) -> None:
    words = "we all went down to the river and sat there until it was dark " * 3
    crop = line_of(words.strip())
    assert crop.shape[1] > MAX_WIDTH
    (reading,) = graphs.recogniser.read([crop])
    assert reading.text.replace(" ", "") == words.replace(" ", "")


def test_a_graph_that_gives_no_numbers_is_an_error(graphs: OcrGraphs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs.recognition, "run", lambda batch: np.full((len(batch), 4, 9), np.nan, np.float32))
    with pytest.raises(EngineError, match="not finite"):
        graphs.recogniser.read([line_of("hello")])
