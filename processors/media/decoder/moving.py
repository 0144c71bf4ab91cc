"""A picture's, a video's or a sound's bytes to pixels and samples of ours. A pure function of hostile bytes, as far as
their time goes: run it where it may be killed."""

from __future__ import annotations

from dataclasses import replace

from processors.media.decoder import picture, pixels
from processors.media.decoder.av_container import said_by
from processors.media.decoder.av_frames import Frame, watch
from processors.media.decoder.av_probe import Probe, probe
from processors.media.decoder.av_sound import hear
from processors.media.decoder.clock import Clock
from processors.media.decoder.decoded import (
    MAX_COVERS,
    Decoded,
    DecodedPicture,
    DecodedSound,
    DecoderLimits,
    Gap,
    MovingLimits,
    Undecodable,
)
from processors.media.decoder.picture import small_print
from processors.media.kinds import kind_of

Size = tuple[int, int]

NEAR = 31
"""Bits in which the PDQ hashes of frames may differ that are held against each other pixel by pixel: what PDQ's authors
take for the same picture. Alone it would be too little: a caption in small letters moves no bit."""


def decode(data: bytes, limits: DecoderLimits) -> Decoded:
    """What there is to see and to hear. `limits.moving` must be there. Raises `Undecodable`, and `MemoryError` where
    memory ran out."""
    kind = kind_of(data)
    if kind is None:
        raise Undecodable("expected a picture, a video or a sound, found bytes of no known type")
    if kind[0] == "image":
        return picture.decode(data, limits)
    assert limits.moving is not None  # noqa: S101  # asked for above
    return _moving(data, kind[1], limits, limits.moving)


def _moving(data: bytes, media_type: str, limits: DecoderLimits, moving: MovingLimits) -> Decoded:
    clock = Clock(limits.timeout_s)
    try:
        found = probe(data, media_type, limits, clock)
    except (Undecodable, MemoryError):
        raise
    except Exception as error:  # whatever libraries raise over hostile bytes is the bytes' fault
        raise Undecodable(f"the {media_type} file is broken: {said_by(error)}") from error
    sound, sound_gap = _sound(data, media_type, found, limits, moving, clock)
    pictures, size, picture_gap = _pictures(data, media_type, found, limits, moving, clock)
    if not pictures and sound is None:
        reasons = [gap.reason for gap in (picture_gap, sound_gap) if gap is not None]
        raise Undecodable(f"the {media_type} file cannot be decoded: {'; '.join(reasons) or 'there is nothing in it'}")
    return Decoded(
        kind="audio" if found.video is None else "video",
        type=media_type,
        width=size[0] if pictures else None,
        height=size[1] if pictures else None,
        seconds=max(found.seconds, sound.t + sound.seconds if sound else 0.0),
        pictures=tuple(pictures),
        sound=sound,
        picture_gap=picture_gap,
        sound_gap=sound_gap,
    )


def _sound(
    data: bytes, media_type: str, found: Probe, limits: DecoderLimits, moving: MovingLimits, clock: Clock
) -> tuple[DecodedSound | None, Gap | None]:
    if found.sound is None:
        return None, None
    try:
        return hear(data, media_type, found, limits, moving.max_seconds, clock)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # as above
        return None, Gap(reason=f"its sound is broken: {said_by(error)}", failed=True)


def _pictures(
    data: bytes, media_type: str, found: Probe, limits: DecoderLimits, moving: MovingLimits, clock: Clock
) -> tuple[list[DecodedPicture], Size, Gap | None]:
    """Attached pictures and frames, the size of the largest, and what is missing of them."""
    pictures, size, missing = _covers(found.covers, limits)
    if found.video is not None:
        try:
            watched = watch(data, media_type, found, limits, moving, clock)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  # as above
            missing.append(f"its video is broken: {said_by(error)}")
        else:
            pictures += _frames(watched.frames)
            size = _largest(size, *(frame.size for frame in watched.frames))
            missing += watched.missing if watched.frames else watched.missing or ["none of its frames can be decoded"]
    missing += found.unseen
    if pictures:
        missing += small_print(pictures)
    gap = Gap(reason=", and ".join(missing), failed=not pictures) if missing else None
    return pictures, size, gap


def _covers(covers: list[bytes], limits: DecoderLimits) -> tuple[list[DecodedPicture], Size, list[str]]:
    """Attached pictures are files of their own, and read as such."""
    pictures: list[DecodedPicture] = []
    size, missing = (0, 0), list[str]()
    for cover in covers[:MAX_COVERS]:
        try:
            decoded = picture.decode(cover, replace(limits, max_frames=1))
        except Undecodable as error:
            missing.append(f"a picture attached to it cannot be looked at: {error.reason}")
            continue
        pictures += decoded.pictures
        size = _largest(size, (decoded.width or 0, decoded.height or 0))
        missing += [decoded.picture_gap.reason] if decoded.picture_gap else []
    if len(covers) > MAX_COVERS:
        missing.append(f"{MAX_COVERS} of the pictures attached to it are looked at")
    return pictures, size, missing


def _frames(frames: list[Frame]) -> list[DecodedPicture]:
    """As pictures, without those that show what one before them does."""
    pictures: list[DecodedPicture] = []
    seen: list[tuple[str, pixels.Pixels]] = []
    for frame in frames:
        hashed = pixels.pdq(frame.pixels)
        near = [made for other, made in seen if pixels.bits_apart(hashed[0], other) <= NEAR]
        if any(pixels.alike(frame.pixels, made) for made in near):
            continue
        seen.append((hashed[0], frame.pixels))
        pictures.append(picture.written(frame.pixels, max(frame.size), hashed, lossy=True, t=frame.t))
    return pictures


def _largest(*sizes: Size) -> Size:
    return max(width for width, _ in sizes), max(height for _, height in sizes)
