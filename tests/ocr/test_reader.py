"""Whole pictures: found, read, turned where they stand on their head, and ordered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from processors.ocr.models import OcrGraphs
from processors.ocr.options import OcrOptions
from processors.ocr.reader import LineReader, Reader, ReadingInput, ScriptTeller
from processors.ocr.section import PictureReading, picture_reading
from tests.drawn import picture_of

Pixels = NDArray[np.uint8]

CYRILLIC = Path(__file__).resolve().parents[1] / "fixtures" / "scripts" / "Cyrl-plain.png"

LINES = ("The quick brown dog", "jumped over the lazy fox", "and went home again")


def reader_of(
    graphs: OcrGraphs, *, scripts: ScriptTeller | None = None, other: LineReader | None = None, max_lines: int = 200
) -> Reader:
    return Reader(
        graphs.detector,
        graphs.recogniser,
        graphs.lanes,
        reads=graphs.reads,
        max_lines=max_lines,
        scripts=scripts,
        other=other,
    )


def read(reader: Reader, *pictures: Pixels) -> list[PictureReading]:
    found = reader.read([ReadingInput.of(picture, 1_024) for picture in pictures])
    return [
        picture_reading(lines, picture.shape[1], picture.shape[0], OcrOptions())
        for lines, picture in zip(found, pictures, strict=True)
    ]


def texts(reading: PictureReading) -> list[str]:
    return [line.text for line in reading.lines]


def page(*lines: str, turns: int = 0) -> Pixels:
    """Drawn lines, turned counter-clockwise by so many quarters."""
    return np.ascontiguousarray(np.rot90(np.asarray(picture_of(*lines)), turns))


def russian() -> Pixels:
    """A drawn line of Cyrillic on a page."""
    with Image.open(CYRILLIC) as line:
        sheet = Image.new("RGB", (line.width + 80, line.height + 80), "white")
        sheet.paste(line, (40, 40))
    return np.asarray(sheet)


class Teller:
    """Says the same of every line, and remembers what it was asked."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.asked = 0

    def identify(self, crops: Sequence[Pixels], /) -> list[tuple[str, float]]:
        self.asked += len(crops)
        return [(self.script, 0.99)] * len(crops)


class Scribe:
    """Reads every line of its script as the same word."""

    scripts = ("Cyrl",)

    def read(self, crops: Sequence[Pixels], script: str, /) -> list[tuple[str, float]]:
        assert script in self.scripts
        return [("Доброе утро всем людям", 0.9)] * len(crops)


@pytest.mark.parametrize("turns", [0, 1, 2, 3], ids=["upright", "left", "on its head", "right"])
def test_a_page_is_read_however_it_lies(graphs: OcrGraphs, turns: int) -> None:
    (reading,) = read(reader_of(graphs), page(*LINES, turns=turns))
    assert texts(reading) == list(LINES)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_polygon_begins_where_reading_starts(graphs: OcrGraphs, turns: int) -> None:
    picture = page(LINES[0], turns=turns)
    (reading,) = read(reader_of(graphs), picture)
    (line,) = reading.lines
    along = line.quad[1] - line.quad[0]
    assert along / np.hypot(*along) == pytest.approx([(1, 0), (0, -1), (-1, 0), (0, 1)][turns], abs=0.05)


def test_a_slanted_line_is_read(graphs: OcrGraphs) -> None:
    slanted = picture_of("Good morning to all").rotate(20, expand=True, fillcolor="white")
    (reading,) = read(reader_of(graphs), np.asarray(slanted))
    assert texts(reading) == ["Good morning to all"]


def test_only_the_line_on_its_head_is_turned(graphs: OcrGraphs) -> None:
    upright, head = page("The quick brown dog", "and the lazy fox"), page("went home again", turns=2)
    (reading,) = read(reader_of(graphs), np.concatenate([upright, head]))
    assert sorted(texts(reading)) == sorted(["The quick brown dog", "and the lazy fox", "went home again"])


