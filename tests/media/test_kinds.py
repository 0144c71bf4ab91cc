"""What bytes are is what their first bytes say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.media.kinds import HEAD_BYTES, kind_of
from tests.media.drawn import corners, saved


def iso(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body + bytes(32)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("AVIF", "image/avif"),
        ("ICO", "image/x-icon"),
    ],
)
def test_pictures_as_their_encoders_write_them(kind: str, expected: str) -> None:
    assert kind_of(saved(corners(), kind)) == ("image", expected)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (iso(b"heic", b"mif1"), ("image", "image/heic")),
        (iso(b"mif1", b"heic", b"miaf"), ("image", "image/heic")),
        (iso(b"mif1", b"miaf", b"avif"), ("image", "image/avif")),
        (iso(b"avis", b"avif"), ("image", "image/avif")),
        (iso(b"isom", b"iso2", b"mp41"), ("video", "video/mp4")),
        (iso(b"mp42", b"avif"), ("video", "video/mp4")),
        (iso(b"qt  "), ("video", "video/quicktime")),
        (b"\x00\x00\x00\x08wide" + bytes(32), ("video", "video/quicktime")),
        (iso(b"M4A ", b"isom"), ("audio", "audio/mp4")),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", ("video", "video/webm")),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", ("video", "video/x-matroska")),
        (b"RIFF\x00\x10\x00\x00AVI LIST", ("video", "video/x-msvideo")),
        (b"RIFF\x00\x10\x00\x00WAVEfmt ", ("audio", "audio/wav")),
        (b"fLaC\x00\x00\x00\x22", ("audio", "audio/flac")),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", ("audio", "audio/mpeg")),
        (b"\xff\xfb\x90\x64" + bytes(8), ("audio", "audio/mpeg")),
        (b"\xff\xf1\x50\x80" + bytes(8), ("audio", "audio/aac")),
        (b"OggS\x00\x02" + bytes(20) + b"\x01\x1e\x01vorbis", ("audio", "audio/ogg")),
        (b"OggS\x00\x02" + bytes(20) + b"\x01\x2a\x80theora", ("video", "video/ogg")),
    ],
)
def test_containers_are_told_by_their_brands(head: bytes, expected: tuple[str, str]) -> None:
    assert kind_of(head) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\xff\xd8",
        b"BM and other words",
        b"RIFF\x00\x10\x00\x00ABCD",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!DOCTYPE html><p>hello",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0\n",
        b"\xff\xff\xff\xff",
        bytes(1_000),
    ],
)
def test_what_is_no_medium_has_no_kind(data: bytes) -> None:
    assert kind_of(data) is None


def test_a_file_that_is_two_things_is_what_it_begins_with() -> None:
    assert kind_of(saved(corners(), "GIF") + b"<script>alert(1)</script>") == ("image", "image/gif")
    assert kind_of(b"<script>alert(1)</script>" + saved(corners(), "GIF")) is None


@given(st.binary(max_size=64))
def test_any_bytes_have_a_kind_or_none(data: bytes) -> None:
    kind_of(data)


@given(st.sampled_from([b"\x00\x00\x10\x00ftypmif1", b"\xff\xfb", b"OggS", b"BM", b"RIFF"]), st.binary(max_size=8_000))
def test_the_head_is_enough(start: bytes, rest: bytes) -> None:
    assert kind_of(start + rest) == kind_of((start + rest)[:HEAD_BYTES])
