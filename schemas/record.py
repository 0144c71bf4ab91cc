"""`record/1`: what travels between stages, in msgpack with numpy arrays as raw buffers."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from schemas.arrays import decode_extension, encode_array
from schemas.decision import MAX_MESSAGE_BYTES, Decision, Flag, Modality
from schemas.post import Post
from schemas.sections import (
    AsrSection,
    EncodeSection,
    FetchSection,
    IngestSection,
    OcrSection,
    PackSection,
    Picture,
    Sound,
)
from schemas.source import Source
from schemas.taxonomy import Stage

RECORD_SCHEMA = "record/1"
RECORD_VERSION = 1


class InvalidRecord(ValueError):
    """Bytes that are no record; the message is one sentence."""


class NewerVersion(ValueError):
    """A record of a later version than this code knows; it is for newer workers and must be left where it is."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(found)

    def __str__(self) -> str:
        return f"{self.found} is newer than {RECORD_SCHEMA}, the latest that this version of modstream reads"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A post on its way, with one section per stage that has run.

    Immutable: a stage returns `msgspec.structs.replace(record, its_section=...)`. Arrays of a decoded record are
    read-only views of the message's bytes.
    """

    schema: Literal["record/1"] = RECORD_SCHEMA
    post: Post
    source: Source
    content_hash: str
    """SHA-256 of the post's bytes as received, in hex."""
    received_ms: int
    """When a worker first got the post, in milliseconds since the epoch."""
    route: tuple[Stage, ...]
    """The stages of this post, in order; those that have run included."""
    deleted: bool = False
    """The post was deleted: there is nothing in it but its id, and every stage of the route forgets what it keeps."""
    long: bool = False
    """Its media are long: `ocr` and `asr` work on it in a lane of their own, where it holds no short post up."""
    ingest: IngestSection | None = None
    fetch: FetchSection | None = None
    ocr: OcrSection | None = None
    asr: AsrSection | None = None
    pack: PackSection | None = None
    encode: EncodeSection | None = None
    decision: Decision | None = None
    flags: tuple[Flag, ...] = ()
    """The messages of the decision's flags."""
    modalities: dict[str, Modality] = {}
    timings_ms: dict[str, float] = {}
    attempt: int = 1
    judge: str | None = None
    """Who judges it, where a canary has a model pack of its own: the canary's name once it has made the windows, or
    `live` for a post that was taken back from it. None: whom the post's id and the settings name."""

    @property
    def pictures(self) -> tuple[tuple[str, Picture], ...]:
        """(media id, picture) of everything that was fetched to be looked at, in order."""
        media = self.fetch.media if self.fetch is not None else ()
        return tuple((item.media_id, picture) for item in media for picture in item.pictures)

    @property
    def sounds(self) -> tuple[tuple[str, Sound], ...]:
        """(media id, sound) of everything that was fetched to be listened to, in order."""
        media = self.fetch.media if self.fetch is not None else ()
        return tuple((item.media_id, item.sound) for item in media if item.sound is not None)


class _Head(msgspec.Struct):
    schema: str


_encoder = msgspec.msgpack.Encoder(enc_hook=encode_array)
_decoder = msgspec.msgpack.Decoder(Record, ext_hook=decode_extension)
_head_decoder = msgspec.msgpack.Decoder(_Head)
_SCHEMA = re.compile(r"record/([1-9][0-9]{0,8})")


def encode_record(record: Record) -> bytes:
    """The record as msgpack. Raises NotImplementedError for an array that may not travel (see `schemas.arrays`)."""
    return _encoder.encode(record)


def decode_record(raw: bytes | bytearray | memoryview) -> Record:
    """The record in a message's value, its arrays as views of `raw`.

    Raises `NewerVersion` for a later version of records, and `InvalidRecord` for anything else that is none.
    """
    size = raw.nbytes if isinstance(raw, memoryview) else len(raw)
    if size > MAX_MESSAGE_BYTES:
        raise InvalidRecord(f"{size:,} bytes, expected at most {MAX_MESSAGE_BYTES:,}")
    try:
        version = _version(_head_decoder.decode(raw).schema)
        if version > RECORD_VERSION:
            raise NewerVersion(f"record/{version}")
        return _decoder.decode(raw)
    except (InvalidRecord, NewerVersion):
        raise
    except (ValueError, RecursionError) as error:  # msgspec's and Unicode's errors are ValueErrors
        raise InvalidRecord(f"not a record: {error}"[:400]) from None


def _version(schema: str) -> int:
    match = _SCHEMA.fullmatch(schema)
    if match is None:
        raise InvalidRecord(f"schema {schema[:64]!r}, expected {RECORD_SCHEMA!r}")
    return int(match[1])
