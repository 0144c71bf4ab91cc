"""What a video shows: the frames that are looked at, upright, in 8-bit RGB."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from processors.media.decoder import pixels
from processors.media.decoder.av_container import AnyPacket, only, opened, packets_of, prepared
from processors.media.decoder.av_probe import LOST_S, Probe, Track
from processors.media.decoder.choice import Choice
from processors.media.decoder.clock import FRAMES, Clock
from processors.media.decoder.decoded import DecoderLimits, MovingLimits
from processors.media.decoder.frames import THUMB
from processors.media.decoder.turning import orientation_of, shown_size

MOST_WORK = 2_000_000_000
"""Pixels that are decoded of a video: a minute of 720p, half a minute of 1080p. What takes more is looked at by its key
frames alone, which are decoded without the others; a core decodes 200 to 600 million a second."""

_FRAME_WORK = 50_000
"""What any frame costs, however small, in pixels."""

_SPARSE = 1.5
"""Times the wanted distance between frames. Where key frames are further apart than that, all frames are decoded, as
far as the time goes: what is shown between two of them is not seen otherwise."""

_TRANSPARENT = "its transparency is not looked at, which may show something else"
"""Players put what is transparent on a background of theirs; the decoders here know the colours alone."""

_COMMON_RATE = 25.0
"""Frames a second of a video that does not say when they are shown."""

_UNSPECIFIED = 2
"""`AVCOL_SPC_UNSPECIFIED`. Players take it for ITU-R BT.709 in high definition and for BT.601 below."""
_HD_HEIGHT = 720

_MATRIX = struct.Struct("=9i")
"""Nine numbers of 32 bits, in the machine's order."""

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that is looked at."""

    t: float
    """Seconds from the start of the item."""
    pixels: pixels.Pixels
    """Upright, at most `picture_side` on the long side."""
    size: Size
    """Of the upright original, its pixels taken to be square."""


@dataclass(slots=True)
class Watched:
    """How far a video was decoded."""

    frames: list[Frame] = field(default_factory=list[Frame])
    """In the order of time."""
    missing: list[str] = field(default_factory=list[str])
    """What of it was left out, in words."""
    seen: int = 0
    """Frames."""
    tried: int = 0
    """Packets that were decoded."""
    broken: int = 0
    """Packets and frames that cannot be decoded."""

    def break_off(self, words: str) -> None:
        self.missing.append(f"its video is broken in the middle: {words}")


@dataclass(frozen=True, slots=True)
class _Held:
    """A frame as the decoder gave it, or reduced, until all have passed by."""

    image: VideoFrame | pixels.Pixels
    size: Size
    """As it is shown, but for its orientation."""
    orientation: int


def watch(
    data: bytes, media_type: str, found: Probe, limits: DecoderLimits, moving: MovingLimits, clock: Clock
) -> Watched:
    """The frames of `found.video`, which must be there. Raises `Undecodable`."""
    track = found.video
    assert track is not None  # noqa: S101  # asked for above
    watched = Watched()
    if track.refused is not None:
        watched.missing.append(track.refused)
        return watched
    seconds = min(found.seconds, moving.max_seconds)
    choice = Choice[_Held](moving.video_frames, seconds, moving.frame_gap_s)
    eye = _Eye(limits)
    with opened(data, media_type, limits, clock) as container:
        stream = container.streams[track.index]
        assert isinstance(stream, VideoStream)  # noqa: S101  # as when it was probed
        only(container, stream)
        prepared(stream, limits)
        ratio = stream.sample_aspect_ratio
        # Of WebM, which keeps transparency apart from the frames (Matroska's `AlphaMode`).
        transparent = "alpha_mode" in stream.metadata
        packets = packets_of(container, [stream], watched.break_off)
        last: tuple[float, NDArray[np.int16], VideoFrame] | None = None
        for frame in _decoded(_worth_decoding(packets, track, choice.step_s), watched):
            t = _time(frame, watched.seen, found.start_s)
            watched.seen += 1
            if t > moving.max_seconds:
                watched.missing.append(f"only the first {moving.max_seconds:g} s of its video are looked at")
                break
            if clock.over(FRAMES):
                watched.missing.append(f"its video takes too long to decode: it was looked at for {t:.1f} s")
                break
            transparent = transparent or any(part.is_alpha for part in frame.format.components)
            last = (t, eye.thumb(frame), frame)
            choice.offer(t, last[1], lambda frame=frame: eye.held(frame, ratio))
        if last is not None:
            t, thumb, frame = last
            choice.offer(t, thumb, lambda: eye.held(frame, ratio), last=True)
        if transparent:
            watched.missing.append(_TRANSPARENT)
    watched.frames = [eye.looked_at(t, held) for t, held in choice.kept]
    # Where key frames alone are decoded, each stands for all that follow it.
    lost_s = watched.broken * found.seconds / max(1, watched.tried)
    if lost_s > LOST_S:
        watched.missing.append(f"{lost_s:.1f} s of its video are broken")
    watched.missing += found.missing
    return watched


def _time(frame: VideoFrame, number: int, start_s: float) -> float:
    """Seconds from the start of the item."""
    shown_s = cast("float | None", frame.time)
    return round(max(0.0, number / _COMMON_RATE if shown_s is None else shown_s - start_s), 3)


def _worth_decoding(packets: Iterator[AnyPacket], track: Track, step_s: float) -> Iterator[AnyPacket]:
    """All packets, or those of key frames, or each so-manieth of these; and the end."""
    cost = track.width * track.height + _FRAME_WORK
    if track.packets * cost <= MOST_WORK or track.keys == 0 or track.key_gap_s > _SPARSE * step_s:
        yield from packets
        return
    stride = max(1, math.ceil(track.keys * cost / MOST_WORK))
    keys = 0
    for packet in packets:
        if packet.size == 0:
            yield packet
        elif packet.is_keyframe:
            if keys % stride == 0:
                yield packet
            keys += 1


def _decoded(packets: Iterator[AnyPacket], watched: Watched) -> Iterator[VideoFrame]:
    for packet in packets:
        watched.tried += packet.size > 0
        try:
            frames = packet.decode()
        except FFmpegError:
            watched.broken += packet.size > 0
            continue
        for frame in frames:
            if not isinstance(frame, VideoFrame) or frame.is_corrupt:
                watched.broken += 1
            else:
                yield frame


class _Eye:
    """Looks at frames: small, to compare them, and large, to show them."""

    def __init__(self, limits: DecoderLimits) -> None:
        self._most_pixels = limits.max_pixels
        self._side = limits.picture_side
        self._small = VideoReformatter()
        self._large = VideoReformatter()

    def thumb(self, frame: VideoFrame) -> NDArray[np.int16]:
        """int16 [24, 24, 3], RGB."""
        return _rgb(self._small, frame, THUMB).astype(np.int16)

    def held(self, frame: VideoFrame, ratio: Fraction | None) -> _Held:
        """The frame as it is, which costs nothing; reduced at once where it is larger than what is made of it."""
        size = shown_size(frame.width, frame.height, ratio, self._most_pixels)
        image = _rgb(self._large, frame, self._reduced(size)) if max(size) > self._side else frame
        return _Held(image, size, _orientation(frame))

    def looked_at(self, t: float, held: _Held) -> Frame:
        image = held.image
        rgb = _rgb(self._large, image, self._reduced(held.size)) if isinstance(image, VideoFrame) else image
        size = held.size if held.orientation < 5 else (held.size[1], held.size[0])
        return Frame(t, pixels.upright(rgb, held.orientation), size)

    def _reduced(self, size: Size) -> Size:
        part = min(1.0, self._side / max(size))
        return max(1, round(size[0] * part)), max(1, round(size[1] * part))


def _rgb(reformatter: VideoReformatter, frame: VideoFrame, size: Size) -> pixels.Pixels:
    space = None
    if frame.colorspace == _UNSPECIFIED:
        space = Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601
    smaller = size[0] < frame.width or size[1] < frame.height
    made = reformatter.reformat(
        frame,
        width=size[0],
        height=size[1],
        format="rgb24",
        src_colorspace=space,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA if smaller else Interpolation.BICUBIC,
        threads=1,
    )
    return cast("pixels.Pixels", made.to_ndarray())


def _orientation(frame: VideoFrame) -> int:
    matrix = bytes(cast("Any", frame.side_data).get("DISPLAYMATRIX") or b"")
    return orientation_of(_MATRIX.unpack_from(matrix)) if len(matrix) >= _MATRIX.size else 1
