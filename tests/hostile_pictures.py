"""Pictures as people send them who want to break a decoder. Made from a seed: the same each time."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms

Maker = Callable[[random.Random], bytes]

BOMB_SIDE = 30_000
KINDS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
MAGICS = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    b"GIF89a",
    b"RIFF\xff\xff\x00\x00WEBPVP8 ",
    b"RIFF\xff\xff\x00\x00WEBPVP8L",
    b"BM\xff\xff\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00",
    b"II*\x00\x08\x00\x00\x00",
    b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00avifmif1",
    b"\x00\x00\x00\x20ftypheic\x00\x00\x00\x00heicmif1",
)


def hostile_pictures(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of `count` pictures: each kind of attack in turn, every time with other details."""
    rng = random.Random(seed)
    for index in range(count):
        maker = _MAKERS[index % len(_MAKERS)]
        yield f"{index:04}-{maker.__name__.strip('_').replace('_', '-')}", maker(rng)


@lru_cache(maxsize=64)
def _valid(kind: str, seed: int = 0, *, animated: bool = False) -> bytes:
    rng = np.random.default_rng(seed)
    frames = [Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)) for _ in range(4)]
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 50} if animated else {}
    buffer = BytesIO()
    frames[0].save(buffer, kind, **options)
    return buffer.getvalue()


def _any_valid(rng: random.Random) -> bytes:
    animated = rng.random() < 0.3
    return _valid(rng.choice(("GIF", "PNG", "WEBP") if animated else KINDS), rng.randrange(3), animated=animated)


# Files that were cut, or changed on the way.


def _truncated(rng: random.Random) -> bytes:
    data = _any_valid(rng)
    return data[: rng.randrange(1, len(data))]


