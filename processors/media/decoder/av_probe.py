"""What a container holds, before anything of it is decoded: its streams, and how long each really is.

Headers lie, so that only packets count: all are walked over once, which costs little of what decoding costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from processors.media.decoder.av_container import (
    SOUND_DECODERS,
    VIDEO_DECODERS,
    AnyPacket,
    decoder_name,
    only,
    opened,
    packets_of,
)
from processors.media.decoder.clock import SOUND, Clock
from processors.media.decoder.decoded import MAX_COVERS, DecoderLimits, Undecodable

S = TypeVar("S", bound=Stream)

MAX_STREAMS = 32
"""Of all kinds; films with every language have fewer."""

MAX_PACKETS = 1_000_000
"""That are walked over: five hours of sound and video."""

LOST_S = 0.5
"""Less than this may be missing untold, at the end or of what is broken: encoders pad, and players lose as much."""
LOST_SHARE = 0.01
"""And of a long file as much as this share of it."""

MIN_RATE, MAX_RATE = 2_000, 768_000
"""Samples per second that sound is recorded at, with some to spare on both sides."""
MAX_CHANNELS = 64

_FURTHER = "of an attached picture that changes, the first is looked at"
"""A file may call any of its videos that."""

_DECLARED_LENGTH = {"mov", "matroska", "avi", "wav", "flac"}
"""Demuxers that read how long it is from a header; the others guess."""

_SEARCHED = {"mp3": (0.0, 2_881), "aac": (0.0, 8_191), "ogg": (0.5, 1 << 32)}
"""Demuxers that search for the next packet wherever there is none: the bytes for each byte of packets that may lie
between these, as the heads of Ogg's pages do, and the most that a packet has, beyond which it is what was skipped."""


@dataclass(slots=True)
class Track:
    """A stream that is decoded, as its packets are."""

    index: int
    refused: str | None
    """Why it is not decoded after all."""
    width: int = 0
    height: int = 0
    """Of a frame as stored, in pixels, by the header."""
    packets: int = 0
    keys: int = 0
    """Packets that can be decoded without others."""
    first_s: float | None = None
    """When it begins, by the container's clock; None for what has no times."""
    end_s: float = 0.0
    """When it ends, by the same clock."""
    key_gap_s: float = 0.0
    """The longest time from one such packet to the next, or to the end."""
    _key_s: float | None = None

    def add(self, packet: AnyPacket) -> None:
        """Count a packet in."""
        self.packets += 1
        stamp = packet.pts if packet.pts is not None else packet.dts
        base = packet.time_base
        if stamp is None or not base:
            self.keys += packet.is_keyframe
            return
        unit_s = float(base)
        t = stamp * unit_s
        if self.first_s is None:
            self.first_s = t
        self.end_s = max(self.end_s, t + (packet.duration or 0) * unit_s)
        if self._key_s is not None:
            self.key_gap_s = max(self.key_gap_s, t - self._key_s)
        if packet.is_keyframe or self._key_s is None:
            self.keys += packet.is_keyframe
            self._key_s = t


@dataclass(slots=True)
class Probe:
    """What there is to decode."""

    demuxer: str
    video: Track | None = None
    sound: Track | None = None
    covers: list[bytes] = field(default_factory=list[bytes])
    """Attached pictures, each a file of its own; one more than are looked at, where there are more."""
    unseen: list[str] = field(default_factory=list[str])
    unheard: list[str] = field(default_factory=list[str])
    """What a player may show or play beside, and nobody decodes."""
    declared_s: float | None = None
    """How long it is by its header; None where that only guesses."""
    size: int = 0
    """Bytes from the first packet to the end of the file; 0 where nobody knows where that is."""
    read: int = 0
    """Bytes of packets."""
    broken: str | None = None
    """What stopped the walk before the end."""

    @property
    def start_s(self) -> float:
        """When the item begins, by the container's clock."""
        return min((track.first_s for track in self._tracks if track.first_s is not None), default=0.0)

    @property
    def seconds(self) -> float:
        """From the beginning to the end of the last packet."""
        return max((track.end_s - self.start_s for track in self._tracks if track.first_s is not None), default=0.0)

    @property
    def missing(self) -> list[str]:
        """What is not there although it should be, in words."""
        told = [self.broken] if self.broken else []
        declared_s, seconds = self.declared_s or 0.0, self.seconds
        if declared_s - seconds > LOST_S + LOST_SHARE * seconds:
            told.append(f"the file breaks off at {seconds:.1f} s of {declared_s:,.1f} s")
        between, _ = _SEARCHED.get(self.demuxer, (math.inf, 0))
        if (self.size - self.read * (1 + between)) * seconds > (LOST_S + LOST_SHARE * seconds) * self.read:
            told.append(f"{self.size - self.read:,} bytes of it are neither video nor sound")
        return told

    @property
    def _tracks(self) -> tuple[Track, ...]:
        return tuple(track for track in (self.video, self.sound) if track is not None)


