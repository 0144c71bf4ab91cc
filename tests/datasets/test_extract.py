"""Media through the chain's stages, each file once, and on from where a run was cut off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from models_export.datasets.extract import Item, extract, items_of, unread
from models_export.datasets.manifest import DatasetError, MediaFile
from models_export.datasets.media_files import sha256_of
from models_export.datasets.readings import ASR, OCR, AsrRead, OcrRead, read_readings
from processors.contract import BatchPolicy, Outcome, ProcessingError
from schemas import Modality, Record, Stage, Status
from schemas.sections import AsrSection, AsrSegment, AsrSound, MediaKind, OcrLine, OcrPicture, OcrSection
from tests.datasets.made import row

READER = "pack 1"
SQUARE = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))


class Reads:
    """A stage that reads the file's name in every picture, and counts."""

    stage = Stage.OCR
    batching = BatchPolicy(max_items=8, max_cost=8, max_wait_s=0)

    def __init__(self) -> None:
        self.seen: list[str] = []

    def cost(self, record: Record, /) -> int:
        return 1

    def prepare(self, record: Record, /) -> Record:
        return record

    def process(self, batch: Sequence[Record], /) -> list[Outcome]:
        return [self._read(record) for record in batch]

    def _read(self, record: Record) -> Outcome:
        name = str(record.post.media[0].uri).rpartition("/")[2]
        self.seen.append(name)
        if name == "lost.png":
            return ProcessingError("gone", "the child process is gone")
        line = OcrLine(text=name, polygon=SQUARE, bbox=(0.0, 0.0, 9.0, 9.0), confidence=0.5)
        longer = replace(line, text=name * 3, confidence=0.9)
        picture = OcrPicture(
            media_id="media", object="0" * 64, lines=(line, longer), unread=(replace(line, text=""),), coverage=0.25
        )
        modalities = {**record.modalities, "ocr": Modality(status=Status.UNSAFE, reason="a line is unread")}
        return replace(record, ocr=OcrSection(pictures=(picture,)), modalities=modalities)


class Hears(Reads):
    """A stage that hears two segments in every sound."""

    stage = Stage.ASR

    def _read(self, record: Record) -> Outcome:
        segments = tuple(
            AsrSegment(text=text, t_start=start, t_end=end, confidence=confidence)
            for text, start, end, confidence in (("good", 0.0, 1.0, 0.8), ("morning", 1.0, 4.0, 0.4))
        )
        sound = AsrSound(media_id="media", object="0" * 64, segments=segments, unsafe_ratio=0.2, speech_seconds=4.0)
        return replace(record, asr=AsrSection(sounds=(sound,), lang="en"))


def item(name: str, tmp_path: Path, kind: MediaKind = "image") -> Item:
    """A file that says its own name."""
    (tmp_path / name).write_text(name)
    return Item(name, tmp_path / name, kind, sha256_of(tmp_path / name))


def run(items: Sequence[Item], out: Path, reader: str = READER) -> list[str]:
    """The names that the stage was asked about."""
    stage = Reads()
    extract([stage, Hears()], unread(items, out, reader), out, reader, lambda _: None)
    return stage.seen


def test_a_reading_has_lines_coverage_and_what_is_not_to_be_trusted(tmp_path: Path) -> None:
    one = item("a.png", tmp_path)
    run([one], tmp_path)
    read = read_readings(tmp_path / OCR, OcrRead)[one.sha256]
    assert read.text == "a.png\na.pnga.pnga.png"
    assert [line.confidence for line in read.lines] == [0.5, 0.9]
    assert read.confidence == pytest.approx(0.8)  # by the number of characters
    assert read.coverage == 0.25
    assert read.unsafe_ratio == pytest.approx(1 / 3)
    assert (read.status, read.reason) == (Status.UNSAFE, "a line is unread")
    assert read_readings(tmp_path / ASR, AsrRead) == {}


def test_a_sound_is_heard_and_not_read(tmp_path: Path) -> None:
    sound = item("a.wav", tmp_path, "audio")
    assert run([sound], tmp_path) == []
    heard = read_readings(tmp_path / ASR, AsrRead)[sound.sha256]
    assert (heard.text, heard.lang, heard.speech_seconds, heard.unsafe_ratio) == ("good\nmorning", "en", 4.0, 0.2)
    assert heard.confidence == pytest.approx(0.5)  # by seconds
    assert heard.segments[1].t_end == 4.0


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    items = [item("a.png", tmp_path), item("b.png", tmp_path)]
    assert run(items[:1], tmp_path) == ["a.png"]
    assert run(items, tmp_path) == ["b.png"]
    assert run(items, tmp_path) == []


def test_a_run_that_was_cut_off_within_a_line_goes_on(tmp_path: Path) -> None:
    items = [item("a.png", tmp_path), item("b.png", tmp_path)]
    run(items, tmp_path)
    whole = (tmp_path / OCR).read_bytes()
    (tmp_path / OCR).write_bytes(whole[:-20])
    with pytest.raises(DatasetError, match="1 lines are no readings"):
        read_readings(tmp_path / OCR, OcrRead)
    assert run(items, tmp_path) == ["b.png"]
    assert (tmp_path / OCR).read_bytes() == whole


def test_another_reader_reads_everything_anew(tmp_path: Path) -> None:
    items = [item("a.png", tmp_path)]
    run(items, tmp_path)
    assert run(items, tmp_path, "pack 2") == ["a.png"]
    assert {read.reader for read in read_readings(tmp_path / OCR, OcrRead).values()} == {"pack 2"}


def test_a_file_that_is_gone_or_was_replaced_is_not_read_as_what_it_was(tmp_path: Path) -> None:
    gone, replaced, same = (item(name, tmp_path) for name in ("gone.png", "replaced.png", "same.png"))
    gone.path.unlink()
    replaced.path.write_text("another picture")
    stage = Reads()
    done = extract([stage], [gone, replaced, same], tmp_path, READER, lambda _: None)
    assert stage.seen == ["same.png"]
    assert (done.read, done.failed, done.changed) == (1, 0, 2)
    assert set(read_readings(tmp_path / OCR, OcrRead)) == {same.sha256}
    assert unread([gone, replaced, same], tmp_path, READER) == [gone, replaced]


def test_what_left_the_chain_with_an_error_is_asked_about_again(tmp_path: Path) -> None:
    items = [item("lost.png", tmp_path)]
    done = extract([Reads()], unread(items, tmp_path, READER), tmp_path, READER, lambda _: None)
    assert (done.read, done.failed) == (0, 1)
    assert unread(items, tmp_path, READER) == items


def test_each_file_is_one_item_and_those_that_are_not_there_are_counted(tmp_path: Path) -> None:
    same = MediaFile(path="a.png", sha256="a" * 64)
    rows = [row("1", media=(same,)), row("2", media=(same,)), row("3", media=(MediaFile(path="gone.png"),))]
    items, missing = items_of(rows, tmp_path)
    assert [(one.id, one.path) for one in items] == [("a.png", tmp_path / "a.png")]
    assert missing == 1
