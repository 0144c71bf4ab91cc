"""Sounds and videos as people send them who want to break a decoder. Made from a seed: the same each time."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from io import BytesIO

import av
import numpy as np

from tests.hostile_pictures import BOMB_SIDE, png_of
from tests.media.drawn import photo
from tests.media.sounded import add_sound, sound, sound_stream, tone, video, with_cover

Maker = Callable[[random.Random], bytes]

SOUNDS = ("wav", "mp3", "flac", "ogg", "adts", "mp4", "webm", "matroska", "avi")
VIDEOS = ("mp4", "mov", "webm", "matroska", "avi")
MAGICS = (
    b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2",
    b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ",
    b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm",
    b"RIFF\xff\xff\x00\x00WAVEfmt \x10\x00\x00\x00",
    b"RIFF\xff\xff\x00\x00AVI LIST",
    b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead",
    b"fLaC\x80\x00\x00\x22",
    b"ID3\x03\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64",
    b"\xff\xfb\x90\x64",
    b"\xff\xf1\x50\x80",
)
TEN_HOURS_S = 36_000


def hostile_media(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of `count` files: each kind of attack in turn, every time with other details."""
    rng = random.Random(seed)
    for index in range(count):
        maker = _MAKERS[index % len(_MAKERS)]
        yield f"{index:04}-{maker.__name__.strip('_').replace('_', '-')}", maker(rng)


@lru_cache(maxsize=32)
def _sound(container: str) -> bytes:
    return sound(np.concatenate([tone(1.5, 300), tone(1.5, 900)], axis=1), container)


