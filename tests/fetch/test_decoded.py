"""The fetch stage with its own decoders: from a sender's bytes to the pixels that later stages read."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import cv2
import numpy as np
from msgspec.structs import replace

from processors.fetch import FetchOptions, FetchProcessor
from processors.media.known import KnownLists
from processors.media.pictures import PictureReader
from processors.media.store import MediaStore
from schemas import KnownContent, Media, Record, Stage, Status
from tests.ingested import post_of, received

ROUTE = (Stage.INGEST, Stage.FETCH, Stage.OCR, Stage.PACK, Stage.ENCODE, Stage.FUSE)


def pixels() -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """RGB: random, so that every hash of it says something."""
    return np.random.default_rng(4).integers(0, 256, (48, 64, 3), np.uint8)


def png() -> bytes:
    return cv2.imencode(".png", pixels()[..., ::-1])[1].tobytes()


def fetched(store: MediaStore, options: FetchOptions, *media: Media, known: KnownLists | None = None) -> Record:
    async def work() -> Record:
        stage = FetchProcessor(store, known or KnownLists([]), options)
        async with stage.session() as handle:
            return await handle(replace(received(post_of("hi", tenant="acme", media=media)), route=ROUTE))

    return asyncio.run(work())


def test_a_picture_arrives_as_the_pixels_that_were_sent(store: MediaStore, tmp_path: Path) -> None:
    (tmp_path / "called.mp4").write_bytes(png())
    media = Media(media_id="m-1", kind="video", uri=f"file://{tmp_path}/called.mp4")
    record = fetched(store, FetchOptions(file_roots=(tmp_path,), decoders=1), media)
    assert record.fetch is not None
    (found,) = record.fetch.media
    assert (found.kind, found.type, found.width, found.height) == ("image", "image/png", 64, 48)
    (picture,) = found.pictures
    assert (picture.width, picture.height, picture.scale) == (64, 48, 1.0)
    assert np.array_equal(PictureReader(store).read("acme", picture.object), pixels())
    assert record.route == ROUTE
    assert {name: modality.status for name, modality in record.modalities.items()} == {"speech": Status.ABSENT}


def test_a_picture_that_is_cut_off_fails_and_a_good_one_beside_it_does_not(store: MediaStore) -> None:
    cut_off = Media(media_id="m-1", kind="image", data=png()[:60])
    good = Media(media_id="m-2", kind="image", data=png())
    record = fetched(store, FetchOptions(decoders=1), cut_off, good)
    assert record.fetch is not None
    assert [len(media.pictures) for media in record.fetch.media] == [0, 1]
    assert record.modalities["image"].status is Status.FAILED
    assert (record.modalities["image"].reason or "").startswith("m-1: ")
    assert record.route == ROUTE


def test_known_content_is_recognised_by_its_bytes(store: MediaStore, tmp_path: Path) -> None:
    listed = tmp_path / "terror.txt"
    listed.write_text(hashlib.md5(png(), usedforsecurity=False).hexdigest() + "\n")
    media = Media(media_id="m-1", kind="image", data=png())
    record = fetched(store, FetchOptions(decoders=1), media, known=KnownLists([listed]))
    assert record.fetch is not None
    assert record.fetch.media[0].known == (KnownContent(list="terror", by="md5"),)
