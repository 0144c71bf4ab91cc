"""What passes between a pool and its decoders.

To a decoder: 8 bytes of length (big-endian), then the item's bytes. From it: 4 bytes of length, a header in msgpack,
then the bytes of the pictures that the header names, one after the other, and of the sound.

A decoder that has parsed hostile bytes may be somebody else's by now: what it says is checked against limits that its
reader knows, before anything is allocated.
"""

from __future__ import annotations

import asyncio
import math
import struct
from typing import Annotated, BinaryIO, Literal, cast

import msgspec
from msgspec import Meta, Struct

from processors.media.decoder.decoded import (
    MAX_COVERS,
    MAX_REASON_CHARS,
    Decoded,
    DecodedPicture,
    DecodedSound,
    DecoderLimits,
    Gap,
    printable,
)
from processors.media.decoder.objects import object_size
from processors.media.decoder.tiles import MAX_TILES
from processors.media.wav import HEADER_BYTES, RATE, SAMPLE_BYTES, sample_count

MAX_HEADER_BYTES = 128 * 1024
"""Some 150 bytes for each of 256 pictures, and to spare."""

_SLICE = 256 * 1024
"""Bytes that are written before the pipe must have taken most of them: a second copy of a whole item is not kept."""

_LENGTH = struct.Struct(">I")
_ITEM_LENGTH = struct.Struct(">Q")

Pixels = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=1_000_000_000)]


class Ready(Struct, frozen=True, tag_field="kind", tag="ready"):
    """All libraries are loaded and the limits hold: items may come."""


class Begun(Struct, frozen=True, tag_field="kind", tag="begun"):
    """All bytes of an item are here: what happens from now on is its doing."""


class Refused(Struct, frozen=True, tag_field="kind", tag="refused"):
    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARS)]
    spent: bool = False
    """Memory ran out, and some of it may be lost for good."""


class PictureHead(Struct, frozen=True, array_like=True):
    """`DecodedPicture`, its data told by their length."""

    bytes: Annotated[int, Meta(ge=1)]
    width: Pixels
    height: Pixels
    scale: Annotated[float, Meta(ge=1, le=1_000_000_000)]
    origin: tuple[Annotated[float, Meta(ge=0)], Annotated[float, Meta(ge=0)]]
    t: Annotated[float, Meta(ge=0)] | None
    pdq: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    pdq_quality: Annotated[int, Meta(ge=0, le=100)]


class SoundHead(Struct, frozen=True, array_like=True):
    """`DecodedSound`, its data told by their length."""

    bytes: Annotated[int, Meta(gt=HEADER_BYTES)]
    t: Seconds


class GapSaid(Struct, frozen=True, array_like=True):
    """`Gap`."""

    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARS)]
    failed: bool


class Made(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="made"):
    medium: Literal["image", "video", "audio"]
    type: Annotated[str, Meta(max_length=64)]
    width: Pixels | None = None
    height: Pixels | None = None
    seconds: Seconds | None = None
    pictures: tuple[PictureHead, ...] = ()
    sound: SoundHead | None = None
    picture_gap: GapSaid | None = None
    sound_gap: GapSaid | None = None


Reply = Ready | Begun | Refused | Made

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Reply)


class ProtocolViolation(Exception):
    """A decoder says what no decoder of ours says."""


# The decoder's side: blocking.


def read_item(stream: BinaryIO) -> bytes | None:
    """The next item; None when no more come."""
    head = stream.read(_ITEM_LENGTH.size)
    if len(head) < _ITEM_LENGTH.size:
        return None
    (length,) = _ITEM_LENGTH.unpack(head)
    data = stream.read(length)
    return data if len(data) == length else None


def write_reply(stream: BinaryIO, reply: Ready | Begun | Refused) -> None:
    header = _ENCODER.encode(reply)
    stream.write(_LENGTH.pack(len(header)) + header)
    stream.flush()


def write_decoded(stream: BinaryIO, decoded: Decoded) -> None:
    heads = tuple(
        PictureHead(len(one.data), one.width, one.height, one.scale, one.origin, one.t, one.pdq, one.pdq_quality)
        for one in decoded.pictures
    )
    sound = decoded.sound
    header = _ENCODER.encode(
        Made(
            medium=decoded.kind,
            type=decoded.type,
            width=decoded.width,
            height=decoded.height,
            seconds=decoded.seconds,
            pictures=heads,
            sound=SoundHead(len(sound.data), sound.t) if sound else None,
            picture_gap=_said(decoded.picture_gap),
            sound_gap=_said(decoded.sound_gap),
        )
    )
    stream.write(_LENGTH.pack(len(header)) + header)
    for one in decoded.pictures:
        stream.write(one.data)
    if sound:
        stream.write(sound.data)
    stream.flush()


def _said(gap: Gap | None) -> GapSaid | None:
    return GapSaid(printable(gap.reason), gap.failed) if gap else None


# The pool's side: asynchronous.