def probe(data: bytes, media_type: str, limits: DecoderLimits, clock: Clock) -> Probe:
    """Raises `Undecodable` where nothing in it can be seen or heard."""
    with opened(data, media_type, limits, clock) as container:
        found = Probe(container.format.name.split(",")[0])
        if len(container.streams) > MAX_STREAMS:
            raise Undecodable(f"the {media_type} file has {len(container.streams):,} streams, more than {MAX_STREAMS}")
        video, sound, covers = _chosen(container, found)
        if video is None and sound is None and not covers:
            raise Undecodable(f"the {media_type} file has neither video nor sound in it")
        if video is not None:
            found.video = _video_track(video, limits)
        if sound is not None:
            found.sound = _sound_track(sound)
        if found.demuxer in _DECLARED_LENGTH and container.duration:
            found.declared_s = container.duration / 1_000_000
        _walk(container, len(data), found, clock, covers)
        return found


def _chosen(
    container: InputContainer, found: Probe
) -> tuple[VideoStream | None, AudioStream | None, list[VideoStream]]:
    """The streams that players play first, and the attached pictures."""
    attached = Disposition.attached_pic | Disposition.timed_thumbnails
    videos = [stream for stream in container.streams.video if not stream.disposition & attached]
    covers = [stream for stream in container.streams.video if stream.disposition & attached]
    sounds = list(container.streams.audio)
    if len(videos) > 1:
        found.unseen.append(f"one of its {len(videos)} videos is looked at")
    if len(sounds) > 1:
        found.unheard.append(f"one of its {len(sounds)} sounds is listened to")
    if container.streams.subtitles:
        found.unseen.append("its subtitles are not read")
    return _first(videos), _first(sounds), covers


def _first(streams: list[S]) -> S | None:
    return next((stream for stream in streams if stream.disposition & Disposition.default), next(iter(streams), None))


def _video_track(stream: VideoStream, limits: DecoderLimits) -> Track:
    track = _track(stream, "video", VIDEO_DECODERS)
    if track.refused is None:
        track.width, track.height = stream.codec_context.width, stream.codec_context.height
        if track.width * track.height > limits.max_pixels:
            track.refused = f"its video has more than {limits.max_pixels:,} pixels a frame, by its header"
    return track


def _sound_track(stream: AudioStream) -> Track:
    track = _track(stream, "sound", SOUND_DECODERS)
    if track.refused is None:
        track.refused = odd_sound(stream.codec_context.sample_rate, stream.codec_context.layout.nb_channels)
    return track


def odd_sound(rate: int, channels: int) -> str | None:
    """Why sound of this many samples per second and channels is not decoded; None where it is. 0: not known yet."""
    if rate and not MIN_RATE <= rate <= MAX_RATE:
        return f"its sound has {rate:,} samples a second, expected {MIN_RATE:,} to {MAX_RATE:,}"
    if channels > MAX_CHANNELS:
        return f"its sound has {channels:,} channels, expected at most {MAX_CHANNELS}"
    return None


def _track(stream: VideoStream | AudioStream, what: Literal["video", "sound"], decoders: frozenset[str]) -> Track:
    name = decoder_name(stream)
    refused = None if name in decoders else f"its {what} is of a codec that is not decoded ({name or 'unknown'})"
    start, base = stream.start_time, stream.time_base
    # As the demuxer has it where it knows: what an encoder put before the first sample is not played.
    first_s = float(start * base) if start is not None and base else None
    return Track(stream.index, refused, first_s=first_s)


def _walk(container: InputContainer, size: int, found: Probe, clock: Clock, covers: list[VideoStream]) -> None:
    tracks = {track.index: track for track in (found.video, found.sound) if track is not None}
    attached = {stream.index for stream in covers[: MAX_COVERS + 1]}
    streams = [container.streams[index] for index in (*tracks, *attached)]
    only(container, *streams)

    def stopped(words: str) -> None:
        found.broken = f"it is broken in the middle: {words}"

    _, most = _SEARCHED.get(found.demuxer, (0, 0))
    for count, packet in enumerate(packets_of(container, streams, stopped)):
        if count >= MAX_PACKETS or clock.over(SOUND):
            found.broken = "it is too long to look through"
            return
        if not packet.size:  # the end
            continue
        if not found.size and packet.pos is not None:
            found.size = size - packet.pos
        found.read += min(packet.size, most)
        track = tracks.get(packet.stream_index)
        if track is not None:
            track.add(packet)
        elif packet.stream_index in attached:
            attached.discard(packet.stream_index)
            found.covers.append(bytes(packet))
        elif _FURTHER not in found.unseen:
            found.unseen.append(_FURTHER)
