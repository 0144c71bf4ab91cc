"""The suite's pictures: which files, and what is written in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models_export.evaluation.labelled_media import Found, SuiteError, found_of, rows
from models_export.evaluation.ocr_suite.transcript import Transcript, transcript_of
from models_export.evaluation.ocr_suite.views import lenient

OCR_SAMPLES = Path("media/ocr_samples/manifest.jsonl")
MEMES = Path("memes/religious/labels.jsonl")
PHOTOS = Path("media/photos_permissive/manifest.jsonl")

MEME_SPLIT = "dev"
MEME_LANG = "en"
MEME_KIND = "meme"

BLANK = "blank"
"""The kind of a picture in which nothing is written."""

WITH_WRITING = frozenset({"kodim06.jpg", "kodim09.jpg", "kodim10.jpg", "kodim14.jpg", "skimage_astronaut.jpg"})
"""Photographs of well-known sets in which something is written: names of boats, numbers on sails, badges."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture."""

    id: str
    """Its path below the data folder."""
    path: Path
    source: str
    """The part of the data that it comes from."""
    kind: str
    lang: str | None
    transcript: Transcript | None
    blank: bool
    """Nothing is written in it."""

    @property
    def script(self) -> str | None:
        """By what is expected, never by what is read."""
        return None if self.transcript is None else self.transcript.script


class _Picture(msgspec.Struct):
    """A line of a media manifest."""

    file: str
    kind: str
    lang: str | None = None
    expected_text: str | None = None


class _Meme(msgspec.Struct):
    """A line of the memes' labels."""

    image: str
    text: str
    split: str


def read_samples(data: Path) -> Found[Sample]:
    """The suite's pictures in a data folder.

    Raises SuiteError where neither manifest with transcripts is there, and for a line that cannot be understood.
    """
    data = data.resolve()
    absent = tuple(str(name) for name in (OCR_SAMPLES, MEMES, PHOTOS) if not (data / name).is_file())
    if str(OCR_SAMPLES) in absent and str(MEMES) in absent:
        raise SuiteError(f"{data} has neither {OCR_SAMPLES} nor {MEMES}: expected a folder with at least one of them")
    named = [
        sample
        for name, read in ((OCR_SAMPLES, _ocr_samples), (MEMES, _memes), (PHOTOS, _photos))
        if str(name) not in absent
        for sample in read(data)
    ]
    return found_of(named, absent)


def _ocr_samples(data: Path) -> Iterator[Sample]:
    for row in rows(data / OCR_SAMPLES, _Picture):
        lang = row.lang if row.lang and row.lang.strip("-") else None
        transcript = transcript_of(row.expected_text)
        yield _sample(data, OCR_SAMPLES, row.file, row.kind, lang, transcript, blank=row.kind == BLANK)


def _memes(data: Path) -> Iterator[Sample]:
    for row in rows(data / MEMES, _Meme):
        if row.split == MEME_SPLIT:
            # `|` and <> are no signs here: people wrote down what they saw.
            transcript = Transcript((row.text.strip(),), whole=True) if lenient(row.text) else None
            yield _sample(data, MEMES, row.image, MEME_KIND, MEME_LANG, transcript, blank=False)


def _photos(data: Path) -> Iterator[Sample]:
    for row in rows(data / PHOTOS, _Picture):
        yield _sample(data, PHOTOS, row.file, row.kind, None, None, blank=Path(row.file).name not in WITH_WRITING)


def _sample(
    data: Path, manifest: Path, name: str, kind: str, lang: str | None, transcript: Transcript | None, *, blank: bool
) -> Sample:
    """`name`: of the picture's file, relative to its manifest."""
    file = manifest.parent / name
    return Sample(str(file), data / file, str(manifest.parent), kind, lang, transcript, blank)