def test_a_picture_reads_the_same_alone_and_in_any_batch(graphs: OcrGraphs) -> None:
    reader = reader_of(graphs)
    pictures = [page("hello"), page(*LINES), page("Good morning", turns=2), page("one", "two"), page(*LINES[:2])]
    alone = [read(reader, picture)[0] for picture in pictures]
    for one, other in zip(alone, read(reader, *pictures), strict=True):
        assert texts(one) == texts(other)
        for line, again in zip(one.lines, other.lines, strict=True):
            assert line.confidence == pytest.approx(again.confidence, abs=1e-6)
            assert (line.quad == again.quad).all()


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 5_000), (5_000, 1), (3, 8_192), (31, 33), (64, 64), (2_048, 16)], ids=str
)
def test_a_picture_of_any_shape_is_read(graphs: OcrGraphs, shape: tuple[int, int]) -> None:
    (reading,) = read(reader_of(graphs), np.full((*shape, 3), 200, np.uint8))
    assert reading.lines == ()
    assert reading.unread == ()


def test_noise_says_nothing(graphs: OcrGraphs) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (320, 480, 3), np.uint8)
    (reading,) = read(reader_of(graphs), noise)
    assert reading.lines == ()
    assert reading.unread == ()


def test_a_word_that_fills_its_picture_is_read(graphs: OcrGraphs) -> None:
    font = ImageFont.load_default(24)
    left, top, right, bottom = font.getbbox("ATTACK NOW")
    picture = Image.new("RGB", (int(right - left), int(bottom - top)), "white")
    ImageDraw.Draw(picture).text((-left, -top), "ATTACK NOW", fill="black", font=font)
    (reading,) = read(reader_of(graphs), np.asarray(picture))
    assert [text.replace(" ", "") for text in texts(reading)] == ["ATTACKNOW"]


def test_more_lines_than_the_limit_are_left_out_the_smallest_first(graphs: OcrGraphs) -> None:
    (reading,) = read(reader_of(graphs, max_lines=2), page("a long line of many words", "two", "another line of words"))
    assert texts(reading) == ["a long line of many words", "another line of words"]
    assert reading.left_out == 1


def test_a_line_in_a_script_that_nobody_reads_is_unread(graphs: OcrGraphs) -> None:
    (reading,) = read(reader_of(graphs, scripts=Teller("Cyrl")), russian())
    assert reading.lines == ()
    assert [line.script for line in reading.unread] == ["Cyrl"]


def test_another_reads_the_lines_of_its_script(graphs: OcrGraphs) -> None:
    (reading,) = read(reader_of(graphs, scripts=Teller("Cyrl"), other=Scribe()), russian())
    assert texts(reading) == ["Доброе утро всем людям"]
    (reading,) = read(reader_of(graphs, scripts=Teller("Geor"), other=Scribe()), russian())
    assert len(reading.unread) == 1


def test_a_certain_reading_outweighs_the_script_expert(graphs: OcrGraphs) -> None:
    (reading,) = read(reader_of(graphs, scripts=Teller("Geor"), other=Scribe()), page(*LINES))
    assert texts(reading) == list(LINES)
    assert {line.script for line in reading.lines} == {None}


@pytest.mark.parametrize("script", ["Latn", "Zyyy", "Zxxx"])
def test_what_the_recogniser_may_try_is_read(graphs: OcrGraphs, script: str) -> None:
    (reading,) = read(reader_of(graphs, scripts=Teller(script)), page(*LINES))
    assert texts(reading) == list(LINES)


def test_the_script_expert_is_asked_again_on_doubt_only(graphs: OcrGraphs) -> None:
    teller = Teller("Latn")
    read(reader_of(graphs, scripts=teller), page(*LINES))
    assert teller.asked == 3
    read(reader_of(graphs, scripts=teller), page(*LINES, turns=2))
    assert teller.asked == 3 + 6
