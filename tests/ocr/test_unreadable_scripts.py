"""A picture whose words are in a script that the shipped pack lacks never passes for one that was read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from processors.isolation import run_batch
from processors.ocr import OcrProcessor
from processors.packs import Pack
from schemas import FetchedMedia, FetchSection, Picture, Record, Status
from tests.ingested import ingested, post_of, received

LINES = Path(__file__).resolve().parents[1] / "fixtures" / "scripts"
STRANGE = ("Arab", "Cyrl", "Deva", "Grek", "Hang", "Hebr", "Thai")
OBJECT = "a" * 64


class OnePicture:
    """The media store of a single picture."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels

    def read(self, tenant: str, object: str, /) -> NDArray[np.uint8]:  # noqa: A002
        return self.pixels


@pytest.fixture(scope="module")
def shown() -> OnePicture:
    return OnePicture(np.zeros((1, 1, 3), np.uint8))


@pytest.fixture(scope="module")
def stage(embedded: Pack, shown: OnePicture) -> OcrProcessor:
    return OcrProcessor.of(embedded, shown, threads=2)


def page_of(name: str) -> NDArray[np.uint8]:
    """The line, on a page of its own colour."""
    with Image.open(LINES / f"{name}.png") as opened:
        line = opened.convert("RGB").resize((opened.width * 48 // opened.height, 48))
    page = Image.new("RGB", (line.width + 80, 240), line.getpixel((0, 0)))  # pyright: ignore[reportArgumentType]
    page.paste(line, (40, 90))
    return np.asarray(page)


def read(stage: OcrProcessor, shown: OnePicture, pixels: NDArray[np.uint8]) -> Record:
    shown.pixels = pixels
    address = f"{abs(hash(pixels.tobytes())):064x}"[-64:]
    picture = Picture(object=address, width=pixels.shape[1], height=pixels.shape[0])
    media = FetchedMedia(
        media_id="m-1", kind="image", type="image/png", sha256=OBJECT, md5="0" * 32, bytes=1, pictures=(picture,)
    )
    record = replace(ingested(received(post_of())), fetch=FetchSection(media=(media,)))
    (outcome,) = run_batch(stage, [record])
    assert isinstance(outcome, Record)
    return outcome


@pytest.mark.parametrize("style", ["plain", "meme"])
@pytest.mark.parametrize("script", STRANGE)
def test_a_line_in_a_script_that_nobody_reads_makes_the_modality_unsafe(
    stage: OcrProcessor, shown: OnePicture, script: str, style: str
) -> None:
    assert read(stage, shown, page_of(f"{script}-{style}")).modalities["ocr"].status is Status.UNSAFE


@pytest.mark.parametrize("script", ["Cyrl", "Deva", "Grek", "Hang", "Thai"])
def test_it_does_so_too_where_it_stands_on_its_head(stage: OcrProcessor, shown: OnePicture, script: str) -> None:
    turned = np.ascontiguousarray(page_of(f"{script}-plain")[::-1, ::-1])
    assert read(stage, shown, turned).modalities["ocr"].status is Status.UNSAFE


@pytest.mark.parametrize("style", ["plain", "meme"])
def test_latin_lines_are_read(stage: OcrProcessor, shown: OnePicture, style: str) -> None:
    found = read(stage, shown, page_of(f"Latn-{style}"))
    assert found.modalities["ocr"].status is Status.OK
    assert found.ocr is not None
    assert found.ocr.lines
