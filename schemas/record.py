"""`record/1`: what travels between stages, in msgpack with numpy arrays as raw buffers."""

from __future__ import annotations

import re
import struct
from typing import Any, Literal, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.decision import MAX_MESSAGE_BYTES, Decision, Flag, Modality
from schemas.offsets import OffsetMap
from schemas.post import Post
from schemas.source import Source
from schemas.taxonomy import Stage

RECORD_SCHEMA = "record/1"
RECORD_VERSION = 1

FieldName = Literal["text", "title", "parent"]


class InvalidRecord(ValueError):
    """Bytes that are no record; the message is one sentence."""


class NewerVersion(ValueError):
    """A record of a later version than this code knows; it is for newer workers and must be left where it is."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(found)

    def __str__(self) -> str:
        return f"{self.found} is newer than {RECORD_SCHEMA}, the latest that this version of modstream reads"


class FieldView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One text field as the model and the rules see it."""

    original_length: int
    """Code points of the field as it was posted."""
    text: str
    """Normalised to NFC."""
    text_map: OffsetMap
    """From `text` to the field as it was posted."""
    folded: str | None = None
    """The second view (NFKC, disguises undone), where it differs in letters or digits."""
    folded_map: OffsetMap | None = None
    """From `folded` to the field as it was posted."""


class IngestSection(msgspec.Struct, frozen=True, kw_only=True):
    """What ingest found."""

    lang: str
    lang_confidence: float
    fields: dict[FieldName, FieldView]


class FieldSpan(msgspec.Struct, frozen=True, array_like=True):
    """[start, end) in code points of a field as it was posted."""

    field: FieldName
    start: int
    end: int


class Window(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One input row of the text encoder."""

    ids: NDArray[np.int32]
    """Token ids, shape [tokens], not padded."""
    view: Literal["text", "folded"]
    spans: tuple[FieldSpan, ...]
    """What the window holds of each field."""

    def __post_init__(self) -> None:
        _check_array("ids", self.ids, np.dtype(np.int32), 1)


class PackSection(msgspec.Struct, frozen=True, kw_only=True):
    """The model's input."""

    windows: tuple[Window, ...]
    features: dict[str, float]
    unread: tuple[str, ...] = ()
    """The fields that a limit cut."""


class EncodeSection(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The text expert's output."""

    logits: NDArray[np.float32]
    """Shape [windows, heads], before calibration."""
    embedding: NDArray[np.float32]
    """Shape [dim]."""
    engine: str | None = None
    """The execution provider that it came from."""

    def __post_init__(self) -> None:
        _check_array("logits", self.logits, np.dtype(np.float32), 2)
        _check_array("embedding", self.embedding, np.dtype(np.float32), 1)


def _check_array(name: str, value: object, dtype: np.dtype[Any], rank: int) -> None:
    array = cast("NDArray[Any]", value)
    if not isinstance(value, np.ndarray) or array.dtype != dtype or array.ndim != rank:
        raise ValueError(f"{name} must be an array of {dtype} with {rank} dimension{'s' if rank > 1 else ''}")


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
    ingest: IngestSection | None = None
    pack: PackSection | None = None
    encode: EncodeSection | None = None
    decision: Decision | None = None
    flags: tuple[Flag, ...] = ()
    """The messages of the decision's flags."""
    modalities: dict[str, Modality] = {}
    timings_ms: dict[str, float] = {}
    attempt: int = 1


# An array is an extension: one byte dtype, one byte rank, each dimension as uint32, then the elements in C order,
# all little-endian.
_ARRAY_EXT = 1
_MAX_RANK = 4
_DTYPES = tuple(np.dtype(name) for name in ("<i4", "<f4", "<i8", "<f8", "<f2", "|u1", "|i1", "<u2", "<u4"))
"""The dtypes that may travel; a dtype's place is its code, so this list only grows at its end."""
_DTYPE_CODES = {dtype: code for code, dtype in enumerate(_DTYPES)}


def _encode_array(value: Any) -> msgspec.msgpack.Ext:
    if not isinstance(value, np.ndarray):
        raise NotImplementedError(f"a record cannot hold {type(value).__name__}")
    array = cast("NDArray[Any]", value)
    code = _DTYPE_CODES.get(array.dtype)
    if code is None or array.ndim > _MAX_RANK:
        raise NotImplementedError(f"a record cannot hold an array of {array.dtype} with {array.ndim} dimensions")
    header = struct.pack(f"<BB{array.ndim}I", code, array.ndim, *array.shape)
    return msgspec.msgpack.Ext(_ARRAY_EXT, header + array.tobytes())


def _decode_extension(code: int, data: memoryview) -> NDArray[Any]:
    if code != _ARRAY_EXT:
        raise ValueError(f"unknown extension {code}")
    if len(data) < 2 or data[0] >= len(_DTYPES) or data[1] > _MAX_RANK:
        raise ValueError("an array with a broken header")
    dtype, rank = _DTYPES[data[0]], data[1]
    body = 2 + 4 * rank
    if len(data) < body:
        raise ValueError("an array with a broken header")
    shape = struct.unpack_from(f"<{rank}I", data, 2)
    count = 1
    for size in shape:
        count *= size
    if len(data) - body != count * dtype.itemsize:
        raise ValueError(f"an array of shape {list(shape)} and {dtype} with {len(data) - body} bytes")
    return np.frombuffer(data, dtype=dtype, count=count, offset=body).reshape(shape)


class _Head(msgspec.Struct):
    schema: str


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_array)
_decoder = msgspec.msgpack.Decoder(Record, ext_hook=_decode_extension)
_head_decoder = msgspec.msgpack.Decoder(_Head)
_SCHEMA = re.compile(r"record/([1-9][0-9]{0,8})")


def encode_record(record: Record) -> bytes:
    """The record as msgpack. Raises NotImplementedError for an array that may not travel (see `_DTYPES`)."""
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