@lru_cache(maxsize=32)
def _video(container: str) -> bytes:
    frames = [photo(at // 6, 96, 64) for at in range(36)]
    return video(frames, container, samples=None if container == "mov" else tone(1.4), faststart=container == "mp4")


def _any_valid(rng: random.Random) -> bytes:
    return _video(rng.choice(VIDEOS)) if rng.random() < 0.5 else _sound(rng.choice(SOUNDS))


# Files that were cut, or changed on the way.


def _truncated(rng: random.Random) -> bytes:
    data = _any_valid(rng)
    return data[: rng.randrange(1, len(data))]


def _bits_flipped(rng: random.Random) -> bytes:
    data = bytearray(_any_valid(rng))
    for _ in range(rng.randrange(1, 60)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _bits_flipped_in_the_header(rng: random.Random) -> bytes:
    data = bytearray(_any_valid(rng))
    for _ in range(rng.randrange(1, 10)):
        data[rng.randrange(12, min(400, len(data)))] = rng.randrange(256)
    return bytes(data)


def _bytes_of_the_index_changed(rng: random.Random) -> bytes:
    data = bytearray(_video(rng.choice(("mp4", "mov"))))
    at = data.index(b"moov")
    for _ in range(rng.randrange(1, 12)):
        data[rng.randrange(at, min(len(data), at + 1_500))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
    return bytes(data)


def _stretch_repeated(rng: random.Random) -> bytes:
    data = _any_valid(rng)
    start = rng.randrange(len(data))
    stretch = data[start : start + rng.randrange(1, 4_000)]
    return data[:start] + stretch * rng.randrange(2, 30) + data[start:]


def _empty(_: random.Random) -> bytes:
    return b""


def _random_bytes_behind_a_magic(rng: random.Random) -> bytes:
    return rng.choice(MAGICS) + rng.randbytes(rng.randrange(0, 40_000))


def _zeros_behind_a_magic(rng: random.Random) -> bytes:
    return rng.choice(MAGICS) + bytes(rng.randrange(0, 40_000))


def _wrong_container(rng: random.Random) -> bytes:
    """The magic of one format before the whole or the body of another."""
    return rng.choice(MAGICS) + _any_valid(rng)[rng.choice((0, 8, 64)) :]


def _two_files_in_one(rng: random.Random) -> bytes:
    return _any_valid(rng) + _any_valid(rng)


# Headers that lie.


def _ten_hours(rng: random.Random) -> bytes:
    kind = rng.choice(("flac", "mp4", "wav", "matroska"))
    if kind == "mp4":
        data = bytearray(_video("mp4"))
        for box in (b"mvhd", b"mdhd", b"tkhd"):
            at = data.index(box) + (24 if box == b"tkhd" else 20)
            data[at : at + 4] = struct.pack(">I", 0x7FFFFFFF)
        return bytes(data)
    data = bytearray(_sound(kind))
    if kind == "flac":
        data[21:26] = struct.pack(">Q", (data[21] >> 4) << 36 | TEN_HOURS_S * 48_000)[3:]
    elif kind == "wav":
        at = data.index(b"data") + 4
        data[at : at + 4] = data[4:8] = b"\xff\xff\xff\x7f"
    else:
        at = data.index(b"\x44\x89\x88") + 3  # the element Duration, of 8 bytes
        data[at : at + 8] = struct.pack(">d", rng.choice((TEN_HOURS_S * 1_000.0, 1e300, float("nan"), -1.0)))
    return bytes(data)


def _huge_frames(rng: random.Random) -> bytes:
    """Frames of gigapixels, says the header of a small video."""
    data = bytearray(_video("matroska"))
    for element in (b"\xb0\x81\x60", b"\xba\x81\x40"):  # PixelWidth 96, PixelHeight 64
        at = data.index(element) + 2
        data[at] = rng.choice((0, 1, 255))
    mp4 = bytearray(_video("mp4"))
    at = mp4.index(b"avc1") + 28
    mp4[at : at + 4] = struct.pack(">HH", 65_535, 65_535)
    return bytes(rng.choice((data, mp4)))


def _samples_without_end(rng: random.Random) -> bytes:
    """An MP4 whose tables count more samples than there are bytes."""
    data = bytearray(_video("mp4"))
    for box, offset in ((b"stts", 12), (b"stsz", 12), (b"stsc", 8), (b"ctts", 8), (b"stco", 8)):
        at = data.find(box)
        if at >= 0 and rng.random() < 0.5:
            data[at + offset : at + offset + 4] = struct.pack(">I", rng.choice((0, 2**20, 2**31 - 1, 2**32 - 1)))
    return bytes(data)


def _jumping_timestamps(rng: random.Random) -> bytes:
    buffer = BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        stream = sound_stream(output, tone(0.1), 48_000, "flac")
        pause_s = rng.choice((5.0, 100.0, 1e5))
        add_sound(output, stream, tone(0.4), 48_000, pause_after_s=0.2, pause_s=pause_s)
    return buffer.getvalue()


def _odd_sample_rate(rng: random.Random) -> bytes:
    data = bytearray(_sound("wav"))
    data[22:24] = struct.pack("<H", rng.choice((0, 1, 3, 64, 65_535)))
    data[24:28] = struct.pack("<I", rng.choice((0, 1, 7_999, 2**31 - 1, 2**32 - 1)))
    return bytes(data)


# Much of a kind.


@lru_cache(maxsize=1)
def _streams(count: int) -> bytes:
    buffer = BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        streams = [sound_stream(output, tone(0.1), 48_000, "flac") for _ in range(count)]
        for stream in streams:
            add_sound(output, stream, tone(0.04), 48_000)
    return buffer.getvalue()


def _many_streams(_: random.Random) -> bytes:
    return _streams(120)


def _many_boxes(rng: random.Random) -> bytes:
    """Boxes in boxes in boxes, or a hundred thousand side by side."""
    body = b""
    if rng.random() < 0.5:
        for _ in range(3_000):
            body = struct.pack(">I", len(body) + 8) + b"moov" + body
    else:
        body = (struct.pack(">I", 8) + rng.choice((b"free", b"trak", b"moov"))) * 100_000
    return MAGICS[0] + body


def _chained(rng: random.Random) -> bytes:
    return _sound("ogg") * rng.randrange(20, 60)


def _many_tags(rng: random.Random) -> bytes:
    tag = b"ID3\x03\x00\x00\x00\x00\x00\x7f" + bytes(0x7F)
    return tag * rng.choice((2, 9, 5_000)) + _sound("mp3")


def _cover_bomb(rng: random.Random) -> bytes:
    bomb = png_of(BOMB_SIDE, BOMB_SIDE, 8, 2, rng.randbytes(200))
    return with_cover(_sound("mp3"), bomb, "image/png", copies=rng.choice((1, 50)))


def _script(rng: random.Random) -> bytes:
    """What names other files, behind a magic or not."""
    playlist = b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    concat = b"ffconcat version 1.0\nfile /etc/passwd\n"
    return rng.choice((b"", *MAGICS)) + rng.choice((playlist, concat))


_MAKERS: tuple[Maker, ...] = (
    _truncated,
    _bits_flipped,
    _bits_flipped_in_the_header,
    _random_bytes_behind_a_magic,
    _bytes_of_the_index_changed,
    _truncated,
    _bits_flipped,
    _ten_hours,
    _huge_frames,
    _samples_without_end,
    _stretch_repeated,
    _empty,
    _zeros_behind_a_magic,
    _wrong_container,
    _two_files_in_one,
    _jumping_timestamps,
    _odd_sample_rate,
    _many_streams,
    _many_boxes,
    _chained,
    _many_tags,
    _cover_bomb,
    _script,
)