async def send_item(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Raises OSError where the decoder is gone."""
    writer.write(_ITEM_LENGTH.pack(len(data)))
    view = memoryview(data)
    for start in range(0, len(data), _SLICE):
        writer.write(view[start : start + _SLICE])
        await writer.drain()
    await writer.drain()


async def receive_reply(reader: asyncio.StreamReader) -> Reply:
    """Raises `ProtocolViolation`, and `asyncio.IncompleteReadError` where the decoder is gone."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_HEADER_BYTES:
        raise ProtocolViolation(f"a header of {length:,} bytes")
    try:
        return cast("Reply", _DECODER.decode(await reader.readexactly(length)))
    except msgspec.DecodeError as error:
        raise ProtocolViolation(f"a header that cannot be read ({error})") from None


async def receive_decoded(reader: asyncio.StreamReader, made: Made, media_type: str, limits: DecoderLimits) -> Decoded:
    """What follows `made`, the answer to an item of `media_type`. Raises as `receive_reply` does."""
    _check(made, media_type, limits)
    pictures: list[DecodedPicture] = []
    for head in made.pictures:
        data = await reader.readexactly(head.bytes)
        if object_size(data) != (head.width, head.height):
            raise ProtocolViolation("a picture that is not what it says")
        pictures.append(DecodedPicture(data=data, **{name: getattr(head, name) for name in _SHARED}))
    return Decoded(
        kind=made.medium,
        type=made.type,
        width=made.width,
        height=made.height,
        seconds=made.seconds,
        pictures=tuple(pictures),
        sound=await _receive_sound(reader, made.sound) if made.sound else None,
        picture_gap=_gap(made.picture_gap),
        sound_gap=_gap(made.sound_gap),
    )


_SHARED = ("width", "height", "scale", "origin", "t", "pdq", "pdq_quality")


async def _receive_sound(reader: asyncio.StreamReader, head: SoundHead) -> DecodedSound:
    data = await reader.readexactly(head.bytes)
    try:
        count = sample_count(data)
    except ValueError:
        raise ProtocolViolation("a sound that is not what it says") from None
    return DecodedSound(data=data, seconds=count / RATE, t=head.t)


def _gap(said: GapSaid | None) -> Gap | None:
    return Gap(reason=said.reason, failed=said.failed) if said else None


def most_bytes(limits: DecoderLimits) -> int:
    """Of one picture: pixels that cannot be compressed, and what their container adds."""
    return 4 * limits.picture_side**2 + 64 * 1024


def _check(made: Made, media_type: str, limits: DecoderLimits) -> None:
    if made.type != media_type:
        raise ProtocolViolation(f"an item of another type ({made.type!r})")
    if not made.pictures and made.sound is None:
        raise ProtocolViolation("nothing")
    if (made.medium == "image") != media_type.startswith("image/"):
        raise ProtocolViolation(f"an item of another kind ({made.medium})")
    if made.medium == "image" and (made.sound is not None or made.seconds is not None):
        raise ProtocolViolation("a picture that sounds")
    if made.medium != "image" and made.seconds is None:
        raise ProtocolViolation("a medium without a length")
    if len(made.pictures) > _most_pictures(made, limits):
        raise ProtocolViolation(f"{len(made.pictures):,} pictures")
    if made.seconds is not None and not math.isfinite(made.seconds):
        raise ProtocolViolation("numbers that are none")
    if made.sound is not None:
        _check_sound(made.sound, made.seconds or 0.0, limits)
    if made.pictures:
        _check_pictures(made, limits)


def _check_sound(head: SoundHead, whole_s: float, limits: DecoderLimits) -> None:
    seconds = limits.moving.max_seconds if limits.moving else 0.0
    if head.bytes > HEADER_BYTES + SAMPLE_BYTES * math.ceil(RATE * seconds):
        raise ProtocolViolation(f"a sound of {head.bytes:,} bytes")
    if head.bytes > HEADER_BYTES + SAMPLE_BYTES * math.ceil(RATE * whole_s):  # long media have a lane of their own
        raise ProtocolViolation("a sound that lasts longer than what it is of")
    if not math.isfinite(head.t):
        raise ProtocolViolation("numbers that are none")


def _most_pictures(made: Made, limits: DecoderLimits) -> int:
    if made.medium == "image" or limits.moving is None:
        return max(limits.max_frames, MAX_TILES)
    return limits.moving.video_frames + MAX_COVERS * MAX_TILES


def _check_pictures(made: Made, limits: DecoderLimits) -> None:
    if made.width is None or made.height is None:
        raise ProtocolViolation("pictures without a size")
    if made.width * made.height > limits.max_pixels:
        raise ProtocolViolation(f"an original of {made.width:,} x {made.height:,} pixels")
    for head in made.pictures:
        if head.bytes > most_bytes(limits) or max(head.width, head.height) > limits.picture_side:
            raise ProtocolViolation(f"a picture of {head.width:,} x {head.height:,} pixels and {head.bytes:,} bytes")
        if not math.isfinite(head.scale) or (head.t is not None and not math.isfinite(head.t)):
            raise ProtocolViolation("numbers that are none")
        if not (head.origin[0] < made.width and head.origin[1] < made.height):  # so that no number that is none passes
            raise ProtocolViolation("a part that lies outside its picture")
