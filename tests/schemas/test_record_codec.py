"""Records in msgpack: round trips, arrays without copies, newer versions and hostile bytes."""

from __future__ import annotations

import random
import struct
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from schemas import (
    MAX_MESSAGE_BYTES,
    Action,
    Decision,
    EncodeSection,
    FieldSpan,
    FieldView,
    IngestSection,
    InvalidRecord,
    Media,
    Modality,
    NewerVersion,
    OffsetMap,
    PackSection,
    Post,
    Record,
    Source,
    Stage,
    Status,
    Versions,
    Window,
    decode_record,
    encode_record,
)

SOURCE = Source(topic="moderation.posts", partition=3, offset=4711, timestamp_ms=1795316079641)


def example(**sections: Any) -> Record:
    return Record(
        post=Post(post_id="p-1", text="hello", metadata={"n": 2**64 - 1}),
        source=SOURCE,
        content_hash="0" * 64,
        received_ms=1795316079650,
        route=(Stage.INGEST, Stage.PACK, Stage.ENCODE, Stage.FUSE),
        **sections,
    )


def full(logits: NDArray[np.float32] | None = None) -> Record:
    view = FieldView(original_length=5, text="hello", text_map=OffsetMap.identity(5))
    window = Window(ids=np.array([0, 17, 2], np.int32), view="text", spans=(FieldSpan("text", 0, 5),))
    return example(
        ingest=IngestSection(lang="en", lang_confidence=0.98, fields={"text": view}),
        pack=PackSection(windows=(window,), features={"emoji": 0.25}, unread=("parent",)),
        encode=EncodeSection(
            logits=np.array([[0.5, -1.0]], np.float32) if logits is None else logits,
            embedding=np.linspace(0, 1, 384, dtype=np.float32),
        ),
        decision=Decision(
            decision_id="d-1",
            post_id="p-1",
            tenant="default",
            lang=None,
            source=SOURCE,
            action=Action.REVIEW,
            confidence=0.8,
            labels={"abuse": 0.9},
            severity=2,
            modalities={"text": Modality(status=Status.OK, score=0.9)},
            versions=Versions(code="1", pack="p@1", policy="q@1", layers=("default",)),
            decided_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
        ),
        modalities={"text": Modality(status=Status.PARTIAL, reason="too long")},
        timings_ms={"ingest": 1.25},
        attempt=3,
    )


def patched(**fields: Any) -> bytes:
    """A record's bytes with top-level fields replaced by any msgpack."""
    tree = msgspec.msgpack.decode(encode_record(full()), ext_hook=msgspec.msgpack.Ext)
    return msgspec.msgpack.encode({**tree, **fields})


def test_a_fresh_record_survives() -> None:
    assert decode_record(encode_record(example())) == example()


def test_a_record_with_every_section_survives() -> None:
    raw = encode_record(full())
    record = decode_record(raw)
    assert encode_record(record) == raw
    assert record.decision == full().decision
    assert record.ingest == full().ingest
    assert record.pack is not None
    assert record.encode is not None
    assert record.pack.windows[0].ids.tolist() == [0, 17, 2]
    assert record.encode.logits.shape == (1, 2)
    assert record.encode.embedding.dtype == np.float32


def test_inline_media_stays_bytes() -> None:
    media = Media(media_id="m-1", kind="image", data=bytes(range(256)) * 100)
    record = msgspec.structs.replace(example(), post=Post(post_id="p-1", media=(media,)))
    raw = encode_record(record)
    assert len(raw) < 26_000
    assert decode_record(raw) == record


def test_decoded_arrays_are_read_only_views_of_the_message() -> None:
    raw = encode_record(full())
    record = decode_record(raw)
    assert record.encode is not None
    embedding = record.encode.embedding
    assert not embedding.flags.writeable
    assert np.shares_memory(embedding, np.frombuffer(raw, np.uint8))


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_arrays_survive_to_the_bit(rows: int, columns: int, seed: int) -> None:
    bits = np.random.default_rng(seed).integers(0, 2**32, (rows, columns), dtype=np.uint32)
    record = decode_record(encode_record(full(bits.view(np.float32))))
    assert record.encode is not None
    assert record.encode.logits.shape == (rows, columns)
    assert record.encode.logits.tobytes() == bits.tobytes()


def test_arrays_that_do_not_lie_in_order_survive() -> None:
    logits = np.arange(24, dtype=np.float32).reshape(4, 6)[::2, ::-2].T
    record = decode_record(encode_record(full(logits)))
    assert record.encode is not None
    assert record.encode.logits.tolist() == logits.tolist()


def test_a_section_refuses_an_array_of_another_type_or_rank() -> None:
    with pytest.raises(ValueError, match="ids must be an array of int32 with 1 dimension"):
        Window(ids=np.zeros(3, np.int64), view="text", spans=())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="logits must be an array of float32 with 2 dimensions"):
        EncodeSection(logits=np.zeros(3, np.float32), embedding=np.zeros(3, np.float32))


