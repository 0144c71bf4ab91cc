"""The `ocr` stage: what it adds to records, and what becomes of pictures that cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from processors.contract import TransientError
from processors.isolation import run_batch
from processors.media.store import MediaMissing, StoreAway
from processors.ocr import OcrOptions, OcrProcessor
from processors.ocr.models import OcrGraphs
from processors.ocr.reader import Reader, ScriptTeller
from processors.packs import Pack, PackError, load_pack
from processors.reading_cache import CacheStatistics
from schemas import FetchedMedia, FetchSection, Modality, OcrSection, Picture, Record, Status
from schemas.record import decode_record, encode_record
from tests.drawn import picture_of
from tests.ingested import ingested, post_of, received
from tests.tiny_pack import write_tiny_pack

Pixels = NDArray[np.uint8]


ARABIC = Path(__file__).resolve().parents[1] / "fixtures" / "scripts" / "Arab-plain.png"


class Album:
    """Pictures by their address."""

    def __init__(self) -> None:
        self.pictures: dict[str, Pixels] = {}
        self.away = False
        self.reads = 0

    def add(self, *lines: str) -> str:
        return self.add_pixels(np.asarray(picture_of(*lines)))

    def add_pixels(self, pixels: Pixels) -> str:
        address = hashlib.sha256(pixels.tobytes()).hexdigest()
        self.pictures[address] = pixels
        return address

    def read(self, tenant: str, object: str, /) -> Pixels:  # noqa: A002
        self.reads += 1
        if self.away:
            raise StoreAway("no route")
        if object not in self.pictures:
            raise MediaMissing(f"no object {object[:8]}")
        return self.pictures[object]


@pytest.fixture
def album() -> Album:
    return Album()


def processor_of(
    graphs: OcrGraphs, album: Album, *, scripts: ScriptTeller | None = None, options: OcrOptions | None = None
) -> OcrProcessor:
    options = options or OcrOptions()
    reader = Reader(
        graphs.detector,
        graphs.recogniser,
        graphs.lanes,
        reads=graphs.reads,
        max_lines=options.max_lines,
        scripts=scripts,
    )
    return OcrProcessor(reader, [graphs.detection, graphs.recognition], album, options)


@pytest.fixture
def processor(graphs: OcrGraphs, album: Album) -> OcrProcessor:
    return processor_of(graphs, album)


def post_with(*objects: str, scale: float = 1.0, media_id: str = "m-1") -> Record:
    pictures = tuple(
        Picture(object=address, width=480, height=100, scale=scale, t=None if len(objects) == 1 else float(at))
        for at, address in enumerate(objects)
    )
    media = FetchedMedia(
        media_id=media_id, kind="image", type="image/png", sha256="0" * 64, md5="0" * 32, bytes=9, pictures=pictures
    )
    return replace(ingested(received(post_of("look"))), fetch=FetchSection(media=(media,)))


def run(processor: OcrProcessor, *records: Record) -> list[Record]:
    outcomes = run_batch(processor, records)
    assert all(isinstance(outcome, Record) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


def section_of(record: Record) -> OcrSection:
    assert record.ocr is not None
    return record.ocr


def texts(record: Record) -> list[str]:
    return [line.text for _, line in section_of(record).lines]


def arabic() -> Pixels:
    """Two drawn lines of Arabic."""
    with Image.open(ARABIC) as line:
        sheet = Image.new("RGB", (line.width + 80, 2 * line.height + 120), "white")
        for row in range(2):
            sheet.paste(line, (40, 40 + row * (line.height + 40)))
    return np.asarray(sheet)


class Arabic:
    def identify(self, crops: Sequence[Pixels], /) -> list[tuple[str, float]]:
        return [("Arab", 0.99)] * len(crops)


def test_a_pictures_lines_are_in_the_record(processor: OcrProcessor, album: Album) -> None:
    (record,) = run(processor, post_with(album.add("Good morning to you", "and a nice day")))
    section = section_of(record)
    assert texts(record) == ["Good morning to you", "and a nice day"]
    assert (section.lang, section.engine) == ("en", "CPUExecutionProvider")
    (picture,) = section.pictures
    assert picture.confidence is not None
    assert picture.confidence > 0.9
    assert 0.1 < picture.coverage < 0.9
    modality = record.modalities["ocr"]
    assert (modality.status, modality.reason) == (Status.OK, None)
    assert modality.confidence == pytest.approx(picture.confidence, abs=1e-3)


def test_the_record_travels(processor: OcrProcessor, album: Album) -> None:
    (record,) = run(processor, post_with(album.add("Good morning to you")))
    assert decode_record(encode_record(record)) == record


def test_boxes_are_in_pixels_of_the_original(processor: OcrProcessor, album: Album) -> None:
    address = album.add("Good morning")
    once, twice = (
        section_of(run(processor, post_with(address, scale=scale))[0]).pictures[0].lines[0] for scale in (1.0, 2.0)
    )
    left, top, width, height = once.bbox
    assert (15 < left < 25, 10 < top < 30, 30 < height < 50) == (True, True, True)
    assert twice.bbox == pytest.approx((2 * left, 2 * top, 2 * width, 2 * height), abs=0.2)
    assert np.array(twice.polygon) == pytest.approx(2 * np.array(once.polygon), abs=0.2)
    assert (width, height) == pytest.approx(np.ptp(np.array(once.polygon), axis=0), abs=0.2)


def test_boxes_of_a_part_are_where_they_are_in_the_whole(processor: OcrProcessor, album: Album) -> None:
    post = post_with(album.add("Good morning"), scale=2.0)
    assert post.fetch is not None
    (media,) = post.fetch.media
    moved = replace(media, pictures=(replace(media.pictures[0], origin=(30.0, 5_000.0)),))
    here, there = (
        section_of(run(processor, one)[0]).pictures[0]
        for one in (post, replace(post, fetch=FetchSection(media=(moved,))))
    )
    left, top, width, height = here.lines[0].bbox
    assert there.lines[0].bbox == pytest.approx((left + 30, top + 5_000, width, height), abs=0.2)
    assert np.array(there.lines[0].polygon) == pytest.approx(
        np.array(here.lines[0].polygon) + np.array((30, 5_000)), abs=0.2
    )
    assert there.coverage == here.coverage


def test_a_record_without_pictures_passes_untouched(processor: OcrProcessor) -> None:
    plain = ingested(received(post_of("only words")))
    empty = replace(plain, fetch=FetchSection(media=()))
    assert run(processor, plain, empty) == [plain, empty]
    assert processor.cost(plain) == 0


def test_cost_is_pixels_at_detection_size(processor: OcrProcessor, album: Album) -> None:
    assert processor.cost(post_with(album.add("a"), album.add("b"))) == 2 * 480 * 96


def test_frames_keep_their_time_and_order(processor: OcrProcessor, album: Album) -> None:
    (record,) = run(processor, post_with(album.add("first frame"), album.add("second frame")))
    assert [(picture.t, [line.text for line in picture.lines]) for picture in section_of(record).pictures] == [
        (0.0, ["first frame"]),
        (1.0, ["second frame"]),
    ]


def test_a_caption_that_stands_through_a_video_is_one_line_with_its_times(
    processor: OcrProcessor, album: Album
) -> None:
    frames = (album.add("Good morning", "one"), album.add("Good morning", "two"), album.add("Good morning"))
    (record,) = run(processor, post_with(*frames))
    found = [(picture.t, line.text, line.t_end) for picture, line in section_of(record).lines]
    assert found == [(0.0, "Good morning", 2.0), (0.0, "one", 0.0), (1.0, "two", 1.0)]
    assert [picture.confidence is None for picture in section_of(record).pictures] == [False, False, True]


def test_writing_that_cannot_be_read_is_told_once_of_all_frames(graphs: OcrGraphs, album: Album) -> None:
    address = album.add_pixels(arabic())
    (still,) = run(processor_of(graphs, album, scripts=Arabic()), post_with(address))
    (video,) = run(processor_of(graphs, album, scripts=Arabic()), post_with(*[address] * 5))
    assert video.modalities["ocr"].reason == still.modalities["ocr"].reason


def test_an_empty_picture_was_read(processor: OcrProcessor, album: Album) -> None:
    (record,) = run(processor, post_with(album.add()))
    (picture,) = section_of(record).pictures
    assert (picture.lines, picture.unread, picture.confidence, picture.coverage) == ((), (), None, 0.0)
    assert section_of(record).lang is None
    assert record.modalities["ocr"] == Modality(status=Status.OK)


def test_a_repeated_picture_costs_a_look_up(processor: OcrProcessor, album: Album) -> None:
    address = album.add("Good morning")
    (first,) = run(processor, post_with(address))
    ran = processor.engines()
    (again,) = run(processor, post_with(address, media_id="m-2"))
    assert texts(again) == texts(first)
    assert section_of(again).pictures[0].media_id == "m-2"
    assert album.reads == 1
    assert processor.engines() == ran
    assert processor.cache_statistics == CacheStatistics(hits=1, misses=1)


def test_the_same_picture_twice_in_a_batch_is_read_once(graphs: OcrGraphs, album: Album) -> None:
    processor = processor_of(graphs, album, options=OcrOptions(cache_pictures=0))
    address = album.add("Good morning")
    before = graphs.detection.statistics.rows
    records = run(processor, post_with(address), post_with(address), post_with(address))
    assert [texts(record) for record in records] == [["Good morning"]] * 3
    assert graphs.detection.statistics.rows - before == 1


def test_a_missing_picture_takes_no_other_with_it(processor: OcrProcessor, album: Album) -> None:
    lost, whole = run(processor, post_with("f" * 64, album.add("still here")), post_with(album.add("elsewhere")))
    assert texts(lost) == ["still here"]
    assert lost.modalities["ocr"].status is Status.FAILED
    assert lost.modalities["ocr"].reason == "m-1: the picture cannot be read: no object ffffffff"
    assert whole.modalities["ocr"].status is Status.OK


def test_a_store_that_is_away_is_tried_again(processor: OcrProcessor, album: Album) -> None:
    record = post_with(album.add("later"))
    album.away = True
    (outcome,) = run_batch(processor, [record])
    assert isinstance(outcome, TransientError)
    album.away = False
    assert texts(run(processor, record)[0]) == ["later"]


def test_lines_that_cannot_be_read_make_the_modality_unsafe(graphs: OcrGraphs, album: Album) -> None:
    (record,) = run(processor_of(graphs, album, scripts=Arabic()), post_with(album.add_pixels(arabic())))
    modality = record.modalities["ocr"]
    assert (modality.status, modality.reason) == (Status.UNSAFE, "m-1: 2 lines cannot be read (script Arab)")
    (picture,) = section_of(record).pictures
    assert [(line.text, line.script) for line in picture.unread] == [("", "Arab")] * 2
    assert all(line.confidence > 0.5 for line in picture.unread)


def test_lines_beyond_the_limit_make_the_modality_partial(graphs: OcrGraphs, album: Album) -> None:
    processor = processor_of(graphs, album, options=OcrOptions(max_lines=1))
    (record,) = run(processor, post_with(album.add("one line of words", "another", "third")))
    assert record.modalities["ocr"].status is Status.PARTIAL
    assert record.modalities["ocr"].reason == "m-1: 2 lines more than are read in a picture"


@pytest.mark.parametrize("status", [Status.FAILED, Status.PARTIAL])
def test_what_fetch_said_is_not_weakened(processor: OcrProcessor, album: Album, status: Status) -> None:
    record = post_with(album.add("Good morning"))
    record = replace(record, modalities={"ocr": Modality(status=status, reason="m-2: too large")})
    (read,) = run(processor, record)
    assert texts(read) == ["Good morning"]
    assert (read.modalities["ocr"].status, read.modalities["ocr"].reason) == (status, "m-2: too large")


def test_reasons_of_several_stages_are_told_together(processor: OcrProcessor) -> None:
    record = replace(
        post_with("f" * 64), modalities={"ocr": Modality(status=Status.PARTIAL, reason="m-1: 3 frames left out")}
    )
    (read,) = run(processor, record)
    assert read.modalities["ocr"].status is Status.FAILED
    assert read.modalities["ocr"].reason is not None
    assert read.modalities["ocr"].reason.startswith("m-1: 3 frames left out; m-1: the picture cannot be read")


def test_the_stage_opens_from_the_pack(embedded: Pack, album: Album) -> None:
    processor = OcrProcessor.of(embedded, album, threads=1)
    assert list(processor.engines()) == ["detection", "recognition"]
    (record,) = run(processor, post_with(album.add("Good morning to you all")))
    assert texts(record) == ["Good morning to you all"]


def test_a_folder_of_graphs_stands_in_for_the_packs(embedded: Pack, album: Album) -> None:
    models = embedded.folder / "ocr"
    processor = OcrProcessor.of(embedded, album, options=OcrOptions(models=models), threads=1)
    assert texts(run(processor, post_with(album.add("Good morning")))[0]) == ["Good morning"]


def test_a_pack_that_cannot_read_pictures_says_so(tmp_path_factory: pytest.TempPathFactory, album: Album) -> None:
    tiny = load_pack(write_tiny_pack(tmp_path_factory.mktemp("pack") / "tiny"))
    with pytest.raises(PackError, match=r"ocr\.models"):
        OcrProcessor.of(tiny, album)


def test_a_folder_without_graphs_is_named(embedded: Pack, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("empty")
    with pytest.raises(PackError) as caught:
        OcrProcessor.of(embedded, Album(), options=OcrOptions(models=folder))
    assert caught.value.file == folder / "detection" / "inference.yml"
