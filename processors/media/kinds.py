"""What bytes are, by the bytes alone: neither names nor headers that a sender wrote count.

A file that is two things at once (a GIF that is also a script) is what its first bytes say: readers of media start
there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the decoder's child processes load this file, and need nothing of what `schemas` loads
    from schemas.sections import MediaKind

HEAD_BYTES = 4_096
"""As much of the start as `kind_of` looks at: enough for the page header of Ogg and the head of EBML."""

_PLAIN: tuple[tuple[bytes, MediaKind, str], ...] = (
    (b"\xff\xd8\xff", "image", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image", "image/png"),
    (b"GIF87a", "image", "image/gif"),
    (b"GIF89a", "image", "image/gif"),
    (b"II*\x00", "image", "image/tiff"),
    (b"MM\x00*", "image", "image/tiff"),
    (b"II+\x00", "image", "image/tiff"),  # BigTIFF
    (b"MM\x00+", "image", "image/tiff"),
    (b"fLaC", "audio", "audio/flac"),
    (b"ID3", "audio", "audio/mpeg"),
)
"""Signatures long enough to stand alone."""

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_HEIF_BRANDS = {b"mif1", b"mif2", b"msf1"}
"""Containers of any codec: the compatible brands say which."""
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "}
_QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
"""What QuickTime files from before `ftyp` begin with."""
_MAX_BRANDS = 64
"""Compatible brands that are looked at; real files have a handful."""

_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}
"""Sizes of the headers that can follow a BMP's first 14 bytes."""


def kind_of(data: bytes) -> tuple[MediaKind, str] | None:
    """Kind and media type of a file that starts with `data` (`HEAD_BYTES` of it are enough); None for what is no
    medium that is known here.

    The type of Matroska, MP4, AVI and Ogg is that of the container: which streams are in it, only probing tells.
    """
    head = bytes(data[:HEAD_BYTES])
    for signature, kind, name in _PLAIN:
        if head.startswith(signature):
            return kind, name
    if head[4:8] == b"ftyp":
        return _iso(head)
    if head[:4] == b"RIFF":
        return _riff(head[8:12])
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video", "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head[:4] == b"OggS":
        return ("video", "video/ogg") if b"\x80theora" in head[:128] else ("audio", "audio/ogg")
    if _is_bmp(head):
        return "image", "image/bmp"
    if _is_icon(head):
        return "image", "image/x-icon"
    if head[4:8] in _QUICKTIME_ATOMS:
        return "video", "video/quicktime"
    return _audio_frames(head)


def _iso(head: bytes) -> tuple[MediaKind, str]:
    """ISO base media (MPEG-4 part 12): the major brand decides, the compatible ones where it leaves that open."""
    size = min(int.from_bytes(head[:4], "big"), 16 + 4 * _MAX_BRANDS)
    major = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, size - 3, 4)}
    if major in _AVIF_BRANDS:
        return "image", "image/avif"
    if major in _HEIC_BRANDS:
        return "image", "image/heic"
    if major in _HEIF_BRANDS:
        return "image", "image/avif" if compatible & _AVIF_BRANDS else "image/heic"
    if major in _AUDIO_BRANDS:
        return "audio", "audio/mp4"
    if major == b"qt  ":
        return "video", "video/quicktime"
    return "video", "video/mp4"


def _riff(form: bytes) -> tuple[MediaKind, str] | None:
    if form == b"WEBP":
        return "image", "image/webp"
    if form == b"WAVE":
        return "audio", "audio/wav"
    return ("video", "video/x-msvideo") if form == b"AVI " else None


def _is_bmp(head: bytes) -> bool:
    # Two letters are too little to go by: the reserved bytes and the size of the next header must be right too.
    return head[:2] == b"BM" and head[6:10] == bytes(4) and int.from_bytes(head[14:18], "little") in _BMP_HEADERS


def _is_icon(head: bytes) -> bool:
    count = int.from_bytes(head[4:6], "little")
    return head[:4] == b"\x00\x00\x01\x00" and count > 0 and len(head) >= 22 and head[9] == 0


def _audio_frames(head: bytes) -> tuple[MediaKind, str] | None:
    """Bare MPEG audio: 11 bits of sync, then version, layer, bitrate and sample rate, some values of which are void."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:  # ADTS: MPEG-4 or -2, layer 0
        return ("audio", "audio/aac") if head[2] >> 2 & 0xF < 13 else None
    version, layer, bitrate, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    valid = version != 1 and layer == 1 and bitrate not in (0, 15) and rate != 3
    return ("audio", "audio/mpeg") if valid else None
