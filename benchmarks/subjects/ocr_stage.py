"""The OCR stage: `python -m benchmarks.subjects.ocr_stage`. See `media_stage`; the files are JPEG pictures."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from benchmarks.subjects.media_stage import MEDIA_ID, answer_questions, md5
from schemas import Record, Stage
from schemas.sections import FetchedMedia, Picture


def fetched(path: Path, data: bytes, name: str) -> FetchedMedia:
    with Image.open(path) as picture:
        width, height = picture.size
    return FetchedMedia(
        media_id=MEDIA_ID,
        kind="image",
        type="image/jpeg",
        sha256=name,
        md5=md5(data),
        bytes=len(data),
        width=width,
        height=height,
        pictures=(Picture(object=name, width=width, height=height),),
    )


def read(record: Record) -> list[str] | None:
    if record.ocr is None or not record.ocr.pictures:
        return None
    return [line.text for _, line in record.ocr.lines]


if __name__ == "__main__":
    answer_questions(Stage.OCR, fetched, read)