def test_later_additions_are_ignored_and_absent_ones_have_defaults() -> None:
    assert decode_record(patched(perceiver={"latents": [1]}, modalities={})).modalities == {}
    old = msgspec.msgpack.decode(encode_record(example()))
    for name in ("ingest", "pack", "encode", "decision", "modalities", "timings_ms", "attempt"):
        del old[name]
    assert decode_record(msgspec.msgpack.encode(old)) == example()


@pytest.mark.parametrize("schema", ["record/2", "record/17"])
def test_a_newer_version_is_named_before_anything_else_is_looked_at(schema: str) -> None:
    with pytest.raises(NewerVersion) as caught:
        decode_record(msgspec.msgpack.encode({"schema": schema, "post": 5, "route": "by another rule"}))
    assert caught.value.found == schema


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        b'{"post_id": "p-1", "text": "a post, no record"}',
        msgspec.msgpack.encode([]),
        msgspec.msgpack.encode({}),
        msgspec.msgpack.encode({"schema": 1}),
        msgspec.msgpack.encode({"schema": "record/0"}),
        msgspec.msgpack.encode({"schema": "record/-1"}),
        msgspec.msgpack.encode({"schema": "record/2\n"}),
        msgspec.msgpack.encode({"schema": "record/" + "9" * 5000}),
        msgspec.msgpack.encode({"schema": "post/1"}),
        msgspec.msgpack.encode({"schema": "record/1"}),
        b"\x82\xa6schema\xa8record/1\xa5route\xdd\xff\xff\xff\xff",
        b"\x82\xa6schema\xa8record/1\xa7attempt\xdf\xff\xff\xff\xff",
        b"\x82\xa6schema\xa8record/1\xa1x" + b"\x91" * 100_000,
        b"\xdf\xff\xff\xff\xff",
        b"\x81\xa6schema\xa2\xff\xff",
        encode_record(example()) + b"\x00",
        encode_record(full())[:-1],
        b"\x00" * (MAX_MESSAGE_BYTES + 1),
        patched(route=["ingest", "no-such-stage"]),
        patched(attempt="1"),
        patched(post={"text": "no id"}),
        patched(encode={"logits": "text", "embedding": "text"}),
        patched(pack={"windows": [{"ids": [1, 2], "view": "text", "spans": []}], "features": {}}),
        patched(ingest={"lang": "en", "lang_confidence": 1.0, "fields": {"body": {}}}),
    ],
)
def test_bytes_that_are_no_record_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode_record(raw)
    assert len(str(caught.value)) <= 400


FLOAT32 = 1


@pytest.mark.parametrize(
    "array",
    [
        b"",
        bytes([FLOAT32]),
        struct.pack("<BB", FLOAT32, 2),
        struct.pack("<BBII", FLOAT32, 2, 1, 1),
        struct.pack("<BBII", FLOAT32, 2, 2**32 - 1, 2**32 - 1),
        struct.pack("<BBIIf", FLOAT32, 2, 1, 2, 0.5),
        struct.pack("<BBIIff", FLOAT32, 2, 1, 1, 0.5, 0.5),
        struct.pack("<BBIIB", FLOAT32, 2, 0, 7, 1),
        struct.pack("<BBIIf", 200, 2, 1, 1, 0.5),
        struct.pack("<BB5If", FLOAT32, 5, 1, 1, 1, 1, 1, 0.5),
        struct.pack("<BBIf", FLOAT32, 1, 1, 0.5),
        struct.pack("<BBIIi", 0, 2, 1, 1, 5),
    ],
)
def test_broken_arrays_are_refused(array: bytes) -> None:
    embedding = msgspec.msgpack.Ext(1, struct.pack("<BBIf", FLOAT32, 1, 1, 0.5))
    good = msgspec.msgpack.Ext(1, struct.pack("<BBIIf", FLOAT32, 2, 1, 1, 0.5))
    decode_record(patched(encode={"logits": good, "embedding": embedding}))
    with pytest.raises(InvalidRecord):
        decode_record(patched(encode={"logits": msgspec.msgpack.Ext(1, array), "embedding": embedding}))
    with pytest.raises(InvalidRecord):
        decode_record(patched(encode={"logits": msgspec.msgpack.Ext(9, b"x"), "embedding": embedding}))


def test_damaged_records_are_refused_or_read_and_never_crash() -> None:
    raw, chance = encode_record(full()), random.Random(7)
    for _ in range(5_000):
        damaged = bytearray(raw)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            decode_record(bytes(damaged))
        except (InvalidRecord, NewerVersion):
            continue


@given(st.binary())
def test_any_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRecord):
        decode_record(raw)


@pytest.mark.parametrize("value", [np.zeros(1, np.complex64), np.array(["text"]), np.array([object()]), {1, 2}])
def test_what_may_not_travel_is_not_encoded(value: object) -> None:
    record = msgspec.structs.replace(example(), post=Post(post_id="p-1", text="x", metadata={"a": value}))
    if isinstance(value, set):
        assert decode_record(encode_record(record)).post.metadata == {"a": [1, 2]}
    else:
        with pytest.raises(NotImplementedError, match="a record cannot hold"):
            encode_record(record)
