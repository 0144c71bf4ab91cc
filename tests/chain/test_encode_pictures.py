"""The encode stage with pictures: read from the store, scored once, beside the text and without it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.contract import ProcessingError, TransientError
from processors.encode import EncodeProcessor
from processors.encode.processor import PICTURE_TOKENS
from processors.media.pictures import PictureReader
from processors.media.store import MediaStore, StoreAway
from processors.pack.processor import PackProcessor
from processors.packs import Pack, load_pack
from schemas import FetchedMedia, FetchSection, Modality, PackSection, Picture, Record, Status
from tests.ingested import ingested, post_of, received
from tests.tiny_image import FEATURES, HEADS, add_tiny_image
from tests.tiny_pack import write_tiny_pack

COLOURS = {"red": (250, 10, 10), "blue": (10, 10, 250), "grey": (128, 128, 128), "green": (10, 200, 10)}
ABSENT = "0" * 64


class Gallery(PictureReader):
    """A reader over a store with a picture of each colour; counts what is read, and can be cut off."""

    def __init__(self, folder: Path) -> None:
        store = MediaStore.open(str(folder))
        super().__init__(store)
        self.objects = {
            name: asyncio.run(store.put("default", "p-0", _png(colour))) for name, colour in COLOURS.items()
        }
        self.reads = 0
        self.away = False

    def read(self, tenant: str, object: str) -> np.ndarray:  # noqa: A002 - as in PictureReader
        self.reads += 1
        if self.away:
            raise StoreAway("no connection")
        return super().read(tenant, object)


def _png(colour: tuple[int, int, int]) -> bytes:
    pixels = np.full((24, 40, 3), colour, np.uint8)
    pixels[::5] //= 2
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


@pytest.fixture(scope="module")
def seeing_pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(add_tiny_image(write_tiny_pack(tmp_path_factory.mktemp("packs") / "seeing")))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    return Gallery(tmp_path_factory.mktemp("store"))


@pytest.fixture
def gallery(shown: Gallery) -> Gallery:
    shown.reads, shown.away = 0, False
    return shown


@pytest.fixture
def encoder(seeing_pack: Pack, gallery: Gallery) -> EncodeProcessor:
    """Fresh: it remembers nothing yet."""
    return EncodeProcessor.of(seeing_pack, gallery, threads=2)


def with_pictures(gallery: Gallery, packer: PackProcessor, text: str | None, names: Sequence[str]) -> Record:
    """A packed record; each picture is a media item of its own but the last two, which are frames of one."""
    record = packer.prepare(ingested(received(post_of(text or " "))))
    pictures = [Picture(object=gallery.objects.get(name, ABSENT), width=40, height=24) for name in names]
    groups = [(picture,) for picture in pictures[:-2]] + ([tuple(pictures[-2:])] if pictures else [])
    media = tuple(
        FetchedMedia(
            media_id=f"m-{at}",
            kind="image",
            type="image/png",
            sha256=group[0].object,
            md5="0" * 32,
            bytes=100,
            pictures=group,
        )
        for at, group in enumerate(groups)
    )
    return replace(record, fetch=FetchSection(media=media))


def run(encoder: EncodeProcessor, *records: Record) -> list[Record]:
    outcomes = encoder.process([encoder.prepare(record) for record in records])
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


def test_every_picture_has_its_row_in_the_order_of_the_fetch_section(
    gallery: Gallery, packer: PackProcessor, encoder: EncodeProcessor
) -> None:
    [record] = run(encoder, with_pictures(gallery, packer, "hello", ["grey", "red", "blue", "red"]))
    assert record.encode is not None
    image = record.encode.image
    assert image is not None
    assert image.logits.shape == (4, len(HEADS))
    assert image.features.shape == (4, FEATURES)
    assert image.logits.argmax(0).tolist() == [1, 2]  # the first red is `sexual`, the blue `violence`
    np.testing.assert_array_equal(image.logits[1], image.logits[3])
    assert image.engine == "CPUExecutionProvider"


def test_text_is_scored_as_it_is_without_pictures(
    gallery: Gallery, packer: PackProcessor, encoder: EncodeProcessor, seeing_pack: Pack
) -> None:
    [record] = run(encoder, with_pictures(gallery, packer, "you are scum", ["red"]))
    [bare] = run(
        EncodeProcessor.of(seeing_pack, threads=1), packer.prepare(ingested(received(post_of("you are scum"))))
    )
    assert record.encode is not None
    assert bare.encode is not None
    assert bare.encode.image is None
    np.testing.assert_array_equal(record.encode.logits, bare.encode.logits)
    np.testing.assert_array_equal(record.encode.embedding, bare.encode.embedding)


def test_a_post_of_pictures_alone_has_no_rows_of_text(
    gallery: Gallery, packer: PackProcessor, encoder: EncodeProcessor
) -> None:
    [record] = run(encoder, with_pictures(gallery, packer, None, ["red"]))
    assert record.encode is not None
    assert record.encode.logits.shape == (0, 3)
    assert record.encode.embedding.shape == (0,)
    assert record.encode.engine is None
    assert record.encode.image is not None
    assert record.encode.image.logits.shape == (1, 2)


@settings(max_examples=20)
@given(
    batch=st.lists(
        st.tuples(
            st.sampled_from([None, "hello world", "you are scum"]), st.lists(st.sampled_from(list(COLOURS)), max_size=4)
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_post_gets_the_same_scores_in_any_company(
    shown: Gallery, packer: PackProcessor, seeing_pack: Pack, batch: list[tuple[str | None, list[str]]]
) -> None:
    records = [with_pictures(shown, packer, text, names) for text, names in batch]
    together = run(EncodeProcessor.of(seeing_pack, shown, threads=2), *records)
    for record, found in zip(records, together, strict=True):
        [alone] = run(EncodeProcessor.of(seeing_pack, shown, threads=1), record)
        if alone.encode is None:
            assert found.encode is None
            continue
        assert found.encode is not None
        np.testing.assert_allclose(found.encode.logits, alone.encode.logits, rtol=0, atol=1e-6)
        assert (found.encode.image is None) == (alone.encode.image is None)
        if found.encode.image is not None and alone.encode.image is not None:
            np.testing.assert_array_equal(found.encode.image.logits, alone.encode.image.logits)
            np.testing.assert_array_equal(found.encode.image.features, alone.encode.image.features)


def test_a_picture_is_looked_at_once_however_often_it_is_posted(
    gallery: Gallery, packer: PackProcessor, encoder: EncodeProcessor
) -> None:
    first = with_pictures(gallery, packer, "hello", ["red", "red", "blue"])
    [record] = run(encoder, first)
    assert encoder.engines()["image"][1].rows == 2
    reads = gallery.reads
    [again] = run(encoder, first)
    assert gallery.reads == reads
    assert encoder.engines()["image"][1].rows == 2
    assert record.encode is not None
    assert again.encode is not None
    assert record.encode.image is not None
    assert again.encode.image is not None
    np.testing.assert_array_equal(record.encode.image.logits, again.encode.image.logits)


def test_a_picture_that_is_gone_fails_its_modality_and_the_text_goes_on(
    gallery: Gallery, packer: PackProcessor, encoder: EncodeProcessor
) -> None:
    [record] = run(encoder, with_pictures(gallery, packer, "hello", ["red", "lost"]))
    assert record.encode is not None
    assert record.encode.image is None
    assert len(record.encode.logits) == 1
    found = record.modalities["image"]
    assert found.status is Status.FAILED
    assert "cannot be looked at" in str(found.reason)


def test_what_was_said_of_the_pictures_before_stays_said(
    gallery: Gallery, packer: PackProcessor, encoder: EncodeProcessor
) -> None:
    record = with_pictures(gallery, packer, "hello", ["lost"])
    before = {"image": Modality(status=Status.PARTIAL, reason="m-9: more frames than are read")}
    [found] = run(encoder, replace(record, modalities=before))
    assert found.modalities["image"].status is Status.FAILED
    assert str(found.modalities["image"].reason).startswith("m-9: more frames than are read; a picture cannot")


def test_a_store_that_is_away_is_tried_again_later(
    gallery: Gallery, packer: PackProcessor, encoder: EncodeProcessor
) -> None:
    gallery.away = True
    with pytest.raises(TransientError, match="no connection"):
        encoder.prepare(with_pictures(gallery, packer, "hello", ["green"]))


def test_pictures_count_in_the_cost(gallery: Gallery, packer: PackProcessor, encoder: EncodeProcessor) -> None:
    bare = with_pictures(gallery, packer, "hello", [])
    assert encoder.cost(with_pictures(gallery, packer, "hello", ["red", "blue", "red"])) == (
        encoder.cost(bare) + 3 * PICTURE_TOKENS
    )


def test_a_pack_or_a_chain_that_looks_at_no_pictures_leaves_them(
    gallery: Gallery, packer: PackProcessor, pack: Pack, seeing_pack: Pack
) -> None:
    record = with_pictures(gallery, packer, "hello", ["red"])
    for encoder in (EncodeProcessor.of(pack, gallery, threads=1), EncodeProcessor.of(seeing_pack, threads=1)):
        assert set(encoder.engines()) == {"text"}
        [found] = run(encoder, record)
        assert found.encode is not None
        assert found.encode.image is None
        assert "image" not in found.modalities
    assert gallery.reads == 0


def test_both_graphs_count_their_work_and_not_the_warm_up(
    gallery: Gallery, packer: PackProcessor, encoder: EncodeProcessor
) -> None:
    assert {name: found[1].rows for name, found in encoder.engines().items()} == {"text": 0, "image": 0}
    run(encoder, with_pictures(gallery, packer, "hello", ["red", "grey"]))
    assert {name: found[1].rows for name, found in encoder.engines().items()} == {"text": 1, "image": 2}


def test_output_that_is_no_numbers_is_the_items_fault_alone(
    gallery: Gallery, packer: PackProcessor, tmp_path: Path
) -> None:
    folder = add_tiny_image(write_tiny_pack(tmp_path / "overflowing"))
    manifest = (folder / "manifest.json").read_text()
    # A std so small that the sum over a red picture overflows.
    (folder / "manifest.json").write_text(manifest.replace('"std": [\n    127.5', '"std": [\n    4e-37', 1))
    encoder = EncodeProcessor.of(load_pack(folder), gallery, threads=1)
    good = packer.prepare(ingested(received(post_of("hello"))))
    bad = with_pictures(gallery, packer, "hello", ["red"])
    fine, broken = encoder.process([encoder.prepare(good), encoder.prepare(bad)])
    assert isinstance(fine, Record)
    assert isinstance(broken, ProcessingError)
    assert (broken.cause, broken.field) == ("poison", "encode.image")
    assert isinstance(good.pack, PackSection)
