"""What the objects that a decoder made say of themselves: read by those who must not decode them to know."""

from __future__ import annotations

import struct

_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_RGB = b"\x08\x02\x00\x00\x00"
"""Bit depth 8, colour type RGB, and the only compression, filter and interlace that our encoder writes."""
_BASELINE = 0xC0
"""Marker of the frame header that our encoder writes."""
_NO_LENGTH = {0x01, *range(0xD0, 0xDA)}


def object_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels that a PNG or JPEG as our encoder writes them declares; None for anything else."""
    if data.startswith(_PNG_START):
        return struct.unpack(">II", data[16:24]) if data[24:29] == _PNG_RGB else None
    return _jpeg_size(data) if data.startswith(b"\xff\xd8") else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _BASELINE:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        if marker in _NO_LENGTH or length < 2:
            return None
        at += 2 + length
    return None
