from __future__ import annotations

import asyncio
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from commands.overlay import READ, UNREAD, OverlayFolder, draw_overlay, encoded, file_name
from processors.media.pictures import PictureReader
from processors.media.store import MediaMissing, MediaStore
from schemas import (
    FetchedMedia,
    FetchSection,
    Media,
    OcrLine,
    OcrPicture,
    OcrSection,
    Picture,
    Post,
    Record,
    Source,
    Stage,
)

GREY = 128


def grey(height: int = 200, width: int = 300) -> NDArray[np.uint8]:
    return np.full((height, width, 3), GREY, np.uint8)


def line(left: float, top: float, width: float, height: float, text: str = "text") -> OcrLine:
    right, bottom = left + width, top + height
    return OcrLine(
        text=text,
        polygon=((left, top), (right, top), (right, bottom), (left, bottom)),
        bbox=(left, top, width, height),
        confidence=0.87,
    )


def changed(drawn: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the picture proper is no longer grey."""
    return (drawn[:200] != GREY).any(axis=2)


def has(pixels: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool((pixels == colour).all(axis=2).any())


def test_the_outline_of_a_line_is_drawn_where_the_line_is() -> None:
    drawn = draw_overlay(grey(), [line(50, 60, 200, 40)], [])
    assert tuple(drawn[60, 150]) == tuple(drawn[100, 150]) == tuple(drawn[80, 250]) == READ
    marks = changed(drawn)
    assert not marks[62:98, 52:248].any(), "what is written must stay readable"
    assert not marks[103:].any()


def test_lines_that_could_not_be_read_have_another_colour() -> None:
    read = draw_overlay(grey(), [line(50, 60, 200, 40)], [])
    unread = draw_overlay(grey(), [], [line(50, 60, 200, 40, text="")])
    assert has(read[:200], READ)
    assert not has(read[:200], UNREAD)
    assert has(unread[:200], UNREAD)
    assert not has(unread[:200], READ)


def test_each_line_has_its_own_number() -> None:
    first = draw_overlay(grey(), [line(50, 60, 200, 40)], [])
    second = draw_overlay(grey(), [line(5_000, 60, 1, 1), line(50, 60, 200, 40)], [])
    label = np.s_[44:60, 50:110]
    assert has(first[label], READ)
    assert (first[label] != second[label]).any()


def test_lines_are_scaled_to_the_picture() -> None:
    scaled = draw_overlay(grey(), [line(100, 120, 400, 80)], [], scale=2.0)
    assert (scaled == draw_overlay(grey(), [line(50, 60, 200, 40)], [])).all()


def test_lines_of_a_part_are_drawn_where_the_part_is() -> None:
    moved = draw_overlay(grey(), [line(1_100, 5_120, 400, 80)], [], scale=2.0, origin=(1_000.0, 5_000.0))
    assert (moved == draw_overlay(grey(), [line(50, 60, 200, 40)], [])).all()


def test_the_picture_itself_is_left_alone_and_a_legend_is_below() -> None:
    picture = grey()
    drawn = draw_overlay(picture, [line(50, 60, 200, 40)], [])
    assert (picture == GREY).all()
    assert drawn.shape[0] > 200
    assert drawn.shape[1:] == (300, 3)
    assert has(drawn[200:], READ)
    assert has(drawn[200:], UNREAD)


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3)])
def test_a_picture_of_any_shape_can_be_drawn_on(size: tuple[int, int]) -> None:
    drawn = draw_overlay(grey(*size), [line(0, 0, size[1], size[0])], [])
    assert drawn.shape[1] == size[1]


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=4, max_size=4))
def test_corners_anywhere_draw_something_or_nothing_and_never_fail(corners: list[tuple[float, float]]) -> None:
    wild = OcrLine(text="x", polygon=tuple(corners), bbox=(0, 0, 1, 1), confidence=0.5)
    assert draw_overlay(grey(20, 30), [wild], [wild], scale=3.0).shape[1] == 30


@given(st.text(min_size=1, max_size=256))
def test_a_file_name_stays_in_its_folder_whatever_the_media_id(media_id: str) -> None:
    name = file_name(7, media_id, 2)
    assert Path(name).name == name
    assert name.isascii()
    assert len(name) < 100
    assert name.startswith("7-")
    assert name.endswith("-2.png")


def test_file_names_do_not_collide() -> None:
    ids = ["a/b", "a_b", "a\\b", "A_B", "../x", "x" * 200, "x" * 201, "-1-", "1-", "é", "ü"]
    places = [(number, media_id, at) for number in (1, 11) for at, media_id in enumerate(ids, 1)]
    assert len({file_name(*place).lower() for place in places}) == len(places)


def record(media_id: str, address: str, *, scale: float = 1.0, pictures: int = 1) -> Record:
    read = OcrPicture(media_id=media_id, object=address, lines=(line(100, 120, 400, 80),))
    return Record(
        post=Post(post_id="p-1", tenant="acme", media=(Media(media_id=media_id, kind="image", uri="https://x.test/"),)),
        source=Source(topic="file", partition=0, offset=1, timestamp_ms=0),
        content_hash="0" * 64,
        received_ms=0,
        route=(Stage.FETCH, Stage.OCR),
        fetch=FetchSection(
            media=(
                FetchedMedia(
                    media_id=media_id,
                    kind="image",
                    type="image/png",
                    sha256=address,
                    md5="0" * 32,
                    bytes=1,
                    pictures=(Picture(object=address, width=300, height=200, scale=scale),),
                ),
            )
        ),
        ocr=OcrSection(pictures=(read,) * pictures),
    )


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore.open(str(tmp_path / "store"))


def put(store: MediaStore, picture: NDArray[np.uint8]) -> str:
    return asyncio.run(store.put("acme", "p-1", encoded(picture, ".png")))


def test_every_picture_of_a_record_is_written_with_its_lines(store: MediaStore, tmp_path: Path) -> None:
    folder = OverlayFolder(tmp_path / "new" / "overlay", PictureReader(store))
    folder.write(12, record("../m 1", put(store, grey()), scale=2.0, pictures=2))
    names = ["12-.._m_1-1.png", "12-.._m_1-2.png"]
    assert sorted(path.name for path in (tmp_path / "new" / "overlay").iterdir()) == names
    assert folder.written == 2
    written = cv2.imread(str(tmp_path / "new" / "overlay" / names[0]), cv2.IMREAD_COLOR_RGB)
    assert written is not None
    assert (written == draw_overlay(grey(), [line(50, 60, 200, 40)], [])).all()


def test_parts_that_look_alike_are_drawn_each_at_its_place(store: MediaStore, tmp_path: Path) -> None:
    address = put(store, grey())
    plain = record("m", address)
    assert plain.fetch is not None
    (item,) = plain.fetch.media
    parts = tuple(Picture(object=address, width=300, height=200, origin=(0.0, top)) for top in (0.0, 100.0))
    reads = tuple(OcrPicture(media_id="m", object=address, lines=(line(50, 60 + top, 200, 40),)) for top in (0, 100))
    folder = OverlayFolder(tmp_path / "overlay", PictureReader(store))
    fetch = FetchSection(media=(replace(item, pictures=parts),))
    folder.write(1, replace(plain, fetch=fetch, ocr=OcrSection(pictures=reads)))
    first, second = sorted((tmp_path / "overlay").iterdir())
    assert first.read_bytes() == second.read_bytes()


def test_a_line_of_a_video_is_drawn_in_its_first_frame_and_counted_below_later_ones(
    store: MediaStore, tmp_path: Path
) -> None:
    first, second = grey(), np.full((200, 300, 3), GREY + 1, np.uint8)
    plain = record("m", put(store, first))
    assert plain.fetch is not None
    (item,) = plain.fetch.media
    addresses = (item.pictures[0].object, put(store, second))
    frames = tuple(Picture(object=address, width=300, height=200, t=float(at)) for at, address in enumerate(addresses))
    shown = replace(line(50, 60, 200, 40), t_end=1.0)
    reads = (
        OcrPicture(media_id="m", object=addresses[0], t=0.0, lines=(shown,)),
        OcrPicture(media_id="m", object=addresses[1], t=1.0),
    )
    fetch = FetchSection(media=(replace(item, kind="video", pictures=frames),))
    folder = OverlayFolder(tmp_path / "overlay", PictureReader(store))
    folder.write(1, replace(plain, fetch=fetch, ocr=OcrSection(pictures=reads)))
    written = [cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in sorted((tmp_path / "overlay").iterdir())]
    expected = [draw_overlay(first, [shown], [], t=0.0), draw_overlay(second, [], [], t=1.0, still_shown=1)]
    for drawn, wanted in zip(written, expected, strict=True):
        assert drawn is not None
        assert (drawn == wanted).all()
    assert (expected[1][200:] != draw_overlay(second, [], [], t=1.0)[200:]).any(), "the legend says how many"


def test_a_still_has_no_time_in_its_legend() -> None:
    assert (draw_overlay(grey(), [], []) != draw_overlay(grey(), [], [], t=0.0)).any()


def test_a_record_without_pictures_writes_nothing(store: MediaStore, tmp_path: Path) -> None:
    folder = OverlayFolder(tmp_path / "overlay", PictureReader(store))
    folder.write(1, replace(record("m", "0" * 64), ocr=None))
    assert folder.written == 0
    assert list((tmp_path / "overlay").iterdir()) == []


def test_a_picture_that_the_store_lost_is_said(store: MediaStore, tmp_path: Path) -> None:
    folder = OverlayFolder(tmp_path / "overlay", PictureReader(store))
    with pytest.raises(MediaMissing, match="0" * 64):
        folder.write(1, record("m", "0" * 64))