def _bits_flipped(rng: random.Random) -> bytes:
    data = bytearray(_any_valid(rng))
    for _ in range(rng.randrange(1, 40)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _bits_flipped_behind_the_magic(rng: random.Random) -> bytes:
    data = bytearray(_any_valid(rng))
    for _ in range(rng.randrange(1, 10)):
        data[rng.randrange(16, min(200, len(data)))] = rng.randrange(256)
    return bytes(data)


def _stretch_repeated(rng: random.Random) -> bytes:
    data = _any_valid(rng)
    start = rng.randrange(len(data))
    stretch = data[start : start + rng.randrange(1, 400)]
    return data[:start] + stretch * rng.randrange(2, 30) + data[start:]


def _empty(_: random.Random) -> bytes:
    return b""


def _zeros(rng: random.Random) -> bytes:
    return bytes(rng.randrange(1, 100_000))


def _random_bytes(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(1, 20_000))


def _random_bytes_behind_a_magic(rng: random.Random) -> bytes:
    return rng.choice(MAGICS) + rng.randbytes(rng.randrange(0, 20_000))


def _zeros_behind_a_magic(rng: random.Random) -> bytes:
    return rng.choice(MAGICS) + bytes(rng.randrange(0, 20_000))


# Bombs: little to send, much to decode.


def _bomb_by_header(rng: random.Random) -> bytes:
    """30,000 x 30,000 pixels, says the header of a small file."""
    kind = rng.choice(("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"))
    data = bytearray(_valid(kind))
    if kind == "PNG":
        return png_of(BOMB_SIDE, BOMB_SIDE, 8, 2, zlib.compress(bytes(1_000)))
    if kind == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", BOMB_SIDE, BOMB_SIDE)
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", BOMB_SIDE, BOMB_SIDE)
    elif kind == "WEBP":
        side = (BOMB_SIDE - 1).to_bytes(3, "little")
        chunks = b"VP8X" + struct.pack("<I", 10) + bytes(4) + side + side + bytes(data[12:])
        return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", BOMB_SIDE, BOMB_SIDE)
    else:
        for tag in (256, 257):  # ImageWidth, ImageLength
            at = data.index(struct.pack("<H", tag), struct.unpack("<I", data[4:8])[0])
            data[at + 8 : at + 12] = struct.pack("<I", BOMB_SIDE)
    return bytes(data)


@lru_cache(maxsize=8)
def _deflated(rows: int, row_bytes: int) -> bytes:
    packer = zlib.compressobj(9)
    row = bytes(1 + row_bytes)
    return b"".join([*(packer.compress(row) for _ in range(rows)), packer.flush()])


def _deflate_bomb(_: random.Random) -> bytes:
    """112 MB of nothing in 110 KB, at one bit a pixel."""
    return png_of(BOMB_SIDE, BOMB_SIDE, 1, 0, _deflated(BOMB_SIDE, BOMB_SIDE // 8))


def _deflate_bomb_within_the_limit(_: random.Random) -> bytes:
    return png_of(9_000, 9_000, 1, 0, _deflated(9_000, 9_000 // 8))


def _deflated_text_bomb(rng: random.Random) -> bytes:
    name, head = rng.choice(((b"zTXt", b"Comment\x00\x00"), (b"iCCP", b"icc\x00\x00")))
    return _png_with(chunk(name, head + _deflated(20_000, 999)))


def _many_frames(rng: random.Random) -> bytes:
    """A GIF of 10,000 frames of a pixel each."""
    image = b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
    frame = b"!\xf9\x04\x00\x01\x00\x00\x00" + image
    side = rng.choice((1, 16, 200))
    return b"GIF89a" + struct.pack("<HH", side, side) + b"\x80\x00\x00\xff\x00\x00\x00\x00\xff" + frame * 10_000 + b";"


def _frame_outside_the_screen(_: random.Random) -> bytes:
    frame = b"," + struct.pack("<HHHH", 40_000, 40_000, 20_000, 20_000) + b"\x00\x02\x02\x44\x01\x00"
    return b"GIF89a\x10\x00\x10\x00\x80\x00\x00\xff\x00\x00\x00\x00\xff" + frame * 2 + b";"


def _more_frames_than_there_are(rng: random.Random) -> bytes:
    data = _valid("PNG", animated=True)
    at = data.index(b"acTL") - 4
    count = rng.choice((5, 1_000, 2**31 - 1))
    return data[:at] + chunk(b"acTL", struct.pack(">II", count, 0)) + data[at + 20 :]


def _needle(rng: random.Random) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", rng.choice(((1, 30_000), (30_000, 1), (1, 1))), "red").save(buffer, rng.choice(("PNG", "JPEG")))
    return buffer.getvalue()


# Files that are two things, or another thing than they seem.


def _polyglot(rng: random.Random) -> bytes:
    archive = b"PK\x03\x04" + rng.randbytes(200) + b"PK\x05\x06" + bytes(18)
    program = b"MZ\x90\x00" + rng.randbytes(5_000)
    page = b"<html><script>alert(document.cookie)</script></html>"
    kind, tail = rng.choice((("GIF", page), ("JPEG", archive), ("PNG", program), ("WEBP", page), ("BMP", archive)))
    return _valid(kind) + tail


def _script_in_the_comment(_: random.Random) -> bytes:
    buffer = BytesIO()
    Image.new("P", (8, 8)).save(buffer, "GIF", comment=b"*/=1;alert(1);/*<svg onload=alert(1)>")
    return buffer.getvalue()


def _document(rng: random.Random) -> bytes:
    """What is sent under the name of a picture and is none."""
    svg = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaa">]><svg xmlns="http://www.w3.org/2000/svg"/>'
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"
    return rng.choice((svg, b"<!DOCTYPE html><p>hello", b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n", postscript, b"MZ\x90\x00"))


def _wrong_start(rng: random.Random) -> bytes:
    """The magic of one format before the body of another."""
    return rng.choice(MAGICS) + _any_valid(rng)[8:]


# What stands beside the pixels.


def _huge_exif(rng: random.Random) -> bytes:
    segments = b"".join(
        b"\xff\xe1" + struct.pack(">H", 65_535) + b"Exif\x00\x00" + rng.randbytes(65_527) for _ in range(20)
    )
    data = _valid("JPEG")
    return data[:2] + segments + data[2:]


def _exif_that_points_nowhere(rng: random.Random) -> bytes:
    entries = b"".join(struct.pack("<HHII", rng.randrange(65_536), 2, 2**31, 2**32 - 8) for _ in range(300))
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + struct.pack("<H", 300) + entries
    data = _valid("JPEG")
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def _directories_in_a_ring(rng: random.Random) -> bytes:
    """A TIFF whose directories lead to each other for ever."""
    count = rng.choice((1, 2, 500))
    entries = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries += [(277, 3, 1, 1), (278, 3, 1, 8), (279, 4, 1, 64)]
    size = 2 + 12 * len(entries) + 4
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    ring = [directory + struct.pack("<I", 8 + size * ((index + 1) % count)) for index in range(count)]
    return b"II*\x00\x08\x00\x00\x00" + b"".join(ring)


def _strips_without_end(rng: random.Random) -> bytes:
    data = bytearray(_valid("TIFF"))
    directory = struct.unpack("<I", data[4:8])[0]
    for index in range(struct.unpack("<H", data[directory : directory + 2])[0]):
        at = directory + 2 + 12 * index
        if rng.random() < 0.4:
            data[at + 4 : at + 12] = struct.pack("<II", rng.choice((1, 2**20, 2**31)), rng.randrange(2**32))
    return bytes(data)


def _many_chunks(rng: random.Random) -> bytes:
    return _png_with(chunk(b"tEXt", b"k\x00" + rng.randbytes(8)) * 20_000)


def _broken_profile(rng: random.Random) -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)  # when it was made: the same seed makes the same files
    for _ in range(rng.randrange(1, 60)):
        profile[rng.randrange(len(profile))] = rng.randrange(256)
    image = Image.new(rng.choice(("RGB", "L", "CMYK")), (40, 40), 77)
    buffer = BytesIO()
    image.save(buffer, "JPEG", icc_profile=bytes(profile[: rng.randrange(4, len(profile))]))
    return buffer.getvalue()


def _interlace_that_is_none(rng: random.Random) -> bytes:
    return png_of(64, 64, 8, 2, zlib.compress(bytes(64 * 193)), interlace=rng.choice((1, 7, 255)))


def _odd_header(rng: random.Random) -> bytes:
    depth, colours = rng.choice((1, 2, 3, 16, 255)), rng.choice((0, 1, 2, 3, 4, 6, 9))
    width, height = rng.choice(((0, 0), (0, 9), (9, 2**31 - 1), (64, 64)))
    return png_of(width, height, depth, colours, zlib.compress(bytes(9_000)))


_MAKERS: tuple[Maker, ...] = (
    _truncated,
    _bits_flipped,
    _bomb_by_header,
    _random_bytes_behind_a_magic,
    _bits_flipped_behind_the_magic,
    _stretch_repeated,
    _empty,
    _zeros,
    _random_bytes,
    _zeros_behind_a_magic,
    _deflate_bomb,
    _deflate_bomb_within_the_limit,
    _deflated_text_bomb,
    _many_frames,
    _frame_outside_the_screen,
    _more_frames_than_there_are,
    _needle,
    _polyglot,
    _script_in_the_comment,
    _document,
    _wrong_start,
    _huge_exif,
    _exif_that_points_nowhere,
    _directories_in_a_ring,
    _strips_without_end,
    _many_chunks,
    _broken_profile,
    _interlace_that_is_none,
    _odd_header,
)


def chunk(name: bytes, body: bytes) -> bytes:
    """Of a PNG, with the right checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, depth: int, colours: int, packed: bytes, *, interlace: int = 0) -> bytes:
    """A PNG with this header, whatever its pixels are."""
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _png_with(more: bytes) -> bytes:
    """A PNG with chunks between its header and its pixels."""
    data = _valid("PNG")
    return data[:33] + more + data[33:]
