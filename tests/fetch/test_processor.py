"""The fetch stage as a whole, with decoders that say what they are told; the real one is in `test_decoded`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from processors.contract import TransientError, is_async
from processors.fetch import FetchOptions
from processors.fetch.items import spread
from processors.fetch.processor import MAX_PICTURES, NOMINAL_BYTES
from processors.media.layout import object_key
from processors.media.store import MediaMissing, MediaStore, StoreError
from schemas import KnownContent, Modality, Stage, Status, decode_record, encode_record
from tests.fetch.stage_parts import (
    Decoder,
    Known,
    at,
    fetched,
    inline,
    one,
    pictures,
    png,
    processor,
    reason,
    record_of,
    run,
    without,
)


def test_it_is_an_asynchronous_stage(store: MediaStore) -> None:
    stage = processor(store, FetchOptions(concurrency=7))
    assert is_async(stage)
    assert (stage.stage, stage.concurrency) == (Stage.FETCH, 7)


def test_a_picture_is_stored_and_described(store: MediaStore) -> None:
    data = png("cat")
    record = one(processor(store), record_of(inline(data)))
    assert record.fetch is not None
    (media,) = record.fetch.media
    assert (media.media_id, media.kind, media.type, media.bytes) == ("m-1", "image", "image/png", len(data))
    assert (media.width, media.height) == (40, 20)
    assert media.sha256 == hashlib.sha256(data).hexdigest()
    assert media.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
    (picture,) = media.pictures
    assert (picture.width, picture.height, picture.scale, picture.t, picture.pdq_quality) == (20, 10, 2.0, None, 80)
    assert store.get("acme", media.sha256) == data
    assert store.get("acme", picture.object) == b"cat/0"
    assert record.route == without(Stage.ASR)
    assert {name: found.status for name, found in record.modalities.items()} == {"text": "ok", "speech": "absent"}


def test_bytes_in_the_post_do_not_travel_on(store: MediaStore) -> None:
    data = png("cat" * 30_000)
    record = one(processor(store), record_of(inline(data), inline(b"?" * 300_000, "m-2")))
    first, second = record.post.media
    assert (first.data, first.uri) == (None, f"store:{hashlib.sha256(data).hexdigest()}")
    assert (second.data, second.uri) == (None, f"store:{hashlib.sha256(b'?' * 300_000).hexdigest()}")
    assert len(encode_record(record)) < 5_000
    assert decode_record(encode_record(record)) == record


def test_a_record_that_was_fetched_can_be_fetched_again_from_the_store(store: MediaStore) -> None:
    first = one(processor(store), record_of(inline(png("cat"))))
    again = one(processor(store), replace(first, fetch=None))
    assert again == first


def test_what_a_sender_calls_it_does_not_count(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(png("cat"), kind="audio")))
    assert record.fetch is not None
    assert record.fetch.media[0].kind == "image"
    assert record.modalities["speech"].status is Status.ABSENT
    assert "image" not in record.modalities


def test_bytes_of_no_known_type_fail_the_modality(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(b"<html>"), inline(b"%PDF-1.7", "m-2")))
    assert "m-1: its bytes are no picture, video or sound of a known type" in reason(record)
    assert "m-2: " in reason(record)
    assert reason(record, "ocr") == reason(record)


def test_a_broken_picture_fails_its_modality_and_not_the_post(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(png("broken"))))
    assert reason(record) == "m-1: it ends too early"
    assert record.route == without(Stage.OCR, Stage.ASR)


def test_a_good_picture_beside_a_broken_one_is_still_read(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(png("broken")), inline(png("cat"), "m-2")))
    assert reason(record) == "m-1: it ends too early"
    assert record.route == without(Stage.ASR)
    assert record.fetch is not None
    assert [len(media.pictures) for media in record.fetch.media] == [0, 1]


def test_what_the_decoder_left_out_makes_the_modality_partial(store: MediaStore) -> None:
    record = one(processor(store), record_of(inline(png("long", 8))))
    assert record.modalities["image"] == Modality(status=Status.PARTIAL, reason="m-1: 8 of its 90 frames are looked at")
    assert record.modalities["ocr"] == record.modalities["image"]


def test_known_content_is_told_even_of_what_cannot_be_decoded(store: MediaStore) -> None:
    data = png("broken")
    known = Known(md5=hashlib.md5(data, usedforsecurity=False).hexdigest(), pdq=f"{0:064x}")
    record = one(processor(store, known=known), record_of(inline(data), inline(png("cat"), "m-2")))
    assert record.fetch is not None
    assert [media.known for media in record.fetch.media] == [
        (KnownContent(list="terror", by="md5"),),
        (KnownContent(list="near", by="pdq", distance=3),),
    ]


def test_an_album_that_fits_is_kept_whole(store: MediaStore) -> None:
    items = [inline(png("moving", 8), "m-0"), *(inline(png(f"{n}"), f"m-{n}") for n in range(1, 25))]
    record = one(processor(store), record_of(*items))
    assert pictures(record) == [8] + [1] * 24
    assert "image" not in record.modalities


def test_every_item_has_a_picture_before_any_has_two(store: MediaStore) -> None:
    items = [inline(png(f"moving {n}", 8), f"m-{n}") for n in range(10)]
    record = one(processor(store), record_of(*items))
    assert sum(pictures(record)) == MAX_PICTURES
    assert min(pictures(record)) == 1
    assert record.modalities["image"].status is Status.PARTIAL
    assert "of its 8 pictures are looked at, since the post has too many" in (record.modalities["image"].reason or "")


def test_more_items_than_pictures_are_all_looked_up_and_the_first_are_kept(store: MediaStore) -> None:
    last = hashlib.md5(png("39"), usedforsecurity=False).hexdigest()
    decoder = Decoder()
    stage = processor(store, decoder=decoder, known=Known(md5=last))
    record = one(stage, record_of(*(inline(png(f"{n}"), f"m-{n}") for n in range(40))))
    assert pictures(record) == [1] * MAX_PICTURES + [0] * 8
    assert len(decoder.decoded) == MAX_PICTURES, "what nobody will look at is not decoded"
    assert record.fetch is not None
    assert record.fetch.media[-1].known == (KnownContent(list="terror", by="md5"),)
    assert "m-32: it is not looked at, since the post has too many pictures" in (record.modalities["ocr"].reason or "")
    assert record.modalities["ocr"].status is Status.PARTIAL


def test_frames_that_are_kept_are_spread_evenly() -> None:
    made = run(Decoder().decode(png("moving", 8))).pictures
    assert [made.index(picture) for picture in spread(made, 3)] == [0, 3, 7]
    assert spread(made, 8) == made
    assert [made.index(picture) for picture in spread(made, 1)] == [0]
    assert spread(made, 0) == ()


def is_there(store: MediaStore, sha256: str) -> bool:
    try:
        store.get("acme", sha256)
    except MediaMissing:
        return False
    return True


def test_a_deleted_post_is_forgotten(store: MediaStore) -> None:
    stage = processor(store)
    record = one(stage, record_of(inline(png("cat"))))
    assert record.fetch is not None
    objects = [record.fetch.media[0].sha256, record.fetch.media[0].pictures[0].object]
    assert all(is_there(store, sha256) for sha256 in objects)
    gone = replace(record_of(), deleted=True)
    assert one(stage, gone) == gone
    assert not any(is_there(store, sha256) for sha256 in objects)


def test_a_picture_that_another_post_needs_outlives_a_deletion(store: MediaStore) -> None:
    stage = processor(store)
    record, _ = fetched(stage, record_of(inline(png("cat"))), record_of(inline(png("cat")), post_id="p-2"))
    assert record.fetch is not None
    one(stage, replace(record_of(), deleted=True))
    assert is_there(store, record.fetch.media[0].sha256)
    one(stage, replace(record_of(post_id="p-2"), deleted=True))
    assert not is_there(store, record.fetch.media[0].sha256)


def test_a_store_that_is_away_is_our_fault_however_often_it_was_tried(tmp_path: Path) -> None:
    store = MediaStore.open(str(tmp_path / "store"))
    (tmp_path / "store").write_text("in the way")
    for record in (record_of(inline(png("cat")), attempt=99), replace(record_of(attempt=99), deleted=True)):
        with pytest.raises(TransientError, match="media store"):
            one(processor(store), record)


def test_broken_decoders_are_our_fault_however_often_it_was_tried(store: MediaStore) -> None:
    decoder = Decoder()
    decoder.broken = True
    with pytest.raises(TransientError, match="no process can be started"):
        one(processor(store, decoder=decoder), record_of(inline(png("cat")), attempt=99))


def test_a_damaged_object_of_the_store_is_not_judged(tmp_path: Path, store: MediaStore) -> None:
    address = run(store.put("acme", "p-0", png("cat")))
    (tmp_path / "store" / object_key("acme", address).path).write_bytes(png("dog"))
    record = one(processor(store), record_of(at(f"store:{address}")))
    assert reason(record) == "m-1: it is not in the media store of this tenant"


def test_cost_counts_bytes_that_are_there_and_estimates_others(store: MediaStore) -> None:
    stage = processor(store)
    assert stage.cost(record_of(inline(b"1234"), at("https://a.example/x", "m-2"))) == 4 + NOMINAL_BYTES
    assert stage.cost(replace(record_of(), deleted=True)) == 1


def test_networks_that_are_none_are_an_error_before_anything_runs(store: MediaStore) -> None:
    with pytest.raises(ValueError, match="not-a-network"):
        processor(store, FetchOptions(allowed_networks=("not-a-network",)))


def test_prefixes_that_make_no_sense_are_an_error_before_anything_runs(store: MediaStore) -> None:
    with pytest.raises(ValueError, match=r"media\.cloud_prefixes"):
        processor(store, FetchOptions(cloud_prefixes=("bucket",)))


def test_a_cloud_without_an_account_is_an_error_before_anything_runs(
    store: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    with pytest.raises(StoreError, match="az://bucket"):
        processor(store, FetchOptions(cloud_prefixes=("az://bucket/posts/",)))
